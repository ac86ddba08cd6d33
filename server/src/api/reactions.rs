//! Reactions under messages.

use std::time::Duration;

use confab_core::{Fault, FutureExt, Result, messages, reactions};
use confab_protocol::{MessageId, ReactionCount, Timestamp, UserId, UserRef};
use confab_worker::plugins;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde_json::{Value, json};
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::strict::Text;
use super::{Answer, Area, app, cursor};
use crate::state::App;

/// A plugin has 50 ms for its say; the rest is the way to a worker and back.
const GATE_WITHIN: Duration = Duration::from_millis(100);

#[derive(Object)]
struct ReactionList {
    /// In the order of their first use.
    items: Vec<ReactionCount>,
    next_cursor: Option<String>,
}

/// Somebody who put a reaction.
#[derive(Object)]
struct ReactedBy {
    user: UserRef,
    created_at: Timestamp,
}

#[derive(Object)]
struct ReactedPage {
    items: Vec<ReactedBy>,
    next_cursor: Option<String>,
}

/// One of the two.
#[derive(Debug, Object)]
struct NewReaction {
    /// An emoji's short name, or the code of a custom reaction.
    code: Option<Text>,
    /// An emoji.
    emoji: Option<Text>,
}

/// A reaction that stands.
#[derive(Object)]
struct Reaction {
    message_id: MessageId,
    /// As it is stored.
    code: String,
    user_id: UserId,
}

#[derive(ApiResponse)]
enum Reacted {
    /// It stands there, now or since before.
    #[oai(status = 201)]
    Created(Json<Reaction>),
}

pub struct Reactions(pub Option<App>);

#[OpenApi(tag = "Area::Messages")]
impl Reactions {
    /// The reactions under a message: at most fifty, each with its first people.
    #[oai(path = "/messages/:id/reactions", method = "get")]
    async fn list(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<ReactionList>> {
        let (_, message) =
            messages::find(&mut app(&self.0)?.db.snapshot().await?, caller.0.user_id, MessageId(id.0))
                .await?;
        Ok(Json(ReactionList { items: message.reactions, next_cursor: None }))
    }

    /// Puts a reaction under a message: the same as PUT, with the reaction in the body.
    #[oai(path = "/messages/:id/reactions", method = "post")]
    async fn add_named(&self, caller: Bearer, id: Path<Uuid>, body: Json<NewReaction>) -> Answer<Reacted> {
        let code = match (body.0.code, body.0.emoji) {
            (Some(code), None) => code.0,
            (None, Some(emoji)) => emoji.0,
            _ => return Err(Fault::invalid("code", "give either code or emoji").into()),
        };
        let (user_id, message_id) = (caller.0.user_id, MessageId(id.0));
        let code = self.put(&caller, message_id, code).await?;
        Ok(Reacted::Created(Json(Reaction { message_id, code, user_id })))
    }

    /// Who put one reaction under a message, in a fixed order.
    #[oai(path = "/messages/:id/reactions/:code", method = "get")]
    async fn people(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        code: Path<String>,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<ReactedPage>> {
        let app = app(&self.0)?;
        let limit = cursor::limit(limit.0)?;
        let after: Option<UserId> = cursor::decode(cursor.0.as_deref())?;
        let (on, id) = (&mut app.db.snapshot().await?, MessageId(id.0));
        messages::door(on, caller.0.user_id, id).await?;
        let code = reactions::standing(on, &code.0).await?;
        let found = reactions::people(on, id, &code, after, limit).await?;
        let last = found.last().filter(|_| found.len() == limit as usize);
        let next_cursor = last.and_then(|it| cursor::encode(&it.user.id));
        let items =
            found.into_iter().map(|it| ReactedBy { user: it.user, created_at: it.created_at }).collect();
        Ok(Json(ReactedPage { items, next_cursor }))
    }

    /// Puts a reaction under a message: an emoji, its short name, or a custom code. Twice is once.
    #[oai(path = "/messages/:id/reactions/:code", method = "put")]
    async fn add(&self, caller: Bearer, id: Path<Uuid>, code: Path<String>) -> Answer<Done> {
        self.put(&caller, MessageId(id.0), code.0).await?;
        Ok(Done::NoContent)
    }

    /// The same for clients of other systems, which name the reaction in the query.
    #[oai(path = "/messages/:id/reactions", method = "delete")]
    async fn remove_named(&self, caller: Bearer, id: Path<Uuid>, emoji: Query<String>) -> Answer<Done> {
        self.remove(caller, id, Path(emoji.0)).await
    }

    /// Takes one's reaction away.
    #[oai(path = "/messages/:id/reactions/:code", method = "delete")]
    async fn remove(&self, caller: Bearer, id: Path<Uuid>, code: Path<String>) -> Answer<Done> {
        let app = app(&self.0)?;
        let (user, id, code) = (caller.0.user_id, MessageId(id.0), code.0);
        app.limits.react(user)?;
        app.db.write(move |tx| async move { reactions::remove(tx, user, id, &code).await }.boxed()).await?;
        Ok(Done::NoContent)
    }
}

impl Reactions {
    async fn put(&self, caller: &Bearer, id: MessageId, code: String) -> Answer<String> {
        let app = app(&self.0)?;
        let user = caller.0.user_id;
        app.limits.react(user)?;
        ask_plugin(app, user, id, &code).await?;
        Ok(app.db.write(move |tx| async move { reactions::add(tx, user, id, &code).await }.boxed()).await?)
    }
}

/// A plugin that owns a reaction may refuse one, of those whom its rules let put it. Nobody waits for it longer than a
/// moment, and whatever goes wrong, the reaction counts.
async fn ask_plugin(app: &App, user_id: UserId, message_id: MessageId, code: &str) -> Result<()> {
    // Emoji belong to nobody, and are what almost everybody reacts with: no query for these.
    if !code.is_ascii() || !reactions::asks_plugin(&mut app.db.read(), user_id, message_id, code).await? {
        return Ok(());
    }
    let code = code.trim_matches(':');
    let question = json!({ "user_id": user_id, "message_id": message_id, "code": code });
    let asked = app.bus.ask::<_, Value>(plugins::GATE, &question);
    let refusal = match tokio::time::timeout(GATE_WITHIN, asked).await {
        Ok(Ok(answer)) => answer["refusal"].as_str().map(str::to_owned),
        Ok(Err(_)) | Err(_) => None,
    };
    refusal.map_or(Ok(()), |text| Err(Fault::conflict("reaction_refused", text)))
}
