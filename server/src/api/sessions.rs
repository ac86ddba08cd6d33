//! The devices on which one is signed in.

use confab_core::FutureExt;
use confab_core::sessions::{self, Session};
use confab_protocol::{SessionId, Timestamp};
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::{Answer, Area, app};
use crate::state::App;

/// A signed-in device.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct SessionView {
    id: SessionId,
    /// The client's own words.
    device_info: Option<String>,
    ip_address: Option<String>,
    /// `password`, `registration` or `external`.
    method: String,
    created_at: Timestamp,
    /// To about a minute.
    last_used_at: Timestamp,
    expires_at: Timestamp,
    /// The one that asks.
    is_current: bool,
    is_active: bool,
}

#[derive(Object)]
struct SessionList {
    items: Vec<SessionView>,
}

pub struct Sessions(pub Option<App>);

#[OpenApi(tag = "Area::Auth")]
impl Sessions {
    /// One's own live sessions, the last used first.
    #[oai(path = "/auth/sessions", method = "get")]
    async fn list(&self, caller: Bearer) -> Answer<Json<SessionList>> {
        caller.0.in_person()?;
        let current = caller.0.session_id;
        let found = sessions::list(&mut app(&self.0)?.db.read(), caller.0.user_id).await?;
        Ok(Json(SessionList { items: found.into_iter().map(|it| view(it, current)).collect() }))
    }

    /// Ends one of one's own sessions. Its sockets close.
    #[oai(path = "/auth/sessions/:id", method = "delete")]
    async fn end(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        let app = app(&self.0)?;
        caller.0.in_person()?;
        let (by, user, session) = (caller.0.actor(), caller.0.user_id, SessionId(id.0));
        app.db
            .write(move |tx| async move { sessions::end_listed(tx, &by, session, user).await }.boxed())
            .await?;
        app.tokens.forget(session);
        Ok(Done::NoContent)
    }
}

fn view(session: Session, current: SessionId) -> SessionView {
    SessionView {
        id: session.id,
        device_info: session.device_info,
        ip_address: session.ip_address,
        method: session.method.as_str().into(),
        created_at: session.created_at,
        last_used_at: session.last_used_at,
        expires_at: session.expires_at,
        is_current: session.id == current,
        is_active: true,
    }
}
