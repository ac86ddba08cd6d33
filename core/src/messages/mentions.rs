//! Who is mentioned in a text: `@name` at the beginning of a word, for people who may read the channel.

use confab_protocol::{ChannelId, ChannelKind, MENTIONS, UserId};
use uuid::Uuid;

use crate::db::{Tx, run_in};
use crate::fault::Result;
use crate::users;

const MEMBERS: &str =
    "select user_id from memberships where channel_id = $1 and to_seq is null and user_id in";

/// Names that a text may mean, at most [`MENTIONS`].
fn names(content: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
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
    names
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
    let found: Vec<UserId> =
        users::by_names(tx, &names(content)).await?.into_iter().map(|(id, _)| id).collect();
    if kind.is_open() || found.is_empty() {
        return Ok(found);
    }
    let ids: Vec<Uuid> = found.iter().map(|id| id.0).collect();
    let rows: Vec<(Uuid,)> = run_in!(tx, (Uuid,), MEMBERS, &ids, "", bind channel.0)?;
    Ok(rows.into_iter().map(|row| UserId(row.0)).collect())
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn mentions_stand_at_the_beginning_of_a_word() {
        assert_eq!(names("hi @ada, @Bob. mail me@example.org (@eve)"), ["ada", "Bob", "eve"]);
        assert_eq!(names("@ada @ada @"), ["ada"]);
        let many = (0..200).map(|number| format!("@u{number}")).collect::<Vec<_>>().join(" ");
        assert_eq!(names(&many).len(), super::MENTIONS);
    }
}
