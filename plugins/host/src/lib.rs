//! Runs plugins: WebAssembly components that add commands, reactions and bots, and that can do only what an
//! administrator granted, within a budget of time, memory and calls.
//!
//! [`Manifest`] says what a plugin is and asks for. [`Runtime`] turns it and its component into a [`Plugin`], whose
//! handlers are called with a [`Granted`] host: the worker's [`Host`], narrowed to what was granted. No SQL, no bus
//! and no HTTP is known here.

mod bindings;
mod bundled;
mod call;
mod command;
mod convert;
mod granted;
mod handlers;
mod host;
mod kept;
mod limits;
mod machine;
mod manifest;
mod measure;
mod outcome;
mod permission;
mod plugin;
mod precompiled;
mod rehearsal;
mod runtime;
mod signature;
mod words;

pub use bundled::{Bundled, bundled};
pub use command::{CommandFault, command_name};
pub use granted::Granted;
pub use host::{Answer, Host};
pub use limits::Limits;
pub use manifest::{
    AskedLimits, Command, CommandOption, CustomReaction, EventFilter, Fault, Keeping, MOST_REACTIONS,
    Manifest, OptionKind, Proof, Setting, SettingKind, Tool, Webhook, Who, check_input, image_files,
};
pub use measure::{MeasureFault, Measured, Times, measure};
pub use outcome::{CallError, LoadError};
pub use permission::{Grants, Permission};
pub use plugin::Plugin;
pub use rehearsal::{Difference, Rehearsed, ScriptFault, rehearse};
pub use runtime::Runtime;
pub use signature::{PublicKey, SIGNATURE_BYTES, SignatureFault, SigningKey, signer, with_signature};
pub use words::{
    Argument, Button, ButtonStyle, ChannelMember, Completion, Delivery, Draft, Entry, Event, EventKind,
    Failure, Field, HttpRequest, HttpResponse, Id, Incoming, Invocation, Level, Membership, Message,
    NewChannel, OptionValue, Place, Press, Reaction, Reason, Reply, Role, SettingValue, Suggestion, Tick,
    Timer, ToolCall, User, Verdict,
};
