//! What the worker offers on the bus, and the words in which it is asked. The asker's id in a question is trusted: the
//! server took it from a token.

mod index_state;

use std::sync::Arc;

use bytes::Bytes;
use confab_core::access::bots::Reach;
use confab_core::bus::{Listener, Service, StreamService};
use confab_core::conversations::confirmations::Confirmation;
use confab_core::{Bus, Db, Fault, FutureExt, Result, log};
use confab_protocol::{Channel, ChannelId, File, Message, MessageId, SessionId, Timestamp, UserId, UserRef};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::assistant::{Desk, Teller, Told};
use crate::index::Index;
use crate::meaning::Meaning;
use crate::search::{Mode, NameRead, Order};
use crate::{assistant, interest, search};

pub use index_state::IndexState;

/// Finds messages: [`Search`] to [`SearchAnswer`].
pub const SEARCH: &str = "search";
/// Finds files: [`Search`] to [`FileSearchAnswer`].
pub const SEARCH_FILES: &str = "search_files";
/// Finds conversations: [`Context`] to [`ContextAnswer`].
pub const CONTEXT: &str = "context";
/// Answers a question: [`Question`] to [`Answer`].
pub const ANSWER: &str = "answer";
/// The same in pieces: [`Question`] to [`assistant::Told`], the last of which is the answer.
pub const ANSWER_IN_PIECES: &str = "answer_in_pieces";
/// Sums up: [`Summarize`] to [`assistant::Told`].
pub const SUMMARIZE: &str = "summarize";
/// How far the index is: nothing to [`IndexState`].
pub const INDEX_STATE: &str = "index_state";

/// What someone searches for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Search {
    /// Who asks.
    pub user_id: UserId,
    /// Words, "phrases" and filters, at most 256 characters.
    pub q: String,
    /// Hits wanted, 1 to 100.
    pub limit: u32,
    /// Where the last answer ended.
    #[serde(default)]
    pub cursor: Option<String>,
    /// By what messages are found; when nothing is said, by both if three words or more are looked for outside of quotes
    /// and there is a model, else by words. Files are found by words.
    #[serde(default)]
    pub mode: Option<Mode>,
    /// In which order hits come.
    #[serde(default)]
    pub order: Order,
    /// Set where a plugin's bot asks for messages: how far its plugin reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<Reach>,
}

/// What was found, the best first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SearchAnswer {
    /// A page of hits.
    pub items: Vec<Hit>,
    /// Set when there are more.
    pub next_cursor: Option<String>,
    /// The index is behind the log: the newest messages may be missing.
    pub partial: bool,
    /// What could not look now, `words` or `meaning`: without it something may be missing. `order`: the model that puts the
    /// best hits in order had no time.
    #[serde(default)]
    pub unavailable: Vec<String>,
    /// Names in the question that nobody has, and the nearest.
    #[serde(default)]
    pub names: Vec<NameRead>,
    /// Hits in all, of those that the asker may read.
    #[serde(default)]
    pub total: u64,
}

/// A message that was found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hit {
    /// As it is now.
    pub message: Message,
    /// As the asker sees it.
    pub channel: Channel,
    /// HTML: the text around the words, escaped, each found word in `<mark>`.
    pub snippet: String,
    /// Of its place in the order: 1, ½, ⅓ …, see [`score_of_place`].
    pub score: f32,
    /// Hits of the same thread that it stands for.
    #[serde(default)]
    pub more_in_thread: u32,
    /// Hits with the same words that it stands for.
    #[serde(default)]
    pub copies: u32,
}

/// The files that were found, the best first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FileSearchAnswer {
    /// A page of hits.
    pub items: Vec<FileHit>,
    /// Set when there are more.
    pub next_cursor: Option<String>,
    /// The index is behind the log: the newest files may be missing.
    pub partial: bool,
    /// Names in the question that nobody has, and the nearest.
    #[serde(default)]
    pub names: Vec<NameRead>,
    /// Hits in all, of those that the asker may read.
    #[serde(default)]
    pub total: u64,
}

/// A file that was found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FileHit {
    /// As it is now; its message is named in it.
    pub file: File,
    /// Where that message stands, as the asker sees it.
    pub channel: Channel,
    /// HTML: the text around the words, escaped, each found word in `<mark>`.
    pub snippet: String,
    /// Of its place in the order: 1, ½, ⅓ …, see [`score_of_place`].
    pub score: f32,
}

/// What passages are wanted for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Context {
    /// Who asks.
    pub user_id: UserId,
    /// A question or words, at most 4,000 characters.
    pub query: String,
    /// Passages wanted, 1 to 20.
    pub limit: u32,
    /// Set: only what everyone there may read.
    #[serde(default)]
    pub channel_id: Option<ChannelId>,
}

