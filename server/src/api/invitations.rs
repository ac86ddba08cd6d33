//! Invitations and gateway tickets: secrets that the API gives out.

use std::time::Duration;

use confab_core::tickets::{self, Holder, Purpose};
use confab_core::{Fault, FutureExt};
use confab_protocol::Timestamp;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};

use super::auth::Bearer;
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
    /// Makes an invitation link: a superuser's doing.
    #[oai(path = "/auth/invitations", method = "post")]
    async fn invite(&self, caller: Bearer, body: Json<NewInvitation>) -> Answer<Invited> {
        let app = app(&self.0)?;
        caller.superuser()?;
        let max_uses = body.0.max_uses.unwrap_or(1);
        let hours = body.0.expires_in_hours.unwrap_or(72);
        if !(1..=1_000).contains(&max_uses) {
            return Err(Fault::invalid("max_uses", "must be between 1 and 1,000").into());
        }
        if !(1..=720).contains(&hours) {
            return Err(Fault::invalid("expires_in_hours", "must be between 1 and 720").into());
        }
        let lasts = Duration::from_secs(hours.unsigned_abs() * 3_600);
        let holder = Holder { user_id: Some(caller.0.user_id), session_id: None };
        let uses = u32::try_from(max_uses).unwrap_or(1);
        let token = app
            .db
            .write(move |tx| {
                async move { tickets::issue(tx, Purpose::Invitation, holder, uses, lasts).await }.boxed()
            })
            .await?;
        let url = format!("{}/register#{token}", app.public_url());
        Ok(Invited::Created(Json(Invitation {
            token,
            url,
            expires_at: Timestamp::now().plus(lasts),
            max_uses,
        })))
    }

    /// A single-use ticket that opens one socket, for clients that cannot send a first frame.
    #[oai(path = "/gateway/ticket", method = "post")]
    async fn ticket(&self, caller: Bearer) -> Answer<Json<Ticket>> {
        let app = app(&self.0)?;
        let holder = Holder { user_id: Some(caller.0.user_id), session_id: Some(caller.0.session_id) };
        let ticket = app
            .db
            .write(move |tx| {
                async move { tickets::issue(tx, Purpose::Gateway, holder, 1, TICKET_LASTS).await }.boxed()
            })
            .await?;
        Ok(Json(Ticket { ticket, expires_in: TICKET_LASTS.as_secs() }))
    }
}
