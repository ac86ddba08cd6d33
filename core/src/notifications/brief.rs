//! A notification in a few words, for somebody who is elsewhere: a push, a line of a mail.
//!
//! Made when it leaves, from the record as it is then: what was edited, deleted, read or may not be read any more does
//! not leave.

use confab_protocol::{ChannelId, ChannelKind, MessageId, Timestamp, UserId};
use serde::Serialize;
use uuid::Uuid;

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
    /// Where.
    pub channel_id: ChannelId,
    /// Empty for direct and group conversations.
    pub channel_name: String,
    /// Of which message.
    pub message_id: MessageId,
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
    pub message_id: Uuid,
    pub read_at: Option<i64>,
}

/// In few words; `None` where nothing may leave any more.
pub(crate) async fn brief(on: &mut impl Read, waiting: &Waiting) -> Result<Option<Brief>> {
    if waiting.read_at.is_some() {
        return Ok(None);
    }
    let found = messages::find(on, UserId(waiting.user_id), MessageId(waiting.message_id)).await;
    let (_, message) = match found {
        Ok(found) => found,
        Err(Fault::NotFound(_)) => return Ok(None),
        Err(fault) => return Err(fault),
    };
    if message.deleted_at.is_some() {
        return Ok(None);
    }
    let (name, kind): (String, String) =
        run!(on, sqlx::query_as(CHANNEL).bind(message.channel_id.0), fetch_one)?;
    let is_conversation =
        matches!(ChannelKind::from_word(&kind), Some(ChannelKind::Direct | ChannelKind::Group));
    Ok(Some(Brief {
        notification_id: waiting.id,
        kind: waiting.kind.clone(),
        channel_id: message.channel_id,
        channel_name: if is_conversation { String::new() } else { name },
        message_id: message.id,
        parent_id: message.parent_id,
        sender: message.sender.full_name.unwrap_or(message.sender.username),
        text: beginning(&message.content),
        url: format!("/channels/{}?seq={}", message.channel_id, message.seq),
        created_at: message.created_at,
    }))
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
