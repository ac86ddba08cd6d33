//! Which pages may talk to this server: our own, and those of origins that the operator named exactly.

use poem::Request;
use poem::http::header;

use crate::state::App;

/// Whether a browser's page may open a socket or use the cookie. What is no browser sends no origin.
#[must_use]
pub fn is_allowed(request: &Request, app: &App) -> bool {
    let Some(origin) = request.headers().get(header::ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    if app.settings.allowed_origins.iter().any(|allowed| allowed == origin) {
        return true;
    }
    if let Some(public) = &app.settings.public_url {
        return origin == public;
    }
    let host = request.header(header::HOST).unwrap_or_default();
    !host.is_empty() && origin.split_once("://").is_some_and(|(_, of)| of == host)
}
