//! Roles in a channel.

use confab_core::members::{self, Appointer};
use confab_core::{Fault, FutureExt, access};
use confab_protocol::{ChannelId, ChannelRole, Member, UserId};
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::auth::Bearer;
use super::{Answer, Area, app};
use crate::state::App;

/// The caller's role in a channel.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct OwnChannelRole {
    channel_id: ChannelId,
    user_id: UserId,
    /// Absent: reads without being a member.
    role: Option<ChannelRole>,
}

#[derive(Debug, Object)]
struct NewChannelRole {
    role: ChannelRole,
}

pub struct ChannelRoles(pub Option<App>);

#[OpenApi(tag = "Area::Channels")]
impl ChannelRoles {
    /// The caller's role.
    #[oai(path = "/channels/:id/role", method = "get")]
    async fn own(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<OwnChannelRole>> {
        let user_id = caller.0.user_id;
        let admitted = access::admit(&mut app(&self.0)?.db.read(), user_id, ChannelId(id.0)).await?;
        Ok(Json(OwnChannelRole { channel_id: admitted.channel_id(), user_id, role: admitted.role() }))
    }

    /// Gives a member a role. Owners make owners and admins, admins make members and guests of those below them; whoever
    /// steps down needs nobody's leave. An owner hands over by making somebody else an owner, and may leave then. A
    /// superuser names the first owner of an open channel that has none.
    #[oai(path = "/channels/:id/roles/:user_id", method = "put")]
    async fn set(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        user_id: Path<Uuid>,
        body: Json<NewChannelRole>,
    ) -> Answer<Json<Member>> {
        let app = app(&self.0)?;
        let (channel, user, role) = (ChannelId(id.0), UserId(user_id.0), body.0.role);
        let by = Appointer { actor: caller.0.actor(), is_superuser: caller.0.superuser().is_ok() };
        app.db
            .write(move |tx| async move { members::set_role(tx, &by, channel, user, role).await }.boxed())
            .await?;
        let member = members::one(&mut app.db.read(), channel, user).await?;
        Ok(Json(member.ok_or(Fault::NotFound("member"))?))
    }
}
