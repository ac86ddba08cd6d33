//! Who made a plugin: an Ed25519 signature over its manifest and its component, in the file `plugin.sig` beside them. It is
//! optional. It says that two versions come from one hand, and an operator may ask for it.
//!
//! What is signed begins with a line of its own, so that a signature made here is good for nothing else and none made
//! elsewhere is good here:
//!
//! ```text
//! confab plugin signature 1
//! the SHA-256 of the component, in hex
//! the manifest with this hash and those of its images in it, its lines ended by one line feed
//! ```
//!
//! The file is a TOML table, `[signature]`. In the record it is the manifest's last one: nothing else keeps it.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};

/// The first line of what is signed. Another form of it needs another number.
const FORM: &str = "confab plugin signature 1";
/// Largest `plugin.sig`.
pub const SIGNATURE_BYTES: usize = 4 * 1024;
const PEM_BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const PEM_END: &str = "-----END PRIVATE KEY-----";

/// What is wrong with a signature or a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// It is none: a sentence for the author.
    #[error("{0}")]
    Malformed(String),
    /// It is one, of something else or by another key.
    #[error("is not one of this manifest and component by the key that it names")]
    Wrong,
}

fn malformed(message: impl fmt::Display) -> SignatureFault {
    SignatureFault::Malformed(message.to_string())
}

/// The public half of a signer's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// What people compare: `SHA256:` and the key's hash, 43 letters of base 64.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(self.0)))
    }
}

/// The table `[signature]`.
struct Signature {
    key: [u8; 32],
    value: [u8; 64],
}

impl Signature {
    fn read(table: &toml::Value) -> Result<Self, SignatureFault> {
        let table = table.as_table().ok_or_else(|| malformed("must be a table"))?;
        if let Some(other) = table.keys().find(|key| !["key", "value"].contains(&key.as_str())) {
            return Err(malformed(format!("{other} is not known here")));
        }
        Ok(Self { key: bytes(table, "key")?, value: bytes(table, "value")? })
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, value) = (STANDARD.encode(self.key), STANDARD.encode(self.value));
        write!(out, "[signature]\nkey = \"{key}\"\nvalue = \"{value}\"\n")
    }
}

fn bytes<const N: usize>(table: &toml::Table, name: &str) -> Result<[u8; N], SignatureFault> {
    let text = table.get(name).and_then(toml::Value::as_str);
    let bytes = text.and_then(|text| STANDARD.decode(text).ok());
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| malformed(format!("{name} must be {N} bytes in base 64")))
}

/// A manifest with what stands in its `plugin.sig` at its end, as it is kept.
///
/// # Errors
/// [`SignatureFault::Malformed`], also where the manifest has one already. Whether it is a good one says [`signer`].
pub fn with_signature(manifest: &str, file: &str) -> Result<String, SignatureFault> {
    if file.len() > SIGNATURE_BYTES {
        return Err(malformed(format!("is larger than {SIGNATURE_BYTES} bytes")));
    }
    let mut table = file.parse::<toml::Table>().map_err(malformed)?;
    let signature = table.remove("signature").ok_or_else(|| malformed("has no table [signature]"))?;
    if let Some(other) = table.keys().next() {
        return Err(malformed(format!("{other} is not known here")));
    }
    unsigned(manifest)?;
    Ok(format!("{}{}", canonical(manifest), Signature::read(&signature)?))
}

/// Who signed a manifest and the component whose hash it names. `None`: nobody.
///
/// # Errors
/// [`SignatureFault::Wrong`] above all.
pub fn signer(manifest: &str) -> Result<Option<PublicKey>, SignatureFault> {
    let table = manifest.parse::<toml::Table>().map_err(malformed)?;
    let Some(signature) = table.get("signature").map(Signature::read).transpose()? else { return Ok(None) };
    // Cut off as it would have been written, so that what is left is what was signed and nothing stands between.
    let text = canonical(manifest);
    let signed = text.strip_suffix(&signature.to_string()).ok_or_else(|| {
        malformed("must be the last table of the manifest, as `confab plugin sign` writes it")
    })?;
    let key = UnparsedPublicKey::new(&ED25519, signature.key);
    key.verify(&message(signed, &table)?, &signature.value).map_err(|_| SignatureFault::Wrong)?;
    Ok(Some(PublicKey(signature.key)))
}

/// A key that signs.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// A new one.
    ///
    /// # Errors
    /// [`SignatureFault::Malformed`] where the machine has no randomness.
    pub fn generate() -> Result<Self, SignatureFault> {
        Ed25519KeyPair::generate().map(Self).map_err(|_| malformed("no key could be made"))
    }

    /// Reads an Ed25519 key in PKCS#8, as PEM: what [`SigningKey::to_pem`] and OpenSSL write.
    ///
    /// # Errors
    /// [`SignatureFault::Malformed`].
    pub fn from_pem(text: &str) -> Result<Self, SignatureFault> {
        let none = || malformed("is no private key: an Ed25519 one in PKCS#8, as PEM, is wanted");
        let inside = text.trim().strip_prefix(PEM_BEGIN).and_then(|rest| rest.strip_suffix(PEM_END));
        let joined: String = inside.ok_or_else(none)?.split_whitespace().collect();
        let document = STANDARD.decode(joined).map_err(|_| none())?;
        Ed25519KeyPair::from_pkcs8(&document).map(Self).map_err(|_| none())
    }

    /// As PEM. Whoever has this signs as its owner.
    ///
    /// # Errors
    /// [`SignatureFault::Malformed`] when it cannot be written, which a key of this module always can.
    pub fn to_pem(&self) -> Result<String, SignatureFault> {
        let document = self.0.to_pkcs8v1().map_err(|_| malformed("the key cannot be written"))?;
        Ok(format!("{PEM_BEGIN}\n{}\n{PEM_END}\n", STANDARD.encode(document.as_ref())))
    }

    /// Its public half.
    ///
    /// # Errors
    /// As [`SigningKey::to_pem`].
    pub fn public(&self) -> Result<PublicKey, SignatureFault> {
        let bytes = self.0.public_key().as_ref();
        bytes.try_into().map(PublicKey).map_err(|_| malformed("the key has another length"))
    }

    /// Signs a manifest that names its component's hash. Answers the text of `plugin.sig`.
    ///
    /// # Errors
    /// [`SignatureFault::Malformed`] for a manifest that names none, or is signed already.
    pub fn sign(&self, manifest: &str) -> Result<String, SignatureFault> {
        let table = unsigned(manifest)?;
        let value = self.0.sign(&message(&canonical(manifest), &table)?);
        let value = value.as_ref().try_into().map_err(|_| malformed("the signature has another length"))?;
        Ok(Signature { key: self.public()?.0, value }.to_string())
    }
}

