//! The words that plugins and Confab share, as plain values. `plugins/wit` says what they mean to a plugin.

mod asked;
mod event;

pub use asked::{
    ChannelMember, Completion, HttpRequest, HttpResponse, Incoming, NewChannel, Press, Role, Suggestion,
    Tick, Timer, ToolCall, Verdict,
};
pub use event::{Delivery, Event, EventKind, Membership, Reaction};

use serde::{Deserialize, Serialize};

/// Opaque to plugins.
pub type Id = String;

/// Somebody who writes: a person or a bot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The user's id.
    pub id: Id,
    /// What follows an `@`.
    pub username: String,
    /// The full name, or the username where there is none.
    pub display_name: String,
    /// Whether a program writes under this name.
    pub is_bot: bool,
}

/// Where something is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The channel.
    pub channel_id: Id,
    /// The root message of the thread, if it is said in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<Id>,
}

/// A message that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The message's id.
    pub id: Id,
    /// Where it stands.
    pub place: Place,
    /// Who wrote it.
    pub sender: User,
    /// Markdown.
    pub content: String,
    /// Milliseconds since 1970, UTC.
    pub created_at_ms: u64,
    /// Milliseconds since 1970, UTC, of the last edit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at_ms: Option<u64>,
    /// The users whom it mentions; the event filters read this, plugins do not see it.
    #[serde(default)]
    pub mentions: Vec<Id>,
}

/// A short titled value of a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its title.
    pub title: String,
    /// Its value, Markdown.
    pub value: String,
    /// Whether it may stand beside others.
    pub inline: bool,
}

/// How a button looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it all")]
pub enum ButtonStyle {
    #[default]
    Plain,
    Primary,
    Danger,
}

/// A button below a draft. What it means is the plugin's own business: nobody else sees `action` and `payload`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// Which of the plugin's actions, 1 to 64 bytes.
    pub action: String,
    /// At most 1 KiB.
    pub payload: String,
    /// 1 to 80 characters.
    pub label: String,
    /// How it looks.
    pub style: ButtonStyle,
}

/// A message that a plugin wants written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Markdown.
    pub content: String,
    /// Shown below the content.
    #[serde(default)]
    pub fields: Vec<Field>,
    /// Shown below both; at most [`Draft::BUTTONS`].
    #[serde(default)]
    pub buttons: Vec<Button>,
}

impl Draft {
    /// Most buttons of one draft.
    pub const BUTTONS: usize = 20;
    const ACTION_BYTES: usize = 64;
    const PAYLOAD_BYTES: usize = 1024;
    const LABEL_CHARACTERS: usize = 80;

    /// A draft of text alone.
    pub fn text(content: impl Into<String>) -> Self {
        Self { content: content.into(), ..Self::default() }
    }

    /// Whether its buttons can be shown and stored.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.buttons.len() > Self::BUTTONS {
            return Err(Failure::Invalid(format!("a message has at most {} buttons", Self::BUTTONS)));
        }
        for button in &self.buttons {
            if button.action.is_empty() || button.action.len() > Self::ACTION_BYTES {
                let most = Self::ACTION_BYTES;
                return Err(Failure::Invalid(format!("the action of a button has 1 to {most} bytes")));
            }
            if button.payload.len() > Self::PAYLOAD_BYTES {
                let most = Self::PAYLOAD_BYTES;
                return Err(Failure::Invalid(format!("the payload of a button has at most {most} bytes")));
            }
            let characters = button.label.trim().chars().count();
            if characters == 0
                || characters > Self::LABEL_CHARACTERS
                || button.label.contains(char::is_control)
            {
                let most = Self::LABEL_CHARACTERS;
                return Err(Failure::Invalid(format!(
                    "the label of a button has 1 to {most} characters on one line"
                )));
            }
        }
        Ok(())
    }

    /// The draft as one Markdown text: its fields become lines `**title** value` below the content, and inline
    /// fields that follow each other share a line.
    pub fn markdown(&self) -> String {
        let mut text = self.content.clone();
        let mut previous_inline = false;
        for (index, field) in self.fields.iter().enumerate() {
            let joined = field.inline && previous_inline;
            text.push_str(match (index, joined) {
                (0, _) if text.is_empty() => "",
                (0, _) => "\n\n",
                (_, true) => " · ",
                (_, false) => "\n",
            });
            text.push_str("**");
            text.push_str(&field.title);
            text.push_str("** ");
            text.push_str(&field.value);
            previous_inline = field.inline;
        }
        text
    }

    /// Bytes of text in it.
    pub(crate) fn bytes(&self) -> usize {
        self.content.len()
            + self.fields.iter().map(|field| field.title.len() + field.value.len()).sum::<usize>()
            + self.buttons.iter().map(|it| it.action.len() + it.payload.len() + it.label.len()).sum::<usize>()
    }
}

/// What a plugin answers to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// Nothing is shown.
    Silent,
    /// Only the person who acted sees it.
    Whisper(Draft),
    /// The plugin's bot posts it where the person acted.
    Public(Draft),
    /// It replaces the message whose button was pressed.
    Update(Draft),
}

/// Why a host call failed: the one failure type that plugins see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Failure {
    /// The administrator did not grant it, or the bot may not do it there.
    #[error("denied: {0}")]
    Denied(String),
    /// There is no such thing, or none that the bot may see.
    #[error("not found")]
    NotFound,
    /// The plugin asked for something that makes no sense; the text says what.
    #[error("invalid: {0}")]
    Invalid(String),
    /// Too many calls.
    #[error("throttled: try again after {after_ms} ms")]
    Throttled {
        /// Milliseconds until another try makes sense.
        after_ms: u32,
    },
    /// A quota (named) is used up.
    #[error("over quota: {0}")]
    OverQuota(String),
    /// Somebody else wrote first.
    #[error("conflict")]
    Conflict,
    /// It does not work now; the text is safe to show to the plugin's author.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// The value of an option of a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it all")]
pub enum OptionValue {
    Text(String),
    Integer(i64),
    Number(f64),
    Toggle(bool),
    /// One of the choices that the manifest lists.
    Choice(String),
    /// As read from a command a user's name, to a plugin the user's id.
    User(String),
    /// As read from a command a channel's name, to a plugin the channel's id.
    Channel(String),
}

/// An option that was given, or that has a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Argument {
    /// The option's name.
    pub name: String,
    /// Its value.
    pub value: OptionValue,
}

/// A slash command that somebody gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Invocation {
    /// The command's name, without the slash.
    pub command: String,
    /// See [`crate::Command::arguments`].
    pub arguments: Vec<Argument>,
    /// Who gave it.
    pub user: User,
    /// Where.
    pub place: Place,
}

/// Why a plugin is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it all")]
pub enum Reason {
    Installed,
    Upgraded,
    SettingsChanged,
}

/// What a plugin stored under a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The bytes.
    pub value: Vec<u8>,
    /// Rises with each write of the key; 0 would mean absent.
    pub revision: u64,
}

/// The value of a setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[allow(missing_docs, reason = "the names say it all")]
pub enum SettingValue {
    Toggle(bool),
    Integer(i64),
    Number(f64),
    Text(String),
}

/// How serious a line of a plugin's log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it all")]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}
