//! The caller of an endpoint: an argument that only a good token yields.

use confab_core::sessions::Device;
use poem::Request;
use poem_openapi::SecurityScheme;
use poem_openapi::auth;

use crate::caller::Caller;
use crate::http::context::Context;
use crate::http::problem::ApiError;
use crate::state::App;

/// An access token, a personal or bot token, or a token of the outside issuer.
#[derive(SecurityScheme)]
#[oai(ty = "bearer", checker = "check")]
pub struct Bearer(pub Caller);

/// The same, also of somebody who has to set up a second factor before anything else.
#[derive(SecurityScheme)]
#[oai(rename = "Bearer", ty = "bearer", checker = "check_entrant")]
pub struct Entrant(pub Caller);

/// Whatever stands in the header, unchecked.
#[derive(SecurityScheme)]
#[oai(rename = "Bearer", ty = "bearer")]
pub struct Unchecked(pub auth::Bearer);

async fn check(request: &Request, bearer: auth::Bearer) -> poem::Result<Caller> {
    let caller = check_entrant(request, bearer).await?;
    caller.has_second_factor().map_err(ApiError::from)?;
    Ok(caller)
}

async fn check_entrant(request: &Request, bearer: auth::Bearer) -> poem::Result<Caller> {
    let app = request
        .data::<App>()
        .ok_or_else(|| poem::Error::from_status(poem::http::StatusCode::UNAUTHORIZED))?;
    // Two of them may be two callers: a proxy in front could have looked at the other one.
    if request.headers().get_all(poem::http::header::AUTHORIZATION).iter().count() > 1 {
        return Err(poem::Error::from_status(poem::http::StatusCode::UNAUTHORIZED));
    }
    let checked = app.tokens.check(&app.db, &bearer.token, device(request)).await;
    let caller = checked.map_err(ApiError::from)?;
    if request.method().is_safe() {
        caller.has_scope("read", |scopes| scopes.read).map_err(ApiError::from)?;
    } else {
        caller.has_scope("write", |scopes| scopes.write).map_err(ApiError::from)?;
        app.limits.write(caller.user_id).map_err(ApiError::from)?;
    }
    Ok(caller)
}

/// Where a call came from.
pub fn device(request: &Request) -> Device {
    Device {
        info: request.header("user-agent").map(str::to_owned),
        ip_address: Some(Context::current().address.to_string()),
    }
}
