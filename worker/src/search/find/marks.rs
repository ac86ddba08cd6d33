//! What to mark in a text that was found.

use std::collections::HashSet;

use super::{Wanted, is_pair, is_prefix};
use crate::index::analysis::Analysis;

/// Folded words that a question asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    pub stems: HashSet<String>,
    pub exact: HashSet<String>,
    /// Beginnings of words as written.
    pub prefixes: Vec<String>,
    pub grams: HashSet<String>,
}

impl Wanted {
    /// What to mark in a message.
    pub fn marks(&self, analysis: &Analysis) -> Marks {
        let mut marks = Marks::default();
        for word in &self.words {
            if is_prefix(word) {
                marks.prefixes.extend(analysis.exact(word).pop().map(|it| it.text));
                continue;
            }
            marks.stems.extend(analysis.stemmed(word).into_iter().map(|it| it.text));
        }
        for phrase in &self.phrases {
            marks.exact.extend(analysis.exact(phrase).into_iter().map(|it| it.text));
        }
        for text in self.words.iter().chain(&self.phrases) {
            let grams = analysis.grams(text);
            let has_pairs = grams.iter().any(is_pair);
            marks.grams.extend(grams.into_iter().filter(|it| is_pair(it) == has_pairs).map(|it| it.text));
        }
        marks
    }
}
