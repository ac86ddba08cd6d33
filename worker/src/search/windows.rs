//! Conversations around messages. A chat line says little by itself; with the lines around it, it is found by what it is
//! about. A window is a message and up to three neighbours on each side: of its thread if it stands in one, else of what
//! is said in the channel itself, as long as nobody was silent for half an hour.
//!
//! A thread's pauses do not end it: an answer of the next morning is still one to what was asked.

use confab_protocol::MessageId;

/// Neighbours on each side.
pub const NEIGHBOURS: usize = 3;
/// A longer silence in a channel is where one conversation ends and another begins.
pub const LONGEST_SILENCE_MS: i64 = 30 * 60 * 1_000;

/// A message, as far as its place among others goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which.
    pub id: MessageId,
    /// The thread's root that it answers.
    pub parent_id: Option<MessageId>,
    /// In milliseconds since 1970.
    pub created_at: i64,
}

/// The places in `lines` of the window around the one at `at`, in order, itself among them. `lines` are of one channel, in
/// its order, and hold enough around `at`: what is not there is taken not to exist.
#[must_use]
pub fn around(lines: &[Line], at: usize) -> Vec<usize> {
    let Some(line) = lines.get(at) else { return Vec::new() };
    let is_root = line.parent_id.is_none() && lines.iter().any(|it| it.parent_id == Some(line.id));
    let root = if is_root { Some(line.id) } else { line.parent_id };
    let belongs = |it: &Line| match root {
        Some(root) => it.parent_id == Some(root) || it.id == root,
        None => it.parent_id.is_none(),
    };
    let is_close = |one: &Line, next: &Line| {
        root.is_some() || next.created_at.saturating_sub(one.created_at) <= LONGEST_SILENCE_MS
    };
    let mut window = vec![at];
    let mut last = line;
    for place in (0..at).rev().filter(|place| belongs(&lines[*place])).take(NEIGHBOURS) {
        if !is_close(&lines[place], last) {
            break;
        }
        window.push(place);
        last = &lines[place];
    }
    window.reverse();
    last = line;
    for place in (at + 1..lines.len()).filter(|place| belongs(&lines[*place])).take(NEIGHBOURS) {
        if !is_close(last, &lines[place]) {
            break;
        }
        window.push(place);
        last = &lines[place];
    }
    window
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn id(number: u128) -> MessageId {
        MessageId(Uuid::from_u128(number))
    }

    /// Minute and root of each.
    fn lines(of: &[(i64, Option<u128>)]) -> Vec<Line> {
        let line = |(number, (minute, root)): (usize, &(i64, Option<u128>))| Line {
            id: id(number as u128),
            parent_id: root.map(id),
            created_at: minute * 60_000,
        };
        of.iter().enumerate().map(line).collect()
    }

    #[test]
    fn a_window_is_what_is_said_around() {
        let flat =
            lines(&[(0, None), (1, None), (2, None), (3, None), (4, None), (5, None), (6, None), (7, None)]);
        assert_eq!(around(&flat, 4), [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(around(&flat, 0), [0, 1, 2, 3]);
        assert_eq!(around(&flat, 7), [4, 5, 6, 7]);
        assert!(around(&flat, 8).is_empty() && around(&[], 0).is_empty());
    }

    #[test]
    fn a_silence_ends_a_conversation() {
        let silent = lines(&[(0, None), (30, None), (61, None), (62, None)]);
        assert_eq!(around(&silent, 1), [0, 1]);
        assert_eq!(around(&silent, 2), [2, 3]);
    }

    #[test]
    fn a_thread_is_a_conversation_of_its_own_however_slow() {
        // 0 and 2 are roots; 1, 4 and 6 answer 0.
        let mixed = lines(&[
            (0, None),
            (1, Some(0)),
            (2, None),
            (3, None),
            (500, Some(0)),
            (501, None),
            (9_000, Some(0)),
        ]);
        assert_eq!(around(&mixed, 4), [0, 1, 4, 6]);
        assert_eq!(around(&mixed, 0), [0, 1, 4, 6], "the root stands in its thread");
        assert_eq!(around(&mixed, 3), [0, 2, 3], "but is said in the channel too");
    }
}
