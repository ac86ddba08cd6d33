//! The events of a consumer that are not finished: those that wait for their first try, and those set aside.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use confab_protocol::Event;
use tokio::time::Instant;

/// Most failed events that wait at once; then no new ones are read until some are done or buried.
const OUTSTANDING: usize = 256;

/// An event whose time has come.
pub(crate) struct Due {
    pub event: Event,
    pub attempt: u32,
}

/// An event to be tried again.
pub(crate) struct Failed {
    pub at: Instant,
    pub event: Event,
    pub attempt: u32,
}

/// See the module.
pub(crate) struct Backlog {
    waiting: VecDeque<Event>,
    aside: Vec<Failed>,
    /// Positions of all events that were read and are not finished.
    open: BTreeSet<i64>,
    /// How far the log was read.
    read_to: i64,
    /// Since when something is finished that is not written down.
    unnoted_since: Option<Instant>,
}

impl Backlog {
    pub fn new(pos: i64) -> Self {
        Self {
            waiting: VecDeque::new(),
            aside: Vec::new(),
            open: BTreeSet::new(),
            read_to: pos,
            unnoted_since: None,
        }
    }

    pub fn take(&mut self, events: Vec<Event>, read_to: i64) {
        self.open.extend(events.iter().map(|event| event.pos));
        self.waiting.extend(events);
        self.read_to = read_to;
    }

    /// Events up to here concern nobody, but for those that were taken.
    pub fn pass(&mut self, pos: i64) {
        self.read_to = self.read_to.max(pos);
    }

    /// How far the log was read.
    pub fn read_to(&self) -> i64 {
        self.read_to
    }

    /// Events that wait for their first try.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub fn is_full(&self) -> bool {
        self.aside.len() >= OUTSTANDING
    }

    /// What to do now: a retry that is due, or the next event.
    pub fn next(&mut self, now: Instant) -> Option<Due> {
        let due = self.aside.iter().position(|failed| failed.at <= now);
        if let Some(at) = due {
            let Failed { event, attempt, .. } = self.aside.swap_remove(at);
            return Some(Due { event, attempt });
        }
        if self.is_full() {
            return None;
        }
        self.waiting.pop_front().map(|event| Due { event, attempt: 1 })
    }

    pub fn next_retry(&self) -> Option<Instant> {
        self.aside.iter().map(|failed| failed.at).min()
    }

    pub fn set_aside(&mut self, failed: Failed) {
        self.aside.push(failed);
    }

    pub fn done(&mut self, pos: i64) {
        self.open.remove(&pos);
        self.unnoted_since.get_or_insert_with(Instant::now);
    }

    /// Everything up to here is finished.
    pub fn finished_to(&self) -> i64 {
        self.open.first().map_or(self.read_to, |oldest| oldest - 1)
    }

    /// When to write down how far it has come.
    pub fn note_at(&self, after: Duration) -> Option<Instant> {
        self.unnoted_since.map(|since| since + after)
    }

    pub fn noted(&mut self) {
        self.unnoted_since = None;
    }
}
