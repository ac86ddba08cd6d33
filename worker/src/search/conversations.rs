//! What was said around the hits of a search, as conversations: each message's window, and the messages that support it.
//!
//! All of it was read from the record for this search, from channels that the asker may read.

use std::collections::HashMap;
use std::ops::Range;

use confab_core::messages;
use confab_protocol::MessageId;

use super::dialogues::Addressed;
use super::fusion::{SUPPORTERS, Support};
use super::windows;

/// Neighbours to read on each side of a hit: its window's other end has a window too.
pub(super) const REACH: i64 = 2 * windows::NEIGHBOURS as i64;

/// Messages by channel and number.
pub(super) struct Conversations {
    pub lines: Vec<messages::Line>,
    places: HashMap<MessageId, usize>,
    flow: Vec<windows::Line>,
    /// Of each line, those that follow each other in its channel without a hole in what was read.
    runs: Vec<Range<usize>>,
    threads: HashMap<MessageId, Vec<usize>>,
    /// `None`: nobody asks for dialogues.
    addressed: Option<Addressed>,
}

impl Conversations {
    /// `lines` by channel and then ascending by number.
    pub fn of(lines: Vec<messages::Line>, addressed: Option<Addressed>) -> Self {
        let mut threads: HashMap<MessageId, Vec<usize>> = HashMap::new();
        let mut runs: Vec<Range<usize>> = Vec::with_capacity(lines.len());
        for (at, line) in lines.iter().enumerate() {
            if let Some(root) = line.thread {
                threads.entry(root).or_default().push(at);
            }
            // Two who were read for different hits are no neighbours; what was deleted between two leaves them neighbours.
            let begins = at == 0 || {
                let before = &lines[at - 1];
                before.channel_id != line.channel_id || line.number - before.number > REACH
            };
            let from = if begins { at } else { runs[at - 1].start };
            runs.push(from..at + 1);
        }
        for at in (1..runs.len()).rev() {
            if runs[at - 1].start == runs[at].start {
                runs[at - 1].end = runs[at].end;
            }
        }
        let flow = lines.iter().map(|line| windows::Line {
            id: line.id,
            parent_id: line.parent_id,
            created_at: line.created_at,
        });
        Self {
            places: lines.iter().enumerate().map(|(at, line)| (line.id, at)).collect(),
            flow: flow.collect(),
            runs,
            threads,
            addressed,
            lines,
        }
    }

    /// Where a message stands; `None`: it is gone, or the asker may not read it.
    pub fn place(&self, id: MessageId) -> Option<usize> {
        self.places.get(&id).copied()
    }

    /// The places of the window around a message.
    pub fn window(&self, at: usize) -> Vec<usize> {
        let thread = self.lines[at].thread.and_then(|root| self.threads.get(&root));
        let Some(thread) = thread else {
            let run = self.runs[at].clone();
            let window = windows::around(&self.flow[run.clone()], at - run.start);
            return window.into_iter().map(|place| place + run.start).collect();
        };
        let said: Vec<windows::Line> = thread.iter().map(|place| self.flow[*place]).collect();
        let center = thread.partition_point(|place| *place < at);
        windows::around(&said, center).into_iter().map(|place| thread[place]).collect()
    }

    /// The places of the dialogue that a message is part of: a thread is one by itself. Empty where nobody asks for them.
    pub fn dialogue(&self, at: usize) -> Vec<usize> {
        let Some(addressed) = &self.addressed else { return Vec::new() };
        if let Some(thread) = self.lines[at].thread.and_then(|root| self.threads.get(&root)) {
            return thread.clone();
        }
        addressed.dialogue(&self.lines, self.runs[at].clone(), at)
    }

    /// How much the messages around one were found: those of its thread, else of its channel.
    pub fn support(&self, scores: &HashMap<MessageId, f32>, at: usize) -> Support {
        let ids = |places: &mut dyn Iterator<Item = usize>| -> Vec<MessageId> {
            places.map(|place| self.lines[place].id).collect()
        };
        if let Some(thread) = self.lines[at].thread.and_then(|root| self.threads.get(&root)) {
            let center = thread.partition_point(|place| *place < at);
            return Support::of(scores, &ids(&mut thread.iter().copied()), center);
        }
        // By number: what was not read in between was not found either.
        let is_near =
            |place: &usize| self.lines[*place].number.abs_diff(self.lines[at].number) <= SUPPORTERS as u64;
        let from = (self.runs[at].start..at).find(is_near).unwrap_or(at);
        let near = &mut (from..self.runs[at].end).take_while(is_near);
        Support::of(scores, &ids(near), at - from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use confab_protocol::{ChannelId, UserId};
    use uuid::Uuid;

    fn line(channel: u128, number: i64, root: Option<u128>) -> messages::Line {
        let id =
            |number: i64| MessageId(Uuid::from_u128(channel * 1_000 + u128::from(number.unsigned_abs())));
        let root = root.map(|number| id(number as i64));
        messages::Line {
            id: id(number),
            channel_id: ChannelId(Uuid::from_u128(channel)),
            number,
            thread: root,
            parent_id: root.filter(|root| *root != id(number)),
            sender_id: UserId(Uuid::from_u128(1)),
            content: String::new(),
            has_attachments: false,
            created_at: number * 1_000,
        }
    }

    #[test]
    fn a_conversation_ends_where_its_channel_or_what_was_read_does() {
        let of = |channel, numbers: Range<i64>| numbers.map(move |number| line(channel, number, None));
        let lines: Vec<messages::Line> =
            of(1, 1..4).chain(of(1, 20..24)).chain([line(1, 26, None)]).chain(of(2, 24..26)).collect();
        let conversations = Conversations::of(lines, None);
        assert_eq!(conversations.window(0), [0, 1, 2]);
        assert_eq!(conversations.window(3), [3, 4, 5, 6], "what lies between was not read");
        assert_eq!(conversations.window(7), [4, 5, 6, 7], "24 and 25 are deleted");
        assert_eq!(conversations.window(8), [8, 9], "another channel");
        let scores: HashMap<MessageId, f32> = conversations.lines.iter().map(|line| (line.id, 1.0)).collect();
        assert_eq!(conversations.support(&scores, 0), Support { before: 0.0, after: 2.0 });
        assert_eq!(conversations.support(&scores, 4), Support { before: 1.0, after: 3.0 });
        assert_eq!(conversations.support(&scores, 9), Support { before: 1.0, after: 0.0 });
        assert_eq!(conversations.place(conversations.lines[5].id), Some(5));
        assert_eq!(conversations.place(MessageId(Uuid::nil())), None);
    }

    #[test]
    fn a_thread_is_a_conversation_whatever_lies_between() {
        // 1 is the root of 3 and 90; 2 is said in the channel.
        let lines = vec![
            line(1, 1, Some(1)),
            line(1, 2, None),
            line(1, 3, Some(1)),
            line(1, 90, Some(1)),
            line(1, 91, None),
        ];
        let conversations = Conversations::of(lines, None);
        assert_eq!(conversations.window(2), [0, 2, 3]);
        assert_eq!(conversations.window(0), [0, 2, 3]);
        assert_eq!(conversations.window(1), [0, 1]);
        assert_eq!(conversations.window(4), [4]);
        let scores: HashMap<MessageId, f32> = conversations.lines.iter().map(|line| (line.id, 1.0)).collect();
        assert_eq!(conversations.support(&scores, 3), Support { before: 2.0, after: 0.0 });
    }
}
