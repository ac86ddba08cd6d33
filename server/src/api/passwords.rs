//! Passwords: changed, forgotten, chosen anew.

use confab_core::audit::Actor;
use confab_core::{FutureExt, sign_in};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};

use super::auth::{Done, Entrant};
use super::strict::Text;
use super::{Answer, Area, app};
use crate::http::context::Context;
use crate::limits::Account;
use crate::state::App;

#[derive(Debug, Object)]
struct PasswordChange {
    /// May be absent only where the account has none yet.
    current_password: Option<Text>,
    new_password: Text,
}

#[derive(Debug, Object)]
struct Forgotten {
    /// User name or e-mail address.
    username: Text,
}

#[derive(Debug, Object)]
struct Reset {
    /// The secret of the link.
    token: Text,
    password: Text,
}

#[derive(ApiResponse)]
enum Accepted {
    /// If there is such an account and the server can send mail, a link is on its way.
    #[oai(status = 202)]
    Accepted,
}

pub struct Passwords(pub Option<App>);

#[OpenApi(tag = "Area::Auth")]
impl Passwords {
    /// Changes one's own password. All other sessions end.
    #[oai(path = "/auth/me/password", method = "put")]
    async fn change(&self, caller: Entrant, body: Json<PasswordChange>) -> Answer<Done> {
        let app = app(&self.0)?;
        caller.0.in_person()?;
        let current = body.0.current_password.map(|it| it.0);
        let (by, kept) = (caller.0.actor(), caller.0.session_id);
        let is_limited = app.limits.is_on();
        sign_in::change_password(&app.db, by, kept, current, body.0.new_password.0, is_limited).await?;
        // Here nobody waits for the log to say that the others ended.
        app.tokens.forget_all();
        Ok(Done::NoContent)
    }

    /// Asks for a link to choose a new password by mail. The answer is the same whether there is such an account.
    #[oai(path = "/auth/password/forgot", method = "post")]
    async fn forgot(&self, body: Json<Forgotten>) -> Answer<Accepted> {
        let app = app(&self.0)?.clone();
        let login = body.0.username.0;
        if login.contains('\0') || login.len() > 1_024 {
            return Err(confab_core::Fault::invalid("username", "is no user name or e-mail address").into());
        }
        let address = Context::current().address;
        let account = Account::named(&app.db, &login).await?;
        app.limits.reset(&app.db, Some(&account), address).await?;
        // Apart from this answer, whose time would tell.
        tokio::spawn(async move {
            if let Err(fault) = mail_link(&app, login, Actor::stranger(Some(address.to_string()))).await {
                tracing::warn!(%fault, "a link to choose a password was not mailed");
            }
        });
        Ok(Accepted::Accepted)
    }

    /// Chooses a new password with the secret of a link. Every session and personal token of the account ends.
    #[oai(path = "/auth/password/reset", method = "post")]
    async fn reset(&self, body: Json<Reset>) -> Answer<Done> {
        let app = app(&self.0)?;
        let address = Context::current().address;
        app.limits.reset(&app.db, None, address).await?;
        let by = Actor::stranger(Some(address.to_string()));
        sign_in::reset_password(&app.db, by, body.0.token.0, body.0.password.0).await?;
        app.tokens.forget_all();
        Ok(Done::NoContent)
    }
}

async fn mail_link(app: &App, login: String, by: Actor) -> confab_core::Result<()> {
    let Some(mail) = &app.mail else { return Ok(()) };
    let found = app
        .db
        .write(move |tx| async move { sign_in::mail_password_reset(tx, &by, &login).await }.boxed())
        .await?;
    let Some((address, secret)) = found else { return Ok(()) };
    let url = app.reset_url(&secret);
    let text = format!(
        "Somebody asked for a new password for your account at {}.\n\nIf it was you, choose one here within an hour:\n\n{url}\n\n\
        If it was not, ignore this mail: nothing has changed.\n",
        app.public_url()
    );
    mail.send(&address, "Choose a new password", text).await
}
