//! What a run must have tried before it may be called clean: one in which nobody came back, raced, asked or searched has proven
//! nothing of it. Faults that every storm has are told by the storm itself, which breaks off where one cannot be brought about.

use std::collections::BTreeMap;

use crate::arguments::Mode;
use crate::board::Board;
use crate::checker::Tally;
use crate::evidence::Search;
use crate::question;

/// So many things happened that each of a few sorts, every one as likely, came among them for certain.
const MANY: u64 = 500;

/// What was tried.
pub struct Tried<'a> {
    pub mode: Mode,
    pub board: &'a Board,
    /// How often each kind of fault happened.
    pub faults: &'a BTreeMap<&'static str, u64>,
    pub tally: Tally,
    pub searches: &'a [Search],
}

impl Tried<'_> {
    /// What never happened though it had to, in words.
    pub fn missing(&self) -> Vec<String> {
        let Self { board, tally, .. } = self;
        let happened = |fault: &str| self.faults.contains_key(fault);
        let searched = |of: fn(&Search) -> bool| self.searches.iter().filter(|it| of(it)).count() as u64;
        let all = [
            // A killed server takes its listeners' lines along; where there is one server, everybody's.
            ("came back by resume", happened("kill"), board.resumes.get()),
            ("was brought into a room and out again", true, board.races.get()),
            ("was refused from outside", true, board.probes.get()),
            ("opened a private room", true, board.opened.get()),
            // A fifth of all events is repeated.
            (
                "heard the bus repeat itself",
                self.mode == Mode::Scaled && tally.posts >= MANY,
                board.repeated.get(),
            ),
            // Where there are two, everybody may have been at the other one.
            (
                "was sent away by a server that went",
                self.mode == Mode::Embedded && happened("drain"),
                board.moved.count() as u64,
            ),
            ("searched for what is there", tally.posts > tally.deletes, searched(|it| it.expected.is_some())),
            (
                "searched for what is gone",
                tally.edits + tally.deletes > 0,
                searched(|it| it.expected.is_none() && !it.is_forbidden),
            ),
            ("searched for what they may not read", true, searched(|it| it.is_forbidden)),
        ];
        let missing = all.into_iter().filter(|(_, is_due, count)| *is_due && *count == 0);
        missing.map(|(what, ..)| format!("nobody {what}")).chain(self.unasked()).collect()
    }

    /// Questions that were never answered as they must be, in so many that were.
    fn unasked(&self) -> impl Iterator<Item = String> {
        let is_due = self.board.probes.get() >= MANY;
        let each = question::ALL.iter().zip(&self.board.refusals);
        let never = each.filter(move |(_, count)| is_due && count.get() == 0);
        never.map(|(question, _)| format!("nobody was refused from outside by {}", question.path()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(mode: Mode, board: &Board, fault: &'static str, searches: &[Search]) -> usize {
        let faults = BTreeMap::from([(fault, 1)]);
        let tally = Tally { posts: MANY, edits: 9, deletes: 5, ..Tally::default() };
        Tried { mode, board, faults: &faults, tally, searches }.missing().len()
    }

    #[test]
    fn what_was_not_tried_is_told() {
        let board = Board::default();
        assert_eq!(missing(Mode::Embedded, &board, "kill", &[]), 7);
        assert_eq!(missing(Mode::Embedded, &board, "drain", &[]), 7);
        assert_eq!(missing(Mode::Scaled, &board, "pause", &[]), 7);
        for counter in [&board.resumes, &board.races, &board.opened, &board.repeated] {
            counter.add();
        }
        for _ in 0..MANY {
            board.probes.add();
        }
        assert_eq!(missing(Mode::Scaled, &board, "kill", &[]), 3 + question::ALL.len());
        for refusal in &board.refusals {
            refusal.add();
        }
        let search = |expected, is_forbidden| Search {
            words: String::new(),
            expected,
            found: Vec::new(),
            total: 0,
            goes_on: false,
            is_forbidden,
        };
        let searches = [search(Some(uuid::Uuid::nil()), false), search(None, false), search(None, true)];
        assert_eq!(missing(Mode::Scaled, &board, "kill", &searches), 0);
    }
}
