//! Bookmarks: what somebody keeps for themselves. Nobody else hears of them.

use confab_protocol::{EventKind, Message, MessageId, Timestamp, UserId};
use uuid::Uuid;

use crate::db::write::Emission;
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::{access, messages, users};

/// Most bookmarks of one person (docs/limits.md).
const MOST: i64 = 5_000;

const ADD: &str =
    "insert into bookmarks (user_id, message_id, created_at) values ($1, $2, $3) on conflict do nothing";
const REMOVE: &str = "delete from bookmarks where user_id = $1 and message_id = $2";
const COUNT: &str = "select count(*) from bookmarks where user_id = $1";
const LIST: &str = "select message_id, created_at from bookmarks
    where user_id = $1 and (created_at, message_id) < ($2, $3) order by created_at desc, message_id desc limit $4";
const IDS: &str =
    "select message_id from bookmarks where user_id = $1 order by created_at desc, message_id desc limit $2";
const FORGET: &str = "delete from bookmarks where message_id = $1";

/// Where a page ends: when that bookmark was made, and of which message.
pub type After = (i64, MessageId);

/// A bookmark with its message.
#[derive(Clone, Debug)]
pub struct Bookmark {
    /// As it is now.
    pub message: Message,
    /// When it was kept.
    pub created_at: Timestamp,
}

/// Keeps a message that the user may read. Twice is once.
///
/// # Errors
/// [`Fault::Gone`] for a deleted one, [`Fault::Conflict`] with code `too_many_bookmarks`.
pub async fn add(tx: &mut Tx, user: UserId, id: MessageId) -> Result<()> {
    let (_, message) = messages::find(tx, user, id).await?;
    if message.deleted_at.is_some() {
        return Err(Fault::Gone("message"));
    }
    // One after the other: two devices at once must not both find room for one more.
    users::lock(tx, user).await?;
    messages::hold(tx, id).await?;
    if run!(tx, sqlx::query(ADD).bind(user.0).bind(id.0).bind(Timestamp::now().0), execute)? == 0 {
        return Ok(());
    }
    let count: i64 = run!(tx, sqlx::query_scalar(COUNT).bind(user.0), fetch_one)?;
    if count > MOST {
        let text = format!("at most {MOST} bookmarks are kept; take one off first");
        return Err(Fault::conflict("too_many_bookmarks", text));
    }
    tell(tx, EventKind::BookmarkAdded, user, &message);
    Ok(())
}

/// Takes a bookmark off, also of what may not be read any more.
///
/// # Errors
/// [`Fault::NotFound`] where there is none and the message may not be known.
pub async fn remove(tx: &mut Tx, user: UserId, id: MessageId) -> Result<()> {
    if run!(tx, sqlx::query(REMOVE).bind(user.0).bind(id.0), execute)? == 0 {
        return messages::find(tx, user, id).await.map(|_| ());
    }
    if let Some(message) = messages::views(tx, &[id]).await?.first() {
        tell(tx, EventKind::BookmarkRemoved, user, message);
    }
    Ok(())
}

fn tell(tx: &mut Tx, kind: EventKind, user: UserId, message: &Message) {
    let mut emission = Emission::new(kind, message.id).only_for(user).by(user);
    emission.place = Some((message.channel_id, 0));
    tx.emit(emission);
}

/// A page, the newest first, and where the next one begins. What may not be read any more is left out.
pub async fn list(
    on: &mut impl Read,
    user: UserId,
    after: Option<After>,
    limit: u32,
) -> Result<(Vec<Bookmark>, Option<After>)> {
    let (at, id) = after.unwrap_or((i64::MAX, MessageId(Uuid::max())));
    let rows: Vec<(Uuid, i64)> =
        run!(on, sqlx::query_as(LIST).bind(user.0).bind(at).bind(id.0).bind(i64::from(limit)), fetch_all)?;
    let next = rows.last().filter(|_| rows.len() == limit as usize).map(|row| (row.1, MessageId(row.0)));
    let visible = access::visible_channels(on, user).await?;
    let ids: Vec<MessageId> = rows.iter().map(|row| MessageId(row.0)).collect();
    // In the order asked, without those that may not be shown.
    let known = messages::readable(on, &visible, &ids).await?;
    let mut at = rows.into_iter();
    let shown = known.into_iter().filter_map(|message| {
        let (_, created_at) = at.find(|row| row.0 == message.id.0)?;
        Some(Bookmark { message, created_at: Timestamp(created_at) })
    });
    Ok((shown.collect(), next))
}

/// Which messages somebody keeps. Some may have been closed to them since: who shows any asks [`access`] first.
pub async fn ids(on: &mut impl Read, user: UserId) -> Result<Vec<MessageId>> {
    let rows: Vec<Uuid> = run!(on, sqlx::query_scalar(IDS).bind(user.0).bind(MOST), fetch_all)?;
    Ok(rows.into_iter().map(MessageId).collect())
}

/// Drops everybody's bookmark of a message that is being deleted.
pub(crate) async fn forget(tx: &mut Tx, id: MessageId) -> Result<()> {
    run!(tx, sqlx::query(FORGET).bind(id.0), execute)?;
    Ok(())
}
