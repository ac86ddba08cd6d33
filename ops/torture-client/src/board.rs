//! What everybody in a run shares: what was found so far, how far it is, and whether a fault is on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::findings::{Findings, Kind};

/// After a fault, caches refill and clients come back: what is measured as "without a fault" begins so much later.
const SETTLED_AFTER: Duration = Duration::from_secs(3);

/// A number that only grows.
#[derive(Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How many.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Durations of one thing, for their quantiles.
#[derive(Default)]
pub struct Durations(Mutex<Vec<u32>>);

impl Durations {
    /// One more.
    pub fn add(&self, took: Duration) {
        let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(micros);
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The value in milliseconds below which this share lies; `None` without any.
    pub fn quantile_ms(&self, share: f64) -> Option<f64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        all.sort_unstable();
        let at = ((all.len() as f64 * share).ceil() as usize).max(1) - 1;
        all.get(at).map(|micros| f64::from(*micros) / 1_000.0)
    }
}

/// See the module.
pub struct Board {
    pub findings: Findings,
    /// Acknowledged posts.
    pub posts: Counter,
    /// Listeners who have begun to hear.
    pub ears: Counter,
    /// Events that listeners heard.
    pub heard: Counter,
    /// Requests that had to be made again.
    pub retries: Counter,
    /// Sockets that came back by `resume`, and those that were told to read anew.
    pub resumes: Counter,
    pub read_anew: Counter,
    /// Sockets closed since they read too slowly.
    pub too_slow: Counter,
    /// People brought into a private channel and out again, and questions they asked while outside.
    pub races: Counter,
    pub probes: Counter,
    /// Events that the bus was made to say twice.
    pub repeated: Counter,
    /// From request to acknowledgement, without a fault.
    pub acknowledged: Durations,
    /// From the end of a fault to the next acknowledgement.
    pub recovered: Durations,
    /// From the end of a session to that of its last socket, without a fault.
    pub revoked: Durations,
    /// Those who write, race, probe and revoke stop.
    pub stop: CancellationToken,
    /// Those who listen stop.
    pub hush: CancellationToken,
    /// When the last fault ended; `None` while one is on.
    quiet_since: Mutex<Option<Instant>>,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            findings: Findings::default(),
            posts: Counter::default(),
            ears: Counter::default(),
            heard: Counter::default(),
            retries: Counter::default(),
            resumes: Counter::default(),
            read_anew: Counter::default(),
            too_slow: Counter::default(),
            races: Counter::default(),
            probes: Counter::default(),
            repeated: Counter::default(),
            acknowledged: Durations::default(),
            recovered: Durations::default(),
            revoked: Durations::default(),
            stop: CancellationToken::new(),
            hush: CancellationToken::new(),
            quiet_since: Mutex::new(Some(Instant::now())),
        }
    }
}

impl Board {
    /// Notes a broken promise.
    pub fn note(&self, kind: Kind, what: impl Into<String>) {
        self.findings.note(kind, what);
    }

    /// A fault begins.
    pub fn trouble(&self) {
        *self.quiet_since.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// It is over.
    pub fn relief(&self) {
        *self.quiet_since.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether no fault was on from a little before `since` until now.
    pub fn was_calm(&self, since: Instant) -> bool {
        let quiet = *self.quiet_since.lock().unwrap_or_else(PoisonError::into_inner);
        quiet.is_some_and(|quiet| quiet + SETTLED_AFTER < since)
    }

    /// Sleeps, or less when the run stops.
    pub async fn pause(&self, time: Duration) {
        let _ = self.stop.run_until_cancelled(tokio::time::sleep(time)).await;
    }
}
