//! Claims that the server never made, signed as if it had.

use serde_json::{Value, json};

use super::genuine::{Forged, Genuine, named, text_of};

/// Others' ids, and what became of sessions.
pub struct Ids {
    /// Somebody else.
    pub stranger: String,
    /// Somebody else's live session.
    pub stranger_session: String,
    /// The same person's session that has ended.
    pub ended_session: String,
    /// The same person's personal token, which stands on a session of its own.
    pub api_token: String,
}

/// Whatever can be said in claims.
pub fn all(genuine: &Genuine, ids: &Ids) -> Vec<Forged> {
    [audiences(genuine), issuers(genuine), times(genuine), holders(genuine, ids), shapes(genuine, ids)]
        .concat()
}

fn with(genuine: &Genuine, name: &str, value: Value) -> String {
    genuine.with_claims(|claims| drop(claims.insert(name.into(), value)))
}

fn without(genuine: &Genuine, name: &str) -> String {
    genuine.with_claims(|claims| drop(claims.remove(name).unwrap()))
}

fn audiences(genuine: &Genuine) -> Vec<Forged> {
    let aud = |value: Value| with(genuine, "aud", value);
    named(
        "aud",
        [
            ("a list of the right one", aud(json!(["confab-api"]))),
            ("a list with the right one", aud(json!(["other", "confab-api"]))),
            ("missing", without(genuine, "aud")),
            ("null", aud(json!(null))),
            ("empty", aud(json!(""))),
            ("its beginning", aud(json!("confab-ap"))),
            ("longer", aud(json!("confab-api2"))),
            ("in capitals", aud(json!("CONFAB-API"))),
        ],
    )
}

fn issuers(genuine: &Genuine) -> Vec<Forged> {
    let iss = |value: Value| with(genuine, "iss", value);
    named(
        "iss",
        [
            ("with a slash", iss(json!("confab/"))),
            ("missing", without(genuine, "iss")),
            ("null", iss(json!(null))),
            ("empty", iss(json!(""))),
            ("another", iss(json!("https://issuer.example.org"))),
            ("in capitals", iss(json!("CONFAB"))),
            ("a list", iss(json!(["confab"]))),
        ],
    )
}

fn times(genuine: &Genuine) -> Vec<Forged> {
    let now = genuine.claims["iat"].as_i64().unwrap();
    let exp = |value: Value| with(genuine, "exp", value);
    // Half an hour ago all of it was genuine. 31 seconds is one beyond the leeway for clocks that differ.
    let ended = genuine.with_claims(|claims| {
        for (name, at) in [("iat", now - 1_831), ("nbf", now - 1_831), ("exp", now - 31)] {
            claims.insert(name.into(), json!(at));
        }
    });
    named(
        "time",
        [
            ("exp is missing", without(genuine, "exp")),
            ("exp is null", exp(json!(null))),
            ("exp is past by more than the leeway", ended),
            ("exp is zero", exp(json!(0))),
            ("exp is negative", exp(json!(-1))),
            ("exp is a fraction", exp(json!(now as f64 + 600.5))),
            ("exp is a text", exp(json!((now + 600).to_string()))),
            ("exp is the last second of all", exp(json!(i64::MAX))),
            ("exp is beyond that", exp(json!(u64::MAX))),
            ("exp is beyond everything", exp(json!(1e300))),
            ("nbf is to come", with(genuine, "nbf", json!(now + 3_600))),
            ("nbf is missing", without(genuine, "nbf")),
            ("nbf is a text", with(genuine, "nbf", json!(now.to_string()))),
            ("iat is to come", with(genuine, "iat", json!(now + 3_600))),
            ("iat is missing", without(genuine, "iat")),
            ("iat is a fraction", with(genuine, "iat", json!(now as f64 + 0.5))),
        ],
    )
}

fn holders(genuine: &Genuine, ids: &Ids) -> Vec<Forged> {
    let sub = |value: Value| with(genuine, "sub", value);
    let sid = |value: Value| with(genuine, "sid", value);
    named(
        "holder",
        [
            ("sub is empty", sub(json!(""))),
            ("sub is missing", without(genuine, "sub")),
            ("sub is a number", sub(json!(1))),
            ("sub is a list", sub(json!([genuine.claims["sub"]]))),
            ("sub is a name", sub(json!("warden"))),
            ("sub is somebody else", sub(json!(ids.stranger))),
            ("sid is missing", without(genuine, "sid")),
            ("sid is empty", sid(json!(""))),
            ("sid is no id", sid(json!("' or true --"))),
            ("sid was never given", sid(json!("00000000-0000-0000-0000-000000000000"))),
            ("sid has ended", sid(json!(ids.ended_session))),
            ("sid is somebody else's", sid(json!(ids.stranger_session))),
            ("sid is a personal token", sid(json!(ids.api_token))),
            ("jti is missing", without(genuine, "jti")),
            ("jti is no id", with(genuine, "jti", json!("x"))),
        ],
    )
}

fn shapes(genuine: &Genuine, ids: &Ids) -> Vec<Forged> {
    let header = text_of(&genuine.header);
    let claims = text_of(&genuine.claims);
    let inner = claims.trim_start_matches('{').trim_end_matches('}');
    let of = |text: String| genuine.of_texts(&header, &text);
    let stranger = &ids.stranger;
    named(
        "claims",
        [
            ("one more than there are", with(genuine, "is_superuser", json!(true))),
            ("a scope", with(genuine, "scope", json!("admin"))),
            ("two subjects, the stranger first", of(format!(r#"{{"sub":"{stranger}",{inner}}}"#))),
            ("two subjects, the stranger last", of(format!(r#"{{{inner},"sub":"{stranger}"}}"#))),
            ("two ends", of(format!(r#"{{{inner},"exp":9999999999}}"#))),
            ("in a list", of(format!("[{claims}]"))),
            ("twice", of(format!("{claims}{claims}"))),
            ("with a byte order mark", of(format!("\u{FEFF}{claims}"))),
            ("none", of(String::new())),
            ("no object", of("true".to_owned())),
            ("nested beyond reason", of("[".repeat(4_000))),
        ],
    )
}
