//! What a plugin may do: it asks in its manifest, an administrator approves all or part.

use crate::words::EventKind;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// One thing that a plugin may be granted. Its text form (`messages.post`) stands in manifests, in the API and in the
/// database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// `messages.read`: fetch messages of channels that it reads.
    ReadMessages,
    /// `messages.post`: write messages as its bot.
    PostMessages,
    /// `messages.edit-own`: edit and delete its bot's messages.
    EditOwnMessages,
    /// `reactions.use`: add and take back its bot's reactions.
    React,
    /// `users.read`: look up the names of users.
    ReadUsers,
    /// `storage`: keep data between calls.
    Storage,
    /// `messages.direct`: write to people in direct conversations.
    SendDirect,
    /// `channels.create`: make channels.
    CreateChannels,
    /// `search.use`: find messages of channels that it reads.
    Search,
    /// `timers.use`: be called at times that it chooses.
    UseTimers,
    /// `http.fetch`: call the origins of its manifest.
    Fetch,
    /// `assistant.tools`: offer its tools to the assistant.
    OfferTools,
    /// `assistant.summarize`: have the assistant sum up for the person whom it answers.
    Summarize,
    /// `webhooks.take`: be called by other programs.
    TakeWebhooks,
    /// `channels.public`: hear and read in every channel that everybody may read, its bot need be no member.
    PublicChannels,
    /// `channels.all`: hear and read in every channel, private ones and conversations too.
    AllChannels,
    /// `events.message-posted` and so on: be told of every such event in channels that it reads.
    Event(EventKind),
}

impl Permission {
    /// Those that a manifest lists under `permissions`; `events.*` follow from its `[[event]]` tables.
    pub(crate) const LISTED: [Self; 16] = [
        Self::ReadMessages,
        Self::PostMessages,
        Self::EditOwnMessages,
        Self::React,
        Self::ReadUsers,
        Self::Storage,
        Self::SendDirect,
        Self::CreateChannels,
        Self::Search,
        Self::UseTimers,
        Self::Fetch,
        Self::OfferTools,
        Self::Summarize,
        Self::TakeWebhooks,
        Self::PublicChannels,
        Self::AllChannels,
    ];

    /// Those of version 0.1 of the contract.
    pub(crate) const SINCE_0_1: [Self; 6] = [
        Self::ReadMessages,
        Self::PostMessages,
        Self::EditOwnMessages,
        Self::React,
        Self::ReadUsers,
        Self::Storage,
    ];

    /// What an administrator reads before granting it.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::ReadMessages => "Fetch messages of channels that it reads",
            Self::PostMessages => "Write messages as its bot",
            Self::EditOwnMessages => "Edit and delete its bot's own messages",
            Self::React => "Add and remove reactions as its bot",
            Self::ReadUsers => "Look up the names of users",
            Self::Storage => "Keep data of its own on this server",
            Self::SendDirect => "Write to people in direct conversations",
            Self::CreateChannels => "Make channels and bring people into them",
            Self::Search => "Find messages of channels that it reads",
            Self::UseTimers => "Be called at times that it chooses",
            Self::Fetch => "Call the addresses on the Internet that it names",
            Self::OfferTools => "Offer tools to the assistant",
            Self::Summarize => "Have the assistant sum up, for whoever asks, channels that it reads",
            Self::TakeWebhooks => "Be called by other programs that know a secret",
            Self::PublicChannels => "Read every public channel, also where its bot is no member",
            Self::AllChannels => "Read every channel, private ones and direct messages too",
            Self::Event(EventKind::MessagePosted) => "Be told of new messages, with their text",
            Self::Event(EventKind::MessageEdited) => "Be told of edited messages, with their text",
            Self::Event(EventKind::MessageDeleted) => "Be told of deleted messages",
            Self::Event(EventKind::ReactionAdded) => "Be told of reactions that are added",
            Self::Event(EventKind::ReactionRemoved) => "Be told of reactions that are taken back",
            Self::Event(EventKind::MemberJoined) => "Be told who joins a channel",
            Self::Event(EventKind::MemberLeft) => "Be told who leaves a channel",
            Self::Event(EventKind::ChannelCreated) => "Be told of new channels",
        }
    }

    const fn listed_name(self) -> Option<&'static str> {
        match self {
            Self::ReadMessages => Some("messages.read"),
            Self::PostMessages => Some("messages.post"),
            Self::EditOwnMessages => Some("messages.edit-own"),
            Self::React => Some("reactions.use"),
            Self::ReadUsers => Some("users.read"),
            Self::Storage => Some("storage"),
            Self::SendDirect => Some("messages.direct"),
            Self::CreateChannels => Some("channels.create"),
            Self::Search => Some("search.use"),
            Self::UseTimers => Some("timers.use"),
            Self::Fetch => Some("http.fetch"),
            Self::OfferTools => Some("assistant.tools"),
            Self::Summarize => Some("assistant.summarize"),
            Self::TakeWebhooks => Some("webhooks.take"),
            Self::PublicChannels => Some("channels.public"),
            Self::AllChannels => Some("channels.all"),
            Self::Event(_) => None,
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.listed_name(), self) {
            (Some(name), _) => out.write_str(name),
            (None, Self::Event(kind)) => write!(out, "events.{kind}"),
            (None, _) => Ok(()), // only events have no listed name
        }
    }
}

impl FromStr for Permission {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(kind) = text.strip_prefix("events.") {
            return kind.parse().map(Self::Event);
        }
        let known = Self::LISTED.iter().find(|permission| permission.listed_name() == Some(text));
        known.copied().ok_or_else(|| format!("there is no permission `{text}`"))
    }
}

impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A set of permissions. Its serialised form is a list of their texts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Grants(BTreeSet<Permission>);

impl Grants {
    /// Nothing is granted.
    pub fn none() -> Self {
        Self::default()
    }

    /// Exactly these.
    pub fn of(permissions: impl IntoIterator<Item = Permission>) -> Self {
        Self(permissions.into_iter().collect())
    }

    /// In a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = Permission> + '_ {
        self.0.iter().copied()
    }

    /// Whether it is among them.
    pub fn has(&self, permission: Permission) -> bool {
        self.0.contains(&permission)
    }

    /// What is in both.
    #[must_use]
    pub fn within(&self, other: &Self) -> Self {
        Self(&self.0 & &other.0)
    }

    /// What `asked` has beyond these: an upgrade that asks for more waits until these are approved.
    #[must_use]
    pub fn missing(&self, asked: &Self) -> Self {
        Self(&asked.0 - &self.0)
    }
}
