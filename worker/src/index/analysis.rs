//! From text to words, the same way for what is indexed, for what is asked, and for what is marked in a snippet.
//!
//! Scripts that put spaces between words give words, stemmed in one field and as written in another. Scripts that do
//! not (Chinese, Japanese, Thai, …) give single characters and pairs, so that any run of them can be found.
//!
//! Every mark ends a word, so `parse_header`, `a-b` and `libssl.so.3` are words that follow each other. What has no mark inside, as
//! `parseHeader`, is one word, and its [`parts`] stand where it stands: phrases count it as one.

mod parts;

use std::ops::Range;

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
    /// It is a part of the word before it that is none, and has that one's number.
    pub is_part: bool,
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

    /// Words by their stems, and their parts.
    pub fn stemmed(&self, text: &str) -> Vec<Word> {
        words_of(self.stemmed.clone(), text)
    }

    /// Words as written, and their parts.
    pub fn exact(&self, text: &str) -> Vec<Word> {
        words_of(self.exact.clone(), text)
    }

    /// Words as written, each as a whole.
    pub fn whole(&self, text: &str) -> Vec<Word> {
        let mut words = self.exact(text);
        words.retain(|word| !word.is_part);
        words
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
    // Number and end of the last one that is no part.
    let mut whole = None;
    let mut stream = analyzer.token_stream(text);
    while let Some(token) = stream.next() {
        let is_part =
            whole.is_some_and(|(position, end)| position == token.position && token.offset_to <= end);
        if !is_part {
            whole = Some((token.position, token.offset_to));
        }
        words.push(Word {
            text: token.text.clone(),
            start: token.offset_from,
            end: token.offset_to,
            position: token.position,
            is_part,
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

/// Runs of letters and digits of scripts with spaces, each followed by its parts if it has any.
#[derive(Clone, Default)]
struct Words {
    token: Token,
}

struct WordStream<'a> {
    text: &'a str,
    letters: std::iter::Peekable<std::str::CharIndices<'a>>,
    /// What is to be given by its parts of the word that was given last.
    parts: Range<usize>,
    token: &'a mut Token,
}

impl WordStream<'_> {
    fn give(&mut self, word: Range<usize>) {
        self.token.offset_from = word.start;
        self.token.offset_to = word.end;
        self.token.text.clear();
        self.token.text.push_str(&self.text[word]);
    }
}

impl Tokenizer for Words {
    type TokenStream<'a> = WordStream<'a>;
    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        self.token.reset();
        WordStream { text, letters: text.char_indices().peekable(), parts: 0..0, token: &mut self.token }
    }
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        if !self.parts.is_empty() {
            let start = self.parts.start;
            self.parts.start += parts::first_part(&self.text[self.parts.clone()]);
            self.give(start..self.parts.start);
            return true;
        }
        let belongs = |letter: char| letter.is_alphanumeric() && !is_unspaced(letter);
        let Some((start, _)) = self.letters.find(|(_, letter)| belongs(*letter)) else { return false };
        while self.letters.next_if(|(_, letter)| belongs(*letter)).is_some() {}
        let end = self.letters.peek().map_or(self.text.len(), |(at, _)| *at);
        self.token.position = self.token.position.wrapping_add(1);
        if parts::has_parts(&self.text[start..end]) {
            self.parts = start..end;
        }
        self.give(start..end);
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
        assert_eq!(texts(&analysis.whole("foo_bar-Baz 日本 v1.2")), ["foo", "bar", "baz", "v1", "2"]);
        let words = analysis.exact("a é—b");
        assert_eq!((words[1].start, words[1].end, words[2].position), (2, 4, 2));
        assert!(analysis.stemmed(&"x".repeat(200)).is_empty());
    }

    #[test]
    fn parts_of_names_stand_where_the_name_does() {
        let analysis = Analysis::default();
        let words = analysis.exact("call parseHTTPResponse2(x), été");
        let read = |word: &Word| (word.text.clone(), word.start..word.end, word.position, word.is_part);
        let expected = [
            ("call", 0..4, 0, false),
            ("parsehttpresponse2", 5..23, 1, false),
            ("parse", 5..10, 1, true),
            ("http", 10..14, 1, true),
            ("response", 14..22, 1, true),
            ("2", 22..23, 1, true),
            ("x", 24..25, 2, false),
            ("ete", 28..33, 3, false),
        ];
        let expected = expected.map(|(text, at, position, is_part)| (text.to_owned(), at, position, is_part));
        assert_eq!(words.iter().map(read).collect::<Vec<_>>(), expected);
        assert_eq!(texts(&analysis.whole("parseURLs of_it")), ["parseurls", "of", "it"]);
        assert_eq!(texts(&analysis.stemmed("CaféOpening")), ["cafeopen", "cafe", "open"]);
        // Scripts without spaces end a name, and are no parts of one.
        assert_eq!(texts(&analysis.exact("打开openFile吧")), ["openfile", "open", "file"]);
        assert!(analysis.grams("打开openFile吧").iter().all(|gram| !gram.is_part));
        // Too long to be a word, but its parts are some.
        let long = format!("{}{}", "Abcdefghij".repeat(11), "End");
        assert_eq!(texts(&analysis.exact(&long)).len(), 12);
    }

    #[test]
    fn unspaced_scripts_give_characters_and_pairs() {
        let analysis = Analysis::default();
        let grams = analysis.grams("abc 日本語、東京");
        assert_eq!(texts(&grams), ["日", "日本", "本", "本語", "語", "東", "東京", "京"]);
        assert!(analysis.grams("plain").is_empty());
    }
}
