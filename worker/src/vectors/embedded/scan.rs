//! The nearest rows, by looking at all that may be found: exact, and a million rows take some twenty milliseconds.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use confab_protocol::MessageId;
use simsimd::SpatialSimilarity;

use super::rows::{Columns, quantised};
use crate::vectors::{Near, Nearest};

/// The order of hits: by score, among equals by id, which later ones have larger.
#[derive(PartialEq)]
struct Ranked(Near);

impl Eq for Ranked {}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.score.total_cmp(&other.0.score).then(self.0.id.cmp(&other.0.id))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// A search on its way over the rows.
pub(super) struct Scan {
    vector: Vec<i8>,
    scale: f32,
    senders: HashSet<[u8; 16]>,
    since: i64,
    until: Option<i64>,
    flags: u32,
    only: Option<HashSet<[u8; 16]>>,
    /// Whether rows are asked for more than where they are.
    has_conditions: bool,
    limit: usize,
    /// The best so far, the worst of them on top.
    best: BinaryHeap<Reverse<Ranked>>,
}

impl Scan {
    pub fn new(wanted: &Nearest) -> Self {
        let (scale, vector) = quantised(&wanted.vector);
        Self {
            vector,
            scale,
            senders: wanted.senders.iter().map(|id| id.0.into_bytes()).collect(),
            since: wanted.since.unwrap_or(i64::MIN),
            until: wanted.until,
            flags: wanted.flags,
            only: wanted.only.as_ref().map(|ids| ids.iter().map(|id| id.0.into_bytes()).collect()),
            has_conditions: !wanted.senders.is_empty()
                || wanted.since.is_some()
                || wanted.until.is_some()
                || wanted.flags != 0
                || wanted.only.is_some(),
            limit: wanted.limit,
            best: BinaryHeap::with_capacity(wanted.limit + 1),
        }
    }

    /// Looks at rows that may be found, but for those that `is_gone` names by their place among them.
    pub fn over(&mut self, columns: Columns<'_>, is_gone: impl Fn(usize) -> bool) {
        if self.scale == 0.0 || self.limit == 0 {
            return;
        }
        for (at, vector) in columns.vectors.chunks_exact(self.vector.len()).enumerate() {
            let scale = columns.scale(at);
            if scale == 0.0 || is_gone(at) || (self.has_conditions && !self.holds(columns, at)) {
                continue;
            }
            // Of equal lengths there always is one.
            let Some(product) = i8::dot(&self.vector, vector) else { continue };
            self.rank(columns.id(at), product as f32 * self.scale * scale);
        }
    }

    fn holds(&self, columns: Columns<'_>, at: usize) -> bool {
        let created_at = i64::from_le_bytes(columns.created[at]);
        created_at >= self.since
            && self.until.is_none_or(|until| created_at < until)
            && u32::from_le_bytes(columns.flags[at]) & self.flags == self.flags
            && (self.senders.is_empty() || self.senders.contains(&columns.senders[at]))
            && self.only.as_ref().is_none_or(|only| only.contains(&columns.ids[at]))
    }

    fn rank(&mut self, id: MessageId, score: f32) {
        let near = Ranked(Near { id, score });
        if self.best.len() == self.limit {
            if self.best.peek().is_some_and(|worst| near <= worst.0) {
                return;
            }
            self.best.pop();
        }
        self.best.push(Reverse(near));
    }

    /// The best, the nearest first.
    pub fn end(self) -> Vec<Near> {
        self.best.into_sorted_vec().into_iter().map(|Reverse(Ranked(near))| near).collect()
    }
}
