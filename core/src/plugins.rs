//! What is known of plugins: which are installed, what they were granted, what they keep.
//!
//! [`administration`] is what administrators do with them, [`parts`] are the components that were uploaded, [`timers`]
//! what they wait for, [`logs`] what they said, [`buttons`] what those of their messages mean.

pub mod administration;
pub mod buttons;
pub mod logs;
pub mod parts;
pub mod timers;

use std::time::Duration;

use confab_protocol::{ChannelId, ChannelRole, EventKind, Timestamp, UserId};
use uuid::Uuid;

use crate::db::write::Emission;
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::users::{self, NewUser};
use crate::{channels, cursors, log, members};

/// Largest value kept, in bytes, and most keys of one plugin (docs/limits.md).
pub const VALUE_BYTES: usize = 64 * 1_024;
const KEYS: i64 = 10_000;

const ALL: &str =
    "select id, bot_id, version, manifest, sha256, grants, is_enabled, disabled_reason, installed_at,
    settings, waiting_version, waiting_manifest, waiting_sha256 from plugins order by id";
const FIND: &str =
    "select id, bot_id, version, manifest, sha256, grants, is_enabled, disabled_reason, installed_at,
    settings, waiting_version, waiting_manifest, waiting_sha256 from plugins where id = $1";
const INSTALL: &str = "insert into plugins (id, bot_id, version, manifest, sha256, grants, is_enabled, disabled_reason, installed_at, updated_at)
    values ($1, null, $2, $3, $4, $5, $7, $8, $6, $6)
    on conflict (id) do update set version = excluded.version, manifest = excluded.manifest, sha256 = excluded.sha256,
    grants = excluded.grants, updated_at = excluded.updated_at, waiting_version = null, waiting_manifest = null,
    waiting_sha256 = null";
const BOT: &str = "select bot_id from plugins where id = $1";
const SET_BOT: &str = "update plugins set bot_id = $2 where id = $1";
const ENABLE: &str =
    "update plugins set is_enabled = $2, disabled_reason = $3, updated_at = $4 where id = $1";
const BOTS_IN: &str = "select user_id from memberships where channel_id = $1 and to_seq is null
    and user_id in (select bot_id from plugins)";
const GET: &str = "select value, revision from plugin_storage where plugin_id = $1 and key = $2 and (expires_at is null or expires_at > $3)";
const PUT: &str =
    "insert into plugin_storage (plugin_id, key, value, revision, expires_at) values ($1, $2, $3, 1, $4)
    on conflict (plugin_id, key) do update set value = excluded.value, revision = plugin_storage.revision + 1,
    expires_at = excluded.expires_at returning revision";
// On PostgreSQL somebody else may have written since it was looked at. What has expired counts as absent and still has its revision.
const PUT_OVER: &str =
    "insert into plugin_storage (plugin_id, key, value, revision, expires_at) values ($1, $2, $3, 1, $4)
    on conflict (plugin_id, key) do update set value = excluded.value, revision = plugin_storage.revision + 1,
    expires_at = excluded.expires_at where plugin_storage.revision = $5 or plugin_storage.expires_at <= $6
    returning revision";
const DROP: &str = "delete from plugin_storage where plugin_id = $1 and key = $2";
const KEYS_AFTER: &str =
    "select key from plugin_storage where plugin_id = $1 and key > $2 and key >= $3 and key < $4
    and (expires_at is null or expires_at > $5) order by key limit $6";
const COUNT_KEYS: &str = "select count(*) from plugin_storage where plugin_id = $1";

/// An installed plugin.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Installed {
    /// In reverse domain order.
    pub id: String,
    /// The user it acts as.
    pub bot_id: Option<Uuid>,
    /// Of the plugin.
    pub version: String,
    /// Its manifest, as text.
    pub manifest: String,
    /// Of its component, in hex.
    pub sha256: String,
    /// What an administrator granted, as JSON.
    pub grants: String,
    /// Whether it runs.
    pub is_enabled: bool,
    /// Why it does not.
    pub disabled_reason: Option<String>,
    /// When it came, in milliseconds.
    pub installed_at: i64,
    /// What an administrator set, as JSON.
    pub settings: Option<String>,
    /// Of an update that asks for more than was granted and waits for an administrator.
    pub waiting_version: Option<String>,
    /// Its manifest.
    pub waiting_manifest: Option<String>,
    /// Of its component.
    pub waiting_sha256: Option<String>,
}

