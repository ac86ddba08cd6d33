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

/// Where a message may mention somebody, by the same reading of its Markdown as it is shown by.
pub(super) fn texts(content: &str) -> Vec<String> {
    if content.contains('@') { markdown::texts(content) } else { Vec::new() }
}

/// What stands behind each `@` at the beginning of a word, at most [`MENTIONS`]: the names that it may mean, the
/// likeliest first, as they are shown ([`markdown::names_behind`]).
fn names(texts: &[String]) -> Vec<Vec<&str>> {
    let mut names: Vec<Vec<&str>> = Vec::new();
    for part in texts {
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
    texts: &[String],
) -> Result<Option<Word>> {
    let words: Vec<Word> =
        names(texts).iter().filter_map(|meant| meant.iter().find_map(|name| Word::named(name))).collect();
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
    texts: &[String],
) -> Result<Vec<UserId>> {
    let meant = names(texts);
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
    use super::{Word, names, texts};

    /// The likeliest name of each.
    fn first(content: &str) -> Vec<String> {
        names(&texts(content)).into_iter().map(|meant| meant[0].to_owned()).collect()
    }

    #[test]
    fn mentions_stand_at_the_beginning_of_a_word() {
        assert_eq!(first("hi @ada, @Bob mail me@example.org (@eve)"), ["ada", "Bob", "eve"]);
        assert_eq!(first("@ada @ada @"), ["ada"]);
        let many = (0..200).map(|number| format!("@u{number}")).collect::<Vec<_>>().join(" ");
        assert_eq!(first(&many).len(), super::MENTIONS);
    }

    #[test]
    fn what_stands_in_code_or_a_link_mentions_nobody() {
        assert_eq!(first("`@eve` ``@bob ` @bob``\n\n```\n@carl\n```\n@ada"), ["ada"]);
        assert!(first("~~~\n@eve\n~~~\n\n    @bob\n\n[@carl](https://e.org)").is_empty());
        assert!(first("```\n@eve is never closed").is_empty());
        assert_eq!(first("\\`@ada\\`"), ["ada`"]);
    }

    #[test]
    fn marks_around_a_name_are_not_of_it() {
        assert_eq!(first("**@ada** _@eve_"), ["ada", "eve"]);
        assert_eq!(names(&["@bob's @j.r.".into()]), [vec!["bob's", "bob"], vec!["j.r.", "j.r"]]);
    }

    #[test]
    fn words_for_all_of_a_channel() {
        assert_eq!(["Channel", "all", "everyone"].map(Word::named), [Some(Word::Channel); 3]);
        assert_eq!(["here", "hereby"].map(Word::named), [Some(Word::Here), None]);
    }
}
