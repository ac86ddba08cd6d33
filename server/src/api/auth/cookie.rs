//! The web client's refresh token: in a cookie that no script can read and no other site's page can send.

use poem::Request;
use poem::http::header;
use poem_openapi::payload::{Json, Response};

use super::SignedIn;
use crate::http::origin;
use crate::state::App;

const NAME: &str = "confab_refresh";
const LASTS_SECONDS: u64 = 7 * 86_400;
/// Ties a sign-in at an outside issuer to the browser that began it. Lax: the issuer's page leads back here.
const BINDING: &str = "confab_sign_in";
const BINDING_LASTS_SECONDS: u64 = 15 * 60;

/// Puts the refresh token into a cookie when the client asked for that, or came with one: a token that was out of every
/// script's reach stays there. Otherwise it is in the body.
pub fn answer<T>(
    request: &Request,
    from_cookie: bool,
    wrap: impl FnOnce(Json<SignedIn>) -> T,
    mut signed_in: SignedIn,
) -> Response<T> {
    let wants_cookie = request.header("x-confab-session") == Some("cookie") || from_cookie;
    let secret = if wants_cookie { signed_in.refresh_token.take() } else { None };
    let response = Response::new(wrap(Json(signed_in)));
    match secret {
        Some(secret) => response.header(header::SET_COOKIE, text(&secret, LASTS_SECONDS, is_secure(request))),
        None => response,
    }
}

/// Takes the cookie away.
pub fn cleared<T>(answer: T) -> Response<T> {
    Response::new(answer).header(header::SET_COOKIE, text("", 0, false))
}

/// The refresh token of a sign-in that ends with a page, not with an answer to a script.
pub fn refresh(app: &App, request: &Request, secret: &str) -> String {
    text(secret, LASTS_SECONDS, is_secure(request) || is_public_secure(app))
}

/// Begins a sign-in at an outside issuer in this browser.
pub fn binding(request: &Request, app: &App, secret: &str) -> String {
    let secure = is_secure(request) || is_public_secure(app);
    bound(secret, BINDING_LASTS_SECONDS, secure)
}

/// Ends it.
pub fn unbound(app: &App) -> String {
    bound("", 0, is_public_secure(app))
}

fn bound(secret: &str, lasts_seconds: u64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!(
        "{BINDING}={secret}; Path=/api/v1/auth/oidc; Max-Age={lasts_seconds}; HttpOnly; SameSite=Lax{secure}"
    )
}

/// What began it in this browser.
pub fn read_binding(request: &Request) -> Option<String> {
    named(request, BINDING)
}

fn is_public_secure(app: &App) -> bool {
    app.public_url().starts_with("https://")
}

fn named(request: &Request, name: &str) -> Option<String> {
    request
        .headers()
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
        .filter(|token| !token.is_empty())
}

/// Whether a refresh token came in a cookie, from whichever page.
pub fn is_there(request: &Request) -> bool {
    named(request, NAME).is_some()
}

/// The cookie's token, if a page of ours sent it: SameSite stops other sites, the origin other hosts of ours.
pub fn read(request: &Request, app: &App) -> Option<String> {
    if !origin::is_allowed(request, app) {
        return None;
    }
    named(request, NAME)
}

fn is_secure(request: &Request) -> bool {
    request.header(header::ORIGIN).is_some_and(|origin| origin.starts_with("https://"))
}

fn text(secret: &str, lasts_seconds: u64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{NAME}={secret}; Path=/api/v1/auth; Max-Age={lasts_seconds}; HttpOnly; SameSite=Strict{secure}")
}