/// All installed plugins.
pub async fn all(on: &mut impl Read) -> Result<Vec<Installed>> {
    Ok(run!(on, sqlx::query_as(ALL), fetch_all)?)
}

/// One installed plugin.
///
/// # Errors
/// [`Fault::NotFound`].
pub async fn find(on: &mut impl Read, id: &str) -> Result<Installed> {
    let found: Option<Installed> = run!(on, sqlx::query_as(FIND).bind(id.to_owned()), fetch_optional)?;
    found.ok_or(Fault::NotFound("plugin"))
}

/// The plugins' bots that are members of a channel.
pub async fn bots_in(on: &mut impl Read, channel: ChannelId) -> Result<Vec<UserId>> {
    let found: Vec<Uuid> = run!(on, sqlx::query_scalar(BOTS_IN).bind(channel.0), fetch_all)?;
    Ok(found.into_iter().map(UserId).collect())
}

/// What is to be installed.
#[derive(Clone, Debug)]
pub struct NewPlugin {
    /// In reverse domain order.
    pub id: String,
    /// Name of its bot.
    pub bot_name: String,
    /// Full name of its bot.
    pub bot_full_name: String,
    /// Of the plugin.
    pub version: String,
    /// Its manifest, as text.
    pub manifest: String,
    /// Of its component, in hex.
    pub sha256: String,
    /// What is granted, as JSON.
    pub grants: String,
    /// Why it does not run from the beginning. `None`: it does. An update leaves it as it stands.
    pub rests: Option<String>,
}

/// Installs or updates a plugin. Its bot joins the default channels, as a new person would. Answers whether the plugin
/// is new; then it has a place in the log.
pub async fn install(tx: &mut Tx, new: NewPlugin) -> Result<bool> {
    // The row first: another worker that installs the same plugin at this moment waits here, and then finds its bot.
    run!(
        tx,
        sqlx::query(INSTALL)
            .bind(new.id.clone())
            .bind(new.version.clone())
            .bind(new.manifest.clone())
            .bind(new.sha256.clone())
            .bind(new.grants.clone())
            .bind(Timestamp::now().0)
            .bind(new.rests.is_none())
            .bind(new.rests.clone()),
        execute
    )?;
    let known: Option<Uuid> = run!(tx, sqlx::query_scalar(BOT).bind(new.id.clone()), fetch_one)?;
    if known.is_none() {
        let bot = make_bot(tx, &new).await?;
        run!(tx, sqlx::query(SET_BOT).bind(new.id.clone()).bind(bot.0), execute)?;
        // Its place in the log, so that it hears of all that happens from its installation on.
        let (name, head) = (format!("{}{}", cursors::OF_PLUGIN, new.id), log::head(tx).await?);
        if let Some(place) = cursors::hold(tx, &name, Uuid::new_v4(), head, Duration::ZERO).await? {
            cursors::release(tx, &place).await?;
        }
    }
    tx.emit(Emission::new(EventKind::PluginChanged, Uuid::nil()).detail(new.id));
    Ok(known.is_none())
}

async fn make_bot(tx: &mut Tx, new: &NewPlugin) -> Result<UserId> {
    let mut bot = NewUser::check(&new.bot_name, None, Some(&new.bot_full_name))?;
    bot.is_bot = true;
    // A person may have the name already; the plugin is not worth a failing start.
    if !users::by_names(tx, std::slice::from_ref(&bot.username)).await?.is_empty() {
        bot.username = format!("{}-bot-{}", bot.username, &new.sha256[..new.sha256.len().min(6)]);
    }
    let id = bot.id;
    users::insert(tx, &[bot]).await?;
    for name in ["general", "random"] {
        if let Some(channel) = channels::by_name(tx, name).await? {
            members::add(tx, channel, &[(id, ChannelRole::Member)], None).await?;
        }
    }
    Ok(id)
}

