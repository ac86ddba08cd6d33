//! Whether a sentence that a model wrote says what the messages, and the answers of tools, say that it cites. What does not is dropped before anybody
//! sees it: a model invents, and does what a message told it to.

use std::collections::HashSet;

use super::extract::{QUOTE_CHARACTERS, sentences};
use super::stopwords::is_stopword;
use crate::embedding::{Table, at_length_one};
use crate::index::analysis::Analysis;

/// So much of a sentence's words in what it cites is support enough.
const ENOUGH_WORDS: f32 = 0.5;
/// With fewer words it must mean alike.
const SOME_WORDS: f32 = 0.25;
const ALIKE: f32 = 0.45;
/// Without a word in common it must mean nearly the same.
const VERY_ALIKE: f32 = 0.7;
/// A source among several that gives less is not one.
const OWN_WORDS: f32 = 0.15;
const OWN_ALIKE: f32 = 0.35;
/// Words in quotation marks are a quotation from so many on.
const QUOTED_WORDS: usize = 3;

/// What looks sentences through.
#[derive(Clone)]
pub(super) struct Verifier {
    pub analysis: Analysis,
    pub table: Table,
}

/// A source with what may be said of it.
pub(super) struct Evidence<'a> {
    /// What it says.
    pub text: &'a str,
    /// Of a message its sender, channel and time, in words; of a tool its name.
    pub heading: String,
}

impl Verifier {
    /// The sources, by place, on which `sentence` rests; none: on nothing. `question` may be repeated freely.
    pub fn supporting(&self, sentence: &str, question: &str, cited: &[Evidence<'_>]) -> Vec<usize> {
        let words = self.telling(sentence);
        if words.is_empty() || cited.is_empty() {
            return Vec::new();
        }
        let texts: Vec<String> = cited.iter().map(|it| format!("{} {}", it.heading, it.text)).collect();
        if !holds_numbers(sentence, &texts, question) || !holds_quotes(sentence, cited) {
            return Vec::new();
        }
        let held: Vec<HashSet<String>> = texts.iter().map(|text| self.telling(text)).collect();
        let share = |held: &HashSet<String>| words.intersection(held).count() as f32 / words.len() as f32;
        let all: HashSet<String> = held.iter().flatten().cloned().collect();
        let vector = self.vector(sentence);
        let alike: Vec<f32> = cited.iter().map(|it| product(&vector, &self.vector(it.text))).collect();
        let (shared, most_alike) = (share(&all), alike.iter().copied().fold(0.0, f32::max));
        let is_supported = shared >= ENOUGH_WORDS
            || (shared >= SOME_WORDS && most_alike >= ALIKE)
            || most_alike >= VERY_ALIKE;
        if !is_supported {
            return Vec::new();
        }
        // By what it says itself: its author and channel are those of many others.
        let own = |at: usize| share(&self.telling(cited[at].text));
        let gives = |at: &usize| own(*at) >= OWN_WORDS || alike[*at] >= OWN_ALIKE;
        (0..cited.len()).filter(gives).collect()
    }

    /// The part of a text that says what `sentence` says, as it stands there.
    pub fn quote<'t>(&self, sentence: &str, text: &'t str) -> &'t str {
        let content = text.trim();
        if content.chars().count() <= QUOTE_CHARACTERS {
            return content;
        }
        let words = self.telling(sentence);
        let shared = |text: &str| self.telling(text).intersection(&words).count();
        let best = sentences(content)
            .into_iter()
            .max_by(|one, other| {
                let (first, second) = (shared(&content[one.clone()]), shared(&content[other.clone()]));
                first.cmp(&second).then(other.start.cmp(&one.start))
            })
            .map_or(content, |range| &content[range]);
        let end = best.char_indices().nth(QUOTE_CHARACTERS).map_or(best.len(), |(at, _)| at);
        best[..end].trim()
    }

    /// The words of a text that say something, and the pairs of characters of scripts without spaces.
    fn telling(&self, text: &str) -> HashSet<String> {
        let stems = self.analysis.exact(text).into_iter().filter(|word| !is_stopword(&word.text));
        let stems = stems.flat_map(|word| self.analysis.stemmed(&word.text)).map(|word| word.text);
        let pairs = self.analysis.grams(text).into_iter().map(|word| word.text);
        stems.chain(pairs.filter(|text| text.chars().count() == 2)).collect()
    }

    fn vector(&self, text: &str) -> Vec<f32> {
        let end = text.floor_char_boundary(crate::embedding::LONGEST_TEXT_BYTES);
        at_length_one(self.table.vector(&text[..end]))
    }
}

