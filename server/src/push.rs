//! Web push: messages for browsers that are closed, encrypted for the browser (RFC 8291) and signed by this server
//! (VAPID, RFC 8292). The push service between them reads neither.

mod places;
mod pool;
mod sender;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use confab_core::push::{ENDPOINT_BYTES, Letter, NewSubscription};
use confab_core::{Fault, Result};
use confab_protocol::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;
use url::Url;
use web_push_native::Auth;
use web_push_native::p256::elliptic_curve::sec1::ToEncodedPoint;
use web_push_native::p256::pkcs8::EncodePrivateKey;
use web_push_native::p256::{PublicKey, SecretKey};

pub use pool::send_all;

use crate::egress::Postbox;

/// How long one signature is good; services accept at most a day.
const SIGNED_FOR: std::time::Duration = std::time::Duration::from_hours(12);
/// Characters of a name that leave: the whole must fit into 4 KiB.
const NAME_CHARACTERS: usize = 80;

/// Signs what this server pushes.
pub struct Pusher {
    key: EncodingKey,
    public: String,
    /// Whom a push service may write to about it.
    contact: String,
    postbox: Postbox,
}

/// A key for a server that has none yet, in letters.
#[must_use]
pub fn new_key() -> String {
    loop {
        let bytes: [u8; 32] = rand::random();
        // All but a few numbers of 256 bits are keys of the curve.
        if SecretKey::from_slice(&bytes).is_ok() {
            return URL_SAFE_NO_PAD.encode(bytes);
        }
    }
}

impl Pusher {
    /// Reads the key that [`new_key`] made. `contact` is an address that begins with `https:` or `mailto:`;
    /// `allows_loopback`: services on this machine are spoken to.
    ///
    /// # Errors
    /// [`Fault::Internal`] for a key that is none.
    pub fn new(key: &str, contact: String, allows_loopback: bool) -> Result<Self> {
        let damaged = || Fault::Internal("the key of web push is damaged".into());
        let bytes = URL_SAFE_NO_PAD.decode(key.trim()).map_err(|_| damaged())?;
        let secret = SecretKey::from_slice(&bytes).map_err(|_| damaged())?;
        let public = URL_SAFE_NO_PAD.encode(secret.public_key().to_encoded_point(false).as_bytes());
        let der = secret.to_pkcs8_der().map_err(|_| damaged())?;
        let key = EncodingKey::from_ec_der(der.as_bytes());
        Ok(Self { key, public, contact, postbox: Postbox::new(allows_loopback)? })
    }

    /// What a browser is told when it subscribes: only this server may push to it then.
    #[must_use]
    pub fn public_key(&self) -> &str {
        &self.public
    }

    /// Checks what a browser says of itself.
    ///
    /// # Errors
    /// [`Fault::Invalid`] in `endpoint`, `p256dh` or `auth`.
    pub fn check(&self, endpoint: String, p256dh: &str, auth: &str) -> Result<NewSubscription> {
        let url =
            Some(&endpoint).filter(|it| it.len() <= ENDPOINT_BYTES).and_then(|it| self.postbox.admitted(it));
        let Some(url) = url else {
            return Err(Fault::invalid("endpoint", "must be the https address of a push service"));
        };
        let (p256dh, auth) = (p256dh.trim_end_matches('='), auth.trim_end_matches('='));
        if public_key(p256dh).is_none() {
            return Err(Fault::invalid("p256dh", "must be a public key of the curve P-256"));
        }
        if auth_secret(auth).is_none() {
            return Err(Fault::invalid("auth", "must be a secret of 16 bytes"));
        }
        let host = host(&url);
        Ok(NewSubscription { endpoint, host, p256dh: p256dh.to_owned(), auth: auth.to_owned() })
    }

    /// The value of `Authorization` for one push service.
    fn signature(&self, endpoint: &Url) -> Result<String> {
        let header = Header::new(Algorithm::ES256);
        let claims = json!({
            "aud": endpoint.origin().ascii_serialization(),
            "exp": Timestamp::now().plus(SIGNED_FOR).0 / 1_000,
            "sub": self.contact,
        });
        let token = jsonwebtoken::encode(&header, &claims, &self.key).map_err(Fault::internal)?;
        Ok(format!("vapid t={token}, k={}", self.public))
    }
}

/// The host by which services are told apart: each spelling of one name is the same.
fn host(endpoint: &Url) -> String {
    endpoint.host_str().unwrap_or("nowhere").trim_end_matches('.').to_owned()
}

