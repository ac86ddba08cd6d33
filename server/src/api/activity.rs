//! What is going on here, in numbers, and the channels, for those who run the server.

use confab_core::Fault;
use confab_core::channels::figures::{self, Hidden, OpenChannel};
use confab_core::roles::Permission;
use confab_protocol::{ChannelId, ChannelKind, Timestamp};
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::auth::Bearer;
use super::{Answer, Area, app, cursor};
use crate::activity::LONGEST_MS;
use crate::state::App;

/// What goes on.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct Activity {
    /// Messages that were posted since `since` and stand. Counting stops at a million.
    message_count: i64,
    /// Those of as much time, seven days before.
    message_count_week_before: i64,
    /// Messages of each of the last 360 minutes, the one that goes on last.
    messages_by_minute: Vec<i64>,
    /// Messages of the last hour that this server handed to sockets.
    delivery_count: u64,
    /// What 99 of 100 of these took, in milliseconds, from when they were stamped until they waited for their sockets;
    /// exact to a fifth. Absent: there was none.
    delivery_p99_ms: Option<f64>,
}

/// An open channel.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct KnownChannel {
    id: ChannelId,
    kind: ChannelKind,
    name: String,
    topic: Option<String>,
    archived_at: Option<Timestamp>,
    /// Messages ever posted there.
    message_count: i64,
    member_count: i64,
    /// A rule of its own: for how many days its messages are kept.
    retention_days: Option<i64>,
    created_at: Timestamp,
}

#[derive(Object)]
struct KnownChannelPage {
    /// The open ones, by name.
    items: Vec<KnownChannel>,
    next_cursor: Option<String>,
    /// How many private ones there are.
    private_count: i64,
    /// How many direct conversations there are.
    conversation_count: i64,
}

impl From<OpenChannel> for KnownChannel {
    fn from(it: OpenChannel) -> Self {
        Self {
            id: it.id,
            kind: it.kind,
            name: it.name,
            topic: it.topic,
            archived_at: it.archived_at,
            message_count: it.message_count,
            member_count: it.member_count,
            retention_days: it.retention_days,
            created_at: it.created_at,
        }
    }
}

pub struct Figures(pub Option<App>);

#[OpenApi(tag = "Area::Administration")]
impl Figures {
    /// How much is written, and how soon it arrives. Needs `server.watch`. Figures are up to 15 seconds old.
    #[oai(path = "/admin/activity", method = "get")]
    async fn activity(
        &self,
        caller: Bearer,
        /// Counts from then on, at most 48 hours ago; without it, the last 24 hours.
        since: Query<Option<Timestamp>>,
    ) -> Answer<Json<Activity>> {
        caller.0.may(Permission::ServerWatch)?;
        let (app, now) = (app(&self.0)?, Timestamp::now());
        let since = since.0.unwrap_or(Timestamp(now.0 - LONGEST_MS / 2));
        if since.0 > now.0 || since.0 < now.0 - LONGEST_MS {
            return Err(Fault::invalid("since", "must lie within the last 48 hours").into());
        }
        let counted = app.activity.counted(&app.db, since, now).await?;
        let delivery = app.hub.delivery();
        Ok(Json(Activity {
            message_count: counted.messages,
            message_count_week_before: counted.week_before,
            messages_by_minute: counted.by_minute,
            delivery_count: delivery.count,
            delivery_p99_ms: delivery.p99.map(|it| it.as_secs_f64() * 1_000.0),
        }))
    }

    /// The open channels, and how many others there are: their names are nobody's business who is not in them. Needs
    /// `server.watch`.
    #[oai(path = "/admin/channels", method = "get")]
    async fn channels(
        &self,
        caller: Bearer,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<KnownChannelPage>> {
        caller.0.may(Permission::ServerWatch)?;
        let limit = cursor::limit(limit.0)?;
        let after: Option<(String, ChannelId, i64, i64)> = cursor::decode(cursor.0.as_deref())?;
        let mut on = app(&self.0)?.db.read();
        let hidden = match &after {
            // Counting reads every channel there is: pages behind the first repeat what was counted for that one.
            Some((_, _, private, conversations)) => {
                Hidden { private: *private, conversations: *conversations }
            }
            None => figures::hidden(&mut on).await?,
        };
        let found = figures::open(&mut on, after.map(|(name, id, ..)| (name, id)), limit).await?;
        let last = found.last().filter(|_| found.len() == limit as usize);
        let next_cursor = last
            .and_then(|it| cursor::encode(&(it.name.clone(), it.id, hidden.private, hidden.conversations)));
        Ok(Json(KnownChannelPage {
            items: found.into_iter().map(KnownChannel::from).collect(),
            next_cursor,
            private_count: hidden.private,
            conversation_count: hidden.conversations,
        }))
    }
}
