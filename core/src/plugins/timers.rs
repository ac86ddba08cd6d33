//! Timers of plugins. A worker holds the row of what is due while it calls the plugin; another takes over what is held
//! too long. So a timer fires at least once, and since what it posts has a name made of its due time, it counts once.

use confab_protocol::Timestamp;

use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};

/// Most timers of one plugin (docs/limits.md).
const MOST: i64 = 10_000;
/// Tries of one timer, the first among them.
pub const TRIES: i64 = 4;

const COUNT_OF: &str = "select count(*) from plugin_timers where plugin_id = $1";
const SET: &str = "insert into plugin_timers (plugin_id, name, due_at, period_seconds, payload, attempts, held_until)
    values ($1, $2, $3, $4, $5, 0, null)
    on conflict (plugin_id, name) do update set due_at = excluded.due_at, period_seconds = excluded.period_seconds,
    payload = excluded.payload, attempts = 0, held_until = null";
const CANCEL: &str = "delete from plugin_timers where plugin_id = $1 and name = $2";
// Of plugins that do not run nothing is due; it is when they run again.
const DUE: &str =
    "select t.plugin_id, t.name, t.due_at, t.period_seconds, t.payload, t.attempts from plugin_timers t
    join plugins p on p.id = t.plugin_id and p.is_enabled = true
    where t.due_at <= $1 and (t.held_until is null or t.held_until <= $1) order by t.due_at limit $2";
const NEXT: &str = "select min(due_at) from plugin_timers where due_at > $1";
const HOLD: &str = "update plugin_timers set held_until = $4, attempts = attempts + 1
    where plugin_id = $1 and name = $2 and due_at = $3 and (held_until is null or held_until <= $5)";
const DONE: &str =
    "delete from plugin_timers where plugin_id = $1 and name = $2 and due_at = $3 and period_seconds is null";
const AGAIN: &str = "update plugin_timers set due_at = $4, held_until = null, attempts = 0
    where plugin_id = $1 and name = $2 and due_at = $3";
const LATER: &str =
    "update plugin_timers set held_until = $4 where plugin_id = $1 and name = $2 and due_at = $3";

const NOT_TRIED: &str = "update plugin_timers set held_until = $4, attempts = attempts - 1
    where plugin_id = $1 and name = $2 and due_at = $3 and attempts > 0";

/// A timer.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Timer {
    /// Whose.
    pub plugin_id: String,
    /// Unique in the plugin.
    pub name: String,
    /// When, in milliseconds.
    pub due_at: i64,
    /// Then every so many seconds.
    pub period_seconds: Option<i64>,
    /// What the plugin gave with it, in base64.
    pub payload: String,
    /// How often it was tried.
    pub attempts: i64,
}

/// Makes a timer, or replaces the one of that name.
///
/// # Errors
/// [`Fault::Conflict`] with code `plugin_storage_full` beyond the plugin's share.
pub async fn set(tx: &mut Tx, timer: &Timer) -> Result<()> {
    let count: i64 = run!(tx, sqlx::query_scalar(COUNT_OF).bind(timer.plugin_id.clone()), fetch_one)?;
    if count >= MOST {
        return Err(Fault::conflict("plugin_storage_full", format!("a plugin has at most {MOST} timers")));
    }
    run!(
        tx,
        sqlx::query(SET)
            .bind(timer.plugin_id.clone())
            .bind(timer.name.clone())
            .bind(timer.due_at)
            .bind(timer.period_seconds)
            .bind(timer.payload.clone()),
        execute
    )?;
    Ok(())
}

/// Forgets a timer. Answers whether there was one.
pub async fn cancel(tx: &mut Tx, plugin: &str, name: &str) -> Result<bool> {
    Ok(run!(tx, sqlx::query(CANCEL).bind(plugin.to_owned()).bind(name.to_owned()), execute)? > 0)
}

/// What is due and held by nobody, the longest first.
pub async fn due(on: &mut impl Read, limit: u32) -> Result<Vec<Timer>> {
    let now = Timestamp::now().0;
    Ok(run!(on, sqlx::query_as(DUE).bind(now).bind(i64::from(limit)), fetch_all)?)
}

/// When the next one after now is due.
pub async fn next_at(on: &mut impl Read) -> Result<Option<Timestamp>> {
    let next: Option<i64> = run!(on, sqlx::query_scalar(NEXT).bind(Timestamp::now().0), fetch_one)?;
    Ok(next.map(Timestamp))
}

/// Takes a timer that is due, for so long. Answers whether it was still there and nobody's.
pub async fn hold(tx: &mut Tx, timer: &Timer, milliseconds: i64) -> Result<bool> {
    let now = Timestamp::now().0;
    let held = run!(
        tx,
        sqlx::query(HOLD)
            .bind(timer.plugin_id.clone())
            .bind(timer.name.clone())
            .bind(timer.due_at)
            .bind(now + milliseconds)
            .bind(now),
        execute
    )?;
    Ok(held > 0)
}

/// It fired: it is gone, or waits for its next time. What the plugin itself has set meanwhile stays.
pub async fn fired(tx: &mut Tx, timer: &Timer) -> Result<()> {
    let Some(period) = timer.period_seconds else {
        run!(
            tx,
            sqlx::query(DONE).bind(timer.plugin_id.clone()).bind(timer.name.clone()).bind(timer.due_at),
            execute
        )?;
        return Ok(());
    };
    let next = after(timer.due_at, period.max(1) * 1_000, Timestamp::now().0);
    move_to(tx, AGAIN, timer, next).await
}

/// It was taken by who cannot call the plugin: it is tried again then, as often as if this had not been.
pub async fn not_tried(tx: &mut Tx, timer: &Timer, at: Timestamp) -> Result<()> {
    move_to(tx, NOT_TRIED, timer, at.0).await
}

/// It failed: it is tried again then.
pub async fn later(tx: &mut Tx, timer: &Timer, at: Timestamp) -> Result<()> {
    move_to(tx, LATER, timer, at.0).await
}

async fn move_to(tx: &mut Tx, statement: &'static str, timer: &Timer, at: i64) -> Result<()> {
    run!(
        tx,
        sqlx::query(statement)
            .bind(timer.plugin_id.clone())
            .bind(timer.name.clone())
            .bind(timer.due_at)
            .bind(at),
        execute
    )?;
    Ok(())
}

/// The first time behind `now` in steps from `due`: what was missed while nothing ran is not made up for.
fn after(due: i64, step: i64, now: i64) -> i64 {
    let missed = (now - due).max(0) / step;
    due + (missed + 1) * step
}

#[cfg(test)]
mod tests {
    use super::after;

    #[test]
    fn a_timer_keeps_its_beat_and_makes_up_for_nothing() {
        assert_eq!(after(1_000, 60_000, 1_005), 61_000);
        assert_eq!(after(1_000, 60_000, 61_000), 121_000, "due this very moment: that one is being fired");
        assert_eq!(after(1_000, 60_000, 600_500), 601_000);
    }
}
