//! Runs plugins: what they are told, what they may do, and what becomes of their answers.
//!
//! In reading order: [`package`] installs what comes with the program, [`catalogue`] holds what can be called,
//! [`host`] is what they can do, always as their bot and with its rights only, [`deliver`] brings them the events of
//! the log, [`command`] runs their commands, [`words`] are those they understand, [`health`] counts their failures.

mod catalogue;
mod command;
mod deliver;
mod health;
mod host;
mod package;
#[cfg(test)]
mod tests;
mod words;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use confab_core::bus::{Service, Tail};
use confab_core::plugins::Installed;
use confab_core::{Bus, Db, Fault, FutureExt as _, Result, Settings, log, plugins};
use confab_plugin_host::{Bundled, Grants, bundled};
use confab_protocol::EventKind;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use catalogue::{Catalogue, Standing};
use command::Commands;
use deliver::Deliveries;
use package::Package;

/// Lists the commands: `{user_id}` to `{items: [{name, description, options, plugin_id}]}`.
pub const COMMANDS: &str = "commands";
/// Runs a command: `{user_id, channel_id, text, invocation_id}` to `{command, outcome, content?, message?}`.
pub const COMMAND: &str = "command";
/// Lists what is installed, for administrators: `{}` to `{items: […]}`.
pub const PLUGINS: &str = "plugins";

/// How the reason begins when the server and no administrator stopped a plugin.
const STOPPED: &str = "stopped by the server: ";
/// A pause after the record did not answer.
const RECORD_PAUSE: Duration = Duration::from_secs(2);

/// Installs the bundled plugins, loads what is installed, offers the services and follows the log until `stop`.
/// Several workers may do so at once. A plugin that does not work is disabled and says why; it never fails the start.
///
/// # Errors
/// Those of the record and of the bus.
pub async fn start(
    db: Db,
    bus: Bus,
    settings: &Settings,
    tasks: &TaskTracker,
    stop: CancellationToken,
) -> Result<()> {
    start_with(bundled(), db, bus, &settings.data_dir, tasks, stop).await
}

async fn start_with(
    bundled: &'static [Bundled],
    db: Db,
    bus: Bus,
    data_dir: &Path,
    tasks: &TaskTracker,
    stop: CancellationToken,
) -> Result<()> {
    let cache_folder = data_dir.join("plugins-cache");
    let catalogue = Arc::new(Catalogue::new(&db, &cache_folder, Package::all(bundled)));
    // From before the first look at what is installed, so that no later change is missed.
    let changes = bus.tail(&db, log::head(&mut db.read()).await?).await;
    package::install_all(&db, &catalogue).await?;
    offer(&db, &bus, &catalogue).await?;
    let mut followers = Followers { db, bus, catalogue, running: HashMap::new(), tasks: tasks.clone(), stop };
    followers.reload().await?;
    tasks.spawn(followers.follow(changes));
    Ok(())
}

/// The consumers that bring events to the plugins: one each.
struct Followers {
    db: Db,
    bus: Bus,
    catalogue: Arc<Catalogue>,
    running: HashMap<String, CancellationToken>,
    /// Waited for when the process stops: a consumer gives its place back while the record is still open.
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Followers {
    /// Loads anew whenever a plugin was installed, upgraded, enabled or disabled, here or in another process.
    async fn follow(mut self, mut changes: Tail) {
        loop {
            let events = tokio::select! {
                () = self.stop.cancelled() => return,
                events = changes.next() => events,
            };
            if !events.iter().any(|event| event.kind == EventKind::PluginChanged) {
                continue;
            }
            while let Err(fault) = self.reload().await {
                tracing::warn!(%fault, "cannot read which plugins are installed, trying again");
                tokio::select! {
                    () = self.stop.cancelled() => return,
                    () = tokio::time::sleep(RECORD_PAUSE) => {}
                }
            }
        }
    }

    /// A disabled plugin's place in the log moves on; that of a component which only another version of this program
    /// has is left to the workers of that version.
    async fn reload(&mut self) -> Result<()> {
        let standings = self.catalogue.reload().await?;
        self.running.retain(|id, token| {
            let stays = standings.iter().any(|(it, standing)| it == id && *standing != Standing::Unknown);
            if !stays {
                token.cancel();
            }
            stays
        });
        for (plugin_id, standing) in standings {
            if standing == Standing::Unknown || self.running.contains_key(&plugin_id) {
                continue;
            }
            let token = self.stop.child_token();
            self.running.insert(plugin_id.clone(), token.clone());
            let consumer = deliver::consumer(&plugin_id);
            let (db, catalogue) = (self.db.clone(), Arc::clone(&self.catalogue));
            let handler = Arc::new(Deliveries { db, catalogue, plugin_id });
            self.tasks.spawn(consumer.run(self.db.clone(), self.bus.clone(), handler, token));
        }
        Ok(())
    }
}

async fn offer(db: &Db, bus: &Bus, catalogue: &Arc<Catalogue>) -> Result<()> {
    let commands = Arc::new(Commands::new(db, catalogue));
    let list: Service = {
        let commands = Arc::clone(&commands);
        Arc::new(move |_| {
            let commands = Arc::clone(&commands);
            async move { Ok(commands.list()) }.boxed()
        })
    };
    let run: Service = Arc::new(move |question| {
        let commands = Arc::clone(&commands);
        async move {
            let asked = serde_json::from_slice(&question).map_err(Fault::internal)?;
            serde_json::to_value(commands.run(asked).await?).map_err(Fault::internal)
        }
        .boxed()
    });
    let installed: Service = {
        let db = db.clone();
        Arc::new(move |_| {
            let db = db.clone();
            async move { installed(&db).await }.boxed()
        })
    };
    bus.serve(COMMANDS, list).await?;
    bus.serve(COMMAND, run).await?;
    bus.serve(PLUGINS, installed).await
}

async fn installed(db: &Db) -> Result<Value> {
    let all = plugins::all(&mut db.read()).await?;
    let items: Vec<Value> = all.into_iter().map(in_list).collect();
    Ok(json!({ "items": items }))
}

fn in_list(installed: Installed) -> Value {
    let manifest = catalogue::manifest_of(&installed);
    let grants: Grants = serde_json::from_str(&installed.grants).unwrap_or_default();
    let name = manifest.as_ref().map_or_else(|| installed.id.clone(), |it| it.name.clone());
    let mut item = json!({
        "id": installed.id,
        "name": name,
        "version": installed.version,
        "enabled": installed.is_enabled,
        "sha256": installed.sha256,
        "permissions": manifest.map_or_else(Grants::none, |it| it.asks()),
        "grants": grants,
    });
    // Absent ones are left out, never null.
    if let Some(reason) = installed.disabled_reason {
        item["disabled_reason"] = Value::from(reason);
    }
    if let Some(bot) = installed.bot_id {
        item["bot_id"] = Value::from(bot.to_string());
    }
    item
}
