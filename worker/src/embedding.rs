//! From a text to a vector: texts that mean alike lie close together, so that what is asked is found in other words.
//!
//! A provider is an [`Embedder`]. The built-in [`table`] needs nothing; [`remote`] asks an endpoint that speaks the
//! OpenAI API, which an operator names in the settings; [`local`] is a model in a folder of the machine. One is chosen in
//! [`of`], and nothing else needs to know which.
//!
//! Vectors of two models cannot be compared. Whoever keeps vectors keeps them under their model's [`ModelId`].

pub mod local;
pub mod remote;
pub mod table;
mod word_pieces;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use confab_core::config::Embeddings;
use confab_core::{Result, Settings};
use futures_util::future::BoxFuture;
use sha2::{Digest, Sha256};

pub use local::Local;
pub use remote::Remote;
pub use table::Table;

/// What is longer is cut there: a vector says less, the more it is made of.
pub const LONGEST_TEXT_BYTES: usize = 8_192;

/// Which model made a vector: its name, how long its vectors are, and what tells it from another of the same name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ModelId {
    name: String,
    dimensions: usize,
    hash: String,
}

impl ModelId {
    /// `content` tells it from other models of the same name: a file's checksum, an endpoint's address.
    #[must_use]
    pub fn new(name: &str, dimensions: usize, content: &str) -> Self {
        let digest = Sha256::digest(format!("{name}\n{dimensions}\n{content}"));
        let [first, second, third, fourth, ..] = <[u8; 32]>::from(digest);
        let hash = format!("{:08x}", u32::from_be_bytes([first, second, third, fourth]));
        Self { name: name.to_owned(), dimensions, hash }
    }

    /// Numbers of each vector.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }
}

/// Letters, digits and hyphens only: it names folders and collections.
impl fmt::Display for ModelId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.name.chars().take(64) {
            let letter = letter.to_ascii_lowercase();
            fmt::Write::write_char(out, if letter.is_ascii_alphanumeric() { letter } else { '-' })?;
        }
        write!(out, "-{}-{}", self.dimensions, self.hash)
    }
}

/// What a text is embedded for: some models want to know, and a question is not waited for as long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Somebody waits for the answer.
    Query,
    /// What is to be found.
    Passage,
}

/// Why there are no vectors. The texts are for the log; they never hold a key or what was to be embedded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmbedError {
    /// The same call may succeed, but not before `after`.
    #[error("no vectors for now: {reason}")]
    Retryable {
        /// How long to wait at least.
        after: Duration,
        /// What happened.
        reason: String,
    },
    /// These texts will never be embedded by this model.
    #[error("no vectors for these texts: {0}")]
    Permanent(String),
    /// Nothing will be, until an operator changes something.
    #[error("no vectors until the settings are changed: {0}")]
    Misconfigured(String),
}

/// A model that embeds texts.
pub trait Embedder: Send + Sync {
    /// Which model it is; also how long its vectors are.
    fn id(&self) -> &ModelId;

    /// Texts of one call at most.
    fn most_texts(&self) -> usize;

    /// The vectors of `texts`, in their order, each of length one, or all zeros where a text says nothing to the model.
    /// What is longer than [`LONGEST_TEXT_BYTES`] is cut. Ends within a bounded time.
    fn embed(&self, texts: Vec<String>, purpose: Purpose)
    -> BoxFuture<'_, Result<Vec<Vec<f32>>, EmbedError>>;
}

/// The model that the settings name; `None`: they want none.
///
/// # Errors
/// [`confab_core::Fault::Invalid`] in `embeddings_url` or `embeddings_dir` when it cannot be used; [`confab_core::Fault::Internal`] when the
/// program is damaged.
pub fn of(settings: &Settings) -> Result<Option<Arc<dyn Embedder>>> {
    Ok(match &settings.embeddings {
        Embeddings::Off => None,
        Embeddings::BuiltIn => Some(Arc::new(Table::built_in()?)),
        Embeddings::Folder(folder) => Some(Arc::new(Local::open(folder)?)),
        Embeddings::Endpoint(endpoint) => Some(Arc::new(Remote::new(endpoint)?)),
    })
}

/// A text's beginning, cut between two characters.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_TEXT_BYTES)]
}

/// The same direction at length one. What has no direction stays all zeros.
pub(crate) fn at_length_one(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|part| part * part).sum::<f32>().sqrt();
    if length > 0.0 && length.is_finite() {
        for part in &mut vector {
            *part /= length;
        }
    } else {
        vector.fill(0.0);
    }
    vector
}
