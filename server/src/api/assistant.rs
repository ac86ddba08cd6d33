//! The assistant: answers from what the asker may read, and cites it.

use confab_core::{FutureExt, conversations};
use confab_protocol::{Channel, ChannelId, Message, MessageId, Timestamp, UserRef};
use confab_worker::services;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::strict::Text;
use super::{Answer, Area, app, cursor};
use crate::state::App;

#[derive(Debug, Object)]
struct Ask {
    /// The question, at most 4,000 characters.
    content: Text,
    /// Goes on in an earlier conversation of the asker.
    conversation_id: Option<Uuid>,
    /// The answer is for this channel: only what all its readers may read is used.
    channel_id: Option<ChannelId>,
}

/// A message that the answer rests on.
#[derive(Object, Deserialize)]
struct Citation {
    /// As in the answer: `[1]`.
    n: i64,
    message_id: MessageId,
    channel_id: ChannelId,
    channel_name: String,
    seq: i64,
    sender: UserRef,
    created_at: Timestamp,
    /// Verbatim from the message.
    quote: String,
    /// Where to read it.
    url: String,
}

#[derive(Object, Deserialize)]
struct Answered {
    answer: String,
    citations: Vec<Citation>,
    /// `extractive` without a language model.
    model: String,
    conversation_id: Uuid,
    /// Whether the answer rests on messages.
    supported: bool,
}

/// Messages that belong together.
#[derive(Object, Deserialize)]
struct Passage {
    messages: Vec<Message>,
    channel: Channel,
    score: f64,
}

#[derive(Object, Deserialize)]
struct Passages {
    items: Vec<Passage>,
}

/// Questions that one person asked in a row.
#[derive(Object)]
struct Conversation {
    id: Uuid,
    updated_at: Timestamp,
}

#[derive(Object)]
struct Conversations {
    items: Vec<Conversation>,
    next_cursor: Option<String>,
}

pub struct Assistant(pub Option<App>);

#[OpenApi(tag = "Area::Assistant")]
impl Assistant {
    /// Answers a question, with citations.
    #[oai(path = "/ai/message", method = "post")]
    async fn ask(&self, caller: Bearer, body: Json<Ask>) -> Answer<Json<Answered>> {
        let app = app(&self.0)?;
        app.limits.ask(caller.0.user_id)?;
        let question = json!({
            "user_id": caller.0.user_id,
            "content": body.0.content.0,
            "conversation_id": body.0.conversation_id,
            "channel_id": body.0.channel_id,
        });
        let mut answer: Answered = app.bus.ask(services::ANSWER, &question).await?;
        for citation in &mut answer.citations {
            citation.url.insert_str(0, app.public_url());
        }
        Ok(Json(answer))
    }

    /// The passages that an answer would use.
    #[oai(path = "/ai/context", method = "get")]
    async fn context(
        &self,
        caller: Bearer,
        query: Query<String>,
        limit: Query<Option<i64>>,
    ) -> Answer<Json<Passages>> {
        let app = app(&self.0)?;
        app.limits.ask(caller.0.user_id)?;
        let limit = cursor::limit(limit.0)?.min(20);
        let question = json!({ "user_id": caller.0.user_id, "query": query.0, "limit": limit });
        Ok(Json(app.bus.ask(services::CONTEXT, &question).await?))
    }

    /// The caller's own conversations, the newest first.
    #[oai(path = "/ai/conversations", method = "get")]
    async fn conversations(&self, caller: Bearer, limit: Query<Option<i64>>) -> Answer<Json<Conversations>> {
        let limit = cursor::limit(limit.0)?;
        let found = conversations::list(&mut app(&self.0)?.db.read(), caller.0.user_id, limit).await?;
        let items =
            found.into_iter().map(|(id, at)| Conversation { id, updated_at: Timestamp(at) }).collect();
        Ok(Json(Conversations { items, next_cursor: None }))
    }

    /// Forgets one of them.
    #[oai(path = "/ai/conversations/:id", method = "delete")]
    async fn forget(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        let (user, id) = (caller.0.user_id, id.0);
        app(&self.0)?.db.write(move |tx| conversations::delete(tx, user, id).boxed()).await?;
        Ok(Done::NoContent)
    }
}
