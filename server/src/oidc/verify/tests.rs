//! Forged tokens, each wrong in one thing. The keys are made from fixed seeds.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, jwk::Jwk};
use serde_json::json;

use super::*;
use crate::oidc::token;

const ISSUER: &str = "https://id.example/";
const AUDIENCE: &str = "https://chat.example/api";
const CLIENT: &str = "the-client";

fn signing_key(seed: u8) -> EncodingKey {
    // An Ed25519 key in PKCS#8 is these bytes and a seed.
    let mut der = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    der.extend([seed; 32]);
    EncodingKey::from_ed_der(&der)
}

fn key(seed: u8) -> DecodingKey {
    let jwk = Jwk::from_encoding_key(&signing_key(seed), Algorithm::EdDSA).expect("a key");
    DecodingKey::from_jwk(&jwk).expect("a key")
}

fn sign(header: &str, claims: &str) -> String {
    let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = jsonwebtoken::crypto::sign(text.as_bytes(), &signing_key(7), Algorithm::EdDSA);
    format!("{text}.{}", signature.expect("a signature"))
}

fn check(token: &str, seed: u8, audience: &str) -> Result<Signed, Refusal> {
    signed(token, token::header(token)?, &key(seed), ISSUER, audience)
}

/// Good claims with some of them changed; null takes one out.
fn claims(audience: &Value, changes: &Value) -> Value {
    let mut claims =
        json!({ "iss": ISSUER, "aud": audience, "sub": "auth0|5", "iat": now() - 5, "exp": now() + 600 });
    for (name, value) in changes.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    claims.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
    claims
}

fn access(header: &str, audience: &Value, changes: &Value) -> bool {
    let token = sign(header, &claims(audience, changes).to_string());
    check(&token, 7, AUDIENCE).and_then(|it| is_access_token(&it, AUDIENCE, Some(CLIENT))).is_ok()
}

const PLAIN: &str = r#"{"alg":"EdDSA","typ":"JWT"}"#;

#[test]
fn each_defect_alone_is_enough() {
    let mine = json!(AUDIENCE);
    let good = |changes: &Value| access(PLAIN, &mine, changes);
    assert!(good(&json!({})));
    assert!(good(&json!({ "nbf": now() + 10 })), "within what clocks may differ");
    assert!(good(&json!({ "exp": now() - 10 })), "within what clocks may differ");
    let bad = [
        json!({ "exp": null }),
        json!({ "exp": now() - 60 }),
        json!({ "exp": -1 }),
        json!({ "exp": "9999999999" }),
        json!({ "exp": 9_999_999_999.5 }),
        json!({ "exp": i64::MAX }),
        json!({ "exp": u64::MAX }),
        json!({ "nbf": now() + 120 }),
        json!({ "nbf": "soon" }),
        json!({ "iat": now() + 120 }),
        json!({ "iat": "now" }),
        json!({ "sub": null }),
        json!({ "sub": "" }),
        json!({ "sub": 5 }),
        json!({ "sub": ["auth0|5"] }),
        json!({ "iss": null }),
        json!({ "iss": "https://id.example" }),
        json!({ "iss": "https://id.example//" }),
        json!({ "iss": "HTTPS://id.example/" }),
        json!({ "iss": [ISSUER] }),
        json!({ "iss": [ISSUER, "https://evil.example/"] }),
        json!({ "aud": null }),
        json!({ "aud": [] }),
        json!({ "aud": {} }),
        json!({ "aud": "https://chat.example/ap" }),
        json!({ "aud": "https://chat.example/api/" }),
        json!({ "aud": "HTTPS://chat.example/api" }),
        json!({ "aud": CLIENT }),
    ];
    for bad in bad {
        assert!(!good(&bad), "{bad}");
    }
}

