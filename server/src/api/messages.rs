//! Messages.

use confab_core::messages::{self, Draft, Side};
use confab_core::{Fault, FutureExt, access, log};
use confab_protocol::{ChannelId, FileId, Message, MessageId, Timestamp, UserId};
use poem::Request;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde::Serialize;
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::strict::Text;
use super::written::Written;
use super::{Answer, Area, app, cursor};
use crate::gateway::frames;
use crate::http::idempotent;
use crate::state::App;

#[derive(Debug, Object)]
struct Post {
    /// Markdown, at most 16,000 characters.
    content: Text,
    /// The sender's own id: posting the same one again is the same message. `Idempotency-Key` does the same.
    nonce: Option<Text>,
    /// The thread's root, or any message in the thread.
    parent_id: Option<MessageId>,
    /// At most ten uploads of the sender.
    file_ids: Option<Vec<FileId>>,
    /// A message of this channel that it quotes.
    quoted_id: Option<MessageId>,
}

#[derive(Debug, Object)]
struct Edit {
    content: Text,
    /// The version that the editor saw; another one is a conflict.
    version: Option<i64>,
}

#[derive(Debug, Object)]
struct Forward {
    /// Where to.
    channel_id: ChannelId,
    /// Words of one's own; may be absent.
    content: Option<Text>,
    /// As for posting.
    nonce: Option<Text>,
}

/// One wording of a message.
#[derive(Object)]
struct MessageVersion {
    /// From 1.
    version: i64,
    content: String,
    /// Since when it read so.
    created_at: Timestamp,
}

#[derive(Object)]
struct MessageVersionPage {
    items: Vec<MessageVersion>,
    next_cursor: Option<String>,
}

/// A page of a channel, ascending by `seq`.
#[derive(Object, Serialize)]
struct MessagePage {
    items: Vec<Message>,
    /// Always null: pages go on by `before_seq` and `after_seq`.
    next_cursor: Option<String>,
    /// Whether more lies in the direction asked.
    has_more: bool,
    /// Whether older ones exist.
    has_before: bool,
    /// Whether newer ones exist.
    has_after: bool,
}

#[derive(Object)]
struct EventPage {
    /// Frames as the gateway sends them.
    items: Vec<serde_json::Value>,
    next_cursor: Option<String>,
}

#[derive(ApiResponse)]
enum Posted {
    /// The nonce was known: this is the message that has it.
    #[oai(status = 200)]
    Known(Written<Message>),
    /// It is in the record.
    #[oai(status = 201)]
    Created(Written<Message>),
}

pub struct Messages(pub Option<App>);

#[OpenApi(tag = "Area::Messages")]
impl Messages {
    /// Posts a message. 201 is sent after the commit: it survives a kill.
    #[oai(path = "/channels/:id/messages", method = "post")]
    async fn post(
        &self,
        request: &Request,
        caller: Bearer,
        id: Path<Uuid>,
        body: Json<Post>,
    ) -> Answer<Posted> {
        let app = app(&self.0)?;
        let (user, channel) = (caller.0.user_id, ChannelId(id.0));
        app.limits.send(user)?;
        let key = idempotent::key_if_any(request.headers())?;
        let draft = Draft {
            content: body.0.content.0,
            nonce: body.0.nonce.map(|it| it.0).or(key),
            parent_id: body.0.parent_id,
            file_ids: body.0.file_ids.unwrap_or_default(),
            quoted_id: body.0.quoted_id,
            forwarded_id: None,
        };
        self.store(user, channel, draft).await
    }

