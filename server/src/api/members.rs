//! Who is in a channel.

use confab_core::{Fault, FutureExt, access, members, users};
use confab_protocol::{ChannelId, Member, UserId};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::{Answer, Area, app, cursor};
use crate::state::App;

/// One of the two.
#[derive(Debug, Object)]
struct AddMembers {
    user_id: Option<UserId>,
    /// Up to 100 at once, all or none.
    user_ids: Option<Vec<UserId>>,
}

/// Who was brought in.
#[derive(Object)]
struct AddedMembers {
    /// Those who were no members before.
    added: Vec<UserId>,
}

#[derive(Object)]
struct MemberPage {
    items: Vec<Member>,
    next_cursor: Option<String>,
}

#[derive(ApiResponse)]
enum Added {
    /// They were members already.
    #[oai(status = 200)]
    Known(Json<AddedMembers>),
    /// They are members now.
    #[oai(status = 201)]
    Created(Json<AddedMembers>),
}

pub struct Members(pub Option<App>);

#[OpenApi(tag = "Area::Channels")]
impl Members {
    /// A channel's members: owners, admins, members, guests, each in order of name. With `q` those whose user names begin
    /// with it, in order of name.
    #[oai(path = "/channels/:id/members", method = "get")]
    async fn list(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        q: Query<Option<String>>,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<MemberPage>> {
        let app = app(&self.0)?;
        let limit = cursor::limit(limit.0)?;
        let after: String = cursor::decode(cursor.0.as_deref())?.unwrap_or_default();
        let on = &mut app.db.snapshot().await?;
        let channel = access::admit(on, caller.0.user_id, ChannelId(id.0)).await?.channel_id();
        let prefix: String = q.0.unwrap_or_default().chars().take(users::USERNAME_CHARACTERS).collect();
        let (items, next) = if prefix.trim().is_empty() {
            members::list(on, channel, &after, limit).await?
        } else {
            members::search(on, channel, &prefix, &after, limit).await?
        };
        let next_cursor = next.and_then(|it| cursor::encode(&it));
        Ok(Json(MemberPage { items, next_cursor }))
    }

    /// Brings people in: any member of a public channel but a guest, an admin of a private one.
    #[oai(path = "/channels/:id/members", method = "post")]
    async fn add(&self, caller: Bearer, id: Path<Uuid>, body: Json<AddMembers>) -> Answer<Added> {
        let (by, channel) = (caller.0.actor(), ChannelId(id.0));
        let people = match (body.0.user_id, body.0.user_ids) {
            (Some(user), None) => vec![user],
            (None, Some(users)) => users,
            _ => return Err(Fault::invalid("user_ids", "name user_id or user_ids").into()),
        };
        let added = app(&self.0)?
            .db
            .write(move |tx| async move { members::invite_all(tx, by, channel, &people).await }.boxed())
            .await?;
        let is_new = !added.is_empty();
        let additions = Json(AddedMembers { added });
        Ok(if is_new { Added::Created(additions) } else { Added::Known(additions) })
    }

    /// Removes someone: an admin's doing, or one's own.
    #[oai(path = "/channels/:id/members/:user_id", method = "delete")]
    async fn remove(&self, caller: Bearer, id: Path<Uuid>, user_id: Path<Uuid>) -> Answer<Done> {
        let (by, channel, user) = (caller.0.actor(), ChannelId(id.0), UserId(user_id.0));
        app(&self.0)?
            .db
            .write(move |tx| async move { members::remove(tx, by, channel, user).await }.boxed())
            .await?;
        Ok(Done::NoContent)
    }
}
