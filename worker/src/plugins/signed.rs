//! Whose signature a plugin bears, and what follows from it.

use std::collections::BTreeMap;

use confab_core::text::hex;
use confab_core::{Fault, Result};
use confab_plugin_host::{SignatureFault, SigningKey, signer, with_signature};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::check::{parsed, with_hash, with_images};

/// The signature that stands in a kept manifest, as administrators see it: `{state, key?}`, where `state` is `unsigned`,
/// `signed` or `invalid`, and `key` the fingerprint of the key.
#[must_use]
pub fn signature(manifest: &str) -> Value {
    match signer(manifest) {
        Ok(None) => json!({ "state": "unsigned" }),
        Ok(Some(key)) => json!({ "state": "signed", "key": key.fingerprint() }),
        // It was good when it was installed: somebody changed the record.
        Err(_) => json!({ "state": "invalid" }),
    }
}

/// Refuses what none of the keys signed that the operator trusts. Whoever names no key trusts all, and the unsigned too.
///
/// # Errors
/// [`Fault::Forbidden`] with code `untrusted_plugin`; those of a signature that is none.
pub fn admit(trusted: &[String], manifest: &str) -> Result<()> {
    if trusted.is_empty() {
        return Ok(());
    }
    let message = match signer(manifest).map_err(fault)?.map(|key| key.fingerprint()) {
        Some(key) if trusted.contains(&key) => return Ok(()),
        Some(key) => format!("it is signed by {key}, which is no key that this server trusts"),
        None => "it is unsigned, and this server takes plugins of the keys that it trusts alone".to_owned(),
    };
    Err(Fault::forbidden("untrusted_plugin", message))
}

/// Signs the plugin of an author, with the hashes of its images by the names of their files. Answers the text of
/// `plugin.sig`.
///
/// # Errors
/// [`Fault::Invalid`] in `manifest`, `component` or `signature`.
pub fn sign(
    manifest: &str,
    component: &[u8],
    images: &BTreeMap<String, String>,
    key: &SigningKey,
) -> Result<String> {
    let sha256 = hex(&Sha256::digest(component));
    let text = with_images(with_hash(manifest, &sha256), images);
    if parsed(&text)?.sha256 != sha256 {
        return Err(Fault::invalid("component", "is not the one whose sha256 the manifest names"));
    }
    key.sign(&text).map_err(fault)
}

/// A manifest with its signature, which is a good one.
///
/// # Errors
/// [`Fault::Forbidden`] with code `wrong_signature`; [`Fault::Invalid`] in `manifest` or `signature`.
pub(super) fn attach(manifest: String, file: Option<&str>) -> Result<String> {
    // What is wrong with the manifest is said of the manifest.
    parsed(&manifest)?;
    let text = match file {
        Some(file) => with_signature(&manifest, file).map_err(fault)?,
        None => manifest,
    };
    signer(&text).map_err(fault)?;
    Ok(text)
}

/// Whether an update comes from another hand than what is installed: another key, or none after one.
#[must_use]
pub fn changes_signer(before: &str, after: &str) -> bool {
    match signer(before) {
        Ok(None) => false,
        Ok(before) => signer(after).ok().flatten() != before,
        Err(_) => true,
    }
}

fn fault(of: SignatureFault) -> Fault {
    match of {
        SignatureFault::Malformed(message) => Fault::invalid("signature", message),
        SignatureFault::Wrong => {
            Fault::forbidden("wrong_signature", format!("the signature {}", SignatureFault::Wrong))
        }
    }
}
