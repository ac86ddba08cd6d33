//! The only waiting in the tests: ask again until it holds, and fail with what was waited for.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use confab_protocol::Timestamp;

const DAY: u64 = 24 * 60 * 60;

/// How long anything may take before the story counts as failed. Documents are read, and messages indexed, by threads that stand
/// back for all others: unoptimised and on a machine full of other stories that took 22 s once.
pub const DEADLINE: Duration = Duration::from_mins(3);
const PAUSE: Duration = Duration::from_millis(15);

/// Asks until `condition` holds.
pub async fn wait_until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    wait_for(what, async || condition().await.then_some(())).await;
}

/// Asks until `attempt` answers something, and returns it.
pub async fn wait_for<T>(what: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = attempt().await {
            return value;
        }
        assert!(started.elapsed() < DEADLINE, "waited {DEADLINE:?} in vain: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits until the clock shows another millisecond: what is done in one of them has no order of its own in lists by time.
pub async fn next_millisecond() {
    let now = Timestamp::now();
    while Timestamp::now() == now {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Waits until midnight (UTC) has passed, if that is less than a minute away: what counts in days starts on one that lasts.
pub async fn past_midnight() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let left = DAY - now.as_secs() % DAY;
    if left < 60 {
        tokio::time::sleep(Duration::from_secs(left)).await;
    }
}
