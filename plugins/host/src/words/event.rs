//! What happens in Confab, as plugins are told of it.

use super::{Id, Message, Place, User};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A reaction that somebody added to a message or took back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// The message.
    pub message_id: Id,
    /// Where the message stands.
    pub place: Place,
    /// Who reacted.
    pub user: User,
    /// An emoji or a code such as `thumbsup`.
    pub code: String,
}

/// Somebody's coming or going.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The channel.
    pub place: Place,
    /// Who came or went.
    pub user: User,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it all")]
pub enum Event {
    MessagePosted(Message),
    MessageEdited(Message),
    MessageDeleted {
        message_id: Id,
        place: Place,
    },
    ReactionAdded(Reaction),
    ReactionRemoved(Reaction),
    MemberJoined(Membership),
    MemberLeft(Membership),
    ChannelCreated(Place),
    /// A kind that came after this version of the contract was frozen. No manifest can ask for it yet.
    Other {
        kind: String,
        json: String,
    },
}

impl Event {
    /// What kind it is; none for `Other`.
    pub fn kind(&self) -> Option<EventKind> {
        Some(match self {
            Self::MessagePosted(_) => EventKind::MessagePosted,
            Self::MessageEdited(_) => EventKind::MessageEdited,
            Self::MessageDeleted { .. } => EventKind::MessageDeleted,
            Self::ReactionAdded(_) => EventKind::ReactionAdded,
            Self::ReactionRemoved(_) => EventKind::ReactionRemoved,
            Self::MemberJoined(_) => EventKind::MemberJoined,
            Self::MemberLeft(_) => EventKind::MemberLeft,
            Self::ChannelCreated(_) => EventKind::ChannelCreated,
            Self::Other { .. } => return None,
        })
    }
}

/// The kinds of events that a manifest may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names say it all")]
pub enum EventKind {
    MessagePosted,
    MessageEdited,
    MessageDeleted,
    ReactionAdded,
    ReactionRemoved,
    MemberJoined,
    MemberLeft,
    ChannelCreated,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::MessagePosted,
        Self::MessageEdited,
        Self::MessageDeleted,
        Self::ReactionAdded,
        Self::ReactionRemoved,
        Self::MemberJoined,
        Self::MemberLeft,
        Self::ChannelCreated,
    ];

    /// Its name in a manifest.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MessagePosted => "message-posted",
            Self::MessageEdited => "message-edited",
            Self::MessageDeleted => "message-deleted",
            Self::ReactionAdded => "reaction-added",
            Self::ReactionRemoved => "reaction-removed",
            Self::MemberJoined => "member-joined",
            Self::MemberLeft => "member-left",
            Self::ChannelCreated => "channel-created",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for EventKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.iter().find(|kind| kind.name() == text);
        known.copied().ok_or_else(|| format!("there is no event `{text}`"))
    }
}

impl Serialize for EventKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// An event on its way to a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Rises from event to event; a redelivery keeps it.
    pub sequence: u64,
    /// 1, and one more for each redelivery.
    pub attempt: u32,
    /// When it happened: milliseconds since 1970, UTC.
    pub at_ms: u64,
    /// What happened.
    pub event: Event,
}
