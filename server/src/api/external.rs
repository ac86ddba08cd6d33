//! Signing in at an outside issuer, and its tokens.

mod browser;

use confab_core::identities::{self, Claims};
use confab_core::sessions::{self, Method};
use confab_core::{Fault, FutureExt, Result, sign_in, users};
use confab_protocol::{Timestamp, User, UserId};
use poem::Request;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::{Json, Response};
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use super::auth::bearer::{self, Unchecked};
use super::auth::{Bearer, Done, cookie};
use super::strict::Text;
use super::{Answer, Area, app};
use browser::{admit, begin, finish};

use crate::http::context::Context;
use crate::oidc::{self, Issuer};
use crate::state::App;

#[derive(Debug, Object)]
struct IdentitySync {
    /// The secret of an invitation, where registration asks for one.
    invitation: Option<Text>,
}

/// What a token says.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct Verification {
    valid: bool,
    issuer: String,
    /// Who it is to the issuer.
    subject: String,
    /// The account, when the identity has one here.
    user_id: Option<UserId>,
    expires_at: Timestamp,
}

/// An outside identity of one's own account.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct IdentityView {
    id: Uuid,
    issuer: String,
    subject: String,
    email: Option<String>,
    created_at: Timestamp,
    last_used_at: Timestamp,
}

#[derive(Object)]
struct IdentityList {
    items: Vec<IdentityView>,
}

#[derive(Debug, Object)]
struct IdentityLink {
    /// Asked for where the account has a password: an identity is a way in that stays.
    current_password: Option<Text>,
    /// A page of the web client to show afterwards.
    return_to: Option<Text>,
}

#[derive(Object)]
struct SignInAddress {
    /// Where the browser must go.
    url: String,
}

#[derive(ApiResponse)]
enum Redirect {
    /// Go there.
    #[oai(status = 302)]
    Found(#[oai(header = "Location")] String),
}

pub struct External(pub Option<App>);

#[OpenApi(tag = "Area::Auth")]
impl External {
    /// Copies what a token of the outside issuer says of its person into their account here, which is made where
    /// registration allows it. From then on the token is accepted by every call.
    #[oai(path = "/auth/sync", method = "post")]
    async fn sync(
        &self,
        request: &Request,
        token: Unchecked,
        body: Json<IdentitySync>,
    ) -> Answer<Json<User>> {
        let app = app(&self.0)?;
        let token = token.0.token;
        let outside = issuer_of(app, &token)?;
        let verified = outside.verify_access_token(&token).await?;
        let claims = outside.complete(&token, verified.claims).await;
        let invitation = body.0.invitation.map(|it| it.0).filter(|it| !it.is_empty());
        let user = admit(app, request, claims, invitation).await?;
        let device = bearer::device(request);
        let begun = app.tokens.begin_outside(&app.db, user.id, device, &verified.key, verified.expires_at);
        // A token whose session was revoked is not brought back by syncing it again.
        sessions::live(&mut app.db.read(), begun.await?).await?;
        Ok(Json(users::own(&mut app.db.read(), user.id, Method::External).await?))
    }

    /// Checks a token and says whose it is: ours or the outside issuer's.
    #[oai(path = "/auth/verify", method = "get")]
    async fn verify(&self, request: &Request, token: Unchecked) -> Answer<Json<Verification>> {
        let app = app(&self.0)?;
        let token = token.0.token;
        if let Ok(outside) = issuer_of(app, &token) {
            let verified = outside.verify_access_token(&token).await?;
            // A good signature is not all: its session may have been revoked, its person disabled.
            if let Some(session) = sessions::of_external(&mut app.db.read(), &verified.key).await? {
                sessions::live(&mut app.db.read(), session).await?;
            }
            let Claims { issuer, subject, .. } = verified.claims;
            let user_id = identities::user_of(&mut app.db.read(), &issuer, &subject).await?;
            if let Some(user) = user_id
                && !users::find(&mut app.db.read(), user).await?.is_active
            {
                return Err(Fault::Unauthenticated {
                    code: "invalid_token",
                    message: "this account is disabled",
                }
                .into());
            }
            let expires_at = verified.expires_at;
            return Ok(Json(Verification { valid: true, issuer, subject, user_id, expires_at }));
        }
        let caller = app.tokens.check(&app.db, &token, bearer::device(request)).await?;
        Ok(Json(Verification {
            valid: true,
            issuer: "confab".into(),
            subject: caller.user_id.to_string(),
            user_id: Some(caller.user_id),
            expires_at: caller.expires_at,
        }))
    }

