//! What a question is about: its words without those that say nothing, each weighed by how rare it is.

use std::collections::{HashMap, HashSet};

use confab_core::Result;
use confab_protocol::ChannelId;
use tantivy::Term;
use tantivy::query::Bm25StatisticsProvider;

use super::stopwords::is_stopword;
use crate::index::Index;
use crate::index::analysis::Analysis;
use crate::search::find::WORDS;

/// No word outweighs all others: in a large index one mistyped word would.
const HEAVIEST: f32 = 6.0;

/// The words of a question and their weights.
#[derive(Clone, Debug, Default)]
pub(super) struct Weights {
    /// The question in a form in which two equal ones are equal.
    folded: String,
    stems: HashMap<String, f32>,
    pairs: HashMap<String, f32>,
    total: f32,
    /// What to put to the index, the heaviest words first.
    pub words: Vec<String>,
    /// It asks for a number, a time or an amount.
    pub wants_number: bool,
}

impl Weights {
    /// Weighs the words of `question` by how rare they are in `channels`.
    pub async fn of(index: &Index, channels: &[ChannelId], question: &str) -> Result<Self> {
        let analysis = index.analysis();
        let mut seen = HashSet::new();
        let mut words: Vec<(String, String)> = Vec::new();
        let mut exact = analysis.exact(question);
        // The number within a name says nothing without the name.
        exact.retain(|word| !word.is_part || word.text.contains(char::is_alphabetic));
        let says_nothing = exact.iter().all(|word| is_stopword(&word.text));
        for word in exact.iter().filter(|word| says_nothing || !is_stopword(&word.text)) {
            // Parts of a name of code are words of their own here.
            for stem in analysis.stemmed(&word.text).into_iter().filter(|stem| !stem.is_part) {
                if seen.insert(stem.text.clone()) {
                    words.push((word.text.clone(), stem.text));
                }
            }
        }
        let pairs: HashSet<String> = pairs_of(analysis, question);
        let fields = index.fields();
        let terms: Vec<Term> = words
            .iter()
            .map(|(_, stem)| Term::from_field_text(fields.body, stem))
            .chain(pairs.iter().map(|pair| Term::from_field_text(fields.grams, pair)))
            .collect();
        let heavy: Vec<f32> = index
            .ask(fields.of_channels(channels), move |_, readable| {
                let all = readable.total_num_docs()? as f32;
                let weight =
                    |held: u64| (1.0 + (all - held as f32 + 0.5).max(0.5) / (held as f32 + 0.5)).ln();
                terms.iter().map(|term| Ok(weight(readable.doc_freq(term)?).min(HEAVIEST))).collect()
            })
            .await?;
        let (of_words, of_pairs) = heavy.split_at(words.len());
        let mut asked: Vec<(&str, f32)> =
            words.iter().map(|(word, _)| word.as_str()).zip(of_words.iter().copied()).collect();
        asked.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(other.0)));
        asked.truncate(WORDS);
        // In the order of the question, so that words which stand together there are looked for together.
        let chosen: HashSet<&str> = asked.iter().map(|(word, _)| *word).collect();
        let mut to_ask: Vec<String> = words
            .iter()
            .map(|(word, _)| word.clone())
            .filter(|word| chosen.contains(word.as_str()))
            .collect();
        if !pairs.is_empty() {
            to_ask.extend(unspaced(question));
        }
        Ok(Self {
            folded: fold(analysis, question),
            total: heavy.iter().sum(),
            stems: words.iter().map(|(_, stem)| stem.clone()).zip(of_words.iter().copied()).collect(),
            pairs: pairs.into_iter().zip(of_pairs.iter().copied()).collect(),
            words: to_ask,
            wants_number: wants_number(&exact.iter().map(|word| word.text.as_str()).collect::<Vec<_>>()),
        })
    }

    /// The words of the question that a text holds.
    pub fn held(&self, analysis: &Analysis, text: &str) -> HashSet<String> {
        let stems =
            analysis.stemmed(text).into_iter().map(|it| it.text).filter(|it| self.stems.contains_key(it));
        let mut held: HashSet<String> = stems.collect();
        if !self.pairs.is_empty() {
            let grams = analysis.grams(text).into_iter().map(|it| it.text);
            held.extend(grams.filter(|it| self.pairs.contains_key(it)));
        }
        held
    }

    /// How much of the question these words are, from 0 to 1.
    pub fn share<'a>(&self, held: impl IntoIterator<Item = &'a String>) -> f32 {
        if self.total <= 0.0 {
            return 0.0;
        }
        let weight = |word: &String| self.stems.get(word).or(self.pairs.get(word)).copied().unwrap_or(0.0);
        held.into_iter().map(weight).sum::<f32>() / self.total
    }

    /// Whether a text is the question itself, asked before.
    pub fn is_same(&self, analysis: &Analysis, text: &str) -> bool {
        !self.folded.is_empty() && fold(analysis, text) == self.folded
    }
}

fn fold(analysis: &Analysis, text: &str) -> String {
    let words = analysis.exact(text).into_iter().chain(analysis.grams(text));
    words.map(|word| word.text).collect::<Vec<_>>().join(" ")
}

fn pairs_of(analysis: &Analysis, text: &str) -> HashSet<String> {
    let grams = analysis.grams(text).into_iter().map(|gram| gram.text);
    grams.filter(|gram| gram.chars().count() == 2).take(64).collect()
}

/// The parts of a question that hold scripts without spaces, cut to what the index is asked at once.
fn unspaced(question: &str) -> impl Iterator<Item = String> {
    let parts = question.split(|letter: char| letter.is_ascii() || !letter.is_alphanumeric());
    parts.filter(|part| !part.is_empty()).take(4).map(|part| part.chars().take(32).collect())
}

fn wants_number(words: &[&str]) -> bool {
    words.contains(&"when")
        || words
            .windows(2)
            .any(|pair| matches!(pair, ["how", "many" | "much" | "long" | "often"] | ["what", "time"]))
        || words.iter().any(|word| matches!(*word, "number" | "version" | "date" | "port" | "price" | "cost"))
}
