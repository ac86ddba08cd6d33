//! Who asks a question looks for its answer, and what is most like a question is the same question asked before. So for a
//! question, messages are ranked by the dialogue that they are part of, and by how much they look like an answer, before what
//! they say themselves.

use super::Support;

/// Fewer words are what somebody types into a search box, whatever mark stands behind them.
const FEWEST_WORDS: usize = 4;
/// A question's mark in the scripts that have one of their own.
const MARKS: [char; 5] = ['?', '？', '؟', '՞', '⁇'];
/// What English questions begin with when people leave out the mark.
const OPENINGS: [&str; 18] = [
    "how", "what", "whats", "what's", "why", "when", "where", "who", "which", "can", "could", "does", "do",
    "did", "is", "are", "should", "has",
];

/// What is known of a message that was found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence {
    /// By its words, the query's best being 1; 0 where it was not found so.
    pub words: f32,
    /// By its window's words, likewise.
    pub window_words: f32,
    /// Cosine of its vector.
    pub meaning: f32,
    /// Cosine of its window's.
    pub window_meaning: f32,
    /// By the words of its dialogue, as by those of its window.
    pub dialogue_words: f32,
    /// Cosine of its dialogue's.
    pub dialogue_meaning: f32,
    /// Of the messages around it.
    pub support: Support,
}

impl Evidence {
    /// How likely `text` answers the question: to be compared with others' only. The weights were chosen on half of the days
    /// of real chat on which the table was not fitted, and confirmed on the other half: `docs/quality.md`. What a message says
    /// itself counts little, but it decides within a dialogue.
    #[must_use]
    pub fn answers(&self, text: &str) -> f32 {
        let mut score = 1.8 * self.dialogue_words
            + 0.5 * self.dialogue_meaning
            + 0.05 * self.words
            + 0.15 * self.meaning
            + 0.5 * self.support.all();
        if text.contains(MARKS) {
            score -= 0.8;
        }
        if looks_like_answer(text) {
            score += 0.5;
        }
        score
    }
}

/// Whether a query is a question and not words to look for.
#[must_use]
pub fn is_question(query: &str) -> bool {
    // Behind a word, not within an address; people go on after it: "does it work? I tried both".
    if query.split_whitespace().any(|word| word.ends_with(MARKS)) {
        // Scripts without spaces have one word however long they are.
        return !query.is_ascii() || query.split_whitespace().count() >= FEWEST_WORDS;
    }
    let mut words = query.split_whitespace();
    let first = words.next().unwrap_or_default().to_lowercase();
    OPENINGS.contains(&first.as_str()) && words.count() + 1 >= FEWEST_WORDS
}

/// Whether a message begins with somebody's name, as in "ada: …", "ada, …" and "@ada …": it is said to somebody, and most
/// such messages answer.
fn looks_like_answer(text: &str) -> bool {
    let Some((first, rest)) = text.trim_start().split_once(char::is_whitespace) else { return false };
    if rest.trim().is_empty() {
        return false;
    }
    if let Some(name) = first.strip_prefix('@') {
        return !name.is_empty();
    }
    // "https:" or "Note:" would be names too; nobody can tell without knowing everybody.
    first
        .strip_suffix([':', ','])
        .is_some_and(|name| !name.is_empty() && !name.contains(['/', '`', '<', '(']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_told_from_words() {
        for question in [
            "how do I mount a drive",
            "is there a way to do that?",
            "does it work? I tried both",
            "Where are the slides of monday",
            "次の会議はいつですか？",
            "متى الاجتماع القادم؟",
        ] {
            assert!(is_question(question), "{question}");
        }
        for words in [
            "mount drive",
            "really?",
            "see https://a.b/c?d=e for that",
            "how to",
            "",
            "the harbour opens at nine",
            "会議",
        ] {
            assert!(!is_question(words), "{words}");
        }
    }

    #[test]
    fn an_answer_is_said_to_somebody() {
        for answer in ["ada: try sudo", "ada, try sudo", "@ada try sudo", " bob|away: yes"] {
            assert!(looks_like_answer(answer), "{answer}");
        }
        for other in ["try sudo", "ada:", "@ada", "https://a.b/c: broken", ": no", "@ no", ""] {
            assert!(!looks_like_answer(other), "{other}");
        }
    }

    #[test]
    fn an_answer_comes_before_the_same_question() {
        let same = Evidence {
            words: 1.0,
            meaning: 0.9,
            dialogue_words: 1.0,
            dialogue_meaning: 0.7,
            ..Evidence::default()
        };
        let answer = Evidence { words: 0.2, meaning: 0.5, dialogue_words: 0.9, ..same };
        assert!(answer.answers("ada: mount it with -o loop") > same.answers("how do I mount an image?"));
        assert!(same.answers("mount it") > answer.answers("mount it"), "else what is nearer wins");
        let elsewhere = Evidence { dialogue_words: 0.1, dialogue_meaning: 0.2, ..same };
        assert!(answer.answers("mount it") > elsewhere.answers("mount it"), "by what it was said about");
    }
}
