//! A model in a folder of this machine: a small BERT such as all-MiniLM-L6-v2, in the files that sentence-transformers
//! keeps it in (`config.json`, `vocab.txt`, `model.safetensors` with numbers of 32 bits). It reads whole sentences, where the
//! built-in table knows words, and takes some twenty milliseconds of a processor for each.
//!
//! Computed here, with the kernels that vectors are compared by: runtimes of models would bring dozens of crates for these
//! two pages.

mod bert;
mod weights;

use std::path::Path;
use std::sync::Arc;

use confab_core::{Fault, Result};
use futures_util::future::{BoxFuture, FutureExt};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::word_pieces::WordPieces;
use super::{EmbedError, Embedder, ModelId, Purpose, at_length_one, cut};
use bert::Bert;
use weights::Weights;

/// Texts of one call: each takes a while, and between two calls the process may stop.
const MOST_TEXTS: usize = 16;
/// Pieces of one text; such models were taught with no more.
const MOST_PIECES: usize = 256;
/// The largest model that is read, in bytes.
const LARGEST: u64 = 2 << 30;

/// What a model says of itself.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Shape {
    model_type: String,
    hidden_act: String,
    hidden_size: usize,
    num_attention_heads: usize,
    num_hidden_layers: usize,
    max_position_embeddings: usize,
    layer_norm_eps: f32,
}

/// The model in a folder. Cheap to clone.
#[derive(Clone)]
pub struct Local(Arc<Model>);

struct Model {
    id: ModelId,
    pieces: WordPieces,
    /// What a text begins and ends with.
    begin: u32,
    end: u32,
    bert: Bert,
}

impl Local {
    /// Reads the model. Takes about a second for each 100 MB.
    ///
    /// # Errors
    /// [`Fault::Invalid`] in `embeddings_dir` with what is wrong there.
    pub fn open(folder: &Path) -> Result<Self> {
        read(folder).map(|model| Self(Arc::new(model))).map_err(|reason| {
            Fault::invalid(
                "embeddings_dir",
                format!("no model can be read in {}: {reason}", folder.display()),
            )
        })
    }

    /// The vector of one text.
    #[must_use]
    pub fn vector(&self, text: &str) -> Vec<f32> {
        let Model { pieces, begin, end, bert, .. } = &*self.0;
        let mut numbers = vec![*begin];
        numbers.extend(pieces.of(text).into_iter().take(bert.longest().min(MOST_PIECES).saturating_sub(2)));
        numbers.push(*end);
        if numbers.len() == 2 {
            // Nothing that it knows: nearest to nothing.
            return vec![0.0; self.0.id.dimensions()];
        }
        at_length_one(bert.mean(&numbers))
    }
}

impl Embedder for Local {
    fn id(&self) -> &ModelId {
        &self.0.id
    }

    fn most_texts(&self) -> usize {
        MOST_TEXTS
    }

    fn embed(&self, texts: Vec<String>, _: Purpose) -> BoxFuture<'_, Result<Vec<Vec<f32>>, EmbedError>> {
        let model = self.clone();
        let all = move || texts.iter().map(|text| model.vector(cut(text))).collect::<Vec<_>>();
        async move {
            // Ends early only when the process does.
            tokio::task::spawn_blocking(all).await.map_err(|error| EmbedError::Permanent(error.to_string()))
        }
        .boxed()
    }
}

fn read(folder: &Path) -> Result<Model, String> {
    let file = |name: &str| {
        let path = folder.join(name);
        let size = std::fs::metadata(&path).map_err(|error| format!("{name}: {error}"))?.len();
        if size > LARGEST {
            return Err(format!("{name} is larger than {LARGEST} bytes"));
        }
        std::fs::read(&path).map_err(|error| format!("{name}: {error}"))
    };
    let shape: Shape =
        serde_json::from_slice(&file("config.json")?).map_err(|error| format!("config.json: {error}"))?;
    if shape.model_type != "bert" || shape.hidden_act != "gelu" {
        return Err("config.json: only models of the type bert with gelu are read".into());
    }
    let vocabulary =
        String::from_utf8(file("vocab.txt")?).map_err(|_| "vocab.txt is not UTF-8".to_owned())?;
    let piece = |wanted: &str| -> Result<u32, String> {
        let at = vocabulary.lines().position(|piece| piece == wanted);
        at.and_then(|at| u32::try_from(at).ok()).ok_or_else(|| format!("vocab.txt has no {wanted}"))
    };
    let (begin, end, unknown) = (piece("[CLS]")?, piece("[SEP]")?, piece("[UNK]")?);
    let content = file("model.safetensors")?;
    let checksum = format!("{:?}", <[u8; 32]>::from(Sha256::digest(&content)));
    let weights = Weights::read(content)?;
    let bert = Bert::read(&weights, &shape, vocabulary.lines().count())?;
    Ok(Model {
        id: ModelId::new("local", shape.hidden_size, &checksum),
        // Once for each model that the settings name at a start: it lives as long as the program.
        pieces: WordPieces::new(vocabulary.leak()).with_unknown(unknown),
        begin,
        end,
        bert,
    })
}
