//! The model that is part of the program: a table with one vector for each word piece. A text's vector is the sum of its
//! pieces' rows, at length one. It knows no order of words, and needs no network, no key and no second of its reader.

use std::sync::{Arc, OnceLock};

use confab_core::{Fault, Result};
use futures_util::future::{BoxFuture, FutureExt};

use super::word_pieces::WordPieces;
use super::{EmbedError, Embedder, ModelId, Purpose, at_length_one, cut};

/// Made by `ops/embedding/pack_table.py`, which also describes the format.
static FILE: &[u8] = include_bytes!("table.bin");
/// SHA-256 of the file: another table is another model, whose vectors must not be compared with this one's.
pub const CHECKSUM: &str = "d7d1babb7cc3ad789c63a40c06dcc08f58c2d9aad327da7a1a0a14d349d2a3d9";
const MAGIC: &[u8] = b"CFTABLE1";
/// Texts of one call.
const MOST_TEXTS: usize = 256;
/// More texts than these are embedded on a thread that may block: a question must not wait behind them.
const INLINE_TEXTS: usize = 4;

/// The built-in model. Cheap to clone.
#[derive(Clone)]
pub struct Table(Arc<Rows>);

struct Rows {
    id: ModelId,
    vocabulary: &'static str,
    /// Read when the first text comes: three megabytes that an idle server need not have.
    pieces: OnceLock<WordPieces>,
    scales: Vec<f32>,
    /// Row after row, each byte an `i8`.
    bytes: &'static [u8],
    dimensions: usize,
}

impl Table {
    /// The table in the program, one for all who ask.
    ///
    /// # Errors
    /// [`Fault::Internal`] when the program was built with something else in its place.
    pub fn built_in() -> Result<Self> {
        static SHARED: OnceLock<Table> = OnceLock::new();
        if let Some(table) = SHARED.get() {
            return Ok(table.clone());
        }
        let rows = read(FILE).ok_or_else(|| Fault::internal("the built-in table is not one"))?;
        Ok(SHARED.get_or_init(|| Self(Arc::new(rows))).clone())
    }

    /// The vector of one text; all zeros when none of its words are known.
    #[must_use]
    pub fn vector(&self, text: &str) -> Vec<f32> {
        let Rows { vocabulary, pieces, scales, bytes, dimensions, .. } = &*self.0;
        let pieces = pieces.get_or_init(|| WordPieces::new(vocabulary));
        let mut sum = vec![0.0_f32; *dimensions];
        for piece in pieces.of(text) {
            let piece = piece as usize;
            let (Some(row), Some(scale)) =
                (bytes.get(piece * dimensions..(piece + 1) * dimensions), scales.get(piece))
            else {
                continue;
            };
            for (sum, part) in sum.iter_mut().zip(row) {
                *sum += f32::from(part.cast_signed()) * scale;
            }
        }
        at_length_one(sum)
    }
}

impl Embedder for Table {
    fn id(&self) -> &ModelId {
        &self.0.id
    }

    fn most_texts(&self) -> usize {
        MOST_TEXTS
    }

    fn embed(&self, texts: Vec<String>, _: Purpose) -> BoxFuture<'_, Result<Vec<Vec<f32>>, EmbedError>> {
        let table = self.clone();
        let is_inline = texts.len() <= INLINE_TEXTS;
        let all = move || texts.iter().map(|text| table.vector(cut(text))).collect::<Vec<_>>();
        async move {
            if is_inline {
                return Ok(all());
            }
            // Ends early only when the process does.
            tokio::task::spawn_blocking(all).await.map_err(|error| EmbedError::Permanent(error.to_string()))
        }
        .boxed()
    }
}

fn read(file: &'static [u8]) -> Option<Rows> {
    let (head, rest) = file.split_at_checked(MAGIC.len() + 3 * size_of::<u32>())?;
    let numbers = head.strip_prefix(MAGIC)?;
    let mut numbers = numbers.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes) as usize);
    let (count, dimensions, words) = (numbers.next()?, numbers.next()?, numbers.next()?);
    let (vocabulary, rest) = rest.split_at_checked(words)?;
    let (scales, bytes) = rest.split_at_checked(count.checked_mul(size_of::<f32>())?)?;
    let vocabulary = str::from_utf8(vocabulary).ok()?;
    let is_whole = vocabulary.lines().count() == count && bytes.len() == count.checked_mul(dimensions)?;
    is_whole.then(|| Rows {
        id: ModelId::new("built-in", dimensions, CHECKSUM),
        vocabulary,
        pieces: OnceLock::new(),
        scales: scales.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
        bytes,
        dimensions,
    })
}
