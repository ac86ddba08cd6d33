//! Finding messages. The worker holds the index; what it answers was read again from the record.

use confab_protocol::{Channel, File, Message};
use confab_worker::services;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::auth::Bearer;
use super::{Answer, Area, app, cursor};
use crate::state::App;

/// A found message.
#[derive(Object, Deserialize)]
struct Found {
    message: Message,
    channel: Channel,
    /// HTML: escaped text with `<mark>` around what was found.
    snippet: String,
    score: f64,
    /// Hits of the same thread that this one stands for.
    more_in_thread: u32,
    /// Hits with the same words that this one stands for.
    copies: u32,
}

#[derive(Object, Deserialize)]
struct FoundPage {
    items: Vec<Found>,
    next_cursor: Option<String>,
    /// The index is behind the record: something new may be missing.
    partial: bool,
    /// What could not look now, `words` or `meaning`: without it something may be missing. `order`: the model that puts the
    /// best hits in order had no time.
    unavailable: Vec<String>,
    /// Names behind `from:`, `in:` and `mentions:` that nobody and no channel has, and the nearest; of words that nothing was
    /// found by, those that are nearly a name.
    names: Vec<NameRead>,
    /// Hits in all that the caller may read; by meaning, those that can be reached.
    total: u64,
}

/// A name in a question that nobody and no channel has.
#[derive(Object, Deserialize)]
struct NameRead {
    /// As it was written: `from:adda`.
    written: String,
    /// The nearest that the caller may know of, at most five: `from:ada`. A single one is what was looked for; of several
    /// none was.
    near: Vec<String>,
}

/// By what messages are found.
#[derive(Clone, Copy, Debug, Enum, Serialize)]
#[oai(rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
enum Mode {
    /// Their words.
    Keyword,
    /// What they mean: other words for the same thing are found too.
    Semantic,
    /// Both.
    Hybrid,
}

/// In which order hits come.
#[derive(Clone, Copy, Debug, Enum, Serialize)]
#[oai(rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
enum Order {
    /// What fits best first.
    Relevance,
    /// The newest first, of what holds every word; then nothing is found by meaning.
    Newest,
}

/// A found file.
#[derive(Object, Deserialize)]
struct FoundFile {
    file: File,
    channel: Channel,
    /// HTML: escaped text with `<mark>` around what was found.
    snippet: String,
    score: f64,
}

#[derive(Object, Deserialize)]
struct FoundFilePage {
    items: Vec<FoundFile>,
    next_cursor: Option<String>,
    /// The index is behind the record: something new may be missing.
    partial: bool,
    /// Names behind `from:` and `in:` that nobody and no channel has, and the nearest.
    names: Vec<NameRead>,
    /// Hits in all that the caller may read.
    total: u64,
}

pub struct Search(pub Option<App>);

#[OpenApi(tag = "Area::Search")]
impl Search {
    /// Messages that the caller may read. `q` knows words, "phrases", beginnings (`ferr*`), `from:` `in:` `mentions:` `before:`
    /// `after:` `during:` `has:` `is:`. `mode` says by what they are found. Without it, three words or more outside of quotes are found by both, where the server has a model;
    /// everything else by its words. "phrases" are always found by their words. `order` says what comes first.
    #[oai(path = "/search/messages", method = "get")]
    async fn messages(
        &self,
        caller: Bearer,
        q: Query<String>,
        mode: Query<Option<Mode>>,
        order: Query<Option<Order>>,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<FoundPage>> {
        let app = app(&self.0)?;
        app.limits.search(caller.0.user_id)?;
        let limit = cursor::limit(limit.0)?;
        let question = json!({
            "user_id": caller.0.user_id, "q": q.0, "mode": mode.0, "limit": limit, "cursor": cursor.0,
            "order": order.0.unwrap_or(Order::Relevance)
        });
        Ok(Json(app.bus.ask(services::SEARCH, &question).await?))
    }

    /// Files of messages that the caller may read, by their names and by the words in them. `q` knows words, "phrases",
    /// `from:` `in:` `before:` `after:` `during:`.
    #[oai(path = "/search/files", method = "get")]
    async fn files(
        &self,
        caller: Bearer,
        q: Query<String>,
        order: Query<Option<Order>>,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<FoundFilePage>> {
        let app = app(&self.0)?;
        app.limits.search(caller.0.user_id)?;
        let limit = cursor::limit(limit.0)?;
        let question = json!({
            "user_id": caller.0.user_id, "q": q.0, "limit": limit, "cursor": cursor.0,
            "order": order.0.unwrap_or(Order::Relevance)
        });
        Ok(Json(app.bus.ask(services::SEARCH_FILES, &question).await?))
    }
}
