//! A genuine token taken apart, and the server's own key to sign what was made of it: whatever is refused then is
//! refused for the one thing that was changed, not for its signature.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::sign;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Map, Value};

/// A name for people, and the token.
pub type Forged = (String, String);

/// What a forger starts from.
pub struct Genuine {
    pub token: String,
    pub key: String,
    pub header: Map<String, Value>,
    pub claims: Map<String, Value>,
}

impl Genuine {
    /// Takes a token of the server that signs with `key` apart.
    pub fn of(token: &str, key: &str) -> Self {
        let part = |number: usize| {
            let text = URL_SAFE_NO_PAD.decode(token.split('.').nth(number).unwrap()).unwrap();
            serde_json::from_slice(&text).unwrap()
        };
        Self { token: token.to_owned(), key: key.to_owned(), header: part(0), claims: part(1) }
    }

    /// The three parts as they stand.
    pub fn parts(&self) -> [&str; 3] {
        let parts: Vec<&str> = self.token.split('.').collect();
        parts.try_into().unwrap()
    }

    /// Exactly these texts, signed with the server's key.
    pub fn of_texts(&self, header: &str, claims: &str) -> String {
        self.sealed(&format!("{}.{}", encoded(header), encoded(claims)))
    }

    /// A message as it stands, with the signature that the server would put behind it.
    pub fn sealed(&self, message: &str) -> String {
        sealed_by(self.key.as_bytes(), message, Algorithm::HS256)
    }

    /// Another header, signed with the server's key.
    pub fn with_header(&self, change: impl FnOnce(&mut Map<String, Value>)) -> String {
        self.of_texts(&self.header_text(change), &text_of(&self.claims))
    }

    /// Other claims, signed with the server's key.
    pub fn with_claims(&self, change: impl FnOnce(&mut Map<String, Value>)) -> String {
        let mut claims = self.claims.clone();
        change(&mut claims);
        self.of_texts(&text_of(&self.header), &text_of(&claims))
    }

    /// Another header, signed with another key.
    pub fn with_key(&self, key: &[u8], change: impl FnOnce(&mut Map<String, Value>)) -> String {
        let message = format!("{}.{}", encoded(&self.header_text(change)), encoded(&text_of(&self.claims)));
        sealed_by(key, &message, Algorithm::HS256)
    }

    fn header_text(&self, change: impl FnOnce(&mut Map<String, Value>)) -> String {
        let mut header = self.header.clone();
        change(&mut header);
        text_of(&header)
    }
}

/// A message and its HMAC of the named kind.
pub fn sealed_by(key: &[u8], message: &str, algorithm: Algorithm) -> String {
    let signature = sign(message.as_bytes(), &EncodingKey::from_secret(key), algorithm).unwrap();
    format!("{message}.{signature}")
}

/// As a part of a token.
pub fn encoded(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// An object as JSON.
pub fn text_of(object: &Map<String, Value>) -> String {
    serde_json::to_string(object).unwrap()
}

/// Entries with one common beginning to their names.
pub fn named(about: &str, forged: impl IntoIterator<Item = (&'static str, String)>) -> Vec<Forged> {
    forged.into_iter().map(|(name, token)| (format!("{about}: {name}"), token)).collect()
}
