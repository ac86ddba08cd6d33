//! What is wrong: counted by kind, with the first few told in words.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Examples kept of each kind; the thousandth lost message says no more than the fifth.
const EXAMPLES: usize = 5;

/// The ways in which a promise can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Promised, or due to a listener, and not there.
    Lost,
    /// There twice, or there though nobody asked for it.
    Duplicated,
    /// Not in the order in which it was promised.
    Reordered,
    /// Read by somebody who may not.
    Leaked,
    /// Deleted, or replaced by an edit, and served again.
    Resurrected,
    /// Another text or another event than the one that was promised.
    Altered,
    /// A number that does not count what it says.
    Miscounted,
    /// An answer or a close code that a sound client never deserves.
    Refused,
    /// A session that went on after its end.
    Unrevoked,
    /// No progress though no fault was on, or nothing done of what the run is made for.
    Stuck,
    /// More memory or more open files than what is held can need.
    Grown,
    /// A program of ours panicked or ended by itself.
    Crashed,
}

impl Kind {
    /// All, in the order of the report.
    pub const ALL: [Self; 12] = [
        Self::Lost,
        Self::Duplicated,
        Self::Reordered,
        Self::Leaked,
        Self::Resurrected,
        Self::Altered,
        Self::Miscounted,
        Self::Refused,
        Self::Unrevoked,
        Self::Stuck,
        Self::Grown,
        Self::Crashed,
    ];

    /// Its word in the report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Duplicated => "duplicated",
            Self::Reordered => "reordered",
            Self::Leaked => "leaked",
            Self::Resurrected => "resurrected",
            Self::Altered => "altered",
            Self::Miscounted => "miscounted",
            Self::Refused => "refused",
            Self::Unrevoked => "unrevoked",
            Self::Stuck => "stuck",
            Self::Grown => "grown",
            Self::Crashed => "crashed",
        }
    }
}

/// All that was found in a run. Shared by everybody who watches.
#[derive(Default)]
pub struct Findings(Mutex<BTreeMap<Kind, (u64, Vec<String>)>>);

impl Findings {
    /// Notes one broken promise.
    pub fn note(&self, kind: Kind, what: impl Into<String>) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, examples) = found.entry(kind).or_default();
        *count += 1;
        if examples.len() < EXAMPLES {
            examples.push(what.into());
        }
    }

    /// How many of a kind.
    pub fn count(&self, kind: Kind) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&kind).map_or(0, |it| it.0)
    }

    /// Whether every promise was kept.
    pub fn is_clean(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Kept examples, each with its kind in front.
    pub fn examples(&self) -> Vec<String> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = found.iter().flat_map(|(kind, (_, examples))| {
            examples.iter().map(move |example| format!("{}: {example}", kind.as_str()))
        });
        lines.collect()
    }
}
