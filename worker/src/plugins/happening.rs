//! Events of the log in the words of plugins, with what they are about as it is now.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use confab_core::{Db, Result, messages, users};
use confab_plugin_host as plugin;
use confab_protocol::{ChannelId, Event, EventKind, Message, MessageId, UserId};

use super::words;

/// A message that was this much older than the event that announces it was imported: its time for an answer is over.
const HISTORY: Duration = Duration::from_mins(5);

/// An event with what it is about.
pub(super) struct Happening {
    pub channel: ChannelId,
    pub event: plugin::Event,
}

/// What plugins call such an event. `None`: they hear of none like it.
pub(super) fn kind_of(event: &Event) -> Option<plugin::EventKind> {
    use plugin::EventKind as K;
    if event.user_id.is_some() || event.channel_id.is_none() {
        return None;
    }
    Some(match event.kind {
        EventKind::NewMessage => K::MessagePosted,
        // With a detail only what stands beside the text changed: answers, what was forwarded, previews, files.
        EventKind::MessageUpdate if event.detail.is_some() => return None,
        EventKind::MessageUpdate => K::MessageEdited,
        EventKind::MessageDelete => K::MessageDeleted,
        EventKind::ReactionAdded => K::ReactionAdded,
        EventKind::ReactionRemoved => K::ReactionRemoved,
        EventKind::MemberJoined => K::MemberJoined,
        EventKind::MemberLeft => K::MemberLeft,
        EventKind::ChannelCreated => K::ChannelCreated,
        _ => return None,
    })
}

/// Looks up what all of them are about, at once. `None`: that is gone, so nobody is told of it any more.
///
/// # Errors
/// Those of the record.
pub(super) async fn happenings(db: &Db, events: &[&Event]) -> Result<Vec<Option<Happening>>> {
    let about = About::read(db, events).await?;
    Ok(events.iter().map(|event| about.happening(event)).collect())
}

/// What several events are about.
struct About {
    messages: HashMap<MessageId, Arc<Message>>,
    people: HashMap<UserId, plugin::User>,
}

impl About {
    async fn read(db: &Db, events: &[&Event]) -> Result<Self> {
        let (mut ids, mut people) = (Vec::new(), Vec::new());
        for event in events {
            match event.kind {
                EventKind::NewMessage | EventKind::MessageUpdate | EventKind::MessageDelete => {
                    ids.push(MessageId(event.ref_id));
                }
                EventKind::ReactionAdded | EventKind::ReactionRemoved => {
                    ids.push(MessageId(event.ref_id));
                    people.extend(event.actor_id);
                }
                EventKind::MemberJoined | EventKind::MemberLeft => people.push(UserId(event.ref_id)),
                _ => {}
            }
        }
        ids.sort_unstable();
        ids.dedup();
        people.sort_unstable();
        people.dedup();
        let messages = if ids.is_empty() { HashMap::new() } else { messages::shown(db, &ids).await? };
        let people =
            if people.is_empty() { Vec::new() } else { users::refs(&mut db.read(), &people).await? };
        let people = people.iter().map(|it| (it.id, words::user(it))).collect();
        Ok(Self { messages, people })
    }

    fn happening(&self, event: &Event) -> Option<Happening> {
        let channel = event.channel_id?;
        let event = match event.kind {
            EventKind::NewMessage | EventKind::MessageUpdate => self.message(event),
            EventKind::MessageDelete => {
                let root = self.messages.get(&MessageId(event.ref_id)).and_then(|it| it.parent_id);
                let place = words::place(channel, root);
                Some(plugin::Event::MessageDeleted { message_id: event.ref_id.to_string(), place })
            }
            EventKind::ReactionAdded | EventKind::ReactionRemoved => self.reaction(event),
            EventKind::MemberJoined | EventKind::MemberLeft => {
                let user = self.people.get(&UserId(event.ref_id))?.clone();
                let membership = plugin::Membership { place: words::place(channel, None), user };
                Some(if event.kind == EventKind::MemberJoined {
                    plugin::Event::MemberJoined(membership)
                } else {
                    plugin::Event::MemberLeft(membership)
                })
            }
            EventKind::ChannelCreated => Some(plugin::Event::ChannelCreated(words::place(channel, None))),
            _ => None,
        }?;
        Some(Happening { channel, event })
    }

    /// The message of an event, unless it was deleted.
    fn alive(&self, event: &Event) -> Option<&Message> {
        self.messages.get(&MessageId(event.ref_id)).map(Arc::as_ref).filter(|it| it.deleted_at.is_none())
    }

    fn message(&self, event: &Event) -> Option<plugin::Event> {
        let message = self.alive(event)?;
        let is_edit = event.kind == EventKind::MessageUpdate;
        if !is_edit && message.created_at.plus(HISTORY) < event.created_at {
            return None;
        }
        let told = words::message(message);
        Some(if is_edit { plugin::Event::MessageEdited(told) } else { plugin::Event::MessagePosted(told) })
    }

    fn reaction(&self, event: &Event) -> Option<plugin::Event> {
        let (message, user) = (self.alive(event)?, self.people.get(&event.actor_id?)?);
        let place = words::place(message.channel_id, message.parent_id);
        let (user, code) = (user.clone(), event.detail.clone()?);
        let reaction = plugin::Reaction { message_id: message.id.to_string(), place, user, code };
        Some(if event.kind == EventKind::ReactionAdded {
            plugin::Event::ReactionAdded(reaction)
        } else {
            plugin::Event::ReactionRemoved(reaction)
        })
    }
}
