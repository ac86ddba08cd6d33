//! What an administrator wants to install, looked at before anything is changed: the manifest, the component, and whether
//! the two fit each other and this server.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use confab_core::text::hex;
use confab_core::{Fault, Result, plugins};
use confab_plugin_host::{Grants, Limits, LoadError, Manifest, Permission, Plugin, Runtime};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::catalogue::{self, Catalogue};
use super::signed;

/// The bus waits 10 s for an answer; whoever asks comes again while the component is being compiled.
const ANSWER_WITHIN: Duration = Duration::from_secs(7);

/// What was uploaded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Upload {
    /// The text of `plugin.toml`.
    pub manifest: String,
    /// Of the component, which is in the record by now.
    pub sha256: String,
    /// The images of its reactions, by the names of their files, each with the file's hash. Their pictures are in the
    /// record by now.
    #[serde(default)]
    pub images: BTreeMap<String, String>,
    /// The text of `plugin.sig`.
    #[serde(default)]
    pub signature: Option<String>,
}

impl Upload {
    /// The manifest as it is kept: with the component's hash and those of its images, and with the signature, which is a
    /// good one.
    fn kept(&self) -> Result<String> {
        let whole = with_images(with_hash(&self.manifest, &self.sha256), &self.images);
        check_images(&parsed(&whole)?, &self.images)?;
        signed::attach(whole, self.signature.as_deref())
    }
}

pub(super) fn parsed(manifest: &str) -> Result<Manifest> {
    Manifest::parse(manifest).map_err(|faults| Fault::invalid("manifest", catalogue::in_words(&faults)))
}

/// Refuses images that are not exactly those which the manifest names.
fn check_images(manifest: &Manifest, images: &BTreeMap<String, String>) -> Result<()> {
    for (index, reaction) in manifest.reactions.iter().enumerate() {
        if let Some(file) = reaction.image.as_ref().filter(|file| !images.contains_key(*file)) {
            let message = format!("reaction[{index}].image: {file} is not with the manifest");
            return Err(Fault::invalid("images", message));
        }
    }
    if manifest.images != *images {
        return Err(Fault::invalid("images", "are not those whose hashes the manifest names"));
    }
    Ok(())
}

/// What it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checked {
    /// Not finished: ask again.
    #[serde(default)]
    pub is_compiling: bool,
    /// In reverse domain order.
    #[serde(default)]
    pub id: String,
    /// What people call it.
    #[serde(default)]
    pub name: String,
    /// Of the plugin.
    #[serde(default)]
    pub version: String,
    /// The component's hash.
    #[serde(default)]
    pub sha256: String,
    /// The manifest, with the component's hash and the signature in it.
    #[serde(default)]
    pub manifest: String,
    /// Whose signature it bears ([`signed::signature`]).
    #[serde(default)]
    pub signature: Value,
    /// Whether the installed version was signed by another key, and this one is by another or none.
    #[serde(default)]
    pub changes_signer: bool,
    /// All that it asks for.
    #[serde(default)]
    pub asks: Vec<String>,
    /// The same, with what administrators read.
    #[serde(default)]
    pub asks_described: Vec<Value>,
    /// What it asks for and the installed version did not. Empty for a new plugin.
    #[serde(default)]
    pub asks_newly: Vec<String>,
    /// Whether a version of it is installed.
    #[serde(default)]
    pub is_known: bool,
}

/// Looks at a plugin on disk, without a server: whether the manifest is sound and the component fits it. `images` are
/// the hashes of the files beside it, by their names. Blocks while it compiles; what is compiled is kept in `cache`.
///
/// # Errors
/// [`Fault::Invalid`] in `manifest`, `component`, `images` or `signature`, which says all that is wrong; [`Fault::Forbidden`] with code
/// `wrong_signature`.
pub fn inspect(
    manifest: String,
    component: &[u8],
    images: BTreeMap<String, String>,
    signature: Option<String>,
    cache: Option<&Path>,
) -> Result<Checked> {
    let sha256 = hex(&Sha256::digest(component));
    let text = Upload { manifest, sha256, images, signature }.kept()?;
    let (text, plugin) = loaded(&text, component, cache)?;
    let manifest = plugin.manifest();
    let asks = manifest.asks();
    Ok(Checked {
        id: manifest.id.clone(),
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        sha256: manifest.sha256.clone(),
        signature: signed::signature(&text),
        manifest: text,
        asks: names(&asks),
        asks_described: described(&asks),
        ..empty()
    })
}

