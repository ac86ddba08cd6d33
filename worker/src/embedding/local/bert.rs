//! What a BERT makes of word pieces: each looks at all others of its text, several times over.
//!
//! The products of tables are those of `ndarray`: with the kernel that compares two vectors, every row of a text would read
//! every table from memory anew. Texts are taken together, so that a table that is laid out once serves all of their rows.

use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayViewMut1, Axis, Slice};

use super::Shape;
use super::weights::Weights;

/// A layer's numbers: rows of as many as come in, one row for each that goes out.
struct Linear {
    rows: Array2<f32>,
    bias: Array1<f32>,
}

struct Norm {
    weight: Array1<f32>,
    bias: Array1<f32>,
    epsilon: f32,
}

struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    attended: Linear,
    after_attention: Norm,
    inner: Linear,
    outer: Linear,
    after: Norm,
}

/// See the module.
pub(super) struct Bert {
    words: Array2<f32>,
    /// Of each place, with what all pieces of the first of two sentences have: here there is one.
    places: Array2<f32>,
    norm: Norm,
    layers: Vec<Layer>,
    heads: usize,
}

impl Bert {
    /// Takes the tables that a shape asks for.
    pub fn read(weights: &Weights, shape: &Shape, vocabulary: usize) -> Result<Self, String> {
        let (width, heads) = (shape.hidden_size, shape.num_attention_heads);
        if width == 0 || heads == 0 || !width.is_multiple_of(heads) || shape.max_position_embeddings < 3 {
            return Err("config.json: these sizes make no model".into());
        }
        let table = |name: &str, rows: usize, columns: usize| -> Result<Array2<f32>, String> {
            let numbers = weights.table(name, &[rows, columns])?;
            Array2::from_shape_vec((rows, columns), numbers).map_err(|error| format!("{name}: {error}"))
        };
        let row = |name: &str, length: usize| weights.table(name, &[length]).map(Array1::from_vec);
        let norm = |name: &str| -> Result<Norm, String> {
            let epsilon = shape.layer_norm_eps;
            let (weight, bias) =
                (row(&format!("{name}.weight"), width)?, row(&format!("{name}.bias"), width)?);
            Ok(Norm { weight, bias, epsilon })
        };
        let linear = |name: &str, from: usize, to: usize| -> Result<Linear, String> {
            Ok(Linear {
                rows: table(&format!("{name}.weight"), to, from)?,
                bias: row(&format!("{name}.bias"), to)?,
            })
        };
        // Four times as wide in all models of this kind.
        let inner = width * 4;
        let layer = |at: usize| -> Result<Layer, String> {
            let name = |rest: &str| format!("encoder.layer.{at}.{rest}");
            Ok(Layer {
                query: linear(&name("attention.self.query"), width, width)?,
                key: linear(&name("attention.self.key"), width, width)?,
                value: linear(&name("attention.self.value"), width, width)?,
                attended: linear(&name("attention.output.dense"), width, width)?,
                after_attention: norm(&name("attention.output.LayerNorm"))?,
                inner: linear(&name("intermediate.dense"), width, inner)?,
                outer: linear(&name("output.dense"), inner, width)?,
                after: norm(&name("output.LayerNorm"))?,
            })
        };
        let longest = shape.max_position_embeddings;
        let sentence = table("embeddings.token_type_embeddings.weight", 2, width)?;
        let mut places = table("embeddings.position_embeddings.weight", longest, width)?;
        places += &sentence.row(0);
        Ok(Self {
            words: table("embeddings.word_embeddings.weight", vocabulary, width)?,
            places,
            norm: norm("embeddings.LayerNorm")?,
            layers: (0..shape.num_hidden_layers).map(layer).collect::<Result<_, _>>()?,
            heads,
        })
    }

    /// Pieces of one text, those at its ends too.
    pub fn longest(&self) -> usize {
        self.places.nrows()
    }

    /// Of each text the mean of what becomes of its pieces, of which it has [`Self::longest`] at most.
    pub fn means(&self, texts: &[Vec<u32>]) -> Vec<Vec<f32>> {
        let mut spans: Vec<Range<usize>> = Vec::with_capacity(texts.len());
        for text in texts {
            let begin = spans.last().map_or(0, |before| before.end);
            spans.push(begin..begin + text.len());
        }
        let Some(count) = spans.last().map(|last| last.end) else { return Vec::new() };
        let mut rows = Array2::<f32>::zeros((count, self.words.ncols()));
        for (text, span) in texts.iter().zip(&spans) {
            for (place, piece) in text.iter().enumerate() {
                let mut row = rows.row_mut(span.start + place);
                row += &self.words.row(*piece as usize);
                row += &self.places.row(place);
            }
        }
        self.norm.apply(&mut rows);
        for layer in &self.layers {
            rows = layer.apply(&rows, &spans, self.heads);
        }
        let mean =
            |span: &Range<usize>| rows.slice_axis(Axis(0), Slice::from(span.clone())).mean_axis(Axis(0));
        spans.iter().map(|span| mean(span).unwrap_or_default().to_vec()).collect()
    }
}

