//! The one way in which message rows come to be: for one that is posted and for thousands that are imported.

use confab_protocol::{ChannelId, EventKind, MessageId, Timestamp, UserId};
use uuid::Uuid;

use crate::access::Place;
use crate::db::write::Emission;
use crate::db::{Tx, insert_rows, run};
use crate::fault::{Fault, Result};

const INSERT: &str = "insert into messages (id, channel_id, seq, number, sender_id, content, parent_id, version, nonce, mentions,
    blocks, reply_count, reaction_count, has_attachments, created_at, updated_at, edited_at, deleted_at, html) ";
const MENTION: &str = "insert into mentions (user_id, channel_id, seq, message_id) ";
// Five ids have 184 letters: a sixth person is counted, not named.
const REPLIED: &str = "update messages set reply_count = reply_count + $2,
    last_reply_at = case when last_reply_at is null or last_reply_at < $3 then $3 else last_reply_at end,
    participants = case when participants is null then $4
        when participants like '%' || $4 || '%' or length(participants) > 180 then participants
        else participants || ' ' || $4 end where id = $1";

/// A message to be stored, already checked.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// Made beforehand, so that replies of the same import can name it.
    pub id: MessageId,
    /// By whom.
    pub sender_id: UserId,
    /// Markdown.
    pub content: String,
    /// As people see it. `None`: made later, as for imports.
    pub html: Option<String>,
    /// The root of the thread.
    pub parent_id: Option<MessageId>,
    /// The sender's own id for it.
    pub nonce: Option<String>,
    /// Who is mentioned, without repetition.
    pub mentions: Vec<UserId>,
    /// Whether files will be attached in the same transaction.
    pub has_attachments: bool,
    /// When it was written.
    pub created_at: Timestamp,
}

/// Stores messages at the numbers of `place`, in order, and emits one event each.
pub(crate) async fn append(tx: &mut Tx, place: &Place, messages: &[NewMessage]) -> Result<()> {
    if messages.len() as i64 != place.count {
        return Err(Fault::Internal(format!("{} messages for {} numbers", messages.len(), place.count)));
    }
    let rows: Vec<Row<'_>> = (0_i64..)
        .zip(messages)
        .map(|(offset, message)| Row {
            channel_id: place.channel_id,
            seq: place.first_seq + offset,
            number: place.first_number + offset,
            message,
        })
        .collect();
    insert(tx, &rows).await?;
    count_replies(tx, messages).await?;
    let mentions: Vec<(UserId, i64, MessageId)> = rows
        .iter()
        .flat_map(|row| row.message.mentions.iter().map(move |user| (*user, row.seq, row.message.id)))
        .collect();
    store_mentions(tx, place.channel_id, &mentions).await?;
    announce(tx, &rows);
    Ok(())
}

/// A message and where it goes.
pub(super) struct Row<'m> {
    channel_id: ChannelId,
    seq: i64,
    number: i64,
    message: &'m NewMessage,
}

impl<'m> Row<'m> {
    /// At the first numbers of a place.
    pub fn of(place: &Place, message: &'m NewMessage) -> Self {
        Self { channel_id: place.channel_id, seq: place.first_seq, number: place.first_number, message }
    }
}

/// Stores the rows alone.
pub(super) async fn insert(tx: &mut Tx, rows: &[Row<'_>]) -> Result<()> {
    insert_rows!(
        tx,
        INSERT,
        rows,
        |values, row| values
            .push_bind(row.message.id.0)
            .push_bind(row.channel_id.0)
            .push_bind(row.seq)
            .push_bind(row.number)
            .push_bind(row.message.sender_id.0)
            .push_bind(row.message.content.clone())
            .push_bind(row.message.parent_id.map(|id| id.0))
            .push_bind(1_i64)
            .push_bind(row.message.nonce.clone())
            .push_bind(mentions_text(&row.message.mentions))
            .push_bind(None::<String>)
            .push_bind(0_i64)
            .push_bind(0_i64)
            .push_bind(row.message.has_attachments)
            .push_bind(row.message.created_at.0)
            .push_bind(row.message.created_at.0)
            .push_bind(None::<i64>)
            .push_bind(None::<i64>)
            .push_bind(row.message.html.clone()),
        ""
    );
    Ok(())
}

/// Tells everyone of them.
pub(super) fn announce(tx: &mut Tx, rows: &[Row<'_>]) {
    for row in rows {
        tx.emit(
            Emission::new(EventKind::NewMessage, row.message.id)
                .at(row.channel_id, row.seq)
                .by(row.message.sender_id),
        );
    }
}

async fn count_replies(tx: &mut Tx, messages: &[NewMessage]) -> Result<()> {
    let mut replies: Vec<(Uuid, UserId, i64, i64)> = Vec::new();
    for message in messages {
        let Some(parent) = message.parent_id else { continue };
        let known = replies.iter_mut().find(|(id, user, ..)| *id == parent.0 && *user == message.sender_id);
        match known {
            Some((_, _, count, last)) => {
                *count += 1;
                *last = (*last).max(message.created_at.0);
            }
            None => replies.push((parent.0, message.sender_id, 1, message.created_at.0)),
        }
    }
    for (parent, user, count, last) in replies {
        run!(tx, sqlx::query(REPLIED).bind(parent).bind(count).bind(last).bind(user.to_string()), execute)?;
    }
    Ok(())
}

/// Rows for counting what is unread: who is mentioned, at which number, by which message.
pub(super) async fn store_mentions(
    tx: &mut Tx,
    channel: ChannelId,
    mentions: &[(UserId, i64, MessageId)],
) -> Result<()> {
    insert_rows!(
        tx,
        MENTION,
        mentions,
        |values, row| values.push_bind(row.0.0).push_bind(channel.0).push_bind(row.1).push_bind(row.2.0),
        "on conflict do nothing"
    );
    Ok(())
}

/// Ids as one text, so that showing a page needs no query for mentions.
pub(super) fn mentions_text(mentions: &[UserId]) -> Option<String> {
    (!mentions.is_empty()).then(|| mentions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
}

/// The ids again.
pub(super) fn mentions_of(text: Option<&str>) -> Vec<UserId> {
    text.unwrap_or_default().split(' ').filter_map(|id| id.parse().ok()).collect()
}
