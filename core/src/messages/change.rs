//! Editing and deleting.

use confab_protocol::{ChannelRole, EventKind, Message, MessageId, Timestamp, UserId};
use serde_json::Value;

use super::{erase, forward, mentions, render, view};
use crate::access::{self, Admitted, Take};
use crate::db::write::Emission;
use crate::db::{Tx, run};
use crate::fault::{Fault, Result};
use crate::{broadcasts, text};

const KEEP_VERSION: &str = "insert into message_versions (message_id, version, content, created_at)
    select id, version, content, updated_at from messages where id = $1 and deleted_at is null";
const EDIT: &str =
    "update messages set content = $2, mentions = $3, html = $6, previews = null, version = version + 1, updated_at = $4, edited_at = $4
    where id = $1 and version = $5 and deleted_at is null";
// What goes on changing is not marked as edited: nobody takes a poll's count for something that was said.
const REDRAW: &str =
    "update messages set content = $2, mentions = $3, html = $6, previews = null, version = version + 1, updated_at = $4
    where id = $1 and version = $5 and deleted_at is null";
const DRAW: &str = "update messages set blocks = $2 where id = $1 and deleted_at is null";
// Who was mentioned by @here is known only from when it was posted.
const FORGET_NAMED: &str = "delete from mentions where message_id = $1 and by_here is null";

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
    Err(not_yours())
}

fn not_yours() -> Fault {
    Fault::forbidden("not_yours", "this message is not yours")
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
    change(tx, user, id, content, version, Kept::Version).await
}

/// The same for a bot's message that goes on changing, such as a poll: no version of it is kept, it is not marked as
/// edited, and these blocks stand below it.
pub async fn redraw(
    tx: &mut Tx,
    bot: UserId,
    id: MessageId,
    content: String,
    blocks: &[Value],
) -> Result<Message> {
    draw(tx, id, blocks).await?;
    change(tx, bot, id, content, None, Kept::Nothing).await
}

/// Puts blocks below a message that the same transaction posts or changes, which tells of it.
pub async fn draw(tx: &mut Tx, id: MessageId, blocks: &[Value]) -> Result<()> {
    let text = (!blocks.is_empty()).then(|| Value::from(blocks.to_vec()).to_string());
    run!(tx, sqlx::query(DRAW).bind(id.0).bind(text.clone()), execute)?;
    Ok(())
}

/// What is kept of what a message said before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    Version,
    Nothing,
}

async fn change(
    tx: &mut Tx,
    user: UserId,
    id: MessageId,
    content: String,
    version: Option<i64>,
    kept: Kept,
) -> Result<Message> {
    text::content(&content, false)?;
    let (admitted, message) = view::find(tx, user, id).await?;
    may_change(&admitted, &message, false)?;
    if version.is_some_and(|version| version != message.version) {
        return Err(version_changed());
    }
    let (place, writer) = access::place_for(tx, user, message.channel_id, Take::Events(1)).await?;
    let texts = mentions::texts(&content);
    let mentioned = mentions::mentioned(tx, message.channel_id, place.kind, &texts).await?;
    let broadcast = mentions::broadcast(tx, user, writer.role, message.channel_id, &texts).await?;
    let html = render::one(tx, &content, &mentioned, message.sender.is_bot).await?;
    if kept == Kept::Version {
        run!(tx, sqlx::query(KEEP_VERSION).bind(id.0), execute)?;
    }
    if run!(
        tx,
        sqlx::query(if kept == Kept::Version { EDIT } else { REDRAW })
            .bind(id.0)
            .bind(content.clone())
            .bind(super::append::mentions_text(&mentioned))
            .bind(Timestamp::now().0)
            .bind(message.version)
            .bind(html.clone()),
        execute
    )? == 0
    {
        return Err(version_changed());
    }
    run!(tx, sqlx::query(FORGET_NAMED).bind(id.0), execute)?;
    let rows: Vec<_> = mentioned.iter().map(|user| (*user, message.seq, id)).collect();
    super::append::store_mentions(tx, message.channel_id, &rows).await?;
    broadcasts::edited(tx, message.channel_id, message.seq, id, user, broadcast).await?;
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
    let (channel, copies) = (message.channel_id, forward::places(tx, &[id]).await?);
    erase::hold_before(tx, channel, &copies).await?;
    // In an archived channel too: what somebody takes back must not stay because nobody writes there any more.
    let role = access::role_under_lock(tx, user, channel).await?;
    // Whoever was an admin a moment ago deletes nothing of others' any more.
    if message.sender_id != user && role < ChannelRole::Admin {
        return Err(not_yours());
    }
    erase::hold_after(tx, channel, &copies).await?;
    if erase::erase(tx, channel, &[(id, message.parent_id)], Some(user)).await? == 0 {
        return Err(Fault::Gone("message"));
    }
    Ok(())
}
