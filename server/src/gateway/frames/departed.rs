//! What is kept from those who left a channel between an event and its frame.
//!
//! Without this an edit made right after a removal reached the removed in the frame of the message's post, which was
//! read after the edit.

use std::collections::HashMap;
use std::sync::Arc;

use confab_core::{Db, Result, members};
use confab_protocol::{ChannelId, Event, EventKind, Message, MessageId, UserId};
use serde_json::json;

use super::{EventFrame, written};

/// Gives the frames of `events` their bare form where somebody has left since.
pub(super) async fn withhold(
    db: &Db,
    events: &[Event],
    messages: &HashMap<MessageId, Arc<Message>>,
    frames: &mut [Option<EventFrame>],
) -> Result<()> {
    let mut since: HashMap<ChannelId, i64> = HashMap::new();
    for (channel, seq) in events.iter().filter_map(|event| newer(event, messages)) {
        since.entry(channel).and_modify(|known| *known = seq.min(*known)).or_insert(seq);
    }
    if since.is_empty() {
        return Ok(());
    }
    let since: Vec<(ChannelId, i64)> = since.into_iter().collect();
    let left = members::left_since(&mut db.read(), &since).await?;
    for (event, frame) in events.iter().zip(frames) {
        let Some((channel, seq)) = newer(event, messages) else { continue };
        let (Some(frame), Some(left)) = (frame, left.get(&channel)) else { continue };
        let people: Vec<UserId> = left.iter().filter(|it| it.1 > seq).map(|it| it.0).collect();
        if !people.is_empty() {
            let bare = written(event, &json!({ "id": event.ref_id, "channel_id": channel }), true)?;
            frame.departed = Some((people, bare));
        }
    }
    Ok(())
}

/// The place of an event whose frame may hold what was written after it.
fn newer(event: &Event, messages: &HashMap<MessageId, Arc<Message>>) -> Option<(ChannelId, i64)> {
    let may_be = match event.kind {
        EventKind::NewMessage => !messages.get(&MessageId(event.ref_id)).is_some_and(|it| is_untouched(it)),
        EventKind::MessageUpdate
        | EventKind::ChannelCreated
        | EventKind::ChannelUpdate
        | EventKind::PrivacyUpdated => true,
        _ => false,
    };
    may_be.then_some((event.channel_id?, event.seq?))
}

/// Whether a message is as it was posted, with all that is shown beside it: almost every one whose post is told.
fn is_untouched(message: &Message) -> bool {
    message.version == 1
        && message.updated_at == message.created_at
        && message.deleted_at.is_none()
        && message.pinned_at.is_none()
        && message.reply_count == 0
        && message.reactions.is_empty()
        && message.previews.is_empty()
        && message.quoted.is_none()
        && message.forwarded.is_none()
}

#[cfg(test)]
mod tests;
