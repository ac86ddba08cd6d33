//! What administrators choose at run time, and breaking the glass.

use confab_core::break_glass::{self, BreakGlass};
use confab_core::policies::{self, Accounts};
use confab_core::retention::{self, Rule};
use confab_core::{FutureExt, workspace};
use confab_protocol::{ChannelId, Timestamp, UserId};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::types::MaybeUndefined;
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::strict::Text;
use super::{Answer, Area, app, cursor};
use crate::state::App;

/// Rules that hold for everyone.
#[derive(Debug, Object)]
struct Policy {
    /// Everyone needs a second factor, but for bots and sessions of an outside issuer; personal tokens wait for it too.
    require_two_factor: bool,
    /// For how many days messages are kept, 1 to 3,650, in channels without a rule of their own; null: for ever. Absent when
    /// it is to stay as it is. What is older is deleted for good within minutes.
    message_retention_days: MaybeUndefined<i64>,
}

/// What everybody sees of the workspace.
#[derive(Debug, Object)]
struct Workspace {
    /// 1 to 60 characters.
    name: Text,
}

#[derive(Debug, Object)]
struct NewAccess {
    channel_id: ChannelId,
    /// 10 to 500 characters; stands in the audit log.
    reason: Text,
    /// 1 to 24, default 1.
    hours: Option<i64>,
}

/// A superuser's access to a channel that they are no member of.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct BreakGlassAccess {
    id: Uuid,
    user_id: UserId,
    channel_id: ChannelId,
    reason: String,
    created_at: Timestamp,
    expires_at: Timestamp,
    /// Given up before its time.
    ended_at: Option<Timestamp>,
}

#[derive(ApiResponse)]
enum Opened {
    /// The channel can be read now.
    #[oai(status = 201)]
    Created(Json<BreakGlassAccess>),
}

#[derive(Object)]
struct BreakGlassPage {
    items: Vec<BreakGlassAccess>,
    next_cursor: Option<String>,
}

pub struct Policies(pub Option<App>);

#[OpenApi(tag = "Area::Administration")]
impl Policies {
    /// The rules that hold: for superusers.
    #[oai(path = "/admin/policy", method = "get")]
    async fn get(&self, caller: Bearer) -> Answer<Json<Policy>> {
        caller.0.superuser()?;
        let app = app(&self.0)?;
        let accounts = policies::accounts(&mut app.db.read()).await?;
        Ok(Json(Policy::of(accounts, retention::rule(&mut app.db.read()).await?)))
    }

    /// Chooses other rules; they hold for live sessions within seconds. For superusers.
    #[oai(path = "/admin/policy", method = "put")]
    async fn set(&self, caller: Bearer, body: Json<Policy>) -> Answer<Json<Policy>> {
        let (by, app) = (caller.0.superuser()?, app(&self.0)?);
        let Policy { require_two_factor, message_retention_days } = body.0;
        let (accounts, rule) = app
            .db
            .write(move |tx| {
                async move {
                    let accounts = policies::set_accounts(tx, &by, Accounts { require_two_factor }).await?;
                    let rule = match message_retention_days {
                        MaybeUndefined::Undefined => retention::rule(tx).await?,
                        days => {
                            let message_retention_days = days.take();
                            retention::set_rule(tx, &by, Rule { message_retention_days }).await?
                        }
                    };
                    Ok((accounts, rule))
                }
                .boxed()
            })
            .await?;
        app.tokens.forget_all();
        app.due.expire();
        Ok(Json(Policy::of(accounts, rule)))
    }

    /// Calls the workspace something else; people see it when they come back. For superusers.
    #[oai(path = "/admin/workspace", method = "put")]
    async fn rename(&self, caller: Bearer, body: Json<Workspace>) -> Answer<Done> {
        let (by, name) = (caller.0.superuser()?, body.0.name.0);
        app(&self.0)?
            .db
            .write(move |tx| async move { workspace::rename(tx, &by, &name).await }.boxed())
            .await?;
        Ok(Done::NoContent)
    }

    /// Opens a channel to oneself without being a member: to read, for some hours, for a reason that stands in the audit
    /// log. For superusers, who read no private channel by being one.
    #[oai(path = "/admin/break-glass", method = "post")]
    async fn open(&self, caller: Bearer, body: Json<NewAccess>) -> Answer<Opened> {
        let (by, app) = (caller.0.superuser()?, app(&self.0)?);
        caller.0.in_person()?;
        let NewAccess { channel_id, reason, hours } = body.0;
        let hours = hours.unwrap_or(1);
        let opened = app
            .db
            .write(move |tx| {
                async move { break_glass::open(tx, &by, channel_id, &reason.0, hours).await }.boxed()
            })
            .await?;
        Ok(Opened::Created(Json(opened.into())))
    }

    /// All such accesses, the newest first: for superusers.
    #[oai(path = "/admin/break-glass", method = "get")]
    async fn list(
        &self,
        caller: Bearer,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<BreakGlassPage>> {
        caller.0.superuser()?;
        let limit = cursor::limit(limit.0)?;
        let before: Option<Uuid> = cursor::decode(cursor.0.as_deref())?;
        let found = break_glass::list(&mut app(&self.0)?.db.read(), before, limit).await?;
        let next_cursor =
            found.last().filter(|_| found.len() == limit as usize).and_then(|it| cursor::encode(&it.id));
        Ok(Json(BreakGlassPage {
            items: found.into_iter().map(BreakGlassAccess::from).collect(),
            next_cursor,
        }))
    }

    /// Gives such an access up: for superusers.
    #[oai(path = "/admin/break-glass/:id", method = "delete")]
    async fn end(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        let by = caller.0.superuser()?;
        app(&self.0)?
            .db
            .write(move |tx| async move { break_glass::end(tx, &by, id.0).await }.boxed())
            .await?;
        Ok(Done::NoContent)
    }
}

impl Policy {
    fn of(accounts: Accounts, rule: Rule) -> Self {
        Self {
            require_two_factor: accounts.require_two_factor,
            message_retention_days: rule
                .message_retention_days
                .map_or(MaybeUndefined::Null, MaybeUndefined::Value),
        }
    }
}

impl From<BreakGlass> for BreakGlassAccess {
    fn from(it: BreakGlass) -> Self {
        Self {
            id: it.id,
            user_id: it.user_id,
            channel_id: it.channel_id,
            reason: it.reason,
            created_at: it.created_at,
            expires_at: it.expires_at,
            ended_at: it.ended_at,
        }
    }
}
