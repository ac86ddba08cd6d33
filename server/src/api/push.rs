//! Browsers that are told while they are closed.

use confab_core::{FutureExt, push};
use confab_protocol::{SessionId, Timestamp};
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::strict::Text;
use super::{Answer, Area, app};
use crate::state::App;

#[derive(Object)]
struct PushKey {
    /// What `pushManager.subscribe` takes as `applicationServerKey`.
    key: String,
}

/// What a browser makes of it: its `PushSubscription` as JSON.
#[derive(Debug, Object)]
struct NewSubscription {
    endpoint: Text,
    keys: SubscriptionKeys,
}

#[derive(Debug, Object)]
struct SubscriptionKeys {
    p256dh: Text,
    auth: Text,
}

/// A browser that is told.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct Subscription {
    id: Uuid,
    endpoint: String,
    /// What the device says of itself.
    device_info: Option<String>,
    /// Whether it is the session that asks.
    is_current: bool,
    created_at: Timestamp,
    /// When its push service last took something.
    used_at: Option<Timestamp>,
}

#[derive(Object)]
struct SubscriptionPage {
    /// At most 20.
    items: Vec<Subscription>,
    /// Always null: the list is whole.
    next_cursor: Option<String>,
}

#[derive(ApiResponse)]
enum Subscribed {
    /// It is told from now on.
    #[oai(status = 201)]
    Created(Json<Subscription>),
}

impl Subscription {
    fn of(it: push::Subscription, session: SessionId) -> Self {
        Self {
            id: it.id,
            endpoint: it.endpoint,
            device_info: it.device_info,
            is_current: it.session_id == session.0,
            created_at: Timestamp(it.created_at),
            used_at: it.used_at.map(Timestamp),
        }
    }
}

pub struct Push(pub Option<App>);

#[OpenApi(tag = "Area::Users")]
impl Push {
    /// The public key by which push services know this server.
    #[oai(path = "/push/key", method = "get")]
    async fn key(&self, _caller: Bearer) -> Answer<Json<PushKey>> {
        Ok(Json(PushKey { key: app(&self.0)?.push.public_key().to_owned() }))
    }

    /// Has this browser told of one's notifications, until its session ends.
    #[oai(path = "/push/subscriptions", method = "post")]
    async fn subscribe(&self, caller: Bearer, body: Json<NewSubscription>) -> Answer<Subscribed> {
        let (app, user, session) = (app(&self.0)?, caller.0.user_id, caller.0.session_id);
        // A token that may only write would read by it.
        caller.0.in_person()?;
        let NewSubscription { endpoint, keys } = body.0;
        let new = app.push.check(endpoint.0, &keys.p256dh.0, &keys.auth.0)?;
        let made = app
            .db
            .write(move |tx| async move { push::subscribe(tx, user, session, new).await }.boxed())
            .await?;
        Ok(Subscribed::Created(Json(Subscription::of(made, session))))
    }

    /// One's own browsers that are told.
    #[oai(path = "/push/subscriptions", method = "get")]
    async fn list(&self, caller: Bearer) -> Answer<Json<SubscriptionPage>> {
        let (app, session) = (app(&self.0)?, caller.0.session_id);
        let found = push::list(&mut app.db.read(), caller.0.user_id).await?;
        let items = found.into_iter().map(|it| Subscription::of(it, session)).collect();
        Ok(Json(SubscriptionPage { items, next_cursor: None }))
    }

    /// Tells a browser nothing more.
    #[oai(path = "/push/subscriptions/:id", method = "delete")]
    async fn unsubscribe(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        let (user, id) = (caller.0.user_id, id.0);
        app(&self.0)?
            .db
            .write(move |tx| async move { push::unsubscribe(tx, user, id).await }.boxed())
            .await?;
        Ok(Done::NoContent)
    }
}
