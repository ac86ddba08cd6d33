//! The shape of a token, before anything in it is believed.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::verify::Refusal;

/// Longer tokens are refused unread.
const LONGEST_BYTES: usize = 8 * 1024;

/// The one algorithm of each kind of key. Above all neither `none` nor a shared secret: with the public key taken for
/// a secret everybody could sign.
const ALGORITHMS: &[(&str, Algorithm)] =
    &[("RS256", Algorithm::RS256), ("ES256", Algorithm::ES256), ("EdDSA", Algorithm::EdDSA)];

/// What a token says of itself. `jku`, `x5u`, `x5c` and `jwk` are not among it: the key comes from the issuer, never
/// from the token.
#[derive(Debug)]
pub struct Header {
    /// How it is signed.
    pub algorithm: Algorithm,
    /// With which key.
    pub key_id: Option<String>,
    /// Its kind, in lower case and without `application/`.
    pub kind: Option<String>,
}

/// An object in which no name stands twice: of two, one program would read the first and another the last.
#[derive(Debug)]
pub struct Unique(pub Map<String, Value>);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Unique;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object in which no name stands twice")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Unique, A::Error> {
                let mut members = Map::new();
                while let Some((name, value)) = from.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a name stands twice"));
                    }
                }
                Ok(Unique(members))
            }
        }
        from.deserialize_map(Members)
    }
}

/// The `iss` that a token claims, read without trusting it, only to choose who must check it. `None` when it is no
/// token of this kind.
#[must_use]
pub fn claimed_issuer(token: &str) -> Option<String> {
    let [_, claims, _] = parts(token)?;
    match object(claims)?.remove("iss")? {
        Value::String(issuer) => Some(issuer),
        _ => None,
    }
}

/// What a token says of itself.
pub fn header(token: &str) -> Result<Header, Refusal> {
    let defect = Refusal::Defect("no signed token");
    let [header, ..] = parts(token).ok_or(defect)?;
    let mut header = object(header).ok_or(Refusal::Defect("a header that is no object"))?;
    // Whatever it demands, nobody here would do it (RFC 7515, 4.1.11).
    if header.contains_key("crit") {
        return Err(Refusal::Defect("a header with demands"));
    }
    let algorithm = match header.get("alg") {
        Some(Value::String(name)) => ALGORITHMS.iter().find(|(known, _)| known == name),
        _ => None,
    };
    let (_, algorithm) = algorithm.ok_or(Refusal::Defect("another algorithm"))?;
    let mut text = |name: &str| match header.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::Defect("a header of another type")),
    };
    let (key_id, kind) = (text("kid")?, text("typ")?);
    let kind = kind.map(|it| it.to_ascii_lowercase());
    let kind = kind.map(|it| it.strip_prefix("application/").map_or_else(|| it.clone(), str::to_owned));
    Ok(Header { algorithm: *algorithm, key_id, kind })
}

/// Header, claims and signature. An encrypted token has five parts.
fn parts(token: &str) -> Option<[&str; 3]> {
    if token.len() > LONGEST_BYTES {
        return None;
    }
    let mut parts = token.split('.');
    let found = [parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(found)
}

fn object(part: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice::<Unique>(&bytes).ok().map(|it| it.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, claims: &str) -> String {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn headers_that_lead_astray_are_refused() {
        let header = |text: &str| header(&token(text, "{}"));
        let good =
            header(r#"{"alg":"ES256","kid":"a","typ":"Application/AT+JWT","jku":"https://evil.example"}"#);
        let good = good.expect("a header");
        assert_eq!(good.algorithm, Algorithm::ES256);
        assert_eq!((good.key_id.as_deref(), good.kind.as_deref()), (Some("a"), Some("at+jwt")));
        let bad = [
            r#"{"alg":"none"}"#,
            r#"{"alg":"None"}"#,
            r#"{"alg":"nOnE"}"#,
            r#"{"alg":"HS256"}"#,
            r#"{"alg":"RS384"}"#,
            r#"{"alg":"PS256"}"#,
            r#"{"alg":"rs256"}"#,
            r#"{"alg":["RS256"]}"#,
            r#"{"kid":"a"}"#,
            r#"{"alg":"RS256","alg":"RS256"}"#,
            r#"{"alg":"RS256","kid":7}"#,
            r#"{"alg":"RS256","typ":null}"#,
            r#"{"alg":"RS256","crit":["exp"]}"#,
            r#"{"alg":"RS256","crit":null}"#,
            r#"["RS256"]"#,
            "",
        ];
        for bad in bad {
            assert!(header(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn other_shapes_are_no_tokens() {
        let good = token(r#"{"alg":"RS256"}"#, r#"{"iss":"https://id.example/"}"#);
        assert_eq!(claimed_issuer(&good).as_deref(), Some("https://id.example/"));
        let padded = good.replacen('.', "=.", 1);
        let long = token(r#"{"alg":"RS256"}"#, &format!(r#"{{"iss":"a","b":"{}"}}"#, "x".repeat(8_192)));
        for bad in
            [format!("{good}.{good}"), format!("{good}.a.b"), long, "a.b".into(), "...".into(), String::new()]
        {
            assert_eq!(claimed_issuer(&bad), None, "{bad}");
            assert!(header(&bad).is_err(), "{bad}");
        }
        assert!(header(&padded).is_err(), "not the canonical base64");
        assert_eq!(claimed_issuer(&token("{}", r#"{"iss":"a","iss":"b"}"#)), None, "twice");
        assert_eq!(claimed_issuer(&token("{}", r#"{"iss":["a"]}"#)), None, "a list");
        assert_eq!(claimed_issuer(&token("{}", "{}")), None, "none");
    }
}
