//! How long messages of a channel are kept. The server's own rule is part of `admin/policy`.

use confab_core::{Fault, FutureExt, retention};
use confab_protocol::ChannelId;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::types::MaybeUndefined;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::auth::Bearer;
use super::{Answer, Area, app};
use crate::state::App;

#[derive(Debug, Object)]
struct NewRetention {
    /// 1 to 3,650; null: as long as the server's rule says.
    days: MaybeUndefined<i64>,
}

/// How long messages of a channel are kept, in days.
#[derive(Object)]
struct Retention {
    channel_id: ChannelId,
    /// The channel's own; null: the server's.
    days: Option<i64>,
    /// The server's; null: for ever.
    server_days: Option<i64>,
    /// What holds; null: for ever.
    effective_days: Option<i64>,
}

pub struct ChannelRetention(pub Option<App>);

#[OpenApi(tag = "Area::Channels")]
impl ChannelRetention {
    /// How long messages of the channel are kept.
    #[oai(path = "/channels/:id/retention", method = "get")]
    async fn get(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<Retention>> {
        let channel = ChannelId(id.0);
        let found = retention::of_channel(&mut app(&self.0)?.db.read(), caller.0.user_id, channel).await?;
        Ok(Json(view(channel, found)))
    }

    /// Chooses how long messages are kept: an admin's or owner's doing. What is older is deleted for good within minutes,
    /// pinned or not.
    #[oai(path = "/channels/:id/retention", method = "put")]
    async fn set(&self, caller: Bearer, id: Path<Uuid>, body: Json<NewRetention>) -> Answer<Json<Retention>> {
        let (app, by, channel) = (app(&self.0)?, caller.0.actor(), ChannelId(id.0));
        let days = match body.0.days {
            MaybeUndefined::Value(days) => Some(days),
            MaybeUndefined::Null => None,
            // An empty body by mistake must not end a longer rule.
            MaybeUndefined::Undefined => {
                return Err(Fault::invalid("days", "is a number of days, or null").into());
            }
        };
        let chosen = app
            .db
            .write(move |tx| async move { retention::set_of_channel(tx, &by, channel, days).await }.boxed())
            .await?;
        app.due.expire();
        Ok(Json(view(channel, chosen)))
    }
}

fn view(channel_id: ChannelId, of: retention::Retention) -> Retention {
    let effective_days = of.effective_days();
    Retention { channel_id, days: of.days, server_days: of.server_days, effective_days }
}
