//! The judge: compares what was promised with what was heard and with what is served, and believes nobody.
//!
//! It sees evidence only, never a server, and its tests below hand it evidence with a lie in it: a checker that cannot
//! fail proves nothing.

mod delivery;
mod events;
mod figures;
mod promises;
#[cfg(test)]
mod tests;

use crate::evidence::Evidence;
use crate::findings::Findings;

/// What was judged, for the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Acknowledged posts, edits and deletions.
    pub posts: u64,
    pub edits: u64,
    pub deletes: u64,
    /// Events that listeners heard.
    pub deliveries: u64,
    /// Events that a listener who was away did not hear of a stay that was over when they came back; by the rules of the
    /// gateway they hear of their removal only.
    pub cut_short: u64,
}

/// Judges a run.
pub fn check(evidence: &Evidence, findings: &Findings) -> Tally {
    let mut tally = Tally::default();
    promises::check(evidence, findings, &mut tally);
    for heard in &evidence.readers {
        delivery::check(heard, &evidence.record, findings, &mut tally);
    }
    for record in &evidence.record {
        events::check(record, findings);
    }
    figures::check(evidence, findings);
    tally
}
