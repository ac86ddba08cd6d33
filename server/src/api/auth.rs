//! Signing in and out, and one's own account.

mod bearer;
mod cookie;

use confab_core::sessions::{self, Device, Refreshed, Started};
use confab_core::tickets::{self, Purpose};
use confab_core::users::{self, NewUser, Profile};
use confab_core::{Fault, FutureExt, Result, Tx, config::Registration, passwords};
use confab_protocol::User;
use poem::Request;
use poem_openapi::payload::{Json, Response};
use poem_openapi::{ApiResponse, Object, OpenApi};

pub use bearer::Bearer;

use super::strict::Text;
use super::{Answer, Area, app};
use crate::http::context::Context;
use crate::state::App;
use crate::tokens;

/// A new account.
#[derive(Debug, Object)]
struct Register {
    username: Text,
    email: Text,
    password: Text,
    full_name: Option<Text>,
    /// The secret of an invitation link, where registration asks for one.
    invitation: Option<Text>,
}

/// The first administrator.
#[derive(Debug, Object)]
struct SetUp {
    /// The secret of the set-up link.
    token: Text,
    username: Text,
    email: Text,
    password: Text,
    full_name: Option<Text>,
}

#[derive(Debug, Object)]
struct Login {
    /// User name or e-mail address.
    username: Text,
    password: Text,
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
    refresh_token: Option<String>,
    token_type: String,
    /// In seconds.
    expires_in: u64,
}

#[derive(ApiResponse)]
enum Made {
    /// The account was made.
    #[oai(status = 201)]
    Created(Json<SignedIn>),
}

#[derive(ApiResponse)]
pub(super) enum Done {
    /// Done; there is nothing to say.
    #[oai(status = 204)]
    NoContent,
}

#[derive(Debug, Object)]
struct ProfileChange {
    full_name: Option<Text>,
    bio: Option<Text>,
}

pub struct Auth(pub Option<App>);

#[OpenApi(tag = "Area::Auth")]
impl Auth {
    /// Makes the first administrator, with the secret of the set-up link.
    #[oai(path = "/setup", method = "post")]
    async fn set_up(&self, request: &Request, body: Json<SetUp>) -> Answer<Response<Made>> {
        let app = app(&self.0)?;
        app.limits.register(Context::current().address)?;
        let SetUp { token, username, email, password, full_name } = body.0;
        let mut user = new_user(&username, &email, full_name.as_ref())?;
        if !tickets::is_live(&mut app.db.read(), Purpose::SetUp, &token.0).await? {
            return Err(Fault::NotFound("set-up link").into());
        }
        user.password_hash = Some(hashed(password).await?);
        user.is_superuser = true;
        let spent = (Purpose::SetUp, token.0);
        let (user, started) = make(app, request, user, Some(spent)).await?;
        Ok(cookie::answer(request, false, Made::Created, signed_in(app, user, started)?))
    }

    /// Makes an account.
    #[oai(path = "/auth/register", method = "post")]
    async fn register(&self, request: &Request, body: Json<Register>) -> Answer<Response<Made>> {
        let app = app(&self.0)?;
        app.limits.register(Context::current().address)?;
        let Register { username, email, password, full_name, invitation } = body.0;
        let invitation = invitation.map(|text| text.0).filter(|text| !text.is_empty());
        let mut user = new_user(&username, &email, full_name.as_ref())?;
        let spent = may_register(app, &email.0, invitation)?;
        user.password_hash = Some(hashed(password).await?);
        let (user, started) = make(app, request, user, spent).await?;
        Ok(cookie::answer(request, false, Made::Created, signed_in(app, user, started)?))
    }

    /// Signs in.
    #[oai(path = "/auth/login", method = "post")]
    async fn login(&self, request: &Request, body: Json<Login>) -> Answer<Response<Json<SignedIn>>> {
        let app = app(&self.0)?;
        let Login { username, password } = body.0;
        if username.0.contains('\0') || username.0.len() > 1_024 {
            return Err(Fault::invalid("username", "is no user name or e-mail address").into());
        }
        app.limits.sign_in(&username.0, Context::current().address)?;
        let known = users::credentials(&mut app.db.read(), &username.0).await?;
        let (stored, active) =
            known.as_ref().map_or((None, false), |(_, hash, active)| (hash.clone(), *active));
        // One answer for no such user, a wrong password and a disabled account, and one price.
        let is_right = passwords::verify(password.0, stored).await?;
        let refused =
            Fault::Unauthenticated { code: "wrong_credentials", message: "user name or password is wrong" };
        let Some((id, ..)) = known.filter(|_| is_right && active) else { return Err(refused.into()) };
        let device = device(request);
        let started =
            app.db.write(move |tx| async move { sessions::start(tx, id, device).await }.boxed()).await?;
        let user = users::find(&mut app.db.read(), id).await?;
        Ok(cookie::answer(request, false, |body| body, signed_in(app, user, started)?))
    }

