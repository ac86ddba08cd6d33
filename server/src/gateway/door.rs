//! Greetings under way: after a restart or a cut line everybody comes back at once, and each costs several reads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

/// Greetings at a time: more would only wait for the record, and time out there.
const AT_ONCE: usize = 64;
/// So many may wait, and so long; the others are told to come back later (docs/limits.md).
const WAITING: usize = 4_096;
const WAIT: Duration = Duration::from_secs(10);
/// Whoever is told to come back does so within this time, each after a while of its own.
const RETURN_MS: std::ops::Range<u64> = 1_000..20_000;

static PLACES: Semaphore = Semaphore::const_new(AT_ONCE);
static QUEUE: AtomicUsize = AtomicUsize::new(0);

/// Waits for a place. `None`: too many wait, or it took too long.
pub async fn enter() -> Option<SemaphorePermit<'static>> {
    if let Ok(place) = PLACES.try_acquire() {
        return Some(place);
    }
    let _waits = Waits::one_more()?;
    tokio::time::timeout(WAIT, PLACES.acquire()).await.ok()?.ok()
}

/// Whether so many wait that nobody else should come.
pub fn is_crowded() -> bool {
    QUEUE.load(Ordering::Relaxed) >= WAITING
}

/// When to come back, in milliseconds.
pub fn return_ms() -> u64 {
    rand::random_range(RETURN_MS)
}

struct Waits;

impl Waits {
    fn one_more() -> Option<Self> {
        let waiting = QUEUE.fetch_add(1, Ordering::Relaxed);
        let place = Self;
        (waiting < WAITING).then_some(place)
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        QUEUE.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_comes_too_late_is_sent_away_and_leaves_no_trace() {
        let mut inside = Vec::new();
        for _ in 0..AT_ONCE {
            inside.push(enter().await.expect("a place"));
        }
        let next = tokio::spawn(async { enter().await.is_some() });
        tokio::task::yield_now().await;
        inside.pop();
        assert!(next.await.expect("it ran"), "whoever waits comes next");
        inside.push(enter().await.expect("it has left again"));
        assert!(enter().await.is_none(), "nobody left in time");
        assert_eq!(QUEUE.load(Ordering::Relaxed), 0);

        let crowd: Vec<Waits> = (0..WAITING).map_while(|_| Waits::one_more()).collect();
        assert!(is_crowded() && crowd.len() == WAITING);
        assert!(enter().await.is_none(), "and nobody else may wait");
        drop(crowd);
        assert!(!is_crowded());
    }
}
