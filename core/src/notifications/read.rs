//! Which were read. What one device reads, the others hear.

use confab_protocol::{ChannelId, EventKind, Timestamp, UserId};
use serde_json::json;
use uuid::Uuid;

use crate::db::write::Emission;
use crate::db::{Read, Tx, run, run_in};
use crate::fault::Result;

/// Ids in one event.
const TOGETHER: usize = 100;

// What may not be read any more is no news either: a count that no list can explain never goes away.
const UNREAD: &str =
    "select count(*) from (select 1 from notifications n where n.user_id = $1 and n.read_at is null and (n.kind = 'reminder'
    or exists (select 1 from messages m join channels c on c.id = m.channel_id and c.deleted_at is null
    where m.id = n.message_id and m.deleted_at is null and (c.kind in ('public', 'voice') or exists (
    select 1 from memberships s where s.channel_id = c.id and s.user_id = $1 and s.to_seq is null)))) limit 1000) as found";
const READ_ALL: &str = "update notifications set read_at = $2 where user_id = $1 and read_at is null";
const READ_THESE: &str =
    "update notifications set read_at = $2 where user_id = $1 and read_at is null and id in";
const READ_OF_CHANNEL: &str =
    "update notifications set read_at = $4 where user_id = $1 and channel_id = $2 and read_at is null
    and exists (select 1 from messages m where m.id = notifications.message_id and m.seq <= $3) returning id";

/// How many are unread, at most a thousand.
pub async fn unread_count(on: &mut impl Read, user: UserId) -> Result<i64> {
    Ok(run!(on, sqlx::query_scalar(UNREAD).bind(user.0), fetch_one)?)
}

/// Marks some as read, or all. Ids of others' are passed over.
pub async fn mark_read(tx: &mut Tx, user: UserId, ids: Option<&[Uuid]>) -> Result<()> {
    let Some(ids) = ids else {
        let now = Timestamp::now().0;
        if run!(tx, sqlx::query(READ_ALL).bind(user.0).bind(now), execute)? > 0 {
            tell(tx, user, None).await?;
        }
        return Ok(());
    };
    let now = Timestamp::now().0;
    let read: Vec<(Uuid,)> = run_in!(tx, (Uuid,), READ_THESE, ids, "returning id", bind user.0, bind now)?;
    tell(tx, user, Some(read)).await
}

/// Whoever has read a channel up to `seq` has read what stands there.
pub async fn mark_channel_read(tx: &mut Tx, user: UserId, channel: ChannelId, seq: i64) -> Result<()> {
    let now = Timestamp::now().0;
    let read: Vec<(Uuid,)> = run!(
        tx,
        sqlx::query_as(READ_OF_CHANNEL).bind(user.0).bind(channel.0).bind(seq).bind(now),
        fetch_all
    )?;
    tell(tx, user, Some(read)).await
}

/// `read` absent: all.
async fn tell(tx: &mut Tx, user: UserId, read: Option<Vec<(Uuid,)>>) -> Result<()> {
    if read.as_ref().is_some_and(Vec::is_empty) {
        return Ok(());
    }
    let unread_count = unread_count(tx, user).await?;
    let mut say = |ids: Option<Vec<Uuid>>| {
        let detail = json!({ "ids": ids, "unread_count": unread_count }).to_string();
        tx.emit(Emission::new(EventKind::NotificationsRead, user).only_for(user).by(user).detail(detail));
    };
    match read {
        None => say(None),
        Some(read) => {
            for part in read.chunks(TOGETHER) {
                say(Some(part.iter().map(|it| it.0).collect()));
            }
        }
    }
    Ok(())
}
