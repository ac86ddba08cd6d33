//! The plugins that come with this program, and their installation at its start.

use std::collections::BTreeMap;
use std::time::Duration;

use confab_core::plugins::{self, Installed, NewPlugin, parts};
use confab_core::text::hex;
use confab_core::{Db, Fault, FutureExt as _, Result};
use confab_plugin_host::{Bundled, Grants, Manifest, Reason};
use sha2::{Digest as _, Sha256};

use super::catalogue::{self, Catalogue};
use super::check;
use super::host::Occasion;
use super::reactions;

/// Tries of an installation that another worker does at the same time.
const TRIES: u32 = 5;

/// A plugin with its component.
pub(super) struct Package {
    /// Without a fault.
    pub manifest: Manifest,
    /// As it is kept, with the hashes of its images.
    text: String,
    /// Whether it runs from its installation on.
    starts: bool,
    /// Its component.
    pub wasm: &'static [u8],
    /// The images of its reactions: hash and PNG.
    images: Vec<(String, &'static [u8])>,
}

impl Package {
    /// Those whose manifests are sound; what is wrong with the others is logged.
    pub(super) fn all(bundled: &'static [Bundled]) -> Vec<Self> {
        let mut packages = Vec::with_capacity(bundled.len());
        for it in bundled {
            let hashed: Vec<(&str, String, &[u8])> =
                it.images.iter().map(|(file, bytes)| (*file, hex(&Sha256::digest(bytes)), *bytes)).collect();
            let names: BTreeMap<String, String> =
                hashed.iter().map(|(file, hash, _)| ((*file).to_owned(), hash.clone())).collect();
            let text = check::with_images(it.manifest.to_owned(), &names);
            match Manifest::parse(&text) {
                Ok(manifest) => {
                    let images = hashed.into_iter().map(|(_, hash, bytes)| (hash, bytes)).collect();
                    packages.push(Self { manifest, text, starts: it.starts, wasm: it.wasm, images });
                }
                Err(faults) => {
                    let faults = catalogue::in_words(&faults);
                    tracing::error!(plugin = it.name, faults, "a bundled plugin is left out");
                }
            }
        }
        packages
    }

    /// Whether it is this very component.
    pub(super) fn is(&self, id: &str, sha256: &str) -> bool {
        self.manifest.id == id && self.manifest.sha256 == sha256
    }
}

/// Installs what is absent or differs, in its component or its manifest, loads everything, and tells the new ones so.
///
/// # Errors
/// Those of the record: never a plugin's.
pub(super) async fn install_all(db: &Db, catalogue: &Catalogue) -> Result<()> {
    let mut installed = Vec::new();
    for package in catalogue.packages() {
        match install(db, package).await {
            Ok(None) => {}
            Ok(Some(reason)) => installed.push((&package.manifest.id, reason)),
            Err(fault) if fault.is_retryable() => return Err(fault),
            Err(fault) => tracing::error!(plugin = package.manifest.id, %fault, "cannot install the plugin"),
        }
    }
    reactions::register_all(db).await?;
    catalogue.reload().await?;
    for (id, reason) in installed {
        configure(catalogue, id, reason).await?;
    }
    Ok(())
}

/// `None`: this very plugin is installed already.
async fn install(db: &Db, package: &Package) -> Result<Option<Reason>> {
    for _ in 0..TRIES {
        let known = plugins::all(&mut db.read()).await?.into_iter().find(|it| it.id == package.manifest.id);
        // A manifest may change alone: a limit, an image.
        let is_same = |it: &Installed| it.sha256 == package.manifest.sha256 && it.manifest == package.text;
        if known.as_ref().is_some_and(is_same) {
            return Ok(None);
        }
        let reason = if known.is_some() { Reason::Upgraded } else { Reason::Installed };
        match try_install(db, package, known).await {
            // Another worker is doing the same.
            Err(Fault::Busy | Fault::Conflict { code: "name_taken", .. }) => {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            done => return done.map(|()| Some(reason)),
        }
    }
    Err(Fault::Busy)
}

async fn try_install(db: &Db, package: &Package, known: Option<Installed>) -> Result<()> {
    let manifest = &package.manifest;
    let new = NewPlugin {
        id: manifest.id.clone(),
        bot_name: manifest.id.rsplit('.').next().unwrap_or(&manifest.id).to_owned(),
        bot_full_name: manifest.name.clone(),
        version: manifest.version.clone(),
        manifest: package.text.clone(),
        sha256: manifest.sha256.clone(),
        grants: serde_json::to_string(&granted(manifest, known.as_ref())).map_err(Fault::internal)?,
        rests: (!package.starts).then(|| "comes with Confab and was not switched on yet".to_owned()),
    };
    for (sha256, bytes) in &package.images {
        parts::keep(db, sha256, bytes).await?;
    }
    // What stopped the old component may be mended in the new one; what an administrator stopped stays so.
    let stopped_itself = known
        .as_ref()
        .and_then(|it| it.disabled_reason.as_deref())
        .is_some_and(|reason| reason.starts_with(super::STOPPED));
    db.write(move |tx| {
        async move {
            let id = new.id.clone();
            if !plugins::install(tx, new).await? && stopped_itself {
                plugins::enable(tx, &id, true, None).await?;
            }
            Ok(())
        }
        .boxed()
    })
    .await
}

/// Bundled plugins get what they ask for. An upgrade gets what is new of it: what an administrator took away from the
/// older version stays away.
fn granted(manifest: &Manifest, known: Option<&Installed>) -> Grants {
    let asks = manifest.asks();
    let before = known.and_then(|it| {
        let grants: Grants = serde_json::from_str(&it.grants).ok()?;
        Some((grants, catalogue::manifest_of(it)?.asks()))
    });
    match before {
        Some((grants, asked)) => Grants::of(grants.within(&asks).iter().chain(asked.missing(&asks).iter())),
        None => asks,
    }
}

/// A plugin that refuses to be configured is not switched on.
pub(super) async fn configure(catalogue: &Catalogue, id: &str, reason: Reason) -> Result<()> {
    // Who does not wish to be told need not be compiled for it.
    let Some(loaded) = catalogue.get(id).filter(|it| it.has_lifecycle()) else { return Ok(()) };
    let Ok(plugin) = catalogue.handlers(&loaded).await else { return Ok(()) };
    let occasion = match reason {
        // Each change may say something of its own.
        Reason::SettingsChanged => Occasion::command(confab_protocol::fresh_id()),
        Reason::Installed | Reason::Upgraded => Occasion::installation(&loaded.manifest.sha256),
    };
    let host = catalogue.host(&loaded, occasion, None);
    let call = plugin.configure(host.granted(), reason);
    match catalogue.call(&loaded, call).await {
        Ok(()) => Ok(()),
        Err(error) => catalogue.disable(&loaded.id, &format!("refused to be configured: {error}")).await,
    }
}
