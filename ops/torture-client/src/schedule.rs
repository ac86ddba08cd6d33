//! What breaks when, drawn from one number: the same seed is the same storm.

use std::time::Duration;

use rand::Rng;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::arguments::Mode;
use crate::launcher::Shutdown;
use crate::proxy::Weather;

/// The last fault begins when so much of the messages is acknowledged.
const STORM_SHARE: f64 = 0.95;
/// Drains cost half a minute; few runs are so long that every other fault may be one.
const KILLS_A_DRAIN: u32 = 25;
/// How far a clock jumps at most.
const CLOCK_SECONDS: i64 = 600;

/// One thing that goes wrong. Servers and links are numbers, taken modulo how many there are.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// kill -9, and nothing for a while.
    Kill { server: usize, down: Duration },
    /// The worker, likewise.
    KillWorker { down: Duration },
    /// SIGTERM: a server goes in order, and another takes its place.
    Drain { server: usize, down: Duration },
    /// SIGSTOP for a while: a server, or beyond them the worker.
    Pause { process: usize, time: Duration },
    /// SIGSTOP for the one that gives the events their positions, until the others have gone on without it: it neither works
    /// nor lets go of what it holds.
    Freeze,
    /// The time of day jumps, forward or back, and jumps home after a while: a server's, or beyond them the worker's.
    Clock { process: usize, seconds: i64, time: Duration },
    /// Bad weather between two programs.
    Network { link: usize, weather: Weather, time: Duration },
    /// The record's server goes and comes back.
    Postgres { how: Shutdown, down: Duration },
    /// The bus goes and comes back, with its store or without.
    Nats { wipe: bool, down: Duration },
    /// Writes to files fail, as those to a disk that dies.
    BrokenDisk { server: usize, time: Duration },
    /// No byte is left on the server's disk for a while.
    FullDisk { time: Duration },
}

impl Fault {
    /// Its word in the report.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Kill { .. } => "kill",
            Self::KillWorker { .. } => "kill_worker",
            Self::Drain { .. } => "drain",
            Self::Pause { .. } => "pause",
            Self::Freeze => "freeze",
            Self::Clock { .. } => "clock",
            Self::Network { weather: Weather::Delay(_), .. } => "delay",
            Self::Network { weather: Weather::Trickle, .. } => "trickle",
            Self::Network { weather: Weather::Stall, .. } => "stall",
            Self::Network { weather: Weather::HalfOpen, .. } => "half_open",
            Self::Network { .. } => "cut",
            Self::Postgres { .. } => "restart_postgres",
            Self::Nats { wipe: true, .. } => "wipe_nats",
            Self::Nats { .. } => "restart_nats",
            Self::BrokenDisk { .. } => "broken_disk",
            Self::FullDisk { .. } => "full_disk",
        }
    }
}

/// A fault and the number of acknowledged messages that brings it about.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub after: u64,
    pub fault: Fault,
}

/// What there is to break.
#[derive(Clone, Copy, Debug)]
pub struct Targets {
    pub mode: Mode,
    pub has_small_disk: bool,
}

/// Draws the storm: `kills` of servers and as many other faults, or as many as it takes for each kind to come once.
pub fn draw(seed: u64, targets: Targets, kills: u32, messages: u64) -> Vec<Step> {
    if kills == 0 {
        return Vec::new();
    }
    let mut rng = StdRng::seed_from_u64(seed);
    let mut faults: Vec<Fault> = (0..kills).map(|number| kill(&mut rng, number)).collect();
    let mut others = each_once(&mut rng, targets);
    // Where another server stands, one at least goes in order: that is how a new version is rolled out.
    let drains = (kills / KILLS_A_DRAIN).max((targets.mode == Mode::Scaled).into());
    others.extend((0..drains).map(|number| Fault::Drain { server: number as usize, down: short(&mut rng) }));
    while others.len() < kills as usize {
        let mut more = each_once(&mut rng, targets);
        more.shuffle(&mut rng);
        more.truncate(kills as usize - others.len());
        others.extend(more);
    }
    faults.extend(others);
    faults.shuffle(&mut rng);
    let apart = messages as f64 * STORM_SHARE / faults.len() as f64;
    let at = |number: usize, rng: &mut StdRng| (apart * (number as f64 + rng.random_range(0.5..1.0))) as u64;
    faults
        .into_iter()
        .enumerate()
        .map(|(number, fault)| Step { after: at(number, &mut rng), fault })
        .collect()
}

fn kill(rng: &mut StdRng, number: u32) -> Fault {
    // In turn, so that each server dies equally often; how long it stays dead is chance.
    Fault::Kill { server: number as usize, down: short(rng) }
}

fn each_once(rng: &mut StdRng, targets: Targets) -> Vec<Fault> {
    let late = Duration::from_millis(rng.random_range(20..300));
    let mut faults = vec![Fault::Pause { process: rng.random_range(0..64), time: long(rng) }];
    for weather in [Weather::Cut, Weather::HalfOpen, Weather::Stall, Weather::Trickle, Weather::Delay(late)] {
        faults.push(Fault::Network { link: rng.random_range(0..64), weather, time: long(rng) });
    }
    let seconds = rng.random_range(60..=CLOCK_SECONDS) * if rng.random_bool(0.5) { 1 } else { -1 };
    faults.push(Fault::Clock { process: rng.random_range(0..64), seconds, time: long(rng) });
    faults.push(Fault::BrokenDisk { server: rng.random_range(0..64), time: long(rng) });
    match targets.mode {
        Mode::Embedded if targets.has_small_disk => faults.push(Fault::FullDisk { time: long(rng) }),
        Mode::Embedded => {}
        Mode::Scaled => {
            let how = if rng.random_bool(0.7) { Shutdown::Immediate } else { Shutdown::Fast };
            faults.push(Fault::Postgres { how, down: short(rng) });
            faults.push(Fault::Nats { wipe: true, down: short(rng) });
            faults.push(Fault::Nats { wipe: false, down: long(rng) });
            faults.push(Fault::Freeze);
            faults.push(Fault::KillWorker { down: short(rng) });
        }
    }
    faults
}

fn short(rng: &mut StdRng) -> Duration {
    Duration::from_millis(rng.random_range(0..400))
}

fn long(rng: &mut StdRng) -> Duration {
    Duration::from_millis(rng.random_range(300..2_500))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGETS: Targets = Targets { mode: Mode::Scaled, has_small_disk: false };

    #[test]
    fn one_seed_is_one_storm() {
        let storm = draw(7, TARGETS, 10, 20_000);
        assert_eq!(storm, draw(7, TARGETS, 10, 20_000));
        assert_ne!(storm, draw(8, TARGETS, 10, 20_000));
        assert!(storm.windows(2).all(|pair| pair[0].after <= pair[1].after), "{storm:?}");
        assert!(storm.last().is_some_and(|last| last.after < 20_000));
        assert!(draw(7, TARGETS, 0, 20_000).is_empty());
    }

    #[test]
    fn every_kind_comes_in_every_storm() {
        for seed in 0..20 {
            for (mode, kinds) in [(Mode::Embedded, 10), (Mode::Scaled, 15)] {
                let storm = draw(seed, Targets { mode, has_small_disk: true }, 4, 1_000);
                let kills = storm.iter().filter(|step| step.fault.as_str() == "kill").count();
                let mut words: Vec<&str> = storm.iter().map(|step| step.fault.as_str()).collect();
                words.sort_unstable();
                words.dedup();
                assert_eq!((kills, words.len()), (4, kinds), "{words:?}");
            }
        }
    }
}
