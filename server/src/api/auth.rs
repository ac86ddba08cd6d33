//! Signing in and out, and one's own account.

pub(super) mod bearer;
pub(super) mod cookie;

pub use bearer::{Bearer, Entrant};

use bearer::Unchecked;
use confab_core::sessions::{self, Refreshed, Started};
use confab_core::users::{self, Profile};
use confab_core::{Fault, FutureExt, Result, sign_in};
use confab_protocol::User;
use poem::Request;
use poem_openapi::param::Query;
use poem_openapi::payload::{Json, Response};
use poem_openapi::{ApiResponse, Object, OpenApi};

use super::registration::create_at_login;
use super::strict::Text;
use super::{Answer, Area, app};
use crate::http::context::Context;
use crate::limits::Account;
use crate::state::App;
use crate::tokens;

#[derive(Debug, Object)]
struct Login {
    /// User name or e-mail address.
    username: Text,
    password: Text,
    /// Of the second factor, or a recovery code; asked for with `two_factor_required`.
    code: Option<Text>,
}

#[derive(Debug, Object)]
struct Refresh {
    /// Absent: the browser's cookie is used.
    refresh_token: Option<Text>,
}

/// A signed-in user with tokens.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct SignedIn {
    user: User,
    access_token: String,
    /// Absent when it went into a cookie that no script can read.
    pub(super) refresh_token: Option<String>,
    token_type: String,
    /// In seconds.
    expires_in: u64,
}

#[derive(ApiResponse)]
pub(super) enum Done {
    /// Done; there is nothing to say.
    #[oai(status = 204)]
    NoContent,
}

/// Absent fields stay as they are.
#[derive(Debug, Object)]
pub(super) struct ProfileChange {
    full_name: Option<Text>,
    bio: Option<Text>,
    username: Option<Text>,
    /// Needs `current_password`, where the account has one.
    email: Option<Text>,
    current_password: Option<Text>,
}

pub struct Auth(pub Option<App>);

#[OpenApi(tag = "Area::Auth")]
impl Auth {
    /// Signs in with a password. Where a second factor is set up, the answer to the right password without `code` is 401
    /// with `two_factor_required`.
    #[oai(path = "/auth/login", method = "post")]
    async fn login(&self, request: &Request, body: Json<Login>) -> Answer<Response<Json<SignedIn>>> {
        let app = app(&self.0)?;
        let Login { username, password, code } = body.0;
        let (login, address) = (username.0, Context::current().address);
        if login.contains('\0') || login.len() > 1_024 {
            return Err(Fault::invalid("username", "is no user name or e-mail address").into());
        }
        let account = Account::named(&app.db, &login).await?;
        app.limits.sign_in(&app.db, &account, address).await?;
        let device = bearer::device(request);
        if let Some(started) = create_at_login(app, &login, &password, address, &device).await? {
            return Ok(cookie::answer(request, false, |body| body, signed_in(app, started).await?));
        }
        let code = code.map(|text| text.0).filter(|text| !text.is_empty());
        let is_limited = app.limits.is_on();
        let started = sign_in::with_password(&app.db, &login, password.0, code, device, is_limited).await?;
        app.limits.signed_in(&app.db, &account, address).await?;
        Ok(cookie::answer(request, false, |body| body, signed_in(app, started).await?))
    }

    /// Exchanges a refresh token, which works once, for new tokens.
    #[oai(path = "/auth/refresh", method = "post")]
    async fn refresh(&self, request: &Request, body: Json<Refresh>) -> Answer<Response<Json<SignedIn>>> {
        let app = app(&self.0)?;
        let refused = || Fault::Unauthenticated {
            code: "invalid_token",
            message: "the refresh token is not good any more",
        };
        let address = Context::current().address;
        app.limits.refresh(&app.db, address).await?;
        let from_cookie = body.0.refresh_token.is_none();
        let token = match body.0.refresh_token {
            Some(token) => token.0,
            None if cookie::is_there(request) => cookie::read(request, app).ok_or_else(refused)?,
            None => return Err(Fault::invalid("refresh_token", "is missing, and there is no cookie").into()),
        };
        let (from, is_limited) = (Some(address.to_string()), app.limits.is_on());
        let refreshed = app
            .db
            .write(move |tx| async move { sessions::refresh(tx, &token, from, is_limited).await }.boxed())
            .await?;
        let Refreshed::Done(started) = refreshed else {
            if matches!(refreshed, Refreshed::Reused) {
                app.tokens.forget_all();
                tracing::warn!("a refresh token was used twice; its session has ended");
            }
            return Err(refused().into());
        };
        Ok(cookie::answer(request, from_cookie, |body| body, signed_in(app, started).await?))
    }

