//! Whether a token is good: signed by the issuer, for us, now, and of the kind that is asked for.

use confab_core::{Fault, text};
use confab_protocol::Timestamp;
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::{Map, Value};

use super::token::{Header, Unique};
use super::unavailable;

/// Clocks may differ by this much.
const LEEWAY_SECONDS: u64 = 30;
/// An identity token comes straight from the issuer; an older one is from another time.
const IDENTITY_LASTS_SECONDS: i64 = 15 * 60;

/// Claims that stand in identity and logout tokens and in no access token.
const MARKS: [&str; 5] = ["nonce", "at_hash", "c_hash", "s_hash", "events"];

/// Why a token does not count.
#[derive(Clone, Copy, Debug)]
pub enum Refusal {
    /// It is not good. The text is for the log: whoever forges tokens must not learn how far they came.
    Defect(&'static str),
    /// Nobody knows: there are no keys to check it with.
    NoKeys,
}

impl Refusal {
    /// In the words of the caller.
    pub fn fault(self, code: &'static str, message: &'static str) -> Fault {
        match self {
            Self::Defect(why) => {
                tracing::debug!(why, "a token of the outside issuer was refused");
                Fault::Unauthenticated { code, message }
            }
            Self::NoKeys => unavailable(),
        }
    }
}

/// A token that the issuer signed for us and that is valid now.
#[derive(Debug)]
pub struct Signed {
    /// See [`Header`].
    pub kind: Option<String>,
    /// What it says.
    pub claims: Map<String, Value>,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Checks what every kind of token has in common.
pub fn signed(
    token: &str,
    header: Header,
    key: &DecodingKey,
    issuer: &str,
    audience: &str,
) -> Result<Signed, Refusal> {
    let mut validation = Validation::new(header.algorithm);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    // By default the crate checks these only when they are there.
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    // By this machine's clock; they are held against the one that all servers go by.
    validation.validate_exp = false;
    let data = jsonwebtoken::decode::<Unique>(token, key, &validation).map_err(|error| {
        tracing::debug!(%error, "a token does not stand");
        Refusal::Defect("signature, time, issuer or audience")
    })?;
    let claims = data.claims.0;
    // The crate lets a list of issuers pass that has ours among others.
    if claims.get("iss").and_then(Value::as_str) != Some(issuer) {
        return Err(Refusal::Defect("another issuer"));
    }
    if claims.get("sub").and_then(Value::as_str).is_none_or(str::is_empty) {
        return Err(Refusal::Defect("nobody's"));
    }
    let is_later = |name: &str| {
        claims
            .get(name)
            .is_some_and(|it| it.as_f64().is_none_or(|at| at > (now() + LEEWAY_SECONDS as i64) as f64))
    };
    if is_later("iat") || is_later("nbf") {
        return Err(Refusal::Defect("from the future"));
    }
    let expires_at = claims.get("exp").and_then(Value::as_i64).and_then(|it| it.checked_mul(1_000));
    let expires_at = expires_at.map(Timestamp).ok_or(Refusal::Defect("an end that is no time"))?;
    if expires_at.0 < (now() - LEEWAY_SECONDS as i64) * 1_000 {
        return Err(Refusal::Defect("over"));
    }
    Ok(Signed { kind: header.kind, claims, expires_at })
}

/// Refuses an identity token: it says to a client who signed in, and every client that a person ever signed in to
/// holds one. Taken for an access token, it would let each of those act as that person here.
///
/// A header type `at+jwt` says plainly what a token is (RFC 9068). Auth0 and others call all of theirs `JWT`; then the
/// audience keeps the two apart, for an identity token is meant for a client and an access token for an API. The
/// claims that only identity tokens have are refused besides. Where the settings name a client as the audience, which
/// makes both look alike, a token must say what it allows (`scope` or `scp`), as identity tokens never do.
pub fn is_access_token(signed: &Signed, audience: &str, client_id: Option<&str>) -> Result<(), Refusal> {
    let claims = &signed.claims;
    match signed.kind.as_deref() {
        Some("at+jwt") => return Ok(()),
        None | Some("jwt") => {}
        Some(_) => return Err(Refusal::Defect("a token of another kind")),
    }
    // Keycloak says it in a claim.
    let is_called_identity = claims.get("typ").and_then(Value::as_str) == Some("ID");
    if is_called_identity || MARKS.iter().any(|mark| claims.contains_key(*mark)) {
        return Err(Refusal::Defect("an identity token"));
    }
    let is_client = |name: &str| claims.get(name).and_then(Value::as_str) == Some(audience);
    let is_for_client = client_id.is_some_and(|client| audiences(claims).contains(&client))
        || is_client("azp")
        || is_client("client_id");
    if is_for_client && !claims.contains_key("scope") && !claims.contains_key("scp") {
        return Err(Refusal::Defect("perhaps an identity token"));
    }
    Ok(())
}

/// Whether this is the identity token that answers our question (OpenID Connect Core, 3.1.3.7). Its audience has been
/// checked.
pub fn is_identity_token(signed: &Signed, client_id: &str, nonce: &str) -> Result<(), Refusal> {
    let claims = &signed.claims;
    if !matches!(signed.kind.as_deref(), None | Some("jwt")) {
        return Err(Refusal::Defect("a token of another kind"));
    }
    // Without it the token of another's sign-in could be put in the place of this one's. Compared as hashes, so that
    // the time that it takes says nothing.
    let said = claims.get("nonce").and_then(Value::as_str).map(text::hash);
    if nonce.is_empty() || said.is_none_or(|said| said != text::hash(nonce)) {
        return Err(Refusal::Defect("an answer to another question"));
    }
    match claims.get("azp") {
        Some(client) if client.as_str() != Some(client_id) => {
            return Err(Refusal::Defect("another client's"));
        }
        None if audiences(claims).len() > 1 => {
            return Err(Refusal::Defect("of several clients, and none named"));
        }
        _ => {}
    }
    let issued_at = claims.get("iat").and_then(Value::as_f64).ok_or(Refusal::Defect("of no time"))?;
    if issued_at < (now() - IDENTITY_LASTS_SECONDS) as f64 {
        return Err(Refusal::Defect("from long ago"));
    }
    Ok(())
}

fn audiences(claims: &Map<String, Value>) -> Vec<&str> {
    match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn now() -> i64 {
    Timestamp::now().0 / 1_000
}

#[cfg(test)]
mod tests;
