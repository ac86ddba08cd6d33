//! What plugins are asked beside events and commands, and what they ask for outside of the chat.

use super::{Id, Place, User};
use serde::{Deserialize, Serialize};

/// A button that somebody pressed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Press {
    /// As the plugin made the button.
    pub action: String,
    /// As the plugin made the button.
    pub payload: String,
    /// The message with the button; empty for a whisper.
    pub message_id: Id,
    /// Where it stands.
    pub place: Place,
    /// Who pressed it.
    pub user: User,
}

/// A timer that is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// The timer's name.
    pub name: String,
    /// What the plugin gave with it.
    pub payload: Vec<u8>,
    /// When it was due, in milliseconds; the same for every try.
    pub due_ms: u64,
    /// 1, and one more for each other try.
    pub attempt: u32,
}

/// A timer that a plugin wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// The same name replaces the earlier one.
    pub name: String,
    /// When first, in milliseconds since 1970.
    pub at_ms: u64,
    /// Then every so many seconds.
    pub period_seconds: Option<u32>,
    /// Comes back with the [`Tick`].
    pub payload: Vec<u8>,
}

/// An option that somebody is typing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// Of which command.
    pub command: String,
    /// Which option.
    pub option: String,
    /// What stands there so far.
    pub typed: String,
    /// Who types.
    pub user: User,
    /// Where.
    pub place: Place,
}

/// What could stand there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// Put in.
    pub value: String,
    /// Shown.
    pub label: String,
}

/// What a plugin says of a reaction before it is added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// It may be added.
    Allow,
    /// It may not: the text is for the person.
    Refuse(String),
}

/// A tool that the assistant calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Which.
    pub tool: String,
    /// JSON.
    pub input: String,
    /// For whom.
    pub user: User,
    /// Where the answer will be seen, if not by this person alone.
    pub channel_id: Option<Id>,
}

/// A call out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// GET and so on.
    pub method: String,
    /// Of a granted origin.
    pub url: String,
    /// `${secret:KEY}` in a value stands for a setting.
    pub headers: Vec<(String, String)>,
    /// What is sent.
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpResponse {
    /// Such as 200.
    pub status: u16,
    /// In lower case.
    pub headers: Vec<(String, String)>,
    /// At most 256 KiB.
    pub body: Vec<u8>,
}

/// What another program sent to an address of the plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incoming {
    /// Which of the manifest's `[[webhook]]`.
    pub name: String,
    /// In lower case, without what proves who the sender is.
    pub headers: Vec<(String, String)>,
    /// At most 256 KiB.
    pub body: Vec<u8>,
}

/// What somebody is in a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it all")]
pub enum Role {
    Owner,
    Admin,
    Member,
    Guest,
}

/// Somebody in a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelMember {
    /// Who.
    pub user: User,
    /// As what.
    pub role: Role,
}

/// A channel that a plugin wants made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewChannel {
    /// A number is put behind a name that is taken.
    pub name: String,
    /// May be empty.
    pub topic: String,
    /// Whether only members see it.
    pub is_private: bool,
    /// Who is in it from the beginning, beside the bot.
    pub member_ids: Vec<Id>,
}
