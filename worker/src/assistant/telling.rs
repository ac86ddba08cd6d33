//! What an asker is told while an answer is made: where it stands, its sentences once they were looked through, and their
//! sources.

use confab_core::bus::Listener;
use serde::{Deserialize, Serialize};

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

/// One piece of news about an answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant)] // on its way to be written, one at a time
pub enum Told {
    /// A step begins.
    Step {
        /// Which.
        step: Step,
        /// Of [`Step::Reading`]: conversations that were found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        passages: Option<usize>,
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

    pub(super) async fn step(&self, step: Step, passages: Option<usize>) {
        self.say(Told::Step { step, passages }).await;
    }

    /// Whoever does not listen is not waited for.
    pub(super) async fn say(&self, told: Told) {
        if let Some(listener) = &self.0 {
            listener.say(serde_json::to_value(told).map_err(confab_core::Fault::internal)).await;
        }
    }
}
