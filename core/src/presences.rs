//! What people's dots show. Live states are signals between servers; the record keeps the last one for later.

use confab_protocol::gateway::{Presence, PresenceStatus};
use confab_protocol::{Timestamp, UserId};
use uuid::Uuid;

use crate::db::{Read, Tx, run};
use crate::fault::Result;

const SET: &str = "insert into presences (user_id, status, last_seen) values ($1, $2, $3)
    on conflict (user_id) do update set status = excluded.status, last_seen = excluded.last_seen";
const AROUND: &str = "select p.user_id, p.status from presences p where p.status <> 'offline' and exists (
    select 1 from memberships theirs join memberships mine on mine.channel_id = theirs.channel_id
    where theirs.user_id = p.user_id and theirs.to_seq is null and mine.user_id = $1 and mine.to_seq is null)
    order by p.user_id limit $2";
const CLEAR: &str = "update presences set status = 'offline' where status <> 'offline'";

/// Keeps a user's state.
pub async fn set(tx: &mut Tx, user: UserId, status: PresenceStatus) -> Result<()> {
    run!(tx, sqlx::query(SET).bind(user.0).bind(status.as_str()).bind(Timestamp::now().0), execute)?;
    Ok(())
}

/// Who is not offline among those who share a channel with `user`, at most `limit`.
pub async fn around(on: &mut impl Read, user: UserId, limit: u32) -> Result<Vec<Presence>> {
    let rows: Vec<(Uuid, String)> =
        run!(on, sqlx::query_as(AROUND).bind(user.0).bind(i64::from(limit)), fetch_all)?;
    Ok(rows
        .into_iter()
        .filter_map(|(user, status)| {
            Some(Presence { user_id: UserId(user), status: PresenceStatus::from_word(&status)? })
        })
        .collect())
}

/// Nobody is here: said by a server that starts alone, since a killed one could not say it.
pub async fn clear(tx: &mut Tx) -> Result<()> {
    run!(tx, sqlx::query(CLEAR), execute)?;
    Ok(())
}
