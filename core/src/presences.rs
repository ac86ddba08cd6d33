//! What people's dots show. Live states are signals between servers; the record keeps the last one for later.

use confab_protocol::gateway::{Presence, PresenceStatus};
use confab_protocol::{Timestamp, UserId};
use uuid::Uuid;

use crate::db::{Read, Tx, run, run_in};
use crate::fault::Result;

const SET: &str = "insert into presences (user_id, status, last_seen) values ($1, $2, $3)
    on conflict (user_id) do update set status = excluded.status, last_seen = excluded.last_seen";
const OF_USERS: &str = "select user_id, status from presences where user_id in";

/// Keeps a user's state.
pub async fn set(tx: &mut Tx, user: UserId, status: PresenceStatus) -> Result<()> {
    run!(tx, sqlx::query(SET).bind(user.0).bind(status.as_str()).bind(Timestamp::now().0), execute)?;
    Ok(())
}

/// The states of these users that are not `offline`.
pub async fn of(on: &mut impl Read, users: &[UserId]) -> Result<Vec<Presence>> {
    let ids: Vec<Uuid> = users.iter().map(|id| id.0).collect();
    let mut found = Vec::new();
    for part in ids.chunks(500) {
        let rows: Vec<(Uuid, String)> = run_in!(on, (Uuid, String), OF_USERS, part, "")?;
        found.extend(rows.into_iter().filter_map(|(user, status)| {
            let status = PresenceStatus::from_word(&status).filter(|it| *it != PresenceStatus::Offline)?;
            Some(Presence { user_id: UserId(user), status })
        }));
    }
    Ok(found)
}
