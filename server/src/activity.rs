//! How much is written, counted in the record at most every few seconds, whoever asks and how often.

use std::time::{Duration, Instant};

use confab_core::messages::activity::{between, by_minute, minutes_ago};
use confab_core::{Db, Fault, Result};
use confab_protocol::Timestamp;
use tokio::sync::Mutex;

/// Minutes that are told one by one.
const MINUTES: usize = 360;
/// How long a count is told again.
const FRESH: Duration = Duration::from_secs(15);
/// Beginnings no further apart are the same: without one of their own, callers' last 24 hours begin moments apart.
const SAME_MS: u64 = 30_000;
/// Beginnings that are counted from in [`FRESH`]: where people watch from, days begin at as many moments as there are time zones.
const TALLIES: usize = 32;
/// How far back counting may begin, in milliseconds.
pub const LONGEST_MS: i64 = 48 * 3_600 * 1_000;
const WEEK_MS: i64 = 7 * 24 * 3_600 * 1_000;

/// See the module.
#[derive(Default)]
pub struct Activity(Mutex<Kept>);

/// What was counted.
#[derive(Clone)]
pub struct Counted {
    /// Messages since then.
    pub messages: i64,
    /// Those of as much time, a week before.
    pub week_before: i64,
    /// Of each of the last minutes, the one that goes on last.
    pub by_minute: Vec<i64>,
}

/// What was counted a moment ago.
#[derive(Default)]
struct Kept {
    /// From beginnings that lie apart, what was counted longest ago first.
    tallies: Vec<Tally>,
    /// The same for all who ask.
    by_minute: Option<(Instant, Vec<i64>)>,
}

/// What was counted from one beginning.
#[derive(Clone, Copy)]
struct Tally {
    at: Instant,
    since: Timestamp,
    messages: i64,
    week_before: i64,
}

impl Activity {
    /// Counts from `since` until `now`, or tells what was counted a moment ago. One at a time: whoever comes meanwhile is
    /// told the same.
    ///
    /// # Errors
    /// Those of the record; [`Fault::RateLimited`] when callers count from too many beginnings at once.
    pub async fn counted(&self, db: &Db, since: Timestamp, now: Timestamp) -> Result<Counted> {
        let mut kept = self.0.lock().await;
        kept.forget_old();
        let Tally { messages, week_before, .. } = kept.since(db, since, now).await?;
        let by_minute = kept.by_minute(db, now).await?;
        Ok(Counted { messages, week_before, by_minute })
    }
}

impl Kept {
    fn forget_old(&mut self) {
        self.tallies.retain(|it| it.at.elapsed() < FRESH);
        self.by_minute.take_if(|(at, _)| at.elapsed() >= FRESH);
    }

    /// What is known of the beginning that is next to `since`, if it is the same.
    fn known(&self, since: Timestamp) -> Option<Tally> {
        let apart = |it: &Tally| (it.since.0 - since.0).unsigned_abs();
        let next = self.tallies.iter().copied().min_by_key(apart)?;
        (apart(&next) <= SAME_MS).then_some(next)
    }

    async fn since(&mut self, db: &Db, since: Timestamp, now: Timestamp) -> Result<Tally> {
        if let Some(known) = self.known(since) {
            return Ok(known);
        }
        if let Some(oldest) = self.tallies.first().filter(|_| self.tallies.len() >= TALLIES) {
            let left = FRESH.saturating_sub(oldest.at.elapsed());
            return Err(Fault::RateLimited { retry_after_seconds: left.as_secs() + 1 });
        }
        let mut on = db.read();
        let messages = between(&mut on, since, now).await?;
        let week_before = between(&mut on, Timestamp(since.0 - WEEK_MS), Timestamp(now.0 - WEEK_MS)).await?;
        let counted = Tally { at: Instant::now(), since, messages, week_before };
        self.tallies.push(counted);
        Ok(counted)
    }

    async fn by_minute(&mut self, db: &Db, now: Timestamp) -> Result<Vec<i64>> {
        if let Some((_, known)) = &self.by_minute {
            return Ok(known.clone());
        }
        let first = minutes_ago(now, MINUTES as i64 - 1);
        let counted = by_minute(&mut db.read(), first, MINUTES).await?;
        self.by_minute = Some((Instant::now(), counted.clone()));
        Ok(counted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(since: i64) -> Tally {
        Tally { at: Instant::now(), since: Timestamp(since), messages: since, week_before: 0 }
    }

    #[test]
    fn each_beginning_is_told_its_own_count() {
        let hour = 3_600_000;
        let kept = Kept { tallies: vec![counted(hour), counted(2 * hour)], by_minute: None };
        let told = |since| kept.known(Timestamp(since)).map(|it| it.messages);
        assert_eq!(told(hour), Some(hour));
        assert_eq!(told(2 * hour + 30_000), Some(2 * hour), "moments apart are the same");
        assert_eq!(told(2 * hour + 30_001), None);
        assert_eq!(told(3 * hour), None, "and another's is not");
    }
}