/// A plugin on disk, ready to be called, and its manifest with the component's hash in it.
pub(super) fn loaded(manifest: &str, component: &[u8], cache: Option<&Path>) -> Result<(String, Plugin)> {
    let sha256 = hex(&Sha256::digest(component));
    let text = with_hash(manifest, &sha256);
    let manifest = parsed(&text)?;
    let made = Runtime::new(cache, Limits::default()).and_then(|runtime| runtime.load(manifest, component));
    Ok((text, made.map_err(|error| Fault::invalid("component", error.to_string()))?))
}

type Outcome = std::result::Result<Arc<Manifest>, String>;

/// Components that are being compiled, or were a moment ago, by manifest and hash.
#[derive(Default)]
pub(super) struct Checks {
    under_way: Mutex<HashMap<(String, String), Option<Outcome>>>,
}

impl Checks {
    /// Looks at an upload.
    ///
    /// # Errors
    /// [`Fault::Invalid`] in `manifest`, `component`, `images` or `signature`, which says all that is wrong; [`Fault::Forbidden`]
    /// with code `wrong_signature`; [`Fault::Conflict`] with code `bundled_plugin`.
    pub(super) async fn check(
        self: &Arc<Self>,
        catalogue: &Arc<Catalogue>,
        upload: Upload,
    ) -> Result<Checked> {
        let text = upload.kept()?;
        let manifest = parsed(&text)?;
        if manifest.sha256 != upload.sha256 {
            return Err(Fault::invalid("component", "is not the one whose sha256 the manifest names"));
        }
        if catalogue.packages().iter().any(|it| it.manifest.id == manifest.id) {
            let message = format!("{} comes with Confab and changes with its versions", manifest.id);
            return Err(Fault::conflict("bundled_plugin", message));
        }
        match self.compiled(catalogue, &text, manifest).await {
            None => Ok(Checked { is_compiling: true, ..empty() }),
            Some(Err(reason)) => Err(Fault::invalid("component", reason)),
            Some(Ok(manifest)) => summary(catalogue, text, &manifest).await,
        }
    }

    /// Waits a while for the component; it is compiled to the end whether somebody waits or not.
    async fn compiled(
        self: &Arc<Self>,
        catalogue: &Arc<Catalogue>,
        text: &str,
        manifest: Manifest,
    ) -> Option<Outcome> {
        let key = (text.to_owned(), manifest.sha256.clone());
        let is_first = {
            let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
            // What is finished is answered once; whatever is uploaded then is looked at anew.
            if let Some(Some(_)) = under_way.get(&key) {
                return under_way.remove(&key).flatten();
            }
            under_way.insert(key.clone(), None).is_none()
        };
        if is_first {
            let (checks, catalogue, key) = (Arc::clone(self), Arc::clone(catalogue), key.clone());
            tokio::spawn(async move {
                let outcome = compile(&catalogue, manifest).await;
                let mut under_way = checks.under_way.lock().unwrap_or_else(PoisonError::into_inner);
                under_way.insert(key, Some(outcome));
            });
        }
        let wait = async {
            loop {
                tokio::time::sleep(Duration::from_millis(50)).await;
                let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
                if matches!(under_way.get(&key), Some(Some(_)) | None) {
                    return under_way.remove(&key).flatten();
                }
            }
        };
        tokio::time::timeout(ANSWER_WITHIN, wait).await.unwrap_or(None)
    }
}

async fn compile(catalogue: &Catalogue, manifest: Manifest) -> Outcome {
    let made = async {
        let wasm = catalogue.component(&manifest.sha256).await?;
        catalogue.made(manifest.clone(), Cow::Owned(wasm)).await
    };
    match made.await {
        Ok(_) => Ok(Arc::new(manifest)),
        Err(LoadError::Engine(text)) => Err(format!("cannot be looked at here: {text}")),
        Err(error) => Err(error.to_string()),
    }
}

async fn summary(catalogue: &Catalogue, text: String, manifest: &Manifest) -> Result<Checked> {
    let known = plugins::all(&mut catalogue.read()).await?.into_iter().find(|it| it.id == manifest.id);
    let asks = manifest.asks();
    let before = known.as_ref().and_then(catalogue::manifest_of);
    let mut asks_newly = names(&before.as_ref().map_or_else(Grants::none, |it| it.asks().missing(&asks)));
    if let Some(before) = &before {
        let newly = manifest.http.iter().filter(|origin| !before.http.contains(origin));
        asks_newly.extend(newly.map(|origin| format!("{} {origin}", Permission::Fetch)));
    }
    Ok(Checked {
        is_compiling: false,
        id: manifest.id.clone(),
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        sha256: manifest.sha256.clone(),
        signature: signed::signature(&text),
        changes_signer: known.as_ref().is_some_and(|it| signed::changes_signer(&it.manifest, &text)),
        manifest: text,
        asks: names(&asks),
        asks_described: described(&asks),
        asks_newly,
        is_known: known.is_some(),
    })
}

