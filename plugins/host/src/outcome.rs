//! How loading and calling a plugin can go wrong.

use crate::granted::cut;
use crate::manifest::Fault;
use crate::permission::Permission;
use wasmtime::Trap;

const GUEST_TEXT_BYTES: usize = 1000;

/// Why a call into a plugin gave no answer. The instance is gone either way, and the plugin can be called again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The component has no such handler.
    #[error("the plugin does not handle this")]
    NotHandled,
    /// The event was not granted.
    #[error("{0} is not granted")]
    NotGranted(Permission),
    /// It took more time than it has.
    #[error("the plugin took too long")]
    Deadline,
    /// It ran more instructions than it may.
    #[error("the plugin computed too much")]
    Fuel,
    /// It wanted more memory than it may have.
    #[error("the plugin wanted too much memory")]
    Memory,
    /// It failed: a panic, a stack overflow, an access out of bounds. The text is for the log.
    #[error("the plugin failed: {0}")]
    Trap(String),
    /// It answered with an error: its text.
    #[error("{0}")]
    Guest(String),
    /// It asked too much of the host: which limit it passed.
    #[error("the plugin asked for too much: {0}")]
    HostLimit(String),
}

impl CallError {
    /// A short name for metrics and logs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NotHandled => "not_handled",
            Self::NotGranted(_) => "not_granted",
            Self::Deadline => "deadline",
            Self::Fuel => "fuel",
            Self::Memory => "memory",
            Self::Trap(_) => "trap",
            Self::Guest(_) => "guest",
            Self::HostLimit(_) => "host_limit",
        }
    }

    /// Whether the plugin misbehaved, so that it counts towards pausing it: an answered error is no misbehaviour.
    pub const fn is_fault(&self) -> bool {
        !matches!(self, Self::NotHandled | Self::NotGranted(_) | Self::Guest(_))
    }

    /// The error that a guest answered with, cut to a length that can be shown.
    pub(crate) fn guest(text: &str) -> Self {
        Self::Guest(cut(text, GUEST_TEXT_BYTES).to_owned())
    }
}

/// Why we stopped a guest. Travels through wasmtime as the error of a host function or a callback.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("stopped: {0}")]
pub(crate) struct Stop(pub(crate) CallError);

impl From<wasmtime::Error> for CallError {
    fn from(error: wasmtime::Error) -> Self {
        if let Some(Stop(why)) = error.downcast_ref::<Stop>() {
            return why.clone();
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) => Self::Fuel,
            Some(Trap::Interrupt) => Self::Deadline,
            Some(trap) => Self::Trap(trap.to_string()),
            None => {
                let text = error.root_cause().to_string();
                // wasmtime keeps this error's type to itself.
                if text.starts_with("too much data is being copied") {
                    return Self::HostLimit("bytes in one call".into());
                }
                Self::Trap(cut(&text, GUEST_TEXT_BYTES).to_owned())
            }
        }
    }
}

/// Why a plugin could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The component is not the one that the manifest names.
    #[error("the component's SHA-256 is {found}, the manifest says {expected}")]
    Hash {
        /// What the manifest says.
        expected: String,
        /// What the file has.
        found: String,
    },
    /// It is no valid component.
    #[error("the component cannot be compiled: {0}")]
    Compile(String),
    /// What it imports or exports does not fit its manifest or this server.
    #[error("the component does not fit: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Interface(Vec<Fault>),
    /// The engine did not start: a fault of the server, not of the plugin.
    #[error("the plugin engine does not work: {0}")]
    Engine(String),
}
