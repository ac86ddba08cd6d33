//! What plugins keep from call to call. The record keeps texts, so bytes are in base64.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use confab_core::{Db, Fault, FutureExt as _, Result, Tx, plugins};
use confab_plugin_host::Entry;
use confab_protocol::Timestamp;

/// Tries of a sum that others change at the same time.
const TRIES: u32 = 5;

pub(super) async fn get(db: &Db, plugin: &str, key: String) -> Result<Option<Entry>> {
    let found = plugins::value(&mut db.read(), plugin, &key).await?;
    found.map(|(text, revision)| Ok(Entry { value: bytes(&text)?, revision: unsigned(revision) })).transpose()
}

pub(super) async fn set(
    db: &Db,
    plugin: &str,
    key: String,
    value: Vec<u8>,
    ttl_seconds: Option<u32>,
) -> Result<u64> {
    let plugin = plugin.to_owned();
    let expires_at = ttl_seconds.map(|wait| Timestamp::now().plus(Duration::from_secs(wait.into())));
    let text = STANDARD.encode(&value);
    let revision = db
        .write(move |tx| {
            async move { plugins::keep(tx, &plugin, &key, text, expires_at, None).await }.boxed()
        })
        .await?;
    Ok(unsigned(revision))
}

pub(super) async fn swap(db: &Db, plugin: &str, key: String, expected: u64, value: Vec<u8>) -> Result<u64> {
    let plugin = plugin.to_owned();
    let expected = i64::try_from(expected).map_err(|_| changed())?;
    let text = STANDARD.encode(&value);
    let revision = db
        .write(move |tx| {
            async move { plugins::keep(tx, &plugin, &key, text, None, Some(expected)).await }.boxed()
        })
        .await?;
    Ok(unsigned(revision))
}

pub(super) async fn add(db: &Db, plugin: &str, key: String, delta: i64) -> Result<i64> {
    let mut tries = 0;
    loop {
        let (plugin, key) = (plugin.to_owned(), key.clone());
        let added = db.write(move |tx| async move { add_in(tx, &plugin, &key, delta).await }.boxed()).await;
        tries += 1;
        match added {
            Err(Fault::Conflict { code: "revision_changed", .. }) if tries < TRIES => {}
            done => return done,
        }
    }
}

pub(super) async fn delete(db: &Db, plugin: &str, key: String) -> Result<bool> {
    let plugin = plugin.to_owned();
    db.write(move |tx| async move { plugins::forget(tx, &plugin, &key).await }.boxed()).await
}

pub(super) async fn list(
    db: &Db,
    plugin: &str,
    prefix: String,
    after: Option<String>,
    limit: u32,
) -> Result<Vec<String>> {
    plugins::keys(&mut db.read(), plugin, &prefix, after.as_deref().unwrap_or_default(), limit).await
}

async fn add_in(tx: &mut Tx, plugin: &str, key: &str, delta: i64) -> Result<i64> {
    let (present, revision) = match plugins::value(tx, plugin, key).await? {
        Some((text, revision)) => (number(&text)?, revision),
        None => (0, 0),
    };
    let sum = present
        .checked_add(delta)
        .ok_or_else(|| Fault::invalid("value", "the sum is beyond what 64 bits hold"))?;
    plugins::keep(tx, plugin, key, STANDARD.encode(sum.to_string().as_bytes()), None, Some(revision)).await?;
    Ok(sum)
}

fn changed() -> Fault {
    Fault::conflict("revision_changed", "the value was changed meanwhile")
}

fn number(text: &str) -> Result<i64> {
    let text = String::from_utf8(bytes(text)?).unwrap_or_default();
    text.parse().map_err(|_| Fault::invalid("value", "what is kept under this key is no number"))
}

fn bytes(text: &str) -> Result<Vec<u8>> {
    STANDARD.decode(text).map_err(|_| Fault::Internal("a kept value is no base64".into()))
}

fn unsigned(revision: i64) -> u64 {
    u64::try_from(revision).unwrap_or(0)
}
