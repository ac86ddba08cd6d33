//! What administrators do with plugins. Each act is in the audit log, and tells every worker of it.

use confab_protocol::{EventKind, Timestamp, UserId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Installed, NewPlugin, find};
use crate::audit::{self, Action, Actor, Target};
use crate::db::write::Emission;
use crate::db::{Tx, run};
use crate::fault::{Fault, Result};
use crate::roles::Granted;
use crate::users;

/// Largest settings of one plugin, in bytes of JSON (docs/limits.md).
const SETTINGS_BYTES: usize = 64 * 1_024;

const SWITCH: &str =
    "update plugins set is_enabled = $2, disabled_reason = $3, updated_at = $4 where id = $1";
const GRANT: &str = "update plugins set grants = $2, updated_at = $3 where id = $1";
const SET: &str = "update plugins set settings = $2, updated_at = $3 where id = $1";
const WAIT: &str =
    "update plugins set waiting_version = $2, waiting_manifest = $3, waiting_sha256 = $4, updated_at = $5
    where id = $1";
const DROP: &str = "delete from plugins where id = $1";
const DROP_REACTIONS: &str = "update reactions set plugin_id = null, who = null, per_message = null, per_day = null where plugin_id = $1";

/// Installs a plugin, or puts another version into its place.
pub async fn install(tx: &mut Tx, by: &Granted, new: NewPlugin) -> Result<Installed> {
    let id = new.id.clone();
    let detail = json!({ "version": new.version, "sha256": new.sha256, "grants": parsed(&new.grants) });
    super::install(tx, new).await?;
    note(tx, by.actor(), Action::PluginInstalled, &id, detail).await?;
    find(tx, &id).await
}

/// Keeps an update that asks for more than was granted, until somebody grants or leaves it. The old version goes on.
pub async fn offer(tx: &mut Tx, by: &Granted, id: &str, update: (&str, &str, &str)) -> Result<Installed> {
    let (version, manifest, sha256) = update;
    run!(
        tx,
        sqlx::query(WAIT)
            .bind(id.to_owned())
            .bind(version.to_owned())
            .bind(manifest.to_owned())
            .bind(sha256.to_owned())
            .bind(Timestamp::now().0),
        execute
    )?;
    note(tx, by.actor(), Action::PluginOffered, id, json!({ "version": version, "sha256": sha256 })).await?;
    changed(tx, id);
    find(tx, id).await
}

/// Switches a plugin on or off.
pub async fn switch(tx: &mut Tx, by: &Granted, id: &str, is_enabled: bool) -> Result<Installed> {
    find(tx, id).await?;
    let reason = (!is_enabled).then(|| "switched off by an administrator".to_owned());
    run!(
        tx,
        sqlx::query(SWITCH)
            .bind(id.to_owned())
            .bind(is_enabled)
            .bind(reason.clone())
            .bind(Timestamp::now().0),
        execute
    )?;
    let action = if is_enabled { Action::PluginEnabled } else { Action::PluginDisabled };
    note(tx, by.actor(), action, id, json!({})).await?;
    changed(tx, id);
    find(tx, id).await
}

/// Sets what a plugin may do. `grants` is a JSON list of permissions, within what its manifest asks for.
pub async fn grant(tx: &mut Tx, by: &Granted, id: &str, grants: String) -> Result<Installed> {
    let before = find(tx, id).await?;
    let now = Timestamp::now().0;
    run!(tx, sqlx::query(GRANT).bind(id.to_owned()).bind(grants.clone()).bind(now), execute)?;
    let detail = json!({ "from": parsed(&before.grants), "to": parsed(&grants) });
    note(tx, by.actor(), Action::PluginGranted, id, detail).await?;
    changed(tx, id);
    find(tx, id).await
}

/// Sets what a plugin reads of its settings. The log names the keys alone: a value may be a secret.
pub async fn set(tx: &mut Tx, by: &Granted, id: &str, settings: &Value) -> Result<Installed> {
    find(tx, id).await?;
    let text = settings.to_string();
    if text.len() > SETTINGS_BYTES {
        return Err(Fault::invalid("settings", format!("have at most {SETTINGS_BYTES} bytes")));
    }
    let now = Timestamp::now().0;
    run!(tx, sqlx::query(SET).bind(id.to_owned()).bind(text.clone()).bind(now), execute)?;
    let keys: Vec<&String> = settings.as_object().into_iter().flat_map(|it| it.keys()).collect();
    note(tx, by.actor(), Action::PluginConfigured, id, json!({ "keys": keys })).await?;
    changed(tx, id);
    find(tx, id).await
}

/// Removes a plugin with all that it kept. What its bot said stays; its reactions stay under messages, as nobody's.
pub async fn remove(tx: &mut Tx, by: &Granted, id: &str) -> Result<()> {
    let installed = find(tx, id).await?;
    // First the plugin and then its reactions, as whoever registers them: what was registered until now is found here.
    run!(tx, sqlx::query(DROP).bind(id.to_owned()), execute)?;
    run!(tx, sqlx::query(DROP_REACTIONS).bind(id.to_owned()), execute)?;
    if let Some(bot) = installed.bot_id {
        // Its name is free again, and what it said is by a deleted user.
        users::remove(tx, by, UserId(bot)).await?;
    }
    note(tx, by.actor(), Action::PluginRemoved, id, json!({ "version": installed.version })).await?;
    changed(tx, id);
    Ok(())
}

/// Notes that a plugin asked for what it was not granted.
pub async fn denied(tx: &mut Tx, id: &str, permission: &str, times: u64) -> Result<()> {
    let detail = json!({ "permission": permission, "times": times });
    note(tx, &Actor::default(), Action::PluginDenied, id, detail).await
}

async fn note(tx: &mut Tx, by: &Actor, action: Action, id: &str, detail: Value) -> Result<()> {
    audit::note(tx, by, action, Some(Target::named("plugin", id)), detail).await
}

fn changed(tx: &mut Tx, id: &str) {
    tx.emit(Emission::new(EventKind::PluginChanged, Uuid::nil()).detail(id));
}

fn parsed(grants: &str) -> Value {
    serde_json::from_str(grants).unwrap_or_default()
}
