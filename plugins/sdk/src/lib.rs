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

pub use bindings::host::confab::plugin::{chat, kv, runtime, settings};
#[doc(hidden)]
pub use handler::install_panic_hook;
pub use handler::{CommandHandler, EventHandler, Lifecycle, ReactionHandler};
pub use random::Random;

/// The words that plugins and Confab share, as in `plugins/wit`.
pub mod types {
    pub use crate::bindings::commands::exports::confab::plugin::command_handler::{
        Argument, Invocation, OptionValue,
    };
    pub use crate::bindings::host::confab::plugin::events::{Delivery, Event, Membership, Reaction};
    pub use crate::bindings::host::confab::plugin::settings::Value;
    pub use crate::bindings::host::confab::plugin::types::{
        Draft, Failure, Field, Message, Place, Reply, User,
    };
    pub use crate::bindings::lifecycle::exports::confab::plugin::lifecycle::Reason;
}

/// Everything that a plugin usually needs.
pub mod prelude {
    pub use crate::types::{
        Argument, Delivery, Draft, Event, Failure, Field, Invocation, Membership, Message, OptionValue,
        Place, Reaction, Reason, Reply, User, Value,
    };
    pub use crate::{
        CommandHandler, EventHandler, Lifecycle, Random, ReactionHandler, chat, kv, runtime, settings,
    };
}
