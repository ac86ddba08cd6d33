//! Calls that are made once however often they are asked for: what was answered to a key is answered again.
//!
//! Only hashes of keys and of what was asked are kept, and an answer only where it holds no secret.

use std::time::Duration;

use confab_protocol::{Timestamp, UserId};

use crate::db::{Tx, run};
use crate::fault::{Fault, Result};

/// How long an answer is kept (docs/limits.md).
const KEPT: Duration = Duration::from_hours(24);
/// A call that has not ended by now never will: its server was killed.
const RUNNING: Duration = Duration::from_mins(2);
/// Most keys of one user that are kept at a time.
const MOST: i64 = 1_000;
/// Longest answer that is kept.
pub const ANSWER_BYTES: usize = 16 * 1_024;

const BEGIN: &str =
    "insert into idempotency_keys (key_hash, user_id, request_hash, status, content_type, body, created_at)
    values ($1, $2, $3, null, null, null, $4) on conflict do nothing";
const COUNT: &str = "select count(*) from idempotency_keys where user_id = $1";
const FIND: &str =
    "select request_hash, status, content_type, body, created_at from idempotency_keys where key_hash = $1";
const FINISH: &str =
    "update idempotency_keys set status = $2, content_type = $3, body = $4 where key_hash = $1";
const GIVE_UP: &str = "update idempotency_keys set created_at = created_at - $2 where key_hash = $1";
const FORGET: &str = "delete from idempotency_keys where key_hash = $1";
const SWEEP: &str = "delete from idempotency_keys where created_at < $1";

/// An answer as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// What kind of body.
    pub content_type: Option<String>,
    /// Absent: it was too long, or held a secret, and was not kept.
    pub body: Option<String>,
}

/// What a key stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nothing yet: the call is to be made now.
    New,
    /// It was made, and this was answered.
    Answered(Answer),
    /// It is being made.
    Running,
    /// Its server was killed, or failed, while it was being made: nobody knows whether it was done.
    Unknown,
    /// Another call.
    Other,
}

#[derive(sqlx::FromRow)]
struct Row {
    request_hash: String,
    status: Option<i64>,
    content_type: Option<String>,
    body: Option<String>,
    created_at: i64,
}

/// Takes a key for a call, or answers what it stands for.
///
/// # Errors
/// [`Fault::RateLimited`] when the user has too many.
pub async fn begin(tx: &mut Tx, user: UserId, key_hash: &str, request_hash: &str) -> Result<Begun> {
    let now = Timestamp::now();
    if run!(
        tx,
        sqlx::query(BEGIN).bind(key_hash.to_owned()).bind(user.0).bind(request_hash.to_owned()).bind(now.0),
        execute
    )? > 0
    {
        let count: i64 = run!(tx, sqlx::query_scalar(COUNT).bind(user.0), fetch_one)?;
        if count > MOST {
            return Err(Fault::RateLimited { retry_after_seconds: 3_600 });
        }
        return Ok(Begun::New);
    }
    let row: Option<Row> = run!(tx, sqlx::query_as(FIND).bind(key_hash.to_owned()), fetch_optional)?;
    // Swept or forgotten in this moment: the caller asks again.
    let row = row.ok_or(Fault::Busy)?;
    if row.request_hash != request_hash {
        return Ok(Begun::Other);
    }
    Ok(match row.status.and_then(|status| u16::try_from(status).ok()) {
        Some(status) => Begun::Answered(Answer { status, content_type: row.content_type, body: row.body }),
        None if Timestamp(row.created_at).plus(RUNNING) < now => Begun::Unknown,
        None => Begun::Running,
    })
}

/// Keeps what was answered.
pub async fn finish(tx: &mut Tx, key_hash: &str, answer: Answer) -> Result<()> {
    run!(
        tx,
        sqlx::query(FINISH)
            .bind(key_hash.to_owned())
            .bind(i64::from(answer.status))
            .bind(answer.content_type.clone())
            .bind(answer.body.clone().filter(|body| body.len() <= ANSWER_BYTES)),
        execute
    )?;
    Ok(())
}

/// Says of a call that failed what is said of one whose server was killed: nobody knows what of it was done.
pub async fn give_up(tx: &mut Tx, key_hash: &str) -> Result<()> {
    let running = RUNNING.as_millis() as i64 + 1;
    run!(tx, sqlx::query(GIVE_UP).bind(key_hash.to_owned()).bind(running), execute)?;
    Ok(())
}

/// Gives a key back whose call was refused: nothing was done, so it may be tried again.
pub async fn forget(tx: &mut Tx, key_hash: &str) -> Result<()> {
    run!(tx, sqlx::query(FORGET).bind(key_hash.to_owned()), execute)?;
    Ok(())
}

/// Drops keys of long ago.
pub async fn sweep(tx: &mut Tx) -> Result<()> {
    let kept = Timestamp::now().0 - KEPT.as_millis() as i64;
    run!(tx, sqlx::query(SWEEP).bind(kept), execute)?;
    Ok(())
}
