//! The way of a browser to the outside issuer and back, and who may come in by it.

use confab_core::audit::Actor;
use confab_core::identities::{self, Attempt, Claims};
use confab_core::registrations::{self, Cost};
use confab_core::sessions::{self, Method};
use confab_core::{Fault, FutureExt, Result, text};
use confab_protocol::{SessionId, User, UserId};
use poem::Request;

use crate::api::auth::{bearer, cookie};
use crate::state::App;

/// Where the issuer sends the browser back to.
const CALLBACK: &str = "/api/v1/auth/oidc/callback";

/// Finds or makes the account of verified claims, at the cost of an invitation where one is asked for.
pub(super) async fn admit(
    app: &App,
    request: &Request,
    claims: Claims,
    invitation: Option<String>,
) -> Result<User> {
    let by = Actor::stranger(bearer::device(request).ip_address);
    let is_open = app.settings.oidc.as_ref().is_some_and(|it| it.is_open);
    // Only an address that the issuer vouches for opens a door that depends on it.
    let email = claims.email.clone().filter(|_| claims.email_verified).unwrap_or_default();
    let mode = &app.settings.registration;
    let cost = if is_open { Ok(Cost::Nothing) } else { registrations::ask(mode, &email, invitation) };
    app.db.write(move |tx| async move { identities::sync(tx, &by, claims, cost).await }.boxed()).await
}

/// Where the browser must go, and the secret that ties its way to it.
pub(super) async fn begin(
    app: &App,
    return_to: Option<String>,
    invitation: Option<String>,
    linked: Option<(UserId, SessionId)>,
) -> Result<(String, String)> {
    let outside = app.outside.as_deref().filter(|it| it.can_sign_in()).ok_or(Fault::NotFound("issuer"))?;
    let begun = outside.begin(&callback(app)).await?;
    let binding = text::secret();
    let attempt = Attempt {
        nonce: begun.nonce,
        verifier: begun.verifier,
        return_to: page_of(return_to),
        invitation,
        user_id: linked.map(|it| it.0),
        session_id: linked.map(|it| it.1),
    };
    let (state, kept) = (begun.state, binding.clone());
    app.db
        .write(move |tx| async move { identities::begin(tx, &state, &kept, attempt).await }.boxed())
        .await?;
    Ok((begun.url, binding))
}

fn callback(app: &App) -> String {
    format!("{}{CALLBACK}", app.public_url())
}

/// A path of ours: an address with a host in it would make us a stepping stone to somebody else's page.
fn page_of(wished: Option<String>) -> String {
    let fits = |path: &String| {
        path.starts_with('/')
            && !path.starts_with("//")
            && path.len() <= 1_000
            && path.bytes().all(|it| it.is_ascii_graphic() && it != b'\\')
    };
    wished.filter(fits).unwrap_or_else(|| "/".into())
}

/// Who came back, and what their browser gets: the page to show and a refresh token where they signed in.
pub(super) async fn finish(
    app: &App,
    request: &Request,
    code: Option<String>,
    state: Option<String>,
) -> Result<(String, Option<String>)> {
    let outside = app.outside.as_deref().ok_or(Fault::NotFound("issuer"))?;
    let binding = cookie::read_binding(request).ok_or(Fault::NotFound("sign-in attempt"))?;
    let state = state.ok_or(Fault::NotFound("sign-in attempt"))?;
    let attempt: Attempt =
        app.db.write(move |tx| async move { identities::take(tx, &state, &binding).await }.boxed()).await?;
    let refused = Fault::Unauthenticated { code: "oidc_failed", message: "the issuer did not sign you in" };
    let code = code.ok_or(refused)?;
    let claims = outside.finish(&callback(app), &code, &attempt.verifier, &attempt.nonce).await?;
    if let (Some(user), Some(session)) = (attempt.user_id, attempt.session_id) {
        sessions::live(&mut app.db.read(), session).await?;
        let by = Actor::user(user, None, bearer::device(request).ip_address);
        app.db.write(move |tx| async move { identities::link(tx, &by, user, &claims).await }.boxed()).await?;
        return Ok((attempt.return_to, None));
    }
    let user = admit(app, request, claims, attempt.invitation).await?;
    let device = bearer::device(request);
    let started = app
        .db
        .write(move |tx| async move { sessions::start(tx, user.id, device, Method::External).await }.boxed())
        .await?;
    Ok((attempt.return_to, Some(started.refresh_token)))
}

#[cfg(test)]
mod tests {
    use super::page_of;

    #[test]
    fn only_paths_of_ours_are_returned_to() {
        let page = |text: &str| page_of(Some(text.to_owned()));
        assert_eq!(page("/channels/5?seq=3"), "/channels/5?seq=3");
        for bad in [
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "",
            "javascript:alert(1)",
            "/a\r\nb",
        ] {
            assert_eq!(page(bad), "/", "{bad}");
        }
    }
}
