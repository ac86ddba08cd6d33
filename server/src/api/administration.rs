//! Figures of the server, what its workers could not digest, and a demo for a workspace that is still empty.

use confab_core::roles::Permission;
use confab_core::{Fault, FutureExt, cursors, log, users};
use confab_protocol::Timestamp;
use confab_worker::services;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde_json::json;
use uuid::Uuid;

use super::auth::Bearer;
use super::{Answer, Area, app, cursor};
use crate::progress::Progress;
use crate::state::App;
use crate::{demo, import};

/// A demo that one looks at: small enough to be there in a few seconds.
const DEMO_USERS: usize = 12;
const DEMO_CHANNELS: usize = 6;
const DEMO_MESSAGES: usize = 600;

#[derive(Object)]
struct DeadLetter {
    id: Uuid,
    /// Who failed.
    consumer: String,
    /// At which position of the log.
    pos: i64,
    kind: String,
    error: String,
    attempts: i64,
    created_at: Timestamp,
}

#[derive(Object)]
struct DeadLetterPage {
    items: Vec<DeadLetter>,
    next_cursor: Option<String>,
}

#[derive(Object)]
struct Stats {
    /// Accounts, bots and placeholders too.
    user_count: i64,
    /// Sockets of this server.
    socket_count: i64,
    /// The newest position of the log.
    head: i64,
    /// Each consumer of the log and its position.
    cursors: serde_json::Value,
    /// The search index: `lag` is the number of events not yet in it, `lag_ms` for how long the oldest of them waits, in milliseconds,
    /// `origin` the position of the log when it was begun. While a new one is built, `building` tells how many messages are done, and of how many.
    /// `vectors` names the `model` of search by meaning, the one whose vectors are `serving`, and with `building` how far vectors of
    /// a new model are.
    index: serde_json::Value,
    /// `sqlite` or `postgres`.
    engine: String,
}

/// What a demo brought.
#[derive(Object)]
#[allow(clippy::struct_field_names)] // counts are all that it has
struct Demo {
    /// People and bots.
    user_count: u64,
    /// Channels, without conversations.
    channel_count: u64,
    message_count: u64,
}

#[derive(ApiResponse)]
enum Filled {
    /// It is there.
    #[oai(status = 201)]
    Created(Json<Demo>),
}

#[derive(ApiResponse)]
enum Asked {
    /// It will be done.
    #[oai(status = 202)]
    Accepted,
}

pub struct Administration(pub Option<App>);

#[OpenApi(tag = "Area::Administration")]
impl Administration {
    /// Figures of this server. Needs `server.watch`.
    #[oai(path = "/admin/stats", method = "get")]
    async fn stats(&self, caller: Bearer) -> Answer<Json<Stats>> {
        let app = app(&self.0)?;
        caller.0.may(Permission::ServerWatch)?;
        let cursors: serde_json::Map<String, serde_json::Value> = cursors::all(&mut app.db.read())
            .await?
            .into_iter()
            .map(|(name, pos)| (name, json!(pos)))
            .collect();
        // Without a worker the rest is still worth knowing.
        let index = app
            .bus
            .ask(services::INDEX_STATE, &json!({}))
            .await
            .unwrap_or_else(|fault| json!({ "error": fault.to_string() }));
        Ok(Json(Stats {
            user_count: users::count(&mut app.db.read()).await?,
            socket_count: app.hub.socket_count() as i64,
            head: log::head(&mut app.db.read()).await?,
            cursors: cursors.into(),
            index,
            engine: app.db.engine_name().into(),
        }))
    }

    /// Events that a consumer failed at too often. Needs `server.watch`.
    #[oai(path = "/admin/dead-letters", method = "get")]
    async fn dead_letters(
        &self,
        caller: Bearer,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<DeadLetterPage>> {
        caller.0.may(Permission::ServerWatch)?;
        let limit = cursor::limit(limit.0)?;
        let after: Option<Uuid> = cursor::decode(cursor.0.as_deref())?;
        let found = cursors::dead_letters(&mut app(&self.0)?.db.read(), after, limit).await?;
        let next_cursor =
            found.last().filter(|_| found.len() == limit as usize).and_then(|it| cursor::encode(&it.id));
        let items = found
            .into_iter()
            .map(|it| DeadLetter {
                id: it.id,
                consumer: it.consumer,
                pos: it.pos,
                kind: it.kind,
                error: it.error,
                attempts: it.attempts,
                created_at: Timestamp(it.created_at),
            })
            .collect();
        Ok(Json(DeadLetterPage { items, next_cursor }))
    }

    /// Hands an event to the consumer that failed at it, once more. If it fails again there is a new dead letter. Needs
    /// `server.watch`.
    #[oai(path = "/admin/dead-letters/:id/retry", method = "post")]
    async fn retry(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Asked> {
        let (by, app) = (caller.0.may(Permission::ServerWatch)?, app(&self.0)?);
        app.db.write(move |tx| async move { cursors::retry(tx, &by, id.0).await }.boxed()).await?;
        Ok(Asked::Accepted)
    }

    /// Fills a workspace that nobody else has come to with invented people and what they say; the caller is in their channels. Nobody can sign
    /// in as them. Superusers.
    #[oai(path = "/admin/demo", method = "post")]
    async fn demo(&self, caller: Bearer) -> Answer<Filled> {
        let (granted, by, app) = (caller.0.superuser()?, caller.0.user_id, app(&self.0)?.clone());
        if users::has_others(&mut app.db.read(), by).await? {
            return Err(Fault::conflict("workspace_in_use", "others have an account here already").into());
        }
        let options = demo::Options {
            users: DEMO_USERS,
            channels: DEMO_CHANNELS,
            messages: DEMO_MESSAGES,
            can_sign_in: false,
            beside: Some(by),
            ..demo::Options::default()
        };
        // Before anything of it is here: what a kill interrupts stays in part, and is on record.
        import::note(&app.db, granted.actor(), "demo").await?;
        // A task of its own: a caller who goes away meanwhile leaves no half of it.
        let work = async move { demo::run(&app.db, &app.storage, &options, &Progress::hidden()).await };
        let report = tokio::spawn(work).await.map_err(Fault::internal)??;
        Ok(Filled::Created(Json(Demo {
            user_count: report.users,
            channel_count: report.channels,
            message_count: report.messages,
        })))
    }

    /// Builds every search index anew, while the old ones go on answering. Needs `server.watch`.
    #[oai(path = "/admin/reindex", method = "post")]
    async fn reindex(&self, caller: Bearer) -> Answer<Asked> {
        let (by, app) = (caller.0.may(Permission::ServerWatch)?, app(&self.0)?);
        app.db.write(move |tx| async move { cursors::reindex(tx, &by).await }.boxed()).await?;
        Ok(Asked::Accepted)
    }
}
