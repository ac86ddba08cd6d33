//! Runs plugins: what they are told, what they may do, and what becomes of their answers.
//!
//! In reading order: [`package`] installs what comes with the program, [`catalogue`] holds what can be called,
//! [`host`] is what they can do, always as their bot and with its rights only, [`deliver`] brings them the events of
//! the log, [`command`] runs their commands, [`action`] answers their buttons, [`timers`] wakes them, [`tools`] are those that the
//! assistant may use, [`webhooks`] hands them what other programs send, [`check`] looks at what an administrator uploads and
//! [`signed`] at whose it is, [`offered`] is asked by servers, [`words`] are those they understand, [`notes`] writes
//! down what they say, [`health`] counts their failures, [`rehearsal`] plays a conversation with one for its
//! author.

mod action;
mod catalogue;
mod check;
mod command;
mod deliver;
mod health;
mod host;
mod notes;
mod offered;
mod package;
mod rehearsal;
mod signed;
#[cfg(test)]
mod tests;
mod timers;
mod tools;
mod webhooks;
mod words;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use confab_core::bus::Tail;
use confab_core::{Bus, Db, Result, Settings, log};
use confab_plugin_host::{Bundled, bundled};
use confab_protocol::EventKind;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use catalogue::{Catalogue, Standing};
use deliver::Deliveries;
use package::Package;

/// Lists the commands: `{user_id}` to `{items: [{name, description, options, plugin_id}]}`.
pub const COMMANDS: &str = "commands";
/// Runs a command: `{user_id, channel_id, text, invocation_id}` to `{command, outcome, content?, message?}`.
pub const COMMAND: &str = "command";
/// Suggests values: `{user_id, channel_id, command, option, typed}` to `{items: [{value, label}]}`.
pub const COMPLETE: &str = "command_complete";
/// Answers a press: `{user_id, owner_id, button}` to `{outcome, content?, message?, whisper?}`.
pub const ACTION: &str = "plugin_action";
/// Asked before a plugin's own reaction is added: `{user_id, message_id, code}` to `{refusal?}`.
pub const GATE: &str = "plugin_gate";
/// Lists what is installed, for administrators: `{}` to `{items: […]}`.
pub const PLUGINS: &str = "plugins";
/// Looks at what is to be installed: [`Upload`] to [`Checked`].
pub const CHECK: &str = "plugin_check";
/// Checks settings for an installed plugin: `{id, settings}` to `{settings}`.
pub const SETTINGS: &str = "plugin_settings";
/// Tells a plugin that it was installed, upgraded or set: `{id, reason}` to `{}`.
pub const CONFIGURE: &str = "plugin_configure";
/// Lists the assistant's tools: `{}` to [`Tools`].
pub const TOOLS: &str = "plugin_tools";
/// Calls a tool: [`ToolUse`] to [`ToolAnswer`].
pub const TOOL: &str = "plugin_tool";
/// Hands on what another program sent: [`Received`] to `{}`.
pub const WEBHOOK: &str = "plugin_webhook";
/// Calls out for a plugin: [`Request`] to [`Response`]. Servers offer it, and workers ask.
pub const FETCH: &str = "plugin_fetch";

pub use check::{Checked, Upload, inspect};
pub use confab_plugin_host::{Difference, Rehearsed, SIGNATURE_BYTES, SigningKey};
pub use host::outside::{BODY_BYTES, Request, Response};
pub use rehearsal::{measure, rehearse};
pub use signed::{admit, changes_signer, sign, signature};
pub use tools::{Tool, ToolAnswer, ToolUse, Tools};
pub use webhooks::Received;

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
    let catalogue = Arc::new(Catalogue::new(&db, &bus, &cache_folder, Package::all(bundled)));
    // From before the first look at what is installed, so that no later change is missed.
    let changes = bus.tail(&db, log::head(&mut db.read()).await?).await;
    package::install_all(&db, &catalogue).await?;
    offered::offer(&db, &bus, &catalogue).await?;
    let notes = Arc::clone(catalogue.notes());
    let (db_of_notes, stop_notes) = (db.clone(), stop.clone());
    tasks.spawn(async move { notes.write(db_of_notes, stop_notes).await });
    tasks.spawn(timers::run(db.clone(), Arc::clone(&catalogue), stop.clone()));
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