    /// Ends this session. Its sockets close. Ending an ended one is no fault.
    #[oai(path = "/auth/logout", method = "post")]
    async fn logout(&self, request: &Request, token: Unchecked) -> Answer<Response<Done>> {
        let app = app(&self.0)?;
        let checked = app.tokens.check(&app.db, &token.0.token, bearer::device(request)).await;
        let caller = match checked {
            Err(Fault::Unauthenticated { code: "session_ended", .. }) => {
                return Ok(cookie::cleared(Done::NoContent));
            }
            other => other?,
        };
        caller.in_person()?;
        let (by, session, user) = (caller.actor(), caller.session_id, caller.user_id);
        app.db
            .write(move |tx| async move { sessions::sign_out(tx, &by, session, user).await }.boxed())
            .await?;
        app.tokens.forget(session);
        Ok(cookie::cleared(Done::NoContent))
    }

    /// Ends all sessions of the caller; personal tokens have a list of their own.
    #[oai(path = "/auth/logout-all", method = "post")]
    async fn logout_all(
        &self,
        caller: Entrant,
        /// Spares this session.
        keep_current: Query<Option<bool>>,
    ) -> Answer<Response<Done>> {
        let app = app(&self.0)?;
        caller.0.in_person()?;
        let keeps = keep_current.0.unwrap_or(false);
        let (by, user) = (caller.0.actor(), caller.0.user_id);
        let kept = keeps.then_some(caller.0.session_id);
        app.db
            .write(move |tx| async move { sessions::sign_out_everywhere(tx, &by, user, kept).await }.boxed())
            .await?;
        app.tokens.forget_all();
        Ok(if keeps { Response::new(Done::NoContent) } else { cookie::cleared(Done::NoContent) })
    }

    /// One's own account.
    #[oai(path = "/auth/me", method = "get")]
    async fn me(&self, caller: Entrant) -> Answer<Json<User>> {
        Ok(Json(users::own(&mut app(&self.0)?.db.read(), caller.0.user_id, caller.0.live.method).await?))
    }

    /// Changes one's own account.
    #[oai(path = "/auth/me", method = "put")]
    async fn change_me(&self, caller: Bearer, body: Json<ProfileChange>) -> Answer<Json<User>> {
        change_own(app(&self.0)?, &caller, body.0).await
    }
}

/// Changes the caller's own account, by whichever of its paths.
pub(super) async fn change_own(app: &App, caller: &Bearer, change: ProfileChange) -> Answer<Json<User>> {
    let ProfileChange { full_name, bio, username, email, current_password } = change;
    let id = caller.0.user_id;
    if username.is_some() || email.is_some() {
        caller.0.in_person()?;
    }
    // Whoever holds the address can choose a new password.
    if email.is_some() && users::credentials_of(&mut app.db.read(), id).await?.password_hash.is_some() {
        let password = current_password.map(|it| it.0).unwrap_or_default();
        sign_in::prove_password(&app.db, id, password, "current_password", app.limits.is_on()).await?;
    }
    let text = |it: Option<Text>| it.map(|it| it.0);
    let profile =
        Profile { full_name: text(full_name), bio: text(bio), username: text(username), email: text(email) };
    let by = caller.0.actor();
    app.db.write(move |tx| async move { users::update(tx, &by, id, profile).await }.boxed()).await?;
    Ok(Json(users::own(&mut app.db.read(), id, caller.0.live.method).await?))
}

pub(super) async fn signed_in(app: &App, started: Started) -> Result<SignedIn> {
    Ok(SignedIn {
        access_token: app.tokens.issue(started.user_id, started.session_id)?,
        user: users::own(&mut app.db.read(), started.user_id, started.method).await?,
        refresh_token: Some(started.refresh_token),
        token_type: "bearer".into(),
        expires_in: tokens::LASTS.as_secs(),
    })
}
