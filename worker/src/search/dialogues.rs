//! Who talks with whom. In a busy channel several conversations run through each other, and what stands before and after a
//! message is often said to somebody else. An answer that names whom it is for ("ada: try sudo") belongs to what these two
//! said to each other. So each message has a dialogue too: what its writer and the one whom it addresses said around it.

use std::collections::HashMap;

use confab_core::{messages::Line, text};
use confab_protocol::UserId;

/// Messages on each side that may belong to a dialogue. Measured in real chat: more find no more.
pub(super) const REACH: i64 = 32;
/// Who comes back to somebody after this long talks of something else.
const LONGEST_MS: u64 = 24 * 3_600 * 1_000;

/// Whom each of some lines addresses, by their places.
pub(super) struct Addressed(Vec<Option<UserId>>);

impl Addressed {
    /// `names` are those of everybody who wrote one of `lines`, as [`text::key`] folds them.
    pub fn of(lines: &[Line], names: &HashMap<String, UserId>) -> Self {
        let by = |line: &Line| {
            let name = addressed(&line.content)?;
            names.get(&text::key(name)).copied().filter(|user| *user != line.sender_id)
        };
        Self(lines.iter().map(by).collect())
    }

    /// The places among `near`, which are those of one channel in their order, that belong to the dialogue of the one at `at`.
    pub fn dialogue(&self, lines: &[Line], near: impl Iterator<Item = usize>, at: usize) -> Vec<usize> {
        let center = &lines[at];
        let (writer, addressee) = (center.sender_id, self.0[at]);
        let belongs = |place: &usize| {
            let line = &lines[*place];
            let is_near = line.number.abs_diff(center.number) <= REACH.unsigned_abs()
                && line.created_at.abs_diff(center.created_at) <= LONGEST_MS;
            let (from, to) = (line.sender_id, self.0[*place]);
            let is_theirs = match addressee {
                Some(other) => {
                    to == Some(other)
                        || (from == writer && to.is_none())
                        || (from == other && to.is_none_or(|to| to == writer))
                }
                None => from == writer || to == Some(writer),
            };
            // What is said in a thread is said there.
            is_near && (*place == at || (is_theirs && line.parent_id.is_none()))
        };
        near.filter(belongs).collect()
    }
}

/// The name that a message begins with, as in "ada: …", "ada, …" and "@ada …"; else the first that it mentions.
fn addressed(content: &str) -> Option<&str> {
    let first = content.split_whitespace().next()?;
    let marked = first.trim_end_matches([':', ',']);
    if marked.len() < first.len() || first.starts_with('@') {
        return Some(marked.trim_start_matches('@')).filter(|name| !name.is_empty());
    }
    let mention = content.split_whitespace().find_map(|word| word.strip_prefix('@'))?;
    // "ask @ada, she knows": marks end a name; points and hyphens may belong to it.
    let name = mention.split([',', ':', ';', '!', '?', ')']).next()?.trim_end_matches('.');
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use confab_protocol::{ChannelId, MessageId};
    use uuid::Uuid;

    const HOUR_MS: i64 = 3_600_000;

    fn user(number: u128) -> UserId {
        UserId(Uuid::from_u128(number))
    }

    fn lines(of: &[(u128, &str)]) -> Vec<Line> {
        let line = |(at, (sender, content)): (usize, &(u128, &str))| Line {
            id: MessageId(Uuid::from_u128(at as u128)),
            channel_id: ChannelId(Uuid::nil()),
            number: at as i64,
            thread: None,
            parent_id: None,
            sender_id: user(*sender),
            content: (*content).to_owned(),
            has_attachments: false,
            created_at: at as i64 * 1_000,
        };
        of.iter().enumerate().map(line).collect()
    }

    #[test]
    fn two_who_talk_are_told_from_others() {
        let names =
            [("ada", 1), ("bob", 2), ("cleo", 3)].map(|(name, id)| (name.to_owned(), user(id))).into();
        let mut lines = lines(&[
            (1, "my disk is full"),
            (3, "the ferry is late"),
            (2, "Ada: which one?"),
            (1, "bob: the second"),
            (3, "ada: look at the harbour"),
            (2, "cleo, later"),
            (2, "try lsblk @ada, it lists them"),
        ]);
        let addressed = Addressed::of(&lines, &names);
        let dialogue = |lines: &[Line], at| addressed.dialogue(lines, 0..lines.len(), at);
        assert_eq!(
            dialogue(&lines, 2),
            [0, 2, 3, 4, 6],
            "what is said to ada, and by her to bob or to nobody"
        );
        assert_eq!(dialogue(&lines, 1), [1, 4, 5], "who names nobody: their own, and what is said to them");
        assert_eq!(dialogue(&lines, 5), [1, 5]);
        lines[0].created_at -= 30 * HOUR_MS;
        assert_eq!(dialogue(&lines, 2), [2, 3, 4, 6], "long before");
        lines[6].number = 100;
        assert_eq!(dialogue(&lines, 2), [2, 3, 4], "far behind");
    }

    #[test]
    fn names_are_read_from_their_marks() {
        for (content, name) in [
            ("ada: try sudo", Some("ada")),
            ("@ada.b, try", Some("ada.b")),
            ("bob|away, yes", Some("bob|away")),
            ("ask @ada. She knows", Some("ada")),
            ("(see @ada)", Some("ada")),
            ("ada try sudo", None),
            (": no", None),
            ("@", None),
            ("", None),
        ] {
            assert_eq!(addressed(content), name, "{content}");
        }
    }
}
