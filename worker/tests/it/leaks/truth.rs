//! What is true, kept here without asking anybody, and whether an answer keeps to it.

use std::collections::{BTreeMap, HashMap, HashSet};

use confab_protocol::{ChannelId, MessageId, UserId};
use confab_worker::services::Hit;

/// Behind it stand the digits of a mark: no word that anybody writes.
const MARK: &str = "zq";
const DIGITS: usize = 7;

/// A message as it is now.
pub struct Said {
    pub channel: ChannelId,
    pub thread: Option<MessageId>,
    pub text: String,
}

#[derive(Default)]
pub struct Truth {
    pub people: Vec<UserId>,
    pub members: BTreeMap<ChannelId, HashSet<UserId>>,
    /// Everybody may read these.
    pub open: HashSet<ChannelId>,
    /// Nothing that is said there is for a model or an answer.
    pub silent: HashSet<ChannelId>,
    /// Messages that are there.
    pub said: BTreeMap<MessageId, Said>,
    /// Every mark that was ever written, with its message: it may be gone from there since.
    marks: HashMap<String, MessageId>,
    in_order: Vec<String>,
}

/// Who sees an answer, and what it is.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    pub readers: &'a [UserId],
    /// Made by the assistant: what is silent may not be in it.
    pub is_of_assistant: bool,
    /// What was asked, which an answer may repeat.
    pub question: &'a str,
}

impl Truth {
    pub fn of(people: Vec<UserId>) -> Self {
        Self { people, ..Self::default() }
    }

    pub fn may_read(&self, user: UserId, channel: ChannelId) -> bool {
        self.open.contains(&channel) || self.members[&channel].contains(&user)
    }

    /// A word that stands in one message only, in one form of it.
    pub fn mark(&mut self, of: MessageId) -> String {
        let mark = self.next_mark();
        self.keep(mark.clone(), of);
        mark
    }

    /// The one that [`Self::keep`] comes to know next.
    pub fn next_mark(&self) -> String {
        format!("{MARK}{:0DIGITS$}", self.in_order.len())
    }

    pub fn keep(&mut self, mark: String, of: MessageId) {
        self.marks.insert(mark.clone(), of);
        self.in_order.push(mark);
    }

    /// Every mark that was ever written.
    pub fn marks(&self) -> &[String] {
        &self.in_order
    }

    /// Everybody who may read a channel.
    pub fn readers(&self, channel: ChannelId) -> Vec<UserId> {
        self.people.iter().copied().filter(|user| self.may_read(*user, channel)).collect()
    }

    /// The message where a mark was written.
    pub fn owner(&self, mark: &str) -> Option<MessageId> {
        self.marks.get(mark).copied()
    }

    /// The message where a mark stands now, if somebody may read it.
    pub fn shows(&self, user: UserId, mark: &str) -> Option<MessageId> {
        let id = *self.marks.get(mark)?;
        let said = self.said.get(&id)?;
        (said.text.contains(mark) && self.may_read(user, said.channel)).then_some(id)
    }

    /// A hit is there, as it is now, and stands for no more than the asker may read.
    pub fn check(&self, user: UserId, hit: &Hit) -> Result<(), String> {
        let Some(said) = self.said.get(&hit.message.id) else { return Err("found what is deleted".into()) };
        let text = &said.text;
        holds(self.may_read(user, said.channel), || {
            format!("found in a channel that is not theirs: {text}")
        })?;
        holds(hit.channel.id == said.channel && hit.message.content == *text, || {
            format!("{:?} is {text:?} now", hit.message.content)
        })?;
        let snippet = hit.snippet.replace("<mark>", "").replace("</mark>", "");
        holds(snippet == *text, || format!("a snippet {snippet:?} of {text:?}"))?;
        let readable = self.said.values().filter(|said| self.may_read(user, said.channel));
        let (mut of_thread, mut copies) = (0, 0);
        for other in readable {
            of_thread += u32::from(said.thread.is_some() && other.thread == said.thread);
            copies += u32::from(other.text == *text);
        }
        // Itself is one of both.
        holds(hit.copies < copies.max(1), || format!("{} copies of {text}", hit.copies))?;
        holds(hit.more_in_thread < of_thread.max(1), || format!("{} more beside {text}", hit.more_in_thread))
    }

    /// No mark in a text that its readers may not read now. Answers how many marks there are.
    pub fn scan(&self, text: &str, shown: Shown<'_>) -> Result<u64, String> {
        let mut count = 0;
        for (at, _) in text.match_indices(MARK) {
            let Some(mark) = text.get(at..at + MARK.len() + DIGITS).filter(|it| self.marks.contains_key(*it))
            else {
                continue;
            };
            if shown.question.contains(mark) {
                continue;
            }
            count += 1;
            let hidden = shown.readers.iter().find(|user| self.shows(**user, mark).is_none());
            holds(hidden.is_none(), || format!("{mark} is shown to {hidden:?}: {text}"))?;
            let channel = self.said[&self.marks[mark]].channel;
            holds(!(shown.is_of_assistant && self.silent.contains(&channel)), || {
                format!("{mark} was said where the assistant is off: {text}")
            })?;
        }
        Ok(count)
    }
}

pub fn holds(fact: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if fact { Ok(()) } else { Err(otherwise()) }
}
