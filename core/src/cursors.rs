//! How far each durable consumer of the log has come, who runs it, and what it could not digest.
//!
//! What administrators ask of consumers goes to them through the log too: it is durable, reaches every process, and is
//! done once.

mod together;

use std::borrow::Cow;
use std::time::Duration;

use confab_protocol::{Event, EventKind, Timestamp};
use uuid::Uuid;

use crate::audit::{self, Action, Target};
use crate::db::write::Emission;
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::roles::Granted;
use crate::{log, plugins};

pub use together::{advance_all, hold_all, release_all};

/// How the names of the consumers begin that bring events to plugins; the plugin's id follows.
pub const OF_PLUGIN: &str = "plugins/";

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
const RETRY: &str = "update dead_letters set retried_at = $2 where id = $1 and retried_at is null
    returning consumer, pos";
const IS_KNOWN: &str = "select 1 from dead_letters where id = $1";

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
            .bind(confab_protocol::fresh_id())
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

/// Hands a dead letter to its consumer again, once: if that fails again there will be another letter.
///
/// # Errors
/// [`Fault::NotFound`]; [`Fault::Conflict`] with code `already_retried`, or `plugin_disabled` when nobody would take it;
/// [`Fault::Gone`] when the log does not hold the event any more.
pub async fn retry(tx: &mut Tx, by: &Granted, id: Uuid) -> Result<()> {
    // The update decides between two who ask at once: one event for each letter.
    let taken: Option<(String, i64)> =
        run!(tx, sqlx::query_as(RETRY).bind(id).bind(Timestamp::now().0), fetch_optional)?;
    let Some((consumer, pos)) = taken else {
        let is_known: Option<i32> = run!(tx, sqlx::query_scalar(IS_KNOWN).bind(id), fetch_optional)?;
        return Err(match is_known {
            Some(_) => Fault::conflict("already_retried", "this dead letter was retried before"),
            None => Fault::NotFound("dead letter"),
        });
    };
    if let Some(plugin) = consumer.strip_prefix(OF_PLUGIN)
        && !plugins::all(tx).await?.iter().any(|it| it.id == plugin && it.is_enabled)
    {
        // A disabled plugin's events pass it by: the letter would be marked as retried and nothing would happen.
        return Err(Fault::conflict("plugin_disabled", format!("enable the plugin {plugin} first")));
    }
    if log::at(tx, pos).await?.is_none() {
        return Err(Fault::Gone("event"));
    }
    let mut emission = Emission::new(EventKind::RetryRequested, id).detail(format!("{consumer} {pos}"));
    emission.actor_id = by.actor().user_id;
    tx.emit(emission);
    let detail = serde_json::json!({ "consumer": consumer, "pos": pos });
    audit::note(tx, by.actor(), Action::DeadLetterRetried, Some(Target::new("dead_letter", id)), detail).await
}

/// What `consumer` has to do about an event: handle it, or, where it asks for a retry, the event that it names.
/// `None`: nothing, because the retry is for another consumer, or its event is not in the log any more.
pub async fn subject<'e>(
    on: &mut impl Read,
    event: &'e Event,
    consumer: &str,
) -> Result<Option<Cow<'e, Event>>> {
    if event.kind != EventKind::RetryRequested {
        return Ok(Some(Cow::Borrowed(event)));
    }
    let asked = event.detail.as_deref().and_then(|detail| detail.rsplit_once(' '));
    match asked.and_then(|(name, pos)| Some((name, pos.parse().ok()?))) {
        Some((name, pos)) if name == consumer => Ok(log::at(on, pos).await?.map(Cow::Owned)),
        _ => Ok(None),
    }
}

/// Has every process that keeps an index build it anew.
pub async fn reindex(tx: &mut Tx, by: &Granted) -> Result<()> {
    let mut emission = Emission::new(EventKind::ReindexRequested, Uuid::nil());
    emission.actor_id = by.actor().user_id;
    tx.emit(emission);
    audit::note(tx, by.actor(), Action::Reindexed, None, serde_json::Value::Null).await
}
