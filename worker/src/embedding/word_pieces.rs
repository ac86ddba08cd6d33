//! A text as the numbers of word pieces, as BERT's uncased models take texts apart.
//!
//! Written here rather than taken from the `tokenizers` crate: that one brings a regular expression engine in C and some
//! sixty crates for what are two pages, and answers the same (the tests compare with it).

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// Longer words are no words of any vocabulary: what was encoded, keys, noise.
const LONGEST_WORD_CHARACTERS: usize = 100;
/// How a piece is written that goes on with a word.
const CONTINUES: &str = "##";

/// A vocabulary of pieces, each known by its line.
pub(super) struct WordPieces {
    /// Pieces that begin a word.
    first: HashMap<&'static str, u32>,
    /// Pieces that go on with one, without their mark.
    further: HashMap<&'static str, u32>,
    /// The longest of all, in characters: no longer one needs to be looked up.
    longest: usize,
    /// Stands for a word that cannot be spelled; none: such a word is left out.
    unknown: Option<u32>,
}

impl WordPieces {
    /// Reads a vocabulary, a piece a line.
    pub fn new(vocabulary: &'static str) -> Self {
        let (mut first, mut further, mut longest) = (HashMap::new(), HashMap::new(), 0);
        for (number, piece) in (0_u32..).zip(vocabulary.lines()) {
            let rest = piece.strip_prefix(CONTINUES).filter(|rest| !rest.is_empty());
            longest = longest.max(rest.unwrap_or(piece).chars().count());
            match rest {
                Some(rest) => further.insert(rest, number),
                None => first.insert(piece, number),
            };
        }
        Self { first, further, longest, unknown: None }
    }

    /// With a piece for each word that cannot be spelled.
    pub fn with_unknown(self, piece: u32) -> Self {
        Self { unknown: Some(piece), ..self }
    }

    /// The pieces of a text, in order. A word that they cannot spell to its end gives none, or the unknown one.
    pub fn of(&self, text: &str) -> Vec<u32> {
        let mut pieces = Vec::with_capacity(text.len() / 4);
        let folded = folded(text);
        for word in folded.split(char::is_whitespace) {
            let mut rest = word;
            while !rest.is_empty() {
                let end = rest.find(is_punctuation).unwrap_or(rest.len());
                if end > 0 {
                    self.spell(&rest[..end], &mut pieces);
                }
                rest = &rest[end..];
                let mark = rest.chars().next().map_or(0, char::len_utf8);
                if mark > 0 {
                    self.spell(&rest[..mark], &mut pieces);
                }
                rest = &rest[mark..];
            }
        }
        pieces
    }

    /// The longest piece from each place on.
    fn spell(&self, word: &str, pieces: &mut Vec<u32>) {
        let before = pieces.len();
        let mut rest = word;
        if word.chars().nth(LONGEST_WORD_CHARACTERS).is_some() {
            pieces.extend(self.unknown);
            return;
        }
        while !rest.is_empty() {
            let known = if rest.len() == word.len() { &self.first } else { &self.further };
            let Some((number, end)) = self.longest_in(known, rest) else {
                pieces.truncate(before);
                pieces.extend(self.unknown);
                return;
            };
            pieces.push(number);
            rest = &rest[end..];
        }
    }

    fn longest_in(&self, known: &HashMap<&'static str, u32>, text: &str) -> Option<(u32, usize)> {
        let longest = text.char_indices().nth(self.longest).map_or(text.len(), |(at, _)| at);
        let mut end = longest;
        while end > 0 {
            if let Some(number) = known.get(&text[..end]) {
                return Some((*number, end));
            }
            end -= text[..end].chars().next_back().map_or(end, char::len_utf8);
        }
        None
    }
}

/// Lower case, without accents and control characters, ideographs as words of their own.
fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.chars().filter_map(clean).map(|letter| letter.to_ascii_lowercase()).collect();
    }
    let mut spaced = String::with_capacity(text.len() + text.len() / 4);
    for letter in text.chars().filter_map(clean) {
        if is_ideograph(letter) {
            spaced.extend([' ', letter, ' ']);
        } else {
            spaced.push(letter);
        }
    }
    let is_accent = |letter: &char| letter.general_category() == GeneralCategory::NonspacingMark;
    spaced
        .nfd()
        .filter(|letter| letter.is_ascii() || !is_accent(letter))
        .flat_map(char::to_lowercase)
        .collect()
}

/// `None`: says nothing.
fn clean(letter: char) -> Option<char> {
    use GeneralCategory as G;
    match letter {
        '\t' | '\n' | '\r' => Some(' '),
        '\u{fffd}' => None,
        _ if letter.is_ascii() => (!letter.is_ascii_control()).then_some(letter),
        _ if letter.is_whitespace() && !letter.is_control() => Some(' '),
        _ => match letter.general_category() {
            G::Control | G::Format | G::PrivateUse => None,
            _ => Some(letter),
        },
    }
}

fn is_punctuation(letter: char) -> bool {
    if letter.is_ascii() {
        return letter.is_ascii_punctuation();
    }
    letter.general_category_group() == GeneralCategoryGroup::Punctuation
}

/// As the models have it: Han, neither Kana nor Hangul.
fn is_ideograph(letter: char) -> bool {
    matches!(letter,
        '\u{4E00}'..='\u{9FFF}'
        | '\u{3400}'..='\u{4DBF}'
        | '\u{20000}'..='\u{2A6DF}'
        | '\u{2A700}'..='\u{2B73F}'
        | '\u{2B740}'..='\u{2B81F}'
        | '\u{2B820}'..='\u{2CEAF}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{2F800}'..='\u{2FA1F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_spelled_with_the_longest_pieces() {
        let pieces = WordPieces::new("un\n##aff\n##able\n##a\n.\n東\n##\n#");
        assert_eq!(pieces.of("UNAFFABLE."), [0, 1, 2, 4]);
        assert_eq!(pieces.of("una un\u{200b}a"), [0, 3, 0, 3]);
        assert_eq!(pieces.of("東東"), [5, 5]);
        assert_eq!(
            pieces.of("unz affable un"),
            [0],
            "a word that cannot be spelled to its end is left out whole"
        );
        let with_unknown = WordPieces::new("un\n[UNK]").with_unknown(1);
        assert_eq!(with_unknown.of("un unz un"), [0, 1, 0]);
        assert_eq!(pieces.of("##"), [7, 7], "marks are the vocabulary's, not people's");
        assert!(pieces.of(&format!("un{}", "a".repeat(99))).is_empty());
        assert!(pieces.of(" \t\u{0}\u{301}").is_empty());
    }
}