/// A manifest as authors write it has no hash: it is that of the component beside it.
pub(super) fn with_hash(manifest: &str, sha256: &str) -> String {
    // By what TOML says: a tool may have an argument of that name.
    let has_hash = manifest
        .parse::<toml::Table>()
        .is_ok_and(|it| it.get("plugin").and_then(|it| it.get("sha256")).is_some());
    if has_hash {
        return manifest.to_owned();
    }
    manifest.replacen("[plugin]", &format!("[plugin]\nsha256 = \"{sha256}\""), 1)
}

/// The hashes of a plugin's images, as its last table but the signature: authors need not write them.
pub(super) fn with_images(manifest: String, images: &BTreeMap<String, String>) -> String {
    let has_images = manifest.parse::<toml::Table>().is_ok_and(|it| it.contains_key("images"));
    if images.is_empty() || has_images {
        return manifest;
    }
    let lines =
        images.iter().map(|(file, hash)| format!("\"{file}\" = \"{hash}\"\n")).collect::<Vec<_>>().concat();
    format!("{}\n\n[images]\n{lines}", manifest.trim_end())
}

fn names(grants: &Grants) -> Vec<String> {
    grants.iter().map(|it| it.to_string()).collect()
}

fn empty() -> Checked {
    Checked {
        is_compiling: false,
        id: String::new(),
        name: String::new(),
        version: String::new(),
        sha256: String::new(),
        manifest: String::new(),
        signature: Value::Null,
        changes_signer: false,
        asks: Vec::new(),
        asks_described: Vec::new(),
        asks_newly: Vec::new(),
        is_known: false,
    }
}

/// A permission as administrators read it.
pub(super) fn described(grants: &Grants) -> Vec<Value> {
    grants.iter().map(|it| json!({ "name": it.to_string(), "description": it.describe() })).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use confab_plugin_host::SigningKey;

    use super::*;

    const COMPONENT: &[u8] = b"\0asm";

    /// As an author writes it, with a reaction that has an image.
    fn manifest() -> String {
        let hostile = include_str!("../../../plugins/host/tests/hostile.toml");
        let lines: Vec<&str> = hostile.lines().filter(|line| !line.starts_with("sha256")).collect();
        format!("{}\n[[reaction]]\ncode = \"badge\"\nname = \"B\"\nimage = \"b.png\"\n", lines.join("\n"))
    }

    fn images(file: &str, digit: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(file.to_owned(), digit.repeat(64))])
    }

    fn upload(images: BTreeMap<String, String>, signature: Option<&str>) -> Upload {
        // As a browser sends a text.
        let manifest = manifest().replace('\n', "\r\n");
        let signature = signature.map(str::to_owned);
        Upload { manifest, sha256: hex(&Sha256::digest(COMPONENT)), images, signature }
    }

    #[test]
    fn a_signature_covers_the_images() {
        let key = SigningKey::generate().unwrap();
        let signature = signed::sign(&manifest(), COMPONENT, &images("b.png", "a"), &key).unwrap();
        let kept = upload(images("b.png", "a"), Some(&signature)).kept().unwrap();
        assert_eq!(signed::signature(&kept)["state"], "signed");
        assert_eq!(parsed(&kept).unwrap().images, images("b.png", "a"));
        let refused = upload(images("b.png", "b"), Some(&signature)).kept().unwrap_err();
        assert!(matches!(refused, Fault::Forbidden { code: "wrong_signature", .. }), "{refused}");
    }

    #[test]
    fn an_image_is_there_and_of_a_reaction() {
        assert!(upload(images("b.png", "a"), None).kept().is_ok());
        for (images, field) in [(BTreeMap::new(), "images"), (images("c.png", "a"), "manifest")] {
            let refused = upload(images, None).kept().unwrap_err();
            assert!(matches!(&refused, Fault::Invalid { field: at, .. } if *at == field), "{refused}");
        }
        // Written by hand, and another file since.
        let mut named = upload(images("b.png", "b"), None);
        named.manifest = with_images(manifest(), &images("b.png", "a"));
        assert!(matches!(named.kept(), Err(Fault::Invalid { field: "images", .. })));
    }
}
