//! What the export's files hold, as far as it is read, and how they are read: one element at a time, so that a list of
//! millions takes no more memory than its bytes.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use confab_core::{Fault, Result};
use confab_protocol::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer as _, Error as _, IgnoredAny, SeqAccess, Visitor};

use super::archive::{Entry, damaged};

/// A person or bot in `users.json`. Any field may be absent or null.
#[derive(Debug, Default, Deserialize)]
pub(super) struct SlackUser {
    pub id: Option<String>,
    pub name: Option<String>,
    pub real_name: Option<String>,
    pub deleted: Option<bool>,
    pub is_bot: Option<bool>,
    pub profile: Option<Profile>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Profile {
    pub real_name: Option<String>,
    pub email: Option<String>,
    /// What the bot's posts call it.
    pub bot_id: Option<String>,
}

/// A conversation of any kind.
#[derive(Debug, Default, Deserialize)]
pub(super) struct SlackChannel {
    pub id: Option<String>,
    pub name: Option<String>,
    pub created: Option<i64>,
    pub creator: Option<String>,
    pub is_archived: Option<bool>,
    pub members: Option<Vec<String>>,
    pub topic: Option<Line>,
    pub purpose: Option<Line>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Line {
    pub value: Option<String>,
}

/// A message.
#[derive(Debug, Default, Deserialize)]
pub(super) struct SlackMessage {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub subtype: Option<String>,
    pub user: Option<String>,
    pub bot_id: Option<String>,
    pub username: Option<String>,
    pub text: Option<String>,
    pub ts: Option<String>,
    pub thread_ts: Option<String>,
    pub edited: Option<IgnoredAny>,
    pub bot_profile: Option<Named>,
    pub comment: Option<Comment>,
    pub attachments: Option<Vec<Option<Attachment>>>,
    pub files: Option<Vec<Option<Named>>>,
    pub file: Option<Named>,
    pub reactions: Option<Vec<Reaction>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Named {
    pub name: Option<String>,
    pub title: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Comment {
    pub user: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Attachment {
    pub fallback: Option<String>,
    pub pretext: Option<String>,
    pub title: Option<String>,
    pub text: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Reaction {
    pub name: Option<String>,
    pub users: Option<Vec<String>>,
}

impl SlackMessage {
    /// Who wrote it: a key that is the same in every message of theirs.
    pub fn sender(&self) -> Cow<'_, str> {
        fn named(text: Option<&String>) -> Option<&str> {
            text.map(String::as_str).filter(|text| !text.is_empty())
        }
        let commenter = self.comment.as_ref().and_then(|comment| comment.user.as_ref());
        if let Some(key) = named(self.user.as_ref()).or(named(self.bot_id.as_ref())).or(named(commenter)) {
            return key.into();
        }
        // Old webhooks have a name and nothing else.
        named(self.username.as_ref()).map_or("unknown".into(), |name| format!("bot:{name}").into())
    }

    /// Whether a program wrote it.
    pub fn is_by_bot(&self) -> bool {
        self.bot_id.is_some()
            || self.subtype.as_deref() == Some("bot_message")
            || self.sender().starts_with("bot:")
    }

    /// What the program calls itself.
    pub fn bot_name(&self) -> Option<&str> {
        let own = self.bot_profile.as_ref().and_then(|profile| profile.name.as_deref());
        own.or(self.username.as_deref()).filter(|name| !name.is_empty())
    }
}

/// A Slack time, which is a message's id in its channel: microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Moment(i64);

impl Moment {
    /// Reads `1103966040.000100`. `None` for anything else and for times after the year 9999.
    pub fn read(text: &str) -> Option<Self> {
        const LAST_SECOND: i64 = 253_402_300_799;
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if seconds.is_empty() || !digits(seconds) || !digits(fraction) || fraction.len() > 6 {
            return None;
        }
        let seconds: i64 = seconds.parse().ok().filter(|seconds| *seconds <= LAST_SECOND)?;
        let micros: i64 = format!("{fraction:0<6}").parse().ok()?;
        Some(Self(seconds * 1_000_000 + micros))
    }

    /// In the record's milliseconds.
    pub fn timestamp(self) -> Timestamp {
        Timestamp(self.0 / 1_000)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// Reads a list's elements one by one, at most `most`.
///
/// # Errors
/// [`Fault::Invalid`] in `zip` that names the entry; or what `each` answers, which ends the reading.
pub(super) fn each<T: DeserializeOwned>(
    entry: &Entry,
    bytes: &[u8],
    most: usize,
    mut each: impl FnMut(T) -> Result<()>,
) -> Result<()> {
    let mut stopped = None;
    let mut from = serde_json::Deserializer::from_slice(bytes);
    let done = from
        .deserialize_seq(Elements { most, each: &mut each, stopped: &mut stopped, of: PhantomData::<T> })
        .and_then(|()| from.end());
    match (stopped, done) {
        (Some(fault), _) => Err(fault),
        (None, Err(error)) => Err(damaged(entry, error)),
        (None, Ok(())) => Ok(()),
    }
}

struct Elements<'a, T, F> {
    most: usize,
    each: &'a mut F,
    stopped: &'a mut Option<Fault>,
    of: PhantomData<T>,
}

impl<'de, T: DeserializeOwned, F: FnMut(T) -> Result<()>> Visitor<'de> for Elements<'_, T, F> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut count = 0;
        while let Some(element) = list.next_element()? {
            count += 1;
            if count > self.most {
                return Err(A::Error::custom(format!("holds more than {} elements", self.most)));
            }
            if let Err(fault) = (self.each)(element) {
                *self.stopped = Some(fault);
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

/// JSON without the halves of characters that some exports hold (`\ud83d` alone) and with every other byte readable:
/// no text can hold such a half, and one of them must not cost a whole day. Answers how many were removed.
pub(super) fn repaired(bytes: Vec<u8>) -> (Vec<u8>, u64) {
    let (bytes, mut removed) = match String::from_utf8(bytes) {
        Ok(text) => (text.into_bytes(), 0),
        Err(error) => {
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let count = text.matches('\u{FFFD}').count() as u64;
            (text.into_bytes(), count)
        }
    };
    let halves = lone_halves(&bytes);
    if halves.is_empty() {
        return (bytes, removed);
    }
    removed += halves.len() as u64;
    let mut clean = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for at in halves {
        clean.extend_from_slice(&bytes[from..at]);
        from = at + 6;
    }
    clean.extend_from_slice(&bytes[from..]);
    (clean, removed)
}

/// Where a `\uD800`–`\uDFFF` stands without its other half.
fn lone_halves(bytes: &[u8]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = 0;
    while at + 1 < bytes.len() {
        if bytes[at] != b'\\' {
            at += 1;
            continue;
        }
        match unit(bytes, at) {
            Some(0xD800..=0xDBFF) if matches!(unit(bytes, at + 6), Some(0xDC00..=0xDFFF)) => at += 12,
            Some(0xD800..=0xDFFF) => {
                found.push(at);
                at += 6;
            }
            Some(_) => at += 6,
            None => at += 2,
        }
    }
    found
}

/// The number of the `\uXXXX` that begins at `at`.
fn unit(bytes: &[u8], at: usize) -> Option<u32> {
    let escape = bytes.get(at..at + 6).filter(|escape| escape.starts_with(b"\\u"))?;
    let digits = std::str::from_utf8(&escape[2..]).ok()?;
    digits
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit())
        .then(|| u32::from_str_radix(digits, 16).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slack_times_are_read_exactly() {
        assert_eq!(
            Moment::read("1103966040.000100").map(|it| it.to_string()).as_deref(),
            Some("1103966040.000100")
        );
        assert_eq!(
            Moment::read("12.5").map(|it| (it.to_string(), it.timestamp().0)),
            Some(("12.500000".into(), 12_500))
        );
        for bad in ["", ".5", "-1.0", "1.1234567", "a.1", "999999999999999.0"] {
            assert_eq!(Moment::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn half_characters_are_removed_and_whole_ones_stay() {
        let sent = br#"["a\ud83db", "\ud83d\ude00", "\\ud83d", "\udc00"]"#.to_vec();
        let (clean, removed) = repaired(sent);
        let texts: Vec<String> = serde_json::from_slice(&clean).expect("JSON");
        assert_eq!(texts, ["ab", "😀", "\\ud83d", ""]);
        assert_eq!(removed, 2);
        let (clean, removed) = repaired(b"[\"a\xFFb\"]".to_vec());
        assert_eq!((String::from_utf8(clean).expect("text").as_str(), removed), ("[\"a\u{FFFD}b\"]", 1));
    }
}
