//! From thin events to changes of the index: what an event is about is read as it is now, many at once.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use confab_core::{Db, Fault, FutureExt, Result, cursors, messages};
use confab_protocol::{ChannelId, Event, EventKind, Message, MessageId};

use super::writer::Change;

/// The name under which the index buries events.
pub(super) const NAME: &str = "index";
/// Tries of an event that cannot be read, before it is buried.
pub(super) const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(300);

/// What somebody keeps of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// Their texts: a reaction changes nothing.
    Texts,
    /// Also what a filter asks for: reactions, pins, whether they were answered.
    Everything,
}

/// The changes that `events` ask for, each message once.
pub(super) async fn changes(db: &Db, events: &[Event], kept: Kept) -> Vec<Change> {
    let events = &subjects(db, events).await[..];
    if let Ok(changes) = read(db, events, kept).await {
        return changes;
    }
    // One of them is at fault: each by itself, so that the others are not lost with it.
    let mut all = Vec::with_capacity(events.len());
    for event in events {
        all.extend(one(db, event, kept).await);
    }
    all
}

async fn one(db: &Db, event: &Event, kept: Kept) -> Vec<Change> {
    let mut attempt = 1;
    loop {
        match read(db, std::slice::from_ref(event), kept).await {
            Ok(changes) => return changes,
            Err(fault) if attempt >= TRIES => {
                bury(db, event, &fault.to_string()).await;
                return Vec::new();
            }
            Err(_) => {
                attempt += 1;
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// The same events, but instead of those that ask the index for a retry the ones they name.
pub(super) async fn subjects<'e>(db: &Db, events: &'e [Event]) -> Cow<'e, [Event]> {
    if events.iter().all(|event| event.kind != EventKind::RetryRequested) {
        return Cow::Borrowed(events);
    }
    let mut subjects = Vec::with_capacity(events.len());
    for event in events {
        loop {
            match cursors::subject(&mut db.read(), event, NAME).await {
                Ok(subject) => break subjects.extend(subject.map(Cow::into_owned)),
                Err(fault) if !fault.is_retryable() => {
                    break tracing::error!(pos = event.pos, %fault, "cannot read what is to be indexed again");
                }
                Err(fault) => {
                    tracing::warn!(%fault, "cannot read an event that is to be indexed again, trying again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
    Cow::Owned(subjects)
}

/// Puts an event among the dead letters.
pub(super) async fn bury(db: &Db, event: &Event, error: &str) {
    tracing::error!(pos = event.pos, kind = event.kind.as_str(), %error, "an event cannot be indexed");
    loop {
        let (event, error) = (event.clone(), error.to_owned());
        let buried = db
            .write(move |tx| async move { cursors::bury(tx, NAME, &event, &error, TRIES).await }.boxed())
            .await;
        match buried {
            Err(fault) if fault.is_retryable() => tokio::time::sleep(PAUSE).await,
            Err(fault) => return tracing::error!(%fault, "the event could not be put among the dead letters"),
            Ok(()) => return,
        }
    }
}

async fn read(db: &Db, events: &[Event], kept: Kept) -> Result<Vec<Change>> {
    let mut touched: Vec<MessageId> = Vec::with_capacity(events.len());
    let mut channels: Vec<ChannelId> = Vec::new();
    for event in events {
        match event.kind {
            // What else is shown of it changed, not its text.
            EventKind::MessageUpdate
                if kept == Kept::Texts && matches!(event.detail.as_deref(), Some("thread" | "previews")) => {}
            EventKind::NewMessage
            | EventKind::MessageUpdate
            | EventKind::MessageDelete
            | EventKind::FileTextStored => {
                touched.push(MessageId(event.ref_id));
            }
            EventKind::ReactionAdded
            | EventKind::ReactionRemoved
            | EventKind::PinAdded
            | EventKind::PinRemoved
                if kept == Kept::Everything =>
            {
                touched.push(MessageId(event.ref_id));
            }
            EventKind::ChannelDeleted => channels.extend(event.channel_id),
            _ => {}
        }
    }
    touched.sort_unstable();
    touched.dedup();
    let mut found: HashMap<MessageId, Message> =
        views(db, &touched).await?.into_iter().map(|message| (message.id, message)).collect();
    if kept == Kept::Everything {
        // An answer makes its root one of a thread, which no event of the root's own says.
        let roots: BTreeSet<MessageId> = found.values().filter_map(|message| message.parent_id).collect();
        let roots: Vec<MessageId> =
            roots.into_iter().filter(|id| touched.binary_search(id).is_err()).collect();
        found.extend(views(db, &roots).await?.into_iter().map(|message| (message.id, message)));
        touched.extend(roots);
    }
    let mut changes = Vec::with_capacity(touched.len() + channels.len());
    for id in touched {
        // Read now and not as of the event, so a later edit is in already; its own event then changes nothing.
        match found.remove(&id).filter(|message| message.deleted_at.is_none()) {
            Some(message) => changes.push(Change::Put(Box::new(message))),
            None => changes.push(Change::Remove(id)),
        }
    }
    // Last, so that it also takes what this batch put there: nothing is posted into a channel that is gone.
    changes.extend(channels.into_iter().map(Change::RemoveChannel));
    Ok(changes)
}

/// Waits for the record as long as it does not answer.
async fn views(db: &Db, ids: &[MessageId]) -> Result<Vec<Message>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    loop {
        match messages::unrendered(db, ids).await {
            Ok(found) => return Ok(found.into_iter().map(Arc::unwrap_or_clone).collect()),
            Err(fault @ (Fault::Busy | Fault::Unavailable(_))) => {
                tracing::warn!(%fault, "cannot read messages to index, trying again");
                tokio::time::sleep(PAUSE).await;
            }
            Err(fault) => return Err(fault),
        }
    }
}
