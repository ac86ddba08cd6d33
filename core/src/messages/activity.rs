//! How much is written, for those who run the server: numbers alone.

use confab_protocol::Timestamp;
use uuid::Uuid;

use crate::db::{Read, run};
use crate::fault::Result;

/// How many messages are looked at, the newest first: a figure must not cost more than it tells.
pub const MOST: i64 = 1_000_000;
const MINUTE_MS: i64 = 60_000;
/// A message has its id a moment before or after its time.
const SLACK_MS: i64 = 60_000;

// What was imported has the time of its writing, and a newer id. The limit stands before what is asked of the time: else millions
// that were imported today were all walked through to find none of today.
const BETWEEN: &str = "select count(*) from (select created_at, deleted_at from messages
    where id >= $1 and id < $2 order by id desc limit $5) found
    where found.created_at >= $3 and found.created_at < $4 and found.deleted_at is null";
const BY_MINUTE: &str = "select (found.created_at - $1) / 60000 as minute, count(*) from
    (select created_at, deleted_at from messages where id >= $2 order by id desc limit $3) found
    where found.created_at >= $1 and found.deleted_at is null group by minute";

/// The first id of a moment: ids begin with their time.
fn id_at(at: i64) -> Uuid {
    Uuid::from_u128(u128::from(at.max(0).unsigned_abs()) << 80)
}

/// Messages that were posted from `since` until before `until` and stand, among the newest [`MOST`] of then.
pub async fn between(on: &mut impl Read, since: Timestamp, until: Timestamp) -> Result<i64> {
    let (first, beyond) = (id_at(since.0 - SLACK_MS), id_at(until.0.saturating_add(SLACK_MS)));
    let count: i64 = run!(
        on,
        sqlx::query_scalar(BETWEEN).bind(first).bind(beyond).bind(since.0).bind(until.0).bind(MOST),
        fetch_one
    )?;
    Ok(count)
}

/// The same by minutes, `minutes` of them from `since` on.
pub async fn by_minute(on: &mut impl Read, since: Timestamp, minutes: usize) -> Result<Vec<i64>> {
    let rows: Vec<(i64, i64)> = run!(
        on,
        sqlx::query_as(BY_MINUTE).bind(since.0).bind(id_at(since.0 - SLACK_MS)).bind(MOST),
        fetch_all
    )?;
    let mut counts = vec![0; minutes];
    for (minute, count) in rows {
        if let Some(place) = usize::try_from(minute).ok().and_then(|at| counts.get_mut(at)) {
            *place = count;
        }
    }
    Ok(counts)
}

/// The beginning of the minute, `minutes` before the one that goes on.
#[must_use]
pub fn minutes_ago(now: Timestamp, minutes: i64) -> Timestamp {
    Timestamp((now.0.div_euclid(MINUTE_MS) - minutes) * MINUTE_MS)
}
