//! What servers ask of plugins.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use confab_core::access::bots::hears;
use confab_core::bus::Service;
use confab_core::files::pictures;
use confab_core::plugins::{self, Installed};
use confab_core::reactions::Custom;
use confab_core::{Bus, Db, Fault, FutureExt as _, Result, messages, reactions, users};
use confab_plugin_host::{
    CustomReaction, Grants, Manifest, Reaction, Reason, Setting, SettingKind, SettingValue, Verdict,
};
use confab_protocol::{MessageId, UserId};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::catalogue::{self, Catalogue};
use super::check::{self, Checks};
use super::command::Commands;
use super::host::Occasion;
use super::{action, package, signed, tools, webhooks, words};

/// A click waits this long for a plugin's word, and then counts.
const GATE_WITHIN: Duration = Duration::from_millis(50);

/// Offers everything.
pub(super) async fn offer(db: &Db, bus: &Bus, catalogue: &Arc<Catalogue>) -> Result<()> {
    let commands = Arc::new(Commands::new(db, catalogue));
    let checks = Arc::<Checks>::default();
    let listed = Arc::clone(&commands);
    bus.serve(super::COMMANDS, service(move |_: Value| ready(Ok(listed.list())))).await?;
    let run = Arc::clone(&commands);
    bus.serve(
        super::COMMAND,
        service(move |asked| {
            let commands = Arc::clone(&run);
            async move { value(&commands.run(asked).await?) }
        }),
    )
    .await?;
    bus.serve(
        super::COMPLETE,
        service(move |asked| {
            let commands = Arc::clone(&commands);
            async move { commands.complete(asked).await }
        }),
    )
    .await?;
    bus.serve(
        super::ACTION,
        with(db, catalogue, |db, catalogue, asked| async move {
            value(&action::press(&db, &catalogue, asked).await?)
        }),
    )
    .await?;
    bus.serve(
        super::GATE,
        with(db, catalogue, |db, catalogue, asked| async move { gate(&db, &catalogue, asked).await }),
    )
    .await?;
    bus.serve(
        super::PLUGINS,
        with(db, catalogue, |db, catalogue, _: Value| async move { installed(&db, &catalogue).await }),
    )
    .await?;
    bus.serve(
        super::CHECK,
        with(db, catalogue, move |_, catalogue, upload| {
            let checks = Arc::clone(&checks);
            async move { value(&checks.check(&catalogue, upload).await?) }
        }),
    )
    .await?;
    bus.serve(super::SETTINGS, with(db, catalogue, |db, _, asked| async move { settings(&db, asked).await }))
        .await?;
    bus.serve(
        super::CONFIGURE,
        with(db, catalogue, |db, catalogue, asked| async move { configure(&db, &catalogue, asked).await }),
    )
    .await?;
    bus.serve(
        super::TOOLS,
        with(db, catalogue, |_, catalogue, _: Value| async move { value(&tools::list(&catalogue)) }),
    )
    .await?;
    bus.serve(
        super::TOOL,
        with(db, catalogue, |db, catalogue, asked| async move {
            value(&tools::call(&db, &catalogue, asked).await?)
        }),
    )
    .await?;
    bus.serve(
        super::WEBHOOK,
        with(
            db,
            catalogue,
            |_, catalogue, received| async move { webhooks::take(&catalogue, received).await },
        ),
    )
    .await
}

