//! Runs plugins: what they are told, what they may do, and what becomes of their answers.
//!
//! In reading order: [`package`] installs what comes with the program, [`catalogue`] holds what can be called,
//! [`host`] is what they can do, always as their bot and with its rights only, [`follow`] finds out whom the events of the
//! log concern, [`happening`] what they are about, and [`deliver`] brings them, [`command`] runs their commands, [`action`] answers their buttons, [`timers`] wakes them, [`tools`] are those that the
//! assistant may use, [`webhooks`] hands them what other programs send, [`check`] looks at what an administrator uploads and
//! [`signed`] at whose it is, [`offered`] is asked by servers, [`words`] are those they understand, [`notes`] writes
//! down what they say, [`health`] counts their failures, [`rehearsal`] plays a conversation with one for its
//! author.

mod action;
mod catalogue;
mod check;
mod command;
mod deliver;
mod follow;
mod happening;
mod health;
mod host;
mod notes;
mod offered;
mod package;
mod reactions;
mod rehearsal;
mod signed;
#[cfg(test)]
mod tests;
mod timers;
mod tools;
mod webhooks;
mod words;

use std::path::Path;
use std::sync::Arc;

use confab_core::{Bus, Db, Result, Settings, log};
use confab_plugin_host::{Bundled, bundled};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use catalogue::Catalogue;
use follow::Follower;
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
pub use confab_plugin_host::{
    Difference, MOST_REACTIONS, Rehearsed, SIGNATURE_BYTES, SigningKey, image_files,
};
pub use host::outside::{BODY_BYTES, Request, Response};
pub use rehearsal::{measure, rehearse};
pub use signed::{admit, changes_signer, sign, signature};
pub use tools::{Tool, ToolAnswer, ToolUse, Tools};
pub use webhooks::Received;

/// How the reason begins when the server and no administrator stopped a plugin.
const STOPPED: &str = "stopped by the server: ";

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
    let head = log::head(&mut db.read()).await?;
    package::install_all(&db, &catalogue).await?;
    offered::offer(&db, &bus, &catalogue).await?;
    let notes = Arc::clone(catalogue.notes());
    let (db_of_notes, stop_notes) = (db.clone(), stop.clone());
    tasks.spawn(async move { notes.write(db_of_notes, stop_notes).await });
    tasks.spawn(timers::run(db.clone(), Arc::clone(&catalogue), stop.clone()));
    let follower = Follower::begin(&db, &bus, &catalogue, head, stop).await?;
    tasks.spawn(follower.run());
    Ok(())
}