    /// Brings a message to another channel, or to the same one again: its text as it is now, with words of one's own
    /// before it. Whoever reads there sees it, until the original is deleted. Out of a private channel only its members
    /// may bring anything.
    #[oai(path = "/messages/:id/forward", method = "post")]
    async fn forward(
        &self,
        request: &Request,
        caller: Bearer,
        id: Path<Uuid>,
        body: Json<Forward>,
    ) -> Answer<Posted> {
        let user = caller.0.user_id;
        app(&self.0)?.limits.send(user)?;
        let key = idempotent::key_if_any(request.headers())?;
        let draft = Draft {
            content: body.0.content.map(|it| it.0).unwrap_or_default(),
            nonce: body.0.nonce.map(|it| it.0).or(key),
            forwarded_id: Some(MessageId(id.0)),
            ..Draft::default()
        };
        self.store(user, body.0.channel_id, draft).await
    }

    /// What a message said before it was edited, ascending; its present wording is the last.
    #[oai(path = "/messages/:id/history", method = "get")]
    async fn history(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<MessageVersionPage>> {
        let limit = cursor::limit(limit.0)?;
        let after: i64 = cursor::decode(cursor.0.as_deref())?.unwrap_or(0);
        let on = &mut app(&self.0)?.db.snapshot().await?;
        let found = messages::history(on, caller.0.user_id, MessageId(id.0), after, limit).await?;
        let last = found.last().filter(|_| found.len() == limit as usize);
        let next_cursor = last.and_then(|it| cursor::encode(&it.version));
        let items = found
            .into_iter()
            .map(|it| MessageVersion { version: it.version, content: it.content, created_at: it.created_at })
            .collect();
        Ok(Json(MessageVersionPage { items, next_cursor }))
    }

    /// A page of messages: the newest, or those before, after or around a number. Always ascending.
    #[oai(path = "/channels/:id/messages", method = "get")]
    #[allow(clippy::too_many_arguments)] // each is a parameter of the path
    async fn list(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        before_seq: Query<Option<i64>>,
        after_seq: Query<Option<i64>>,
        around_seq: Query<Option<i64>>,
        /// Instead of a number: passes over so many of the newest, at most 10,000.
        skip: Query<Option<i64>>,
    ) -> Answer<Written<MessagePage>> {
        let app = app(&self.0)?;
        let limit = cursor::limit(limit.0)?;
        let has_place = before_seq.is_some() || after_seq.is_some() || around_seq.is_some();
        let skip = cursor::skip(skip.0, has_place)?;
        let side = match (before_seq.0, after_seq.0, around_seq.0) {
            (None, None, None) => Side::Newest,
            (Some(seq), None, None) if seq >= 0 => Side::Before(seq),
            (None, Some(seq), None) if seq >= 0 => Side::After(seq),
            (None, None, Some(seq)) if seq >= 0 => Side::Around(seq),
            (Some(_), None, None) => return Err(Fault::invalid("before_seq", "must not be negative").into()),
            (None, Some(_), None) => return Err(Fault::invalid("after_seq", "must not be negative").into()),
            (None, None, Some(_)) => return Err(Fault::invalid("around_seq", "must not be negative").into()),
            _ => {
                return Err(
                    Fault::invalid("before_seq", "give one of before_seq, after_seq and around_seq").into()
                );
            }
        };
        let (user, channel) = (caller.0.user_id, ChannelId(id.0));
        let read = app.db.look(move |on| {
            async move {
                let admitted = access::admit(on, user, channel).await?;
                let side = match skip {
                    0 => side,
                    skip => Side::Before(messages::nth_newest(on, &admitted, skip).await?),
                };
                messages::page(on, &admitted, side, limit).await
            }
            .boxed()
        });
        let page = read.await?;
        let has_more = if matches!(side, Side::After(_)) { page.has_after } else { page.has_before };
        Ok(Written(MessagePage {
            items: page.messages,
            next_cursor: None,
            has_more,
            has_before: page.has_before,
            has_after: page.has_after,
        }))
    }

    /// One message.
    #[oai(path = "/messages/:id", method = "get")]
    async fn get(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<Message>> {
        let found =
            messages::find(&mut app(&self.0)?.db.snapshot().await?, caller.0.user_id, MessageId(id.0))
                .await?;
        Ok(Json(found.1))
    }

    /// Replaces one's own message's content.
    #[oai(path = "/messages/:id", method = "put")]
    async fn edit(&self, caller: Bearer, id: Path<Uuid>, body: Json<Edit>) -> Answer<Json<Message>> {
        self.change(&caller, MessageId(id.0), body.0).await
    }

    /// Deletes a message: one's own, or as an admin of the channel.
    #[oai(path = "/messages/:id", method = "delete")]
    async fn delete(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        self.remove(&caller, MessageId(id.0)).await
    }

    /// The same by the channel's path.
    #[oai(path = "/channels/:id/messages/:message_id", method = "put")]
    async fn edit_in(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        message_id: Path<Uuid>,
        body: Json<Edit>,
    ) -> Answer<Json<Message>> {
        self.stands_in(&caller, MessageId(message_id.0), ChannelId(id.0)).await?;
        self.change(&caller, MessageId(message_id.0), body.0).await
    }

    /// The same by the channel's path.
    #[oai(path = "/channels/:id/messages/:message_id", method = "delete")]
    async fn delete_in(&self, caller: Bearer, id: Path<Uuid>, message_id: Path<Uuid>) -> Answer<Done> {
        self.stands_in(&caller, MessageId(message_id.0), ChannelId(id.0)).await?;
        self.remove(&caller, MessageId(message_id.0)).await
    }

    /// What the gateway would have sent for this channel after a number: for clients without sockets.
    #[oai(path = "/channels/:id/events", method = "get")]
    async fn events(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        after_seq: Query<Option<i64>>,
    ) -> Answer<Json<EventPage>> {
        let app = app(&self.0)?;
        let limit = cursor::limit(limit.0)?;
        let admitted = access::admit(&mut app.db.read(), caller.0.user_id, ChannelId(id.0)).await?;
        admitted.member()?;
        // Like the gateway: nothing of the time before this membership.
        let after = after_seq.0.unwrap_or(0).max(admitted.from_seq() - 1);
        let found =
            log::in_channel_after(&mut app.db.read(), admitted.channel_id(), after, i64::from(limit)).await?;
        let frames = frames::encode(&app.db, &found).await?;
        // Their texts are those of now: whoever was put out meanwhile gets none of them.
        access::admit(&mut app.db.read(), caller.0.user_id, admitted.channel_id()).await?.member()?;
        let texts = frames.iter().flatten().map(|frame| frame.for_user(caller.0.user_id));
        let items = texts.filter_map(|text| serde_json::from_str(text).ok()).collect();
        Ok(Json(EventPage { items, next_cursor: None }))
    }
}

impl Messages {
    async fn store(&self, user: UserId, channel: ChannelId, draft: Draft) -> Answer<Posted> {
        let posted = messages::send(&app(&self.0)?.db, user, channel, draft).await?;
        metrics::counter!("confab_messages_posted_total").increment(u64::from(posted.is_new));
        let message = Written(posted.message);
        Ok(if posted.is_new { Posted::Created(message) } else { Posted::Known(message) })
    }

    async fn change(&self, caller: &Bearer, id: MessageId, edit: Edit) -> Answer<Json<Message>> {
        let user = caller.0.user_id;
        let (content, version) = (edit.content.0, edit.version);
        let edited = app(&self.0)?
            .db
            .write(move |tx| async move { messages::edit(tx, user, id, content, version).await }.boxed())
            .await?;
        Ok(Json(edited))
    }

    async fn remove(&self, caller: &Bearer, id: MessageId) -> Answer<Done> {
        let user = caller.0.user_id;
        app(&self.0)?.db.write(move |tx| async move { messages::delete(tx, user, id).await }.boxed()).await?;
        Ok(Done::NoContent)
    }

    async fn stands_in(&self, caller: &Bearer, id: MessageId, channel: ChannelId) -> Answer<()> {
        let (_, message) =
            messages::find(&mut app(&self.0)?.db.snapshot().await?, caller.0.user_id, id).await?;
        if message.channel_id == channel { Ok(()) } else { Err(Fault::NotFound("message").into()) }
    }
}
