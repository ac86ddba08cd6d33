//! PostgreSQL's clock, by which all processes on one record go: their machines' own may be as wrong as they like.

use std::sync::Weak;
use std::time::{Duration, Instant};

use confab_protocol::{Timestamp, clock};
use sqlx::PgPool;
use tokio::sync::watch;

use super::bounded;
use crate::fault::Result;

/// How often it is asked: the processors' own count is good for a millisecond meanwhile.
const EVERY: u32 = 10;
/// How often it is looked whether the machine slept, or its clock was set: then that count may have stood still.
const LOOK: Duration = Duration::from_secs(1);
/// Clocks that are further apart are worth a word, and a question.
const APART_MS: u64 = 1_000;
/// Questions of which the first answer is the quickest one's.
const FIRST: usize = 3;

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
    let mut said = ask(pool).await?;
    clock::share(said.at);
    for _ in 1..FIRST {
        let next = ask(pool).await?;
        if next.took < said.took {
            clock::share(next.at);
            said = next;
        }
    }
    let apart = Timestamp::now().0.abs_diff(clock::of_machine());
    if apart > APART_MS {
        tracing::warn!(milliseconds = apart, "this machine's clock is not the record's, which is gone by");
    }
    Ok(())
}

/// Goes on with it as long as anybody holds the record.
pub(super) async fn follow(pool: PgPool, held: Weak<watch::Sender<i64>>) {
    let drift = || clock::of_machine() - Timestamp::now().0;
    let (mut known, mut looks) = (drift(), 0);
    loop {
        tokio::time::sleep(LOOK).await;
        if held.strong_count() == 0 || pool.is_closed() {
            return;
        }
        looks += 1;
        if looks < EVERY && drift().abs_diff(known) < APART_MS {
            continue;
        }
        match ask(&pool).await {
            Ok(said) => {
                apply(&said);
                (known, looks) = (drift(), 0);
            }
            // At the next look once more: connections of before a sleep are dead.
            Err(fault) => tracing::debug!(%fault, "the record's clock was not read"),
        }
    }
}

/// Sets the clock where it is certain to be wrong, as far as half of the way there and back can tell: less would only make it
/// waver.
fn apply(said: &Said) {
    let apart = Duration::from_millis(said.at.0.abs_diff(Timestamp::now().0));
    if apart > said.took / 2 + Duration::from_millis(1) {
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
