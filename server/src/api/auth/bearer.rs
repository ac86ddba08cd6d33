//! The caller of an endpoint: an argument that only a good token yields.

use confab_core::Fault;
use poem::Request;
use poem_openapi::SecurityScheme;
use poem_openapi::auth;

use crate::http::problem::ApiError;
use crate::state::App;
use crate::tokens::Caller;

/// An access token.
#[derive(SecurityScheme)]
#[oai(ty = "bearer", checker = "check")]
pub struct Bearer(pub Caller);

impl Bearer {
    /// Lets superusers pass.
    ///
    /// # Errors
    /// [`Fault::Forbidden`] with code `superuser_only`.
    pub fn superuser(&self) -> Result<(), Fault> {
        if self.0.is_superuser {
            return Ok(());
        }
        Err(Fault::forbidden("superuser_only", "only a superuser may do this"))
    }
}

async fn check(request: &Request, bearer: auth::Bearer) -> poem::Result<Caller> {
    let app = request
        .data::<App>()
        .ok_or_else(|| poem::Error::from_status(poem::http::StatusCode::UNAUTHORIZED))?;
    let caller = app.tokens.check(&app.db, &bearer.token).await.map_err(ApiError::from)?;
    if !request.method().is_safe() {
        app.limits.write(caller.user_id).map_err(ApiError::from)?;
    }
    Ok(caller)
}