/// What the browser's worker reads, encrypted for it alone.
fn sealed(letter: &Letter) -> Result<Vec<u8>> {
    let unreadable = || Fault::Internal("a browser's keys are damaged".into());
    let key = public_key(&letter.p256dh).ok_or_else(unreadable)?;
    let auth = auth_secret(&letter.auth).ok_or_else(unreadable)?;
    let mut brief = letter.brief.clone();
    brief.sender = brief.sender.chars().take(NAME_CHARACTERS).collect();
    let mut payload = serde_json::to_value(&brief).map_err(Fault::internal)?;
    payload["unread_count"] = json!(letter.unread_count);
    web_push_native::encrypt(payload.to_string().into_bytes(), &key, &auth).map_err(Fault::internal)
}

fn public_key(text: &str) -> Option<PublicKey> {
    // An uncompressed point has 65 bytes: nothing longer is decoded.
    let bytes = URL_SAFE_NO_PAD.decode(Some(text).filter(|it| it.len() <= 90)?).ok()?;
    PublicKey::from_sec1_bytes(&bytes).ok()
}

fn auth_secret(text: &str) -> Option<Auth> {
    let bytes = URL_SAFE_NO_PAD.decode(Some(text).filter(|it| it.len() <= 24)?).ok()?;
    (bytes.len() == 16).then(|| Auth::clone_from_slice(&bytes))
}

#[cfg(test)]
mod tests {
    use confab_core::notifications::Brief;
    use confab_protocol::{ChannelId, MessageId};
    use jsonwebtoken::{DecodingKey, Validation};

    use super::*;

    fn letter(secret: &SecretKey, auth: &[u8; 16]) -> Letter {
        let brief = Brief {
            notification_id: uuid::Uuid::nil(),
            kind: "mention".into(),
            channel_id: Some(ChannelId::new()),
            channel_name: "\u{1}".repeat(80),
            message_id: Some(MessageId::new()),
            parent_id: Some(MessageId::new()),
            sender: "\u{10348}".repeat(255),
            text: "\u{1}".repeat(140),
            url: "/".into(),
            created_at: Timestamp(0),
        };
        Letter {
            endpoint: String::new(),
            p256dh: URL_SAFE_NO_PAD.encode(secret.public_key().to_encoded_point(false).as_bytes()),
            auth: URL_SAFE_NO_PAD.encode(auth),
            brief,
            unread_count: 1_000,
        }
    }

    #[test]
    fn only_the_browser_reads_and_everybody_can_check_who_sent() {
        let pusher =
            Pusher::new(&new_key(), "mailto:ops@example.org".into(), false).expect("a key of our own");
        let browser = SecretKey::from_slice(&[7; 32]).expect("a key");
        let letter = letter(&browser, &[9; 16]);
        let body = sealed(&letter).expect("sealed");
        assert!(body.len() <= 4_096, "the largest has {} bytes", body.len());
        let opened = web_push_native::decrypt(body.clone(), &browser, &Auth::clone_from_slice(&[9; 16]));
        let read: serde_json::Value = serde_json::from_slice(&opened.expect("opened")).expect("JSON");
        assert_eq!((&read["kind"], &read["unread_count"]), (&json!("mention"), &json!(1_000)));
        assert!(web_push_native::decrypt(body, &browser, &Auth::clone_from_slice(&[8; 16])).is_err());

        let url = Url::parse("https://push.example.org/a/b").expect("an address");
        let value = pusher.signature(&url).expect("signed");
        let (token, key) =
            value.strip_prefix("vapid t=").and_then(|it| it.split_once(", k=")).expect("its form");
        assert_eq!(key, pusher.public_key());
        let point = URL_SAFE_NO_PAD.decode(key).expect("letters");
        let parts = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        let checking = DecodingKey::from_ec_components(&parts(&point[1..33]), &parts(&point[33..]))
            .expect("a public key");
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&["https://push.example.org"]);
        let read = jsonwebtoken::decode::<serde_json::Value>(token, &checking, &validation).expect("signed");
        assert_eq!(read.claims["sub"], "mailto:ops@example.org");
    }

    #[test]
    fn what_is_no_subscription_is_refused() {
        let pusher = Pusher::new(&new_key(), String::new(), false).expect("a key of our own");
        let secret = SecretKey::from_slice(&[7; 32]).expect("a key");
        let good = letter(&secret, &[9; 16]);
        let check = |endpoint: &str, key: &str, auth: &str| pusher.check(endpoint.into(), key, auth).is_ok();
        assert!(check("https://push.example.org/x", &good.p256dh, &good.auth));
        assert!(!check("http://push.example.org/x", &good.p256dh, &good.auth));
        assert!(!check(&format!("https://a.org/{}", "x".repeat(1_024)), &good.p256dh, &good.auth));
        assert!(!check("https://push.example.org/x", "AAAA", &good.auth));
        assert!(!check("https://push.example.org/x", &good.p256dh, "AAAA"));
        assert!(Pusher::new("nonsense", String::new(), false).is_err());
    }
}
