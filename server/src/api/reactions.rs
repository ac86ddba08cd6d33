//! Reactions.

use confab_core::{Fault, FutureExt, messages, reactions};
use confab_protocol::{MessageId, ReactionCount, Timestamp};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::strict::Text;
use super::{Answer, Area, app};
use crate::state::App;

#[derive(Object)]
struct ReactionList {
    items: Vec<ReactionCount>,
    next_cursor: Option<String>,
}

/// A reaction of this server's own.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct CustomReaction {
    code: String,
    name: String,
    /// What it looks like, as text.
    symbol: Option<String>,
    is_system: bool,
    plugin_id: Option<String>,
    created_at: Timestamp,
}

#[derive(Object)]
struct Catalogue {
    items: Vec<CustomReaction>,
    next_cursor: Option<String>,
}

/// Which reaction, by either of its names.
#[derive(Debug, Object)]
struct Named {
    /// An emoji, its short name, or a custom code.
    emoji: Option<Text>,
    /// The same.
    code: Option<Text>,
}

pub struct Reactions(pub Option<App>);

#[OpenApi(tag = "Area::Messages")]
impl Reactions {
    /// The reactions under a message.
    #[oai(path = "/messages/:id/reactions", method = "get")]
    async fn list(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<ReactionList>> {
        let (_, message) =
            messages::find(&mut app(&self.0)?.db.read(), caller.0.user_id, MessageId(id.0)).await?;
        Ok(Json(ReactionList { items: message.reactions, next_cursor: None }))
    }

    /// Puts a reaction under a message: an emoji, its short name, or a custom code. Twice is once.
    #[oai(path = "/messages/:id/reactions/:code", method = "put")]
    async fn add(&self, caller: Bearer, id: Path<Uuid>, code: Path<String>) -> Answer<Done> {
        let (user, id, code) = (caller.0.user_id, MessageId(id.0), code.0);
        app(&self.0)?
            .db
            .write(move |tx| async move { reactions::add(tx, user, id, &code).await }.boxed())
            .await?;
        Ok(Done::NoContent)
    }

    /// The same for clients of other systems, which name the reaction in the body.
    #[oai(path = "/messages/:id/reactions", method = "post")]
    async fn add_named(&self, caller: Bearer, id: Path<Uuid>, body: Json<Named>) -> Answer<Done> {
        let code =
            body.0.emoji.or(body.0.code).ok_or_else(|| Fault::invalid("emoji", "names no reaction"))?;
        self.add(caller, id, Path(code.0)).await
    }

    /// The same for clients of other systems, which name the reaction in the query.
    #[oai(path = "/messages/:id/reactions", method = "delete")]
    async fn remove_named(&self, caller: Bearer, id: Path<Uuid>, emoji: Query<String>) -> Answer<Done> {
        self.remove(caller, id, Path(emoji.0)).await
    }

    /// Takes one's reaction away.
    #[oai(path = "/messages/:id/reactions/:code", method = "delete")]
    async fn remove(&self, caller: Bearer, id: Path<Uuid>, code: Path<String>) -> Answer<Done> {
        let (user, id, code) = (caller.0.user_id, MessageId(id.0), code.0);
        app(&self.0)?
            .db
            .write(move |tx| async move { reactions::remove(tx, user, id, &code).await }.boxed())
            .await?;
        Ok(Done::NoContent)
    }

    /// The custom reactions of this server.
    #[oai(path = "/reactions", method = "get")]
    async fn catalogue(&self, _caller: Bearer) -> Answer<Json<Catalogue>> {
        let found = reactions::catalogue(&mut app(&self.0)?.db.read()).await?;
        let items = found
            .into_iter()
            .map(|it| CustomReaction {
                code: it.code,
                name: it.name,
                symbol: it.symbol,
                is_system: it.is_system,
                plugin_id: it.plugin_id,
                created_at: Timestamp(it.created_at),
            })
            .collect();
        Ok(Json(Catalogue { items, next_cursor: None }))
    }
}
