//! The handlers that a plugin may have.

use crate::bindings::host::confab::plugin::runtime;
use crate::types::{Delivery, Invocation, Reaction, Reason, Reply};

/// Runs after installing, upgrading, and a change of settings.
pub trait Lifecycle {
    /// An error keeps the plugin from being switched on; an administrator reads its text.
    fn configure(reason: Reason) -> Result<(), String>;
}

/// Gets the events that the manifest names.
pub trait EventHandler {
    /// After an error the event is delivered again with a higher `attempt`, so do nothing twice.
    fn on_event(delivery: Delivery) -> Result<(), String>;
}

/// Answers the slash commands of the manifest.
pub trait CommandHandler {
    /// An error's text is shown to the person who gave the command.
    fn on_command(call: Invocation) -> Result<Reply, String>;
}

/// Answers when somebody adds or removes a reaction that the manifest defines.
pub trait ReactionHandler {
    /// A public reply goes to the thread of the message; an error goes to the plugin's log.
    fn on_reaction(reaction: Reaction, added: bool) -> Result<Reply, String>;
}

/// Makes a panic say in the plugin's log what went wrong: to the host it is a bare `unreachable` trap.
pub fn install_panic_hook() {
    std::panic::set_hook(Box::new(|panic| runtime::log(runtime::Level::Error, &panic.to_string())));
}
