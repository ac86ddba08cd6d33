//! Pins.

use confab_core::pins::{self, After};
use confab_core::{FutureExt, access};
use confab_protocol::{ChannelId, Message, MessageId};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::{Answer, Area, app, cursor};
use crate::state::App;

#[derive(Object)]
struct PinPage {
    /// The newest pin first.
    items: Vec<Message>,
    next_cursor: Option<String>,
}

pub struct Pins(pub Option<App>);

#[OpenApi(tag = "Area::Messages")]
impl Pins {
    /// Pins a message: any member's doing. Twice is once; a channel has at most a hundred.
    #[oai(path = "/messages/:id/pin", method = "put")]
    async fn add(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<Message>> {
        let (user, id) = (caller.0.user_id, MessageId(id.0));
        let pinned =
            app(&self.0)?.db.write(move |tx| async move { pins::add(tx, user, id).await }.boxed()).await?;
        Ok(Json(pinned))
    }

    /// Takes a pin off: any member's doing.
    #[oai(path = "/messages/:id/pin", method = "delete")]
    async fn remove(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        let (user, id) = (caller.0.user_id, MessageId(id.0));
        app(&self.0)?.db.write(move |tx| async move { pins::remove(tx, user, id).await }.boxed()).await?;
        Ok(Done::NoContent)
    }

    /// The pinned messages of a channel.
    #[oai(path = "/channels/:id/pins", method = "get")]
    async fn list(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<PinPage>> {
        let app = app(&self.0)?;
        let limit = cursor::limit(limit.0)?;
        let after: Option<After> = cursor::decode(cursor.0.as_deref())?;
        let on = &mut app.db.snapshot().await?;
        let admitted = access::admit(on, caller.0.user_id, ChannelId(id.0)).await?;
        let (items, next) = pins::list(on, &admitted, after, limit).await?;
        Ok(Json(PinPage { items, next_cursor: next.and_then(|place| cursor::encode(&place)) }))
    }
}
