//! From text to words, the same way for what is indexed, for what is asked, and for what is marked in a snippet.
//!
//! Scripts that put spaces between words give words, stemmed in one field and as written in another. Scripts that do
//! not (Chinese, Japanese, Thai, …) give single characters and pairs, so that any run of them can be found.

use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RemoveLongFilter, Stemmer, TextAnalyzer, Token, TokenStream,
    Tokenizer, TokenizerManager,
};

/// The names under which the schema knows them.
pub const STEMMED: &str = "confab_stemmed";
/// Words as written, but for case and accents.
pub const EXACT: &str = "confab_exact";
/// Characters and pairs of scripts without spaces.
pub const GRAMS: &str = "confab_grams";

/// Longer ones are no words: encoded files and keys would fill the dictionary.
const LONGEST_WORD_BYTES: usize = 100;
/// Between two runs, so that no pair phrase reaches from one to the next.
const GAP: usize = 8;

/// A piece of a text in the form in which it is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Folded, and stemmed where asked.
    pub text: String,
    /// Where it stands in the text, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// Its number in the text.
    pub position: usize,
}

/// The three ways to take a text apart. Cheap to clone.
#[derive(Clone)]
pub struct Analysis {
    stemmed: TextAnalyzer,
    exact: TextAnalyzer,
    grams: TextAnalyzer,
}

impl Default for Analysis {
    fn default() -> Self {
        let words = || {
            TextAnalyzer::builder(Words::default())
                .filter(RemoveLongFilter::limit(LONGEST_WORD_BYTES))
                .filter(LowerCaser)
                .filter(AsciiFoldingFilter)
        };
        Self {
            stemmed: words().filter(Stemmer::new(Language::English)).build(),
            exact: words().build(),
            grams: TextAnalyzer::builder(Grams::default()).build(),
        }
    }
}

impl Analysis {
    /// Makes them known under their names.
    pub fn register(&self, manager: &TokenizerManager) {
        manager.register(STEMMED, self.stemmed.clone());
        manager.register(EXACT, self.exact.clone());
        manager.register(GRAMS, self.grams.clone());
    }

    /// Words by their stems.
    pub fn stemmed(&self, text: &str) -> Vec<Word> {
        words_of(self.stemmed.clone(), text)
    }

    /// Words as written.
    pub fn exact(&self, text: &str) -> Vec<Word> {
        words_of(self.exact.clone(), text)
    }

    /// Characters and pairs of scripts without spaces.
    pub fn grams(&self, text: &str) -> Vec<Word> {
        if text.is_ascii() {
            return Vec::new();
        }
        words_of(self.grams.clone(), text)
    }
}

fn words_of(mut analyzer: TextAnalyzer, text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut stream = analyzer.token_stream(text);
    while let Some(token) = stream.next() {
        words.push(Word {
            text: token.text.clone(),
            start: token.offset_from,
            end: token.offset_to,
            position: token.position,
        });
    }
    words
}

/// Letters of scripts that are written without spaces between words.
fn is_unspaced(letter: char) -> bool {
    matches!(letter,
        '\u{0E00}'..='\u{0EFF}'      // Thai, Lao
        | '\u{1000}'..='\u{109F}'    // Myanmar
        | '\u{1100}'..='\u{11FF}'    // Hangul Jamo
        | '\u{1780}'..='\u{17FF}'    // Khmer
        | '\u{3005}'..='\u{3007}'
        | '\u{3040}'..='\u{30FF}'    // Hiragana, Katakana
        | '\u{3100}'..='\u{318F}'    // Bopomofo, Hangul compatibility
        | '\u{31A0}'..='\u{31FF}'
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' // Han
        | '\u{AC00}'..='\u{D7FF}'    // Hangul
        | '\u{FF66}'..='\u{FF9F}'    // half-width Katakana
        | '\u{20000}'..='\u{323AF}') // Han
        && letter != '\u{30FB}'
}

/// Runs of letters and digits of scripts with spaces.
#[derive(Clone, Default)]
struct Words {
    token: Token,
}

struct WordStream<'a> {
    text: &'a str,
    letters: std::iter::Peekable<std::str::CharIndices<'a>>,
    token: &'a mut Token,
}

impl Tokenizer for Words {
    type TokenStream<'a> = WordStream<'a>;
    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        self.token.reset();
        WordStream { text, letters: text.char_indices().peekable(), token: &mut self.token }
    }
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        let belongs = |letter: char| letter.is_alphanumeric() && !is_unspaced(letter);
        let Some((start, _)) = self.letters.find(|(_, letter)| belongs(*letter)) else { return false };
        while self.letters.next_if(|(_, letter)| belongs(*letter)).is_some() {}
        let end = self.letters.peek().map_or(self.text.len(), |(at, _)| *at);
        self.token.position = self.token.position.wrapping_add(1);
        self.token.offset_from = start;
        self.token.offset_to = end;
        self.token.text.clear();
        self.token.text.push_str(&self.text[start..end]);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

/// Every character of a run, and every pair, at the character's position.
#[derive(Clone, Default)]
struct Grams {
    token: Token,
}

struct GramStream<'a> {
    text: &'a str,
    /// Start, end and position, in order of position.
    grams: std::vec::IntoIter<(usize, usize, usize)>,
    token: &'a mut Token,
}

impl Tokenizer for Grams {
    type TokenStream<'a> = GramStream<'a>;
    fn token_stream<'a>(&'a mut self, text: &'a str) -> GramStream<'a> {
        self.token.reset();
        let mut grams = Vec::new();
        let mut before: Option<(usize, usize)> = None;
        let mut position = 0;
        for (start, letter) in text.char_indices() {
            if is_unspaced(letter) {
                let end = start + letter.len_utf8();
                if let Some((earlier, place)) = before {
                    grams.push((earlier, end, place));
                }
                grams.push((start, end, position));
                before = Some((start, position));
                position += 1;
            } else if before.take().is_some() {
                position += GAP;
            }
        }
        // A pair is known only at its second character, but belongs to the first.
        grams.sort_by_key(|(_, _, position)| *position);
        GramStream { text, grams: grams.into_iter(), token: &mut self.token }
    }
}

impl TokenStream for GramStream<'_> {
    fn advance(&mut self) -> bool {
        let Some((start, end, position)) = self.grams.next() else { return false };
        self.token.position = position;
        self.token.offset_from = start;
        self.token.offset_to = end;
        self.token.text.clear();
        self.token.text.push_str(&self.text[start..end]);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(words: &[Word]) -> Vec<&str> {
        words.iter().map(|word| word.text.as_str()).collect()
    }

    #[test]
    fn words_are_folded_and_stemmed() {
        let analysis = Analysis::default();
        assert_eq!(texts(&analysis.stemmed("The offices OPENED, café!")), ["the", "offic", "open", "cafe"]);
        assert_eq!(texts(&analysis.exact("foo_bar-Baz 日本 v1.2")), ["foo", "bar", "baz", "v1", "2"]);
        let words = analysis.exact("a é—b");
        assert_eq!((words[1].start, words[1].end, words[2].position), (2, 4, 2));
        assert!(analysis.stemmed(&"x".repeat(200)).is_empty());
    }

    #[test]
    fn unspaced_scripts_give_characters_and_pairs() {
        let analysis = Analysis::default();
        let grams = analysis.grams("abc 日本語、東京");
        assert_eq!(texts(&grams), ["日", "日本", "本", "本語", "語", "東", "東京", "京"]);
        assert!(analysis.grams("plain").is_empty());
    }
}
