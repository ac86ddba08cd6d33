//! Whom and which channels a question names. A name that nobody has may be one that was mistyped: where exactly one is
//! near to it, that one is meant, and the answer says so; where several are, they are suggested.
//!
//! What the asker may not know of is never near: whether somebody or something is hidden or does not exist looks alike.

use std::collections::HashSet;
use std::sync::Arc;

use confab_core::typos::Near;
use confab_core::{Db, Result, bookmarks, channels, text, users};
use confab_protocol::{ChannelId, MessageId, UserId};
use serde::{Deserialize, Serialize};

use super::find::{Wanted, is_prefix};
use super::question::Parsed;

/// Names of each filter that are compared with those that there are; of more, the rest mean nobody.
const MOST_COMPARED: usize = 4;

/// A name in a question that nobody and no channel has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameRead {
    /// As it was written, behind its filter if it has one: `from:adda`.
    pub written: String,
    /// The nearest, likewise: `from:ada`. A single one is what was looked for; of several none was.
    pub near: Vec<String>,
}

/// What a question means.
#[derive(Default)]
pub(super) struct Meant {
    /// `None`: nothing can match.
    pub wanted: Option<Wanted>,
    pub names: Vec<NameRead>,
}

/// From names to ids.
pub(super) async fn read(db: &Db, user: UserId, parsed: Parsed, visible: &[ChannelId]) -> Result<Meant> {
    let mut names = Vec::new();
    let mut channels = visible.to_vec();
    if !parsed.channels.is_empty() {
        let wanted = places(db, user, &parsed.channels, visible, &mut names).await?;
        channels.retain(|id| wanted.contains(id));
    }
    let senders = people(db, user, ("from", &parsed.senders), &mut names).await?;
    let mentioned = people(db, user, ("mentions", &parsed.mentioned), &mut names).await?;
    let names_nobody = |names: &[String], found: &[UserId]| !names.is_empty() && found.is_empty();
    if names_nobody(&parsed.senders, &senders)
        || names_nobody(&parsed.mentioned, &mentioned)
        || channels.is_empty()
    {
        return Ok(Meant { wanted: None, names });
    }
    let mut only = None;
    if parsed.is_bookmarked {
        let kept: HashSet<MessageId> = bookmarks::ids(&mut db.read(), user).await?.into_iter().collect();
        if kept.is_empty() {
            return Ok(Meant { wanted: None, names });
        }
        only = Some(Arc::new(kept));
    }
    let wanted = Wanted {
        words: parsed.words,
        phrases: parsed.phrases,
        channels,
        senders,
        since: parsed.since,
        until: parsed.until,
        has: parsed.has,
        is_mentioned_with_all: mentioned.contains(&user),
        mentioned,
        only,
        is_for_files: false,
        is_newest_first: false,
    };
    Ok(Meant { wanted: Some(wanted), names })
}

/// Those of `visible` that names or ids mean.
async fn places(
    db: &Db,
    asker: UserId,
    names: &[String],
    visible: &[ChannelId],
    read: &mut Vec<NameRead>,
) -> Result<Vec<ChannelId>> {
    let (mut wanted, mut unknown) = (Vec::new(), Vec::new());
    for name in names {
        let found = match name.parse::<ChannelId>() {
            Ok(id) => vec![id],
            Err(_) => channels::named(&mut db.read(), asker, name).await?,
        };
        // A hidden one is as unknown as none: else what is suggested would tell the two apart.
        let found: Vec<ChannelId> = found.into_iter().filter(|id| visible.contains(id)).collect();
        if found.is_empty() && unknown.len() < MOST_COMPARED {
            unknown.push(name.clone());
        }
        wanted.extend(found);
    }
    if !unknown.is_empty() {
        let near = channels::near(&mut db.read(), asker, visible, &unknown).await?;
        wanted.extend(meant("in", &unknown, near, read));
    }
    Ok(wanted)
}

