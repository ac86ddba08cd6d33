//! Accounts, for administrators.

use confab_core::roles::{self, Permission};
use confab_core::sessions;
use confab_core::users::{self, Listed, NewUser};
use confab_core::{FutureExt, sign_in, two_factor};
use confab_protocol::{RoleId, Timestamp, User, UserId};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::registration::accepted;
use super::roles::{RoleList, view as role_view};
use super::strict::Text;
use super::{Answer, Area, app, cursor};
use crate::state::App;

/// Which accounts.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "lowercase")]
enum AccountState {
    /// May sign in.
    Active,
    /// May not.
    Disabled,
    /// Gone; messages stay.
    Deleted,
    /// No persons.
    Bots,
    /// May all.
    Superusers,
}

impl From<AccountState> for Listed {
    fn from(state: AccountState) -> Self {
        match state {
            AccountState::Active => Self::Active,
            AccountState::Disabled => Self::Disabled,
            AccountState::Deleted => Self::Deleted,
            AccountState::Bots => Self::Bots,
            AccountState::Superusers => Self::Superusers,
        }
    }
}

#[derive(Object)]
struct AccountPage {
    items: Vec<User>,
    next_cursor: Option<String>,
}

#[derive(Debug, Object)]
struct NewAccount {
    username: Text,
    email: Option<Text>,
    full_name: Option<Text>,
    /// Absent: the answer has a one-time link by which the person chooses one.
    password: Option<Text>,
    is_bot: Option<bool>,
    is_superuser: Option<bool>,
}

#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct CreatedAccount {
    user: User,
    /// To be handed over: works once, for 24 hours.
    reset_url: Option<String>,
}

#[derive(ApiResponse)]
enum Made {
    /// The account was made.
    #[oai(status = 201)]
    Created(Json<CreatedAccount>),
}

#[derive(Debug, Object)]
struct SuperuserChange {
    /// Absent: turned over.
    is_superuser: Option<bool>,
}

#[derive(Debug, Object)]
struct RolesChange {
    /// All roles that the user shall have, besides `everyone`.
    role_ids: Vec<RoleId>,
}

/// A one-time link to choose a password.
#[derive(Object)]
struct ResetLink {
    url: String,
    expires_at: Timestamp,
}

pub struct Accounts(pub Option<App>);

