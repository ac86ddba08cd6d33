//! People and bots, for everyone who is signed in.

use std::time::Duration;

use confab_core::files::pictures as names;
use confab_core::plugins::parts;
use confab_core::roles::Permission;
use confab_core::users::{self, Profile};
use confab_core::{Fault, FutureExt, Result, presences};
use confab_protocol::gateway::PresenceStatus;
use confab_protocol::{Timestamp, User, UserId, UserRef, UserStatus};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::{Binary, Json, Response};
use poem_openapi::types::MaybeUndefined;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::auth::{Bearer, ProfileChange, change_own};
use super::files::FileForm;
use super::strict::Text;
use super::{Answer, Area, app, cursor, pictures as kept};
use crate::intake::Received;
use crate::state::App;
use crate::storage::disk;
use crate::{pictures, presence};

/// Absent fields stay as they are.
#[derive(Debug, Object)]
struct NewProfile {
    full_name: Option<Text>,
    bio: Option<Text>,
}

/// Absent fields stay as they are.
#[derive(Debug, Object)]
struct StatusChange {
    status: Option<PresenceStatus>,
    /// At most 100 characters; null takes it back.
    text: MaybeUndefined<Text>,
    /// When the text goes by itself.
    expires_at: Option<Timestamp>,
}

/// Whose picture cannot be decoded within this time is told to try again.
pub(super) const PICTURE_WAIT: Duration = Duration::from_secs(5);

/// A page of users.
#[derive(Object)]
struct UserPage {
    items: Vec<UserRef>,
    next_cursor: Option<String>,
}

pub struct Users(pub Option<App>);

#[OpenApi(tag = "Area::Users")]
impl Users {
    /// Active users whose names begin with `q`, in order of name. Whoever is a guest in channels and nowhere more sees the
    /// people of these. Where nobody's name begins so, those whose names are nearly so, the nearest first.
    #[oai(path = "/users", method = "get")]
    async fn list(
        &self,
        caller: Bearer,
        q: Query<Option<String>>,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
        /// Instead of a cursor: passes over so many, at most 10,000.
        skip: Query<Option<i64>>,
    ) -> Answer<Json<UserPage>> {
        let limit = cursor::limit(limit.0)?;
        let skip = cursor::skip(skip.0, cursor.0.is_some())?;
        let mut after: String = cursor::decode(cursor.0.as_deref())?.unwrap_or_default();
        let prefix: String = q.0.unwrap_or_default().chars().take(users::USERNAME_CHARACTERS).collect();
        if skip > 0 {
            match users::nth(&mut app(&self.0)?.db.read(), caller.0.user_id, &prefix, skip).await? {
                Some(name) => after = name,
                None => return Ok(Json(UserPage { items: Vec::new(), next_cursor: None })),
            }
        }
        let app = app(&self.0)?;
        let items = users::look_up(&mut app.db.read(), caller.0.user_id, &prefix, &after, limit).await?;
        if items.is_empty() && after.is_empty() {
            let items = nearly(app, caller.0.user_id, &prefix, limit).await?;
            return Ok(Json(UserPage { items, next_cursor: None }));
        }
        let last = items.last().filter(|_| items.len() == limit as usize);
        let next_cursor = last.and_then(|user| cursor::encode(&confab_core::text::key(&user.username)));
        Ok(Json(UserPage { items, next_cursor }))
    }

    /// One's own account.
    #[oai(path = "/users/me", method = "get")]
    async fn me(&self, caller: Bearer) -> Answer<Json<User>> {
        Ok(Json(users::own(&mut app(&self.0)?.db.read(), caller.0.user_id, caller.0.live.method).await?))
    }

    /// Changes one's own account.
    #[oai(path = "/users/me", method = "put")]
    async fn change_me(&self, caller: Bearer, body: Json<ProfileChange>) -> Answer<Json<User>> {
        change_own(app(&self.0)?, &caller, body.0).await
    }

