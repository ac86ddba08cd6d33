//! Making an account: the first, one's own by invitation or where that is open, one at sign-in on trusted networks.

use std::net::IpAddr;

use confab_core::audit::{self, Action, Actor, Target};
use confab_core::config::Registration as Mode;
use confab_core::sessions::{self, Device, Method, Started};
use confab_core::tickets::{self, Purpose};
use confab_core::users::{self, NewUser};
use confab_core::{Fault, FutureExt, Result, Tx, passwords};
use poem::Request;
use poem_openapi::payload::{Json, Response};
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde_json::json;

use super::auth::{SignedIn, bearer, cookie, signed_in};
use super::strict::Text;
use super::{Answer, Area, app};
use crate::http::context::Context;
use crate::state::App;

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

#[derive(ApiResponse)]
enum Made {
    /// The account was made.
    #[oai(status = 201)]
    Created(Json<SignedIn>),
}

pub struct Registration(pub Option<App>);

#[OpenApi(tag = "Area::Auth")]
impl Registration {
    /// Makes the first administrator, with the secret of the set-up link.
    #[oai(path = "/setup", method = "post")]
    async fn set_up(&self, request: &Request, body: Json<SetUp>) -> Answer<Response<Made>> {
        let app = app(&self.0)?;
        let making = async {
            let SetUp { token, username, email, password, full_name } = body.0;
            let mut user = new_user(&username, &email, full_name.as_ref())?;
            if !tickets::is_live(&mut app.db.read(), Purpose::SetUp, &token.0).await? {
                return Err(Fault::NotFound("set-up link"));
            }
            user.password_hash = Some(accepted(password, &user).await?);
            user.is_superuser = true;
            user.email_is_verified = true;
            make(app, request, user, Some(Spent::SetUp(token.0))).await
        };
        let started = app.limits.registering(&app.db, Context::current().address, making).await?;
        Ok(cookie::answer(request, false, Made::Created, signed_in(app, started).await?))
    }

    /// Makes an account.
    #[oai(path = "/auth/register", method = "post")]
    async fn register(&self, request: &Request, body: Json<Register>) -> Answer<Response<Made>> {
        let app = app(&self.0)?;
        let making = async {
            let Register { username, email, password, full_name, invitation } = body.0;
            let invitation = invitation.map(|text| text.0).filter(|text| !text.is_empty());
            let mut user = new_user(&username, &email, full_name.as_ref())?;
            let spent = may_register(app, &email.0, invitation)?;
            user.password_hash = Some(accepted(password, &user).await?);
            make(app, request, user, spent.map(Spent::Invitation)).await
        };
        let started = app.limits.registering(&app.db, Context::current().address, making).await?;
        Ok(cookie::answer(request, false, Made::Created, signed_in(app, started).await?))
    }
}

/// The secret that an account costs.
enum Spent {
    SetUp(String),
    Invitation(String),
}

fn new_user(username: &Text, email: &Text, full_name: Option<&Text>) -> Result<NewUser> {
    let user = NewUser::check(&username.0, Some(&email.0), full_name.map(|it| it.0.as_str()))?;
    if user.email.is_none() {
        return Err(Fault::invalid("email", "must not be empty"));
    }
    Ok(user)
}

/// The hash of a new account's password.
pub(super) async fn accepted(password: Text, user: &NewUser) -> Result<String> {
    let about = [Some(&user.username), user.email.as_ref(), user.full_name.as_ref()];
    passwords::accept("password", password.0, about.into_iter().flatten().cloned().collect()).await
}

/// Whether the settings let this person in, and which invitation it costs.
pub(super) fn may_register(app: &App, email: &str, invitation: Option<String>) -> Result<Option<String>> {
    let closed = |message| Err(Fault::forbidden("registration_closed", message));
    match &app.settings.registration {
        Mode::Open => Ok(None),
        Mode::Invite => match invitation {
            Some(token) => Ok(Some(token)),
            None => closed("an invitation is needed to make an account here"),
        },
        Mode::Domain(domains) => {
            let of = email.rsplit_once('@').map(|(_, host)| host.to_lowercase()).unwrap_or_default();
            if domains.contains(&of) {
                Ok(None)
            } else {
                closed("accounts are for certain e-mail domains only")
            }
        }
        Mode::Off => closed("nobody can make an account here"),
    }
}

/// On networks that the operator trusts whole, and named: an unknown name signs in by making its account.
pub(super) async fn create_at_login(
    app: &App,
    login: &str,
    password: &Text,
    address: IpAddr,
    device: &Device,
) -> Result<Option<Started>> {
    let address = address.to_canonical();
    if !app.settings.login_or_create.iter().any(|network| network.contains(&address)) {
        return Ok(None);
    }
    if users::credentials(&mut app.db.read(), login).await?.is_some() {
        return Ok(None);
    }
    let (name, email) = match login.split_once('@') {
        Some((name, _)) => (name, Some(login)),
        None => (login, None),
    };
    let mut user = NewUser::check(name, email, None)?;
    user.password_hash = Some(accepted(password.clone(), &user).await?);
    let device = device.clone();
    let making = app.db.write(move |tx| async move { create(tx, user, device).await }.boxed());
    Ok(Some(app.limits.registering(&app.db, address, making).await?))
}

/// Makes an account and signs it in, in one transaction with the secret that it costs.
async fn make(app: &App, request: &Request, user: NewUser, spent: Option<Spent>) -> Result<Started> {
    let device = bearer::device(request);
    app.db
        .write(move |tx| {
            async move {
                match &spent {
                    None => return create(tx, user, device).await,
                    Some(Spent::SetUp(secret)) => {
                        tickets::redeem(tx, Purpose::SetUp, secret).await?;
                        // A second server may have printed a link while the first made its administrator.
                        if users::has_superuser(tx).await? {
                            return Err(Fault::NotFound("set-up link"));
                        }
                    }
                    Some(Spent::Invitation(secret)) => {
                        let by = Actor::user(user.id, None, device.ip_address.clone());
                        tickets::use_invitation(tx, &by, secret).await?;
                    }
                }
                create(tx, user, device).await
            }
            .boxed()
        })
        .await
}

async fn create(tx: &mut Tx, user: NewUser, device: Device) -> Result<Started> {
    let is_superuser = user.is_superuser;
    let user = users::create(tx, user).await?;
    let actor = Actor::user(user.id, None, device.ip_address.clone());
    let detail = json!({ "username": user.username, "is_superuser": is_superuser });
    audit::note(tx, &actor, Action::Registered, Some(Target::user(user.id)), detail).await?;
    sessions::start(tx, user.id, device, Method::Registration).await
}
