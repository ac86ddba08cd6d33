//! The words by which channels are found, kept beside them: a search among ten thousand channels is a few steps in an
//! index, and folds letters of every script alike on both engines.

use std::collections::BTreeMap;

use confab_protocol::{ChannelId, Timestamp};
use futures_util::FutureExt;
use uuid::Uuid;

use crate::db::{Db, Tx, insert_rows, run};
use crate::fault::{Fault, Result};
use crate::text;

/// Longest question, in characters.
pub const QUESTION_CHARACTERS: usize = 256;
/// Words of a question that count; of more, the longest.
pub(super) const WORDS: usize = 4;
/// Letters of a word that count.
const LETTERS: usize = 40;
/// Channels of before that are done in one transaction.
const AT_ONCE: i64 = 200;

/// Above every word in hex.
const BEYOND: char = 'g';

const IN_NAME_FIRST: i64 = 0;
const IN_NAME: i64 = 1;
const INSIDE: i64 = 2;
const IN_DESCRIPTION: i64 = 3;

const DROP: &str = "delete from channel_words where channel_id = $1";
const LISTED: &str = "update channels set words_listed_at = $2 where id = $1 returning name, description";
const UNLISTED: &str =
    "select id from channels where words_listed_at is null and name <> '' order by id limit $1";

/// Notes anew by which words a channel is found. The caller has just written its name or description.
pub(super) async fn store(tx: &mut Tx, channel: ChannelId) -> Result<()> {
    let now = Timestamp::now().0;
    // Takes the row's lock too: two servers that start at once do not list one channel at the same time.
    let row: Option<(String, Option<String>)> =
        run!(tx, sqlx::query_as(LISTED).bind(channel.0).bind(now), fetch_optional)?;
    let (name, description) = row.ok_or(Fault::NotFound("channel"))?;
    drop_all(tx, channel).await?;
    let words: Vec<(String, i64)> = words_of(&name, description.as_deref()).into_iter().collect();
    insert_rows!(
        tx,
        "insert into channel_words (channel_id, word, rank) ",
        words,
        |values, row| values.push_bind(channel.0).push_bind(row.0.clone()).push_bind(row.1),
        ""
    );
    Ok(())
}

/// A deleted channel is not found any more.
pub(super) async fn drop_all(tx: &mut Tx, channel: ChannelId) -> Result<()> {
    run!(tx, sqlx::query(DROP).bind(channel.0), execute)?;
    Ok(())
}

/// Lists the words of channels that were made before words were listed. Asked at start.
pub async fn list_missing_words(db: &Db) -> Result<()> {
    loop {
        let missing: Vec<Uuid> = run!(&mut db.read(), sqlx::query_scalar(UNLISTED).bind(AT_ONCE), fetch_all)?;
        if missing.is_empty() {
            return Ok(());
        }
        db.write(move |tx| {
            async move {
                for id in missing {
                    store(tx, ChannelId(id)).await?;
                }
                Ok(())
            }
            .boxed()
        })
        .await?;
    }
}

/// The ranges of words that a question means, the most telling first. None: it holds no word.
///
/// # Errors
/// [`Fault::Invalid`] in `q`.
pub(super) fn question(q: &str) -> Result<Vec<(String, String)>> {
    if q.chars().count() > QUESTION_CHARACTERS || q.contains('\0') {
        return Err(Fault::invalid("q", format!("has at most {QUESTION_CHARACTERS} characters and no NUL")));
    }
    let key = text::key(q);
    let mut words: Vec<String> = split(&key).map(cut).collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    words.dedup();
    words.truncate(WORDS);
    let range = |word: String| {
        let from = text::hex(word.as_bytes());
        let to = format!("{from}{BEYOND}");
        (from, to)
    };
    Ok(words.into_iter().map(range).collect())
}

/// The range of every word, for the places of a statement that a question leaves free.
pub(super) fn any_word() -> (String, String) {
    (String::new(), BEYOND.to_string())
}

/// Words in hex with the best rank that each has.
fn words_of(name: &str, description: Option<&str>) -> BTreeMap<String, i64> {
    let mut found = BTreeMap::new();
    let mut note = |word: &str, rank: i64| {
        let best = found.entry(text::hex(cut(word).as_bytes())).or_insert(rank);
        *best = rank.min(*best);
    };
    for (number, word) in split(&text::key(name)).enumerate() {
        note(word, if number == 0 { IN_NAME_FIRST } else { IN_NAME });
        endings(word).for_each(|ending| note(ending, INSIDE));
    }
    for word in split(&text::key(description.unwrap_or_default())) {
        note(word, IN_DESCRIPTION);
        // Where no spaces are written, a word begins anywhere.
        if !word.is_ascii() {
            endings(word).for_each(|ending| note(ending, IN_DESCRIPTION));
        }
    }
    found
}

/// What stands between spaces and punctuation: names of emoji alone are words as well.
fn split(key: &str) -> impl Iterator<Item = &str> {
    key.split(|letter: char| letter.is_whitespace() || letter.is_ascii_punctuation())
        .filter(|word| !word.is_empty())
}

fn endings(word: &str) -> impl Iterator<Item = &str> {
    word.char_indices().skip(1).map(|(at, _)| &word[at..])
}

fn cut(word: &str) -> String {
    word.chars().take(LETTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_their_best_rank() {
        let words = words_of("Team-North 港湾計画", Some("where the team meets, 週次の会議"));
        let rank = |word: &str| words.get(&text::hex(word.as_bytes())).copied();
        assert_eq!(rank("team"), Some(IN_NAME_FIRST));
        assert_eq!(rank("north"), Some(IN_NAME));
        assert_eq!(rank("orth"), Some(INSIDE));
        assert_eq!(rank("計画"), Some(INSIDE));
        assert_eq!(rank("meets"), Some(IN_DESCRIPTION));
        assert_eq!(rank("会議"), Some(IN_DESCRIPTION));
        assert_eq!(rank("eets"), None, "the inside of a description's words");
    }

    #[test]
    fn a_question_means_its_longest_words() {
        let words: Vec<String> = question("#a Harbour-team of many long words")
            .unwrap_or_default()
            .into_iter()
            .map(|it| it.0)
            .collect();
        let hex = |word: &str| text::hex(word.as_bytes());
        assert_eq!(words, [hex("harbour"), hex("words"), hex("team"), hex("many")]);
        assert!(question(" !? ").is_ok_and(|it| it.is_empty()));
        assert!(question(&"x".repeat(257)).is_err() && question("a\0").is_err());
        let (from, to) = any_word();
        assert!(from < hex("zz") && hex("\u{10FFFF}") < to);
    }
}