fn unsigned(manifest: &str) -> Result<toml::Table, SignatureFault> {
    let table = manifest.parse::<toml::Table>().map_err(malformed)?;
    if table.contains_key("signature") {
        return Err(malformed("stands in the manifest already"));
    }
    Ok(table)
}

fn message(signed: &str, manifest: &toml::Table) -> Result<Vec<u8>, SignatureFault> {
    let sha256 = manifest.get("plugin").and_then(|it| it.get("sha256")).and_then(toml::Value::as_str);
    let sha256 = sha256.ok_or_else(|| malformed("the manifest names no sha256"))?;
    Ok(format!("{FORM}\n{sha256}\n{signed}").into_bytes())
}

/// Browsers send the lines of a form with other ends than files have.
fn canonical(manifest: &str) -> String {
    format!("{}\n", manifest.replace("\r\n", "\n").trim_end())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const MANIFEST: &str =
        "[plugin]\nid = \"org.example.greeter\"\nsha256 = \"00ff\"\n\n[[command]]\nname = \"greet\"\n";

    #[test]
    fn a_signature_is_of_one_manifest_by_one_key() {
        let key = SigningKey::generate().unwrap();
        let file = key.sign(MANIFEST).unwrap();
        let kept = with_signature(MANIFEST, &file).unwrap();
        assert_eq!(signer(&kept).unwrap(), Some(key.public().unwrap()));
        assert_eq!(signer(MANIFEST).unwrap(), None);
        // As a browser sends it, and with blank lines behind.
        let sent = with_signature(&format!("{}\r\n\r\n", MANIFEST.replace('\n', "\r\n")), &file).unwrap();
        assert_eq!(sent, kept);
        assert_eq!(signer(&kept.replace('\n', "\r\n")).unwrap(), Some(key.public().unwrap()));

        for (from, to) in [("greet\"", "great\""), ("00ff", "00fe"), ("[[command]]", "# hm\n[[command]]")] {
            assert_eq!(signer(&kept.replacen(from, to, 1)), Err(SignatureFault::Wrong), "{to}");
        }
        let other = SigningKey::generate().unwrap();
        let by_other = other.sign(MANIFEST).unwrap();
        assert_ne!(other.public().unwrap().fingerprint(), key.public().unwrap().fingerprint());
        // One's name under another's signature.
        let (mine, theirs): (Vec<&str>, Vec<&str>) = (file.lines().collect(), by_other.lines().collect());
        let forged = [mine[0], mine[1], theirs[2]].join("\n");
        assert_eq!(signer(&with_signature(MANIFEST, &forged).unwrap()), Err(SignatureFault::Wrong));
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        let key = SigningKey::generate().unwrap();
        let file = key.sign(MANIFEST).unwrap();
        let kept = with_signature(MANIFEST, &file).unwrap();
        for bad in [
            "",
            "[signature]",
            "signature = 7",
            "not toml",
            &file.replace("key", "kay"),
            &format!("a = 1\n{file}"),
        ] {
            assert!(matches!(with_signature(MANIFEST, bad), Err(SignatureFault::Malformed(_))), "{bad}");
        }
        assert!(with_signature(MANIFEST, &format!("#{}\n{file}", "x".repeat(SIGNATURE_BYTES))).is_err());
        assert!(with_signature(&kept, &file).is_err() && key.sign(&kept).is_err(), "two of them");
        // Something that was not signed follows, or stands within.
        for moved in [format!("{kept}[limits]\nmemory-mib = 1\n"), kept.replace("value =", "\nvalue =")] {
            assert!(matches!(signer(&moved), Err(SignatureFault::Malformed(_))), "{moved}");
        }
        assert!(key.sign("[plugin]\nid = \"a\"\n").is_err(), "no component is named");
    }

    #[test]
    fn a_key_survives_its_file() {
        let key = SigningKey::generate().unwrap();
        let again = SigningKey::from_pem(&key.to_pem().unwrap()).unwrap();
        assert_eq!(again.public().unwrap(), key.public().unwrap());
        // As `openssl genpkey -algorithm ed25519` writes it: the key of RFC 8410.
        let of_rfc = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
        let fingerprint = SigningKey::from_pem(of_rfc).unwrap().public().unwrap().fingerprint();
        assert_eq!(fingerprint, "SHA256:50TAeRMgwyhUYO3bUj8UyI2FetpGuXpWkNiM+Xi5GR8");
        for bad in
            ["", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----"]
        {
            assert!(SigningKey::from_pem(bad).is_err(), "{bad}");
        }
    }
}
