//! What to mark in a text that was found.

use std::collections::HashSet;
use std::ops::Range;

use super::{Wanted, code, is_pair, is_prefix};
use crate::index::analysis::{Analysis, Word};

/// Folded words that a question asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    pub stems: HashSet<String>,
    /// Stems of the parts of names of code: marked where all of a name's stand together.
    names: Vec<Vec<String>>,
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
                marks.prefixes.extend(analysis.whole(word).pop().map(|it| it.text));
                continue;
            }
            let (parts, whole): (Vec<Word>, Vec<Word>) =
                analysis.stemmed(word).into_iter().partition(|stem| stem.is_part);
            let names = code::names(&parts);
            marks.names.extend(names.map(|name| name.iter().map(|part| part.text.clone()).collect()));
            marks.stems.extend(whole.into_iter().map(|it| it.text));
        }
        for phrase in &self.phrases {
            marks.exact.extend(analysis.whole(phrase).into_iter().map(|it| it.text));
        }
        for text in self.words.iter().chain(&self.phrases) {
            let grams = analysis.grams(text);
            let has_pairs = grams.iter().any(is_pair);
            marks.grams.extend(grams.into_iter().filter(|it| is_pair(it) == has_pairs).map(|it| it.text));
        }
        marks
    }
}

impl Marks {
    /// Where the words stand that are asked for by their stems, among those of a text.
    pub fn by_stem(&self, words: &[Word]) -> Vec<Range<usize>> {
        let stems = words.iter().filter(|word| self.stems.contains(&word.text));
        let names = self.names.iter().flat_map(|name| code::places(name, words));
        stems.map(|word| word.start..word.end).chain(names).collect()
    }
}
