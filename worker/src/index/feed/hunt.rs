//! The hunt for the event that the writer dies at.
//!
//! After a death everything up to where the dead writer had come is committed event by event, and the one at which it dies again
//! and again is guilty. Of a full or failing disk it would die at every event, so such deaths count against none.

use tantivy::TantivyError;

use crate::index::hydrate::TRIES;
use crate::index::writer::is_of_the_disk;

/// See the module.
#[derive(Default)]
pub(super) struct Hunt {
    /// How far the log was given to writers.
    given: i64,
    /// Up to here each event is given by itself.
    careful_to: i64,
    /// The event that the writer has by itself now.
    alone: Option<i64>,
    /// The event at which it died by itself last, and how often.
    suspect: Option<(i64, u32)>,
}

impl Hunt {
    /// Whether what follows `applied` is given event by event.
    pub fn is_on(&self, applied: i64) -> bool {
        applied < self.careful_to
    }

    /// A batch that reaches up to `pos` is given. Said before it is: the writer may die while it has a part of it, and the same
    /// batch would come again and again.
    pub fn give(&mut self, pos: i64) {
        self.given = self.given.max(pos);
    }

    /// The event at `pos` is given by itself.
    pub fn give_alone(&mut self, pos: i64) {
        self.alone = Some(pos);
    }

    /// The event that was given by itself is in the index.
    pub fn survived(&mut self) {
        self.alone = None;
    }

    /// The writer died.
    pub fn died(&mut self, error: &TantivyError) {
        let alone = self.alone.take();
        if is_of_the_disk(error) {
            return;
        }
        self.careful_to = self.careful_to.max(self.given);
        if let Some(pos) = alone {
            self.suspect = Some((pos, self.deaths(pos) + 1));
        }
    }

    /// Whether the event at `pos` is not given any more.
    pub fn is_guilty(&self, pos: i64) -> bool {
        self.deaths(pos) >= TRIES
    }

    fn deaths(&self, pos: i64) -> u32 {
        self.suspect.filter(|(suspect, _)| *suspect == pos).map_or(0, |(_, deaths)| deaths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_the_event() -> TantivyError {
        TantivyError::ErrorInThread("it panicked".into())
    }

    fn of_the_disk() -> TantivyError {
        std::io::Error::from_raw_os_error(28).into()
    }

    #[test]
    fn it_goes_on_as_far_as_a_writer_was_given_the_log() {
        let mut hunt = Hunt::default();
        hunt.give(10);
        assert!(!hunt.is_on(0));
        hunt.died(&of_the_disk());
        assert!(!hunt.is_on(0));
        // In the middle of the next batch: none of it is applied.
        hunt.give(20);
        hunt.died(&of_the_event());
        assert!(hunt.is_on(10) && hunt.is_on(19) && !hunt.is_on(20));
        // The log is given again from the last commit on.
        hunt.give(15);
        hunt.died(&of_the_event());
        assert!(hunt.is_on(19) && !hunt.is_on(20));
    }

    #[test]
    fn an_event_is_guilty_of_deaths_while_it_was_alone() {
        let mut hunt = Hunt::default();
        for _ in 0..TRIES {
            assert!(!hunt.is_guilty(5));
            hunt.give_alone(4);
            hunt.survived();
            hunt.give_alone(5);
            hunt.died(&of_the_event());
        }
        assert!(hunt.is_guilty(5) && !hunt.is_guilty(4));
        // With another event, or none.
        hunt.died(&of_the_event());
        assert!(!hunt.is_guilty(4) && !hunt.is_guilty(6));
    }

    #[test]
    fn no_event_is_guilty_of_what_the_disk_did() {
        let mut hunt = Hunt::default();
        for _ in 0..=TRIES {
            hunt.give_alone(5);
            hunt.died(&of_the_disk());
        }
        assert!(!hunt.is_guilty(5));
        hunt.died(&of_the_event());
        assert!(!hunt.is_guilty(5), "it was not with the writer any more");
        for _ in 0..TRIES {
            assert!(!hunt.is_guilty(5));
            hunt.give_alone(5);
            hunt.died(&of_the_event());
        }
        assert!(hunt.is_guilty(5));
    }
}
