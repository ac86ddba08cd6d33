//! The assistant: answers from what the asker may read, and cites it.

mod streamed;

use confab_core::conversations::{self, confirmations, ratings};
use confab_core::{Fault, FutureExt, access, assistant as switches};
use confab_protocol::{Channel, ChannelId, Message, MessageId, Timestamp, UserRef};
use confab_worker::plugins::{self, ToolAnswer, ToolUse};
use confab_worker::services;
use poem::http::{HeaderMap, header};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::strict::Text;
use super::{Answer, Area, app, cursor};
use crate::state::App;
use streamed::{Reader, Told};

/// What is told of a call that was confirmed and gave no sign since.
const UNANSWERED: &str = "no answer came; it may have been done";

#[derive(Debug, Object)]
struct Ask {
    /// The question, at most 4,000 characters.
    content: Text,
    /// Goes on in an earlier conversation of the asker.
    conversation_id: Option<Uuid>,
    /// The answer is for this channel: only what all its readers may read is used.
    channel_id: Option<ChannelId>,
    /// False: question and answer become no conversation, and the answer proposes nothing.
    keep: Option<bool>,
}

/// What is to be summed up: a thread, a channel, or with neither what the caller has not read.
#[derive(Debug, Object)]
struct SumUp {
    channel_id: Option<ChannelId>,
    /// A message of the thread.
    message_id: Option<MessageId>,
    /// Of the channel only what the caller has not read.
    unread: Option<bool>,
    /// Of the channel from then on.
    since: Option<Timestamp>,
    /// Of the channel before then.
    until: Option<Timestamp>,
    /// Goes on in an earlier conversation of the caller.
    conversation_id: Option<Uuid>,
}

/// What the answer rests on: a message, or what a plugin's tool answered.
#[derive(Object, Deserialize)]
#[oai(skip_serializing_if_is_none)]
struct Citation {
    /// As in the answer: `[1]`.
    n: i64,
    /// `message` or `tool`; what follows says of which of them it is.
    kind: String,
    /// Verbatim from the message, or from what the tool answered.
    quote: String,
    /// Of a message, like all up to `url`.
    message_id: Option<MessageId>,
    channel_id: Option<ChannelId>,
    channel_name: Option<String>,
    seq: Option<i64>,
    sender: Option<UserRef>,
    created_at: Option<Timestamp>,
    /// Where to read it.
    url: Option<String>,
    /// Of a tool, like all that follow.
    plugin_id: Option<String>,
    /// What people call the plugin.
    plugin: Option<String>,
    /// The tool's name in it.
    tool: Option<String>,
}

/// A call of a plugin's tool that would change something. It is made once the asker says yes, in the session that asked, and
/// never else.
#[derive(Object, Deserialize)]
struct Confirmation {
    id: Uuid,
    plugin_id: String,
    /// What people call the plugin.
    plugin: String,
    /// The tool's name in it.
    tool: String,
    /// An object: exactly what the tool is called with.
    arguments: Value,
    /// From then on it is too late.
    expires_at: Timestamp,
}

/// What came of a call that was confirmed: one of the two.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct Outcome {
    /// What the tool answered: text or JSON.
    output: Option<String>,
    /// Why it did not.
    error: Option<String>,
}

#[derive(Object, Deserialize)]
#[oai(skip_serializing_if_is_none)]
struct Answered {
    answer: String,
    citations: Vec<Citation>,
    /// `extractive` when no language model took part: then the answer is made of quotations.
    model: String,
    /// Why there is no model's answer although the server has a model, or not all of one: `model_unavailable`,
    /// `unsupported` (no message says what it said), `budget_of_person`, `budget_of_server`, `changed_meanwhile`,
    /// `cut_short`.
    fallback: Option<String>,
    /// Absent where it was not to be kept.
    conversation_id: Option<Uuid>,
    /// Its place in the conversation, from 1; 0 where it is not kept.
    #[serde(default)]
    number: i64,
    /// Whether the answer rests on messages or on what tools answered.
    supported: bool,
    /// What it would do, if the asker says yes.
    #[serde(default)]
    confirmations: Vec<Confirmation>,
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

/// A question and what was answered.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct Turn {
    /// Its place in the conversation, from 1.
    number: i64,
    question: String,
    /// Absent: a message that it rested on is gone, was changed, or may not be read any more.
    answer: Option<String>,
    /// What the caller said of the answer.
    is_helpful: Option<bool>,
    created_at: Timestamp,
}

/// What somebody thinks of an answer.
#[derive(Debug, Object)]
struct Rating {
    /// Whether it helped; null takes back what was said.
    is_helpful: Option<bool>,
}

#[derive(Object)]
struct Turns {
    id: Uuid,
    /// The last ones, the oldest first.
    items: Vec<Turn>,
    next_cursor: Option<String>,
}

pub struct Assistant(pub Option<App>);

#[OpenApi(tag = "Area::Assistant")]
impl Assistant {
    /// Answers a question, with citations. With `Accept: text/event-stream` it comes in pieces; whoever closes the
    /// connection stops it.
    #[oai(path = "/ai/message", method = "post")]
    async fn ask(&self, caller: Bearer, body: Json<Ask>, headers: &HeaderMap) -> Answer<Told> {
        let app = app(&self.0)?;
        app.limits.ask(caller.0.user_id)?;
        let question = json!({
            "user_id": caller.0.user_id,
            "content": body.0.content.0,
            "conversation_id": body.0.conversation_id,
            "channel_id": body.0.channel_id,
            "session_id": caller.0.session_id,
            "is_unkept": body.0.keep == Some(false),
        });
        let answers = app.bus.ask_for_pieces(services::ANSWER_IN_PIECES, &question).await?;
        Ok(Told::of(answers, accepted(headers), Reader::of(app, &caller.0)).await?)
    }

