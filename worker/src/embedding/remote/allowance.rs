//! What may be sent in a day. A loop that goes wrong, or a rebuild that nobody meant, must not become a bill.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use confab_protocol::Timestamp;

use crate::embedding::{EmbedError, Purpose};

const DAY_SECONDS: u64 = 24 * 3_600;
/// One part in so many is kept for questions: search must not fall silent because the day's messages were many.
const KEPT: u64 = 10;

/// Characters sent today, counted from midnight UTC. A process that starts again begins anew.
pub(super) struct Allowance {
    daily: u64,
    /// The day and what was sent on it.
    sent: Mutex<(u64, u64)>,
}

impl Allowance {
    pub fn new(daily: u64) -> Self {
        Self { daily, sent: Mutex::new((0, 0)) }
    }

    /// Counts characters that are about to be sent.
    pub fn take(&self, characters: u64, purpose: Purpose) -> Result<(), EmbedError> {
        let now = Timestamp::now().0.unsigned_abs() / 1_000;
        self.take_at(now, characters, purpose)
    }

    fn take_at(&self, now: u64, characters: u64, purpose: Purpose) -> Result<(), EmbedError> {
        let kept = if purpose == Purpose::Passage { self.daily / KEPT } else { 0 };
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let today = now / DAY_SECONDS;
        if sent.0 != today {
            *sent = (today, 0);
        }
        let after = sent.1.saturating_add(characters);
        if after > self.daily - kept {
            return Err(EmbedError::Retryable {
                after: Duration::from_secs(DAY_SECONDS - now % DAY_SECONDS),
                reason: "embeddings_daily_characters are used up".into(),
            });
        }
        sent.1 = after;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_used_up_and_a_tenth_is_for_questions() {
        let allowance = Allowance::new(100);
        let noon = DAY_SECONDS / 2;
        assert_eq!(allowance.take_at(noon, 90, Purpose::Passage), Ok(()));
        let Err(EmbedError::Retryable { after, .. }) = allowance.take_at(noon, 1, Purpose::Passage) else {
            panic!("nothing is left for passages")
        };
        assert_eq!(after, Duration::from_secs(DAY_SECONDS / 2));
        assert_eq!(allowance.take_at(noon, 10, Purpose::Query), Ok(()));
        assert!(allowance.take_at(noon, 1, Purpose::Query).is_err());
        assert_eq!(allowance.take_at(DAY_SECONDS, 1, Purpose::Passage), Ok(()));
    }
}
