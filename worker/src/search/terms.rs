//! The words that a question is made of, each weighed by how rare it is, and how much of them a conversation holds.
//!
//! The index knows messages; what a conversation says is put together when somebody asks, from messages as they are then.
//! So no part of what was deleted is found through its neighbours, and an edit changes no other message's entry.

use std::collections::{HashMap, HashSet};

use confab_core::Result;
use confab_protocol::ChannelId;
use tantivy::query::Bm25StatisticsProvider;
use tantivy::{Searcher, Term};

use super::find::{self, WORDS};
use crate::assistant::is_stopword;
use crate::index::Index;
use crate::index::analysis::Analysis;
use crate::index::readable::Readable;

/// How soon a word that is said again stops to count.
const SATURATION: f32 = 1.2;
/// How much a long conversation must hold more.
const LENGTH_SHARE: f32 = 0.75;
/// In about so many conversations stands what stands in one message: a word is less rare among them. Counted in real chat.
const CONVERSATIONS_OF_A_MESSAGE: u64 = 6;
/// Of a message: a pasted log is no conversation.
const MOST_BYTES: usize = 4_096;
/// Words and pairs of characters that count.
const MOST_TERMS: usize = 64;

/// The words of a question.
pub(super) struct Terms {
    places: HashMap<String, usize>,
    weights: Vec<f32>,
}

/// What a message holds of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    times: Vec<(usize, f32)>,
    length: f32,
}

impl Terms {
    /// Asks the index how rare the words are in `channels`.
    ///
    /// # Errors
    /// Those of [`Index::ask`].
    pub async fn of(index: &Index, channels: &[ChannelId], words: &[String]) -> Result<Self> {
        let (analysis, fields) = (index.analysis(), index.fields());
        let mut places = HashMap::new();
        let mut terms: Vec<Term> = Vec::new();
        for word in words {
            let stems = whole(analysis, word).map(|stem| (fields.body, stem));
            let pairs = grams(analysis, word).map(|pair| (fields.grams, pair));
            for (field, text) in stems.chain(pairs.filter(|(_, text)| is_pair(text))) {
                if places.len() < MOST_TERMS && !places.contains_key(&text) {
                    terms.push(Term::from_field_text(field, &text));
                    places.insert(text, places.len());
                }
            }
        }
        let weigh = move |_: &Searcher, readable: &Readable<'_>| {
            let all = readable.total_num_docs()? as f32;
            let weight = |held: f32| (1.0 + (all - held + 0.5).max(0.5) / (held + 0.5)).ln();
            let held = |term| Ok(weight((readable.doc_freq(term)? * CONVERSATIONS_OF_A_MESSAGE) as f32));
            terms.iter().map(held).collect()
        };
        Ok(Self { places, weights: index.ask(fields.of_channels(channels), weigh).await? })
    }

    /// The words that a search can be made of: all, or for a question those that say something, the rarest when they are
    /// too many. They stay in their order, so that words which stand together are looked for together.
    pub fn telling(&self, analysis: &Analysis, words: &[String], is_question: bool) -> Vec<String> {
        let says_nothing = |word: &str| analysis.whole(word).iter().all(|it| is_stopword(&it.text));
        let mut kept: Vec<(usize, f32)> = words
            .iter()
            .enumerate()
            .filter(|(_, word)| !is_question || !word.is_ascii() || !says_nothing(word))
            .map(|(at, word)| (at, self.weight(analysis, word)))
            .collect();
        if kept.is_empty() {
            kept = words.iter().enumerate().map(|(at, word)| (at, self.weight(analysis, word))).collect();
        }
        kept.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
        // A word may hold several, as "it's" and "a/b" do.
        let mut room = WORDS;
        kept.retain(|(at, _)| {
            let count = find::count(analysis, [&words[*at]]);
            let fits = count <= room;
            room -= if fits { count } else { 0 };
            fits
        });
        let chosen: HashSet<usize> = kept.into_iter().map(|(at, _)| at).collect();
        words.iter().enumerate().filter(|(at, _)| chosen.contains(at)).map(|(_, word)| word.clone()).collect()
    }

    /// Lets nothing but `words` count: a long conversation holds every "how" and "the" by chance.
    pub fn keep(&mut self, analysis: &Analysis, words: &[String]) {
        let kept: HashSet<usize> = words
            .iter()
            .flat_map(|word| whole(analysis, word).chain(grams(analysis, word)))
            .filter_map(|text| self.places.get(&text).copied())
            .collect();
        for (place, weight) in self.weights.iter_mut().enumerate() {
            if !kept.contains(&place) {
                *weight = 0.0;
            }
        }
    }

    fn weight(&self, analysis: &Analysis, word: &str) -> f32 {
        let stems = whole(analysis, word).chain(grams(analysis, word));
        let weights = stems.filter_map(|text| self.places.get(&text).map(|place| self.weights[*place]));
        weights.fold(0.0, f32::max)
    }

    /// What `text` holds of them.
    pub fn counted(&self, analysis: &Analysis, text: &str) -> Counted {
        let text = &text[..text.floor_char_boundary(MOST_BYTES)];
        let mut counted = Counted::default();
        let pairs = analysis.grams(text).into_iter().filter(|it| is_pair(&it.text));
        for word in analysis.stemmed(text).into_iter().chain(pairs) {
            // A name of code is one word, however many words it is found by.
            if !word.is_part {
                counted.length += 1.0;
            }
            let Some(place) = self.places.get(&word.text) else { continue };
            match counted.times.iter_mut().find(|(known, _)| known == place) {
                Some((_, times)) => *times += 1.0,
                None => counted.times.push((*place, 1.0)),
            }
        }
        counted
    }

    /// How well each conversation fits, by BM25 over all that is said in it. A conversation is a list of places in `lines`.
    pub fn scores(&self, lines: &[Counted], conversations: &[Vec<usize>]) -> Vec<f32> {
        let length = |window: &[usize]| window.iter().map(|at| lines[*at].length).sum::<f32>();
        let all: f32 = conversations.iter().map(|window| length(window)).sum();
        let usual = (all / conversations.len().max(1) as f32).max(1.0);
        let mut times = vec![0.0_f32; self.weights.len()];
        let score = |window: &Vec<usize>| {
            times.fill(0.0);
            for (place, count) in window.iter().flat_map(|at| &lines[*at].times) {
                times[*place] += count;
            }
            let slowness = SATURATION * (1.0 - LENGTH_SHARE + LENGTH_SHARE * length(window) / usual);
            times
                .iter()
                .zip(&self.weights)
                .map(|(times, weight)| weight * times * (SATURATION + 1.0) / (times + slowness))
                .sum()
        };
        conversations.iter().map(score).collect()
    }
}

