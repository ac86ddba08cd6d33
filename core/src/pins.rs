//! Pins: what a channel keeps in view for everybody.

use confab_protocol::{EventKind, Message, MessageId, Timestamp, UserId};
use uuid::Uuid;

use crate::access::{self, Admitted, Take};
use crate::db::write::Emission;
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::messages;

/// Most pinned messages of a channel (docs/limits.md).
const MOST: i64 = 100;

const PIN: &str = "update messages set pinned_at = $2, pinned_by_id = $3
    where id = $1 and pinned_at is null and deleted_at is null";
const UNPIN: &str =
    "update messages set pinned_at = null, pinned_by_id = null where id = $1 and pinned_at is not null";
const COUNT: &str = "select count(*) from messages where channel_id = $1 and pinned_at is not null";
const LIST: &str = "select id, pinned_at from messages where channel_id = $1 and pinned_at is not null
    and (pinned_at, id) < ($2, $3) order by pinned_at desc, id desc limit $4";

/// Where a page of pins ends: when that one was pinned, and which.
pub type After = (i64, MessageId);

/// Pins a message: any member's doing. Twice is once.
///
/// # Errors
/// [`Fault::Gone`] for a deleted one, [`Fault::Conflict`] with code `too_many_pins`.
pub async fn add(tx: &mut Tx, user: UserId, id: MessageId) -> Result<Message> {
    let (_, message) = messages::find(tx, user, id).await?;
    let (place, _) = access::place_for(tx, user, message.channel_id, Take::Events(1)).await?;
    let now = Timestamp::now();
    if run!(tx, sqlx::query(PIN).bind(id.0).bind(now.0).bind(user.0), execute)? == 0 {
        access::give_back(tx, message.channel_id, Take::Events(1)).await?;
        let found = messages::views(tx, &[id]).await?.pop();
        return found.filter(|it| it.deleted_at.is_none()).ok_or(Fault::Gone("message"));
    }
    // Under the channel's lock, so that ten who pin at once do not all find room for one more.
    let count: i64 = run!(tx, sqlx::query_scalar(COUNT).bind(message.channel_id.0), fetch_one)?;
    if count > MOST {
        let text = format!("a channel keeps at most {MOST} pinned messages; take one off first");
        return Err(Fault::conflict("too_many_pins", text));
    }
    tx.emit(
        Emission::new(EventKind::PinAdded, id)
            .at(message.channel_id, place.first_seq)
            .by(user)
            .detail(now.0.to_string()),
    );
    messages::views(tx, &[id]).await?.pop().ok_or(Fault::NotFound("message"))
}

/// Takes a pin off: any member's doing. What is not pinned is no fault.
pub async fn remove(tx: &mut Tx, user: UserId, id: MessageId) -> Result<()> {
    let (_, message) = messages::find(tx, user, id).await?;
    let (place, _) = access::place_for(tx, user, message.channel_id, Take::Events(1)).await?;
    if run!(tx, sqlx::query(UNPIN).bind(id.0), execute)? == 0 {
        return access::give_back(tx, message.channel_id, Take::Events(1)).await;
    }
    tx.emit(Emission::new(EventKind::PinRemoved, id).at(message.channel_id, place.first_seq).by(user));
    Ok(())
}

/// A page of a channel's pins, the newest first, and where the next one begins.
pub async fn list(
    on: &mut impl Read,
    admitted: &Admitted,
    after: Option<After>,
    limit: u32,
) -> Result<(Vec<Message>, Option<After>)> {
    let (at, id) = after.unwrap_or((i64::MAX, MessageId(Uuid::max())));
    let rows: Vec<(Uuid, i64)> = run!(
        on,
        sqlx::query_as(LIST).bind(admitted.channel_id().0).bind(at).bind(id.0).bind(i64::from(limit)),
        fetch_all
    )?;
    let next = rows.last().filter(|_| rows.len() == limit as usize).map(|row| (row.1, MessageId(row.0)));
    let ids: Vec<MessageId> = rows.iter().map(|row| MessageId(row.0)).collect();
    let mut found = messages::views(on, &ids).await?;
    found.retain(|message| message.deleted_at.is_none());
    Ok((found, next))
}