fn product(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

/// Every number of the sentence stands in a source, or was asked for.
fn holds_numbers(sentence: &str, texts: &[String], question: &str) -> bool {
    let known: HashSet<&str> = texts.iter().flat_map(|text| numbers(text)).chain(numbers(question)).collect();
    // What counts an item of a list is no claim.
    let body = sentence.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let body = if body.starts_with(['.', ')']) { body } else { sentence };
    numbers(body).all(|number| known.contains(number))
}

fn numbers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_digit()).filter(|part| !part.is_empty())
}

/// What stands in quotation marks stands so in a source.
fn holds_quotes(sentence: &str, cited: &[Evidence<'_>]) -> bool {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let sources: Vec<String> = cited.iter().map(|it| plain(it.text)).collect();
    quoted(sentence).into_iter().all(|quote| {
        let quote = plain(quote.trim_end_matches(['.', ',', '…']));
        quote.split(' ').count() < QUOTED_WORDS || sources.iter().any(|source| source.contains(&quote))
    })
}

fn quoted(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (open, close) in [('"', '"'), ('“', '”'), ('„', '“'), ('«', '»'), ('「', '」')] {
        let mut rest = text;
        while let Some(at) = rest.find(open) {
            let inside = &rest[at + open.len_utf8()..];
            let Some(end) = inside.find(close) else { break };
            found.push(&inside[..end]);
            rest = &inside[end + close.len_utf8()..];
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verifier() -> Verifier {
        Verifier { analysis: Analysis::default(), table: Table::built_in().expect("the table") }
    }

    #[test]
    fn a_sentence_is_believed_as_far_as_its_sources_say_it() {
        let office = "The harbour office opens at seven in the morning, the ferry leaves at 9:30.";
        let gulls = "The gulls are loud at the pier";
        let evidence = |text| Evidence { text, heading: "2026-11-20 09:20 #harbour ada".into() };
        let cited = [evidence(office), evidence(gulls)];
        let supporting =
            |sentence: &str| verifier().supporting(sentence, "When is it, in 2026 or at 4?", &cited);
        for sentence in [
            "The office opens at seven in the morning.",
            "Ada wrote that the harbour office opens at seven.",
            "The ferry leaves at 9:30.",
            "Ada said \"the ferry leaves at 9:30\".",
            "1. The harbour office opens at seven.",
        ] {
            assert_eq!(supporting(sentence), [0], "{sentence}");
        }
        assert_eq!(supporting("The office opens at seven and the gulls are loud."), [0, 1]);
        for sentence in [
            "The moon is made of cheese.",
            "The office opens at 8 in the morning.",
            "The harbour office opens at seven, says \"the ferry never leaves on Sundays\".",
            "Yes.",
            "",
        ] {
            assert!(supporting(sentence).is_empty(), "{sentence}");
        }
        assert!(verifier().supporting("The office opens at seven.", "", &[]).is_empty());
    }

    #[test]
    fn what_is_quoted_stands_in_the_text() {
        let long = format!("{} The ferry leaves at nine. {}", "Filler. ".repeat(60), "More. ".repeat(60));
        assert_eq!(verifier().quote("When the ferry leaves.", &long), "The ferry leaves at nine.");
        assert_eq!(verifier().quote("anything", " short "), "short");
    }
}
