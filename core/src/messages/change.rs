//! Editing and deleting.

use confab_protocol::{ChannelId, ChannelRole, EventKind, Message, MessageId, Timestamp, UserId};
use uuid::Uuid;

use super::{forward, mentions, view};
use crate::access::{self, Admitted, Place, Take};
use crate::bookmarks;
use crate::db::write::Emission;
use crate::db::{Tx, run};
use crate::fault::{Fault, Result};
use crate::text;

const KEEP_VERSION: &str = "insert into message_versions (message_id, version, content, created_at)
    select id, version, content, updated_at from messages where id = $1 and deleted_at is null";
const EDIT: &str =
    "update messages set content = $2, mentions = $3, version = version + 1, updated_at = $4, edited_at = $4
    where id = $1 and version = $5 and deleted_at is null";
const FORGET_VERSIONS: &str = "delete from message_versions where message_id = $1";
const FORGET_MENTIONS: &str = "delete from mentions where message_id = $1";
const FORGET_REACTIONS: &str = "delete from message_reactions where message_id = $1";
const FORGET_FILES: &str = "update files set deleted_at = $2 where message_id = $1 and deleted_at is null";
const DELETE: &str = "update messages set content = '', mentions = null, blocks = null, reaction_count = 0, has_attachments = false,
    pinned_at = null, pinned_by_id = null, quoted_id = null, is_forward = null, version = version + 1, updated_at = $2, deleted_at = $2 where id = $1 and deleted_at is null";
const UNREPLY: &str = "update messages set reply_count = reply_count - 1, participants = $2, last_reply_at =
    (select r.created_at from messages r where r.parent_id = $1 and r.deleted_at is null order by r.seq desc limit 1)
    where id = $1 and reply_count > 0";
// The first thousand answers hold the first five people, or nearly always: nobody waits for a walk through all.
const FIRST_FIVE: &str = "select sender_id from (select sender_id, seq from messages
    where parent_id = $1 and deleted_at is null order by seq limit 1000) as found
    group by sender_id order by min(seq) limit 5";

/// Whether a user may edit (their own) or delete (their own, or as an admin of the channel).
///
/// # Errors
/// [`Fault::Forbidden`] with code `not_yours`, [`Fault::Gone`] for a deleted one.
pub fn may_change(admitted: &Admitted, message: &Message, deleting: bool) -> Result<()> {
    if message.deleted_at.is_some() {
        return Err(Fault::Gone("message"));
    }
    admitted.member()?;
    let is_own = message.sender_id == admitted.user_id();
    if is_own || (deleting && admitted.role() >= Some(ChannelRole::Admin)) {
        return Ok(());
    }
    Err(Fault::forbidden("not_yours", "this message is not yours"))
}

/// Replaces the content. `version`, when given, must be the one that the editor saw.
///
/// # Errors
/// [`Fault::Conflict`] with code `version_changed` when someone edited it meanwhile.
pub async fn edit(
    tx: &mut Tx,
    user: UserId,
    id: MessageId,
    content: String,
    version: Option<i64>,
) -> Result<Message> {
    text::content(&content, false)?;
    let (admitted, message) = view::find(tx, user, id).await?;
    may_change(&admitted, &message, false)?;
    if version.is_some_and(|version| version != message.version) {
        return Err(version_changed());
    }
    let (place, _) = access::place_for(tx, user, message.channel_id, Take::Events(1)).await?;
    let mentioned = mentions::mentioned(tx, message.channel_id, place.kind, &content).await?;
    run!(tx, sqlx::query(KEEP_VERSION).bind(id.0), execute)?;
    if run!(
        tx,
        sqlx::query(EDIT)
            .bind(id.0)
            .bind(content.clone())
            .bind(super::append::mentions_text(&mentioned))
            .bind(Timestamp::now().0)
            .bind(message.version),
        execute
    )? == 0
    {
        return Err(version_changed());
    }
    run!(tx, sqlx::query(FORGET_MENTIONS).bind(id.0), execute)?;
    let rows: Vec<_> = mentioned.iter().map(|user| (*user, message.seq, id)).collect();
    super::append::store_mentions(tx, message.channel_id, &rows).await?;
    tx.emit(Emission::new(EventKind::MessageUpdate, id).at(message.channel_id, place.first_seq).by(user));
    view::views(tx, &[id]).await?.pop().ok_or(Fault::NotFound("message"))
}

