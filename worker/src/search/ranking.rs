//! The order of hits: by words, by meaning, or by both. A part that does not answer is named and done without: somebody who
//! searches while a model is away still finds by words.

use confab_core::Result;
use confab_protocol::MessageId;
use serde::{Deserialize, Serialize};

use super::find::Wanted;
use super::fusion::{self, DEPTH, Lists};
use crate::index::Index;
use crate::index::schema::{FILE, LINK};
use crate::meaning::{self, Meaning};
use crate::vectors::{Near, Nearest, Part};

/// A vector that is farther from the question than this is near to nothing: among a few messages, some are always nearest.
const LEAST_COSINE: f32 = 0.3;
/// The words of an answer for what did not answer.
const WORDS: &str = "words";
const MEANING: &str = "meaning";

/// By what messages are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// By their words.
    #[default]
    Keyword,
    /// By what they mean.
    Semantic,
    /// By both.
    Hybrid,
}

/// What was found, and what could not look.
pub(super) struct Ranking {
    pub ids: Vec<MessageId>,
    pub unavailable: Vec<String>,
}

impl Ranking {
    /// Ranks what is nearest, [`DEPTH`] hits of each list at most.
    ///
    /// # Errors
    /// Those of the index when nothing else could look either.
    pub async fn of(index: &Index, meaning: &Meaning, wanted: &Wanted, mode: Mode) -> Result<Self> {
        let mut unavailable = Vec::new();
        let mut lists = Lists::default();
        // What is quoted must be there word by word, and a filter alone has no meaning.
        let has_meaning = mode != Mode::Keyword && wanted.phrases.is_empty() && !wanted.words.is_empty();
        if has_meaning {
            match meaning.nearest(&wanted.words.join(" "), confined(wanted)).await {
                Ok(near) => lists.meaning = near_enough(&near),
                Err(error) => {
                    tracing::warn!(%error, "a search is answered without vectors");
                    unavailable.push(MEANING.to_owned());
                }
            }
        }
        if !has_meaning || mode == Mode::Hybrid {
            match wanted.ask(index, 0, DEPTH).await {
                Ok((found, _)) => lists.words = found.iter().map(|hit| hit.id).collect(),
                Err(fault) if lists.meaning.is_empty() => return Err(fault),
                Err(fault) => {
                    tracing::warn!(%fault, "a search is answered without words");
                    unavailable.push(WORDS.to_owned());
                }
            }
        }
        let ids = fusion::ranked(lists.fused()).into_iter().map(|(id, _)| id).collect();
        Ok(Self { ids, unavailable })
    }

    /// As many hits from `at` on, and whether there are more.
    pub fn page(&self, at: usize, count: usize) -> (Vec<MessageId>, bool) {
        let rest = self.ids.get(at..).unwrap_or_default();
        (rest[..rest.len().min(count)].to_vec(), rest.len() > count)
    }
}

fn near_enough(near: &[Near]) -> Vec<MessageId> {
    near.iter().filter(|near| near.score >= LEAST_COSINE).map(|near| near.id).collect()
}

/// The same limits as the words have; the vector is the model's to fill in.
fn confined(wanted: &Wanted) -> Nearest {
    let flag = |has: &&str| match *has {
        LINK => meaning::LINK,
        FILE => meaning::FILE,
        // One that vectors do not know must find nothing rather than everything.
        _ => u32::MAX,
    };
    Nearest {
        vector: Vec::new(),
        part: Part::Message,
        channels: wanted.channels.clone(),
        senders: wanted.senders.clone(),
        since: wanted.since,
        until: wanted.until,
        flags: wanted.has.iter().map(flag).fold(0, |all, one| all | one),
        limit: DEPTH,
    }
}
