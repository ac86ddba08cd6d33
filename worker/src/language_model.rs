//! What writes answers in sentences of its own. A model is a [`LanguageModel`]; the one there is asks an endpoint that an
//! operator named, and a test's is a script.
//!
//! A model is told what it may read and nothing else, and what it says is looked through before anybody sees it
//! ([`crate::assistant`]): it may be wrong, and it may do what a message told it to.

mod remote;

use std::sync::Arc;

use confab_core::{Result, Settings};
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use serde_json::Value;

pub use remote::Remote;

/// Who says something in a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// The rules, which are ours.
    Rules(String),
    /// The asker.
    Person(String),
    /// The model, before.
    Model(String),
    /// The model asked for tools, before.
    Calls(Vec<Call>),
    /// What a tool answered to the call of that id.
    Tool {
        /// Of the call.
        id: String,
        /// The answer.
        content: String,
    },
}

/// A tool that a model may ask for.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Letters, digits and `_`.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// A JSON schema of its arguments.
    pub parameters: Value,
}

/// A tool that a model asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// As the model calls it.
    pub id: String,
    /// Of the tool, or of none that there is.
    pub name: String,
    /// JSON, if the model did as it was told.
    pub arguments: String,
}

/// What a model is asked.
#[derive(Clone, Debug, Default)]
pub struct Prompt {
    /// From the first to the last.
    pub said: Vec<Said>,
    /// What it may ask for instead of answering.
    pub tools: Vec<Offer>,
    /// Longest answer, in tokens.
    pub most_tokens: u32,
}

/// A part of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// More text.
    Text(String),
    /// It wants tools first; the last piece but for [`Piece::Used`].
    Calls(Vec<Call>),
    /// What it cost in tokens: of the prompt and of the answer.
    Used(u64, u64),
}

/// Why a model does not answer. For the log: it never holds a key or what was said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the language model does not answer: {0}")]
pub struct ModelError(pub String);

/// The parts of an answer as they come.
pub type Pieces = BoxStream<'static, Result<Piece, ModelError>>;

/// A model that answers in sentences.
pub trait LanguageModel: Send + Sync {
    /// Its name, as people are shown it.
    fn name(&self) -> &str;

    /// Begins to answer. Dropping the pieces stops it. How long it may take the caller says.
    fn answer(&self, prompt: Prompt) -> BoxFuture<'_, Result<Pieces, ModelError>>;

    /// Notes whether it answered in time: one that does not again and again is left alone for a while.
    fn note(&self, has_failed: bool);
}

/// The model that the settings name; `None`: answers are quotations.
///
/// # Errors
/// [`confab_core::Fault::Invalid`] in `llm_base_url` when it cannot be used.
pub fn of(settings: &Settings) -> Result<Option<Arc<dyn LanguageModel>>> {
    Ok(match &settings.language_model {
        None => None,
        Some(model) => Some(Arc::new(Remote::new(model)?)),
    })
}

/// About how many tokens a text is: never much fewer than any model counts, whatever the language.
#[must_use]
pub fn tokens_of(text: &str) -> u64 {
    let ascii = text.bytes().filter(u8::is_ascii).count() as u64;
    let other = text.chars().filter(|letter| !letter.is_ascii()).count() as u64;
    ascii.div_ceil(3) + other * 3 / 2 + 1
}