/// Those whom names mean; `me` is the asker.
async fn people(
    db: &Db,
    asker: UserId,
    (filter, names): (&str, &[String]),
    read: &mut Vec<NameRead>,
) -> Result<Vec<UserId>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for (id, key) in users::by_names(&mut db.read(), names).await? {
        // A guest to whom it made a difference whether a stranger is called so would learn a name.
        if users::may_look_up(&mut db.read(), asker, id).await? {
            found.push((id, key));
        }
    }
    let is_known = |name: &str| name == "me" || found.iter().any(|(_, key)| *key == text::key(name));
    let unknown = names.iter().filter(|name| !is_known(name)).take(MOST_COMPARED);
    let unknown: Vec<String> = unknown.cloned().collect();
    let asker_named = names.iter().any(|name| name == "me").then_some(asker);
    let mut people: Vec<UserId> = asker_named.into_iter().chain(found.iter().map(|(id, _)| *id)).collect();
    if !unknown.is_empty() {
        let near = users::near(&mut db.read(), asker, &unknown).await?;
        people.extend(meant(filter, &unknown, near, read));
    }
    Ok(people)
}

/// The words of a question that finds nothing, those that are nearly one name as that name; and which they are. A name is that
/// of somebody whom the asker may look up, or of one of `visible`.
pub(super) async fn respelled(
    db: &Db,
    user: UserId,
    words: &[String],
    visible: &[ChannelId],
) -> Result<(Vec<String>, Vec<NameRead>)> {
    let is_name = |word: &&String| !is_prefix(word) && word.chars().any(char::is_alphabetic);
    let asked: Vec<String> = words.iter().filter(is_name).take(MOST_COMPARED).cloned().collect();
    if asked.is_empty() {
        return Ok((words.to_vec(), Vec::new()));
    }
    let people = users::near(&mut db.read(), user, &asked).await?;
    let places = channels::near(&mut db.read(), user, visible, &asked).await?;
    let is_all = people.is_all && places.is_all;
    let (mut words, mut read) = (words.to_vec(), Vec::new());
    for (written, (people, places)) in asked.into_iter().zip(people.of.into_iter().zip(places.of)) {
        let mut near: Vec<String> = people.into_iter().map(|it| it.1).collect();
        near.extend(places.into_iter().map(|it| it.1));
        // Nobody wrote of who is called so; another name would be a guess.
        if near.is_empty() || near.iter().any(|name| text::key(name) == text::key(&written)) {
            continue;
        }
        if is_all && let [name] = &near[..] {
            words.iter_mut().filter(|word| **word == written).for_each(|word| word.clone_from(name));
        }
        read.push(NameRead { written, near });
    }
    Ok((words, read))
}

/// The ids of names that are the only ones near to what was written. Notes in `read` how each was read.
fn meant<T: Copy>(filter: &str, written: &[String], near: Near<T>, read: &mut Vec<NameRead>) -> Vec<T> {
    let (mut ids, is_all) = (Vec::new(), near.is_all);
    for (written, near) in written.iter().zip(near.of) {
        if is_all && let [(id, _)] = near[..] {
            ids.push(id);
        }
        if !near.is_empty() {
            let near = near.iter().map(|(_, name)| in_filter(filter, name)).collect();
            read.push(NameRead { written: in_filter(filter, written), near });
        }
    }
    ids
}

/// As it can be typed: a name of several words in quotes.
fn in_filter(filter: &str, name: &str) -> String {
    if name.contains(char::is_whitespace) {
        format!("{filter}:\"{name}\"")
    } else {
        format!("{filter}:{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_near_is_meant_and_several_are_suggested() {
        let mut read = Vec::new();
        let written = ["adda".to_owned(), "jonsa".to_owned(), "zebra".to_owned()];
        let one = |id: u8, name: &str| (id, name.to_owned());
        let of = vec![vec![one(1, "ada b")], vec![one(2, "jonas"), one(3, "jonsi")], vec![]];
        let part = Near { of: of.clone(), is_all: false };
        assert!(meant("from", &written, part, &mut Vec::new()).is_empty(), "another may be nearer");
        assert_eq!(meant("from", &written, Near { of, is_all: true }, &mut read), [1]);
        let said: Vec<(&str, Vec<&str>)> = read
            .iter()
            .map(|it| (it.written.as_str(), it.near.iter().map(String::as_str).collect()))
            .collect();
        assert_eq!(
            said,
            [("from:adda", vec!["from:\"ada b\""]), ("from:jonsa", vec!["from:jonas", "from:jonsi"])]
        );
    }
}
