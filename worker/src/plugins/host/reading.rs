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
}

impl BotHost {
    /// Whether a message that was found is told to the plugin; what is told is noted.
    pub(super) fn may_tell(&self, message: &Message) -> bool {
        self.reading.as_ref().is_none_or(|reading| reading.tells(message))
    }

    /// The messages that the plugin was told in this call, each once, if the assistant asked.
    pub(in crate::plugins) fn told(&self) -> Vec<Source> {
        let Some(reading) = &self.reading else { return Vec::new() };
        let mut told = std::mem::take(&mut *reading.told.lock().unwrap_or_else(PoisonError::into_inner));
        told.sort_unstable();
        told.dedup();
        told
    }
}
