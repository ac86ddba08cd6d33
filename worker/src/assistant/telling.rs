//! What an asker is told while an answer is made: where it stands, its sentences once they were looked through, and their
//! sources.

use std::collections::HashSet;

use confab_core::bus::Listener;
use confab_protocol::ChannelId;
use serde::{Deserialize, Serialize};

use super::passages::Window;
use crate::services::{Answer, Citation};

/// Where an answer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Messages are looked for.
    Searching,
    /// They are read, with what was said around them.
    Reading,
    /// The answer is written.
    Answering,
}

/// What a step deals with, in numbers. What does not belong to it is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// Of [`Step::Searching`]: messages of the index that the answer may be made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
    /// Of [`Step::Searching`]: files with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
    /// Of [`Step::Reading`]: conversations that were found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passages: Option<usize>,
    /// Of [`Step::Reading`]: channels that these stand in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<usize>,
}

impl Extent {
    /// Of what is read.
    pub(super) fn of_windows(windows: &[Window]) -> Self {
        let channels: HashSet<ChannelId> = windows.iter().map(|window| window.channel.id).collect();
        Self { passages: Some(windows.len()), channels: Some(channels.len()), ..Self::default() }
    }
}

/// One piece of news about an answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant)] // on its way to be written, one at a time
pub enum Told {
    /// A step begins.
    Step {
        /// Which.
        step: Step,
        /// What it deals with.
        #[serde(flatten)]
        of: Extent,
    },
    /// A source, told before the first sentence that names it.
    Citation(Citation),
    /// The next sentences, to be put behind those before.
    Text {
        /// With marks such as `[1]`.
        text: String,
    },
    /// All of it, as it is kept: what was told before may be less.
    Done(Answer),
}

/// Tells an asker, if one listens.
#[derive(Clone, Default)]
pub(crate) struct Teller(Option<Listener>);

impl Teller {
    /// Somebody listens.
    pub fn to(listener: Listener) -> Self {
        Self(Some(listener))
    }

    /// Whether anybody hears of the steps: what is only told need not be found out for nobody.
    pub(super) fn is_heard(&self) -> bool {
        self.0.is_some()
    }

    pub(super) async fn step(&self, step: Step, of: Extent) {
        self.say(Told::Step { step, of }).await;
    }

    /// Whoever does not listen is not waited for.
    pub(super) async fn say(&self, told: Told) {
        if let Some(listener) = &self.0 {
            listener.say(serde_json::to_value(told).map_err(confab_core::Fault::internal)).await;
        }
    }
}
