//! Incoming webhooks: other programs write into one channel, each as a bot of its own, by a secret in the address that they
//! call. The secret is shown once; it is worth what the account of whoever is responsible for it is worth.

pub mod everywhere;

use std::time::Duration;

use confab_protocol::{ChannelId, ChannelRole, Timestamp, UserId};
use serde_json::json;
use uuid::Uuid;

use crate::access::{self, Admitted};
use crate::audit::{self, Action, Actor, Target};
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::messages::{self, Draft, Posted};
use crate::users::{self, NewUser};
use crate::{members, text};

/// Longest name.
pub const NAME_CHARACTERS: usize = 80;
/// Of one channel (docs/limits.md).
const MOST: i64 = 20;
/// When one was used is known to so much: each message would write it otherwise.
const USED_WITHIN: Duration = Duration::from_mins(1);
/// Letters of the name that are in the bot's user name too.
const SLUG_LETTERS: usize = 40;

const MAKE: &str =
    "insert into webhooks (id, channel_id, bot_id, created_by_id, name, token_hash, created_at, last_used_at)
    values ($1, $2, $3, $4, $5, $6, $7, null)";
const COUNT: &str = "select count(*) from webhooks where channel_id = $1";
const LIST: &str =
    "select id, channel_id, bot_id, created_by_id, name, created_at, last_used_at from webhooks
    where channel_id = $1 order by id";
const FIND: &str =
    "select id, channel_id, bot_id, created_by_id, name, created_at, last_used_at from webhooks
    where id = $1 and channel_id = $2";
const OF_TOKEN: &str =
    "select w.id, w.channel_id, w.bot_id, w.created_by_id, w.name, w.created_at, w.last_used_at from webhooks w
    join channels c on c.id = w.channel_id where w.token_hash = $1 and c.deleted_at is null";
const ACTIVE: &str = "select count(*) from users where id in ($1, $2) and is_active = true";
const USED: &str =
    "update webhooks set last_used_at = $2 where id = $1 and (last_used_at is null or last_used_at < $3)";
const ROTATE: &str = "update webhooks set token_hash = $2, created_by_id = $3 where id = $1";
const DROP: &str = "delete from webhooks where id = $1";

/// Who manages webhooks: admins and owners those of their channel.
#[derive(Clone, Debug)]
pub struct Manager {
    /// Who, for the audit log.
    pub actor: Actor,
    /// A superuser manages those of every open channel, such as `general`, which nobody need own.
    pub is_superuser: bool,
}

impl Manager {
    async fn admit(&self, tx: &mut Tx, channel: ChannelId) -> Result<Admitted> {
        access::admit_caretaker(tx, self.actor.user_id, channel, self.is_superuser).await
    }
}

/// A webhook without its secret.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Which.
    pub id: Uuid,
    /// Where it writes.
    pub channel_id: ChannelId,
    /// As whom.
    pub bot_id: UserId,
    /// Who made it or renewed its secret: when their account rests, so does it.
    pub created_by_id: UserId,
    /// What people call it, and its bot.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to about a minute.
    pub last_used_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    channel_id: Uuid,
    bot_id: Uuid,
    created_by_id: Uuid,
    name: String,
    created_at: i64,
    last_used_at: Option<i64>,
}

impl From<Row> for Webhook {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            channel_id: ChannelId(row.channel_id),
            bot_id: UserId(row.bot_id),
            created_by_id: UserId(row.created_by_id),
            name: row.name,
            created_at: Timestamp(row.created_at),
            last_used_at: row.last_used_at.map(Timestamp),
        }
    }
}

/// Makes a webhook with a bot of its name. Answers it with its secret, which is shown this
/// once.
///
/// # Errors
/// [`Fault::Invalid`] in `name`; [`Fault::Conflict`] with code `too_many_webhooks`, `channel_archived`, or for
/// conversations.
pub async fn make(tx: &mut Tx, by: &Manager, channel: ChannelId, name: &str) -> Result<(Webhook, String)> {
    let name = text::line("name", name, NAME_CHARACTERS)?;
    let admitted = by.admit(tx, channel).await?;
    let user = admitted.user_id();
    if admitted.is_archived() {
        return Err(Fault::conflict("channel_archived", "this channel is archived"));
    }
    let there: i64 = run!(tx, sqlx::query_scalar(COUNT).bind(channel.0), fetch_one)?;
    if there >= MOST {
        return Err(Fault::conflict(
            "too_many_webhooks",
            format!("a channel has at most {MOST} webhooks; delete one first"),
        ));
    }
    let id = confab_protocol::fresh_id();
    let bot_id = make_bot(tx, id, &name).await?;
    // As a guest it mentions people, and never the whole channel: a program that fails every second would call everybody.
    members::add(tx, channel, &[(bot_id, ChannelRole::Guest)], Some(user)).await?;
    let secret = text::secret();
    let made = Webhook {
        id,
        channel_id: channel,
        bot_id,
        created_by_id: user,
        name,
        created_at: Timestamp::now(),
        last_used_at: None,
    };
    run!(
        tx,
        sqlx::query(MAKE)
            .bind(made.id)
            .bind(channel.0)
            .bind(bot_id.0)
            .bind(user.0)
            .bind(made.name.clone())
            .bind(text::hash(&secret))
            .bind(made.created_at.0),
        execute
    )?;
    note(tx, &by.actor, Action::WebhookCreated, &made).await?;
    Ok((made, secret))
}

