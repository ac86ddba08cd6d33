//! Messages that are to be posted later.

use confab_core::FutureExt;
use confab_core::scheduled_messages::{self, Change, NewScheduledMessage};
use confab_protocol::{ChannelId, FileId, Message, MessageId, Timestamp};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::strict::Text;
use super::{Answer, Area, app, cursor};
use crate::state::App;

#[derive(Debug, Object)]
struct NewScheduled {
    channel_id: ChannelId,
    /// Markdown, at most 16,000 characters.
    content: Text,
    /// Any message of the thread that it is to answer in.
    parent_id: Option<MessageId>,
    /// At most ten uploads of one's own that stand in no message.
    file_ids: Option<Vec<FileId>>,
    /// From now to 120 days ahead.
    send_at: Timestamp,
}

/// Absent fields stay as they are.
#[derive(Debug, Object)]
struct ScheduledChange {
    content: Option<Text>,
    file_ids: Option<Vec<FileId>>,
    send_at: Option<Timestamp>,
}

/// A message to be posted later; only its author sees it.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct ScheduledMessage {
    id: Uuid,
    channel_id: ChannelId,
    /// The root of the thread that it is to answer in.
    parent_id: Option<MessageId>,
    /// Empty once it is sent.
    content: String,
    file_ids: Vec<FileId>,
    send_at: Timestamp,
    /// `waiting`, `sent` or `failed`.
    state: String,
    /// Why it failed: a stable word.
    reason: Option<String>,
    /// The same for people.
    reason_text: Option<String>,
    /// What it became.
    message_id: Option<MessageId>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Object)]
struct ScheduledMessagePage {
    items: Vec<ScheduledMessage>,
    next_cursor: Option<String>,
}

#[derive(ApiResponse)]
enum Scheduled {
    /// It waits for its time.
    #[oai(status = 201)]
    Created(Json<ScheduledMessage>),
}

#[derive(ApiResponse)]
enum SentNow {
    /// It is in the record.
    #[oai(status = 201)]
    Created(Json<Message>),
}

pub struct ScheduledMessages(pub Option<App>);

#[OpenApi(tag = "Area::Messages")]
impl ScheduledMessages {
    /// Has a message posted later, once, with the rights that one has then. At most 200 wait, and at most 30 within five
    /// minutes go to one channel.
    #[oai(path = "/scheduled-messages", method = "post")]
    async fn create(&self, caller: Bearer, body: Json<NewScheduled>) -> Answer<Scheduled> {
        let (app, user) = (app(&self.0)?, caller.0.user_id);
        let new = NewScheduledMessage {
            channel_id: body.0.channel_id,
            parent_id: body.0.parent_id,
            content: body.0.content.0,
            file_ids: body.0.file_ids.unwrap_or_default(),
            send_at: body.0.send_at,
        };
        let made = app
            .db
            .write(move |tx| async move { scheduled_messages::create(tx, user, new).await }.boxed())
            .await?;
        app.due.wake();
        Ok(Scheduled::Created(Json(made.into())))
    }

    /// One's own in order of their times: those that wait and those that failed, or those that are sent.
    #[oai(path = "/scheduled-messages", method = "get")]
    async fn list(
        &self,
        caller: Bearer,
        /// Those that are sent, which are kept for 30 days.
        sent: Query<Option<bool>>,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<ScheduledMessagePage>> {
        let limit = cursor::limit(limit.0)?;
        let after: Option<(i64, Uuid)> = cursor::decode(cursor.0.as_deref())?;
        let (on, sent) = (&mut app(&self.0)?.db.read(), sent.0.unwrap_or(false));
        let found = scheduled_messages::list(on, caller.0.user_id, sent, after, limit).await?;
        let last = found.last().filter(|_| found.len() == limit as usize);
        let next_cursor = last.and_then(|it| cursor::encode(&(it.send_at.0, it.id)));
        let items = found.into_iter().map(ScheduledMessage::from).collect();
        Ok(Json(ScheduledMessagePage { items, next_cursor }))
    }

    /// One of one's own.
    #[oai(path = "/scheduled-messages/:id", method = "get")]
    async fn get(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<ScheduledMessage>> {
        let on = &mut app(&self.0)?.db.read();
        Ok(Json(scheduled_messages::find(on, caller.0.user_id, id.0).await?.into()))
    }

    /// Changes words, uploads or time before it is sent. One that failed waits again.
    #[oai(path = "/scheduled-messages/:id", method = "put")]
    async fn update(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        body: Json<ScheduledChange>,
    ) -> Answer<Json<ScheduledMessage>> {
        let (app, user) = (app(&self.0)?, caller.0.user_id);
        let change = Change {
            content: body.0.content.map(|it| it.0),
            file_ids: body.0.file_ids,
            send_at: body.0.send_at,
        };
        let changed = app
            .db
            .write(move |tx| async move { scheduled_messages::update(tx, user, id.0, change).await }.boxed())
            .await?;
        app.due.wake();
        Ok(Json(changed.into()))
    }

    /// Posts it at once, or one that failed again.
    #[oai(path = "/scheduled-messages/:id/send", method = "post")]
    async fn send(&self, caller: Bearer, id: Path<Uuid>) -> Answer<SentNow> {
        let (app, user) = (app(&self.0)?, caller.0.user_id);
        app.limits.send(user)?;
        let posted = app
            .db
            .write(move |tx| async move { scheduled_messages::send_now(tx, user, id.0).await }.boxed())
            .await?;
        metrics::counter!("confab_messages_posted_total").increment(u64::from(posted.is_new));
        Ok(SentNow::Created(Json(posted.message)))
    }

    /// Takes it back before it is sent.
    #[oai(path = "/scheduled-messages/:id", method = "delete")]
    async fn withdraw(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        let user = caller.0.user_id;
        app(&self.0)?
            .db
            .write(move |tx| async move { scheduled_messages::withdraw(tx, user, id.0).await }.boxed())
            .await?;
        Ok(Done::NoContent)
    }
}

impl From<scheduled_messages::ScheduledMessage> for ScheduledMessage {
    fn from(it: scheduled_messages::ScheduledMessage) -> Self {
        Self {
            id: it.id,
            channel_id: it.channel_id,
            parent_id: it.parent_id,
            content: it.content,
            file_ids: it.file_ids,
            send_at: it.send_at,
            state: it.state.as_str().into(),
            reason: it.reason,
            reason_text: it.reason_text,
            message_id: it.message_id,
            created_at: it.created_at,
            updated_at: it.updated_at,
        }
    }
}