/// The stems of a question's words, none by its parts: a number within a name would count as much as the name.
fn whole(analysis: &Analysis, word: &str) -> impl Iterator<Item = String> + use<> {
    analysis.stemmed(word).into_iter().filter(|stem| !stem.is_part).map(|stem| stem.text)
}

fn grams(analysis: &Analysis, word: &str) -> impl Iterator<Item = String> + use<> {
    analysis.grams(word).into_iter().map(|gram| gram.text)
}

fn is_pair(gram: &str) -> bool {
    gram.chars().count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(weighed: &[(&str, f32)]) -> Terms {
        Terms {
            places: weighed
                .iter()
                .enumerate()
                .map(|(place, (word, _))| ((*word).to_owned(), place))
                .collect(),
            weights: weighed.iter().map(|(_, weight)| *weight).collect(),
        }
    }

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_conversation_holds_what_its_messages_hold_together() {
        let (analysis, terms) =
            (Analysis::default(), terms(&[("mount", 2.0), ("drive", 1.0), ("会议", 3.0)]));
        let lines: Vec<Counted> =
            ["mounting it is easy", "which drives?", "good morning to you", "下午的会议 mount mount"]
                .map(|text| terms.counted(&analysis, text))
                .into();
        let scores = terms.scores(&lines, &[vec![0, 1], vec![0, 2], vec![1, 2], vec![2], vec![3]]);
        assert!(scores[0] > scores[1] && scores[1] > scores[2] && scores[2] > scores[3]);
        assert!(scores[3] < f32::EPSILON);
        assert!(scores[4] > scores[1], "scripts without spaces count too");
        assert!(terms.scores(&lines, &[]).is_empty());
        let of_code = terms.counted(&analysis, "theDriveC isMounted()");
        assert!((of_code.length - 2.0).abs() < f32::EPSILON, "{of_code:?}");
        assert_eq!(of_code.times, [(1, 1.0), (0, 1.0)]);
    }

    #[test]
    fn a_question_is_looked_up_by_what_it_says() {
        let analysis = Analysis::default();
        let terms = terms(&[("mount", 4.0), ("drive", 3.0), ("how", 0.1)]);
        let telling = |text: &str, is_question| terms.telling(&analysis, &words(text), is_question).join(" ");
        assert_eq!(telling("how do I mount a drive", true), "mount drive");
        assert_eq!(telling("how do I mount a drive", false), "how do I mount a drive");
        assert_eq!(telling("what is it", true), "what is it", "better than nothing");
        let long = format!("{} mount {} drive", "filler ".repeat(20), "other ".repeat(20));
        let kept = telling(&long, false);
        assert!(kept.contains("mount") && kept.ends_with("drive") && words(&kept).len() == WORDS, "{kept}");
    }
}
