//! The issuer's public keys (RFC 7517).

use std::sync::Arc;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// An issuer has two or three; a list that grows without end would be searched with every token.
const MOST: usize = 100;

/// The keys that may have signed a token.
pub struct Keys(Vec<Key>);

struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    decoding: Arc<DecodingKey>,
}

/// As the issuer publishes them.
#[derive(Deserialize)]
pub struct Document {
    // Read one by one: a key of a kind that nobody here knows must not take the others with it.
    keys: Vec<Value>,
}

impl Keys {
    /// Those of the published ones that are fit.
    pub fn of(document: Document) -> Self {
        Self(document.keys.into_iter().filter_map(fit).take(MOST).collect())
    }

    /// The key that a token names. A token that names none means the only one there is.
    pub fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<Arc<DecodingKey>> {
        let mut fitting = self
            .0
            .iter()
            .filter(|key| key.algorithm == algorithm && (id.is_none() || key.id.as_deref() == id));
        let key = fitting.next()?;
        (id.is_some() || fitting.next().is_none()).then(|| Arc::clone(&key.decoding))
    }
}

/// Each key serves one algorithm: one that served several would let the sender of a token choose the weakest.
fn fit(published: Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(published).ok()?;
    let (algorithm, named) = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(it) if it.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(it) if it.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        // Above all no shared secret: whoever can check with it can sign with it.
        _ => return None,
    };
    let common = &jwk.common;
    let is_for_signatures = common.public_key_use.as_ref().is_none_or(|it| *it == PublicKeyUse::Signature)
        && common.key_operations.as_ref().is_none_or(|it| it.contains(&KeyOperations::Verify))
        && common.key_algorithm.is_none_or(|it| it == named);
    if !is_for_signatures {
        return None;
    }
    let decoding = Arc::new(DecodingKey::from_jwk(&jwk).ok()?);
    Some(Key { id: jwk.common.key_id, algorithm, decoding })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[allow(clippy::needless_pass_by_value)] // reads better where it is called
    fn keys(keys: Value) -> Keys {
        Keys::of(serde_json::from_value(json!({ "keys": keys })).expect("a document"))
    }

    fn rsa(id: &str, more: &Value) -> Value {
        let mut key = json!({ "kty": "RSA", "kid": id, "n": "AQAB", "e": "AQAB" });
        for (name, value) in more.as_object().expect("an object") {
            key[name] = value.clone();
        }
        key
    }

    #[test]
    fn only_public_keys_for_signatures_are_used() {
        let keys = keys(json!([
            rsa("plain", &json!({})),
            rsa("sig", &json!({ "use": "sig", "alg": "RS256" })),
            rsa("enc", &json!({ "use": "enc" })),
            rsa("other", &json!({ "alg": "RS512" })),
            rsa("oaep", &json!({ "alg": "RSA-OAEP" })),
            rsa("ops", &json!({ "key_ops": ["encrypt"] })),
            json!({ "kty": "oct", "kid": "oct", "k": "c2VjcmV0", "alg": "RS256" }),
            json!({ "kty": "AKP", "kid": "new", "alg": "ML-DSA-44", "pub": "AAAA" }),
            json!({ "kty": "EC", "kid": "p384", "crv": "P-384", "x": "AA", "y": "AA" }),
            json!({ "kty": "OKP", "kid": "ed", "crv": "Ed25519", "x": "AA" }),
            json!("no key"),
        ]));
        assert!(keys.find(Some("plain"), Algorithm::RS256).is_some());
        assert!(keys.find(Some("sig"), Algorithm::RS256).is_some());
        assert!(keys.find(Some("ed"), Algorithm::EdDSA).is_some());
        assert!(keys.find(Some("ed"), Algorithm::RS256).is_none(), "another algorithm");
        for bad in ["enc", "other", "oaep", "ops", "oct", "new", "p384", "", "../plain"] {
            for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA, Algorithm::HS256] {
                assert!(keys.find(Some(bad), algorithm).is_none(), "{bad}");
            }
        }
    }

    #[test]
    fn a_token_that_names_no_key_means_the_only_one() {
        let one = rsa("one", &json!({}));
        let two = rsa("two", &json!({}));
        assert!(keys(json!([one])).find(None, Algorithm::RS256).is_some());
        assert!(keys(json!([one, two])).find(None, Algorithm::RS256).is_none(), "which?");
        assert!(keys(json!([])).find(None, Algorithm::RS256).is_none());
    }
}
