//! People come and go, messages are posted, edited and deleted, the assistant is switched off here and there, and somebody
//! asks all the while, before the index and the vectors know: nothing of what they may not read is found, quoted, counted or
//! told to a model. `ops/leaks` asks a hundred thousand times.

mod asking;
mod confidant;
mod storm;
mod truth;

use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, StreamExt};

use asking::Tally;
use storm::Storm;

/// Questions of the usual run; `CONFAB_LEAK_SEARCHES` asks for more.
const ASKED: u64 = 300;
/// Questions of one record: then another begins, with its own numbers.
const OF_A_RECORD: u64 = 1_000;
/// Records at once. Most of the time of each is waiting: for its disk, and until its index and vectors know what happened.
const AT_ONCE: usize = 6;
/// `CONFAB_LEAK_SEED` names another.
const SEED: u64 = 0x5eed_cafe_1234_5677;
const WORDS: [&str; 16] = [
    "restart",
    "reboot",
    "server",
    "apache",
    "harbour",
    "ferry",
    "boat",
    "timetable",
    "summer",
    "winter",
    "mount",
    "drive",
    "disk",
    "printer",
    "paper",
    "morning",
];

/// Always the same numbers, so that a failure can be seen again.
pub struct Dice(u64);

impl Dice {
    fn of(seed: u64) -> Self {
        // Zero would stay zero.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn words(&mut self, count: usize) -> String {
        (0..count).map(|_| WORDS[self.below(WORDS.len())]).collect::<Vec<_>>().join(" ")
    }
}

/// What the truth is told although it does not happen: as if the server had not heeded it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    Removal,
    Edit,
    Deletion,
    Silence,
}

/// A record to be asked, by numbers of its own.
#[derive(Clone, Copy, Debug)]
struct Record {
    seed: u64,
    asked: u64,
}

/// The records of a run, one after the other.
struct Records {
    next: Record,
    left: u64,
}

impl Records {
    fn of(asked: u64, seed: u64) -> Self {
        // The usual run has two records, one with a model and one without.
        let of_each = OF_A_RECORD.min(asked.div_ceil(2)).max(1);
        Self { next: Record { seed, asked: of_each }, left: asked }
    }
}

impl Iterator for Records {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        let record = Record { asked: self.next.asked.min(self.left), ..self.next };
        self.left -= record.asked;
        self.next.seed = self.next.seed.wrapping_add(1);
        (record.asked > 0).then_some(record)
    }
}

/// Asks so many times in one record, or until the time is over.
async fn run(record: Record, plant: Option<Plant>, until: Option<Instant>) -> Result<Tally, String> {
    let Record { seed, asked } = record;
    // Every second one has a model, whichever the run began with.
    let mut storm = Storm::begin(seed, seed % 2 == 1, plant).await;
    let mut tally = Tally::default();
    while tally.asked() < asked && !is_over(until) {
        if storm.dice.below(2) == 0 {
            storm.happens().await;
        } else {
            storm.ask(&mut tally).await.map_err(|fault| format!("seed {seed:#x}, {tally:?}: {fault}"))?;
        }
    }
    // Else a hundred of them would go on beside each other.
    storm.world.stop().await;
    Ok(tally)
}

fn is_over(until: Option<Instant>) -> bool {
    until.is_some_and(|until| Instant::now() >= until)
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().map_or(usual, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_finds_or_counts_what_they_may_not_read() {
    let (began, asked) = (Instant::now(), number("CONFAB_LEAK_SEARCHES", ASKED));
    let minutes = number("CONFAB_LEAK_MINUTES", 0);
    let until = (minutes > 0).then(|| began + Duration::from_mins(minutes));
    let mut records = Records::of(asked, number("CONFAB_LEAK_SEED", SEED));
    // In one task: what is asked works in tasks and threads of its own.
    let (mut running, mut whole) = (FuturesUnordered::new(), Tally::default());
    loop {
        while running.len() < AT_ONCE
            && !is_over(until)
            && let Some(record) = records.next()
        {
            running.push(async move { (record.seed, Box::pin(run(record, None, until)).await) });
        }
        let Some((seed, tally)) = running.next().await else { break };
        let tally = tally.unwrap_or_else(|leak| panic!("{leak}"));
        println!("{seed:#x}: {tally:?}, 0 leaks");
        whole += tally;
    }
    // It was worth asking, which few questions alone need not have been: what a record holds when they come is left to chance.
    assert!(whole.hits > whole.searches / 2 && whole.marks > whole.answers / 4, "{whole:?}");
    assert!(whole.prompts > 0 && whole.marks_in_prompts > 0, "{whole:?}");
    let (done, seconds) = (whole.asked(), began.elapsed().as_secs());
    println!("{done} of {asked} questions in {seconds} s, 0 leaks: {whole:?}");
    if done < asked {
        println!("the time is over; go on with: ops/leaks {} {:#x}", asked - done, records.next.seed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leak_of_each_kind_is_noticed() {
    for plant in [Plant::Removal, Plant::Edit, Plant::Deletion, Plant::Silence] {
        let record = Record { seed: SEED, asked: 400 };
        let told = Box::pin(run(record, Some(plant), None)).await;
        assert!(told.is_err(), "{plant:?} went unnoticed: {told:?}");
    }
}
