//! The words that every part of Confab shares, and nothing else: no storage, no sockets, no HTTP.
//!
//! In reading order: [`ids`] name things, [`time`] dates them by a [`clock`], [`views`] show them, [`event`] says what happened to
//! them, [`gateway`] carries that over a socket, [`voice`] lets people talk. Everything here compiles for wasm, so a plugin may use it too.

pub mod clock;
pub mod event;
pub mod gateway;
pub mod ids;
#[cfg(feature = "openapi")]
mod openapi;
pub mod time;
pub mod views;
pub mod voice;

pub use clock::fresh_id;
pub use event::{Event, EventKind};
pub use ids::{ChannelId, EventId, FileId, MessageId, ParticipantId, RoleId, SessionId, UserId};
pub use time::Timestamp;
pub use views::{
    Channel, ChannelKind, ChannelNotificationLevel, ChannelRole, File, Forwarded, LinkPreview, Member,
    Message, Quoted, ReactionCount, RoleRef, User, UserRef, UserStatus,
};
pub use voice::{VoiceParticipant, VoiceRoom};

/// Longest message, in Unicode scalar values (docs/limits.md).
pub const MESSAGE_CHARACTERS: usize = 16_000;
/// Most people one message may mention (docs/limits.md).
pub const MENTIONS: usize = 50;
/// Most files one message may carry.
pub const FILES_PER_MESSAGE: usize = 10;
/// Largest page of any list.
pub const PAGE_LIMIT: u32 = 100;
/// A page's size when the caller names none.
pub const PAGE_DEFAULT: u32 = 50;
