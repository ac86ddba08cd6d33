//! What an answer may rest on, numbered as it is found: messages, and what tools of plugins answered. What is in here the asker
//! may read; nothing else is shown to a model.

use std::collections::HashMap;
use std::fmt::Write as _;

use confab_core::conversations;
use confab_protocol::{Channel, ChannelId, Message, MessageId, UserId};

use super::passages::Window;
use super::{cite, clean, name_of};
use crate::language_model::tokens_of;
use crate::plugins::Tool;
use crate::services::{Citation, ToolCitation};

/// Of one message, in characters: a pasted log is no conversation.
const OF_A_MESSAGE: usize = 1_500;
/// Of what one tool answered, in characters.
const OF_A_RESULT: u64 = 4_000;
/// Of what all tools answered, in tokens: room of their own, since messages may have filled theirs.
const RESULT_TOKENS: u64 = 6_000;

/// One numbered source.
pub(super) enum Source {
    /// A message.
    Message(Box<Message>),
    /// What a tool of a plugin answered.
    Result {
        /// Which.
        tool: Box<Tool>,
        /// As the model is told it.
        text: String,
        /// The messages that the plugin read for it.
        rests_on: Vec<conversations::Source>,
    },
}

impl Source {
    /// What it says.
    pub fn text(&self) -> &str {
        match self {
            Self::Message(message) => &message.content,
            Self::Result { text, .. } => text,
        }
    }

    /// The messages that must stand as they were: itself, or what it rests on.
    pub fn rests_on(&self) -> Vec<conversations::Source> {
        match self {
            Self::Message(message) => vec![(message.id, message.version)],
            Self::Result { rests_on, .. } => rests_on.clone(),
        }
    }
}

/// The numbered sources of one answer.
pub(super) struct Book {
    asker: UserId,
    channels: HashMap<ChannelId, Channel>,
    sources: Vec<Source>,
    numbers: HashMap<MessageId, u32>,
    tokens_left: u64,
    result_tokens_left: u64,
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
            result_tokens_left: RESULT_TOKENS,
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
            self.sources.push(Source::Message(Box::new(message.clone())));
        }
        text
    }

    /// Adds what a tool answered, as far as there is room, and answers it as a model is told it: one line, in which nothing
    /// numbers itself or begins another.
    pub fn add_result(&mut self, tool: Tool, output: &str, rests_on: Vec<conversations::Source>) -> String {
        // So many characters fit whatever the script.
        let most = OF_A_RESULT.min(self.result_tokens_left * 2 / 3);
        let text = clean::line(output, most as usize);
        if text.is_empty() {
            return if most == 0 { "there is no room for its answer" } else { "it answered nothing" }.into();
        }
        let number = self.sources.len() as u32 + 1;
        let line = format!("[{number}] {}: {text}\n", heading_of(&tool));
        self.result_tokens_left = self.result_tokens_left.saturating_sub(tokens_of(&line));
        self.sources.push(Source::Result { tool: Box::new(tool), text, rests_on });
        line
    }

    /// The source of a number.
    pub fn get(&self, number: u32) -> Option<&Source> {
        self.sources.get((number as usize).checked_sub(1)?)
    }

    /// A source as an answer names it. `None` for a message of which nobody said where it stands.
    pub fn cite(&self, n: u32, source: &Source, quote: &str) -> Option<Citation> {
        match source {
            Source::Message(message) => {
                let channel = self.channels.get(&message.channel_id)?;
                Some(cite(n, message, channel, quote, self.asker))
            }
            Source::Result { tool, .. } => Some(Citation::Tool(ToolCitation {
                n,
                plugin_id: tool.plugin_id.clone(),
                plugin: tool.plugin.clone(),
                tool: tool.name.clone(),
                quote: quote.to_owned(),
            })),
        }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// What may be said of a source beside what it says, on one line.
    pub fn heading_of(&self, source: &Source) -> String {
        match source {
            Source::Message(message) => self.heading(message),
            Source::Result { tool, .. } => heading_of(tool),
        }
    }

    /// When, where and by whom, on one line.
    fn heading(&self, message: &Message) -> String {
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

fn heading_of(tool: &Tool) -> String {
    format!("{} {}", clean::line(&tool.plugin, 60), tool.name)
}
