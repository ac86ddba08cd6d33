//! Events as frames: hydrated a batch at a time, encoded once.

mod departed;

use std::collections::HashMap;

use confab_core::{Db, Fault, Result, channels, messages, users, whispers};
use confab_protocol::{Event, EventKind, Message, MessageId, Timestamp, UserId};
use serde::Serialize;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Utf8Bytes;

#[derive(Serialize)]
struct Frame<'a, D: Serialize> {
    op: &'static str,
    t: &'static str,
    pos: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_id: Option<confab_protocol::ChannelId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<i64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    withheld: bool,
    d: &'a D,
}

/// An event as its audience hears it.
pub struct EventFrame {
    /// As members of its channel hear it.
    pub text: Utf8Bytes,
    /// Who has left the channel since, and what they hear instead.
    pub departed: Option<(Vec<UserId>, Utf8Bytes)>,
}

impl EventFrame {
    /// What somebody hears who was there when it happened.
    #[must_use]
    pub fn for_user(&self, user: UserId) -> &Utf8Bytes {
        match &self.departed {
            Some((people, bare)) if people.contains(&user) => bare,
            _ => &self.text,
        }
    }
}

/// The frames of events, in order. `None`: there is nothing to show, as for an event that only servers read.
///
/// Bodies are read now, not when the event was written: what was edited or deleted since never leaves again. So they may
/// be newer than somebody's removal, who was there when the event happened and must hear of it, but not that.
pub async fn encode(db: &Db, events: &[Event]) -> Result<Vec<Option<EventFrame>>> {
    let ids: Vec<MessageId> = events
        .iter()
        .filter(|event| {
            matches!(event.kind, EventKind::NewMessage | EventKind::MessageUpdate | EventKind::MessageDelete)
        })
        .map(|event| MessageId(event.ref_id))
        .collect();
    let messages = messages::shown(db, &unique(ids)).await?;
    let people: Vec<UserId> = events
        .iter()
        .filter(|event| matches!(event.kind, EventKind::MemberJoined | EventKind::UserUpdated))
        .map(|event| UserId(event.ref_id))
        .collect();
    let people: HashMap<UserId, confab_protocol::UserRef> =
        users::refs(&mut db.read(), &unique(people)).await?.into_iter().map(|it| (it.id, it)).collect();
    let mut frames = Vec::with_capacity(events.len());
    for event in events {
        let frame = match event.kind {
            EventKind::NewMessage | EventKind::MessageUpdate => {
                messages.get(&MessageId(event.ref_id)).map(|message| text(event, &**message))
            }
            EventKind::MessageDelete => {
                let left = messages.get(&MessageId(event.ref_id));
                Some(text(event, &gone(event, left.map(|it| &**it))))
            }
            EventKind::ChannelCreated | EventKind::ChannelUpdate | EventKind::PrivacyUpdated => {
                match event.channel_id {
                    Some(id) => match channels::for_event(&mut db.read(), id).await {
                        Ok(channel) => Some(text(event, &channel)),
                        Err(Fault::NotFound(_)) => None,
                        Err(fault) => return Err(fault),
                    },
                    None => None,
                }
            }
            EventKind::CommandResult => Some(text(event, &whisper(db, event).await?)),
            _ => small(event, &people).map(|d| text(event, &d)),
        };
        frames.push(frame.transpose()?.map(|text| EventFrame { text, departed: None }));
    }
    // After all else was read: whoever left before any of it was written is found.
    departed::withhold(db, events, &messages, &mut frames).await?;
    Ok(frames)
}

