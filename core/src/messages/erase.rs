//! What deleting messages means, whoever deletes them: everything of them goes but their place.

use std::collections::BTreeMap;

use confab_protocol::{ChannelId, EventKind, MessageId, Timestamp, UserId};
use uuid::Uuid;

use super::{append, forward};
use crate::access::{self, Take};
use crate::db::write::Emission;
use crate::db::{Tx, run};
use crate::fault::{Fault, Result};
use crate::{bookmarks, broadcasts, conversations, notifications};

const FORGET_VERSIONS: &str = "delete from message_versions where message_id = $1";
const FORGET_REACTIONS: &str = "delete from message_reactions where message_id = $1";
const FORGET_FILES: &str = "update files set deleted_at = $2 where message_id = $1 and deleted_at is null";
const DELETE: &str = "update messages set content = '', html = null, previews = null, mentions = null, blocks = null, reaction_count = 0, has_attachments = false,
    pinned_at = null, pinned_by_id = null, quoted_id = null, is_forward = null, version = version + 1, updated_at = $2, deleted_at = $2 where id = $1 and deleted_at is null";
const UNREPLY: &str = "update messages set participants = $2,
    reply_count = case when reply_count > $3 then reply_count - $3 else 0 end, last_reply_at =
    (select r.created_at from messages r where r.parent_id = $1 and r.deleted_at is null order by r.seq desc limit 1)
    where id = $1 and reply_count > 0";
// The first thousand answers hold the first five people, or nearly always: nobody waits for a walk through all.
const FIRST_FIVE: &str = "select sender_id from (select sender_id, seq from messages
    where parent_id = $1 and deleted_at is null order by seq limit 1000) as found
    group by sender_id order by min(seq) limit 5";
const FORGET_MENTIONS: &str = "delete from mentions where message_id = $1";
const FORGET_BUTTONS: &str = "delete from plugin_buttons where owner_id = $1";

/// Holds the channels before `own` in which copies of its messages stand. Locks are taken in order of id, here and in
/// [`hold_after`]: two who delete crosswise would wait for each other for ever.
pub(super) async fn hold_before(tx: &mut Tx, own: ChannelId, copies: &[ChannelId]) -> Result<()> {
    for channel in copies.iter().filter(|channel| **channel < own) {
        hold(tx, *channel).await?;
    }
    Ok(())
}

/// Holds those after `own`, which the caller holds by now.
pub(super) async fn hold_after(tx: &mut Tx, own: ChannelId, copies: &[ChannelId]) -> Result<()> {
    for channel in copies.iter().filter(|channel| **channel > own) {
        hold(tx, *channel).await?;
    }
    Ok(())
}

async fn hold(tx: &mut Tx, channel: ChannelId) -> Result<()> {
    match access::place_of_system(tx, channel, Take::Events(0)).await {
        // Deleted a moment ago: nobody reads a copy there.
        Err(Fault::NotFound(_)) => Ok(()),
        other => other.map(|_| ()),
    }
}

/// Deletes messages of a channel that the caller holds, with the roots of their threads, and tells of it there and
/// where copies of them stand, whose channels are held where they were known. Answers how many there were: others were deleted before.
pub(crate) async fn erase(
    tx: &mut Tx,
    channel: ChannelId,
    messages: &[(MessageId, Option<MessageId>)],
    by: Option<UserId>,
) -> Result<usize> {
    let mut erased = Vec::with_capacity(messages.len());
    let mut answers: BTreeMap<MessageId, i64> = BTreeMap::new();
    for (id, parent) in messages {
        if !erase_one(tx, channel, *id).await? {
            continue;
        }
        erased.push(*id);
        if let Some(root) = parent {
            *answers.entry(*root).or_default() += 1;
        }
    }
    // Once a thread, however many of its answers go.
    for (root, count) in &answers {
        leave_thread(tx, *root, *count).await?;
    }
    // Who shows a root that is gone too needs no new count of it.
    let roots: Vec<MessageId> = answers.into_keys().filter(|root| !erased.contains(root)).collect();
    tell(tx, channel, &erased, &roots, by).await?;
    for id in &erased {
        empty_copies(tx, *id).await?;
    }
    Ok(erased.len())
}

