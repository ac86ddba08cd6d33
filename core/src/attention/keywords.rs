//! Words that people wish to be told of. A message's words are looked up in one index: what nobody wishes costs nothing,
//! however many people a channel has.

use std::collections::HashMap;

use confab_protocol::{ChannelId, UserId};
use unicode_normalization::char::is_combining_mark;
use uuid::Uuid;

use crate::db::{Read, Tx, insert_rows, run, run_in};
use crate::fault::{Fault, Result};
use crate::text;

/// Most keywords of one person.
pub const MOST: usize = 50;
/// Longest keyword.
pub const CHARACTERS: usize = 60;
/// Words of one keyword.
const WORDS: usize = 8;
/// Words of a message that are looked at (docs/limits.md).
const LOOKED_AT: usize = 2_000;

const OF_USER: &str = "select label from keywords where user_id = $1 order by place";
const FORGET: &str = "delete from keywords where user_id = $1";
const KEEP: &str = "insert into keywords (user_id, phrase, first_word, label, place) ";
// Bounded: a word that everybody wishes to hear of is not told to everybody.
const LOOK_UP: &str = "select k.user_id, k.phrase from keywords k
    join memberships m on m.channel_id = $1 and m.user_id = k.user_id and m.to_seq is null where k.first_word in";

/// A user's keywords, as typed.
pub async fn of_user(on: &mut impl Read, user: UserId) -> Result<Vec<String>> {
    Ok(run!(on, sqlx::query_scalar(OF_USER).bind(user.0), fetch_all)?)
}

/// Replaces them.
///
/// # Errors
/// [`Fault::Invalid`] in `keywords`.
pub(super) async fn set(tx: &mut Tx, user: UserId, labels: &[String]) -> Result<()> {
    if labels.len() > MOST {
        return Err(Fault::invalid("keywords", format!("holds at most {MOST}")));
    }
    let mut rows: Vec<(String, String, String)> = Vec::with_capacity(labels.len());
    for label in labels {
        let label = text::line("keywords", label, CHARACTERS)?;
        let mut words = words(&label, WORDS + 1);
        if words.len() > WORDS {
            return Err(Fault::invalid("keywords", format!("a keyword has at most {WORDS} words")));
        }
        let phrase = words.join(" ");
        if words.is_empty() {
            return Err(Fault::invalid("keywords", "a keyword needs a letter or a digit"));
        }
        if !rows.iter().any(|(known, ..)| *known == phrase) {
            rows.push((phrase, words.swap_remove(0), label));
        }
    }
    forget(tx, user).await?;
    let rows: Vec<(i64, (String, String, String))> = (0_i64..).zip(rows).collect();
    insert_rows!(
        tx,
        KEEP,
        rows,
        |values, row| values
            .push_bind(user.0)
            .push_bind(row.1.0.clone())
            .push_bind(row.1.1.clone())
            .push_bind(row.1.2.clone())
            .push_bind(row.0),
        ""
    );
    Ok(())
}

/// Drops all of them.
pub(super) async fn forget(tx: &mut Tx, user: UserId) -> Result<()> {
    run!(tx, sqlx::query(FORGET).bind(user.0), execute)?;
    Ok(())
}

/// Members of a channel whose keywords stand in a text. The caller asked before whether there are any at all.
pub(crate) async fn wished_by(tx: &mut Tx, channel: ChannelId, content: &str) -> Result<Vec<UserId>> {
    let words = words(content, LOOKED_AT);
    let mut places: HashMap<&str, Vec<usize>> = HashMap::with_capacity(words.len());
    for (at, word) in words.iter().enumerate() {
        places.entry(word).or_default().push(at);
    }
    let distinct: Vec<&str> = places.keys().copied().collect();
    let mut wished = Vec::new();
    for part in distinct.chunks(500) {
        let rows: Vec<(Uuid, String)> =
            run_in!(tx, (Uuid, String), LOOK_UP, part, "limit 1000", bind channel.0)?;
        for (user, phrase) in rows {
            let wanted: Vec<&str> = phrase.split(' ').collect();
            let starts = wanted.first().and_then(|first| places.get(first));
            let stands = |at: &usize| {
                words[*at..].len() >= wanted.len()
                    && words[*at..].iter().zip(&wanted).all(|(is, it)| is == it)
            };
            if starts.is_some_and(|starts| starts.iter().any(stands)) {
                wished.push(UserId(user));
            }
        }
    }
    wished.sort_unstable();
    wished.dedup();
    Ok(wished)
}

/// The words of a text, folded, at most `most`. In scripts without spaces each sign is a word, and a keyword of several
/// signs stands where they follow each other.
fn words(text: &str, most: usize) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for letter in text::key(text).chars() {
        let stands_alone = is_sign(letter);
        let belongs =
            !stands_alone && (letter.is_alphanumeric() || letter == '_' || is_combining_mark(letter));
        if belongs {
            word.push(letter);
            continue;
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if stands_alone {
            words.push(letter.to_string());
        }
        if words.len() >= most {
            break;
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words.truncate(most);
    words
}

/// Han, Hiragana, Katakana, Thai, Lao, Khmer, Burmese: written without spaces between words. Their marks stay with the
/// sign before as words of their own, alike in text and keyword.
fn is_sign(letter: char) -> bool {
    matches!(u32::from(letter),
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF
        | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_are_whole_folded_and_of_every_script() {
        assert_eq!(words("The DEPLOY-day, isn't it?", 99), ["the", "deploy", "day", "isn", "t", "it"]);
        assert_eq!(words("東京に行く!", 99), ["東", "京", "に", "行", "く"]);
        assert_eq!(words("Größe СЛОВО हिन्दी", 99), ["größe", "слово", "हिन्दी"]);
        assert_eq!(words("a b c d", 2), ["a", "b"]);
        assert!(words("!!! …", 99).is_empty());
    }
}
