//! Write a Confab plugin in Rust.
//!
//! Implement the handlers that the plugin has, and name them in [`export!`]:
//!
//! ```
//! use confab_plugin_sdk::prelude::*;
//!
//! struct Echo;
//!
//! impl CommandHandler for Echo {
//!     fn on_command(call: Invocation) -> Result<Reply, String> {
//!         Ok(Reply::say(call.text("words").unwrap_or("(silence)")))
//!     }
//! }
//!
//! confab_plugin_sdk::export!(Echo: commands);
//! ```
//!
//! An instance lives for one call: what must last goes into [`kv`]. A panic ends the call; its text goes to the
//! plugin's log. There is no clock, no file and no network: see [`runtime`] for the time and for randomness.

#[doc(hidden)]
pub mod bindings;
mod export;
mod handler;
mod random;
mod words;

pub use bindings::host::confab::plugin::{assistant, chat, http, kv, runtime, schedule, search, settings};
#[doc(hidden)]
pub use handler::install_panic_hook;
pub use handler::{
    ActionHandler, CommandHandler, CompletionHandler, EventHandler, Lifecycle, ReactionGate, ReactionHandler,
    TimerHandler, ToolHandler, WebhookHandler,
};
pub use random::Random;
pub use words::{integer_setting, text_setting};

/// The words that plugins and Confab share, as in `plugins/wit`.
pub mod types {
    pub use crate::bindings::actions::exports::confab::plugin::action_handler::Press;
    pub use crate::bindings::commands::exports::confab::plugin::command_handler::{
        Argument, Invocation, OptionValue,
    };
    pub use crate::bindings::completion::exports::confab::plugin::completion_handler::{
        Question, Suggestion,
    };
    pub use crate::bindings::gate::exports::confab::plugin::reaction_gate::Verdict;
    pub use crate::bindings::host::confab::plugin::chat::{Member, Role};
    pub use crate::bindings::host::confab::plugin::events::{Delivery, Event, Membership, Reaction};
    pub use crate::bindings::host::confab::plugin::http::{Request, Response};
    pub use crate::bindings::host::confab::plugin::settings::Value;
    pub use crate::bindings::host::confab::plugin::types::{
        Button, ButtonStyle, Draft, Failure, Field, Message, Place, Reply, User,
    };
    pub use crate::bindings::lifecycle::exports::confab::plugin::lifecycle::Reason;
    pub use crate::bindings::timers::exports::confab::plugin::timer_handler::Tick;
    pub use crate::bindings::tools::exports::confab::plugin::tool_handler::Call as ToolCall;
    pub use crate::bindings::webhooks::exports::confab::plugin::webhook_handler::Incoming;
}

/// Everything that a plugin usually needs.
pub mod prelude {
    pub use crate::types::{
        Argument, Button, ButtonStyle, Delivery, Draft, Event, Failure, Field, Incoming, Invocation, Member,
        Membership, Message, OptionValue, Place, Press, Question, Reaction, Reason, Reply, Request, Response,
        Role, Suggestion, Tick, ToolCall, User, Value, Verdict,
    };
    pub use crate::{
        ActionHandler, CommandHandler, CompletionHandler, EventHandler, Lifecycle, Random, ReactionGate,
        ReactionHandler, TimerHandler, ToolHandler, WebhookHandler, assistant, chat, http, integer_setting,
        kv, runtime, schedule, search, settings, text_setting,
    };
}
