//! Messages and questions as people write them: drawn from an excerpt of real chat, the same in every run.

use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::Value;

use crate::Result;

/// Seven days of a public channel; `ops/eval/README.md` names its source and its licence (CC BY 4.0).
static CHAT: &[u8] = include_bytes!("../../eval/chat.json.gz");
/// One word in so many is another's, so that a message is said once.
const EXCHANGED: usize = 3;

/// See the module.
pub struct Corpus {
    /// Every word as often as it is said.
    words: Vec<String>,
    /// Where each message begins and ends among them.
    messages: Vec<(usize, usize)>,
}

impl Corpus {
    /// Reads the excerpt.
    pub fn open() -> Result<Self> {
        let mut text = String::new();
        GzDecoder::new(CHAT).read_to_string(&mut text)?;
        let chat: Value = serde_json::from_str(&text)?;
        let mut corpus = Self { words: Vec::new(), messages: Vec::new() };
        let days = chat["days"].as_array().ok_or("an excerpt without days")?;
        for said in days.iter().filter_map(|day| day["messages"].as_array()).flatten() {
            let begin = corpus.words.len();
            corpus
                .words
                .extend(said["text"].as_str().unwrap_or_default().split_whitespace().map(str::to_owned));
            if corpus.words.len() > begin {
                corpus.messages.push((begin, corpus.words.len()));
            }
        }
        if corpus.messages.is_empty() { Err("an excerpt without messages".into()) } else { Ok(corpus) }
    }

    /// Message `number`: another each time, always the same for a number.
    pub fn message(&self, number: u64) -> String {
        let mut dice = Dice::of(number);
        let (begin, end) = self.messages[dice.below(self.messages.len())];
        let said = self.words[begin..end].iter().map(|word| {
            if dice.below(EXCHANGED) == 0 { &self.words[dice.below(self.words.len())] } else { word }
        });
        let mut text = String::new();
        for word in said {
            text.push_str(word);
            text.push(' ');
        }
        text.truncate(text.trim_end().len());
        text
    }

    /// So many words to look for, of letters alone: what people search for is seldom a word of two letters.
    pub fn question(&self, number: u64, count: usize) -> Vec<&str> {
        let mut dice = Dice::of(number ^ 0x5bd1_e995_0000_0000);
        let mut words = Vec::with_capacity(count);
        while words.len() < count {
            let word = self.words[dice.below(self.words.len())].as_str();
            if word.len() > 3 && word.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                words.push(word);
            }
        }
        words
    }
}

struct Dice(u64);

impl Dice {
    fn of(number: u64) -> Self {
        Self(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % bound as u64) as usize
    }
}

#[test]
fn messages_are_many_and_always_the_same() {
    let corpus = Corpus::open().expect("the excerpt");
    let said: std::collections::HashSet<String> = (0..1_000).map(|number| corpus.message(number)).collect();
    // Short ones ("thanks") are said again, as they are.
    assert!(said.len() > 800, "{}", said.len());
    assert_eq!(corpus.message(7), corpus.message(7));
    assert_eq!(corpus.question(3, 5).len(), 5);
    assert!(said.iter().all(|text| !text.is_empty()));
}
