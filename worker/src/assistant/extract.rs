//! The sentences that answer, taken out of the conversations as they stand.

use std::collections::HashSet;
use std::ops::Range;

use confab_protocol::{Channel, Message};

use super::passages::Window;
use super::weights::Weights;
use crate::index::analysis::Analysis;

/// Longest quotation, in characters.
pub(super) const QUOTE_CHARACTERS: usize = 300;
/// Conversations that are quoted, and quotations of each.
const WINDOWS: usize = 3;
const PER_WINDOW: usize = 2;
/// A conversation that holds less of the question does not answer it. Saying so is better than a guess.
const LEAST_SHARE: f32 = 0.4;
/// A sentence below this is no answer, nor one below this part of the best.
const LEAST_SCORE: f32 = 0.3;
const LEAST_OF_BEST: f32 = 0.5;
const LEAST_OF_WINDOW: f32 = 0.75;
/// A question is seldom the answer to one, nor is someone's own trouble.
const OF_A_QUESTION: f32 = 0.25;
const OF_A_TROUBLE: f32 = 0.6;
/// How much of a question's fit passes to what is said right after it by someone else, or to its asker by name.
const OF_A_REPLY: f32 = 0.6;
const OF_AN_ADDRESSED_REPLY: f32 = 0.8;
/// How many messages later that still counts.
const REPLY_DISTANCE: usize = 3;
const ADDRESSED_DISTANCE: usize = 10;
const WITH_A_NUMBER: f32 = 0.1;
/// Shorter ones say less.
const TELLING_WORDS: f32 = 5.0;
/// Sentences looked at in one message.
const SENTENCES: usize = 200;

/// Words of a message, as they stand in it.
pub(super) struct Quote<'a> {
    pub message: &'a Message,
    pub channel: &'a Channel,
    pub text: &'a str,
}

struct Candidate<'a> {
    quote: Quote<'a>,
    score: f32,
}

/// The best quotations, or none when nothing answers.
pub(super) fn quotes<'a>(analysis: &Analysis, weights: &Weights, windows: &'a [Window]) -> Vec<Quote<'a>> {
    let mut answers: Vec<Vec<Candidate<'a>>> = windows
        .iter()
        .filter(|window| window.share >= LEAST_SHARE)
        .map(|window| candidates(analysis, weights, window))
        .filter(|found| !found.is_empty())
        .collect();
    let best_of = |found: &[Candidate<'_>]| found.first().map_or(0.0, |candidate| candidate.score);
    answers.sort_by(|one, other| best_of(other).total_cmp(&best_of(one)));
    let best = answers.first().map_or(0.0, |found| best_of(found));
    let mut used: HashSet<&str> = HashSet::new();
    let mut quotes = Vec::new();
    for found in answers.into_iter().take(WINDOWS) {
        let least = LEAST_SCORE.max(best * LEAST_OF_BEST).max(best_of(&found) * LEAST_OF_WINDOW);
        let good = found.into_iter().filter(|candidate| candidate.score >= least);
        for candidate in good.take(PER_WINDOW) {
            // Two windows may overlap, and people say things twice.
            if used.insert(candidate.quote.text) {
                quotes.push(candidate.quote);
            }
        }
    }
    quotes
}

/// The best sentence of each message of a window, the best first.
fn candidates<'a>(analysis: &Analysis, weights: &Weights, window: &'a Window) -> Vec<Candidate<'a>> {
    let shares: Vec<f32> = window
        .messages
        .iter()
        .map(|message| weights.share(&weights.held(analysis, &message.content)))
        .collect();
    let mut found: Vec<Candidate<'a>> = Vec::new();
    for (at, message) in window.messages.iter().enumerate() {
        if weights.is_same(analysis, &message.content) {
            continue;
        }
        let reply = reply_bonus(analysis, &window.messages, &shares, at);
        let best = sentences(&message.content)
            .into_iter()
            .map(|range| (score(analysis, weights, message, &message.content[range.clone()], reply), range))
            .max_by(|one, other| one.0.total_cmp(&other.0).then(other.1.start.cmp(&one.1.start)));
        if let Some((score, range)) = best {
            let text = quotation(analysis, weights, &message.content, range);
            found.push(Candidate { quote: Quote { message, channel: &window.channel, text }, score });
        }
    }
    found.sort_by(|one, other| other.score.total_cmp(&one.score));
    found
}

fn score(analysis: &Analysis, weights: &Weights, message: &Message, sentence: &str, reply: f32) -> f32 {
    let words = analysis.whole(sentence).len() + analysis.grams(sentence).len() / 4;
    if words == 0 {
        return 0.0;
    }
    let share = weights.share(&weights.held(analysis, sentence));
    if is_question(analysis, sentence) {
        return share * OF_A_QUESTION;
    }
    let mut score = share + reply;
    if is_trouble(analysis, sentence) {
        score *= OF_A_TROUBLE;
    }
    if score > 0.0 && weights.wants_number && sentence.contains(|letter: char| letter.is_ascii_digit()) {
        score += WITH_A_NUMBER;
    }
    if message.is_bot {
        score *= 0.8;
    }
    // A long sentence holds a word more easily; a word or two are seldom an answer.
    let words = words as f32;
    score * (words / TELLING_WORDS).sqrt().min(1.0) / (1.0 + 0.1 * (words / 20.0).min(3.0))
}

