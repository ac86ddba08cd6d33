//! `confab plugin keygen` and `confab plugin sign`: for authors whose plugins shall be known as theirs. No server is needed.

use std::io::Read as _;
use std::path::Path;

use confab_core::{Fault, Result};
use confab_worker::plugins::{self, SIGNATURE_BYTES, SigningKey};
use serde_json::json;

use super::super::{Common, refused, say};
use crate::first_run::write_private;
use crate::plugin_images;

/// The signature's file, beside the manifest.
const FILE: &str = "plugin.sig";

/// Writes a new key into a file that only its owner reads. One that is there already is never overwritten: nobody could
/// sign as its owner any more.
pub fn make_key(path: &Path, common: &Common) -> Result<()> {
    let key = SigningKey::generate().map_err(Fault::internal)?;
    let (pem, fingerprint) = (key.to_pem().map_err(Fault::internal)?, fingerprint(&key)?);
    write_private(path, &pem)
        .map_err(|error| refused("unwritable", format!("{}: {error}", path.display())))?;
    say(common, &json!({ "file": path, "key": fingerprint }), || {
        format!("{} holds the new key {fingerprint}; keep it to yourself", path.display())
    });
    Ok(())
}

/// Signs the plugin in a folder, or beside a file of it, as it is built at this moment.
pub fn sign(path: &Path, key: &Path, common: &Common) -> Result<()> {
    let folder = if path.is_file() { path.parent().unwrap_or(Path::new(".")) } else { path };
    let (manifest, component) = super::files(folder)?;
    let pem = std::fs::read_to_string(key)
        .map_err(|error| refused("unreadable", format!("{}: {error}", key.display())))?;
    let key = SigningKey::from_pem(&pem).map_err(|fault| Fault::invalid("key", fault.to_string()))?;
    let images = plugin_images::made(super::image_files(folder, &manifest)?)?;
    let signature = plugins::sign(&manifest, &component, &plugin_images::hashes(&images), &key)?;
    let (file, fingerprint) = (folder.join(FILE), fingerprint(&key)?);
    std::fs::write(&file, signature)
        .map_err(|error| refused("unwritable", format!("{}: {error}", file.display())))?;
    say(common, &json!({ "file": file, "key": fingerprint }), || {
        format!("{} is signed by {fingerprint}", file.display())
    });
    Ok(())
}

/// What stands in the signature's file of a folder, if there is one.
pub fn of_folder(folder: &Path) -> Result<Option<String>> {
    let path = folder.join(FILE);
    let unreadable = |error: std::io::Error| refused("unreadable", format!("{}: {error}", path.display()));
    let file = match std::fs::File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mut text = String::new();
    file.take(SIGNATURE_BYTES as u64 + 1).read_to_string(&mut text).map_err(unreadable)?;
    Ok(Some(text))
}

fn fingerprint(key: &SigningKey) -> Result<String> {
    Ok(key.public().map_err(Fault::internal)?.fingerprint())
}