    /// One user. The e-mail address is shown to that user and to administrators only.
    #[oai(path = "/users/:id", method = "get")]
    async fn get(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<User>> {
        one(app(&self.0)?, &caller, UserId(id.0)).await
    }

    /// The same.
    #[oai(path = "/users/:id/profile", method = "get")]
    async fn profile(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<User>> {
        one(app(&self.0)?, &caller, UserId(id.0)).await
    }

    /// Changes a profile: one's own, or with `users.manage` anyone's whom the caller may rule over.
    #[oai(path = "/users/:id/profile", method = "put")]
    async fn change_profile(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        body: Json<NewProfile>,
    ) -> Answer<Json<User>> {
        let (app, id) = (app(&self.0)?, UserId(id.0));
        let text = |it: Option<Text>| it.map(|it| it.0);
        let NewProfile { full_name, bio } = body.0;
        let profile = Profile { full_name: text(full_name), bio: text(bio), ..Profile::default() };
        if id == caller.0.user_id {
            let by = caller.0.actor();
            app.db.write(move |tx| async move { users::update(tx, &by, id, profile).await }.boxed()).await?;
        } else {
            let by = caller.0.may(Permission::UsersManage)?;
            app.db
                .write(move |tx| async move { users::update_other(tx, &by, id, profile).await }.boxed())
                .await?;
        }
        one(app, &caller, id).await
    }

    /// Says what one's dot shows, and a few words of it. Anything but `online` stays whatever one's devices do.
    #[oai(path = "/users/me/status", method = "put")]
    async fn set_status(&self, caller: Bearer, body: Json<StatusChange>) -> Answer<Json<UserStatus>> {
        let (app, user) = (app(&self.0)?, caller.0.user_id);
        let StatusChange { status, text, expires_at } = body.0;
        // Absent keeps the words, null takes them back.
        let text = if text.is_undefined() { None } else { Some(text.take().map(|it| it.0)) };
        let news = app
            .db
            .write(move |tx| {
                async move {
                    let mut news = None;
                    if let Some(status) = status {
                        news = Some(presences::choose(tx, user, status).await?);
                    }
                    if let Some(text) = text {
                        news = Some(presences::say(tx, user, text.as_deref(), expires_at).await?);
                    }
                    Ok(news)
                }
                .boxed()
            })
            .await?;
        presence::tell(&app.bus, news).await;
        Ok(Json(presences::status(&mut app.db.read(), user).await?))
    }

    /// What somebody's dot shows.
    #[oai(path = "/users/:id/status", method = "get")]
    async fn status(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<UserStatus>> {
        let app = app(&self.0)?;
        let user = looked_up(app, &caller, UserId(id.0)).await?;
        Ok(Json(presences::status(&mut app.db.read(), user.id).await?))
    }

    /// Sets one's picture: PNG, JPEG, GIF or WebP. It is cut to a square and encoded anew.
    #[oai(path = "/users/me/profile-picture", method = "put")]
    async fn set_picture(&self, caller: Bearer, form: FileForm) -> Answer<Json<User>> {
        let (app, user) = (app(&self.0)?, caller.0.user_id);
        let receipt = Some(app.receiving.enter(user)?);
        let (_, field) = form.file().await?;
        let bytes = std::pin::pin!(field.into_async_read());
        let received = Received::read(app.storage.temporary(), bytes, pictures::MOST_BYTES, receipt).await?;
        let _place = app.picture_places.take(user, PICTURE_WAIT).await?;
        let made = tokio::task::spawn_blocking(move || {
            pictures::square(&std::fs::read(received.bytes.path()).map_err(disk)?)
        })
        .await;
        let made = made.map_err(Fault::internal)??;
        let name = kept::put(app, made.bytes).await?;
        if let Err(fault) = show_picture(app, user, Some(name.clone())).await {
            kept::withdraw(app, &name).await;
            return Err(fault.into());
        }
        Ok(Json(users::own(&mut app.db.read(), user, caller.0.live.method).await?))
    }

    /// Takes one's picture away.
    #[oai(path = "/users/me/profile-picture", method = "delete")]
    async fn remove_picture(&self, caller: Bearer) -> Answer<Json<User>> {
        let (app, user) = (app(&self.0)?, caller.0.user_id);
        show_picture(app, user, None).await?;
        Ok(Json(users::own(&mut app.db.read(), user, caller.0.live.method).await?))
    }

    /// A picture. No token is asked for, since pages load it as an image: its address is a secret of 256 bits that only
    /// those get who may see its person. That of a plugin's reaction is the hash of the plugin's file, which is no secret, and
    /// neither is the picture.
    #[oai(path = "/pictures/:sha256", method = "get")]
    async fn picture(&self, sha256: Path<String>) -> Answer<Response<Binary<Vec<u8>>>> {
        let name = sha256.0;
        if name.len() != 64 || !name.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(Fault::NotFound("picture").into());
        }
        let app = app(&self.0)?;
        let bytes = match app.storage.read(&names::key(&name)).await {
            // Those of plugins' reactions lie with their plugin.
            Err(Fault::NotFound(_)) => {
                let kept = parts::picture(&mut app.db.read(), &name).await?;
                kept.ok_or(Fault::NotFound("picture"))?
            }
            other => other?.to_vec(),
        };
        let kind = pictures::content_type(&bytes);
        Ok(Response::new(Binary(bytes))
            .header("content-type", kind)
            .header("cache-control", "public, max-age=31536000, immutable")
            .header("content-disposition", "inline")
            .header("cross-origin-resource-policy", "same-origin"))
    }
}

/// Shows another picture, or none.
async fn show_picture(app: &App, user: UserId, name: Option<String>) -> Result<()> {
    app.db
        .write(move |tx| async move { users::set_picture(tx, user, name.as_deref()).await }.boxed())
        .await?;
    app.file_care.went();
    Ok(())
}

/// Somebody whom the caller may look up: for guests nobody else is there.
/// Those whose names are near to `name`, the nearest first: people whom the caller may look up. It is a search, so it counts as one;
/// whoever has searched too much meanwhile, as by typing on, is shown nobody.
async fn nearly(app: &App, caller: UserId, name: &str, limit: u32) -> Result<Vec<UserRef>> {
    if name.trim().is_empty() || app.limits.search(caller).is_err() {
        return Ok(Vec::new());
    }
    let near = users::near(&mut app.db.read(), caller, &[name.trim().to_owned()]).await?;
    let ids: Vec<UserId> = near.of.into_iter().flatten().map(|(id, _)| id).take(limit as usize).collect();
    let mut people = users::refs(&mut app.db.read(), &ids).await?;
    people.sort_by_key(|user| ids.iter().position(|id| *id == user.id));
    Ok(people)
}

async fn looked_up(app: &App, caller: &Bearer, id: UserId) -> Result<User> {
    if !users::may_look_up(&mut app.db.read(), caller.0.user_id, id).await? {
        return Err(Fault::NotFound("user"));
    }
    users::find(&mut app.db.read(), id).await
}

async fn one(app: &App, caller: &Bearer, id: UserId) -> Answer<Json<User>> {
    let mut user = looked_up(app, caller, id).await?;
    if user.id != caller.0.user_id && caller.0.may(Permission::UsersManage).is_err() {
        user.email = None;
    }
    Ok(Json(user))
}
