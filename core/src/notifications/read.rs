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
const OF_IDS: &str = "select id from notifications where user_id = $1 and read_at is null and id in";
const OF_CHANNEL: &str =
    "select n.id from notifications n join messages m on m.id = n.message_id and m.seq <= $3
    where n.user_id = $1 and n.read_at is null and n.channel_id = $2 limit 1000";
const READ_ONE: &str = "update notifications set read_at = $2 where id = $1 and read_at is null";

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
    let own: Vec<(Uuid,)> = run_in!(tx, (Uuid,), OF_IDS, ids, "", bind user.0)?;
    read(tx, user, &own).await
}

/// Whoever has read a channel up to `seq` has read what stands there.
pub async fn mark_channel_read(tx: &mut Tx, user: UserId, channel: ChannelId, seq: i64) -> Result<()> {
    let own: Vec<(Uuid,)> =
        run!(tx, sqlx::query_as(OF_CHANNEL).bind(user.0).bind(channel.0).bind(seq), fetch_all)?;
    read(tx, user, &own).await
}

async fn read(tx: &mut Tx, user: UserId, ids: &[(Uuid,)]) -> Result<()> {
    let now = Timestamp::now().0;
    for (id,) in ids {
        run!(tx, sqlx::query(READ_ONE).bind(*id).bind(now), execute)?;
    }
    for part in ids.chunks(TOGETHER) {
        tell(tx, user, Some(part)).await?;
    }
    Ok(())
}

/// `ids` absent: all.
async fn tell(tx: &mut Tx, user: UserId, ids: Option<&[(Uuid,)]>) -> Result<()> {
    let ids: Option<Vec<Uuid>> = ids.map(|ids| ids.iter().map(|it| it.0).collect());
    let detail = json!({ "ids": ids, "unread_count": unread_count(tx, user).await? });
    let emission = Emission::new(EventKind::NotificationsRead, user).only_for(user).by(user);
    tx.emit(emission.detail(detail.to_string()));
    Ok(())
}