fn service<Q, F>(answer: impl Fn(Q) -> F + Send + Sync + 'static) -> Service
where
    Q: DeserializeOwned + Send + 'static,
    F: Future<Output = Result<Value>> + Send + 'static,
{
    let answer = Arc::new(answer);
    Arc::new(move |question| {
        let answer = Arc::clone(&answer);
        async move { answer(serde_json::from_slice(&question).map_err(Fault::internal)?).await }.boxed()
    })
}

fn with<Q, F>(
    db: &Db,
    catalogue: &Arc<Catalogue>,
    answer: impl Fn(Db, Arc<Catalogue>, Q) -> F + Send + Sync + 'static,
) -> Service
where
    Q: DeserializeOwned + Send + 'static,
    F: Future<Output = Result<Value>> + Send + 'static,
{
    let (db, catalogue) = (db.clone(), Arc::clone(catalogue));
    service(move |question| answer(db.clone(), Arc::clone(&catalogue), question))
}

async fn ready(answer: Result<Value>) -> Result<Value> {
    answer
}

fn value(of: &impl serde::Serialize) -> Result<Value> {
    serde_json::to_value(of).map_err(Fault::internal)
}

#[derive(Deserialize)]
struct Asked {
    user_id: UserId,
    message_id: MessageId,
    code: String,
}

/// A plugin's say before its own reaction is added: of several with this code the one whose it is in the catalogue.
/// Whatever goes wrong, the reaction is added: a plugin that hangs must not keep people from reacting.
async fn gate(db: &Db, catalogue: &Arc<Catalogue>, asked: Asked) -> Result<Value> {
    let allowed = Ok(json!({}));
    let all = catalogue.all();
    let mut on = db.read();
    let owner = reactions::owner(&mut on, &asked.code).await?;
    let Some(loaded) = owner.and_then(|id| all.get(&id)) else { return allowed };
    if loaded.manifest.reaction(&asked.code).is_none_or(|it| !it.asks) {
        return allowed;
    }
    let door = messages::door(&mut on, asked.user_id, asked.message_id).await?;
    // Where it hears of nothing, it has no say either.
    if !hears(&mut on, loaded.reader(), door.admitted.channel_id(), None).await? {
        return allowed;
    }
    let Some(person) = users::refs(&mut on, &[asked.user_id]).await?.pop() else { return allowed };
    let reaction = Reaction {
        message_id: asked.message_id.to_string(),
        place: words::place(door.admitted.channel_id(), door.parent_id),
        user: words::user(&person),
        code: asked.code,
    };
    let host = catalogue.host(loaded, Occasion::command(confab_protocol::fresh_id()), Some(asked.user_id));
    let said = async {
        let plugin = catalogue.handlers(loaded).await?;
        catalogue.call(loaded, plugin.may_react(host.granted(), reaction)).await
    };
    match tokio::time::timeout(GATE_WITHIN, said).await {
        Ok(Ok(Verdict::Refuse(text))) => Ok(json!({ "refusal": text })),
        Ok(Ok(Verdict::Allow)) => allowed,
        Ok(Err(_)) | Err(_) => {
            metrics::counter!("confab_plugin_gate_open_total", "plugin" => loaded.id.clone()).increment(1);
            allowed
        }
    }
}

pub(super) async fn installed(db: &Db, catalogue: &Catalogue) -> Result<Value> {
    let all = plugins::all(&mut db.read()).await?;
    let known = reactions::catalogue(&mut db.read()).await?;
    let items: Vec<Value> = all.into_iter().map(|it| in_list(catalogue, &known, it)).collect();
    Ok(json!({ "items": items }))
}

fn in_list(catalogue: &Catalogue, known: &[Custom], installed: Installed) -> Value {
    let manifest = catalogue::manifest_of(&installed);
    let grants: Grants = serde_json::from_str(&installed.grants).unwrap_or_default();
    let name = manifest.as_ref().map_or_else(|| installed.id.clone(), |it| it.name.clone());
    let asks = manifest.as_ref().map_or_else(Grants::none, Manifest::asks);
    let is_bundled = catalogue.packages().iter().any(|it| it.manifest.id == installed.id);
    let mut item = json!({
        "id": installed.id,
        "name": name,
        "version": installed.version,
        "enabled": installed.is_enabled,
        "is_bundled": is_bundled,
        "sha256": installed.sha256,
        "signature": signed::signature(&installed.manifest),
        "permissions": asks,
        "asks": check::described(&asks),
        "grants": grants,
        "installed_at": confab_protocol::Timestamp(installed.installed_at),
    });
    let last_day = catalogue.last_day(&installed.id);
    item["last_day"] = json!({ "calls": last_day.count, "faults": last_day.faults });
    if let Some(p99) = last_day.p99 {
        item["last_day"]["p99_ms"] = json!(p99.as_secs_f64() * 1_000.0);
    }
    if let Some(manifest) = &manifest {
        add_manifest(&mut item, manifest, &installed, known);
    }
    if let Some(text) = &installed.waiting_manifest
        && let Ok(waiting) = Manifest::parse(text)
    {
        let origins: Vec<&String> = waiting
            .http
            .iter()
            .filter(|it| manifest.as_ref().is_none_or(|old| !old.http.contains(it)))
            .collect();
        item["waiting"] = json!({
            "version": waiting.version,
            "sha256": installed.waiting_sha256,
            "asks": check::described(&waiting.asks()),
            "asks_newly": check::described(&asks.missing(&waiting.asks())),
            "new_origins": origins,
            "signature": signed::signature(text),
            "changes_signer": signed::changes_signer(&installed.manifest, text),
        });
    }
    // Absent ones are left out, never null.
    let optional = [
        ("disabled_reason", installed.disabled_reason),
        ("bot_id", installed.bot_id.map(|it| it.to_string())),
    ];
    for (name, text) in optional {
        if let Some(text) = text {
            item[name] = Value::from(text);
        }
    }
    item
}

/// What its manifest says of it, and what it is set to.
fn add_manifest(item: &mut Value, manifest: &Manifest, installed: &Installed, known: &[Custom]) {
    let given = catalogue::settings_of(installed.settings.as_deref());
    item["description"] = json!(manifest.description);
    item["api"] = json!(manifest.api);
    item["origins"] = json!(manifest.http);
    item["commands"] = manifest
        .commands
        .iter()
        .map(|it| json!({ "usage": it.usage(), "description": it.description }))
        .collect();
    item["reactions"] = manifest.reactions.iter().map(|it| reaction_in_list(it, manifest, known)).collect();
    item["tools"] =
        manifest.tools.iter().map(|it| json!({ "name": it.name, "description": it.description })).collect();
    item["webhooks"] = manifest
        .webhooks
        .iter()
        .map(|it| json!({ "path": format!("/hooks/plugins/{}/{}", installed.id, it.name), "secret": it.secret }))
        .collect();
    item["settings"] = manifest.settings.iter().map(|it| setting_in_list(it, &given)).collect();
}

/// A reaction with what it asks of those who put it. What it does not ask is left out. Where another has its code in the
/// catalogue it is taken: its plugin is never told of it.
fn reaction_in_list(reaction: &CustomReaction, manifest: &Manifest, known: &[Custom]) -> Value {
    let mut item = json!({ "code": reaction.code, "name": reaction.name, "text": reaction.text });
    if let Some(hash) = reaction.image.as_ref().and_then(|file| manifest.images.get(file)) {
        item["image_url"] = json!(pictures::address(hash));
    }
    if known.iter().any(|it| it.code == reaction.code && !it.is_for(&manifest.id)) {
        item["is_taken"] = json!(true);
    }
    if let Some(who) = reaction.who.word() {
        item["who"] = json!(who);
    }
    for (name, most) in [("per_message", reaction.per_message), ("per_day", reaction.per_day)] {
        if let Some(most) = most {
            item[name] = json!(most);
        }
    }
    item
}

/// A setting with what it is set to. Of a secret only that it is set.
fn setting_in_list(setting: &Setting, given: &BTreeMap<String, SettingValue>) -> Value {
    let mut item = json!({
        "key": setting.key,
        "type": setting.kind,
        "description": setting.description,
        "required": setting.required,
    });
    if let Some(default) = &setting.default {
        item["default"] = json!(default);
    }
    match given.get(&setting.key) {
        Some(_) if setting.kind == SettingKind::Secret => item["is_set"] = json!(true),
        Some(value) => item["value"] = json!(value),
        None => {}
    }
    item
}

#[derive(Deserialize)]
struct NewSettings {
    id: String,
    settings: BTreeMap<String, Value>,
}

/// Settings as they will be kept: null takes one back, and what is not named stays.
async fn settings(db: &Db, asked: NewSettings) -> Result<Value> {
    let installed = plugins::find(&mut db.read(), &asked.id).await?;
    let manifest = catalogue::manifest_of(&installed)
        .ok_or_else(|| Fault::conflict("plugin_failed", "the manifest cannot be read"))?;
    let mut given = catalogue::settings_of(installed.settings.as_deref());
    for (key, value) in asked.settings {
        if value.is_null() {
            given.remove(&key);
            continue;
        }
        let value = serde_json::from_value(value).map_err(|_| {
            Fault::invalid("settings", format!("{key}: must be a text, a number, true or false"))
        })?;
        given.insert(key, value);
    }
    manifest.settings(&given).map_err(|faults| Fault::invalid("settings", catalogue::in_words(&faults)))?;
    Ok(json!({ "settings": given }))
}

#[derive(Deserialize)]
struct Configuring {
    id: String,
    reason: String,
}

/// Loads what was changed and tells the plugin of it, once for the whole system. One that refuses is switched off.
async fn configure(db: &Db, catalogue: &Catalogue, asked: Configuring) -> Result<Value> {
    let installed = plugins::find(&mut db.read(), &asked.id).await?;
    if let Some(manifest) = catalogue::manifest_of(&installed) {
        super::reactions::register(db, &[manifest]).await?;
    }
    catalogue.reload().await?;
    let reason = match asked.reason.as_str() {
        "installed" => Reason::Installed,
        "upgraded" => Reason::Upgraded,
        _ => Reason::SettingsChanged,
    };
    package::configure(catalogue, &asked.id, reason).await?;
    Ok(json!({}))
}

#[cfg(test)]
mod tests {
    use confab_plugin_host::Limits;

    use super::GATE_WITHIN;

    #[test]
    fn a_say_that_a_busy_machine_makes_late_is_given_up_before_it_counts_as_a_fault() {
        let limits = Limits::default();
        assert!(limits.gate_wall >= 5 * GATE_WITHIN, "five faults switch a plugin off");
        assert!(limits.gate_cpu < GATE_WITHIN, "one that computes for ever is at fault");
    }
}