/// Switches a plugin on or off; `reason` says why it is off.
pub async fn enable(tx: &mut Tx, id: &str, enabled: bool, reason: Option<&str>) -> Result<()> {
    if run!(
        tx,
        sqlx::query(ENABLE)
            .bind(id.to_owned())
            .bind(enabled)
            .bind(reason.map(str::to_owned))
            .bind(Timestamp::now().0),
        execute
    )? == 0
    {
        return Err(Fault::NotFound("plugin"));
    }
    tx.emit(Emission::new(EventKind::PluginChanged, Uuid::nil()).detail(id));
    Ok(())
}

/// A kept value, in text, and its revision.
pub async fn value(on: &mut impl Read, plugin: &str, key: &str) -> Result<Option<(String, i64)>> {
    Ok(run!(
        on,
        sqlx::query_as(GET).bind(plugin.to_owned()).bind(key.to_owned()).bind(Timestamp::now().0),
        fetch_optional
    )?)
}

/// Keeps a value; answers its new revision. With `expected` it is kept only over that revision (0: absent).
///
/// # Errors
/// [`Fault::Conflict`] with code `revision_changed`, or `storage_full` beyond the plugin's share.
pub async fn keep(
    tx: &mut Tx,
    plugin: &str,
    key: &str,
    value_text: String,
    expires_at: Option<Timestamp>,
    expected: Option<i64>,
) -> Result<i64> {
    if value_text.len() > VALUE_BYTES * 2 || key.is_empty() || key.len() > 256 {
        return Err(Fault::invalid("value", "a key has 1 to 256 bytes, a value at most 64 KiB"));
    }
    let changed = || Fault::conflict("revision_changed", "the value was changed meanwhile");
    let present = value(tx, plugin, key).await?.map_or(0, |(_, revision)| revision);
    if expected.is_some_and(|expected| expected != present) {
        return Err(changed());
    }
    if present == 0 {
        let count: i64 = run!(tx, sqlx::query_scalar(COUNT_KEYS).bind(plugin.to_owned()), fetch_one)?;
        if count >= KEYS {
            return Err(Fault::conflict(
                "plugin_storage_full",
                format!("a plugin keeps at most {KEYS} values"),
            ));
        }
    }
    let (plugin, key, expires_at) = (plugin.to_owned(), key.to_owned(), expires_at.map(|at| at.0));
    let Some(expected) = expected else {
        return Ok(run!(
            tx,
            sqlx::query_scalar(PUT).bind(plugin).bind(key).bind(value_text).bind(expires_at),
            fetch_one
        )?);
    };
    let now = Timestamp::now().0;
    let kept: Option<i64> = run!(
        tx,
        sqlx::query_scalar(PUT_OVER)
            .bind(plugin)
            .bind(key)
            .bind(value_text)
            .bind(expires_at)
            .bind(expected)
            .bind(now),
        fetch_optional
    )?;
    // The first of an absent one: whoever expected a value finds that it was forgotten meanwhile.
    kept.filter(|revision| expected == 0 || *revision == expected + 1).ok_or_else(changed)
}

/// Forgets a value. Answers whether there was one.
pub async fn forget(tx: &mut Tx, plugin: &str, key: &str) -> Result<bool> {
    Ok(run!(tx, sqlx::query(DROP).bind(plugin.to_owned()).bind(key.to_owned()), execute)? > 0)
}

/// Keys that begin with `prefix`, after the key `after`.
pub async fn keys(
    on: &mut impl Read,
    plugin: &str,
    prefix: &str,
    after: &str,
    limit: u32,
) -> Result<Vec<String>> {
    Ok(run!(
        on,
        sqlx::query_scalar(KEYS_AFTER)
            .bind(plugin.to_owned())
            .bind(after.to_owned())
            .bind(prefix.to_owned())
            .bind(format!("{prefix}\u{10FFFF}"))
            .bind(Timestamp::now().0)
            .bind(i64::from(limit)),
        fetch_all
    )?)
}