/// What a message gains by following someone else's question.
fn reply_bonus(analysis: &Analysis, messages: &[Message], shares: &[f32], at: usize) -> f32 {
    let message = &messages[at];
    let mut best: f32 = 0.0;
    for distance in 1..=ADDRESSED_DISTANCE.min(at) {
        let (asked, share) = (&messages[at - distance], shares[at - distance]);
        if asked.sender_id == message.sender_id || share <= 0.0 || !is_question(analysis, &asked.content) {
            continue;
        }
        let part = if message.parent_id == Some(asked.id)
            || is_addressed(&message.content, &asked.sender.username)
        {
            OF_AN_ADDRESSED_REPLY
        } else if distance <= REPLY_DISTANCE {
            OF_A_REPLY / (1.0 + 0.5 * (distance - 1) as f32)
        } else {
            0.0
        };
        best = best.max(part * share);
    }
    best
}

/// Whether a message begins with someone's name, as people do who answer in a busy channel.
fn is_addressed(content: &str, name: &str) -> bool {
    let content = content.trim_start_matches('@');
    let Some((first, rest)) = content.split_at_checked(name.len()) else { return false };
    first.eq_ignore_ascii_case(name) && rest.starts_with([':', ',', ' '])
}

fn is_question(analysis: &Analysis, text: &str) -> bool {
    let end = text.trim_end_matches(|letter: char| {
        letter.is_whitespace() || matches!(letter, ')' | '"' | '!' | '*' | '_')
    });
    end.ends_with(['?', '？'])
        || first_word(analysis, text).is_some_and(|word| {
            matches!(
                word.as_str(),
                "how" | "what" | "where" | "why" | "who" | "which" | "anyone" | "anybody" | "help"
            )
        })
}

/// Someone speaks of what they themselves are at.
fn is_trouble(analysis: &Analysis, text: &str) -> bool {
    first_word(analysis, text).is_some_and(|word| matches!(word.as_str(), "i" | "im" | "ive" | "my"))
}

/// The first word that is no greeting.
fn first_word(analysis: &Analysis, text: &str) -> Option<String> {
    // The beginning is enough, and a message may be long.
    let end = text.char_indices().nth(60).map_or(text.len(), |(at, _)| at);
    let words = analysis.exact(&text[..end]).into_iter().map(|word| word.text);
    words.into_iter().find(|word| {
        !matches!(
            word.as_str(),
            "hi" | "hey" | "hello" | "guys" | "all" | "everyone" | "ok" | "so" | "and" | "please"
        )
    })
}

/// Where the sentences stand, without the space around them.
pub(super) fn sentences(content: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut letters = content.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let end = at + letter.len_utf8();
        let next = letters.peek().map_or(' ', |(_, next)| *next);
        let ends = match letter {
            '\n' | '。' | '！' | '？' => true,
            '.' | '!' | '?' | '…' => next.is_whitespace(),
            _ => false,
        };
        if ends || end == content.len() {
            push_trimmed(content, start..end, &mut found);
            start = end;
            if found.len() == SENTENCES {
                break;
            }
        }
    }
    found
}

fn push_trimmed(content: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let text = &content[range.clone()];
    let start = range.start + (text.len() - text.trim_start().len());
    let end = start + text.trim().len();
    if start < end {
        found.push(start..end);
    }
}

/// What is quoted of a message: all of a short one, the sentence of a long one, the part around the words of a long
/// sentence.
fn quotation<'a>(
    analysis: &Analysis,
    weights: &Weights,
    content: &'a str,
    sentence: Range<usize>,
) -> &'a str {
    let whole = content.trim();
    if whole.chars().count() <= QUOTE_CHARACTERS {
        return whole;
    }
    let text = &content[sentence];
    if text.chars().count() <= QUOTE_CHARACTERS {
        return text;
    }
    let is_asked = |word: &str| !weights.held(analysis, word).is_empty();
    let first = text.split_whitespace().find(|word| is_asked(word)).map_or(0, |word| place_in(text, word));
    let start = text[..first].char_indices().rev().nth(QUOTE_CHARACTERS / 3).map_or(0, |(at, _)| at);
    let start =
        if start == 0 { 0 } else { text[start..].find(' ').map_or(start, |at| start + at + 1).min(first) };
    let rest = &text[start..];
    let end = rest.char_indices().nth(QUOTE_CHARACTERS).map_or(rest.len(), |(at, _)| at);
    let end =
        if end == rest.len() { end } else { rest[..end].rfind(' ').filter(|at| *at > 0).unwrap_or(end) };
    rest[..end].trim()
}

/// Where a part of a text begins in it.
fn place_in(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_stand_in_the_text() {
        let content = " One. Two v1.2 is out!\n\nThree? 四。五";
        let found: Vec<&str> = sentences(content).into_iter().map(|range| &content[range]).collect();
        assert_eq!(found, ["One.", "Two v1.2 is out!", "Three?", "四。", "五"]);
        assert!(sentences(" \n ").is_empty());
    }

    #[test]
    fn questions_and_replies_are_known() {
        let is_question = |text| super::is_question(&Analysis::default(), text);
        assert!(is_question("When? ") && is_question("(really?)") && is_question("何時？"));
        assert!(is_question("hi all, how do I get there") && !is_question("At nine.") && !is_question("a?b"));
        assert!(
            is_addressed("Ada: yes", "ada")
                && is_addressed("@ada yes", "ada")
                && !is_addressed("adamant", "ada")
        );
    }

    #[test]
    fn quotations_are_short_and_verbatim() {
        let (analysis, weights) = (Analysis::default(), Weights::default());
        let long = format!("{} {}", "word ".repeat(200), "é".repeat(500));
        let quote = quotation(&analysis, &weights, &long, 0..long.len());
        assert!(quote.chars().count() <= QUOTE_CHARACTERS && long.contains(quote) && !quote.is_empty());
        assert_eq!(quotation(&analysis, &weights, " short. Two. ", 0..7), "short. Two.");
    }
}
