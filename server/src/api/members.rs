//! Who is in a channel.

use confab_core::{FutureExt, access, members};
use confab_protocol::{ChannelId, Member, UserId};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::{Answer, Area, app, cursor};
use crate::state::App;

#[derive(Debug, Object)]
struct AddMember {
    user_id: UserId,
}

#[derive(Object)]
struct MemberPage {
    items: Vec<Member>,
    next_cursor: Option<String>,
}

#[derive(ApiResponse)]
enum Added {
    /// They were a member already.
    #[oai(status = 200)]
    Known,
    /// They are a member now.
    #[oai(status = 201)]
    Created,
}

pub struct Members(pub Option<App>);

#[OpenApi(tag = "Area::Channels")]
impl Members {
    /// A channel's members.
    #[oai(path = "/channels/:id/members", method = "get")]
    async fn list(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<MemberPage>> {
        let app = app(&self.0)?;
        let limit = cursor::limit(limit.0)?;
        let after: Option<UserId> = cursor::decode(cursor.0.as_deref())?;
        let admitted = access::admit(&mut app.db.read(), caller.0.user_id, ChannelId(id.0)).await?;
        let items = members::list(&mut app.db.read(), admitted.channel_id(), after, limit).await?;
        let last = items.last().filter(|_| items.len() == limit as usize);
        let next_cursor = last.and_then(|it| cursor::encode(&it.user.id));
        Ok(Json(MemberPage { items, next_cursor }))
    }

    /// Brings someone in.
    #[oai(path = "/channels/:id/members", method = "post")]
    async fn add(&self, caller: Bearer, id: Path<Uuid>, body: Json<AddMember>) -> Answer<Added> {
        let (by, channel, user) = (caller.0.actor(), ChannelId(id.0), body.0.user_id);
        let added = app(&self.0)?
            .db
            .write(move |tx| async move { members::invite(tx, by, channel, user).await }.boxed())
            .await?;
        Ok(if added { Added::Created } else { Added::Known })
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
