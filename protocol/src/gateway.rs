//! The frames of the gateway: JSON text `{"op": …, "d": …}` in both directions.

use serde::{Deserialize, Serialize};

use crate::{Channel, ChannelId, FileId, Message, MessageId, SessionId, Timestamp, User, UserId};

/// What a client may say.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "op", content = "d", rename_all = "snake_case")]
pub enum ClientFrame {
    /// The first frame: who I am.
    Identify(Identify),
    /// The first frame of a client that was here before.
    Resume(Resume),
    /// I am alive and have applied everything up to `pos`.
    Heartbeat(Heartbeat),
    /// A fresh access token for the same user.
    Reauth(Reauth),
    /// Post a message; answered by `ack` or `error` with the same nonce.
    Send(Send),
    /// I am typing there.
    Typing(Typing),
    /// I am online, away, busy or offline.
    Presence(PresenceChange),
    /// Signals (typing, presence) of these channels only.
    Subscribe(Subscribe),
    /// A question to the assistant; answered by `assistant` frames with the same nonce, or by `error`. A second one ends the
    /// first.
    Ask(Ask),
    /// The answer is not waited for any more.
    AskStop(AskStop),
}

/// See [`ClientFrame::Identify`]. One of the two must be given.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Identify {
    /// An access token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// A single-use ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}

/// See [`ClientFrame::Resume`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Resume {
    /// An access token.
    pub token: String,
    /// The log's epoch as `ready` gave it.
    pub epoch: String,
    /// The last `pos` that the client applied.
    pub pos: i64,
}

/// See [`ClientFrame::Heartbeat`].
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Heartbeat {
    /// The last `pos` applied.
    #[serde(default)]
    pub pos: i64,
}

/// See [`ClientFrame::Reauth`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Reauth {
    /// An access token.
    pub token: String,
}

/// See [`ClientFrame::Send`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Send {
    /// Where.
    pub channel_id: ChannelId,
    /// Markdown.
    pub content: String,
    /// The sender's own id for the message.
    pub nonce: String,
    /// The root of the thread to answer in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<MessageId>,
    /// A message of the channel to quote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quoted_id: Option<MessageId>,
    /// Uploads of the sender that go with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub file_ids: Vec<FileId>,
}

/// See [`ClientFrame::Typing`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Typing {
    /// Where.
    pub channel_id: ChannelId,
    /// In which thread; absent: in the channel itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<MessageId>,
}

/// What a person's dot shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Enum), oai(rename_all = "lowercase"))]
#[serde(rename_all = "snake_case")]
pub enum PresenceStatus {
    /// At the keyboard.
    Online,
    /// Not at the keyboard.
    Away,
    /// Do not disturb.
    Busy,
    /// Not connected, or wishing to seem so.
    Offline,
}

impl PresenceStatus {
    /// The word in SQL and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Away => "away",
            Self::Busy => "busy",
            Self::Offline => "offline",
        }
    }

    /// Reads the word; `None` for any other.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Online, Self::Away, Self::Busy, Self::Offline]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

/// See [`ClientFrame::Presence`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PresenceChange {
    /// The new state.
    pub status: PresenceStatus,
}

/// See [`ClientFrame::Subscribe`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Subscribe {
    /// Which channels; at most 200.
    pub channels: Vec<ChannelId>,
}

/// See [`ClientFrame::Ask`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Ask {
    /// The asker's own id for the question.
    pub nonce: String,
    /// The question.
    pub content: String,
    /// Goes on in an earlier conversation of the asker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<uuid::Uuid>,
    /// Only what all readers of this channel may read is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<ChannelId>,
}

/// See [`ClientFrame::AskStop`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct AskStop {
    /// Of the question.
    pub nonce: String,
}

/// What the server says, other than events, which are encoded once and shared.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "op", content = "d", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The first frame.
    Hello(Hello),
    /// Everything a client needs to draw its first screen; events after `pos` follow.
    Ready(Box<Ready>),
    /// Everything that was missed has been sent.
    Resumed(Resumed),
    /// The message is in the record.
    Ack(Box<Ack>),
    /// A frame was refused; the connection stays.
    Error(FrameError),
    /// Heard you.
    HeartbeatAck,
    /// This server is going away: come back after a while.
    Reconnect(Reconnect),
    /// Your position cannot be served: identify anew and read again.
    Invalid(Invalid),
}

/// See [`ServerFrame::Hello`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// Send a heartbeat this often, in milliseconds.
    pub heartbeat_ms: u64,
    /// The log's epoch; a new one means that positions of the old one are void.
    pub epoch: String,
    /// The newest position.
    pub head: i64,
}

/// See [`ServerFrame::Ready`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ready {
    /// This connection's session.
    pub session_id: SessionId,
    /// The log's epoch.
    pub epoch: String,
    /// The state below is at least as new as this position.
    pub pos: i64,
    /// The signed-in user.
    pub user: User,
    /// The user's channels.
    pub channels: Vec<Channel>,
    /// Who of their members is not offline.
    pub presences: Vec<Presence>,
}

/// One user's state, as `ready` and the signal `presence` say it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// Who.
    pub user_id: UserId,
    /// How.
    pub status: PresenceStatus,
    /// A few words of theirs; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// When the words go by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// See [`ServerFrame::Resumed`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Resumed {
    /// How many events were sent again.
    pub replayed: u64,
    /// Up to where.
    pub pos: i64,
    /// Who is not offline now among those around, as in `ready`: dots are told live, and not told again.
    #[serde(default)]
    pub presences: Vec<Presence>,
}

/// See [`ServerFrame::Ack`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ack {
    /// The sender's own id.
    pub nonce: String,
    /// The message as everyone sees it.
    pub message: Message,
}

/// See [`ServerFrame::Error`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FrameError {
    /// Of the refused `send`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The same stable code as in a REST problem.
    pub code: String,
    /// A sentence for the person.
    pub message: String,
}

/// See [`ServerFrame::Reconnect`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reconnect {
    /// Wait this long, in milliseconds.
    pub after_ms: u64,
}

/// See [`ServerFrame::Invalid`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Invalid {
    /// `epoch`, `ahead` or `too_far`.
    pub reason: String,
}
