//! Scheduled messages as their author sees them.

use confab_protocol::{ChannelId, FileId, MessageId, Timestamp, UserId};
use uuid::Uuid;

use crate::db::{Read, run};
use crate::fault::{Fault, Result};
use crate::held_files;

const BY_ID: &str =
    "select id, channel_id, parent_id, content, send_at, state, reason, reason_text, message_id,
    created_at, updated_at from scheduled_messages where id = $1 and user_id = $2";
const OPEN: &str =
    "select id, channel_id, parent_id, content, send_at, state, reason, reason_text, message_id,
    created_at, updated_at from scheduled_messages
    where user_id = $1 and state <> 'sent' and (send_at, id) > ($2, $3) order by send_at, id limit $4";
const SENT: &str =
    "select id, channel_id, parent_id, content, send_at, state, reason, reason_text, message_id,
    created_at, updated_at from scheduled_messages
    where user_id = $1 and state = 'sent' and (send_at, id) > ($2, $3) order by send_at, id limit $4";

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its time has not come.
    Waiting,
    /// It is a message now.
    Sent,
    /// It could not be posted when its time came.
    Failed,
}

impl State {
    /// The word in SQL and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }

    fn from_word(word: &str) -> Result<Self> {
        [Self::Waiting, Self::Sent, Self::Failed]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| Fault::Internal(format!("the state {word} of a scheduled message")))
    }
}

/// A message to be posted later, as its author sees it.
#[derive(Clone, Debug)]
pub struct ScheduledMessage {
    /// Which.
    pub id: Uuid,
    /// Where to.
    pub channel_id: ChannelId,
    /// The root of the thread that it answers in.
    pub parent_id: Option<MessageId>,
    /// Markdown; empty once it is sent.
    pub content: String,
    /// Uploads that go with it.
    pub file_ids: Vec<FileId>,
    /// When.
    pub send_at: Timestamp,
    /// How far it has come.
    pub state: State,
    /// Why it failed: the code of the fault.
    pub reason: Option<String>,
    /// The same for people.
    pub reason_text: Option<String>,
    /// What it became.
    pub message_id: Option<MessageId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When anything of it last changed.
    pub updated_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct ScheduledRow {
    id: Uuid,
    channel_id: Uuid,
    parent_id: Option<Uuid>,
    content: String,
    send_at: i64,
    state: String,
    reason: Option<String>,
    reason_text: Option<String>,
    message_id: Option<Uuid>,
    created_at: i64,
    updated_at: i64,
}

impl ScheduledRow {
    fn into_view(self, file_ids: Vec<FileId>) -> Result<ScheduledMessage> {
        Ok(ScheduledMessage {
            id: self.id,
            channel_id: ChannelId(self.channel_id),
            parent_id: self.parent_id.map(MessageId),
            content: self.content,
            file_ids,
            send_at: Timestamp(self.send_at),
            state: State::from_word(&self.state)?,
            reason: self.reason,
            reason_text: self.reason_text,
            message_id: self.message_id.map(MessageId),
            created_at: Timestamp(self.created_at),
            updated_at: Timestamp(self.updated_at),
        })
    }
}

/// One's own scheduled message.
///
/// # Errors
/// [`Fault::NotFound`] alike for one of somebody else and for none.
pub async fn find(on: &mut impl Read, user: UserId, id: Uuid) -> Result<ScheduledMessage> {
    let row: Option<ScheduledRow> = run!(on, sqlx::query_as(BY_ID).bind(id).bind(user.0), fetch_optional)?;
    let row = row.ok_or(Fault::NotFound("scheduled message"))?;
    let mut held = held_files::of(on, &[id]).await?;
    row.into_view(held.remove(&id).unwrap_or_default())
}

/// A page of one's own in order of their times, after the one that `after` names: those that are sent, or all others.
pub async fn list(
    on: &mut impl Read,
    user: UserId,
    sent: bool,
    after: Option<(i64, Uuid)>,
    limit: u32,
) -> Result<Vec<ScheduledMessage>> {
    let (at, id) = after.unwrap_or((i64::MIN, Uuid::nil()));
    let statement = if sent { SENT } else { OPEN };
    let rows: Vec<ScheduledRow> =
        run!(on, sqlx::query_as(statement).bind(user.0).bind(at).bind(id).bind(i64::from(limit)), fetch_all)?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut held = held_files::of(on, &ids).await?;
    rows.into_iter()
        .map(|row| {
            let files = held.remove(&row.id).unwrap_or_default();
            row.into_view(files)
        })
        .collect()
}
