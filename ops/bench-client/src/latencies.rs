//! Many times, kept as counts: a million deliveries a second of memory would be measured instead of the server.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Steps within each doubling: a time is known to about three in a hundred.
const STEPS: usize = 32;
const STEP_BITS: u32 = STEPS.trailing_zeros();
/// Doublings above the first steps, in microseconds: the last one is beyond a day.
const DOUBLINGS: usize = 34;

/// A histogram that any number of tasks add to.
pub struct Latencies {
    counts: Vec<AtomicU64>,
}

impl Default for Latencies {
    fn default() -> Self {
        Self { counts: (0..STEPS * (DOUBLINGS + 1)).map(|_| AtomicU64::new(0)).collect() }
    }
}

impl Latencies {
    /// Adds `times` things that all took `took`.
    pub fn add(&self, took: Duration, times: u64) {
        let at = place(took.as_micros() as u64).min(self.counts.len() - 1);
        self.counts[at].fetch_add(times, Ordering::Relaxed);
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|it| it.load(Ordering::Relaxed)).sum()
    }

    /// The time in milliseconds that `share` of all did not exceed; not a number when there are none.
    pub fn quantile_ms(&self, share: f64) -> f64 {
        let wanted = (self.count() as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (at, count) in self.counts.iter().enumerate() {
            seen += count.load(Ordering::Relaxed);
            if seen >= wanted {
                return middle_us(at) / 1_000.0;
            }
        }
        f64::NAN
    }
}

fn place(us: u64) -> usize {
    if us < STEPS as u64 {
        return us as usize;
    }
    let doubling = us.ilog2() - STEP_BITS;
    let step = (us >> doubling) as usize - STEPS;
    (doubling as usize + 1) * STEPS + step
}

fn middle_us(at: usize) -> f64 {
    let (doubling, step) = (at / STEPS, at % STEPS);
    if doubling == 0 {
        return step as f64;
    }
    let width = (1_u64 << (doubling - 1)) as f64;
    ((STEPS + step) as f64 + 0.5) * width
}

#[test]
fn quantiles_are_those_of_the_times_within_three_in_a_hundred() {
    let times = Latencies::default();
    for ms in 1..=1_000 {
        times.add(Duration::from_millis(ms), 2);
    }
    assert_eq!(times.count(), 2_000);
    for (share, ms) in [(0.01, 10.0), (0.50, 500.0), (0.99, 990.0)] {
        let found = times.quantile_ms(share);
        assert!((found / ms - 1.0).abs() < 0.03, "{share} of them took {found} ms, not {ms}");
    }
    assert!(Latencies::default().quantile_ms(0.5).is_nan());
}