/// The passages, the best first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ContextAnswer {
    /// Each a piece of one conversation.
    pub items: Vec<Passage>,
}

/// A piece of a conversation: a thread, or a message and its neighbours.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Passage {
    /// Ascending by `seq`.
    pub messages: Vec<Message>,
    /// Where it was said.
    pub channel: Channel,
    /// Of its place in the order: 1, ½, ⅓ …, see [`score_of_place`].
    pub score: f32,
}

/// A question to the assistant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Question {
    /// Who asks. The assistant reads what they may read.
    pub user_id: UserId,
    /// 1 to 4,000 characters.
    pub content: String,
    /// Set: the answer will be seen there, so only what everyone there may read enters it.
    #[serde(default)]
    pub channel_id: Option<ChannelId>,
    /// The conversation that it continues.
    #[serde(default)]
    pub conversation_id: Option<Uuid>,
    /// In which session: what changes something is proposed to it, and done once it says yes. Without one nothing is
    /// proposed.
    #[serde(default)]
    pub session_id: Option<SessionId>,
    /// It becomes no conversation of the asker, and nothing is proposed: they look at something else meanwhile.
    #[serde(default)]
    pub is_unkept: bool,
}

/// What is to be summed up: a thread, a channel, or with neither all that the asker has not read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Summarize {
    /// Who asks.
    pub user_id: UserId,
    /// This channel.
    #[serde(default)]
    pub channel_id: Option<ChannelId>,
    /// The thread of this message.
    #[serde(default)]
    pub message_id: Option<MessageId>,
    /// Of the channel only what the asker has not read.
    #[serde(default)]
    pub is_unread: bool,
    /// From this moment on.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Before this moment.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// The conversation that it continues.
    #[serde(default)]
    pub conversation_id: Option<Uuid>,
    /// It becomes no conversation of the asker: they asked a plugin, and not the assistant.
    #[serde(default)]
    pub is_unkept: bool,
}

/// What the assistant answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// Plain text with marks such as `[1]`.
    pub answer: String,
    /// What the marks stand for.
    pub citations: Vec<Citation>,
    /// Who wrote it: `extractive` only quotes.
    pub model: String,
    /// Why no language model wrote it although there is one, or not to its end: `model_unavailable`, `unsupported` (what it
    /// said no message says), `budget_of_person`, `budget_of_server`, `changed_meanwhile`, `cut_short`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// The conversation it belongs to; none of an answer that is kept nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<Uuid>,
    /// Its place there, from 1; 0 of an answer that is kept nowhere.
    #[serde(default)]
    pub number: i64,
    /// False: nothing was found to answer from.
    pub supported: bool,
    /// What would change something and waits for a yes.
    #[serde(default)]
    pub confirmations: Vec<Confirmation>,
}

/// What an answer rests on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Citation {
    /// A message.
    Message(MessageCitation),
    /// What a plugin's tool answered.
    Tool(ToolCitation),
}

impl Citation {
    /// The number of its mark, and the words that it rests on.
    #[must_use]
    pub fn mark(&self) -> (u32, &str) {
        match self {
            Self::Message(citation) => (citation.n, &citation.quote),
            Self::Tool(citation) => (citation.n, &citation.quote),
        }
    }

    /// The message, if it is one.
    #[must_use]
    pub fn message(&self) -> Option<&MessageCitation> {
        match self {
            Self::Message(citation) => Some(citation),
            Self::Tool(_) => None,
        }
    }
}

/// What a plugin's tool answered, and an answer rests on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ToolCitation {
    /// The number of its mark.
    pub n: u32,
    /// Whose tool.
    pub plugin_id: String,
    /// What people call the plugin.
    pub plugin: String,
    /// The tool's name in it.
    pub tool: String,
    /// Words of what it answered, exactly as the model was told them, at most 300 characters.
    pub quote: String,
}

/// A message that an answer rests on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MessageCitation {
    /// The number of its mark.
    pub n: u32,
    /// Which.
    pub message_id: MessageId,
    /// Where.
    pub channel_id: ChannelId,
    /// Its name, or the people of a conversation without one.
    pub channel_name: String,
    /// Its number there.
    pub seq: i64,
    /// By whom.
    pub sender: UserRef,
    /// When.
    pub created_at: Timestamp,
    /// Words of the message, exactly as they stand in it, at most 300 characters.
    pub quote: String,
    /// Path of the message in the web client.
    pub url: String,
}

/// What the services work with.
#[derive(Clone)]
pub(crate) struct Parts {
    pub db: Db,
    pub index: Index,
    pub meaning: Meaning,
    pub desk: Desk,
}

