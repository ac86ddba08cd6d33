//! Who is mentioned in a text: `@name` at the beginning of a word, for people who may read the channel, and `@channel`,
//! `@all` or `@here` for all of it. What stands in code mentions nobody.

use confab_protocol::{ChannelId, ChannelKind, ChannelRole, MENTIONS, UserId};
use uuid::Uuid;

use crate::broadcasts::{self, Word};
use crate::db::{Tx, run_in};
use crate::fault::Result;
use crate::users;

const MEMBERS: &str =
    "select user_id from memberships where channel_id = $1 and to_seq is null and user_id in";

/// The word for a whole channel that a name is, if it is one. Nobody is called so.
fn word(name: &str) -> Option<Word> {
    match name.to_lowercase().as_str() {
        "channel" | "all" => Some(Word::Channel),
        "here" => Some(Word::Here),
        _ => None,
    }
}

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

/// Names that a text may mean, at most [`MENTIONS`].
fn names(content: &str) -> Vec<String> {
    // A text of thousands of single runs would be looked through for each: then backticks are text.
    let parts = if content.matches('`').count() > 1_000 { vec![content] } else { outside_code(content) };
    let mut names: Vec<String> = Vec::new();
    for part in parts {
        names_in(part, &mut names);
    }
    names
}

fn names_in(content: &str, names: &mut Vec<String>) {
    let mut before = ' ';
    for (at, letter) in content.char_indices() {
        if letter == '@' && !before.is_alphanumeric() && names.len() < MENTIONS {
            let rest = &content[at + 1..];
            let end = rest.find(|it: char| {
                it.is_whitespace()
                    || matches!(it, '@' | ',' | ':' | ';' | '!' | '?' | ')' | '<' | '>' | '"' | '/')
            });
            let name = rest[..end.unwrap_or(rest.len())].trim_end_matches('.');
            if !name.is_empty()
                && name.chars().count() <= users::USERNAME_CHARACTERS
                && !names.iter().any(|it| it == name)
            {
                names.push(name.to_owned());
            }
        }
        before = letter;
    }
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
    let words: Vec<Word> = names(content).iter().filter_map(|name| word(name)).collect();
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
    let names: Vec<String> = names(content).into_iter().filter(|name| word(name).is_none()).collect();
    let found: Vec<UserId> = users::by_names(tx, &names).await?.into_iter().map(|(id, _)| id).collect();
    if kind.is_open() || found.is_empty() {
        return Ok(found);
    }
    let ids: Vec<Uuid> = found.iter().map(|id| id.0).collect();
    let rows: Vec<(Uuid,)> = run_in!(tx, (Uuid,), MEMBERS, &ids, "", bind channel.0)?;
    Ok(rows.into_iter().map(|row| UserId(row.0)).collect())
}

#[cfg(test)]
mod tests {
    use super::{Word, names, word};

    #[test]
    fn mentions_stand_at_the_beginning_of_a_word() {
        assert_eq!(names("hi @ada, @Bob. mail me@example.org (@eve)"), ["ada", "Bob", "eve"]);
        assert_eq!(names("@ada @ada @"), ["ada"]);
        assert_eq!(names("`@eve` ``@bob ` @bob`` ```\n@carl\n``` ` @ada"), ["ada"]);
        assert_eq!(word("Channel"), Some(Word::Channel));
        assert_eq!((word("here"), word("hereby")), (Some(Word::Here), None));
        let many = (0..200).map(|number| format!("@u{number}")).collect::<Vec<_>>().join(" ");
        assert_eq!(names(&many).len(), super::MENTIONS);
    }
}
