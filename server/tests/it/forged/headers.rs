//! Headers that name another algorithm, another key or another kind of token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use super::genuine::{Forged, Genuine, encoded, named, sealed_by, text_of};

/// Whatever can be said in a header.
pub fn all(genuine: &Genuine) -> Vec<Forged> {
    [algorithms(genuine), keys(genuine), references(genuine), kinds(genuine)].concat()
}

fn algorithms(genuine: &Genuine) -> Vec<Forged> {
    let named_as =
        |algorithm: Value| genuine.with_header(|header| drop(header.insert("alg".into(), algorithm)));
    let unsigned = |algorithm: &str| {
        let token = named_as(json!(algorithm));
        let (message, _) = token.rsplit_once('.').unwrap();
        format!("{message}.")
    };
    let really = |name: &str, algorithm: Algorithm| {
        let mut header = genuine.header.clone();
        header.insert("alg".into(), json!(name));
        let message = format!("{}.{}", encoded(&text_of(&header)), encoded(&text_of(&genuine.claims)));
        sealed_by(genuine.key.as_bytes(), &message, algorithm)
    };
    let claims = text_of(&genuine.claims);
    named(
        "alg",
        [
            ("none, unsigned", unsigned("none")),
            ("None, unsigned", unsigned("None")),
            ("nOnE, unsigned", unsigned("nOnE")),
            ("NONE, unsigned", unsigned("NONE")),
            ("HS256, unsigned", unsigned("HS256")),
            ("none, signed", named_as(json!("none"))),
            ("missing", genuine.with_header(|header| drop(header.remove("alg")))),
            ("empty", named_as(json!(""))),
            ("null", named_as(json!(null))),
            ("a list", named_as(json!(["HS256"]))),
            ("in small letters", named_as(json!("hs256"))),
            ("RS256, but an HMAC", named_as(json!("RS256"))),
            ("PS256, but an HMAC", named_as(json!("PS256"))),
            ("ES256, but an HMAC", named_as(json!("ES256"))),
            ("EdDSA, but an HMAC", named_as(json!("EdDSA"))),
            ("HS384, but HS256", named_as(json!("HS384"))),
            ("HS512, but HS256", named_as(json!("HS512"))),
            ("HS384, and really", really("HS384", Algorithm::HS384)),
            ("HS512, and really", really("HS512", Algorithm::HS512)),
            ("twice, none last", genuine.of_texts(r#"{"typ":"at+jwt","alg":"HS256","alg":"none"}"#, &claims)),
            (
                "twice, none first",
                genuine.of_texts(r#"{"typ":"at+jwt","alg":"none","alg":"HS256"}"#, &claims),
            ),
        ],
    )
}

fn keys(genuine: &Genuine) -> Vec<Forged> {
    let by = |key: &[u8]| genuine.with_key(key, |_| ());
    named(
        "key",
        [
            ("another", by(&rand::random::<[u8; 32]>())),
            ("empty", by(b"")),
            ("zeros", by(&[0; 32])),
            ("the word secret", by(b"secret")),
            ("the word of the examples", by(b"your-256-bit-secret")),
            ("our own name", by(b"confab")),
            ("our audience", by(b"confab-api")),
            ("half of the real one", by(&genuine.key.as_bytes()[..16])),
            ("the real one, decoded", by(&URL_SAFE_NO_PAD.decode(&genuine.key).unwrap())),
        ],
    )
}

/// Where a server might be led to the forger's key. Signed with our own key these would be tokens of ours: a header that
/// we do not read changes nothing (RFC 7515 §4), unless it is critical.
fn references(genuine: &Genuine) -> Vec<Forged> {
    let own = b"a key that the forger chose by themselves";
    let led_to = |key: &[u8], name: &str, value: Value| {
        genuine.with_key(key, |header| drop(header.insert(name.into(), value)))
    };
    let critical = |names: Value| {
        genuine.with_header(|header| {
            header.insert("crit".into(), names);
            header.insert("b64".into(), json!(false));
        })
    };
    let jwk = json!({ "kty": "oct", "alg": "HS256", "k": URL_SAFE_NO_PAD.encode(own) });
    let long = "k".repeat(10_000);
    let sql = "x' union select 'known' --";
    named(
        "header",
        [
            ("kid is a path to nothing", led_to(b"", "kid", json!("../../../../dev/null"))),
            (
                "kid is a path to a public file",
                led_to(b"65536\n", "kid", json!("../../proc/sys/kernel/ngroups_max")),
            ),
            ("kid is SQL", led_to(b"known", "kid", json!(sql))),
            ("kid is an address", led_to(own, "kid", json!("http://127.0.0.1:9/key"))),
            ("kid is long", genuine.with_header(|header| drop(header.insert("kid".into(), json!(long))))),
            ("kid is a number", genuine.with_header(|header| drop(header.insert("kid".into(), json!(7))))),
            ("jwk", led_to(own, "jwk", jwk)),
            ("jku", led_to(own, "jku", json!("http://127.0.0.1:9/jwks.json"))),
            ("x5u", led_to(own, "x5u", json!("http://127.0.0.1:9/chain.pem"))),
            ("x5c", led_to(own, "x5c", json!([URL_SAFE_NO_PAD.encode(own)]))),
            ("crit names a claim", critical(json!(["exp"]))),
            ("crit names what nobody knows", critical(json!(["b64"]))),
        ],
    )
}

fn kinds(genuine: &Genuine) -> Vec<Forged> {
    let typ = |value: Value| genuine.with_header(|header| drop(header.insert("typ".into(), value)));
    let claims = text_of(&genuine.claims);
    named(
        "typ",
        [
            ("JWT", typ(json!("JWT"))),
            ("refresh+jwt", typ(json!("refresh+jwt"))),
            ("empty", typ(json!(""))),
            ("a list", typ(json!(["at+jwt"]))),
            ("missing", genuine.with_header(|header| drop(header.remove("typ")))),
            ("no header but a list", genuine.of_texts(r#"["HS256"]"#, &claims)),
            ("no header but an empty one", genuine.of_texts("{}", &claims)),
            ("no header at all", genuine.of_texts("", &claims)),
        ],
    )
}
