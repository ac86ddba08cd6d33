//! Invitations and gateway tickets: secrets that the API gives out.

use std::time::Duration;

use confab_core::roles::Permission;
use confab_core::tickets::{self, Holder, Purpose};
use confab_core::{Fault, FutureExt};
use confab_protocol::{Timestamp, UserId};
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::{Answer, Area, app};
use crate::state::App;

#[derive(Debug, Object)]
struct NewInvitation {
    /// How many people may use it; 1 to 1,000, default 1.
    max_uses: Option<i64>,
    /// Default 72, at most 720.
    expires_in_hours: Option<i64>,
}

/// An invitation; its secret is shown this once.
#[derive(Debug, Object)]
struct Invitation {
    id: Uuid,
    token: String,
    url: String,
    expires_at: Timestamp,
    max_uses: i64,
}

#[derive(ApiResponse)]
enum Invited {
    /// The invitation was made.
    #[oai(status = 201)]
    Created(Json<Invitation>),
}

/// An invitation without its secret.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct LiveInvitation {
    id: Uuid,
    created_by_id: Option<UserId>,
    uses_left: i64,
    created_at: Timestamp,
    expires_at: Timestamp,
}

#[derive(Object)]
struct InvitationList {
    items: Vec<LiveInvitation>,
}

/// A single-use ticket for a socket.
#[derive(Debug, Object)]
struct Ticket {
    ticket: String,
    /// In seconds.
    expires_in: u64,
}

/// How long a gateway ticket waits for its socket.
const TICKET_LASTS: Duration = Duration::from_secs(30);

pub struct Invitations(pub Option<App>);

#[OpenApi(tag = "Area::Auth")]
impl Invitations {
    /// Makes an invitation link. Needs `users.invite`.
    #[oai(path = "/auth/invitations", method = "post")]
    async fn invite(&self, caller: Bearer, body: Json<NewInvitation>) -> Answer<Invited> {
        let app = app(&self.0)?;
        let by = caller.0.may(Permission::UsersInvite)?;
        let max_uses = body.0.max_uses.unwrap_or(1);
        let hours = body.0.expires_in_hours.unwrap_or(72);
        let uses = u32::try_from(max_uses).ok().filter(|uses| (1..=1_000).contains(uses));
        let uses = uses.ok_or_else(|| Fault::invalid("max_uses", "must be between 1 and 1,000"))?;
        if !(1..=720).contains(&hours) {
            return Err(Fault::invalid("expires_in_hours", "must be between 1 and 720").into());
        }
        let lasts = Duration::from_secs(hours.unsigned_abs() * 3_600);
        let (id, token) = app
            .db
            .write(move |tx| async move { tickets::invite(tx, &by, uses, lasts).await }.boxed())
            .await?;
        let url = format!("{}/register#{token}", app.public_url());
        let expires_at = Timestamp::now().plus(lasts);
        Ok(Invited::Created(Json(Invitation { id, token, url, expires_at, max_uses })))
    }

    /// The live invitations, without their secrets. Needs `users.invite`.
    #[oai(path = "/auth/invitations", method = "get")]
    async fn list(&self, caller: Bearer) -> Answer<Json<InvitationList>> {
        caller.0.may(Permission::UsersInvite)?;
        let found = tickets::invitations(&mut app(&self.0)?.db.read()).await?;
        let items = found
            .into_iter()
            .map(|it| LiveInvitation {
                id: it.id,
                created_by_id: it.user_id,
                uses_left: it.uses_left,
                created_at: it.created_at,
                expires_at: it.expires_at,
            })
            .collect();
        Ok(Json(InvitationList { items }))
    }

    /// Makes an invitation void. Needs `users.invite`.
    #[oai(path = "/auth/invitations/:id", method = "delete")]
    async fn revoke(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        let by = caller.0.may(Permission::UsersInvite)?;
        app(&self.0)?
            .db
            .write(move |tx| async move { tickets::revoke_invitation(tx, &by, id.0).await }.boxed())
            .await?;
        Ok(Done::NoContent)
    }

    /// A single-use ticket that opens one socket, for clients that cannot send a first frame.
    #[oai(path = "/gateway/ticket", method = "post")]
    async fn ticket(&self, caller: Bearer) -> Answer<Json<Ticket>> {
        let app = app(&self.0)?;
        app.limits.ticket(caller.0.session_id)?;
        let holder = Holder {
            user_id: Some(caller.0.user_id),
            session_id: Some(caller.0.session_id),
            ..Holder::default()
        };
        let ticket = app
            .db
            .write(move |tx| {
                async move { tickets::issue(tx, Purpose::Gateway, holder, 1, TICKET_LASTS).await }.boxed()
            })
            .await?;
        Ok(Json(Ticket { ticket, expires_in: TICKET_LASTS.as_secs() }))
    }
}
