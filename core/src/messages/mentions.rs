//! Who is mentioned in a text: `@name` at the beginning of a word, for people who may read the channel, and words such as
//! `@channel` for all of it. What stands in code mentions nobody.

use std::collections::HashMap;

use confab_protocol::{ChannelId, ChannelKind, ChannelRole, MENTIONS, UserId};
use uuid::Uuid;

use crate::broadcasts::{self, Word};
use crate::db::{Tx, run_in};
use crate::fault::Result;
use crate::{markdown, text, users};

const MEMBERS: &str =
    "select user_id from memberships where channel_id = $1 and to_seq is null and user_id in";

/// The parts of a text outside of code: a run of backticks opens, the next run of the same length closes (CommonMark).
fn outside_code(content: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut rest, mut from) = (content, 0);
    while let Some(at) = rest[from..].find('`').map(|at| from + at) {
        let run = rest[at..].bytes().take_while(|byte| *byte == b'`').count();
        match closing(&rest[at + run..], run) {
            Some(end) => {
                parts.push(&rest[..at]);
                rest = &rest[at + run + end..];
                from = 0;
            }
            // Opens nothing: the backticks are text.
            None => from = at + run,
        }
    }
    parts.push(rest);
    parts
}

/// Where the text behind the next run of exactly `run` backticks begins.
fn closing(text: &str, run: usize) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = text[from..].find('`').map(|at| from + at) {
        let found = text[at..].bytes().take_while(|byte| *byte == b'`').count();
        from = at + found;
        if found == run {
            return Some(from);
        }
    }
    None
}

/// What stands behind each `@` at the beginning of a word, at most [`MENTIONS`]: the names that it may mean, the
/// likeliest first, as they are shown ([`markdown::names_behind`]).
fn names(content: &str) -> Vec<Vec<&str>> {
    // A text of thousands of single runs would be looked through for each: then backticks are text.
    let parts = if content.matches('`').count() > 1_000 { vec![content] } else { outside_code(content) };
    let mut names: Vec<Vec<&str>> = Vec::new();
    for part in parts {
        let mut before = ' ';
        for (at, letter) in part.char_indices() {
            if letter == '@' && !before.is_alphanumeric() && names.len() < MENTIONS {
                let meant: Vec<&str> = markdown::names_behind(&part[at + 1..]).collect();
                if !meant.is_empty() && !names.contains(&meant) {
                    names.push(meant);
                }
            }
            before = letter;
        }
    }
    names
}

/// Whether a text mentions its whole channel, by somebody who may.
pub(super) async fn broadcast(
    tx: &mut Tx,
    user: UserId,
    role: ChannelRole,
    channel: ChannelId,
    content: &str,
) -> Result<Option<Word>> {
    if !content.contains('@') {
        return Ok(None);
    }
    let words: Vec<Word> =
        names(content).iter().filter_map(|meant| meant.iter().find_map(|name| Word::named(name))).collect();
    // The wider one counts.
    let found = if words.contains(&Word::Channel) { Some(Word::Channel) } else { words.first().copied() };
    match found {
        Some(word) if broadcasts::may(tx, user, role, channel).await? => Ok(Some(word)),
        _ => Ok(None),
    }
}

/// The people whom a text mentions and who may read it there: a mention tells nobody of a channel that they may not
/// know.
pub(super) async fn mentioned(
    tx: &mut Tx,
    channel: ChannelId,
    kind: ChannelKind,
    content: &str,
) -> Result<Vec<UserId>> {
    if !content.contains('@') {
        return Ok(Vec::new());
    }
    let meant = names(content);
    let asked: Vec<String> = meant
        .iter()
        .flatten()
        .filter(|name| Word::named(name).is_none())
        .map(|name| (*name).to_owned())
        .collect();
    let known: HashMap<String, UserId> =
        users::by_names(tx, &asked).await?.into_iter().map(|(id, key)| (key, id)).collect();
    let mut found: Vec<UserId> = Vec::new();
    for names in meant {
        // "@j.r." means j.r. where there is one, and j.r otherwise: never both.
        let person = names.iter().find_map(|name| known.get(&text::key(name)));
        if let Some(id) = person.filter(|id| !found.contains(id)) {
            found.push(*id);
        }
    }
    if kind.is_open() || found.is_empty() {
        return Ok(found);
    }
    let ids: Vec<Uuid> = found.iter().map(|id| id.0).collect();
    let rows: Vec<(Uuid,)> = run_in!(tx, (Uuid,), MEMBERS, &ids, "", bind channel.0)?;
    Ok(rows.into_iter().map(|row| UserId(row.0)).collect())
}

#[cfg(test)]
mod tests {
    use super::{Word, names};

    /// The likeliest name of each.
    fn first(content: &str) -> Vec<&str> {
        names(content).into_iter().map(|meant| meant[0]).collect()
    }

    #[test]
    fn mentions_stand_at_the_beginning_of_a_word() {
        assert_eq!(first("hi @ada, @Bob mail me@example.org (@eve)"), ["ada", "Bob", "eve"]);
        assert_eq!(first("@ada @ada @"), ["ada"]);
        assert_eq!(first("`@eve` ``@bob ` @bob`` ```\n@carl\n``` ` @ada"), ["ada"]);
        let many = (0..200).map(|number| format!("@u{number}")).collect::<Vec<_>>().join(" ");
        assert_eq!(names(&many).len(), super::MENTIONS);
    }

    #[test]
    fn marks_around_a_name_are_not_of_it() {
        assert_eq!(
            names("**@ada** @bob's @j.r."),
            [vec!["ada**", "ada"], vec!["bob's", "bob"], vec!["j.r.", "j.r"],]
        );
    }

    #[test]
    fn words_for_all_of_a_channel() {
        assert_eq!(["Channel", "all", "everyone"].map(Word::named), [Some(Word::Channel); 3]);
        assert_eq!(["here", "hereby"].map(Word::named), [Some(Word::Here), None]);
    }
}
