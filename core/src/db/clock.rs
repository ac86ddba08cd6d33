//! PostgreSQL's clock, by which all processes on one record go: their machines' own may be as wrong as they like.

use std::sync::Weak;
use std::time::{Duration, Instant};

use confab_protocol::{Timestamp, clock};
use sqlx::PgPool;
use tokio::sync::watch;

use super::bounded;
use crate::fault::Result;

/// How often it is asked: the processors' own count is good for a millisecond meanwhile.
const EVERY: Duration = Duration::from_secs(10);
/// An answer that took longer says too little; half of it is how wrong it may be.
const AT_MOST: Duration = Duration::from_millis(500);
/// A machine whose clock is further from the record's is worth a word.
const APART_MS: u64 = 1_000;

const NOW: &str = "select cast(floor(extract(epoch from clock_timestamp()) * 1000) as bigint)";

/// What the clock said, and how long it took to say so.
struct Said {
    at: Timestamp,
    took: Duration,
}

/// Goes by it from now on.
///
/// # Errors
/// Those of the record.
pub(super) async fn begin(pool: &PgPool) -> Result<()> {
    let said = ask(pool).await?;
    clock::share(said.at);
    let apart = said.at.0.abs_diff(clock::of_machine());
    if apart > APART_MS {
        tracing::warn!(milliseconds = apart, "this machine's clock is not the record's, which is gone by");
    }
    Ok(())
}

/// Goes on with it as long as anybody holds the record.
pub(super) async fn follow(pool: PgPool, held: Weak<watch::Sender<i64>>) {
    loop {
        tokio::time::sleep(EVERY).await;
        if held.strong_count() == 0 || pool.is_closed() {
            return;
        }
        match ask(&pool).await {
            Ok(said) => apply(&said),
            Err(fault) => tracing::debug!(%fault, "the record's clock was not read"),
        }
    }
}

/// Sets the clock where it is certain to be wrong: what an answer cannot tell would only make it waver.
fn apply(said: &Said) {
    let apart = Duration::from_millis(said.at.0.abs_diff(Timestamp::now().0));
    if said.took <= AT_MOST && apart > said.took / 2 + Duration::from_millis(1) {
        clock::share(said.at);
        if apart > Duration::from_millis(APART_MS) {
            tracing::warn!(
                milliseconds = apart.as_millis(),
                "the record's clock was set anew, or this machine slept"
            );
        }
    }
}

async fn ask(pool: &PgPool) -> Result<Said> {
    // First, so that what is measured is the way there and back alone.
    let mut connection = pool.acquire().await?;
    let asked = Instant::now();
    let said: i64 = bounded(sqlx::query_scalar(NOW).fetch_one(&mut *connection)).await?;
    let took = asked.elapsed();
    Ok(Said { at: Timestamp(said).plus(took / 2), took })
}