    /// Sums up a thread, a channel, a time, or without any of these everything that the caller has not read. It answers as
    /// `ai/message` does.
    #[oai(path = "/ai/summarize", method = "post")]
    async fn summarize(&self, caller: Bearer, body: Json<SumUp>, headers: &HeaderMap) -> Answer<Told> {
        let app = app(&self.0)?;
        app.limits.ask(caller.0.user_id)?;
        let SumUp { channel_id, message_id, unread, since, until, conversation_id } = body.0;
        if channel_id.is_none() && (since.is_some() || until.is_some()) {
            return Err(Fault::invalid("channel_id", "a time is summed up of one channel").into());
        }
        let asked = services::Summarize {
            user_id: caller.0.user_id,
            channel_id,
            message_id,
            is_unread: unread.unwrap_or(false),
            since,
            until,
            conversation_id,
            is_unkept: false,
        };
        let answers = app.bus.ask_for_pieces(services::SUMMARIZE, &asked).await?;
        Ok(Told::of(answers, accepted(headers), Reader::of(app, &caller.0)).await?)
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

    /// One of them: its last turns.
    #[oai(path = "/ai/conversations/:id", method = "get")]
    async fn conversation(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
    ) -> Answer<Json<Turns>> {
        let (app, user, limit) = (app(&self.0)?, caller.0.user_id, cursor::limit(limit.0)?);
        let mut on = app.db.read();
        let visible = access::visible_channels(&mut on, user).await?;
        let readable = switches::switches(&mut on).await?.narrow(visible);
        let turns = conversations::turns(&mut on, user, id.0, &readable, limit, &|_| true).await?;
        let items = turns
            .into_iter()
            .map(|it| Turn {
                number: it.number,
                question: it.question,
                answer: it.answer,
                is_helpful: it.is_helpful,
                created_at: it.created_at,
            })
            .collect();
        Ok(Json(Turns { id: id.0, items, next_cursor: None }))
    }

    /// Forgets one of them.
    #[oai(path = "/ai/conversations/:id", method = "delete")]
    async fn forget(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        let (user, id) = (caller.0.user_id, id.0);
        app(&self.0)?.db.write(move |tx| conversations::delete(tx, user, id).boxed()).await?;
        Ok(Done::NoContent)
    }

    /// Says whether an answer helped. Administrators are told how many did and did not, never whose and which.
    #[oai(path = "/ai/conversations/:id/answers/:number/rating", method = "put")]
    async fn rate(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        number: Path<i64>,
        body: Json<Rating>,
    ) -> Answer<Done> {
        let (user, id, number, is_helpful) = (caller.0.user_id, id.0, number.0, body.0.is_helpful);
        app(&self.0)?
            .db
            .write(move |tx| async move { ratings::rate(tx, user, id, number, is_helpful).await }.boxed())
            .await?;
        Ok(Done::NoContent)
    }

    /// Says yes to what an answer proposed: the tool is called as it was shown, once. Only the session that asked may, within
    /// ten minutes; 404 for whatever was answered already.
    #[oai(path = "/ai/conversations/:id/confirmations/:confirmation_id", method = "post")]
    async fn confirm(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        confirmation_id: Path<Uuid>,
    ) -> Answer<Json<Outcome>> {
        let app = app(&self.0)?;
        app.limits.ask(caller.0.user_id)?;
        let switches = switches::switches(&mut app.db.read()).await?;
        switches::is_off_for(&switches, caller.0.user_id)?;
        let (actor, session, id, which) = (caller.0.actor(), caller.0.session_id, id.0, confirmation_id.0);
        let taken = app
            .db
            .write(move |tx| {
                async move { confirmations::confirm(tx, &actor, session, id, which).await }.boxed()
            })
            .await?;
        let asked = ToolUse {
            plugin_id: taken.plugin_id,
            tool: taken.tool,
            input: taken.arguments,
            user_id: caller.0.user_id,
            channel_id: None,
            is_confirmed: true,
        };
        // The yes is spent. A fault would read as if it could be given again, and the same would be done twice.
        let answer: ToolAnswer = app.bus.ask(plugins::TOOL, &asked).await.unwrap_or_else(|fault| {
            tracing::warn!(%fault, "a confirmed tool did not answer");
            ToolAnswer { error: Some(UNANSWERED.into()), ..ToolAnswer::default() }
        });
        Ok(Json(Outcome { output: answer.output, error: answer.error }))
    }

    /// Says no to what an answer proposed: nobody can say yes to it any more.
    #[oai(path = "/ai/conversations/:id/confirmations/:confirmation_id", method = "delete")]
    async fn refuse(&self, caller: Bearer, id: Path<Uuid>, confirmation_id: Path<Uuid>) -> Answer<Done> {
        let (session, id, which) = (caller.0.session_id, id.0, confirmation_id.0);
        app(&self.0)?
            .db
            .write(move |tx| async move { confirmations::refuse(tx, session, id, which).await }.boxed())
            .await?;
        Ok(Done::NoContent)
    }
}

/// The document says what is answered; a parameter of that name would mean nothing in it.
fn accepted(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::ACCEPT)?.to_str().ok()
}
