//! What waits for one's attention.

use confab_core::{Fault, FutureExt, notifications};
use confab_protocol::{ChannelId, Message, Timestamp};
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::auth::Bearer;
use super::{Answer, Area, app, cursor};
use crate::state::App;

/// Ids in one call, as many as the longest page has.
const MOST_IDS: usize = 100;

#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct Notification {
    id: Uuid,
    /// `mention`, `direct_message`, `thread_reply`, `keyword`, `channel_message` or `reminder`.
    kind: String,
    /// Where, as long as that may be read.
    channel_id: Option<ChannelId>,
    /// Only a reminder may come without.
    message: Option<Message>,
    /// Of a reminder: one's own words.
    text: Option<String>,
    created_at: Timestamp,
    read_at: Option<Timestamp>,
    /// It came while one wished not to be disturbed: no sound.
    is_quiet: bool,
}

#[derive(Object)]
struct NotificationPage {
    items: Vec<Notification>,
    next_cursor: Option<String>,
    /// Of all, at most 1,000.
    unread_count: i64,
}

#[derive(Debug, Object)]
struct MarkRead {
    /// Absent: all.
    ids: Option<Vec<Uuid>>,
}

#[derive(Object)]
struct Unread {
    /// At most 1,000.
    unread_count: i64,
}

pub struct Notifications(pub Option<App>);

#[OpenApi(tag = "Area::Users")]
impl Notifications {
    /// One's own notifications, the newest first.
    #[oai(path = "/users/me/notifications", method = "get")]
    async fn list(
        &self,
        caller: Bearer,
        /// Only those that are not read.
        unread: Query<Option<bool>>,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<NotificationPage>> {
        let (app, user) = (app(&self.0)?, caller.0.user_id);
        let limit = cursor::limit(limit.0)?;
        let before: Option<Uuid> = cursor::decode(cursor.0.as_deref())?;
        let only_unread = unread.0.unwrap_or(false);
        let (found, next) =
            notifications::list(&mut app.db.snapshot().await?, user, only_unread, before, limit).await?;
        let items = found
            .into_iter()
            .map(|it| Notification {
                id: it.id,
                kind: it.kind,
                channel_id: it.channel_id,
                message: it.message,
                text: it.text,
                created_at: it.created_at,
                read_at: it.read_at,
                is_quiet: it.is_quiet,
            })
            .collect();
        let unread_count = notifications::unread_count(&mut app.db.read(), user).await?;
        let next_cursor = next.and_then(|id| cursor::encode(&id));
        Ok(Json(NotificationPage { items, next_cursor, unread_count }))
    }

    /// Marks notifications as read.
    #[oai(path = "/users/me/notifications/read", method = "post")]
    async fn read(&self, caller: Bearer, body: Json<MarkRead>) -> Answer<Json<Unread>> {
        let (app, user, ids) = (app(&self.0)?, caller.0.user_id, body.0.ids);
        if ids.as_ref().is_some_and(|ids| ids.len() > MOST_IDS) {
            return Err(Fault::invalid("ids", format!("holds at most {MOST_IDS} ids")).into());
        }
        app.db
            .write(move |tx| async move { notifications::mark_read(tx, user, ids.as_deref()).await }.boxed())
            .await?;
        let unread_count = notifications::unread_count(&mut app.db.read(), user).await?;
        Ok(Json(Unread { unread_count }))
    }
}