#[OpenApi(tag = "Area::Administration")]
impl Accounts {
    /// Accounts whose names begin with `q`, in order of name. Needs `users.manage`; for bots `bots.manage` is enough.
    #[oai(path = "/auth/users", method = "get")]
    async fn list(
        &self,
        caller: Bearer,
        q: Query<Option<String>>,
        state: Query<Option<AccountState>>,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<AccountPage>> {
        let listed = state.0.map_or(Listed::Everyone, Listed::from);
        match caller.0.may(Permission::UsersManage) {
            Err(_) if listed == Listed::Bots => caller.0.may(Permission::BotsManage)?,
            other => other?,
        };
        let limit = cursor::limit(limit.0)?;
        let after: String = cursor::decode(cursor.0.as_deref())?.unwrap_or_default();
        let prefix: String = q.0.unwrap_or_default().chars().take(users::USERNAME_CHARACTERS).collect();
        let items = users::accounts(&mut app(&self.0)?.db.read(), listed, &prefix, &after, limit).await?;
        let last = items.last().filter(|_| items.len() == limit as usize);
        let next_cursor = last.and_then(|user| cursor::encode(&confab_core::text::key(&user.username)));
        Ok(Json(AccountPage { items, next_cursor }))
    }

    /// Makes an account for someone else, or a bot. Needs `users.manage`, and for a bot `bots.manage`.
    #[oai(path = "/auth/users", method = "post")]
    async fn create(&self, caller: Bearer, body: Json<NewAccount>) -> Answer<Made> {
        let app = app(&self.0)?;
        let NewAccount { username, email, full_name, password, is_bot, is_superuser } = body.0;
        let is_bot = is_bot.unwrap_or(false);
        let by = caller.0.may(if is_bot { Permission::BotsManage } else { Permission::UsersManage })?;
        let email = email.as_ref().map(|it| it.0.as_str());
        let mut user = NewUser::check(&username.0, email, full_name.as_ref().map(|it| it.0.as_str()))?;
        user.is_bot = is_bot;
        user.is_superuser = is_superuser.unwrap_or(false);
        if let Some(password) = password {
            user.password_hash = Some(accepted(password, &user).await?);
        }
        let (user, secret) = app
            .db
            .write(move |tx| {
                async move {
                    let (made, secret) = sign_in::create_account(tx, &by, user).await?;
                    // Here, or a link that nobody sees again is lost with an answer that cannot be read.
                    Ok((users::find_account(tx, made.id).await?, secret))
                }
                .boxed()
            })
            .await?;
        Ok(Made::Created(Json(CreatedAccount { user, reset_url: secret.map(|it| app.reset_url(&it)) })))
    }

    /// One account. Needs `users.manage`.
    #[oai(path = "/auth/users/:id", method = "get")]
    async fn get(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<User>> {
        caller.0.may(Permission::UsersManage)?;
        Ok(Json(users::find_account(&mut app(&self.0)?.db.read(), UserId(id.0)).await?))
    }

    /// Deletes an account: messages stay, their author is shown as deleted. Needs `users.manage`.
    #[oai(path = "/auth/users/:id", method = "delete")]
    async fn delete(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        let (by, app) = (caller.0.may(Permission::UsersManage)?, app(&self.0)?);
        let id = UserId(id.0);
        app.db.write(move |tx| async move { users::remove(tx, &by, id).await }.boxed()).await?;
        app.file_care.went();
        app.tokens.forget_all();
        Ok(Done::NoContent)
    }

    /// Keeps somebody out: sessions end, sockets close, tokens rest. Needs `users.manage`.
    #[oai(path = "/auth/users/:id/disable", method = "put")]
    async fn disable(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<User>> {
        let (by, app) = (caller.0.may(Permission::UsersManage)?, app(&self.0)?);
        let id = UserId(id.0);
        app.db.write(move |tx| async move { users::disable(tx, &by, id).await }.boxed()).await?;
        shown(app, id).await
    }

    /// Lets somebody in again. Needs `users.manage`.
    #[oai(path = "/auth/users/:id/enable", method = "put")]
    async fn enable(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<User>> {
        let (by, app) = (caller.0.may(Permission::UsersManage)?, app(&self.0)?);
        let id = UserId(id.0);
        app.db.write(move |tx| async move { users::enable(tx, &by, id).await }.boxed()).await?;
        shown(app, id).await
    }

    /// Makes a superuser, or makes one a plain user again: a superuser's doing.
    #[oai(path = "/auth/users/:id/superuser", method = "put")]
    async fn superuser(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        body: Json<SuperuserChange>,
    ) -> Answer<Json<User>> {
        caller.0.in_person()?;
        let (by, app) = (caller.0.superuser()?, app(&self.0)?);
        let (id, wanted) = (UserId(id.0), body.0.is_superuser);
        app.db
            .write(move |tx| async move { users::set_superuser(tx, &by, id, wanted).await }.boxed())
            .await?;
        shown(app, id).await
    }

    /// The roles of a user, besides `everyone`. Needs `roles.manage` or `users.manage`.
    #[oai(path = "/auth/users/:id/roles", method = "get")]
    async fn roles(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<RoleList>> {
        if caller.0.may(Permission::UsersManage).is_err() {
            caller.0.may(Permission::RolesManage)?;
        }
        let app = app(&self.0)?;
        let user = users::find(&mut app.db.read(), UserId(id.0)).await?;
        let held = roles::of_user(&mut app.db.read(), user.id).await?;
        let all = roles::all(&mut app.db.read()).await?;
        let items = all.iter().filter(|role| held.iter().any(|it| it.id == role.id)).map(role_view);
        Ok(Json(RoleList { items: items.collect() }))
    }

    /// Gives a user these roles and no others. Needs `roles.manage`, and every permission of them.
    #[oai(path = "/auth/users/:id/roles", method = "put")]
    async fn assign(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        body: Json<RolesChange>,
    ) -> Answer<Json<RoleList>> {
        let (by, app) = (caller.0.may(Permission::RolesManage)?, app(&self.0)?);
        let (id, ids) = (UserId(id.0), body.0.role_ids);
        let given =
            app.db.write(move |tx| async move { roles::assign(tx, &by, id, &ids).await }.boxed()).await?;
        app.tokens.forget_all();
        Ok(Json(RoleList { items: given.iter().map(role_view).collect() }))
    }

    /// A one-time link by which somebody chooses a new password; earlier links are void. Needs `users.manage`.
    #[oai(path = "/auth/users/:id/password-reset", method = "post")]
    async fn reset_password(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<ResetLink>> {
        caller.0.in_person()?;
        let (by, app) = (caller.0.may(Permission::UsersManage)?, app(&self.0)?);
        let id = UserId(id.0);
        let (secret, expires_at) = app
            .db
            .write(move |tx| async move { sign_in::link_password_reset(tx, &by, id).await }.boxed())
            .await?;
        Ok(Json(ResetLink { url: app.reset_url(&secret), expires_at }))
    }

    /// Takes the second factor from somebody who lost their device. Needs `users.manage`.
    #[oai(path = "/auth/users/:id/two-factor", method = "delete")]
    async fn reset_two_factor(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        caller.0.in_person()?;
        let (by, app) = (caller.0.may(Permission::UsersManage)?, app(&self.0)?);
        let id = UserId(id.0);
        app.db.write(move |tx| async move { two_factor::reset(tx, &by, id).await }.boxed()).await?;
        Ok(Done::NoContent)
    }

    /// Ends all sessions and tokens of somebody. Needs `users.manage`.
    #[oai(path = "/auth/users/:id/sessions", method = "delete")]
    async fn end_sessions(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        caller.0.in_person()?;
        let (by, app) = (caller.0.may(Permission::UsersManage)?, app(&self.0)?);
        let id = UserId(id.0);
        app.db.write(move |tx| async move { sessions::end_all_by(tx, &by, id).await }.boxed()).await?;
        app.tokens.forget_all();
        Ok(Done::NoContent)
    }
}

async fn shown(app: &App, id: UserId) -> Answer<Json<User>> {
    app.tokens.forget_all();
    Ok(Json(users::find_account(&mut app.db.read(), id).await?))
}
