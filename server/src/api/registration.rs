//! Making an account: the first, one's own by invitation or where that is open, one at sign-in on trusted networks.

use std::net::IpAddr;

use confab_core::registrations::{self, Cost};
use confab_core::sessions::{Device, Started};
use confab_core::tickets::{self, Purpose};
use confab_core::users::{self, NewUser};
use confab_core::{Fault, FutureExt, Result, passwords};
use poem::Request;
use poem_openapi::payload::{Json, Response};
use poem_openapi::{ApiResponse, Object, OpenApi};

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
    /// What the workspace is called, at most 60 characters.
    workspace_name: Option<Text>,
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
            let SetUp { token, username, email, password, full_name, workspace_name } = body.0;
            let mut user = new_user(&username, &email, full_name.as_ref())?;
            if !tickets::is_live(&mut app.db.read(), Purpose::SetUp, &token.0).await? {
                return Err(Fault::NotFound("set-up link"));
            }
            user.password_hash = Some(accepted(password, &user).await?);
            user.is_superuser = true;
            user.email_is_verified = true;
            let (device, workspace) = (bearer::device(request), workspace_name.map(|it| it.0));
            app.db
                .write(move |tx| {
                    async move { registrations::set_up(tx, user, token.0, workspace, device).await }.boxed()
                })
                .await
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
            let cost = registrations::ask(&app.settings.registration, &email.0, invitation)?;
            user.password_hash = Some(accepted(password, &user).await?);
            make(app, user, cost, bearer::device(request)).await
        };
        let started = app.limits.registering(&app.db, Context::current().address, making).await?;
        Ok(cookie::answer(request, false, Made::Created, signed_in(app, started).await?))
    }
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
    let making = make(app, user, Cost::Nothing, device.clone());
    Ok(Some(app.limits.registering(&app.db, address, making).await?))
}

/// Makes an account and signs it in, in one transaction with what it costs.
async fn make(app: &App, user: NewUser, cost: Cost, device: Device) -> Result<Started> {
    app.db.write(move |tx| async move { registrations::register(tx, user, cost, device).await }.boxed()).await
}
