//! Reactions of the plugins that run, put into the catalogue with their rules.

use confab_core::reactions::{self, Custom, OfPlugin};
use confab_core::{Db, FutureExt as _, Result, plugins};
use confab_plugin_host::Manifest;

use super::catalogue;

/// Registers the reactions of all that runs. What nobody switched on yet puts none in front of people: they come when
/// it is.
///
/// # Errors
/// Those of the record.
pub(super) async fn register_all(db: &Db) -> Result<()> {
    let installed = plugins::all(&mut db.read()).await?;
    let manifests: Vec<Manifest> =
        installed.iter().filter(|it| it.is_enabled).filter_map(catalogue::manifest_of).collect();
    register(db, &manifests).await
}

/// Puts plugins' reactions into the catalogue, with their rules as they are now. A code that is another's stays so.
///
/// # Errors
/// Those of the record.
pub(super) async fn register(db: &Db, manifests: &[Manifest]) -> Result<()> {
    if manifests.iter().all(|it| it.reactions.is_empty()) {
        return Ok(());
    }
    let known = reactions::catalogue(&mut db.read()).await?;
    for manifest in manifests {
        register_those_of(db, manifest, &known).await?;
    }
    Ok(())
}

async fn register_those_of(db: &Db, manifest: &Manifest, known: &[Custom]) -> Result<()> {
    for new in registered(manifest) {
        let of = known.iter().find(|it| it.code == new.code);
        if of.is_some_and(|it| !it.is_for(&manifest.id)) {
            tracing::warn!(plugin = manifest.id, code = new.code, "the reaction's code belongs to another");
            continue;
        }
        if of.is_some_and(|it| it.plugin_id.is_some() && new.is(it)) {
            continue;
        }
        let (id, code) = (manifest.id.clone(), new.code.clone());
        let registered =
            db.write(move |tx| async move { reactions::register(tx, new, &id).await }.boxed()).await;
        match registered {
            Err(fault) if fault.is_retryable() => return Err(fault),
            Err(fault) => tracing::warn!(plugin = manifest.id, code, %fault, "a reaction is left out"),
            Ok(true) => {}
            Ok(false) => tracing::info!(plugin = manifest.id, code, "a reaction is not registered now"),
        }
    }
    Ok(())
}

/// Its reactions as the catalogue has them.
fn registered(manifest: &Manifest) -> impl Iterator<Item = OfPlugin> + '_ {
    manifest.reactions.iter().map(|it| OfPlugin {
        code: it.code.clone(),
        name: it.name.clone(),
        symbol: it.text.clone(),
        image_sha256: it.image.as_ref().and_then(|file| manifest.images.get(file)).cloned(),
        who: it.who.word().map(str::to_owned),
        per_message: it.per_message.map(i64::from),
        per_day: it.per_day.map(i64::from),
    })
}
