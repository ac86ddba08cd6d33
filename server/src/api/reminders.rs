//! What one wants to be told later.

use confab_core::FutureExt;
use confab_core::reminders::{self, NewReminder};
use confab_protocol::{ChannelId, Message, MessageId, Timestamp};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::strict::Text;
use super::{Answer, Area, app, cursor};
use crate::state::App;

/// Of a message, of a channel, or of words.
#[derive(Debug, Object)]
struct RemindMe {
    message_id: Option<MessageId>,
    channel_id: Option<ChannelId>,
    /// One line of at most 500 characters.
    text: Option<Text>,
    /// From now to five years ahead.
    remind_at: Timestamp,
}

/// A reminder that is not due yet; only its owner sees it.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct Reminder {
    id: Uuid,
    message_id: Option<MessageId>,
    channel_id: Option<ChannelId>,
    text: Option<String>,
    remind_at: Timestamp,
    created_at: Timestamp,
    /// As long as it may be read.
    message: Option<Message>,
}

#[derive(Object)]
struct ReminderPage {
    items: Vec<Reminder>,
    next_cursor: Option<String>,
}

#[derive(ApiResponse)]
enum Reminded {
    /// It waits for its time, and comes as a notification of the kind `reminder`.
    #[oai(status = 201)]
    Created(Json<Reminder>),
}

pub struct Reminders(pub Option<App>);

#[OpenApi(tag = "Area::Users")]
impl Reminders {
    /// Has oneself told later. At most 500 wait.
    #[oai(path = "/reminders", method = "post")]
    async fn create(&self, caller: Bearer, body: Json<RemindMe>) -> Answer<Reminded> {
        let (app, user) = (app(&self.0)?, caller.0.user_id);
        let new = NewReminder {
            message_id: body.0.message_id,
            channel_id: body.0.channel_id,
            text: body.0.text.map(|it| it.0),
            remind_at: body.0.remind_at,
        };
        let made =
            app.db.write(move |tx| async move { reminders::create(tx, user, new).await }.boxed()).await?;
        app.due.wake();
        Ok(Reminded::Created(Json(made.into())))
    }

    /// One's own that are not due yet, in order of their times.
    #[oai(path = "/reminders", method = "get")]
    async fn list(
        &self,
        caller: Bearer,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<ReminderPage>> {
        let limit = cursor::limit(limit.0)?;
        let after: Option<(i64, Uuid)> = cursor::decode(cursor.0.as_deref())?;
        let found = reminders::list(&mut app(&self.0)?.db.read(), caller.0.user_id, after, limit).await?;
        let last = found.last().filter(|_| found.len() == limit as usize);
        let next_cursor = last.and_then(|it| cursor::encode(&(it.remind_at.0, it.id)));
        Ok(Json(ReminderPage { items: found.into_iter().map(Reminder::from).collect(), next_cursor }))
    }

    /// Takes one back.
    #[oai(path = "/reminders/:id", method = "delete")]
    async fn delete(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        let user = caller.0.user_id;
        app(&self.0)?
            .db
            .write(move |tx| async move { reminders::delete(tx, user, id.0).await }.boxed())
            .await?;
        Ok(Done::NoContent)
    }
}

impl From<reminders::Reminder> for Reminder {
    fn from(it: reminders::Reminder) -> Self {
        Self {
            id: it.id,
            message_id: it.message_id,
            channel_id: it.channel_id,
            text: it.text,
            remind_at: it.remind_at,
            created_at: it.created_at,
            message: it.message,
        }
    }
}