    /// Exchanges a refresh token, which works once, for new tokens.
    #[oai(path = "/auth/refresh", method = "post")]
    async fn refresh(&self, request: &Request, body: Json<Refresh>) -> Answer<Response<Json<SignedIn>>> {
        let app = app(&self.0)?;
        let refused = || Fault::Unauthenticated {
            code: "invalid_token",
            message: "the refresh token is not good any more",
        };
        let from_cookie = body.0.refresh_token.is_none();
        let token = match body.0.refresh_token {
            Some(token) => token.0,
            None => cookie::read(request, app).ok_or_else(refused)?,
        };
        let refreshed =
            app.db.write(move |tx| async move { sessions::refresh(tx, &token).await }.boxed()).await?;
        let Refreshed::Done(started) = refreshed else {
            if matches!(refreshed, Refreshed::Reused) {
                tracing::warn!("a refresh token was used twice; its session has ended");
            }
            return Err(refused().into());
        };
        let user = users::find(&mut app.db.read(), started.user_id).await?;
        Ok(cookie::answer(request, from_cookie, |body| body, signed_in(app, user, started)?))
    }

    /// Ends this session. Its sockets close.
    #[oai(path = "/auth/logout", method = "post")]
    async fn logout(&self, caller: Bearer) -> Answer<Response<Done>> {
        let app = app(&self.0)?;
        let (session, user) = (caller.0.session_id, caller.0.user_id);
        app.db.write(move |tx| async move { sessions::end(tx, session, user).await }.boxed()).await?;
        app.tokens.forget(session);
        Ok(cookie::cleared(Done::NoContent))
    }

    /// One's own account.
    #[oai(path = "/auth/me", method = "get")]
    async fn me(&self, caller: Bearer) -> Answer<Json<User>> {
        Ok(Json(users::find(&mut app(&self.0)?.db.read(), caller.0.user_id).await?))
    }

    /// Changes one's own account; absent fields stay as they are.
    #[oai(path = "/auth/me", method = "put")]
    async fn change_me(&self, caller: Bearer, body: Json<ProfileChange>) -> Answer<Json<User>> {
        let app = app(&self.0)?;
        let id = caller.0.user_id;
        let profile = Profile { full_name: body.0.full_name.map(|it| it.0), bio: body.0.bio.map(|it| it.0) };
        Ok(Json(app.db.write(move |tx| async move { users::update(tx, id, profile).await }.boxed()).await?))
    }
}

fn new_user(username: &Text, email: &Text, full_name: Option<&Text>) -> Result<NewUser> {
    let user = NewUser::check(&username.0, Some(&email.0), full_name.map(|it| it.0.as_str()))?;
    if user.email.is_none() {
        return Err(Fault::invalid("email", "must not be empty"));
    }
    Ok(user)
}

async fn hashed(password: Text) -> Result<String> {
    passwords::check(&password.0)?;
    passwords::hash(password.0).await
}

/// Whether the settings let this person in, and which ticket it costs.
fn may_register(app: &App, email: &str, invitation: Option<String>) -> Result<Option<(Purpose, String)>> {
    let closed = |message| Err(Fault::forbidden("registration_closed", message));
    match &app.settings.registration {
        Registration::Open => Ok(None),
        Registration::Invite => match invitation {
            Some(token) => Ok(Some((Purpose::Invitation, token))),
            None => closed("an invitation is needed to make an account here"),
        },
        Registration::Domain(domains) => {
            let of = email.rsplit_once('@').map(|(_, host)| host.to_lowercase()).unwrap_or_default();
            if domains.contains(&of) {
                Ok(None)
            } else {
                closed("accounts are for certain e-mail domains only")
            }
        }
        Registration::Off => closed("nobody can make an account here"),
    }
}

/// Makes an account and signs it in, in one transaction with the ticket that it costs.
async fn make(
    app: &App,
    request: &Request,
    user: NewUser,
    spent: Option<(Purpose, String)>,
) -> Result<(User, Started)> {
    let device = device(request);
    app.db
        .write(move |tx| {
            async move {
                if let Some((purpose, token)) = spent {
                    tickets::redeem(tx, purpose, &token).await?;
                    // A second server may have printed a link while the first made its administrator.
                    if purpose == Purpose::SetUp && users::has_superuser(tx).await? {
                        return Err(Fault::NotFound("set-up link"));
                    }
                }
                create(tx, user, device).await
            }
            .boxed()
        })
        .await
}

async fn create(tx: &mut Tx, user: NewUser, device: Device) -> Result<(User, Started)> {
    let user = users::create(tx, user).await?;
    let started = sessions::start(tx, user.id, device).await?;
    Ok((user, started))
}

fn device(request: &Request) -> Device {
    Device {
        info: request.header("user-agent").map(str::to_owned),
        ip_address: Some(Context::current().address.to_string()),
    }
}

fn signed_in(app: &App, user: User, started: Started) -> Result<SignedIn> {
    Ok(SignedIn {
        access_token: app.tokens.issue(user.id, started.session_id)?,
        user,
        refresh_token: Some(started.refresh_token),
        token_type: "bearer".into(),
        expires_in: tokens::LASTS.as_secs(),
    })
}