/// Offers all services.
pub(crate) async fn offer(bus: &Bus, parts: &Parts) -> Result<()> {
    bus.serve(
        SEARCH,
        service(
            parts,
            |it, asked| async move { search::search(&it.db, &it.index, &it.meaning, asked).await },
        ),
    )
    .await?;
    bus.serve(
        SEARCH_FILES,
        service(parts, |it, asked| async move { search::search_files(&it.db, &it.index, asked).await }),
    )
    .await?;
    bus.serve(CONTEXT, service(parts, |it, asked| async move { assistant::context(&it.desk, asked).await }))
        .await?;
    bus.serve(
        ANSWER,
        service(
            parts,
            |it, asked| async move { assistant::answer(&it.desk, asked, &Teller::default()).await },
        ),
    )
    .await?;
    bus.serve_pieces(
        ANSWER_IN_PIECES,
        in_pieces(parts, |it, asked, tell| async move { assistant::answer(&it.desk, asked, &tell).await }),
    )
    .await?;
    bus.serve_pieces(
        SUMMARIZE,
        in_pieces(parts, |it, asked, tell| async move { assistant::summarize(&it.desk, asked, &tell).await }),
    )
    .await?;
    // Who looks how far it is does not search: a probe would keep the index busy for nobody.
    let parts = parts.clone();
    let state = move |_: Bytes| {
        let parts = parts.clone();
        async move { serde_json::to_value(index_state(&parts).await?).map_err(Fault::internal) }.boxed()
    };
    bus.serve(INDEX_STATE, Arc::new(state)).await
}

fn service<Q, A, F>(parts: &Parts, answer: fn(Parts, Q) -> F) -> Service
where
    Q: DeserializeOwned + Send + 'static,
    A: Serialize,
    F: Future<Output = Result<A>> + Send + 'static,
{
    let parts = parts.clone();
    Arc::new(move |question: Bytes| {
        let parts = parts.clone();
        async move {
            let asked = serde_json::from_slice(&question).map_err(Fault::internal)?;
            interest::asked(&parts.db, &parts.index).await;
            serde_json::to_value(answer(parts, asked).await?).map_err(Fault::internal)
        }
        .boxed()
    })
}

/// The same for answers that are told while they are made. Work ends when nobody listens any more.
fn in_pieces<Q, F>(parts: &Parts, answer: fn(Parts, Q, Teller) -> F) -> StreamService
where
    Q: DeserializeOwned + Send + 'static,
    F: Future<Output = Result<Answer>> + Send + 'static,
{
    let parts = parts.clone();
    Arc::new(move |question: Bytes, listener: Listener| {
        let parts = parts.clone();
        async move {
            let tell = Teller::to(listener.clone());
            let work = async {
                let asked = serde_json::from_slice(&question).map_err(Fault::internal)?;
                interest::asked(&parts.db, &parts.index).await;
                let answer = answer(parts, asked, tell).await?;
                serde_json::to_value(Told::Done(answer)).map_err(Fault::internal)
            };
            tokio::select! {
                () = listener.gone() => {}
                done = work => { listener.say(done).await; }
            }
        }
        .boxed()
    })
}

async fn index_state(parts: &Parts) -> Result<IndexState> {
    let Parts { db, index, meaning, .. } = parts;
    // The positions first: read after the head, they could be newer than it.
    let (applied, of_vectors) = (index.applied(), meaning.applied());
    let head = log::head(&mut db.read()).await?;
    let next = if head > applied { log::at(&mut db.read(), applied + 1).await? } else { None };
    Ok(IndexState {
        lag: (head - applied).max(0),
        lag_ms: next.map_or(0, |event| (Timestamp::now().0 - event.created_at.0).max(0)),
        applied,
        head,
        documents: index.documents(),
        origin: index.origin(),
        vectors_lag: (head - of_vectors).max(0),
        vectors: meaning.state(),
        building: index.progress(),
    })
}

/// Puts `url` before the path of every message that a piece of an answer cites.
pub fn complete(piece: &mut serde_json::Value, url: &str) {
    let before = |path: &mut serde_json::Value| {
        if let Some(text) = path.as_str() {
            *path = serde_json::Value::from(format!("{url}{text}"));
        }
    };
    if let Some(path) = piece.get_mut("url") {
        before(path);
    }
    let citations = piece.get_mut("citations").and_then(serde_json::Value::as_array_mut);
    for citation in citations.into_iter().flatten() {
        if let Some(path) = citation.get_mut("url") {
            before(path);
        }
    }
}

/// What stands as `score` in an answer. The index's own weights count how often a word is used anywhere, in channels
/// that the asker may not read too: given out, they would tell whether a word is used there.
#[must_use]
pub fn score_of_place(place: usize) -> f32 {
    1.0 / (place as f32 + 1.0)
}
