//! The person whom a token names.

use confab_core::identities::Claims;
use serde_json::{Map, Value};

use super::verify::Refusal;

/// Longer values are not kept.
const LONGEST_BYTES: usize = 512;

/// Whom the claims name, when they have all those that the settings ask for.
pub fn named(
    issuer: &str,
    claims: &Map<String, Value>,
    required: &[(String, String)],
) -> Result<Claims, Refusal> {
    let subject = claims.get("sub").and_then(Value::as_str).ok_or(Refusal::Defect("nobody's"))?;
    if !required.iter().all(|(name, value)| claims.get(name).is_some_and(|it| is(it, value))) {
        return Err(Refusal::Defect("a required claim is missing"));
    }
    Ok(Claims {
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
        email: line(claims, "email"),
        email_verified: is_verified(claims),
        full_name: line(claims, "name"),
        username: line(claims, "preferred_username").or_else(|| line(claims, "nickname")),
    })
}

/// Fills what is lacking from what the userinfo endpoint said.
pub fn complete(mut claims: Claims, said: &Map<String, Value>) -> Claims {
    // Of somebody else: the token was put in the place of another (OpenID Connect Core, 5.3.2).
    if said.get("sub").and_then(Value::as_str) != Some(claims.subject.as_str()) {
        tracing::debug!("the userinfo endpoint speaks of somebody else");
        return claims;
    }
    // The address and its being verified go together: one's word on another address proves nothing.
    if claims.email.is_none() {
        claims.email = line(said, "email");
        claims.email_verified = is_verified(said);
    }
    claims.full_name = claims.full_name.or_else(|| line(said, "name"));
    let username = || line(said, "preferred_username").or_else(|| line(said, "nickname"));
    claims.username = claims.username.or_else(username);
    claims
}

/// Cognito and others write it as text. Anything else, such as 1 or "yes", vouches for nothing; nor is there anything
/// to vouch for without an address.
fn is_verified(claims: &Map<String, Value>) -> bool {
    let is_true = match claims.get("email_verified") {
        Some(Value::Bool(it)) => *it,
        Some(Value::String(it)) => it == "true",
        _ => false,
    };
    is_true && line(claims, "email").is_some()
}

fn line(claims: &Map<String, Value>, name: &str) -> Option<String> {
    let text = claims.get(name)?.as_str()?.trim();
    let fits = !text.is_empty() && text.len() <= LONGEST_BYTES && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

fn is(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(it) => it == wanted,
        Value::Bool(it) => wanted == if *it { "true" } else { "false" },
        Value::Number(it) => it.to_string().as_str() == wanted,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: &Value) -> Map<String, Value> {
        value.as_object().expect("an object").clone()
    }

    fn of(value: &Value) -> Claims {
        named("https://id.example/", &map(value), &[]).expect("a person")
    }

    #[test]
    fn only_a_plain_yes_vouches_for_an_address() {
        let verified = |value: Value| {
            of(&json!({ "sub": "5", "email": "ada@example.org", "email_verified": value })).email_verified
        };
        assert!(verified(json!(true)));
        assert!(verified(json!("true")));
        for no in
            [json!(false), json!("false"), json!("True"), json!(1), json!("1"), json!([true]), Value::Null]
        {
            assert!(!verified(no.clone()), "{no}");
        }
        assert!(!of(&json!({ "sub": "5", "email": "ada@example.org" })).email_verified, "not said");
        assert!(!of(&json!({ "sub": "5", "email_verified": true })).email_verified, "no address");
    }

    #[test]
    fn what_cannot_be_kept_is_left_out() {
        let claims = of(&json!({ "sub": "5", "email": "a\u{0}@example.org", "name": " Ada ", "nickname": 7,
            "preferred_username": "x".repeat(513) }));
        assert_eq!((claims.email, claims.full_name.as_deref(), claims.username), (None, Some("Ada"), None));
    }

    #[test]
    fn required_claims_are_required() {
        let required =
            [("hd".to_owned(), "example.org".to_owned()), ("member".to_owned(), "true".to_owned())];
        let passes = |value: Value| named("i", &map(&value), &required).is_ok();
        assert!(passes(json!({ "sub": "5", "hd": "example.org", "member": true })));
        assert!(passes(json!({ "sub": "5", "hd": "example.org", "member": "true" })));
        assert!(!passes(json!({ "sub": "5", "hd": "evil.example", "member": true })));
        assert!(!passes(json!({ "sub": "5", "hd": ["example.org"], "member": true })), "one of several");
        assert!(!passes(json!({ "sub": "5", "hd": "example.org" })));
    }

    #[test]
    fn userinfo_fills_gaps_and_nothing_else() {
        let said =
            map(&json!({ "sub": "5", "email": "b@example.org", "email_verified": true, "name": "Bea" }));
        let bare = complete(of(&json!({ "sub": "5" })), &said);
        assert_eq!((bare.email.as_deref(), bare.email_verified), (Some("b@example.org"), true));
        assert_eq!(bare.full_name.as_deref(), Some("Bea"));
        let mine = complete(of(&json!({ "sub": "5", "email": "a@example.org" })), &said);
        assert_eq!(
            (mine.email.as_deref(), mine.email_verified),
            (Some("a@example.org"), false),
            "another address"
        );
        let other = of(&json!({ "sub": "6" }));
        assert_eq!(complete(other.clone(), &said), other, "somebody else");
    }
}
