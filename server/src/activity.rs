//! How much is written, counted in the record at most every few seconds, whoever asks and how often.

use std::time::{Duration, Instant};

use confab_core::messages::activity::{between, by_minute, minutes_ago};
use confab_core::{Db, Result};
use confab_protocol::Timestamp;
use tokio::sync::Mutex;

/// Minutes that are told one by one.
const MINUTES: usize = 360;
/// How long a count is told again.
const FRESH: Duration = Duration::from_secs(15);
/// Beginnings no further apart are the same: without one of their own, callers' last 24 hours begin moments apart.
const SAME_MS: u64 = 30_000;
/// How far back counting may begin, in milliseconds.
pub const LONGEST_MS: i64 = 48 * 3_600 * 1_000;
const WEEK_MS: i64 = 7 * 24 * 3_600 * 1_000;

/// See the module.
#[derive(Default)]
pub struct Activity(Mutex<Option<Counted>>);

/// What was counted.
#[derive(Clone)]
pub struct Counted {
    at: Instant,
    since: Timestamp,
    /// Messages since then.
    pub messages: i64,
    /// Those of as much time, a week before.
    pub week_before: i64,
    /// Of each of the last minutes, the one that goes on last.
    pub by_minute: Vec<i64>,
}

impl Activity {
    /// Counts from `since` until `now`, or tells what was counted a moment ago. One at a time: whoever comes meanwhile is
    /// told the same.
    ///
    /// # Errors
    /// Those of the record.
    pub async fn counted(&self, db: &Db, since: Timestamp, now: Timestamp) -> Result<Counted> {
        let mut kept = self.0.lock().await;
        let is_same = |it: &&Counted| (it.since.0 - since.0).unsigned_abs() <= SAME_MS;
        if let Some(known) = kept.as_ref().filter(|it| it.at.elapsed() < FRESH).filter(is_same) {
            return Ok(known.clone());
        }
        let mut on = db.read();
        let first = minutes_ago(now, MINUTES as i64 - 1);
        let counted = Counted {
            at: Instant::now(),
            since,
            messages: between(&mut on, since, now).await?,
            week_before: between(&mut on, Timestamp(since.0 - WEEK_MS), Timestamp(now.0 - WEEK_MS)).await?,
            by_minute: by_minute(&mut on, first, MINUTES).await?,
        };
        *kept = Some(counted.clone());
        Ok(counted)
    }
}
