//! Hits that say the same: of a thread the best one stands for all, and so does the first of several copies.

use std::collections::HashMap;

use confab_core::messages::Line;
use confab_protocol::MessageId;

/// Of shorter texts, equal ones are no copies: everybody says "thank you" by themselves.
const SHORTEST_COPY_CHARACTERS: usize = 24;

/// A hit and what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gathered {
    pub id: MessageId,
    /// Hits of the same thread behind it.
    pub more_in_thread: u32,
    /// Hits behind it with the same words.
    pub copies: u32,
}

impl Gathered {
    /// A hit that stands for itself.
    pub fn alone(id: MessageId) -> Self {
        Self { id, more_in_thread: 0, copies: 0 }
    }
}

/// Gathers hits that come the best first. All of them may be shown to the asker: so may their number.
pub(super) fn gathered<'l>(hits: impl IntoIterator<Item = &'l Line>) -> Vec<Gathered> {
    let mut all: Vec<Gathered> = Vec::new();
    let mut threads: HashMap<MessageId, usize> = HashMap::new();
    let mut texts: HashMap<String, usize> = HashMap::new();
    for line in hits {
        if let Some(place) = line.thread.and_then(|root| threads.get(&root)) {
            all[*place].more_in_thread += 1;
            continue;
        }
        let text = folded(&line.content);
        if let Some(place) = texts.get(&text) {
            all[*place].copies += 1;
            continue;
        }
        if let Some(root) = line.thread {
            threads.insert(root, all.len());
        }
        if text.chars().count() >= SHORTEST_COPY_CHARACTERS {
            texts.insert(text, all.len());
        }
        all.push(Gathered::alone(line.id));
    }
    all
}

/// A text without what people change when they say a thing again: case, spaces, marks.
fn folded(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use confab_protocol::{ChannelId, UserId};
    use uuid::Uuid;

    fn line(number: u128, thread: Option<u128>, content: &str) -> Line {
        Line {
            id: MessageId(Uuid::from_u128(number)),
            channel_id: ChannelId(Uuid::nil()),
            number: 0,
            thread: thread.map(|root| MessageId(Uuid::from_u128(root))),
            parent_id: None,
            sender_id: UserId(Uuid::nil()),
            content: content.into(),
            has_attachments: false,
            created_at: 0,
        }
    }

    #[test]
    fn threads_and_copies_are_shown_once() {
        let lines = [
            line(1, None, "The server restarts tonight at nine."),
            line(2, Some(9), "nine it is"),
            line(3, None, "the server restarts tonight at NINE!!"),
            line(9, Some(9), "When does it restart?"),
            line(4, None, "thank you"),
            line(5, None, "Thank you!"),
            line(6, Some(9), "The server restarts tonight at nine."),
        ];
        let shown: Vec<(u128, u32, u32)> =
            gathered(&lines).iter().map(|it| (it.id.0.as_u128(), it.more_in_thread, it.copies)).collect();
        assert_eq!(shown, [(1, 0, 1), (2, 2, 0), (4, 0, 0), (5, 0, 0)]);
    }
}
