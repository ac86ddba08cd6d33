//! Reading the event log. Writing it is `Tx::emit`; giving positions is the writer's (SQLite) or the relay's (PostgreSQL).

mod trim;

use confab_protocol::{ChannelId, Event, EventId, EventKind, Timestamp, UserId};
use uuid::Uuid;

use crate::db::{Read, run};
use crate::fault::{Fault, Result};

pub use trim::{KEPT, STEP, reach, trim, trimmed};

/// Most events read at once.
pub const BATCH: i64 = 500;

const COLUMNS_AFTER: &str =
    "select id, pos, kind, channel_id, seq, user_id, ref_id, actor_id, detail, created_at
    from events where pos > $1 order by pos limit $2";
const IN_CHANNEL_AFTER: &str =
    "select id, pos, kind, channel_id, seq, user_id, ref_id, actor_id, detail, created_at
    from events where channel_id = $1 and seq > $2 and pos is not null order by seq limit $3";
const HAS_AFTER: &str =
    "select seq from events where channel_id = $1 and seq > $2 and seq is not null limit 1";
const LAST_SEQ: &str = "select last_seq from channels where id = $1";
const AT: &str = "select id, pos, kind, channel_id, seq, user_id, ref_id, actor_id, detail, created_at
    from events where pos = $1";
const HEAD: &str = "select last_pos from log_meta where id = 1";

#[derive(sqlx::FromRow)]
pub(crate) struct EventRow {
    id: Uuid,
    pos: Option<i64>,
    kind: String,
    channel_id: Option<Uuid>,
    seq: Option<i64>,
    user_id: Option<Uuid>,
    ref_id: Uuid,
    actor_id: Option<Uuid>,
    detail: Option<String>,
    created_at: i64,
}

impl EventRow {
    /// `None` for a kind of a newer server: it is passed over, as its position still counts.
    pub(crate) fn into_event(self) -> Option<Event> {
        Some(Event {
            id: EventId(self.id),
            pos: self.pos?,
            kind: EventKind::from_name(&self.kind)?,
            channel_id: self.channel_id.map(ChannelId),
            seq: self.seq,
            user_id: self.user_id.map(UserId),
            ref_id: self.ref_id,
            actor_id: self.actor_id.map(UserId),
            detail: self.detail,
            created_at: Timestamp(self.created_at),
        })
    }
}

/// What follows a position, and the position it reaches: unknown kinds are left out but counted.
pub struct Page {
    /// In order of `pos`.
    pub events: Vec<Event>,
    /// The last position covered.
    pub reached: i64,
}

/// The newest position.
pub async fn head(on: &mut impl Read) -> Result<i64> {
    Ok(run!(on, sqlx::query_scalar(HEAD), fetch_one)?)
}

/// The event at a position. `None`: there is none (any more), or it is of a newer server.
pub async fn at(on: &mut impl Read, pos: i64) -> Result<Option<Event>> {
    let row: Option<EventRow> = run!(on, sqlx::query_as(AT).bind(pos), fetch_optional)?;
    Ok(row.and_then(EventRow::into_event))
}

/// At most `limit` events after `pos`, dense: it stops before a hole rather than skip one.
pub async fn after(on: &mut impl Read, pos: i64, limit: i64) -> Result<Page> {
    let rows: Vec<EventRow> = run!(on, sqlx::query_as(COLUMNS_AFTER).bind(pos).bind(limit), fetch_all)?;
    let mut reached = pos;
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        // Positions are dense: a hole would be our mistake, and skipping over it would hide an event for ever.
        if row.pos != Some(reached + 1) {
            tracing::error!(reached, found = ?row.pos, "a hole in the event log");
            break;
        }
        reached = row.pos.unwrap_or(reached);
        events.extend(row.into_event());
    }
    Ok(Page { events, reached })
}

/// The durable events of one channel after `seq`: the polling fallback.
///
/// # Errors
/// [`Fault::Gone`] when what follows `seq` happened so long ago that it is not in the log any more.
pub async fn in_channel_after(
    on: &mut impl Read,
    channel: ChannelId,
    seq: i64,
    limit: i64,
) -> Result<Vec<Event>> {
    let rows: Vec<EventRow> =
        run!(on, sqlx::query_as(IN_CHANNEL_AFTER).bind(channel.0).bind(seq).bind(limit), fetch_all)?;
    let is_next = rows.first().map(|row| row.seq == Some(seq + 1));
    if is_next != Some(true)
        && trimmed(on).await? > 0
        && (is_next == Some(false) || !is_current(on, channel, seq).await?)
    {
        return Err(Fault::Gone("event"));
    }
    Ok(rows.into_iter().filter_map(EventRow::into_event).collect())
}

/// Whether nothing was dropped after `seq`: there is nothing, or only what has no position yet.
async fn is_current(on: &mut impl Read, channel: ChannelId, seq: i64) -> Result<bool> {
    let last: Option<i64> = run!(on, sqlx::query_scalar(LAST_SEQ).bind(channel.0), fetch_optional)?;
    if last.is_none_or(|last| last <= seq) {
        return Ok(true);
    }
    let found: Option<i64> =
        run!(on, sqlx::query_scalar(HAS_AFTER).bind(channel.0).bind(seq), fetch_optional)?;
    Ok(found.is_some())
}
