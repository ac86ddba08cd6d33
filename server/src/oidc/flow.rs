//! The way of a browser to the issuer and back: authorization code with PKCE (OpenID Connect Core 3.1, RFC 9700).

use std::borrow::Cow;

use confab_core::identities::Claims;
use confab_core::{Fault, Result, text};
use oauth2::basic::{
    BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse,
    BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, ExtraTokenFields,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, StandardRevocableToken,
    StandardTokenResponse, TokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};

use super::discovery::Discovery;
use super::egress::Failure;
use super::verify::{self, Refusal};
use super::{Issuer, person, unavailable};

const SCOPES: [&str; 3] = ["openid", "profile", "email"];
/// Longer codes are not sent on.
const LONGEST_CODE_BYTES: usize = 4_096;

/// Where to send a browser, and what must be known when it comes back.
pub struct Begun {
    /// The issuer's page.
    pub url: String,
    /// Comes back in the address.
    pub state: String,
    /// Comes back in the identity token.
    pub nonce: String,
    /// Of PKCE (RFC 7636): whoever catches the code cannot exchange it without.
    pub verifier: String,
}

type Exchange = Client<
    BasicErrorResponse,
    Tokens,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
>;
type Tokens = StandardTokenResponse<Identity, BasicTokenType>;
type ExchangeFault = RequestTokenError<Failure, BasicErrorResponse>;

#[derive(Debug, Deserialize, Serialize)]
struct Identity {
    id_token: Option<String>,
}

impl ExtraTokenFields for Identity {}

impl Issuer {
    /// Where to send the browser, so that it comes back to `redirect_uri`.
    ///
    /// # Errors
    /// [`Fault::Unavailable`] when the issuer's page is not known.
    pub async fn begin(&self, redirect_uri: &str) -> Result<Begun> {
        let discovery = self.provider.discovery().await.ok_or_else(unavailable)?;
        let page = discovery.authorization.clone().ok_or_else(|| {
            tracing::warn!("the identity provider names no page to sign in at");
            unavailable()
        })?;
        let (state, nonce, verifier) = (text::secret(), text::secret(), text::secret());
        let challenge =
            PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.clone()));
        let (url, _) = self
            .exchange(&discovery)?
            .set_auth_uri(AuthUrl::from_url(page))
            .authorize_url(|| CsrfToken::new(state.clone()))
            .set_redirect_uri(Cow::Owned(redirect(redirect_uri)?))
            .add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge)
            .add_extra_param("nonce", nonce.clone())
            .url();
        Ok(Begun { url: url.into(), state, nonce, verifier })
    }

    /// Who came back with this code.
    ///
    /// # Errors
    /// [`Fault::Unauthenticated`] with code `oidc_failed`; [`Fault::Unavailable`] when the issuer does not answer.
    pub async fn finish(
        &self,
        redirect_uri: &str,
        code: &str,
        verifier: &str,
        nonce: &str,
    ) -> Result<Claims> {
        let redirect = redirect(redirect_uri)?;
        let tokens = self.exchanged(redirect, code, verifier).await?;
        let claims = self.identity(&tokens, nonce).await.map_err(refused)?;
        // Many issuers put the address and the name there only.
        Ok(self.complete(tokens.access_token().secret(), claims).await)
    }

    async fn identity(&self, tokens: &Tokens, nonce: &str) -> Result<Claims, Refusal> {
        let client_id = self.settings.client_id.as_deref().ok_or(Refusal::Defect("nobody signs in there"))?;
        let token = tokens.extra_fields().id_token.as_deref();
        let signed = self.signed(token.ok_or(Refusal::Defect("no identity token"))?, client_id).await?;
        verify::is_identity_token(&signed, client_id, nonce)?;
        person::named(self.issuer(), &signed.claims, &self.settings.required_claims)
    }

    async fn exchanged(&self, redirect: RedirectUrl, code: &str, verifier: &str) -> Result<Tokens> {
        if code.is_empty() || code.len() > LONGEST_CODE_BYTES {
            return Err(refused(Refusal::Defect("no code")));
        }
        let discovery = self.provider.discovery().await.ok_or_else(unavailable)?;
        let place = discovery.token.clone().ok_or_else(|| {
            tracing::warn!("the identity provider names no place to exchange codes at");
            unavailable()
        })?;
        self.exchange(&discovery)?
            .set_token_uri(TokenUrl::from_url(place))
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_redirect_uri(Cow::Owned(redirect))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()))
            .request_async(self.provider.egress())
            .await
            .map_err(|error| not_exchanged(&error))
    }

    fn exchange(&self, discovery: &Discovery) -> Result<Exchange> {
        let client_id = self.settings.client_id.clone().ok_or(Fault::NotFound("issuer"))?;
        let client = Exchange::new(ClientId::new(client_id)).set_auth_type(discovery.auth_type.clone());
        let secret = &self.settings.client_secret.0;
        Ok(if secret.is_empty() {
            client
        } else {
            client.set_client_secret(ClientSecret::new(secret.clone()))
        })
    }
}

fn redirect(uri: &str) -> Result<RedirectUrl> {
    RedirectUrl::new(uri.to_owned()).map_err(Fault::internal)
}

fn refused(refusal: Refusal) -> Fault {
    refusal.fault("oidc_failed", "the issuer did not sign you in")
}

fn not_exchanged(error: &ExchangeFault) -> Fault {
    match error {
        RequestTokenError::Request(Failure::Unreachable(why)) => {
            tracing::warn!(why, "the identity provider did not exchange a code");
            unavailable()
        }
        // Ours to mend, not the person's.
        RequestTokenError::ServerResponse(said)
            if matches!(
                said.error(),
                BasicErrorResponseType::InvalidClient | BasicErrorResponseType::UnauthorizedClient
            ) =>
        {
            tracing::warn!(%said, "the identity provider does not know us: check oidc_client_id and its secret");
            refused(Refusal::Defect("the client is not known"))
        }
        error => {
            tracing::debug!(%error, "the identity provider did not exchange a code");
            refused(Refusal::Defect("the code was not exchanged"))
        }
    }
}
