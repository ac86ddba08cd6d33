//! Which clock a process goes by: its machine's, or one that several processes share.
//!
//! What one process writes another compares with its own present: leases, deadlines, limits. A machine whose clock is a day
//! ahead would take everybody's leases and do today what is due tomorrow.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use uuid::{ContextV7, Uuid};

use crate::Timestamp;

/// What the shared clock says is kept as what it said at this moment: so the machine's own, which may be set anew at any time,
/// has no part in it.
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
/// In milliseconds; [`NONE`] while there is no shared clock.
static SHARED_AT_BEGINNING: AtomicI64 = AtomicI64::new(NONE);
const NONE: i64 = i64::MIN;

static CONTEXT: Mutex<ContextV7> = Mutex::new(ContextV7::new());

/// The present, in milliseconds since 1970.
pub(crate) fn now() -> i64 {
    match SHARED_AT_BEGINNING.load(Ordering::Relaxed) {
        NONE => of_machine(),
        beginning => beginning.saturating_add(millis(BEGAN.elapsed())),
    }
}

/// What this machine's own clock says.
#[must_use]
pub fn of_machine() -> i64 {
    millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// Goes by the shared clock from now on: it says `now` at this moment.
pub fn share(now: Timestamp) {
    SHARED_AT_BEGINNING.store(now.0.saturating_sub(millis(BEGAN.elapsed())), Ordering::Relaxed);
}

/// A fresh UUID of version 7, of the clock that this process goes by. Those of one process rise.
#[must_use]
pub fn fresh_id() -> Uuid {
    let now = u64::try_from(now()).unwrap_or_default();
    // Cannot fail: less than a thousand.
    let nanos = u32::try_from(now % 1_000 * 1_000_000).unwrap_or_default();
    Uuid::new_v7(uuid::Timestamp::from_unix(&CONTEXT, now / 1_000, nanos))
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_goes_by_the_clock_it_shares() {
        let machine = of_machine();
        assert!((now() - machine).abs() < 10_000);
        let before = fresh_id();
        let tomorrow = machine + 86_400_000;
        share(Timestamp(tomorrow));
        assert!((Timestamp::now().0 - tomorrow).abs() < 10_000);
        let id = fresh_id();
        let (seconds, _) = id.get_timestamp().expect("version 7 has one").to_unix();
        assert!(seconds.abs_diff(tomorrow.unsigned_abs() / 1_000) < 10);
        assert!(before < id);
        // Set back, it says so, and ids still rise.
        share(Timestamp(machine));
        assert!((Timestamp::now().0 - machine).abs() < 10_000);
        assert!(id < fresh_id());
    }
}
