//! Invitations to one channel, by code.

use confab_core::channel_invitations::{self, ChannelInvitation, Terms};
use confab_core::{Fault, FutureExt, channels};
use confab_protocol::{Channel, ChannelId, ChannelRole, Timestamp, UserId};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::strict::Text;
use super::{Answer, Area, app, cursor};
use crate::http::context::Context;
use crate::state::App;

/// Longer than any code of ours.
const CODE_BYTES: usize = 200;

#[derive(Debug, Object)]
struct NewChannelInvitation {
    /// What whoever uses it becomes: `guest`, `member` (the default) or, by owners, `admin`.
    role: Option<ChannelRole>,
    /// How many people may use it; 1 to 1,000, default 1.
    max_uses: Option<i64>,
    /// Default 72, at most 720.
    expires_in_hours: Option<i64>,
}

/// An invitation; its code is shown this once.
#[derive(Object)]
struct ShownInvitation {
    id: Uuid,
    code: String,
    url: String,
    role: ChannelRole,
    uses_left: i64,
    expires_at: Timestamp,
}

#[derive(ApiResponse)]
enum Invited {
    /// The invitation was made.
    #[oai(status = 201)]
    Created(Json<ShownInvitation>),
}

/// An invitation without its code.
#[derive(Object)]
struct LiveChannelInvitation {
    id: Uuid,
    created_by_id: UserId,
    role: ChannelRole,
    uses_left: i64,
    created_at: Timestamp,
    expires_at: Timestamp,
}

impl From<ChannelInvitation> for LiveChannelInvitation {
    fn from(it: ChannelInvitation) -> Self {
        Self {
            id: it.id,
            created_by_id: it.created_by_id,
            role: it.role,
            uses_left: it.uses_left,
            created_at: it.created_at,
            expires_at: it.expires_at,
        }
    }
}

#[derive(Object)]
struct ChannelInvitationPage {
    items: Vec<LiveChannelInvitation>,
    next_cursor: Option<String>,
}

#[derive(Debug, Object)]
struct JoinByCode {
    code: Text,
}

pub struct ChannelInvitations(pub Option<App>);

#[OpenApi(tag = "Area::Channels")]
impl ChannelInvitations {
    /// Makes an invitation: an admin's or owner's doing. It is worth what its maker may give when it is used.
    #[oai(path = "/channels/:id/invite", method = "post")]
    async fn make(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        body: Json<NewChannelInvitation>,
    ) -> Answer<Invited> {
        let app = app(&self.0)?;
        let (by, channel) = (caller.0.actor(), ChannelId(id.0));
        let terms = Terms {
            role: body.0.role.unwrap_or(ChannelRole::Member),
            uses: body.0.max_uses.unwrap_or(1),
            hours: body.0.expires_in_hours.unwrap_or(72),
        };
        let (made, code) = app
            .db
            .write(move |tx| async move { channel_invitations::make(tx, &by, channel, terms).await }.boxed())
            .await?;
        // Behind the #, where no server's log sees it.
        let url = format!("{}/join#{code}", app.public_url());
        let ChannelInvitation { id, role, uses_left, expires_at, .. } = made;
        Ok(Invited::Created(Json(ShownInvitation { id, code, url, role, uses_left, expires_at })))
    }

    /// A channel's live invitations, without their codes: an admin's or owner's to see.
    #[oai(path = "/channels/:id/invitations", method = "get")]
    async fn list(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<ChannelInvitationPage>> {
        let limit = cursor::limit(limit.0)?;
        let before: Option<Uuid> = cursor::decode(cursor.0.as_deref())?;
        let (on, user) = (&mut app(&self.0)?.db.read(), caller.0.user_id);
        let found = channel_invitations::list(on, user, ChannelId(id.0), before, limit).await?;
        let last = found.last().filter(|_| found.len() == limit as usize);
        let next_cursor = last.and_then(|it| cursor::encode(&it.id));
        let items = found.into_iter().map(LiveChannelInvitation::from).collect();
        Ok(Json(ChannelInvitationPage { items, next_cursor }))
    }

    /// Makes an invitation void: an admin's or owner's doing.
    #[oai(path = "/channels/:id/invitations/:invitation_id", method = "delete")]
    async fn revoke(&self, caller: Bearer, id: Path<Uuid>, invitation_id: Path<Uuid>) -> Answer<Done> {
        let (by, channel, invitation) = (caller.0.actor(), ChannelId(id.0), invitation_id.0);
        app(&self.0)?
            .db
            .write(move |tx| {
                async move { channel_invitations::revoke(tx, &by, channel, invitation).await }.boxed()
            })
            .await?;
        Ok(Done::NoContent)
    }

    /// Joins by a code. Every code that does not work is answered alike.
    #[oai(path = "/channels/join", method = "post")]
    async fn join(&self, caller: Bearer, body: Json<JoinByCode>) -> Answer<Json<Channel>> {
        let app = app(&self.0)?;
        let (by, user, code) = (caller.0.actor(), caller.0.user_id, body.0.code.0);
        if code.trim().is_empty() || code.len() > CODE_BYTES || code.contains('\0') {
            return Err(Fault::invalid("code", "is no code of an invitation").into());
        }
        app.limits.join_by_code(&app.db, user, Context::current().address).await?;
        let joined = app
            .db
            .write(move |tx| async move { channel_invitations::join(tx, &by, code.trim()).await }.boxed())
            .await;
        if matches!(joined, Err(Fault::NotFound(_))) {
            // Many of them are somebody who guesses: worth an alarm.
            metrics::counter!("confab_join_codes_refused_total").increment(1);
        }
        Ok(Json(channels::view(&mut app.db.read(), user, joined?).await?))
    }
}