async fn make_bot(tx: &mut Tx, id: Uuid, name: &str) -> Result<UserId> {
    let slug: String = name
        .to_lowercase()
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
        .take(SLUG_LETTERS)
        .collect();
    let slug = slug.trim_matches('-');
    // The end of the id, which is drawn by lot: of one name there may be a webhook in each channel.
    let lot = &id.simple().to_string()[24..];
    let username = if slug.is_empty() { format!("webhook-{lot}") } else { format!("{slug}-webhook-{lot}") };
    let mut bot = NewUser::check(&username, None, Some(name))?;
    bot.is_bot = true;
    let bot_id = bot.id;
    users::insert(tx, &[bot]).await?;
    Ok(bot_id)
}

/// A channel's webhooks, the oldest first.
pub async fn list(on: &mut impl Read, by: &Manager, channel: ChannelId) -> Result<Vec<Webhook>> {
    let user = by.actor.user_id.ok_or(Fault::NotFound("channel"))?;
    access::admit(on, user, channel).await?.cared_for(by.is_superuser)?;
    let rows: Vec<Row> = run!(on, sqlx::query_as(LIST).bind(channel.0), fetch_all)?;
    Ok(rows.into_iter().map(Webhook::from).collect())
}

/// Gives a webhook a new secret; the old one is worth nothing from now on. Whoever does so is responsible for it.
///
/// # Errors
/// [`Fault::NotFound`] for one of another channel.
pub async fn rotate(tx: &mut Tx, by: &Manager, channel: ChannelId, id: Uuid) -> Result<(Webhook, String)> {
    let user = by.admit(tx, channel).await?.user_id();
    let mut webhook = find(tx, channel, id).await?;
    let secret = text::secret();
    run!(tx, sqlx::query(ROTATE).bind(id).bind(text::hash(&secret)).bind(user.0), execute)?;
    webhook.created_by_id = user;
    note(tx, &by.actor, Action::WebhookRotated, &webhook).await?;
    Ok((webhook, secret))
}

/// Deletes a webhook. Its bot leaves and rests; what it wrote stays.
///
/// # Errors
/// [`Fault::NotFound`] for one of another channel.
pub async fn delete(tx: &mut Tx, by: &Manager, channel: ChannelId, id: Uuid) -> Result<()> {
    by.admit(tx, channel).await?;
    let webhook = find(tx, channel, id).await?;
    members::withdraw(tx, channel, webhook.bot_id).await?;
    drop_one(tx, &webhook).await?;
    note(tx, &by.actor, Action::WebhookDeleted, &webhook).await
}

/// Those of a channel go with it.
pub(crate) async fn forget(tx: &mut Tx, channel: ChannelId) -> Result<()> {
    let rows: Vec<Row> = run!(tx, sqlx::query_as(LIST).bind(channel.0), fetch_all)?;
    for webhook in rows.into_iter().map(Webhook::from) {
        drop_one(tx, &webhook).await?;
    }
    Ok(())
}

async fn drop_one(tx: &mut Tx, webhook: &Webhook) -> Result<()> {
    run!(tx, sqlx::query(DROP).bind(webhook.id), execute)?;
    users::rest(tx, webhook.bot_id).await
}

/// The webhook of a secret.
///
/// # Errors
/// [`Fault::NotFound`] alike for a secret that never was, was renewed or deleted, and for one whose channel is gone.
pub async fn of_token(on: &mut impl Read, token: &str) -> Result<Webhook> {
    let found: Option<Row> = run!(on, sqlx::query_as(OF_TOKEN).bind(text::hash(token)), fetch_optional)?;
    found.map(Webhook::from).ok_or(Fault::NotFound("webhook"))
}

/// Posts what came by a webhook, as its bot. A draft with a nonce that came before is the same message.
///
/// # Errors
/// Those of [`of_token`] and of [`messages::post`]; [`Fault::Forbidden`] with code `webhook_rests` when the account of
/// whoever is responsible for it, or of its bot, rests.
pub async fn post(tx: &mut Tx, token: &str, draft: Draft) -> Result<Posted> {
    // Read in the same transaction: what was renewed or deleted a moment ago lets nobody in.
    let webhook = of_token(tx, token).await?;
    let active: i64 =
        run!(tx, sqlx::query_scalar(ACTIVE).bind(webhook.created_by_id.0).bind(webhook.bot_id.0), fetch_one)?;
    if active < 2 {
        return Err(Fault::forbidden(
            "webhook_rests",
            "whoever is responsible for this webhook has no active account; an admin of the channel can renew its secret",
        ));
    }
    let posted = messages::post(tx, webhook.bot_id, webhook.channel_id, draft).await?;
    let now = Timestamp::now();
    let before = now.0 - i64::try_from(USED_WITHIN.as_millis()).unwrap_or(0);
    run!(tx, sqlx::query(USED).bind(webhook.id).bind(now.0).bind(before), execute)?;
    Ok(posted)
}

async fn find(on: &mut impl Read, channel: ChannelId, id: Uuid) -> Result<Webhook> {
    let found: Option<Row> = run!(on, sqlx::query_as(FIND).bind(id).bind(channel.0), fetch_optional)?;
    found.map(Webhook::from).ok_or(Fault::NotFound("webhook"))
}

async fn note(tx: &mut Tx, by: &Actor, action: Action, webhook: &Webhook) -> Result<()> {
    let detail = json!({ "channel_id": webhook.channel_id, "name": webhook.name, "bot_id": webhook.bot_id });
    audit::note(tx, by, action, Some(Target::new("webhook", webhook.id)), detail).await
}
