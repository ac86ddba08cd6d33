//! Servers that hold sockets. Each renews one row, however many people it has; who stops is taken over.

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

const ENSURE: &str = "insert into nodes (id, alive_until) values ($1, $2) on conflict (id) do nothing";
const RENEW: &str = "update nodes set alive_until = $2 where id = $1";
const DEAD: &str = "select id from nodes where alive_until < $1 order by alive_until limit 1";
const LOCK: &str = "update nodes set alive_until = alive_until where id = $1 and alive_until < $2";
const DEVICES: &str = "select id, user_id from connections where node_id = $1 order by id limit $2";
const REMOVE: &str = "delete from nodes where id = $1";
const CLEAR_NODES: &str = "delete from nodes where alive_until >= 0";
const CLEAR: &str = "update presences set status = 'offline' where status <> 'offline'";

/// Renews a server's row. `false`: another thought it gone and took its devices away; they are to be announced again.
pub async fn renew(tx: &mut Tx, node: Uuid) -> Result<bool> {
    let until = Timestamp::now().plus(LEASE).0;
    if run!(tx, sqlx::query(RENEW).bind(node).bind(until), execute)? > 0 {
        return Ok(true);
    }
    ensure(tx, node).await?;
    Ok(false)
}

pub(super) async fn ensure(tx: &mut Tx, node: Uuid) -> Result<()> {
    run!(tx, sqlx::query(ENSURE).bind(node).bind(Timestamp::now().plus(LEASE).0), execute)?;
    Ok(())
}

/// Whether a server is gone and has not been taken over: asked often, and without a write.
pub async fn has_dead(on: &mut impl Read) -> Result<bool> {
    let dead: Option<Uuid> = run!(on, sqlx::query_scalar(DEAD).bind(Timestamp::now().0), fetch_optional)?;
    Ok(dead.is_some())
}

/// A server that goes leaves nothing to take over.
pub async fn retire(tx: &mut Tx, node: Uuid) -> Result<()> {
    run!(tx, sqlx::query(RENEW).bind(node).bind(0_i64), execute)?;
    Ok(())
}

/// Takes away some devices of a server that is gone. `None`: there is none; otherwise what is to be signalled.
pub async fn take_over(tx: &mut Tx) -> Result<Option<Vec<Presence>>> {
    let now = Timestamp::now().0;
    let dead: Option<Uuid> = run!(tx, sqlx::query_scalar(DEAD).bind(now), fetch_optional)?;
    let Some(dead) = dead else { return Ok(None) };
    // It may have come back, or another server is at it.
    if run!(tx, sqlx::query(LOCK).bind(dead).bind(now), execute)? == 0 {
        return Ok(None);
    }
    let devices: Vec<(Uuid, Uuid)> = run!(tx, sqlx::query_as(DEVICES).bind(dead).bind(TOGETHER), fetch_all)?;
    if devices.is_empty() {
        run!(tx, sqlx::query(REMOVE).bind(dead), execute)?;
    }
    // In order of people: two servers that lock the same people in two orders would wait for each other for ever.
    let mut people: Vec<(UserId, Uuid)> =
        devices.into_iter().map(|(device, user)| (UserId(user), device)).collect();
    people.sort_unstable();
    let mut changed = Vec::new();
    for (user, device) in people {
        changed.extend(super::leave(tx, device, user).await?);
    }
    Ok(Some(changed))
}

/// Nobody is here: said by a server that starts alone, since a killed one could not say it.
pub async fn clear(tx: &mut Tx) -> Result<()> {
    run!(tx, sqlx::query(CLEAR_NODES), execute)?;
    run!(tx, sqlx::query(CLEAR), execute)?;
    Ok(())
}
