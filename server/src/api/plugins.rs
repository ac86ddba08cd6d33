//! Plugins, for administrators: what is installed, what it may do, what it says. All of it needs `plugins.manage`.

mod images;

use std::time::Duration;

use confab_core::plugins::administration;
use confab_core::plugins::logs::{self, Line};
use confab_core::plugins::parts::{self, COMPONENT_BYTES};
use confab_core::plugins::{self as known, NewPlugin};
use confab_core::roles::{Granted, Permission};
use confab_core::{Fault, FutureExt, Result, text};
use confab_protocol::{Timestamp, UserId};
use confab_worker::plugins::{self, Checked, Upload as Uploaded};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::types::multipart::Upload;
use poem_openapi::{ApiResponse, Multipart, Object, OpenApi};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;
use tokio::time::Instant;
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::{Answer, Area, app, cursor};
use crate::plugin_images;
use crate::state::App;
use images::Images;

/// A component of another language takes tens of seconds to compile.
const COMPILED_WITHIN: Duration = Duration::from_mins(2);

#[derive(Debug, Multipart)]
struct PluginForm {
    /// The text of `plugin.toml`. Without `sha256` it is the component's.
    manifest: String,
    /// The WebAssembly component, at most 32 MiB.
    component: Upload,
    /// What is granted, a JSON list of permissions such as `["messages.post"]`. A new plugin needs it; an update that asks
    /// for more waits without it.
    grants: Option<String>,
    /// The images of its reactions, by the names that the manifest gives them: PNG, JPEG, GIF or WebP of at most 64 KiB
    /// each, made to fit into 128 × 128 pixels and encoded anew.
    images: Images,
    /// The text of `plugin.sig`, of a plugin that is signed.
    signature: Option<String>,
}

#[derive(Debug, Multipart)]
struct CheckForm {
    /// The text of `plugin.toml`.
    manifest: String,
    /// The WebAssembly component.
    component: Upload,
    /// The images of its reactions, by the names that the manifest gives them.
    images: Images,
    /// The text of `plugin.sig`, of a plugin that is signed.
    signature: Option<String>,
}

#[derive(Debug, Object)]
struct NewGrants {
    /// What it may do, of what it asks for.
    grants: Vec<String>,
    /// Puts the waiting update into the place of the running version, with these grants.
    accept_update: Option<bool>,
    /// The hash of the update that was looked at: another one that came meanwhile is not taken.
    sha256: Option<String>,
}

#[derive(Debug, Object)]
struct NewSettings {
    /// Values by key; null takes one back, what is not named stays.
    settings: Value,
}

#[derive(ApiResponse)]
enum Installed {
    /// It is installed; an update that must be decided is in `waiting`.
    #[oai(status = 201)]
    Created(Json<Value>),
}

#[derive(Object)]
struct LogLine {
    id: Uuid,
    /// `debug`, `info`, `warn` or `error`.
    level: String,
    content: String,
    created_at: Timestamp,
}

#[derive(Object)]
struct LogPage {
    /// The newest first.
    items: Vec<LogLine>,
    next_cursor: Option<String>,
}

pub struct Plugins(pub Option<App>);

#[OpenApi(tag = "Area::Plugins")]
impl Plugins {
    /// The installed plugins. Needs `plugins.manage`.
    #[oai(path = "/plugins", method = "get")]
    async fn list(&self, caller: Bearer) -> Answer<Json<Value>> {
        caller.0.may(Permission::PluginsManage)?;
        Ok(Json(app(&self.0)?.bus.ask(plugins::PLUGINS, &json!({})).await?))
    }

    /// Looks at a plugin without installing it: what it is, who signed it, and what it asks for. Needs `plugins.manage`.
    #[oai(path = "/plugins/check", method = "post")]
    async fn check(&self, caller: Bearer, form: CheckForm) -> Answer<Json<Value>> {
        caller.0.may(Permission::PluginsManage)?;
        let checked = checked(app(&self.0)?, caller.0.user_id, form).await?;
        Ok(Json(json!({
            "id": checked.id,
            "name": checked.name,
            "version": checked.version,
            "asks": checked.asks_described,
            "asks_newly": checked.asks_newly,
            "is_known": checked.is_known,
            "signature": checked.signature,
            "changes_signer": checked.changes_signer,
        })))
    }

