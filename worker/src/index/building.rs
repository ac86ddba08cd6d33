//! How far the reading of all messages is, for whoever waits for it.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// Messages read and to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Read so far.
    pub done: u64,
    /// About how many there are.
    pub total: u64,
}

/// The building that goes on in this process, if one does.
#[derive(Default)]
pub(crate) struct Building(Mutex<Option<Progress>>);

impl Building {
    pub fn begin(&self, done: u64, total: u64) {
        self.set(|_| Some(Progress { done, total: total.max(done) }));
    }

    pub fn add(&self, done: u64) {
        self.set(|now| {
            now.map(|Progress { done: before, total }| {
                let done = before + done;
                // Messages that came since they were counted.
                Progress { done, total: total.max(done) }
            })
        });
    }

    pub fn end(&self) {
        self.set(|_| None);
    }

    pub fn now(&self) -> Option<Progress> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, change: impl FnOnce(Option<Progress>) -> Option<Progress>) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = change(*now);
    }
}
