//! A notification in a few words, for somebody who is elsewhere: a push, a line of a mail.
//!
//! Made when it leaves, from the record as it is then: what was edited, deleted, read or may not be read any more does
//! not leave.

use confab_protocol::{ChannelId, ChannelKind, Message, MessageId, Timestamp, UserId};
use serde::Serialize;
use uuid::Uuid;

use super::Kind;
use crate::access;
use crate::db::{Read, run};
use crate::fault::{Fault, Result};
use crate::messages;

/// Characters of a message that leave.
const CHARACTERS: usize = 140;

const CHANNEL: &str = "select name, kind from channels where id = $1";

/// One notification.
#[derive(Clone, Debug, Serialize)]
pub struct Brief {
    /// Which.
    pub notification_id: Uuid,
    /// Why.
    pub kind: String,
    /// Where; a reminder may be about no channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<ChannelId>,
    /// Empty for direct and group conversations.
    pub channel_name: String,
    /// Of which message; a reminder may be about none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// Its thread, where it answers in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<MessageId>,
    /// Who wrote it, as they write their name.
    pub sender: String,
    /// The beginning of it, on one line.
    pub text: String,
    /// Where it is in the web client: a path of this server.
    pub url: String,
    /// When it was written.
    pub created_at: Timestamp,
}

/// A row of `notifications` that may leave.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Waiting {
    pub id: Uuid,
    pub user_id: Uuid,
    pub kind: String,
    pub channel_id: Option<Uuid>,
    pub message_id: Option<Uuid>,
    pub text: Option<String>,
    pub read_at: Option<i64>,
}

/// In few words; `None` where nothing may leave any more.
pub(crate) async fn brief(on: &mut impl Read, waiting: &Waiting) -> Result<Option<Brief>> {
    if waiting.read_at.is_some() {
        return Ok(None);
    }
    let message = match waiting.message_id {
        Some(id) => readable(on, UserId(waiting.user_id), MessageId(id)).await?,
        None => None,
    };
    match message {
        Some(message) => of_message(on, waiting, message).await.map(Some),
        None if waiting.kind == Kind::Reminder.as_str() => of_words(on, waiting).await,
        None => Ok(None),
    }
}

async fn readable(on: &mut impl Read, user: UserId, id: MessageId) -> Result<Option<Message>> {
    match messages::find(on, user, id).await {
        Ok((_, message)) => Ok(Some(message).filter(|it| it.deleted_at.is_none())),
        Err(Fault::NotFound(_)) => Ok(None),
        Err(fault) => Err(fault),
    }
}

async fn of_message(on: &mut impl Read, waiting: &Waiting, message: Message) -> Result<Brief> {
    Ok(Brief {
        notification_id: waiting.id,
        kind: waiting.kind.clone(),
        channel_id: Some(message.channel_id),
        channel_name: name(on, message.channel_id).await?,
        message_id: Some(message.id),
        parent_id: message.parent_id,
        sender: message.sender.full_name.unwrap_or(message.sender.username),
        text: beginning(waiting.text.as_deref().unwrap_or(&message.content)),
        url: format!("/channels/{}?seq={}", message.channel_id, message.seq),
        created_at: message.created_at,
    })
}

/// A reminder that is about no message, or about one that is gone: its owner's words, and a channel they may read.
async fn of_words(on: &mut impl Read, waiting: &Waiting) -> Result<Option<Brief>> {
    let mut channel_id = None;
    if let Some(id) = waiting.channel_id.map(ChannelId) {
        channel_id = match access::admit(on, UserId(waiting.user_id), id).await {
            Ok(_) => Some(id),
            Err(Fault::NotFound(_)) => None,
            Err(fault) => return Err(fault),
        };
    }
    if waiting.text.is_none() && channel_id.is_none() {
        return Ok(None);
    }
    let channel_name = match channel_id {
        Some(id) => name(on, id).await?,
        None => String::new(),
    };
    Ok(Some(Brief {
        notification_id: waiting.id,
        kind: waiting.kind.clone(),
        channel_id,
        channel_name,
        message_id: None,
        parent_id: None,
        sender: String::new(),
        text: beginning(waiting.text.as_deref().unwrap_or_default()),
        url: channel_id.map_or_else(|| "/later".to_owned(), |id| format!("/channels/{id}")),
        created_at: Timestamp::now(),
    }))
}

async fn name(on: &mut impl Read, channel: ChannelId) -> Result<String> {
    let (name, kind): (String, String) = run!(on, sqlx::query_as(CHANNEL).bind(channel.0), fetch_one)?;
    let is_conversation =
        matches!(ChannelKind::from_word(&kind), Some(ChannelKind::Direct | ChannelKind::Group));
    Ok(if is_conversation { String::new() } else { name })
}

/// The beginning of a text, on one line.
fn beginning(content: &str) -> String {
    let mut text = String::new();
    for (number, word) in content.split_whitespace().enumerate() {
        if number > 0 {
            text.push(' ');
        }
        text.push_str(word);
        if text.chars().count() > CHARACTERS {
            let mut cut: String = text.chars().take(CHARACTERS - 1).collect();
            cut.push('…');
            return cut;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{CHARACTERS, beginning};

    #[test]
    fn a_beginning_is_one_short_line() {
        assert_eq!(beginning("  two\n\nlines\t"), "two lines");
        assert_eq!(beginning(&"ä".repeat(500)).chars().count(), CHARACTERS);
        assert_eq!(beginning(""), "");
    }
}
