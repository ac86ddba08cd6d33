//! What a person types into the search field: words, "phrases", and filters such as `from:ada`.
//!
//! Whatever is no filter of ours is words: a text such as `channel_id:…` must never become a query of the index's own.

mod dates;

use confab_core::{Fault, Result};
use confab_protocol::Timestamp;

use crate::index::schema::{FILE, IMAGE, LINK, PINNED, REACTION, THREAD};
use dates::span;

/// Longest question, in characters.
pub(super) const CHARACTERS: usize = 256;

/// A question taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parsed {
    pub words: Vec<String>,
    pub phrases: Vec<String>,
    /// Names of authors.
    pub senders: Vec<String>,
    /// Names or ids of channels.
    pub channels: Vec<String>,
    /// Milliseconds since 1970, included.
    pub since: Option<i64>,
    /// Milliseconds since 1970, excluded.
    pub until: Option<i64>,
    /// What the message holds or is.
    pub has: Vec<&'static str>,
    /// Names of people whom it mentions.
    pub mentioned: Vec<String>,
    /// The asker keeps it.
    pub is_bookmarked: bool,
}

impl Parsed {
    /// Reads a question.
    ///
    /// # Errors
    /// [`Fault::Invalid`] in `q`.
    pub fn read(q: &str) -> Result<Self> {
        // Bytes first: counting the characters of a megabyte to refuse it would be work for nothing.
        if q.len() > CHARACTERS * 4 || q.chars().count() > CHARACTERS {
            return Err(Fault::invalid("q", format!("has more than {CHARACTERS} characters")));
        }
        let mut parsed = Self::default();
        let mut rest = q.trim();
        if rest.is_empty() {
            return Err(Fault::invalid("q", "must not be empty"));
        }
        while !rest.is_empty() {
            let (part, after) = next_part(rest);
            match part {
                Part::Phrase(text) => parsed.phrases.push(text.to_owned()),
                Part::Word(text) => parsed.word(text)?,
            }
            rest = after.trim_start();
        }
        Ok(parsed)
    }

    fn word(&mut self, text: &str) -> Result<()> {
        let Some((name, value)) = text.split_once(':').filter(|(_, value)| !value.is_empty()) else {
            self.words.push(text.to_owned());
            return Ok(());
        };
        let value = value.trim_matches('"');
        match name.to_ascii_lowercase().as_str() {
            "from" => self.senders.push(value.trim_start_matches('@').to_owned()),
            "in" => self.channels.push(value.trim_start_matches('#').to_owned()),
            "mentions" => self.mentioned.push(value.trim_start_matches('@').to_owned()),
            "before" => self.until = Some(earlier(self.until, span(value, now())?.start)),
            "after" => self.since = Some(later(self.since, span(value, now())?.end)),
            "on" | "during" => {
                let span = span(value, now())?;
                self.since = Some(later(self.since, span.start));
                self.until = Some(earlier(self.until, span.end));
            }
            "has" => self.has.push(match value.to_ascii_lowercase().as_str() {
                "link" | "links" | "url" => LINK,
                "file" | "files" | "attachment" => FILE,
                "image" | "images" | "picture" => IMAGE,
                "reaction" | "reactions" => REACTION,
                _ => return Err(Fault::invalid("q", "has: is followed by link, file, image or reaction")),
            }),
            "is" => match value.to_ascii_lowercase().as_str() {
                "thread" | "threaded" => self.has.push(THREAD),
                "pinned" => self.has.push(PINNED),
                "bookmarked" | "saved" => self.is_bookmarked = true,
                _ => return Err(Fault::invalid("q", "is: is followed by thread, pinned or bookmarked")),
            },
            _ => self.words.push(text.to_owned()),
        }
        Ok(())
    }

    /// More is asked for than words, people, channels and time: what only messages have.
    pub fn is_for_messages(&self) -> bool {
        !self.has.is_empty() || !self.mentioned.is_empty() || self.is_bookmarked
    }
}

fn now() -> i64 {
    Timestamp::now().0
}

fn earlier(known: Option<i64>, at: i64) -> i64 {
    known.map_or(at, |known| known.min(at))
}

fn later(known: Option<i64>, at: i64) -> i64 {
    known.map_or(at, |known| known.max(at))
}

enum Part<'a> {
    Word(&'a str),
    Phrase(&'a str),
}

/// The first part of a text that is not empty, and what follows it.
fn next_part(text: &str) -> (Part<'_>, &str) {
    if let Some(inside) = text.strip_prefix('"') {
        // Without a closing quote the phrase goes to the end: people type faster than they close.
        let (phrase, after) = inside.split_once('"').unwrap_or((inside, ""));
        return (Part::Phrase(phrase), after);
    }
    let mut quoted = false;
    let mut before = ' ';
    let end = text.char_indices().find_map(|(at, letter)| {
        // A quote after a colon belongs to the filter: in:"two words".
        if letter == '"' && (quoted || before == ':') {
            quoted = !quoted;
        } else if (letter.is_whitespace() || letter == '"') && !quoted {
            return Some(at);
        }
        before = letter;
        None
    });
    let end = end.unwrap_or(text.len());
    (Part::Word(&text[..end]), &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 24 * 3_600 * 1_000;

    fn read(q: &str) -> Parsed {
        Parsed::read(q).unwrap_or_else(|fault| panic!("{q}: {fault}"))
    }

    #[test]
    fn words_phrases_and_filters_are_told_apart() {
        let parsed = read(r#"ferry "leaves at nine" from:@ada in:#harbour in:"two words" has:link tide"#);
        assert_eq!(parsed.words, ["ferry", "tide"]);
        assert_eq!(parsed.phrases, ["leaves at nine"]);
        assert_eq!(
            (parsed.senders, parsed.channels),
            (vec!["ada".into()], vec!["harbour".into(), "two words".into()])
        );
        assert_eq!(parsed.has, [LINK]);
        let parsed =
            read("has:image has:Reaction is:thread is:pinned is:bookmarked mentions:@me mentions:bob");
        assert_eq!(parsed.has, [IMAGE, REACTION, THREAD, PINNED]);
        assert_eq!((parsed.mentioned, parsed.is_bookmarked), (vec!["me".into(), "bob".into()], true));
        assert_eq!(read("\"never closed").phrases, ["never closed"]);
        assert_eq!(
            read("a:b:c channel_id:x from: http://x").words,
            ["a:b:c", "channel_id:x", "from:", "http://x"]
        );
    }

    #[test]
    fn dates_are_whole_days() {
        let parsed = read("on:1970-01-02");
        assert_eq!((parsed.since, parsed.until), (Some(DAY_MS), Some(2 * DAY_MS)));
        let parsed = read("after:1970-01-01 before:1970-01-03 before:1970-02-01");
        assert_eq!((parsed.since, parsed.until), (Some(DAY_MS), Some(2 * DAY_MS)));
        assert_eq!((read("during:1970-01").since, read("during:1970").until), (Some(0), Some(365 * DAY_MS)));
        for bad in [
            "before:tomorrow",
            "on:2026-02-30",
            "after:2026-1-1",
            "on:2026-01-01T00",
            "has:wings",
            "is:loud",
            "",
            "  ",
        ] {
            assert!(Parsed::read(bad).is_err(), "{bad:?}");
        }
        assert!(Parsed::read(&"é".repeat(256)).is_ok());
        assert!(Parsed::read(&"é".repeat(257)).is_err());
    }
}
