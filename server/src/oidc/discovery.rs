//! What the issuer publishes of itself (OpenID Connect Discovery 1.0).

use oauth2::AuthType;
use serde::Deserialize;
use url::Url;

use super::egress::{Egress, Failure};

/// The issuer's addresses, each checked.
pub struct Discovery {
    /// Where its keys are.
    pub keys: Url,
    /// Where browsers are sent.
    pub authorization: Option<Url>,
    /// Where codes are exchanged.
    pub token: Option<Url>,
    /// Where it says more of a person.
    pub userinfo: Option<Url>,
    /// How we prove there who we are.
    pub auth_type: AuthType,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

impl Discovery {
    /// Asks the issuer.
    pub async fn fetch(egress: &Egress, issuer: &str) -> Result<Self, Failure> {
        let place =
            format!("{}/.well-known/openid-configuration", issuer.strip_suffix('/').unwrap_or(issuer));
        let refused = || Failure::Refused(format!("{place} may not be asked"));
        let document = egress.get(&egress.admitted(&place).ok_or_else(refused)?, None).await?;
        Self::of(document, egress, issuer)
    }

    fn of(document: Document, egress: &Egress, issuer: &str) -> Result<Self, Failure> {
        // Exactly ours: a document of another issuer would bring that one's keys (the mix-up attack).
        if document.issuer != issuer {
            let why = format!("the issuer calls itself {:?}, not {issuer:?}", document.issuer);
            return Err(Failure::Refused(why));
        }
        let admitted = |address: &str| {
            let refused = || Failure::Refused(format!("{issuer} names {address:?}, which may not be asked"));
            egress.admitted(address).ok_or_else(refused)
        };
        let optional = |address: Option<String>| address.as_deref().map(admitted).transpose();
        // Absent means client_secret_basic; only who does not offer that gets the secret in the body.
        let methods = document.token_endpoint_auth_methods_supported.unwrap_or_default();
        let offers = |method: &str| methods.iter().any(|it| it == method);
        let is_in_body = offers("client_secret_post") && !offers("client_secret_basic");
        Ok(Self {
            keys: admitted(&document.jwks_uri)?,
            authorization: optional(document.authorization_endpoint)?,
            token: optional(document.token_endpoint)?,
            userinfo: optional(document.userinfo_endpoint)?,
            auth_type: if is_in_body { AuthType::RequestBody } else { AuthType::BasicAuth },
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(document: Value, issuer: &str) -> Option<Discovery> {
        let egress = Egress::new(issuer.starts_with("http:")).expect("a client");
        let document = serde_json::from_value(document).ok()?;
        Discovery::of(document, &egress, issuer).ok()
    }

    #[test]
    fn only_the_issuers_own_document_counts() {
        let document = |issuer: &str, keys: &str| json!({ "issuer": issuer, "jwks_uri": keys });
        let local = "http://127.0.0.1:9";
        assert!(of(document(local, "http://127.0.0.1:9/jwks"), local).is_some());
        assert!(of(document(local, "https://keys.example/jwks"), local).is_some());
        assert!(of(document("http://127.0.0.1:9/", "http://127.0.0.1:9/jwks"), local).is_none(), "a slash");
        assert!(of(document("http://127.0.0.1:90", "http://127.0.0.1:9/jwks"), local).is_none(), "another");
        assert!(of(document(local, "http://keys.example/jwks"), local).is_none(), "keys without TLS");
        assert!(of(json!({ "issuer": local }), local).is_none(), "no keys");
    }

    #[test]
    fn the_secret_travels_as_the_issuer_wishes() {
        let issuer = "http://127.0.0.1:9";
        let auth_type = |methods: Value| {
            let document = json!({ "issuer": issuer, "jwks_uri": "http://127.0.0.1:9/jwks",
                "token_endpoint_auth_methods_supported": methods });
            of(document, issuer).map(|it| it.auth_type)
        };
        assert!(matches!(auth_type(Value::Null), Some(AuthType::BasicAuth)));
        assert!(matches!(auth_type(json!(["client_secret_post"])), Some(AuthType::RequestBody)));
        let both = json!(["client_secret_post", "client_secret_basic"]);
        assert!(matches!(auth_type(both), Some(AuthType::BasicAuth)));
    }
}
