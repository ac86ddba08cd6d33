//! What helps browsers to reach each other: addresses that the operator named, with credentials that end.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use confab_core::config::Voice;
use confab_protocol::voice::IceServer;
use confab_protocol::{Timestamp, UserId};

/// A credential is good for so long (docs/limits.md): a relay that is in use goes on.
const LASTS: Duration = Duration::from_hours(12);

/// What one person is told. Relays get credentials that name the person, so that their operator sees whose they are.
pub fn servers(settings: &Voice, user: UserId) -> Vec<IceServer> {
    let (relays, plain): (Vec<String>, Vec<String>) =
        settings.ice_servers.iter().cloned().partition(|address| address.starts_with("turn"));
    let mut servers = Vec::new();
    if !plain.is_empty() {
        servers.push(IceServer { urls: plain, username: None, credential: None });
    }
    if !relays.is_empty() {
        let ends = Timestamp::now().plus(LASTS).0 / 1_000;
        let username = format!("{ends}:{user}");
        let credential = credential(&settings.turn_secret.0, &username);
        servers.push(IceServer { urls: relays, username: Some(username), credential: Some(credential) });
    }
    servers
}

/// What TURN servers compare (`use-auth-secret`, draft-uberti-behave-turn-rest): base64 of HMAC-SHA1.
fn credential(secret: &str, username: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    STANDARD.encode(hmac::sign(&key, username.as_bytes()))
}

#[cfg(test)]
mod tests {
    use confab_core::config::{Secret, Voice};
    use confab_protocol::{Timestamp, UserId};

    use super::{credential, servers};

    #[test]
    fn credentials_are_those_that_turn_servers_expect() {
        // `printf '%s' USERNAME | openssl dgst -sha1 -hmac SECRET -binary | base64`
        assert_eq!(credential("north", "1433895918:506dd3c8"), "PkqGmdT5D9eLXO0U94bqodBkK1U=");
        // RFC 2202, test case 2.
        assert_eq!(credential("Jefe", "what do ya want for nothing?"), "7/zfauXrL6LSdBbV8YTfnCWafHk=");
    }

    #[test]
    fn only_relays_get_credentials_and_these_end() {
        let settings = Voice {
            ice_servers: vec!["stun:a".into(), "turn:b".into(), "turns:b?transport=tcp".into()],
            turn_secret: Secret("north".into()),
            participants: 2,
        };
        let user = UserId::new();
        let told = servers(&settings, user);
        assert_eq!((told.len(), &told[0].urls[0], &told[0].credential), (2, &"stun:a".to_owned(), &None));
        let username = told[1].username.clone().expect("a user name");
        let (ends, whose) = username.split_once(':').expect("two parts");
        let ends: i64 = ends.parse().expect("seconds");
        let hours = (ends - Timestamp::now().0 / 1_000) / 3_600;
        assert!((11..=12).contains(&hours) && whose == user.to_string(), "{username}");
        assert_eq!(told[1].credential.as_deref(), Some(credential("north", &username).as_str()));
        let none = Voice { ice_servers: Vec::new(), ..settings };
        assert!(servers(&none, user).is_empty());
    }
}
