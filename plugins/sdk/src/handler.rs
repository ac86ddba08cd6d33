//! The handlers that a plugin may have.

use crate::bindings::host::confab::plugin::runtime;
use crate::types::{
    Delivery, Incoming, Invocation, Press, Question, Reaction, Reason, Reply, Suggestion, Tick, ToolCall,
    Verdict,
};

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

/// Suggests values for the options that the manifest marks with `complete = true`.
pub trait CompletionHandler {
    /// At most 25 are shown.
    fn complete(question: Question) -> Vec<Suggestion>;
}

/// Is asked before a reaction of the plugin's own is added; it has 50 ms, and what goes wrong allows.
pub trait ReactionGate {
    /// A refusal's text is shown to the person.
    fn may_react(reaction: Reaction) -> Verdict;
}

/// Answers when somebody presses a button of the plugin's own.
pub trait ActionHandler {
    /// An error's text is shown to the person who pressed.
    fn on_action(press: Press) -> Result<Reply, String>;
}

/// Is called when a timer of [`crate::schedule`] is due.
pub trait TimerHandler {
    /// After an error the timer fires again with a higher `attempt`, so do nothing twice.
    fn on_timer(tick: Tick) -> Result<(), String>;
}

/// Answers the assistant.
pub trait ToolHandler {
    /// The input is JSON that fits the manifest's schema; the answer is text or JSON.
    fn call_tool(call: ToolCall) -> Result<String, String>;
}

/// Gets what other programs send to the addresses of the manifest.
pub trait WebhookHandler {
    /// After an error the sender is told that it did not work, and may send it again.
    fn on_webhook(incoming: Incoming) -> Result<(), String>;
}

/// Makes a panic say in the plugin's log what went wrong: to the host it is a bare `unreachable` trap.
pub fn install_panic_hook() {
    std::panic::set_hook(Box::new(|panic| runtime::log(runtime::Level::Error, &panic.to_string())));
}
