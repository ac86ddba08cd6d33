//! What has to be given up: uploads that nothing used, the bytes of deleted files, keys that no record names. Everything
//! is found by its state and taken in small steps, so several servers may sweep at once and any may be killed.

use std::time::Duration;

use confab_protocol::Timestamp;
use uuid::Uuid;

use super::objects;
use crate::db::{Read, Tx, run};
use crate::fault::Result;
use crate::uploads;

/// An upload that no message carries is kept this long.
const UNATTACHED_MS: i64 = Duration::from_hours(24).as_millis() as i64;
/// Rows of one step.
const AT_ONCE: i64 = 100;
/// Keys of one step: each is a call to the store.
pub const STRAYS_AT_ONCE: i64 = 100;

const UNATTACHED: &str = "update files set deleted_at = $1, updated_at = $1 where id in (select id from files
    where message_id is null and deleted_at is null and created_at < $2
    and not exists (select 1 from held_files h where h.file_id = files.id)
    order by created_at limit $3) and message_id is null";
const DELETED: &str = "select id, sha256 from files where deleted_at is not null and released_at is null
    order by deleted_at limit $1";
const RELEASED: &str = "update files set released_at = $2 where id = $1";
const STRAYS: &str = "select key from stray_keys where remove_at <= $1 order by remove_at limit $2";

/// One step: answers whether there may be more to do.
pub async fn sweep(tx: &mut Tx) -> Result<bool> {
    let now = Timestamp::now().0;
    let expired = uploads::expire(tx, AT_ONCE).await?;
    let has_parts = uploads::give_up_parts(tx, AT_ONCE).await?;
    let orphaned =
        run!(tx, sqlx::query(UNATTACHED).bind(now).bind(now - UNATTACHED_MS).bind(AT_ONCE), execute)?;
    let deleted: Vec<(Uuid, String)> = run!(tx, sqlx::query_as(DELETED).bind(AT_ONCE), fetch_all)?;
    for (id, sha256) in &deleted {
        objects::release(tx, sha256).await?;
        run!(tx, sqlx::query(RELEASED).bind(*id).bind(now), execute)?;
    }
    Ok(has_parts
        || expired >= AT_ONCE as u64
        || orphaned >= AT_ONCE as u64
        || deleted.len() as i64 >= AT_ONCE)
}

/// Keys whose bytes are to be removed from the store, at most [`STRAYS_AT_ONCE`].
pub async fn strays(on: &mut impl Read) -> Result<Vec<String>> {
    let now = Timestamp::now().0;
    Ok(run!(on, sqlx::query_scalar(STRAYS).bind(now).bind(STRAYS_AT_ONCE), fetch_all)?)
}

/// Forgets keys whose bytes are removed.
pub async fn removed(tx: &mut Tx, keys: &[String]) -> Result<()> {
    for key in keys {
        objects::forget(tx, key).await?;
    }
    Ok(())
}