async fn erase_one(tx: &mut Tx, channel: ChannelId, id: MessageId) -> Result<bool> {
    let now = Timestamp::now().0;
    if run!(tx, sqlx::query(DELETE).bind(id.0).bind(now), execute)? == 0 {
        return Ok(false);
    }
    run!(tx, sqlx::query(FORGET_VERSIONS).bind(id.0), execute)?;
    run!(tx, sqlx::query(FORGET_MENTIONS).bind(id.0), execute)?;
    broadcasts::forget(tx, id).await?;
    run!(tx, sqlx::query(FORGET_REACTIONS).bind(id.0), execute)?;
    run!(tx, sqlx::query(FORGET_BUTTONS).bind(id.0), execute)?;
    notifications::withdraw(tx, channel, id).await?;
    run!(tx, sqlx::query(FORGET_FILES).bind(id.0).bind(now), execute)?;
    bookmarks::forget(tx, id).await?;
    forward::forget(tx, id).await?;
    conversations::forget(tx, id).await?;
    Ok(true)
}

async fn leave_thread(tx: &mut Tx, root: MessageId, count: i64) -> Result<()> {
    let left: Vec<Uuid> = run!(tx, sqlx::query_scalar(FIRST_FIVE).bind(root.0), fetch_all)?;
    let left: Vec<UserId> = left.into_iter().map(UserId).collect();
    let participants = append::mentions_text(&left);
    run!(tx, sqlx::query(UNREPLY).bind(root.0).bind(participants.clone()).bind(count), execute)?;
    Ok(())
}

async fn tell(
    tx: &mut Tx,
    channel: ChannelId,
    erased: &[MessageId],
    roots: &[MessageId],
    by: Option<UserId>,
) -> Result<()> {
    let count = (erased.len() + roots.len()) as i64;
    let place = match access::place_of_system(tx, channel, Take::Events(count)).await {
        // A deleted channel has nobody to tell.
        Err(Fault::NotFound(_)) => return Ok(()),
        other => other?,
    };
    let gone = erased.iter().map(|id| Emission::new(EventKind::MessageDelete, *id));
    // So that who shows a thread's root need not know whose answer is gone.
    let fewer = roots.iter().map(|id| Emission::new(EventKind::MessageUpdate, *id).detail("thread"));
    for (emission, seq) in gone.chain(fewer).zip(place.first_seq..) {
        let mut emission = emission.at(channel, seq);
        emission.actor_id = by;
        tx.emit(emission);
    }
    Ok(())
}

/// Empties the copies of a deleted message and tells those who see them. Copies that came to be since the channels were
/// held are among them: none comes after the message was deleted. Their channels are held out of order, so two who
/// delete crosswise in that moment may wait for each other; PostgreSQL sends one of them back.
async fn empty_copies(tx: &mut Tx, id: MessageId) -> Result<()> {
    for (copy, channel) in forward::empty(tx, id).await? {
        let place = match access::place_of_system(tx, channel, Take::Events(1)).await {
            Err(Fault::NotFound(_)) => continue,
            other => other?,
        };
        let emission = Emission::new(EventKind::MessageUpdate, copy).at(channel, place.first_seq);
        tx.emit(emission.detail("forward"));
    }
    Ok(())
}

/// Deletes messages for their age, as if by hand. The caller knows which; whatever was deleted since is passed over.
pub(crate) async fn expire(
    tx: &mut Tx,
    channel: ChannelId,
    messages: &[(MessageId, Option<MessageId>)],
) -> Result<usize> {
    let ids: Vec<MessageId> = messages.iter().map(|message| message.0).collect();
    let copies = forward::places(tx, &ids).await?;
    hold_before(tx, channel, &copies).await?;
    hold(tx, channel).await?;
    hold_after(tx, channel, &copies).await?;
    erase(tx, channel, messages, None).await
}
