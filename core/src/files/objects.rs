//! What lies in the store: one object for equal bytes, however many files show it.
//!
//! A key is promised before bytes are put under it and never used twice. So a crash leaves no bytes that nobody knows of,
//! and the sweep that removes old bytes cannot meet new ones that happen to be equal.

use std::time::Duration;

use confab_protocol::{Timestamp, UserId};

use super::NewFile;
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};

/// The bytes that an upload counted on were swept meanwhile: it puts them again.
pub const BYTES_GONE: &str = "bytes_gone";
/// Bytes that were put are recorded within this time, or removed.
const PROMISED_MS: i64 = Duration::from_hours(6).as_millis() as i64;
/// A promise is taken only while it holds for this long: clocks of several servers differ, and what the sweep of one
/// removes must not be recorded by another.
const MARGIN_MS: i64 = Duration::from_hours(1).as_millis() as i64;

const BY_HASH: &str = "select key, thumbnail_key from file_objects where sha256 = $1";
const IS_OWN: &str =
    "select 1 from files where uploaded_by_id = $1 and sha256 = $2 and deleted_at is null limit 1";
const PROMISE: &str = "insert into stray_keys (key, remove_at) values ($1, $2)";
const TAKE_PROMISE: &str = "delete from stray_keys where key = $1 and remove_at > $2";
const USE: &str = "update file_objects set version = version + 1 where sha256 = $1";
const INSERT: &str =
    "insert into file_objects (sha256, key, thumbnail_key, file_type, file_size, version, text_due_at,
    text_attempts, created_at) values ($1, $2, $3, $4, $5, 1, null, 0, $6) on conflict do nothing";
const ADD_THUMBNAIL: &str =
    "update file_objects set thumbnail_key = $2 where sha256 = $1 and thumbnail_key is null";
// Two servers that sweep at once may both give up the same key.
const GIVE_UP: &str = "insert into stray_keys (key, remove_at) values ($1, $2)
    on conflict (key) do update set remove_at = excluded.remove_at";
const STRAY_NOW: &str = "update stray_keys set remove_at = $2 where key = $1";
const VERSION: &str = "select key, thumbnail_key, version from file_objects where sha256 = $1";
const IN_USE: &str = "select 1 from files where sha256 = $1 and deleted_at is null limit 1";
const REMOVE: &str = "delete from file_objects where sha256 = $1 and version = $2";
const DROP_PROMISE: &str = "delete from stray_keys where key = $1";

/// Where an object's bytes lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The bytes.
    pub key: String,
    /// A picture in small.
    pub thumbnail: Option<String>,
}

/// Where bytes of that hash lie, when they do.
pub async fn known(on: &mut impl Read, sha256: &str) -> Result<Option<Keys>> {
    let row: Option<(String, Option<String>)> =
        run!(on, sqlx::query_as(BY_HASH).bind(sha256), fetch_optional)?;
    Ok(row.map(|(key, thumbnail)| Keys { key, thumbnail }))
}

/// Where bytes lie that this person keeps a file of already. Those of others are put once more and given up after: how
/// long an upload takes must not tell whether somebody has the same.
pub async fn known_to(on: &mut impl Read, user: UserId, sha256: &str) -> Result<Option<Keys>> {
    let own: Option<i32> =
        run!(on, sqlx::query_scalar(IS_OWN).bind(user.0).bind(sha256.to_owned()), fetch_optional)?;
    match own {
        Some(_) => known(on, sha256).await,
        None => Ok(None),
    }
}

/// Promises keys under which bytes are about to be put.
pub async fn promise(tx: &mut Tx, keys: &[String]) -> Result<()> {
    let until = Timestamp::now().0 + PROMISED_MS;
    for key in keys {
        run!(tx, sqlx::query(PROMISE).bind(key.clone()).bind(until), execute)?;
    }
    Ok(())
}

/// Takes a promise: from now on something else names the key.
pub(crate) async fn keep_promise(tx: &mut Tx, key: &str) -> Result<()> {
    let least = Timestamp::now().0 + MARGIN_MS;
    if run!(tx, sqlx::query(TAKE_PROMISE).bind(key.to_owned()).bind(least), execute)? == 0 {
        return Err(gone());
    }
    Ok(())
}

/// Gives a key up whose bytes are still in the store: the sweep removes them.
pub(crate) async fn give_up(tx: &mut Tx, key: &str) -> Result<()> {
    let now = Timestamp::now().0;
    run!(tx, sqlx::query(GIVE_UP).bind(key.to_owned()).bind(now), execute)?;
    Ok(())
}

/// Gives promised keys up, since their upload failed.
pub async fn withdraw(tx: &mut Tx, keys: &[String]) -> Result<()> {
    let now = Timestamp::now().0;
    for key in keys {
        run!(tx, sqlx::query(STRAY_NOW).bind(key.clone()).bind(now), execute)?;
    }
    Ok(())
}

/// Makes a file's object, or counts one more use of it. The row stays locked until the transaction ends.
pub(super) async fn refer(tx: &mut Tx, file: &NewFile) -> Result<()> {
    if run!(tx, sqlx::query(USE).bind(file.sha256.clone()), execute)? > 0 {
        let Some(keys) = &file.keys else { return Ok(()) };
        // Somebody stored equal bytes meanwhile, or before there were thumbnails.
        give_up(tx, &keys.key).await?;
        let Some(thumbnail) = &keys.thumbnail else { return Ok(()) };
        if run!(tx, sqlx::query(ADD_THUMBNAIL).bind(file.sha256.clone()).bind(thumbnail.clone()), execute)?
            == 0
        {
            return give_up(tx, thumbnail).await;
        }
        return keep_promise(tx, thumbnail).await;
    }
    let Some(keys) = &file.keys else { return Err(gone()) };
    let now = Timestamp::now().0;
    let inserted = run!(
        tx,
        sqlx::query(INSERT)
            .bind(file.sha256.clone())
            .bind(keys.key.clone())
            .bind(keys.thumbnail.clone())
            .bind(file.file_type.clone())
            .bind(file.file_size)
            .bind(now),
        execute
    )?;
    if inserted == 0 {
        return Err(gone());
    }
    keep_promise(tx, &keys.key).await?;
    if let Some(thumbnail) = &keys.thumbnail {
        keep_promise(tx, thumbnail).await?;
    }
    Ok(())
}

fn gone() -> Fault {
    Fault::conflict(BYTES_GONE, "the bytes have to be stored again")
}

/// Gives the bytes of a deleted file up, when no other file shows them.
pub(super) async fn release(tx: &mut Tx, sha256: &str) -> Result<()> {
    let object: Option<(String, Option<String>, i64)> =
        run!(tx, sqlx::query_as(VERSION).bind(sha256), fetch_optional)?;
    let Some((key, thumbnail, version)) = object else { return Ok(()) };
    let used: Option<i32> = run!(tx, sqlx::query_scalar(IN_USE).bind(sha256), fetch_optional)?;
    // An upload of equal bytes that was recorded since the version was read has raised it.
    if used.is_some() || run!(tx, sqlx::query(REMOVE).bind(sha256).bind(version), execute)? == 0 {
        return Ok(());
    }
    give_up(tx, &key).await?;
    match thumbnail {
        Some(thumbnail) => give_up(tx, &thumbnail).await,
        None => Ok(()),
    }
}

/// Forgets a key whose bytes were removed from the store.
pub(super) async fn forget(tx: &mut Tx, key: &str) -> Result<()> {
    run!(tx, sqlx::query(DROP_PROMISE).bind(key.to_owned()), execute)?;
    Ok(())
}
