//! Servers that hold sockets. Each renews one row, however many people it has; who stops is taken over.
//!
//! Nobody compares a row with a clock: those of two servers may be minutes apart, and one that is ahead would take over
//! everybody. A server that looks again and again and finds the same value in a row knows by its own measure that it is not
//! renewed.

use std::time::Duration;

use confab_protocol::gateway::Presence;
use confab_protocol::{Timestamp, UserId};
use uuid::Uuid;

use crate::db::{Read, Tx, run};
use crate::fault::Result;

/// A server that is not renewed for so long is gone (docs/limits.md).
pub const LEASE: Duration = Duration::from_secs(10);
/// Devices that are taken away in one transaction.
const TOGETHER: i64 = 200;
/// Servers that are looked at; nobody has as many.
const MOST: i64 = 1_000;
/// The value of a row whose server went by itself.
const RETIRED: i64 = 0;

// Another value each time, also where a clock was put back. Not where it is being taken over: devices would be taken away
// that nobody announces again.
const RENEW: &str =
    "update nodes set alive_until = case when alive_until >= $2 then alive_until + 1 else $2 end
    where id = $1 and alive_until > 0";
const BEGIN: &str = "insert into nodes (id, alive_until) values ($1, $2)
    on conflict (id) do update set alive_until = excluded.alive_until";
const RETIRE: &str = "update nodes set alive_until = 0 where id = $1";
const ALL: &str = "select id, alive_until from nodes where alive_until >= -1 order by alive_until limit $1";
const CLAIM: &str = "update nodes set alive_until = -1 where id = $1 and alive_until = $2";
const DEVICES: &str = "select id, user_id from connections where node_id = $1 order by id limit $2";
const REMOVE: &str = "delete from nodes where id = $1";
const CLEAR_NODES: &str = "delete from nodes where alive_until >= -1";
const CLEAR: &str = "update presences set status = 'offline' where status <> 'offline'";

/// A server's row as somebody found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The server.
    pub node: Uuid,
    /// Another one whenever it is renewed.
    pub value: i64,
}

impl Seen {
    /// It said itself that it goes: nobody need wait.
    #[must_use]
    pub fn is_retired(self) -> bool {
        self.value == RETIRED
    }
}

/// Renews a server's row. `false`: another thought it gone and took its devices away, or takes them away now; all of them are to
/// be announced again.
pub async fn renew(tx: &mut Tx, node: Uuid) -> Result<bool> {
    let until = Timestamp::now().plus(LEASE).0;
    if run!(tx, sqlx::query(RENEW).bind(node).bind(until), execute)? > 0 {
        return Ok(true);
    }
    run!(tx, sqlx::query(BEGIN).bind(node).bind(until), execute)?;
    Ok(false)
}

/// All servers' rows as they are.
pub async fn nodes(on: &mut impl Read) -> Result<Vec<Seen>> {
    let rows: Vec<(Uuid, i64)> = run!(on, sqlx::query_as(ALL).bind(MOST), fetch_all)?;
    Ok(rows.into_iter().map(|(node, value)| Seen { node, value }).collect())
}

/// A server that goes leaves nothing to take over.
pub async fn retire(tx: &mut Tx, node: Uuid) -> Result<()> {
    run!(tx, sqlx::query(RETIRE).bind(node), execute)?;
    Ok(())
}

/// Takes away some devices of a server that is gone and is as it was seen. Answers what is to be signalled, and the row as it is
/// now; `None`: there are none any more, it has come back, or another server is at it.
pub async fn take_over(tx: &mut Tx, gone: Seen) -> Result<Option<(Vec<Presence>, Seen)>> {
    if run!(tx, sqlx::query(CLAIM).bind(gone.node).bind(gone.value), execute)? == 0 {
        return Ok(None);
    }
    let devices: Vec<(Uuid, Uuid)> =
        run!(tx, sqlx::query_as(DEVICES).bind(gone.node).bind(TOGETHER), fetch_all)?;
    if devices.is_empty() {
        run!(tx, sqlx::query(REMOVE).bind(gone.node), execute)?;
        return Ok(None);
    }
    // In order of people: two servers that lock the same people in two orders would wait for each other for ever.
    let mut people: Vec<(UserId, Uuid)> =
        devices.into_iter().map(|(device, user)| (UserId(user), device)).collect();
    people.sort_unstable();
    let mut changed = Vec::new();
    for (user, device) in people {
        changed.extend(super::leave(tx, device, user).await?);
    }
    Ok(Some((changed, Seen { value: -1, ..gone })))
}

/// Nobody is here: said by a server that starts alone, since a killed one could not say it.
pub async fn clear(tx: &mut Tx) -> Result<()> {
    run!(tx, sqlx::query(CLEAR_NODES), execute)?;
    run!(tx, sqlx::query(CLEAR), execute)?;
    Ok(())
}