impl Layer {
    fn apply(&self, rows: &Array2<f32>, spans: &[Range<usize>], heads: usize) -> Array2<f32> {
        let mut seen = self.attended.apply(&self.attention(rows, spans, heads));
        seen += rows;
        self.after_attention.apply(&mut seen);
        let mut inner = self.inner.apply(&seen);
        inner.mapv_inplace(gelu);
        let mut done = self.outer.apply(&inner);
        done += &seen;
        self.after.apply(&mut done);
        done
    }

    /// What each row takes from all rows of its text, by how well its question fits their keys: in each head by itself.
    fn attention(&self, rows: &Array2<f32>, spans: &[Range<usize>], heads: usize) -> Array2<f32> {
        let (queries, keys, values) = (self.query.apply(rows), self.key.apply(rows), self.value.apply(rows));
        let part = rows.ncols() / heads;
        let scale = 1.0 / (part as f32).sqrt();
        let mut taken = Array2::<f32>::zeros(rows.raw_dim());
        for (span, head) in spans.iter().flat_map(|span| (0..heads).map(move |head| (span, head))) {
            let (down, across) = (Slice::from(span.clone()), Slice::from(head * part..(head + 1) * part));
            let of = |all: &Array2<f32>| all.slice_axis(Axis(0), down).slice_axis(Axis(1), across).to_owned();
            let mut fits = Array2::<f32>::zeros((span.len(), span.len()));
            general_mat_mul(scale, &of(&queries), &of(&keys).t(), 0.0, &mut fits);
            fits.rows_mut().into_iter().for_each(shares);
            let mut of_text = taken.slice_axis_mut(Axis(0), down);
            let mut out = of_text.slice_axis_mut(Axis(1), across);
            general_mat_mul(1.0, &fits, &of(&values), 0.0, &mut out);
        }
        taken
    }
}

impl Linear {
    fn apply(&self, rows: &Array2<f32>) -> Array2<f32> {
        let mut out = Array2::<f32>::zeros((rows.nrows(), self.bias.len()));
        out += &self.bias;
        general_mat_mul(1.0, rows, &self.rows.t(), 1.0, &mut out);
        out
    }
}

impl Norm {
    fn apply(&self, rows: &mut Array2<f32>) {
        let width = self.weight.len() as f32;
        for mut row in rows.rows_mut() {
            let mean = row.sum() / width;
            let spread = row.iter().map(|part| (part - mean).powi(2)).sum::<f32>() / width;
            let scale = 1.0 / (spread + self.epsilon).sqrt();
            for ((part, weight), bias) in row.iter_mut().zip(&self.weight).zip(&self.bias) {
                *part = (*part - mean) * scale * weight + bias;
            }
        }
    }
}

/// Shares of one that grow with how well each fits.
fn shares(mut fits: ArrayViewMut1<'_, f32>) {
    let most = fits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    fits.mapv_inplace(|fit| (fit - most).exp());
    let sum = fits.sum();
    fits /= sum;
}

/// Lets through what is above zero, and a little around it.
fn gelu(value: f32) -> f32 {
    value * 0.5 * (1.0 + erf(value * std::f32::consts::FRAC_1_SQRT_2))
}

/// The error function, to one in a million: Abramowitz and Stegun, 7.1.26.
fn erf(value: f32) -> f32 {
    let near = 1.0 / (1.0 + 0.327_591_1 * value.abs());
    let sum = [1.061_405_4, -1.453_152_1, 1.421_413_8, -0.284_496_72, 0.254_829_6]
        .into_iter()
        .fold(0.0_f32, |sum, part| (sum + part) * near);
    (1.0 - sum * (-value * value).exp()).copysign(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gelu_is_that_of_the_tables() {
        for (value, expected) in
            [(0.0, 0.0), (1.0, 0.841_345), (-1.0, -0.158_655), (3.0, 2.995_95), (-5.0, 0.0)]
        {
            assert!((gelu(value) - expected).abs() < 2e-5, "{value}: {}", gelu(value));
        }
    }
}