#[test]
fn only_the_issuers_signature_counts() {
    let token = sign(PLAIN, &claims(&json!(AUDIENCE), &json!({})).to_string());
    assert!(check(&token, 7, AUDIENCE).is_ok());
    assert!(check(&token, 8, AUDIENCE).is_err(), "another key");
    let (head, signature) = token.rsplit_once('.').expect("three parts");
    let first = if signature.starts_with('A') { "B" } else { "A" };
    let changed = format!("{first}{}", &signature[1..]);
    for forged in [String::new(), signature[..40].to_owned(), format!("{signature}="), changed] {
        assert!(check(&format!("{head}.{forged}"), 7, AUDIENCE).is_err(), "{forged}");
    }
    let twice = format!(
        r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","sub":"a","exp":{},"email":"a","email":"b"}}"#,
        now() + 60
    );
    assert!(check(&sign(PLAIN, &twice), 7, AUDIENCE).is_err(), "a claim stands twice");
    assert!(check(&sign(PLAIN, &twice.replacen(r#","email":"b""#, "", 1)), 7, AUDIENCE).is_ok());
}

#[test]
fn an_identity_token_is_no_access_token() {
    let mine = json!(AUDIENCE);
    // Auth0's, with its userinfo endpoint beside our API.
    let auth0 = json!([AUDIENCE, "https://id.example/userinfo"]);
    assert!(access(PLAIN, &auth0, &json!({ "azp": CLIENT, "scope": "openid email" })));
    assert!(access(r#"{"alg":"EdDSA"}"#, &mine, &json!({})));
    assert!(access(r#"{"alg":"EdDSA","typ":"application/at+jwt"}"#, &mine, &json!({})));
    // Keycloak's.
    assert!(access(PLAIN, &mine, &json!({ "typ": "Bearer", "sid": "x", "azp": CLIENT })));
    for mark in MARKS {
        assert!(!access(PLAIN, &mine, &json!({ mark: "x" })), "{mark}");
    }
    assert!(!access(PLAIN, &mine, &json!({ "typ": "ID" })));
    assert!(!access(PLAIN, &json!([AUDIENCE, CLIENT]), &json!({})), "meant for our client too");
    assert!(access(PLAIN, &json!([AUDIENCE, CLIENT]), &json!({ "scp": ["chat"] })));
    assert!(!access(PLAIN, &mine, &json!({ "azp": AUDIENCE })), "the audience is a client");
    for kind in ["logout+jwt", "id_token+jwt", "dpop+jwt", "secevent+jwt", ""] {
        assert!(!access(&format!(r#"{{"alg":"EdDSA","typ":"{kind}"}}"#), &mine, &json!({})), "{kind}");
    }
}

#[test]
fn only_the_answer_to_our_question_signs_in() {
    let good = |header: &str, audience: &Value, changes: &Value| {
        let mut all = json!({ "nonce": "asked" });
        for (name, value) in changes.as_object().expect("an object") {
            all[name] = value.clone();
        }
        let token = sign(header, &claims(audience, &all).to_string());
        check(&token, 7, CLIENT).and_then(|it| is_identity_token(&it, CLIENT, "asked")).is_ok()
    };
    let mine = json!(CLIENT);
    assert!(good(PLAIN, &mine, &json!({})));
    assert!(good(PLAIN, &json!([CLIENT, "another"]), &json!({ "azp": CLIENT })));
    assert!(!good(PLAIN, &json!([CLIENT, "another"]), &json!({})), "several and none named");
    assert!(!good(PLAIN, &mine, &json!({ "azp": "another" })));
    assert!(!good(PLAIN, &json!(AUDIENCE), &json!({})), "not for the client");
    assert!(!good(PLAIN, &mine, &json!({ "nonce": "other" })));
    assert!(!good(PLAIN, &mine, &json!({ "nonce": null })));
    assert!(!good(PLAIN, &mine, &json!({ "nonce": ["asked"] })));
    assert!(!good(PLAIN, &mine, &json!({ "iat": null })));
    assert!(!good(PLAIN, &mine, &json!({ "iat": now() - 3_600 })), "from long ago");
    assert!(!good(r#"{"alg":"EdDSA","typ":"at+jwt"}"#, &mine, &json!({})), "an access token");
    let token = sign(PLAIN, &claims(&mine, &json!({ "nonce": "" })).to_string());
    let signed = check(&token, 7, CLIENT).expect("a token");
    assert!(is_identity_token(&signed, CLIENT, "").is_err(), "no question at all");
}
