//! What everybody in a run shares: what was found so far, how far it is, and whether a fault is on.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::clocks::Clocks;
use crate::findings::{Findings, Kind};
use crate::question;

/// After a fault, caches refill and clients come back: what is measured as "without a fault" begins so much later.
const SETTLED_AFTER: Duration = Duration::from_secs(3);
/// So much later everything is back, also what is asked for again with growing patience, on a machine that is busy.
const BACK_AFTER: Duration = Duration::from_secs(30);
/// Secrets that are remembered of each sort.
const REMEMBERED: usize = 64;

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
    /// What is known of the servers' clocks.
    pub clocks: Clocks,
    /// Acknowledged posts.
    pub posts: Counter,
    /// When the newest was acknowledged, and the longest time between two.
    silence: Mutex<(Option<Instant>, Duration)>,
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
    /// People brought into a private channel and out again, and questions they asked while outside that were answered as they must
    /// be: all, and by their sort.
    pub races: Counter,
    pub probes: Counter,
    pub refusals: [Counter; question::ALL.len()],
    /// Times that a private channel was everybody's and then private again.
    pub opened: Counter,
    /// Events that the bus was made to say twice.
    pub repeated: Counter,
    /// From request to acknowledgement, without a fault.
    pub acknowledged: Durations,
    /// From the end of a fault to the next acknowledgement.
    pub recovered: Durations,
    /// From the word of a server that goes to its listener being greeted somewhere else.
    pub moved: Durations,
    /// From the end of a session to that of its last socket, without a fault.
    pub revoked: Durations,
    /// Sockets that were greeted while their session ended.
    pub late_greetings: Counter,
    /// Files of private rooms and messages there, each behind its room's id, the newest ones: who is outside asks for them.
    files: Secrets,
    told: Secrets,
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
            clocks: Clocks::default(),
            posts: Counter::default(),
            silence: Mutex::default(),
            ears: Counter::default(),
            heard: Counter::default(),
            retries: Counter::default(),
            resumes: Counter::default(),
            read_anew: Counter::default(),
            too_slow: Counter::default(),
            races: Counter::default(),
            probes: Counter::default(),
            refusals: std::array::from_fn(|_| Counter::default()),
            opened: Counter::default(),
            repeated: Counter::default(),
            acknowledged: Durations::default(),
            recovered: Durations::default(),
            moved: Durations::default(),
            revoked: Durations::default(),
            late_greetings: Counter::default(),
            files: Mutex::default(),
            told: Mutex::default(),
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

    /// One more post is acknowledged.
    pub fn posted(&self) {
        self.posts.add();
        let mut silence = self.silence.lock().unwrap_or_else(PoisonError::into_inner);
        let last = silence.0.replace(Instant::now());
        silence.1 = silence.1.max(last.map_or(Duration::ZERO, |last| last.elapsed()));
    }

    /// The longest time between two acknowledgements.
    pub fn longest_silence(&self) -> Duration {
        self.silence.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    /// A private room has a new file.
    pub fn secret_file(&self, room: Uuid, file: Uuid) {
        remember(&self.files, room, file);
    }

    /// A private room has a new message.
    pub fn secret_message(&self, room: Uuid, message: Uuid) {
        remember(&self.told, room, message);
    }

    /// Some file of a room; `at` chooses.
    pub fn a_file_of(&self, room: Uuid, at: usize) -> Option<Uuid> {
        one_of(&self.files, room, at)
    }

    /// Some message of a room; `at` chooses.
    pub fn a_message_of(&self, room: Uuid, at: usize) -> Option<Uuid> {
        one_of(&self.told, room, at)
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

    /// The same from long before `since`: nothing that a fault has brought about goes on.
    pub fn was_long_calm(&self, since: Instant) -> bool {
        let quiet = *self.quiet_since.lock().unwrap_or_else(PoisonError::into_inner);
        quiet.is_some_and(|quiet| quiet + BACK_AFTER < since)
    }

    /// Sleeps, or less when the run stops.
    pub async fn pause(&self, time: Duration) {
        let _ = self.stop.run_until_cancelled(tokio::time::sleep(time)).await;
    }
}

type Secrets = Mutex<VecDeque<(Uuid, Uuid)>>;

fn remember(secrets: &Secrets, room: Uuid, secret: Uuid) {
    let mut secrets = secrets.lock().unwrap_or_else(PoisonError::into_inner);
    if secrets.len() == REMEMBERED {
        secrets.pop_front();
    }
    secrets.push_back((room, secret));
}

fn one_of(secrets: &Secrets, room: Uuid, at: usize) -> Option<Uuid> {
    let secrets = secrets.lock().unwrap_or_else(PoisonError::into_inner);
    let of_room: Vec<Uuid> = secrets.iter().filter(|it| it.0 == room).map(|it| it.1).collect();
    of_room.get(at % of_room.len().max(1)).copied()
}
