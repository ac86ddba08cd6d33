//! How far each durable consumer of the log has come, who runs it, and what it could not digest.

use std::time::Duration;

use confab_protocol::{Event, Timestamp};
use uuid::Uuid;

use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};

const BEGIN: &str = "insert into cursors (name, pos, held_by, held_until, updated_at) values ($1, $2, null, 0, $3) on conflict do nothing";
const HOLD: &str = "update cursors set held_by = $2, held_until = $3, updated_at = $4
    where name = $1 and (held_by is null or held_by = $2 or held_until < $4) returning pos";
const ADVANCE: &str =
    "update cursors set pos = $3, updated_at = $4 where name = $1 and held_by = $2 and pos < $3";
const RELEASE: &str = "update cursors set held_until = 0, held_by = null where name = $1 and held_by = $2";
const ALL: &str = "select name, pos from cursors order by name";
const BURY: &str =
    "insert into dead_letters (id, consumer, pos, kind, error, attempts, created_at, retried_at)
    values ($1, $2, $3, $4, $5, $6, $7, null)";
const DEAD: &str = "select id, consumer, pos, kind, error, attempts, created_at from dead_letters
    where retried_at is null and id > $1 order by id limit $2";

/// A place in the log that one process holds for a while.
#[derive(Clone, Debug)]
pub struct Cursor {
    name: String,
    holder: Uuid,
    /// Everything up to here is done.
    pub pos: i64,
}

/// Takes or renews the cursor of a consumer for `lease`. `None`: another process works on it.
///
/// A consumer that is new begins at `from`.
pub async fn hold(
    tx: &mut Tx,
    name: &str,
    holder: Uuid,
    from: i64,
    lease: Duration,
) -> Result<Option<Cursor>> {
    let now = Timestamp::now();
    run!(tx, sqlx::query(BEGIN).bind(name.to_owned()).bind(from).bind(now.0), execute)?;
    let pos: Option<i64> = run!(
        tx,
        sqlx::query_scalar(HOLD).bind(name.to_owned()).bind(holder).bind(now.plus(lease).0).bind(now.0),
        fetch_optional
    )?;
    Ok(pos.map(|pos| Cursor { name: name.to_owned(), holder, pos }))
}

/// Notes that everything up to `pos` is done.
///
/// # Errors
/// [`Fault::Conflict`] with code `cursor_lost` when another process holds it now: this one must stop.
pub async fn advance(tx: &mut Tx, cursor: &Cursor, pos: i64) -> Result<()> {
    if run!(
        tx,
        sqlx::query(ADVANCE).bind(cursor.name.clone()).bind(cursor.holder).bind(pos).bind(Timestamp::now().0),
        execute
    )? == 0
        && pos > cursor.pos
    {
        return Err(Fault::conflict("cursor_lost", "another process has taken this consumer over"));
    }
    Ok(())
}

/// Lets another process take over at once.
pub async fn release(tx: &mut Tx, cursor: &Cursor) -> Result<()> {
    run!(tx, sqlx::query(RELEASE).bind(cursor.name.clone()).bind(cursor.holder), execute)?;
    Ok(())
}

/// Every consumer and its position.
pub async fn all(on: &mut impl Read) -> Result<Vec<(String, i64)>> {
    Ok(run!(on, sqlx::query_as(ALL), fetch_all)?)
}

/// Something that a consumer failed at too often.
#[derive(Clone, Debug, serde::Serialize, sqlx::FromRow)]
pub struct DeadLetter {
    /// Which.
    pub id: Uuid,
    /// Who failed.
    pub consumer: String,
    /// At which event.
    pub pos: i64,
    /// Of which kind.
    pub kind: String,
    /// Why.
    pub error: String,
    /// After how many tries.
    pub attempts: i64,
    /// When, in milliseconds.
    pub created_at: i64,
}

/// Puts an event aside, so that those behind it go on.
pub async fn bury(tx: &mut Tx, consumer: &str, event: &Event, error: &str, attempts: u32) -> Result<()> {
    run!(
        tx,
        sqlx::query(BURY)
            .bind(Uuid::now_v7())
            .bind(consumer.to_owned())
            .bind(event.pos)
            .bind(event.kind.as_str())
            .bind(error.chars().take(2_000).collect::<String>())
            .bind(i64::from(attempts))
            .bind(Timestamp::now().0),
        execute
    )?;
    Ok(())
}

/// A page of what was put aside.
pub async fn dead_letters(on: &mut impl Read, after: Option<Uuid>, limit: u32) -> Result<Vec<DeadLetter>> {
    Ok(run!(on, sqlx::query_as(DEAD).bind(after.unwrap_or_default()).bind(i64::from(limit)), fetch_all)?)
}
