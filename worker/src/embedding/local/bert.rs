//! What a BERT makes of word pieces: each looks at all others, several times over.

use simsimd::SpatialSimilarity;

use super::Shape;
use super::weights::Weights;

/// A layer's numbers: rows of as many as come in, one row for each that goes out.
struct Linear {
    rows: Vec<f32>,
    bias: Vec<f32>,
    width: usize,
}

struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
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
    words: Vec<f32>,
    places: Vec<f32>,
    /// Of the first of two sentences: here there is one.
    sentence: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
    heads: usize,
    width: usize,
    longest: usize,
}

impl Bert {
    /// Takes the tables that a shape asks for.
    pub fn read(weights: &Weights, shape: &Shape, vocabulary: usize) -> Result<Self, String> {
        let (width, heads) = (shape.hidden_size, shape.num_attention_heads);
        if width == 0 || heads == 0 || !width.is_multiple_of(heads) || shape.max_position_embeddings < 3 {
            return Err("config.json: these sizes make no model".into());
        }
        let norm = |name: &str| -> Result<Norm, String> {
            Ok(Norm {
                weight: weights.table(&format!("{name}.weight"), &[width])?,
                bias: weights.table(&format!("{name}.bias"), &[width])?,
                epsilon: shape.layer_norm_eps,
            })
        };
        let linear = |name: &str, from: usize, to: usize| -> Result<Linear, String> {
            Ok(Linear {
                rows: weights.table(&format!("{name}.weight"), &[to, from])?,
                bias: weights.table(&format!("{name}.bias"), &[to])?,
                width: from,
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
        let mut sentence = weights.table("embeddings.token_type_embeddings.weight", &[2, width])?;
        sentence.truncate(width);
        Ok(Self {
            words: weights.table("embeddings.word_embeddings.weight", &[vocabulary, width])?,
            places: weights.table("embeddings.position_embeddings.weight", &[longest, width])?,
            sentence,
            norm: norm("embeddings.LayerNorm")?,
            layers: (0..shape.num_hidden_layers).map(layer).collect::<Result<_, _>>()?,
            heads,
            width,
            longest,
        })
    }

    /// Pieces of one text, those at its ends too.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// The mean of what becomes of each piece.
    pub fn mean(&self, pieces: &[u32]) -> Vec<f32> {
        let width = self.width;
        let mut rows = Vec::with_capacity(pieces.len() * width);
        for (place, piece) in pieces.iter().enumerate() {
            let word = &self.words[*piece as usize * width..][..width];
            let place = &self.places[place * width..][..width];
            rows.extend(
                word.iter().zip(place).zip(&self.sentence).map(|((word, place), kind)| word + place + kind),
            );
        }
        self.norm.apply(&mut rows);
        for layer in &self.layers {
            rows = layer.apply(&rows, self.heads, width);
        }
        let mut mean = vec![0.0; width];
        for row in rows.chunks_exact(width) {
            add(&mut mean, row);
        }
        let count = pieces.len() as f32;
        for part in &mut mean {
            *part /= count;
        }
        mean
    }
}

impl Layer {
    fn apply(&self, rows: &[f32], heads: usize, width: usize) -> Vec<f32> {
        let mut seen = self.attended.apply(&self.attention(rows, heads, width));
        add(&mut seen, rows);
        self.after_attention.apply(&mut seen);
        let mut inner = self.inner.apply(&seen);
        for part in &mut inner {
            *part = gelu(*part);
        }
        let mut done = self.outer.apply(&inner);
        add(&mut done, &seen);
        self.after.apply(&mut done);
        done
    }

    /// What each row takes from all rows, by how well its question fits their keys: in each head by itself.
    fn attention(&self, rows: &[f32], heads: usize, width: usize) -> Vec<f32> {
        let (queries, keys, values) = (self.query.apply(rows), self.key.apply(rows), self.value.apply(rows));
        let (count, part) = (rows.len() / width, width / heads);
        let scale = 1.0 / (part as f32).sqrt();
        let mut taken = vec![0.0; rows.len()];
        for (at, head) in (0..count).flat_map(|at| (0..heads).map(move |head| (at, head))) {
            let of = |at: usize| at * width + head * part;
            let query = &queries[of(at)..][..part];
            let mut fits: Vec<f32> =
                (0..count).map(|other| dot(query, &keys[of(other)..][..part]) * scale).collect();
            shares(&mut fits);
            let from = of(at);
            for (other, share) in fits.iter().enumerate() {
                let value = &values[of(other)..][..part];
                for (sum, part) in taken[from..from + part].iter_mut().zip(value) {
                    *sum += share * part;
                }
            }
        }
        taken
    }
}

impl Linear {
    fn apply(&self, rows: &[f32]) -> Vec<f32> {
        let mut out = Vec::with_capacity(rows.len() / self.width * self.bias.len());
        for row in rows.chunks_exact(self.width) {
            let products = self.rows.chunks_exact(self.width).zip(&self.bias);
            out.extend(products.map(|(weights, bias)| dot(row, weights) + bias));
        }
        out
    }
}

impl Norm {
    fn apply(&self, rows: &mut [f32]) {
        let width = self.weight.len();
        for row in rows.chunks_exact_mut(width) {
            let mean = row.iter().sum::<f32>() / width as f32;
            let spread = row.iter().map(|part| (part - mean).powi(2)).sum::<f32>() / width as f32;
            let scale = 1.0 / (spread + self.epsilon).sqrt();
            for ((part, weight), bias) in row.iter_mut().zip(&self.weight).zip(&self.bias) {
                *part = (*part - mean) * scale * weight + bias;
            }
        }
    }
}

fn dot(one: &[f32], other: &[f32]) -> f32 {
    // Of equal lengths there always is one.
    f32::dot(one, other).unwrap_or_default() as f32
}

fn add(to: &mut [f32], more: &[f32]) {
    for (sum, part) in to.iter_mut().zip(more) {
        *sum += part;
    }
}

/// Shares of one that grow with how well each fits.
fn shares(fits: &mut [f32]) {
    let most = fits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for fit in &mut *fits {
        *fit = (*fit - most).exp();
        sum += *fit;
    }
    for fit in fits {
        *fit /= sum;
    }
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
