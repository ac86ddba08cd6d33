//! How often a plugin failed lately.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// This many failures within [`WINDOW`] stop a plugin.
pub(super) const STRIKES: usize = 5;
const WINDOW: Duration = Duration::from_mins(10);

/// The newest failures of one plugin in this process.
#[derive(Debug, Default)]
pub(super) struct Health {
    failures: VecDeque<Instant>,
}

impl Health {
    /// Notes a failure; answers whether it is one too many.
    pub(super) fn strike(&mut self, now: Instant) -> bool {
        self.failures.retain(|at| now.duration_since(*at) < WINDOW);
        self.failures.push_back(now);
        self.failures.len() >= STRIKES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_in_ten_minutes_are_too_many_and_old_ones_are_forgotten() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut health = Health::default();
        assert!((0..4).all(|second| !health.strike(at(second))));
        assert!(!health.strike(at(601)), "two of them are older than ten minutes");
        assert!(!health.strike(at(602)));
        assert!(!Health::default().strike(at(0)));
        let mut health = Health::default();
        assert!((0..4).all(|second| !health.strike(at(second))));
        assert!(health.strike(at(599)));
    }
}
