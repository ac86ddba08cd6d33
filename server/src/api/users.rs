//! People and bots, for everyone who is signed in.

use confab_core::users;
use confab_protocol::{User, UserId, UserRef};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::auth::Bearer;
use super::{Answer, Area, app, cursor};
use crate::state::App;

/// A page of users.
#[derive(Object)]
struct UserPage {
    items: Vec<UserRef>,
    next_cursor: Option<String>,
}

pub struct Users(pub Option<App>);

#[OpenApi(tag = "Area::Users")]
impl Users {
    /// Active users whose names begin with `q`, in order of name.
    #[oai(path = "/users", method = "get")]
    async fn list(
        &self,
        _caller: Bearer,
        q: Query<Option<String>>,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<UserPage>> {
        let limit = cursor::limit(limit.0)?;
        let after: String = cursor::decode(cursor.0.as_deref())?.unwrap_or_default();
        let prefix: String = q.0.unwrap_or_default().chars().take(users::USERNAME_CHARACTERS).collect();
        let items = users::search(&mut app(&self.0)?.db.read(), &prefix, &after, limit).await?;
        let last = items.last().filter(|_| items.len() == limit as usize);
        let next_cursor = last.and_then(|user| cursor::encode(&confab_core::text::key(&user.username)));
        Ok(Json(UserPage { items, next_cursor }))
    }

    /// One's own account.
    #[oai(path = "/users/me", method = "get")]
    async fn me(&self, caller: Bearer) -> Answer<Json<User>> {
        Ok(Json(users::find(&mut app(&self.0)?.db.read(), caller.0.user_id).await?))
    }

    /// One user. The e-mail address is shown to that user and to superusers only.
    #[oai(path = "/users/:id", method = "get")]
    async fn get(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<User>> {
        let mut user = users::find(&mut app(&self.0)?.db.read(), UserId(id.0)).await?;
        if user.id != caller.0.user_id && !caller.0.is_superuser {
            user.email = None;
        }
        Ok(Json(user))
    }
}
