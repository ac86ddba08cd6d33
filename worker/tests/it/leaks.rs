//! People come and go, messages are posted, edited and deleted, the assistant is switched off here and there, and somebody
//! asks all the while, before the index and the vectors know: nothing of what they may not read is found, quoted, counted or
//! told to a model. `ops/leaks` asks a hundred thousand times.

mod asking;
mod confidant;
mod storm;
mod truth;

use asking::Tally;
use storm::Storm;

/// Questions of the usual run; `CONFAB_LEAK_SEARCHES` asks for more.
const ASKED: u64 = 300;
/// Questions of one record: then another begins, with its own numbers.
const OF_A_RECORD: u64 = 1_000;
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

/// Asks so many times in one record.
async fn run(seed: u64, asked: u64, has_model: bool, plant: Option<Plant>) -> Result<Tally, String> {
    let mut storm = Storm::begin(seed, has_model, plant).await;
    let mut tally = Tally::default();
    while tally.searches + tally.answers < asked {
        if storm.dice.below(2) == 0 {
            storm.happens().await;
        } else {
            storm.ask(&mut tally).await.map_err(|fault| format!("seed {seed:#x}, {tally:?}: {fault}"))?;
        }
    }
    Ok(tally)
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().map_or(usual, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_finds_or_counts_what_they_may_not_read() {
    let asked = number("CONFAB_LEAK_SEARCHES", ASKED);
    // The usual run has two records, one with a model and one without.
    let of_a_record = OF_A_RECORD.min(asked.div_ceil(2)).max(1);
    let (mut left, mut seed) = (asked, number("CONFAB_LEAK_SEED", SEED));
    let mut whole = Tally::default();
    let mut has_model = true;
    while left > 0 {
        let count = of_a_record.min(left);
        let tally = Box::pin(run(seed, count, has_model, None)).await.unwrap_or_else(|leak| panic!("{leak}"));
        println!("{seed:#x}: {tally:?}, 0 leaks");
        whole += tally;
        left -= count;
        seed = seed.wrapping_add(1);
        has_model = !has_model;
    }
    // It was worth asking, which few questions alone need not have been: what a record holds when they come is left to chance.
    assert!(whole.hits > whole.searches / 2 && whole.marks > whole.answers / 4, "{whole:?}");
    assert!(whole.prompts > 0 && whole.marks_in_prompts > 0, "{whole:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leak_of_each_kind_is_noticed() {
    for plant in [Plant::Removal, Plant::Edit, Plant::Deletion, Plant::Silence] {
        let told = Box::pin(run(SEED, 400, true, Some(plant))).await;
        assert!(told.is_err(), "{plant:?} went unnoticed: {told:?}");
    }
}