    /// Installs a plugin, or an update of one. An update that asks for more than its version before, or that another key
    /// signed (or none, after one), waits, with that one running, unless `grants` decides. Needs `plugins.manage`.
    #[oai(path = "/plugins", method = "post")]
    async fn install(&self, caller: Bearer, form: PluginForm) -> Answer<Installed> {
        let by = caller.0.may(Permission::PluginsManage)?;
        let app = app(&self.0)?;
        Ok(Installed::Created(Json(install(app, by, caller.0.user_id, form, None).await?)))
    }

    /// One plugin. Needs `plugins.manage`.
    #[oai(path = "/plugins/:id", method = "get")]
    async fn get(&self, caller: Bearer, id: Path<String>) -> Answer<Json<Value>> {
        caller.0.may(Permission::PluginsManage)?;
        Ok(Json(one(app(&self.0)?, &id.0).await?))
    }

    /// The same as POST, for a plugin that is installed. Needs `plugins.manage`.
    #[oai(path = "/plugins/:id", method = "put")]
    async fn update(&self, caller: Bearer, id: Path<String>, form: PluginForm) -> Answer<Json<Value>> {
        let by = caller.0.may(Permission::PluginsManage)?;
        let app = app(&self.0)?;
        known::find(&mut app.db.read(), &id.0).await?;
        Ok(Json(install(app, by, caller.0.user_id, form, Some(id.0)).await?))
    }

    /// Removes a plugin with its storage, timers and log. What its bot said stays. Needs `plugins.manage`.
    #[oai(path = "/plugins/:id", method = "delete")]
    async fn remove(&self, caller: Bearer, id: Path<String>) -> Answer<Done> {
        let by = caller.0.may(Permission::PluginsManage)?;
        let app = app(&self.0)?;
        if one(app, &id.0).await?["is_bundled"] == true {
            return Err(
                Fault::conflict("bundled_plugin", "it comes with Confab; it can be switched off").into()
            );
        }
        app.db.write(move |tx| async move { administration::remove(tx, &by, &id.0).await }.boxed()).await?;
        Ok(Done::NoContent)
    }

    /// Starts a plugin. Needs `plugins.manage`.
    #[oai(path = "/plugins/:id/enable", method = "put")]
    async fn enable(&self, caller: Bearer, id: Path<String>) -> Answer<Json<Value>> {
        self.switch(&caller, id.0, true).await
    }

    /// Stops a plugin. Needs `plugins.manage`.
    #[oai(path = "/plugins/:id/disable", method = "put")]
    async fn disable(&self, caller: Bearer, id: Path<String>) -> Answer<Json<Value>> {
        self.switch(&caller, id.0, false).await
    }

    /// Sets what a plugin may do, and may take an update that waits for it. Needs `plugins.manage`.
    #[oai(path = "/plugins/:id/grants", method = "put")]
    async fn grant(&self, caller: Bearer, id: Path<String>, body: Json<NewGrants>) -> Answer<Json<Value>> {
        let by = caller.0.may(Permission::PluginsManage)?;
        let (app, id) = (app(&self.0)?, id.0);
        let installed = known::find(&mut app.db.read(), &id).await?;
        let accepts = body.0.accept_update.unwrap_or_default();
        if accepts && installed.waiting_manifest.is_none() {
            return Err(Fault::conflict("nothing_waits", "no update of this plugin waits").into());
        }
        let shown = one(app, &id).await?;
        let asks = if accepts { &shown["waiting"]["asks"] } else { &shown["asks"] };
        let grants = within(&body.0.grants, asks)?;
        if accepts {
            let (Some(version), Some(manifest), Some(sha256)) =
                (installed.waiting_version, installed.waiting_manifest, installed.waiting_sha256)
            else {
                return Err(Fault::conflict("nothing_waits", "no update of this plugin waits").into());
            };
            // What somebody looked at, and nothing that was uploaded since.
            if body.0.sha256.is_some_and(|seen| seen != sha256) {
                return Err(Fault::conflict("nothing_waits", "another update of this plugin waits").into());
            }
            plugins::admit(&app.settings.plugin_trusted_keys, &manifest)?;
            let new = new_plugin(
                (id.clone(), shown["name"].as_str().unwrap_or(&id)),
                version,
                manifest,
                sha256,
                grants,
            );
            app.db
                .write(move |tx| async move { administration::install(tx, &by, new).await }.boxed())
                .await?;
            configure(app, &id, "upgraded").await?;
        } else {
            let of = id.clone();
            app.db
                .write(move |tx| async move { administration::grant(tx, &by, &of, grants).await }.boxed())
                .await?;
            configure(app, &id, "settings-changed").await?;
        }
        Ok(Json(one(app, &id).await?))
    }

