//! What happened long ago leaves the log: it would otherwise grow for ever with rows that nobody asks for.

use std::ops::RangeInclusive;
use std::time::Duration;

use confab_protocol::Timestamp;

use crate::db::{Read, Tx, run};
use crate::fault::Result;

/// How long what happened stays at least (docs/limits.md): a client that was away for longer begins anew.
pub const KEPT: Duration = Duration::from_hours(30 * 24);
/// Positions of one transaction: others wait no longer than for a few posts.
pub const STEP: i64 = 1_000;

const TRIMMED: &str = "select coalesce(trimmed_pos, 0) from log_meta where id = 1";
const REACH: &str = "select coalesce(trimmed_pos, 0), last_pos from log_meta where id = 1";
const PUBLISHED: &str = "select published_pos from log_meta where id = 1";
const CAME_AT: &str = "select created_at from events where pos = $1";
// A consumer that has not run for as long as the log is kept holds nothing up: a plugin may be switched off for good.
// By the newest of them where that is older than the present: a clock that jumps would find all of them old.
const HELD: &str = "select min(pos) from cursors where updated_at >=
    (select case when max(updated_at) < $2 then max(updated_at) else $2 end from cursors) - $1";
const DROP: &str = "delete from events where pos <= $1";
// Of two servers that trim at once, the slower one does nothing: it would set the mark back to what has left the log already.
const NOTE: &str = "update log_meta set trimmed_pos = $1 where id = 1 and coalesce(trimmed_pos, 0) = $2";
const FIRST: &str = "select min(pos) from events where pos > $1";
const PASS: &str = "update cursors set pos = $1 where pos < $1";

/// The last position that is not in the log any more; 0 when nothing has left it.
pub async fn trimmed(on: &mut impl Read) -> Result<i64> {
    Ok(run!(on, sqlx::query_scalar(TRIMMED), fetch_one)?)
}

/// From the last position that is not in the log any more to its newest.
pub async fn reach(on: &mut impl Read) -> Result<RangeInclusive<i64>> {
    let (trimmed, last) = run!(on, sqlx::query_as(REACH), fetch_one)?;
    Ok(trimmed..=last)
}

/// Drops the oldest [`STEP`] positions, if all of them are older than `kept` and every consumer is past them. Answers
/// whether it did: there may be more.
pub async fn trim(tx: &mut Tx, kept: Duration) -> Result<bool> {
    let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let noted = trimmed(tx).await?;
    // A mark that was set back lies before the hole: one goes on from where the log begins.
    let first: Option<i64> = run!(tx, sqlx::query_scalar(FIRST).bind(noted), fetch_one)?;
    let cut = noted.max(first.unwrap_or(0) - 1) + STEP;
    let came_at: Option<i64> = run!(tx, sqlx::query_scalar(CAME_AT).bind(cut), fetch_optional)?;
    if came_at.is_none_or(|at| at >= Timestamp::now().0 - millis(kept)) {
        return Ok(false);
    }
    let held: Option<i64> =
        run!(tx, sqlx::query_scalar(HELD).bind(millis(KEPT)).bind(Timestamp::now().0), fetch_one)?;
    let published: i64 = run!(tx, sqlx::query_scalar(PUBLISHED), fetch_one)?;
    if published < cut || held.is_some_and(|held| held < cut) {
        return Ok(false);
    }
    // Before anything is dropped: of two at once the second one waits here, and drops nothing by what it read before.
    if run!(tx, sqlx::query(NOTE).bind(cut).bind(noted), execute)? == 0 {
        return Ok(false);
    }
    run!(tx, sqlx::query(DROP).bind(cut), execute)?;
    run!(tx, sqlx::query(PASS).bind(cut), execute)?;
    Ok(true)
}