fn unique<T: Ord>(mut ids: Vec<T>) -> Vec<T> {
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// What a plugin said to one person, as it is now; of one that is gone, that it is.
async fn whisper(db: &Db, event: &Event) -> Result<Value> {
    let user = event.user_id.ok_or_else(|| Fault::Internal("a whisper to nobody".into()))?;
    match whispers::find(&mut db.read(), user, event.ref_id).await {
        Ok(whisper) => serde_json::to_value(whisper).map_err(Fault::internal),
        Err(Fault::NotFound(_)) => {
            Ok(json!({ "id": event.ref_id, "channel_id": event.detail, "is_gone": true }))
        }
        Err(fault) => Err(fault),
    }
}

/// What is left of a deleted message: ids, and what makes its tombstone the one that REST shows. The root's id is
/// there since a client that holds the root counts one answer less, whether it held the answer or not.
fn gone(event: &Event, left: Option<&Message>) -> Value {
    let mut d = json!({ "id": event.ref_id, "channel_id": event.channel_id });
    if let Some(left) = left {
        d["version"] = json!(left.version);
        d["deleted_at"] = json!(left.deleted_at);
        if let Some(parent) = left.parent_id {
            d["parent_id"] = json!(parent);
        }
    }
    d
}

/// Events whose frames need nothing but the row.
fn small(event: &Event, people: &HashMap<UserId, confab_protocol::UserRef>) -> Option<Value> {
    let detail = event.detail.as_deref().unwrap_or_default();
    let channel = event.channel_id;
    Some(match event.kind {
        EventKind::ReactionAdded | EventKind::ReactionRemoved => {
            json!({ "message_id": event.ref_id, "channel_id": channel, "user_id": event.actor_id, "code": detail })
        }
        EventKind::ChannelDeleted => json!({ "id": event.ref_id }),
        EventKind::DirectoryUpdated => json!({ "channel_id": event.ref_id, "listed": detail == "listed" }),
        EventKind::MemberJoined => {
            let user = people.get(&UserId(event.ref_id))?;
            json!({ "channel_id": channel, "user": user, "role": detail, "joined_at": event.created_at })
        }
        EventKind::MemberLeft => json!({ "channel_id": channel, "user_id": event.ref_id }),
        EventKind::RoleUpdated => json!({ "channel_id": channel, "user_id": event.ref_id, "role": detail }),
        EventKind::ReadUpdated => {
            let numbers: Vec<i64> = detail.split(' ').filter_map(|it| it.parse().ok()).collect();
            let mut read = json!({ "channel_id": channel, "user_id": event.ref_id, "seq": numbers.first()? });
            if let [_, unread, mentions] = numbers[..] {
                read["unread_count"] = json!(unread);
                read["mention_count"] = json!(mentions);
            }
            read
        }
        EventKind::UserUpdated => serde_json::to_value(people.get(&UserId(event.ref_id))?).ok()?,
        EventKind::Notification => {
            // Why, of which message, and whether it is to be heard. A reminder may be about no message.
            let (kind, rest) = detail.split_once(' ')?;
            let (message, is_quiet) = rest.strip_suffix(" quiet").map_or((rest, false), |it| (it, true));
            let message = (!message.is_empty()).then_some(message);
            json!({ "id": event.ref_id, "kind": kind, "channel_id": channel, "message_id": message, "actor_id": event.actor_id,
                "is_quiet": is_quiet })
        }
        EventKind::PinAdded => {
            let pinned_at = Timestamp(detail.parse().ok()?);
            json!({ "message_id": event.ref_id, "channel_id": channel, "user_id": event.actor_id, "pinned_at": pinned_at })
        }
        EventKind::PinRemoved => {
            json!({ "message_id": event.ref_id, "channel_id": channel, "user_id": event.actor_id })
        }
        EventKind::BookmarkAdded | EventKind::BookmarkRemoved => {
            json!({ "message_id": event.ref_id, "channel_id": channel })
        }
        EventKind::DraftUpdated => {
            let parent = (!detail.is_empty()).then_some(detail);
            json!({ "channel_id": event.ref_id, "parent_id": parent })
        }
        EventKind::ScheduledMessageUpdated | EventKind::ReminderUpdated => {
            json!({ "id": event.ref_id, "state": detail })
        }
        EventKind::ReactionCatalogueUpdated => json!({ "code": detail }),
        EventKind::ThreadUpdated | EventKind::PreferencesUpdated | EventKind::NotificationsRead => {
            serde_json::from_str(detail).ok()?
        }
        EventKind::PluginChanged => json!({ "id": detail }),
        // Servers only; and those that carry more than the row were taken before.
        EventKind::SessionEnded
        | EventKind::AccessChanged
        | EventKind::FileTextStored
        | EventKind::RetryRequested
        | EventKind::ReindexRequested
        | EventKind::CommandResult
        | EventKind::NewMessage
        | EventKind::MessageUpdate
        | EventKind::MessageDelete
        | EventKind::ChannelCreated
        | EventKind::ChannelUpdate
        | EventKind::PrivacyUpdated => return None,
    })
}

fn text(event: &Event, d: &impl Serialize) -> Result<Utf8Bytes> {
    written(event, d, false)
}

fn written(event: &Event, d: &impl Serialize, withheld: bool) -> Result<Utf8Bytes> {
    let frame = Frame {
        op: "event",
        t: event.kind.as_str(),
        pos: event.pos,
        channel_id: event.channel_id,
        seq: event.seq,
        withheld,
        d,
    };
    serde_json::to_string(&frame).map(Utf8Bytes::from).map_err(Fault::internal)
}
