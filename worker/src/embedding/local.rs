//! A model in a folder of this machine: a small BERT such as all-MiniLM-L6-v2, in the files that sentence-transformers
//! keeps it in (`config.json`, `vocab.txt`, `model.safetensors` with numbers of 32 bits; `ops/embedding/take_model.py` makes such
//! a folder). It reads whole sentences, where the built-in table knows words, and takes some milliseconds of a processor for each.
//!
//! Computed here: runtimes of models would bring dozens of crates for these two pages.

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
/// Pieces that are computed together: more need more memory and gain nothing.
const TOGETHER: usize = 256;
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
        Self::open_for("embeddings_dir", folder)
    }

    /// The same where another setting names the folder.
    pub(crate) fn open_for(setting: &'static str, folder: &Path) -> Result<Self> {
        read(folder).map(|model| Self(Arc::new(model))).map_err(|reason| {
            Fault::invalid(setting, format!("no model can be read in {}: {reason}", folder.display()))
        })
    }

    /// The vectors of texts, in their order. All zeros for one of which it knows nothing: nearest to nothing.
    #[must_use]
    pub fn vectors(&self, texts: &[impl AsRef<str>]) -> Vec<Vec<f32>> {
        let mut vectors = vec![vec![0.0; self.0.id.dimensions()]; texts.len()];
        let (mut places, mut together, mut count) = (Vec::new(), Vec::new(), 0);
        for (place, text) in texts.iter().enumerate() {
            let pieces = self.pieces(cut(text.as_ref()));
            if pieces.len() > 2 {
                count += pieces.len();
                places.push(place);
                together.push(pieces);
            }
            if count >= TOGETHER || place + 1 == texts.len() {
                for (place, mean) in places.drain(..).zip(self.0.bert.means(&together)) {
                    vectors[place] = at_length_one(mean);
                }
                together.clear();
                count = 0;
            }
        }
        vectors
    }

    /// What the model is told of a text.
    fn pieces(&self, text: &str) -> Vec<u32> {
        let Model { pieces, begin, end, bert, .. } = &*self.0;
        let most = bert.longest().min(MOST_PIECES).saturating_sub(2);
        let inner = pieces.of(text).into_iter().take(most);
        std::iter::once(*begin).chain(inner).chain(std::iter::once(*end)).collect()
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
        async move {
            // Ends early only when the process does.
            tokio::task::spawn_blocking(move || model.vectors(&texts))
                .await
                .map_err(|error| EmbedError::Permanent(error.to_string()))
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
