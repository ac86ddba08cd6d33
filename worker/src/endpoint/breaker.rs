//! An endpoint that fails again and again is left alone for a while: questions are then answered by words at once
//! instead of after a wait each.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Trouble;

/// Failures in a row after which it is left alone.
const FAILURES: u32 = 5;
/// For how long; the first call after it is a try, and its failure begins another such time.
const REST: Duration = Duration::from_secs(15);

#[derive(Default)]
pub(crate) struct Breaker(Mutex<State>);

#[derive(Default)]
struct State {
    failures: u32,
    rests_until: Option<Instant>,
}

impl Breaker {
    /// Refuses while the endpoint is left alone.
    pub fn check(&self, now: Instant) -> Result<(), Trouble> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.rests_until.and_then(|until| until.checked_duration_since(now)) {
            Some(after) if !after.is_zero() => {
                Err(Trouble::Retryable { after, reason: "the endpoint failed again and again".into() })
            }
            _ => Ok(()),
        }
    }

    /// Notes how a call went. What the endpoint refuses for good is an answer too, and no failure.
    pub fn note(&self, has_failed: bool, now: Instant) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !has_failed {
            *state = State::default();
            return;
        }
        state.failures += 1;
        if state.failures >= FAILURES {
            state.rests_until = Some(now + REST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rests_after_failures_and_tries_again() {
        let breaker = Breaker::default();
        let now = Instant::now();
        for _ in 0..FAILURES {
            assert_eq!(breaker.check(now), Ok(()));
            breaker.note(true, now);
        }
        assert!(breaker.check(now).is_err());
        let now = now + REST;
        assert_eq!(breaker.check(now), Ok(()));
        breaker.note(true, now);
        assert!(breaker.check(now).is_err(), "one more failure is enough");
        let now = now + REST;
        breaker.note(false, now);
        breaker.note(true, now);
        assert_eq!(breaker.check(now), Ok(()));
    }
}
