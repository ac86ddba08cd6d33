//! Channels as those see them who run the server: the open ones, which everybody may know of, and of all others no more
//! than how many there are.

use confab_protocol::{ChannelId, ChannelKind, Timestamp};
use uuid::Uuid;

use crate::db::{Read, run};
use crate::fault::{Fault, Result};

const OPEN: &str =
    "select id, kind, name, topic, archived_at, message_count, member_count, retention_days, created_at
    from channels where name_key is not null and kind in ('public', 'voice') and (name, id) > ($1, $2)
    order by name, id limit $3";
const COUNT: &str = "select kind, count(*) from channels where deleted_at is null group by kind";

/// An open channel and its figures.
#[derive(Clone, Debug)]
pub struct OpenChannel {
    /// Which.
    pub id: ChannelId,
    /// Public or voice.
    pub kind: ChannelKind,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub topic: Option<String>,
    /// Since when nobody writes there.
    pub archived_at: Option<Timestamp>,
    /// Messages ever posted there.
    pub message_count: i64,
    /// Its members.
    pub member_count: i64,
    /// A rule of its own: for how many days its messages are kept.
    pub retention_days: Option<i64>,
    /// When it was made.
    pub created_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    kind: String,
    name: String,
    topic: Option<String>,
    archived_at: Option<i64>,
    message_count: i64,
    member_count: i64,
    retention_days: Option<i64>,
    created_at: i64,
}

/// How many channels there are that are not open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hidden {
    /// Private channels.
    pub private: i64,
    /// Direct conversations, of two or of more.
    pub conversations: i64,
}

impl Row {
    fn into_open(self) -> Result<OpenChannel> {
        let kind = ChannelKind::from_word(&self.kind)
            .ok_or_else(|| Fault::Internal(format!("channel kind {}", self.kind)))?;
        Ok(OpenChannel {
            id: ChannelId(self.id),
            kind,
            name: self.name,
            topic: self.topic,
            archived_at: self.archived_at.map(Timestamp),
            message_count: self.message_count,
            member_count: self.member_count,
            retention_days: self.retention_days,
            created_at: Timestamp(self.created_at),
        })
    }
}

/// Open channels in the order of their names, behind `after`.
pub async fn open(
    on: &mut impl Read,
    after: Option<(String, ChannelId)>,
    limit: u32,
) -> Result<Vec<OpenChannel>> {
    let (name, id) = after.unwrap_or((String::new(), ChannelId(Uuid::nil())));
    let rows: Vec<Row> =
        run!(on, sqlx::query_as(OPEN).bind(name).bind(id.0).bind(i64::from(limit)), fetch_all)?;
    rows.into_iter().map(Row::into_open).collect()
}

/// How many others there are.
pub async fn hidden(on: &mut impl Read) -> Result<Hidden> {
    let rows: Vec<(String, i64)> = run!(on, sqlx::query_as(COUNT), fetch_all)?;
    let mut hidden = Hidden::default();
    for (kind, count) in rows {
        match ChannelKind::from_word(&kind) {
            Some(ChannelKind::Private) => hidden.private += count,
            Some(ChannelKind::Direct | ChannelKind::Group) => hidden.conversations += count,
            _ => {}
        }
    }
    Ok(hidden)
}
