//! What the files of an export hold. Ids are ours, in the letters of Slack's: capitals and digits.

use std::collections::HashMap;

use confab_protocol::{ChannelId, Message, Timestamp, User, UserId};
use serde::Serialize;
use uuid::Uuid;

#[derive(Serialize)]
pub(super) struct ExportedUser {
    id: String,
    name: String,
    real_name: String,
    deleted: bool,
    is_bot: bool,
    profile: Profile,
}

#[derive(Serialize)]
struct Profile {
    real_name: String,
    display_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

impl ExportedUser {
    pub fn of(user: &User) -> Self {
        let real_name = user.full_name.clone().unwrap_or_else(|| user.username.clone());
        Self {
            id: person(user.id),
            name: user.username.clone(),
            real_name: real_name.clone(),
            deleted: !user.is_active,
            is_bot: user.is_bot,
            profile: Profile { real_name, display_name: user.username.clone(), email: user.email.clone() },
        }
    }
}

#[derive(Serialize)]
pub(super) struct ExportedChannel {
    pub id: String,
    pub name: String,
    /// In seconds.
    pub created: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
    pub is_archived: bool,
    pub members: Vec<String>,
    pub topic: Line,
    pub purpose: Line,
}

#[derive(Serialize)]
pub(super) struct Line {
    value: String,
}

impl Line {
    pub fn of(text: Option<&str>) -> Self {
        Self { value: text.unwrap_or_default().to_owned() }
    }
}

#[derive(Serialize)]
pub(super) struct ExportedMessage {
    #[serde(rename = "type")]
    kind: &'static str,
    user: String,
    text: String,
    ts: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_ts: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edited: Option<Edited>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reactions: Vec<ExportedReaction>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<Named>,
}

#[derive(Serialize)]
struct Edited {
    user: String,
    ts: String,
}

#[derive(Serialize)]
struct Named {
    name: String,
    mimetype: String,
    size: i64,
}

#[derive(Serialize)]
pub(super) struct ExportedReaction {
    pub name: String,
    pub count: i64,
    pub users: Vec<String>,
}

impl ExportedMessage {
    pub fn of(
        message: &Message,
        ts: String,
        thread_ts: Option<String>,
        reactions: Vec<ExportedReaction>,
        names: &HashMap<UserId, String>,
    ) -> Self {
        let mut mentioned: Vec<(&str, UserId)> =
            message.mentions.iter().filter_map(|id| Some((names.get(id)?.as_str(), *id))).collect();
        // The longest first: `@anna` is not `@ann` with an `a` behind it.
        mentioned.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        // What a message brings from elsewhere is what it says.
        let forwarded = message.forwarded.as_ref().map_or("", |it| it.content.as_str());
        let said = if message.content.is_empty() { forwarded } else { &message.content };
        Self {
            kind: "message",
            user: person(message.sender_id),
            text: written(said, &mentioned),
            ts,
            thread_ts,
            edited: message
                .edited_at
                .map(|at| Edited { user: person(message.sender_id), ts: seconds(at, 0) }),
            reactions,
            files: message
                .files
                .iter()
                .map(|file| Named {
                    name: file.filename.clone(),
                    mimetype: file.file_type.clone(),
                    size: file.file_size,
                })
                .collect(),
        }
    }
}

/// A text with entities, as every reader of an export expects it, and with the ids of those it mentions.
fn written(text: &str, mentioned: &[(&str, UserId)]) -> String {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '@']) {
        done.push_str(&rest[..at]);
        rest = &rest[at..];
        let follows = |name: &str| {
            rest[1..].strip_prefix(name).is_some_and(|after| {
                !after.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_')
            })
        };
        let length = match rest.as_bytes()[0] {
            // Within a word it is part of an address.
            b'@' if done.ends_with(char::is_alphanumeric) => {
                done.push('@');
                1
            }
            b'@' => {
                if let Some((name, id)) = mentioned.iter().find(|(name, _)| follows(name)) {
                    done.extend(["<@", &person(*id), ">"]);
                    1 + name.len()
                } else {
                    done.push('@');
                    1
                }
            }
            mark => {
                done.push_str(match mark {
                    b'&' => "&amp;",
                    b'<' => "&lt;",
                    _ => "&gt;",
                });
                1
            }
        };
        rest = &rest[length..];
    }
    done.push_str(rest);
    done
}

/// A person's id.
pub(super) fn person(id: UserId) -> String {
    spelled('U', id.0)
}

/// A channel's id, which is also its folder: names may hold what no folder can.
pub(super) fn place(id: ChannelId) -> String {
    spelled('C', id.0)
}

fn spelled(letter: char, id: Uuid) -> String {
    format!("{letter}{:X}", id.simple())
}

/// A message's time, which is its id in its channel: the last digits come from its number, since two may have one millisecond.
pub(super) fn moment(message: &Message) -> String {
    seconds(message.created_at, message.seq % 1_000)
}

fn seconds(at: Timestamp, micros: i64) -> String {
    format!("{}.{:06}", at.0.div_euclid(1_000), at.0.rem_euclid(1_000) * 1_000 + micros)
}

/// The day of a message, in UTC.
pub(super) fn day_of(message: &Message) -> String {
    message.created_at.to_string().chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use confab_protocol::{Timestamp, UserId};

    use super::{person, seconds, written};

    #[test]
    fn texts_are_written_as_readers_expect_them() {
        let (ann, anna) = (UserId::new(), UserId::new());
        let mentioned = [("anna", anna), ("ann", ann)];
        assert_eq!(
            written("@anna & @ann: <b> @annabel ann@ann.de *x*", &mentioned),
            format!("<@{}> &amp; <@{}>: &lt;b&gt; @annabel ann@ann.de *x*", person(anna), person(ann))
        );
        assert_eq!(seconds(Timestamp(1_500), 7), "1.500007");
    }
}
