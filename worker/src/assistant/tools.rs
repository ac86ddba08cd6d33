//! What a model may ask for while it answers. A tool works with the asker's rights, over the channels that the answer may
//! be made of, and never with more.
//!
//! Only what is in the list that an answer was begun with can be called: a name that a message put into a model's mouth is
//! refused. None of these changes anything; for what plugins offer see [`super::borrowed`].

use confab_core::Result;
use confab_core::messages::{self, Replies};
use confab_protocol::{MessageId, PAGE_LIMIT};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::Desk;
use super::book::{Book, Source};
use super::passages::{self, Window};
use super::scope::Scope;
use super::understand::Understood;
use super::weights::Weights;
use crate::language_model::Offer;

/// Conversations that one search answers.
const FOUND: usize = 3;
/// Messages of a thread that are read.
const OF_A_THREAD: usize = 40;
/// Longest search, in characters.
const SEARCHED: usize = 400;

/// What a tool works with.
pub(super) struct Hand<'a> {
    pub desk: &'a Desk,
    /// Whose rights it has.
    pub scope: &'a Scope,
    /// The messages that the model knows, by number.
    pub book: &'a Book,
}

/// Something that a model may ask for.
pub(super) trait Tool: Send + Sync {
    /// How a model is told of it.
    fn offer(&self) -> Offer;

    /// Messages that the asker may read.
    fn call<'a>(&'a self, hand: Hand<'a>, arguments: Value) -> BoxFuture<'a, Result<Vec<Window>>>;
}

/// The tools there are.
pub(super) fn all() -> Vec<Box<dyn Tool>> {
    vec![Box::new(Search), Box::new(ReadThread)]
}

struct Search;

impl Tool for Search {
    fn offer(&self) -> Offer {
        Offer {
            name: "search".into(),
            description: "Finds messages of the chat about something.".into(),
            parameters: json!({
                "type": "object",
                "properties": { "query": { "type": "string", "description": "a few words" } },
                "required": ["query"],
            }),
        }
    }

    fn call<'a>(&'a self, hand: Hand<'a>, arguments: Value) -> BoxFuture<'a, Result<Vec<Window>>> {
        async move {
            let query = arguments.get("query").and_then(Value::as_str).unwrap_or_default();
            let about: String = query.chars().take(SEARCHED).collect();
            let understood = Understood { about, ..Understood::default() };
            let weights = Weights::of(&hand.desk.index, &hand.scope.channels, &understood.about).await?;
            passages::find(hand.desk, hand.scope, &understood, &weights, FOUND).await
        }
        .boxed()
    }
}

struct ReadThread;

impl Tool for ReadThread {
    fn offer(&self) -> Offer {
        Offer {
            name: "read_thread".into(),
            description: "Reads what was answered to a message, by its number in the data.".into(),
            parameters: json!({
                "type": "object",
                "properties": { "number": { "type": "integer" } },
                "required": ["number"],
            }),
        }
    }

    fn call<'a>(&'a self, hand: Hand<'a>, arguments: Value) -> BoxFuture<'a, Result<Vec<Window>>> {
        async move {
            let number =
                arguments.get("number").and_then(Value::as_u64).and_then(|it| u32::try_from(it).ok());
            match number.and_then(|number| hand.book.get(number)) {
                Some(Source::Message(message)) => Ok(thread(&hand, message.id).await?.into_iter().collect()),
                _ => Ok(Vec::new()),
            }
        }
        .boxed()
    }
}

/// The thread around a message of the asker's channels.
async fn thread(hand: &Hand<'_>, id: MessageId) -> Result<Option<Window>> {
    let (desk, scope) = (hand.desk, hand.scope);
    let found = messages::readable(&mut desk.db.read(), &scope.channels, &[id]).await?;
    let Some(message) = found.into_iter().next() else { return Ok(None) };
    let root = message.parent_id.unwrap_or(message.id);
    let mut all =
        messages::thread(&mut desk.db.read(), scope.asker, root, Replies::After(0), PAGE_LIMIT).await?;
    all.retain(|message| scope.may_use(message));
    all.truncate(OF_A_THREAD);
    passages::window(desk, scope, all).await
}