    /// Sets what a plugin reads of its settings. Needs `plugins.manage`.
    #[oai(path = "/plugins/:id/config", method = "put")]
    async fn config(&self, caller: Bearer, id: Path<String>, body: Json<NewSettings>) -> Answer<Json<Value>> {
        let by = caller.0.may(Permission::PluginsManage)?;
        let (app, id) = (app(&self.0)?, id.0);
        known::find(&mut app.db.read(), &id).await?;
        if !body.0.settings.is_object() {
            return Err(Fault::invalid("settings", "are an object of keys and values").into());
        }
        let question = json!({ "id": id, "settings": body.0.settings });
        let kept: Value = app.bus.ask(plugins::SETTINGS, &question).await?;
        let of = id.clone();
        app.db
            .write(move |tx| {
                async move { administration::set(tx, &by, &of, &kept["settings"]).await }.boxed()
            })
            .await?;
        configure(app, &id, "settings-changed").await?;
        Ok(Json(one(app, &id).await?))
    }

    /// The newest thousand lines that a plugin said, the newest first. Needs `plugins.manage`.
    #[oai(path = "/plugins/:id/logs", method = "get")]
    async fn logs(
        &self,
        caller: Bearer,
        id: Path<String>,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<LogPage>> {
        caller.0.may(Permission::PluginsManage)?;
        let app = app(&self.0)?;
        let limit = cursor::limit(limit.0)?;
        let before: Option<Uuid> = cursor::decode(cursor.0.as_deref())?;
        let mut on = app.db.read();
        known::find(&mut on, &id.0).await?;
        let lines = logs::page(&mut on, &id.0, before, limit).await?;
        let last = lines.last().filter(|_| lines.len() == limit as usize);
        let next_cursor = last.and_then(|it| cursor::encode(&it.id));
        Ok(Json(LogPage { items: lines.into_iter().map(line).collect(), next_cursor }))
    }
}

impl Plugins {
    async fn switch(&self, caller: &Bearer, id: String, is_enabled: bool) -> Answer<Json<Value>> {
        let by = caller.0.may(Permission::PluginsManage)?;
        let app = app(&self.0)?;
        let of = id.clone();
        app.db
            .write(move |tx| async move { administration::switch(tx, &by, &of, is_enabled).await }.boxed())
            .await?;
        if is_enabled {
            configure(app, &id, "settings-changed").await?;
        }
        Ok(Json(one(app, &id).await?))
    }
}

fn line(it: Line) -> LogLine {
    LogLine { id: it.id, level: it.level, content: it.content, created_at: Timestamp(it.created_at) }
}

/// As administrators see it.
async fn one(app: &App, id: &str) -> Result<Value> {
    known::find(&mut app.db.read(), id).await?;
    let all: Value = app.bus.ask(plugins::PLUGINS, &json!({})).await?;
    let found = all["items"].as_array().and_then(|items| items.iter().find(|it| it["id"] == id)).cloned();
    found.ok_or(Fault::NotFound("plugin"))
}

/// Loads what changed in one worker, which tells the plugin; the others hear of it from the log.
async fn configure(app: &App, id: &str, reason: &str) -> Result<()> {
    let told: Result<Value> = app.bus.ask(plugins::CONFIGURE, &json!({ "id": id, "reason": reason })).await;
    told.map(drop)
}

/// Keeps the component and the pictures, and waits for a worker to look at it. What the operator does not trust goes no
/// further.
async fn checked(app: &App, user: UserId, form: CheckForm) -> Result<Checked> {
    let mut bytes = Vec::new();
    let mut from = form.component.into_async_read().take(COMPONENT_BYTES as u64 + 1);
    from.read_to_end(&mut bytes).await.map_err(|_| Fault::invalid("component", "the upload broke off"))?;
    if !bytes.starts_with(b"\0asm") {
        return Err(Fault::invalid("component", "is no WebAssembly"));
    }
    let images = form.images.made(app, user).await?;
    let sha256 = text::hex(&Sha256::digest(&bytes));
    parts::keep(&app.db, &sha256, &bytes).await?;
    plugin_images::keep(&app.db, &images).await?;
    let until = Instant::now() + COMPILED_WITHIN;
    let question = Uploaded {
        manifest: form.manifest,
        sha256,
        images: plugin_images::hashes(&images),
        signature: form.signature,
    };
    loop {
        let checked: Checked = app.bus.ask(plugins::CHECK, &question).await?;
        if !checked.is_compiling {
            plugins::admit(&app.settings.plugin_trusted_keys, &checked.manifest)?;
            return Ok(checked);
        }
        if Instant::now() >= until {
            return Err(Fault::Unavailable("the component is still being compiled; try again"));
        }
    }
}

async fn install(
    app: &App,
    by: Granted,
    user: UserId,
    form: PluginForm,
    id: Option<String>,
) -> Result<Value> {
    let PluginForm { manifest, component, grants, images, signature } = form;
    let given = grants.as_deref().map(listed).transpose()?;
    let checked = checked(app, user, CheckForm { manifest, component, images, signature }).await?;
    if id.as_ref().is_some_and(|id| *id != checked.id) {
        return Err(Fault::invalid("manifest", format!("is that of {}", checked.id)));
    }
    let sha256 = checked.sha256.clone();
    let (id, of) = (checked.id.clone(), checked.id.clone());
    let asks: Value = checked.asks.iter().map(|name| json!({ "name": name })).collect();
    let decided = match given {
        Some(grants) => Some(within(&grants, &asks)?),
        None if !checked.is_known => {
            return Err(Fault::invalid("grants", "say what is granted: a JSON list, [] for nothing"));
        }
        None if checked.asks_newly.is_empty() && !checked.changes_signer => {
            Some(kept_grants(app, &id, &checked.asks).await?)
        }
        None => None,
    };
    let Some(grants) = decided else {
        let (version, manifest) = (checked.version, checked.manifest);
        app.db
            .write(move |tx| {
                async move { administration::offer(tx, &by, &of, (&version, &manifest, &sha256)).await }
                    .boxed()
            })
            .await?;
        return one(app, &id).await;
    };
    let reason = if checked.is_known { "upgraded" } else { "installed" };
    let new = new_plugin((of, &checked.name), checked.version, checked.manifest, sha256, grants);
    app.db.write(move |tx| async move { administration::install(tx, &by, new).await }.boxed()).await?;
    configure(app, &id, reason).await?;
    one(app, &id).await
}

fn new_plugin(
    (id, name): (String, &str),
    version: String,
    manifest: String,
    sha256: String,
    grants: String,
) -> NewPlugin {
    NewPlugin {
        bot_name: id.rsplit('.').next().unwrap_or(&id).to_owned(),
        bot_full_name: name.to_owned(),
        id,
        version,
        manifest,
        sha256,
        grants,
        rests: None,
    }
}

/// What an administrator took away stays away from a version that asks for the same.
async fn kept_grants(app: &App, id: &str, asks: &[String]) -> Result<String> {
    let installed = known::find(&mut app.db.read(), id).await?;
    let before: Vec<String> = serde_json::from_str(&installed.grants).unwrap_or_default();
    let kept: Vec<&String> = before.iter().filter(|it| asks.contains(it)).collect();
    serde_json::to_string(&kept).map_err(Fault::internal)
}

fn listed(text: &str) -> Result<Vec<String>> {
    serde_json::from_str(text).map_err(|_| Fault::invalid("grants", "are a JSON list of permissions"))
}

/// Grants as they are kept: of what is asked for, or a mistake is made that nobody sees.
fn within(grants: &[String], asks: &Value) -> Result<String> {
    let asks: Vec<&str> =
        asks.as_array().into_iter().flatten().filter_map(|it| it["name"].as_str()).collect();
    if let Some(other) = grants.iter().find(|it| !asks.contains(&it.as_str())) {
        return Err(Fault::invalid("grants", format!("it does not ask for {other}")));
    }
    serde_json::to_string(grants).map_err(Fault::internal)
}
