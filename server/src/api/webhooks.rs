//! Incoming webhooks of a channel; what they bring comes in at `POST /hooks/{secret}` ([`crate::hooks`]).

use confab_core::FutureExt;
use confab_core::webhooks::everywhere::{self, Listed};
use confab_core::webhooks::{self, Manager, Webhook};
use confab_protocol::{ChannelId, Timestamp, UserId};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::strict::Text;
use super::{Answer, Area, app, cursor};
use crate::state::App;

#[derive(Debug, Object)]
struct NewWebhook {
    /// What people call it, and its bot: 1 to 80 characters.
    name: Text,
}

/// A webhook with its address, which is shown this once: whoever knows it writes into the channel.
#[derive(Object)]
struct ShownWebhook {
    id: Uuid,
    /// Where programs post to.
    url: String,
    name: String,
    channel_id: ChannelId,
    bot_id: UserId,
    created_by_id: UserId,
    created_at: Timestamp,
}

#[derive(ApiResponse)]
enum Made {
    /// The webhook was made.
    #[oai(status = 201)]
    Created(Json<ShownWebhook>),
}

/// A webhook without its address.
#[derive(Object)]
struct ListedWebhook {
    id: Uuid,
    name: String,
    /// As whom it writes.
    bot_id: UserId,
    /// Who made it or renewed its address: when their account rests, so does it.
    created_by_id: UserId,
    created_at: Timestamp,
    /// When it was last used, to about a minute.
    last_used_at: Option<Timestamp>,
}

impl From<Webhook> for ListedWebhook {
    fn from(it: Webhook) -> Self {
        Self {
            id: it.id,
            name: it.name,
            bot_id: it.bot_id,
            created_by_id: it.created_by_id,
            created_at: it.created_at,
            last_used_at: it.last_used_at,
        }
    }
}

/// A webhook of an open channel, for who manages all of them.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct WebhookAnywhere {
    id: Uuid,
    name: String,
    channel_id: ChannelId,
    channel_name: String,
    /// As whom it writes.
    bot_id: UserId,
    /// The user name of whoever made it or renewed its address.
    created_by: String,
    created_at: Timestamp,
    /// When it was last used, to about a minute.
    last_used_at: Option<Timestamp>,
}

#[derive(Object)]
struct WebhookPage {
    items: Vec<WebhookAnywhere>,
    next_cursor: Option<String>,
}

impl From<Listed> for WebhookAnywhere {
    fn from(Listed { webhook, channel_name, created_by }: Listed) -> Self {
        Self {
            id: webhook.id,
            name: webhook.name,
            channel_id: webhook.channel_id,
            channel_name,
            bot_id: webhook.bot_id,
            created_by,
            created_at: webhook.created_at,
            last_used_at: webhook.last_used_at,
        }
    }
}

#[derive(Object)]
struct WebhookList {
    items: Vec<ListedWebhook>,
}

/// A token without the scope `admin` manages what its account's role in the channel lets it, no more.
fn manager(caller: &Bearer) -> Manager {
    Manager { actor: caller.0.actor(), is_superuser: caller.0.superuser().is_ok() }
}

fn shown(app: &App, it: Webhook, secret: &str) -> Json<ShownWebhook> {
    let url = format!("{}/hooks/{secret}", app.public_url());
    Json(ShownWebhook {
        id: it.id,
        url,
        name: it.name,
        channel_id: it.channel_id,
        bot_id: it.bot_id,
        created_by_id: it.created_by_id,
        created_at: it.created_at,
    })
}

pub struct Webhooks(pub Option<App>);

#[OpenApi(tag = "Area::Channels")]
impl Webhooks {
    /// Makes a webhook: an admin's or owner's doing, in open channels a superuser's too. Its bot joins the channel as a guest.
    #[oai(path = "/channels/:id/webhooks", method = "post")]
    async fn make(&self, caller: Bearer, id: Path<Uuid>, body: Json<NewWebhook>) -> Answer<Made> {
        let app = app(&self.0)?;
        let (by, channel, name) = (manager(&caller), ChannelId(id.0), body.0.name.0);
        let (made, secret) = app
            .db
            .write(move |tx| async move { webhooks::make(tx, &by, channel, &name).await }.boxed())
            .await?;
        Ok(Made::Created(shown(app, made, &secret)))
    }

    /// A channel's webhooks, without their addresses, for whoever manages them. At most twenty.
    #[oai(path = "/channels/:id/webhooks", method = "get")]
    async fn list(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<WebhookList>> {
        let on = &mut app(&self.0)?.db.read();
        let found = webhooks::list(on, &manager(&caller), ChannelId(id.0)).await?;
        Ok(Json(WebhookList { items: found.into_iter().map(ListedWebhook::from).collect() }))
    }

    /// The webhooks of all open channels, the oldest first; those of private channels are their owners' business. For
    /// superusers.
    #[oai(path = "/admin/webhooks", method = "get")]
    async fn everywhere(
        &self,
        caller: Bearer,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<WebhookPage>> {
        let by = caller.0.superuser()?;
        let limit = cursor::limit(limit.0)?;
        let after: Option<Uuid> = cursor::decode(cursor.0.as_deref())?;
        let found = everywhere::list(&mut app(&self.0)?.db.read(), &by, after, limit).await?;
        let last = found.last().filter(|_| found.len() == limit as usize);
        let next_cursor = last.and_then(|it| cursor::encode(&it.webhook.id));
        Ok(Json(WebhookPage { items: found.into_iter().map(WebhookAnywhere::from).collect(), next_cursor }))
    }

    /// Gives a webhook a new address; the old one is worth nothing from now on. Whoever does so is responsible for it.
    #[oai(path = "/channels/:id/webhooks/:webhook_id/rotate", method = "post")]
    async fn rotate(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        webhook_id: Path<Uuid>,
    ) -> Answer<Json<ShownWebhook>> {
        let app = app(&self.0)?;
        let (by, channel, webhook) = (manager(&caller), ChannelId(id.0), webhook_id.0);
        let (renewed, secret) = app
            .db
            .write(move |tx| async move { webhooks::rotate(tx, &by, channel, webhook).await }.boxed())
            .await?;
        Ok(shown(app, renewed, &secret))
    }

    /// Deletes a webhook. Its bot leaves; what it wrote stays.
    #[oai(path = "/channels/:id/webhooks/:webhook_id", method = "delete")]
    async fn delete(&self, caller: Bearer, id: Path<Uuid>, webhook_id: Path<Uuid>) -> Answer<Done> {
        let (by, channel, webhook) = (manager(&caller), ChannelId(id.0), webhook_id.0);
        app(&self.0)?
            .db
            .write(move |tx| async move { webhooks::delete(tx, &by, channel, webhook).await }.boxed())
            .await?;
        Ok(Done::NoContent)
    }
}
