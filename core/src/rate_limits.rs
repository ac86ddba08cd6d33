//! Limits that hold across servers, kept in SQL: those of guessing and of mailing, such as signing in and joining by code,
//! where a second server must not be a second try.
//!
//! The algorithm is GCRA (ATM Forum TM 4.0 §4.4.2): one number for each key, when its next call would be in time. One
//! statement reads and writes it, so two servers cannot both take the last place.

use std::time::Duration;

use confab_protocol::Timestamp;

use crate::db::{Tx, run};
use crate::fault::{Fault, Result};

const TAKE: &str = "insert into rate_limits (key, arrival) values ($1, $2)
    on conflict (key) do update set arrival =
        case when rate_limits.arrival > $3 and rate_limits.arrival <= $6 then rate_limits.arrival + $4 else $2 end
    where rate_limits.arrival <= $5 or rate_limits.arrival > $6 returning arrival";
const ARRIVAL: &str = "select arrival from rate_limits where key = $1";
const GIVE_BACK: &str = "update rate_limits set arrival = arrival - $2 where key = $1";
const FORGET: &str = "delete from rate_limits where key = $1";
const SWEEP: &str = "delete from rate_limits where arrival < $1";

/// No call is counted further ahead than all of a quota, and by as much as clocks differ: what stands there was written by a clock
/// that has been set back since, and would shut out for as long as it was wrong.
const APART_MS: i64 = 60_000;

/// So many calls in such a time; all of them may come at once.
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    /// Calls.
    pub count: u32,
    /// In this time.
    pub per: Duration,
}

impl Quota {
    /// Milliseconds between two calls that are evenly spread.
    fn interval(self) -> i64 {
        (self.per.as_millis() as i64 / i64::from(self.count.max(1))).max(1)
    }
}

/// Counts one call against a key.
///
/// # Errors
/// [`Fault::RateLimited`] with the time after which the next call is in time.
pub async fn take(tx: &mut Tx, key: &str, quota: Quota) -> Result<()> {
    let now = Timestamp::now().0;
    let interval = quota.interval();
    let tolerance = interval * i64::from(quota.count.max(1) - 1);
    let taken: Option<i64> = run!(
        tx,
        sqlx::query_scalar(TAKE)
            .bind(key.to_owned())
            .bind(now + interval)
            .bind(now)
            .bind(interval)
            .bind(now + tolerance)
            .bind(now + tolerance + interval + APART_MS),
        fetch_optional
    )?;
    if taken.is_some() {
        return Ok(());
    }
    let arrival: Option<i64> = run!(tx, sqlx::query_scalar(ARRIVAL).bind(key.to_owned()), fetch_optional)?;
    let wait_ms = (arrival.unwrap_or(now) - tolerance - now).max(0);
    Err(Fault::RateLimited { retry_after_seconds: wait_ms.unsigned_abs() / 1_000 + 1 })
}

/// Takes one call back: it turned out not to be of the kind that is limited.
pub async fn give_back(tx: &mut Tx, key: &str, quota: Quota) -> Result<()> {
    run!(tx, sqlx::query(GIVE_BACK).bind(key.to_owned()).bind(quota.interval()), execute)?;
    Ok(())
}

/// Gives a key a fresh start, as after the right password.
pub async fn forget(tx: &mut Tx, key: &str) -> Result<()> {
    run!(tx, sqlx::query(FORGET).bind(key.to_owned()), execute)?;
    Ok(())
}

/// Drops keys that are as good as new.
pub async fn sweep(tx: &mut Tx) -> Result<()> {
    run!(tx, sqlx::query(SWEEP).bind(Timestamp::now().0), execute)?;
    Ok(())
}
