//! What a plugin reads while the assistant asks it: nothing that no model may be given, and all of it is remembered, since
//! an answer goes with the messages that it rests on.

use std::sync::{Mutex, PoisonError};

use confab_core::assistant::Switches;
use confab_core::conversations::Source;
use confab_protocol::Message;

use super::BotHost;

/// Messages that one call may be told. What comes behind is left out.
const MOST: usize = 500;

/// See the module. One for each call.
pub(in crate::plugins) struct Reading {
    switches: Switches,
    told: Mutex<Vec<Source>>,
}

impl Reading {
    /// Nothing is told yet.
    pub(in crate::plugins) fn new(switches: Switches) -> Self {
        Self { switches, told: Mutex::default() }
    }

    fn tells(&self, message: &Message) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let may = told.len() < MOST && self.switches.allow(message.channel_id, message.sender_id);
        if may {
            told.push((message.id, message.version));
        }
        may
    }

    fn taken(&self) -> Vec<Source> {
        let mut told = std::mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner));
        told.sort_unstable();
        told.dedup();
        told
    }
}

impl BotHost {
    /// Whether a message that was found is told to the plugin; what is told is noted.
    pub(super) fn may_tell(&self, message: &Message) -> bool {
        self.reading.as_ref().is_none_or(|reading| reading.tells(message))
    }

    /// The messages that the plugin was told in this call, each once, if the assistant asked.
    pub(in crate::plugins) fn told(&self) -> Vec<Source> {
        self.reading.as_ref().map(Reading::taken).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use confab_protocol::MessageId;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn message(channel: Uuid, sender: Uuid) -> Message {
        let author = json!({ "id": sender, "username": "ada", "is_bot": false });
        let value = json!({
            "id": confab_protocol::fresh_id(), "channel_id": channel, "seq": 1, "sender_id": sender, "sender": author, "content": "x", "version": 3,
            "created_at": "2026-11-20T09:20:00Z", "updated_at": "2026-11-20T09:20:00Z", "has_attachments": false,
            "is_bot": false, "mentions": [], "reply_count": 0, "participants": [], "reactions": [], "files": [],
            "blocks": [], "previews": [], "html": "", "url": ""
        });
        serde_json::from_value(value).expect("a message")
    }

    #[test]
    fn what_no_model_may_read_is_not_told_and_the_rest_is_remembered() {
        let (open, closed, ada, silent) = (
            confab_protocol::fresh_id(),
            confab_protocol::fresh_id(),
            confab_protocol::fresh_id(),
            confab_protocol::fresh_id(),
        );
        let (told, of_closed, of_silent) = (message(open, ada), message(closed, ada), message(open, silent));
        let mut switches = Switches::default();
        switches.channels.insert(of_closed.channel_id);
        switches.people.insert(of_silent.sender_id);
        let reading = Reading::new(switches);
        assert!(reading.tells(&told) && reading.tells(&told));
        assert!(!reading.tells(&of_closed) && !reading.tells(&of_silent));
        let expected: Vec<(MessageId, i64)> = vec![(told.id, 3)];
        assert_eq!(reading.taken(), expected);
        // A plugin that reads on and on is told no more at some point.
        let many = (0..MOST + 10).filter(|_| reading.tells(&message(open, ada))).count();
        assert_eq!(many, MOST);
    }
}
