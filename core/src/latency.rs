//! How long things took lately: counted in classes, each a fifth wider than the one before, by slots of time of which the
//! oldest give way. A few kilobytes, whatever is counted.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Classes for each doubling, from a microsecond on.
const STEPS: f64 = 4.0;
/// The last one holds all that takes an hour or longer.
const CLASSES: usize = 128;
/// A figure that all but one in a hundred stay below.
const PERCENTILE: f64 = 0.99;

/// See the module.
#[derive(Debug)]
pub struct Latencies {
    begun: Instant,
    slot: Duration,
    kept: u64,
    slots: Mutex<VecDeque<Slot>>,
}

#[derive(Debug)]
struct Slot {
    number: u64,
    faults: u64,
    classes: [u64; CLASSES],
}

/// What happened in the time that is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// How often.
    pub count: u64,
    /// How often it failed; those count in `count` too.
    pub faults: u64,
    /// What 99 of 100 took at most, exact to a fifth. `None`: nothing happened.
    pub p99: Option<Duration>,
}

impl Latencies {
    /// Keeps the last `kept` slots of this length, counting the one that goes on.
    #[must_use]
    pub fn new(slot: Duration, kept: u64) -> Self {
        Self { begun: Instant::now(), slot, kept: kept.max(1), slots: Mutex::default() }
    }

    /// Something took so long.
    pub fn took(&self, time: Duration, has_failed: bool) {
        self.took_at(Instant::now(), time, has_failed);
    }

    /// What is kept now.
    #[must_use]
    pub fn summary(&self) -> Summary {
        self.summary_at(Instant::now())
    }

    fn took_at(&self, now: Instant, time: Duration, has_failed: bool) {
        let number = self.number(now);
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        self.forget(&mut slots, number);
        if slots.back().is_none_or(|slot| slot.number < number) {
            slots.push_back(Slot { number, faults: 0, classes: [0; CLASSES] });
        }
        if let Some(slot) = slots.back_mut() {
            slot.classes[class_of(time)] += 1;
            slot.faults += u64::from(has_failed);
        }
    }

    fn summary_at(&self, now: Instant) -> Summary {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        self.forget(&mut slots, self.number(now));
        let faults = slots.iter().map(|slot| slot.faults).sum();
        let of_class = |class: usize| slots.iter().map(|slot| slot.classes[class]).sum::<u64>();
        let classes: Vec<u64> = (0..CLASSES).map(of_class).collect();
        let count: u64 = classes.iter().sum();
        let wanted = (count as f64 * PERCENTILE).ceil() as u64;
        let mut below = 0;
        let class = classes.iter().position(|found| {
            below += found;
            below >= wanted
        });
        Summary { count, faults, p99: class.filter(|_| count > 0).map(end_of) }
    }

    fn number(&self, now: Instant) -> u64 {
        let slot = self.slot.as_millis().max(1);
        u64::try_from(now.duration_since(self.begun).as_millis() / slot).unwrap_or(u64::MAX)
    }

    fn forget(&self, slots: &mut VecDeque<Slot>, number: u64) {
        while slots.front().is_some_and(|slot| slot.number.saturating_add(self.kept) <= number) {
            slots.pop_front();
        }
    }
}

fn class_of(time: Duration) -> usize {
    let micros = time.as_micros().max(1) as f64;
    ((micros.log2() * STEPS) as usize).min(CLASSES - 1)
}

/// The time that nothing of this class takes longer than.
fn end_of(class: usize) -> Duration {
    Duration::from_secs_f64(((class as f64 + 1.0) / STEPS).exp2() / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_hundredth_is_left_out_and_old_slots_give_way() {
        let kept = Latencies::new(Duration::from_mins(1), 2);
        assert_eq!(kept.summary(), Summary::default());
        let now = kept.begun;
        for _ in 0..99 {
            kept.took_at(now, Duration::from_millis(10), false);
        }
        kept.took_at(now, Duration::from_secs(5), true);
        let all = kept.summary_at(now);
        assert_eq!((all.count, all.faults), (100, 1));
        let p99 = all.p99.map(|it| it.as_secs_f64()).unwrap_or_default();
        assert!((0.010..0.012).contains(&p99), "{p99}");
        kept.took_at(now + Duration::from_secs(70), Duration::from_secs(5), false);
        assert_eq!(kept.summary_at(now + Duration::from_secs(70)).count, 101);
        let later = kept.summary_at(now + Duration::from_secs(130));
        assert_eq!(later.count, 1, "the first slot is gone");
        assert!(later.p99.is_some_and(|it| it >= Duration::from_secs(5) && it < Duration::from_secs(6)));
        assert_eq!(kept.summary_at(now + Duration::from_mins(10)).count, 0);
    }

    #[test]
    fn every_time_has_a_class() {
        for micros in [0, 1, 2, 1_000, 10_000_000, u64::MAX] {
            let time = Duration::from_micros(micros);
            let class = class_of(time);
            assert!(class < CLASSES && (class == CLASSES - 1 || end_of(class) >= time), "{micros}");
        }
    }
}