fn version_changed() -> Fault {
    Fault::conflict("version_changed", "the message was changed meanwhile; read it again")
}

/// Deletes a message: its text, versions, reactions, files, pin, bookmarks and copies go, its place stays.
pub async fn delete(tx: &mut Tx, user: UserId, id: MessageId) -> Result<()> {
    let (admitted, message) = view::find(tx, user, id).await?;
    may_change(&admitted, &message, true)?;
    let copies = forward::places(tx, id).await?;
    let place = hold(tx, user, &message, &copies).await?;
    let now = Timestamp::now().0;
    if run!(tx, sqlx::query(DELETE).bind(id.0).bind(now), execute)? == 0 {
        return Err(Fault::Gone("message"));
    }
    run!(tx, sqlx::query(FORGET_VERSIONS).bind(id.0), execute)?;
    run!(tx, sqlx::query(FORGET_MENTIONS).bind(id.0), execute)?;
    run!(tx, sqlx::query(FORGET_REACTIONS).bind(id.0), execute)?;
    run!(tx, sqlx::query(FORGET_FILES).bind(id.0).bind(now), execute)?;
    bookmarks::forget(tx, id).await?;
    if message.forwarded.is_some() {
        forward::forget(tx, id).await?;
    }
    tx.emit(Emission::new(EventKind::MessageDelete, id).at(message.channel_id, place.first_seq).by(user));
    if let Some(parent) = message.parent_id {
        leave_thread(tx, parent).await?;
        // So that who shows the thread's root need not know whose answer is gone.
        tx.emit(
            Emission::new(EventKind::MessageUpdate, parent)
                .at(message.channel_id, place.first_seq + 1)
                .by(user)
                .detail("thread"),
        );
    }
    empty_copies(tx, id, message.channel_id, &copies).await
}

/// Takes the locks of every channel that a deletion is told in, in order of id: two who delete crosswise would wait for
/// each other for ever. Answers the numbers in the message's own channel.
async fn hold(tx: &mut Tx, user: UserId, message: &Message, copies: &[ChannelId]) -> Result<Place> {
    let own = message.channel_id;
    let take = Take::Events(1 + i64::from(message.parent_id.is_some()));
    for channel in copies.iter().filter(|channel| **channel < own) {
        hold_other(tx, *channel).await?;
    }
    let (place, _) = access::place_for(tx, user, own, take).await?;
    for channel in copies.iter().filter(|channel| **channel > own) {
        hold_other(tx, *channel).await?;
    }
    Ok(place)
}

async fn hold_other(tx: &mut Tx, channel: ChannelId) -> Result<()> {
    match access::place_of_system(tx, channel, Take::Events(0)).await {
        // Deleted a moment ago: nobody reads a copy there.
        Err(Fault::NotFound(_)) => Ok(()),
        other => other.map(|_| ()),
    }
}

async fn leave_thread(tx: &mut Tx, root: MessageId) -> Result<()> {
    let left: Vec<Uuid> = run!(tx, sqlx::query_scalar(FIRST_FIVE).bind(root.0), fetch_all)?;
    let left: Vec<UserId> = left.into_iter().map(UserId).collect();
    run!(tx, sqlx::query(UNREPLY).bind(root.0).bind(super::append::mentions_text(&left)), execute)?;
    Ok(())
}

/// Empties the copies of a deleted message and tells those who see them, in the channels that are held. Nothing shows a
/// copy that came to be in another one in the meantime: who reads it looks at the original.
async fn empty_copies(tx: &mut Tx, id: MessageId, own: ChannelId, held: &[ChannelId]) -> Result<()> {
    if held.is_empty() {
        return Ok(());
    }
    for (copy, channel) in forward::empty(tx, id).await? {
        if channel != own && !held.contains(&channel) {
            continue;
        }
        let place = match access::place_of_system(tx, channel, Take::Events(1)).await {
            Err(Fault::NotFound(_)) => continue,
            other => other?,
        };
        let emission = Emission::new(EventKind::MessageUpdate, copy).at(channel, place.first_seq);
        tx.emit(emission.detail("forward"));
    }
    Ok(())
}
