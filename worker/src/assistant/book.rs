//! The messages that an answer may rest on, numbered as they are found. What is in here the asker may read; nothing else
//! is shown to a model.

use std::collections::HashMap;
use std::fmt::Write as _;

use confab_protocol::{Channel, ChannelId, Message, MessageId, UserId};

use super::passages::Window;
use super::{clean, name_of};
use crate::language_model::tokens_of;

/// Of one message, in characters: a pasted log is no conversation.
const OF_A_MESSAGE: usize = 1_500;

/// One numbered message.
pub(super) struct Source {
    pub message: Message,
    pub channel: ChannelId,
}

/// The numbered messages of one answer.
pub(super) struct Book {
    asker: UserId,
    channels: HashMap<ChannelId, Channel>,
    sources: Vec<Source>,
    numbers: HashMap<MessageId, u32>,
    tokens_left: u64,
}

impl Book {
    /// An empty one that may hold about so many tokens.
    pub fn new(asker: UserId, most_tokens: u64) -> Self {
        Self {
            asker,
            channels: HashMap::new(),
            sources: Vec::new(),
            numbers: HashMap::new(),
            tokens_left: most_tokens,
        }
    }

    /// Adds the messages of a window, as far as there is room, and answers them as a model is told them. Those that it knows already
    /// are named by their number alone.
    pub fn add(&mut self, window: &Window) -> String {
        let mut text = String::new();
        self.channels.insert(window.channel.id, window.channel.clone());
        for message in &window.messages {
            if let Some(number) = self.numbers.get(&message.id) {
                // Writing to a String cannot fail.
                let _ = writeln!(text, "[{number}] (as above)");
                continue;
            }
            let number = self.sources.len() as u32 + 1;
            let line = format!(
                "[{number}] {}: {}\n",
                self.heading(message),
                clean::line(&message.content, OF_A_MESSAGE)
            );
            let tokens = tokens_of(&line);
            if tokens > self.tokens_left {
                break;
            }
            self.tokens_left -= tokens;
            text.push_str(&line);
            self.numbers.insert(message.id, number);
            self.sources.push(Source { message: message.clone(), channel: window.channel.id });
        }
        text
    }

    /// The source of a number.
    pub fn get(&self, number: u32) -> Option<&Source> {
        self.sources.get((number as usize).checked_sub(1)?)
    }

    /// Where it was said.
    pub fn channel(&self, source: &Source) -> Option<&Channel> {
        self.channels.get(&source.channel)
    }

    /// The version of a message that the model was told.
    pub fn version(&self, id: MessageId) -> Option<i64> {
        self.get(*self.numbers.get(&id)?).map(|source| source.message.version)
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// When, where and by whom, on one line.
    pub fn heading(&self, message: &Message) -> String {
        let at: String = message.created_at.to_string().chars().take(16).collect();
        let place = self.channels.get(&message.channel_id).map(|channel| name_of(channel, self.asker));
        let sender = clean::line(&message.sender.username, 100);
        let full_name = message.sender.full_name.as_deref().map(|name| clean::line(name, 100));
        let full_name = full_name.map(|name| format!(" ({name})")).unwrap_or_default();
        format!(
            "{} #{} {sender}{full_name}",
            at.replace('T', " "),
            clean::line(&place.unwrap_or_default(), 100)
        )
    }
}
