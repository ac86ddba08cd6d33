//! The outside issuer: what it publishes, whether a token is its, and how people sign in there.
//!
//! The crate `openidconnect` is not used: it brings `rsa` (banned in deny.toml, RUSTSEC-2023-0071).
//!
//! In reading order: [`egress`] is the only way out; [`cached`] keeps what came in; [`discovery`] and [`keys`] are what
//! the issuer says of itself, together the [`provider`]; [`token`] is the shape of a token, [`verify`] whether it is
//! good, [`person`] whom it names; [`flow`] is the way of a browser there and back.

mod cached;
mod discovery;
mod egress;
mod flow;
mod keys;
mod person;
mod provider;
mod token;
mod verify;

use confab_core::config::Oidc;
use confab_core::identities::Claims;
use confab_core::{Fault, Result, text};
use confab_protocol::Timestamp;
use url::{Host, Url};

pub use flow::Begun;
pub use token::claimed_issuer;

use egress::Egress;
use provider::Provider;
use token::Unique;
use verify::{Refusal, Signed};

/// An outside issuer whose word counts.
pub struct Issuer {
    settings: Oidc,
    provider: Provider,
}

/// A token that is good.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Whom it names.
    pub claims: Claims,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Stands for the token where it must be remembered: a list of tokens would be a list of keys.
    pub key: String,
}

/// The issuer has not answered, and nothing that it said before is of use any more.
fn unavailable() -> Fault {
    Fault::Unavailable("the identity provider")
}

impl Issuer {
    /// Prepares everything and asks nobody: a server must start while its issuer does not answer.
    ///
    /// # Errors
    /// [`Fault::Invalid`] when the issuer is no address that can be asked safely.
    pub fn new(settings: &Oidc) -> Result<Self> {
        let is_local = check(&settings.issuer)?;
        let egress = Egress::new(is_local)?;
        Ok(Self { settings: settings.clone(), provider: Provider::new(&settings.issuer, egress) })
    }

    /// The issuer, exactly as in its tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// People can sign in there with the browser.
    #[must_use]
    pub fn can_sign_in(&self) -> bool {
        self.settings.client_id.is_some()
    }

    /// Its access tokens are accepted.
    #[must_use]
    pub fn accepts_tokens(&self) -> bool {
        self.settings.audience.is_some()
    }

    /// Whose access token this is, when it is one for our audience.
    ///
    /// # Errors
    /// [`Fault::Unauthenticated`] with code `invalid_token`, for all defects alike; [`Fault::Unavailable`] when no keys
    /// could be had.
    pub async fn verify_access_token(&self, token: &str) -> Result<Verified> {
        let found = self.access_token(token).await;
        let (claims, expires_at) = found.map_err(|refusal| {
            refusal.fault("invalid_token", "the access token is missing, wrong or expired")
        })?;
        Ok(Verified { claims, expires_at, key: text::hash(token) })
    }

    /// The claims, and what the issuer's userinfo endpoint says of an address or a name that they lack. Where it says
    /// nothing, or speaks of somebody else, they stay as they are.
    pub async fn complete(&self, token: &str, claims: Claims) -> Claims {
        if claims.email.is_some() && claims.full_name.is_some() {
            return claims;
        }
        let discovery = self.provider.discovery().await;
        let Some(endpoint) = discovery.as_ref().and_then(|it| it.userinfo.as_ref()) else { return claims };
        match self.provider.egress().get::<Unique>(endpoint, Some(token)).await {
            Ok(said) => person::complete(claims, &said.0),
            Err(failure) => {
                tracing::debug!(%failure, "the userinfo endpoint said nothing of use");
                claims
            }
        }
    }

    async fn access_token(&self, token: &str) -> Result<(Claims, Timestamp), Refusal> {
        let settings = &self.settings;
        let audience =
            settings.audience.as_deref().ok_or(Refusal::Defect("no access tokens are accepted"))?;
        let signed = self.signed(token, audience).await?;
        verify::is_access_token(&signed, audience, settings.client_id.as_deref())?;
        let claims = person::named(self.issuer(), &signed.claims, &settings.required_claims)?;
        Ok((claims, signed.expires_at))
    }

    /// A token that this issuer signed for `audience`, of whatever kind.
    async fn signed(&self, token: &str, audience: &str) -> Result<Signed, Refusal> {
        let header = token::header(token)?;
        let key = self.provider.key(header.key_id.as_deref(), header.algorithm).await?;
        verify::signed(token, header, &key, self.issuer(), audience)
    }
}

/// Whether the issuer is on this machine and spoken to without TLS.
fn check(issuer: &str) -> Result<bool> {
    let refused = |why: &str| Fault::invalid("oidc_issuer", format!("{issuer:?} {why}"));
    let url = Url::parse(issuer).map_err(|_| refused("is no address"))?;
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err(refused("must have no query, fragment or user name"));
    }
    match url.scheme() {
        "https" => Ok(false),
        "http" if is_loopback(&url) => Ok(true),
        _ => Err(refused("must begin with https://")),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn only_this_machine_is_asked_without_tls() {
        for local in ["http://127.0.0.1:8080", "http://localhost:1/realm/a", "http://[::1]:9/"] {
            assert!(check(local).expect(local), "{local}");
        }
        assert!(!check("https://id.example/").expect("an issuer"));
        let bad = [
            "http://id.example",
            // Begins like this machine and is another.
            "http://127.0.0.1:80@id.example/",
            "https://id.example/?a=b",
            "https://id.example/#a",
            "ftp://127.0.0.1/",
            "id.example",
        ];
        for bad in bad {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