    /// Sends the browser to the outside issuer (authorization code with PKCE). It comes back to `return_to`, signed in.
    #[oai(path = "/auth/oidc/start", method = "get")]
    async fn start(
        &self,
        request: &Request,
        return_to: Query<Option<String>>,
        invitation: Query<Option<String>>,
    ) -> Answer<Response<Redirect>> {
        let app = app(&self.0)?;
        app.limits.begin_outside(&app.db, Context::current().address).await?;
        let invitation = invitation.0.filter(|it| !it.is_empty() && it.len() <= 200);
        let (url, binding) = begin(app, return_to.0, invitation, None).await?;
        let cookie = cookie::binding(request, app, &binding);
        Ok(Response::new(Redirect::Found(url)).header("set-cookie", cookie))
    }

    /// Where the outside issuer sends the browser back to.
    #[oai(path = "/auth/oidc/callback", method = "get")]
    async fn callback(
        &self,
        request: &Request,
        code: Query<Option<String>>,
        state: Query<Option<String>>,
    ) -> Answer<Response<Redirect>> {
        let app = app(&self.0)?;
        let finished = finish(app, request, code.0, state.0).await;
        // A person looks at this answer: it leads to a page that says what went wrong.
        let (place, refresh) = match finished {
            Ok((place, refresh)) => (place, refresh),
            Err(fault) => {
                tracing::info!(%fault, "a sign-in at the outside issuer failed");
                let code = match fault.code() {
                    code @ ("registration_closed"
                    | "account_disabled"
                    | "email_not_verified"
                    | "identity_taken") => code,
                    "name_taken" => "email_taken",
                    _ => "oidc_failed",
                };
                (format!("/login?error={code}"), None)
            }
        };
        let answer = Response::new(Redirect::Found(place)).header("set-cookie", cookie::unbound(app));
        Ok(match refresh {
            Some(secret) => answer.header("set-cookie", cookie::refresh(app, request, &secret)),
            None => answer,
        })
    }

    /// The outside identities of one's own account.
    #[oai(path = "/auth/identities", method = "get")]
    async fn identities(&self, caller: Bearer) -> Answer<Json<IdentityList>> {
        caller.0.in_person()?;
        let found = identities::list(&mut app(&self.0)?.db.read(), caller.0.user_id).await?;
        let items = found
            .into_iter()
            .map(|it| IdentityView {
                id: it.id,
                issuer: it.issuer,
                subject: it.subject,
                email: it.email,
                created_at: it.created_at,
                last_used_at: it.last_used_at,
            })
            .collect();
        Ok(Json(IdentityList { items }))
    }

    /// Begins to link an outside identity to one's own account: the browser must go to the answered address.
    #[oai(path = "/auth/identities", method = "post")]
    async fn link(
        &self,
        request: &Request,
        caller: Bearer,
        body: Json<IdentityLink>,
    ) -> Answer<Response<Json<SignInAddress>>> {
        let app = app(&self.0)?;
        caller.0.in_person()?;
        let user = caller.0.user_id;
        if users::credentials_of(&mut app.db.read(), user).await?.password_hash.is_some() {
            let password = body.0.current_password.map(|it| it.0).unwrap_or_default();
            let is_limited = app.limits.is_on();
            sign_in::prove_password(&app.db, user, password, "current_password", is_limited).await?;
        }
        let return_to = body.0.return_to.map(|it| it.0);
        let (url, binding) =
            begin(app, return_to, None, Some((caller.0.user_id, caller.0.session_id))).await?;
        let cookie = cookie::binding(request, app, &binding);
        Ok(Response::new(Json(SignInAddress { url })).header("set-cookie", cookie))
    }

    /// Takes an outside identity from one's own account.
    #[oai(path = "/auth/identities/:id", method = "delete")]
    async fn unlink(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        caller.0.in_person()?;
        let (by, user) = (caller.0.actor(), caller.0.user_id);
        app(&self.0)?
            .db
            .write(move |tx| async move { identities::unlink(tx, &by, user, id.0).await }.boxed())
            .await?;
        Ok(Done::NoContent)
    }
}

/// The outside issuer, when the token says to be its.
fn issuer_of<'a>(app: &'a App, token: &str) -> Result<&'a Issuer> {
    let refused =
        Fault::Unauthenticated { code: "invalid_token", message: "this is no token of an issuer known here" };
    let outside = app.outside.as_deref().filter(|it| it.accepts_tokens());
    match outside {
        Some(outside) if oidc::claimed_issuer(token).as_deref() == Some(outside.issuer()) => Ok(outside),
        _ => Err(refused),
    }
}
