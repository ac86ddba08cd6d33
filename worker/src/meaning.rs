//! Search by meaning in this process: the model, the vectors it made, and the [`feed`] that keeps them up to date.
//!
//! It follows the log by itself, beside the index: a model that is slow or away delays vectors and nothing else. How far it
//! is stands in the store, with the vectors, so the two cannot disagree.

mod batch;
mod feed;
mod former;
mod place;
mod second_look;
mod turns;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use confab_core::{Bus, Db, Fault, Result, Settings, log};
use confab_protocol::{Message, MessageId};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::embedding::{EmbedError, Embedder, ModelId, Purpose};
use crate::index::schema::has_link;
use crate::index::{Building, Progress};
use crate::interest::Interest;
use crate::vectors::{Change, Embedded, Near, Nearest, Point, Qdrant, VectorStore};

pub(crate) use second_look::{MOST_READ, SecondLook, Turn};

/// Where it lies in the data folder: a folder for each model.
const FOLDER: &str = "vectors";
/// Words that say nothing without others around them: "ok", "thank you".
const FEWEST_WORDS: usize = 3;
/// The flag of a message that holds a link.
pub const LINK: u32 = 1;
/// The flag of a message that carries a file.
pub const FILE: u32 = 2;
/// The gauge of events whose messages have no vectors yet.
pub const LAG_GAUGE: &str = "confab_vectors_lag_events";

/// Deletes all vectors in a data folder that no process uses.
///
/// # Errors
/// [`Fault::Invalid`] in `data_dir` when they cannot be deleted.
pub(crate) fn remove(data_dir: &Path) -> Result<()> {
    match std::fs::remove_dir_all(data_dir.join(FOLDER)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Fault::invalid(
            "data_dir",
            format!("cannot delete the vectors in {}: {error}", data_dir.display()),
        )),
        _ => Ok(()),
    }
}

/// Search by meaning, unless it is off. Cheap to clone.
#[derive(Clone)]
pub struct Meaning {
    models: Option<Arc<Models>>,
    second_look: Option<SecondLook>,
}

/// The vectors and what makes them.
type Kept = Arc<Shared>;

/// The model that the settings name, and the one before it as long as that one answers for it.
struct Models {
    wanted: Kept,
    former: RwLock<Option<Kept>>,
}

struct Shared {
    embedder: Arc<dyn Embedder>,
    store: Box<dyn VectorStore>,
    applied: AtomicI64,
    /// All messages have been read once.
    is_whole: AtomicBool,
    building: Building,
    interest: Interest,
}

/// Which models there are, and how far their vectors are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    /// The one that the settings name.
    pub model: String,
    /// The one by whose vectors searches are answered: another only while vectors of `model` are made.
    pub serving: String,
    /// Set while all messages are given to `model`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub building: Option<Progress>,
}

impl Meaning {
    /// Opens the vectors of the model that the settings name, here or in the Qdrant server that they name, and starts to
    /// follow the log. The caller holds the data folder.
    pub(crate) async fn start(
        db: &Db,
        bus: &Bus,
        settings: &Settings,
        interest: Interest,
        (tasks, behind): (&TaskTracker, &Handle),
        stop: CancellationToken,
    ) -> Result<Self> {
        let Some(embedder) = crate::embedding::of(settings)? else {
            return Ok(Self { models: None, second_look: None });
        };
        let second_look = settings.rerank.as_deref().map(SecondLook::open).transpose()?;
        let (store, is_shared): (Box<dyn VectorStore>, bool) = match &settings.qdrant {
            Some(server) => (Box::new(Qdrant::new(&server.url, server.key(), embedder.id())?), true),
            None => (Box::new(open(&settings.data_dir, embedder.as_ref()).await?), false),
        };
        let kept = Arc::new(Shared::new(embedder, store, interest));
        let former = former::find(db, settings, &kept).await?;
        let models = Arc::new(Models { wanted: kept.clone(), former: RwLock::new(former.clone()) });
        metrics::describe_gauge!(LAG_GAUGE, "Events of the log whose messages have no vectors yet.");
        if is_shared {
            tasks.spawn_on(turns::take(db.clone(), bus.clone(), models.clone(), stop.clone()), behind);
        } else {
            let feed = feed::Feed::new(db.clone(), bus.clone(), kept, stop.clone());
            tasks.spawn_on(feed.run(), behind);
        }
        if let Some(former) = former {
            let folder = (!is_shared).then(|| folder_of(&settings.data_dir, former.embedder.id()));
            let feed = (db.clone(), bus.clone(), former);
            tasks.spawn_on(former::serve(models.clone(), feed, folder, stop), behind);
        }
        Ok(Self { models: Some(models), second_look })
    }

    /// There is a model, whether or not it answers now.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.models.is_some()
    }

    /// What looks at the best hits again, where there is something for it.
    pub(crate) fn second_look(&self) -> Option<&SecondLook> {
        self.second_look.as_ref()
    }

    /// The position up to which the log is contained: any, where nothing is to be contained.
    #[must_use]
    pub fn applied(&self) -> i64 {
        self.models.as_ref().map_or(i64::MAX, |models| models.serving().applied())
    }

    /// Which models there are; `None` where search by meaning is off.
    #[must_use]
    pub fn state(&self) -> Option<State> {
        let models = self.models.as_ref()?;
        Some(State {
            model: models.wanted.embedder.id().to_string(),
            serving: models.serving().embedder.id().to_string(),
            building: models.wanted.building.now(),
        })
    }

    /// The messages nearest to a question. `confine` says which may be found; its vector is set here.
    ///
    /// # Errors
    /// Why there are none now: then words alone answer.
    pub async fn nearest(&self, question: &str, confine: Nearest) -> Result<Vec<Near>, EmbedError> {
        let Some(models) = &self.models else {
            return Err(EmbedError::Misconfigured("embeddings_url is off".into()));
        };
        let kept = models.serving();
        let vectors = kept.embedder.embed(vec![question.to_owned()], Purpose::Query).await?;
        let vector = vectors.into_iter().next().unwrap_or_default();
        kept.store.search(Nearest { vector, ..confine }).await.map_err(|fault| EmbedError::Retryable {
            after: std::time::Duration::ZERO,
            reason: fault.to_string(),
        })
    }
}

impl Models {
    /// The vectors by which searches are answered now.
    fn serving(&self) -> Kept {
        let former = self.former.read().unwrap_or_else(PoisonError::into_inner);
        former.as_ref().unwrap_or(&self.wanted).clone()
    }

    /// The vectors of the wanted model are whole, and searches are answered by them.
    fn is_settled(&self) -> bool {
        self.wanted.is_whole() && self.former.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

impl Shared {
    fn new(embedder: Arc<dyn Embedder>, store: Box<dyn VectorStore>, interest: Interest) -> Self {
        Self {
            embedder,
            store,
            applied: AtomicI64::new(0),
            is_whole: AtomicBool::new(false),
            building: Building::default(),
            interest,
        }
    }

    fn applied(&self) -> i64 {
        self.applied.load(Ordering::Acquire)
    }

    /// All messages are read, and the log is contained up to here.
    fn reached(&self, applied: i64) {
        self.applied.store(applied, Ordering::Release);
        self.is_whole.store(true, Ordering::Release);
    }

    /// Nothing is contained any more.
    fn lost(&self) {
        self.is_whole.store(false, Ordering::Release);
        self.applied.store(0, Ordering::Release);
    }

    fn is_whole(&self) -> bool {
        self.is_whole.load(Ordering::Acquire)
    }
}

/// Opens the model's folder.
async fn open(data_dir: &Path, embedder: &dyn Embedder) -> Result<Embedded> {
    let model = embedder.id();
    Embedded::open(&folder_of(data_dir, model), model).await
}

/// Where a model's vectors lie in the data folder.
fn folder_of(data_dir: &Path, model: &ModelId) -> PathBuf {
    data_dir.join(FOLDER).join(model.to_string())
}

/// What a message is found by; `None`: by its words only.
fn text(message: &Message) -> Option<&str> {
    let content = message.content.trim();
    // Many scripts have no spaces between words; what they write is not cut short by being counted.
    let says_something = !content.is_ascii() || content.split_whitespace().nth(FEWEST_WORDS - 1).is_some();
    (says_something && !content.is_empty()).then_some(content)
}

fn change(message: &Message, vector: Option<Vec<f32>>) -> Change {
    let Some(vector) = vector else { return Change::Remove(message.id) };
    Change::Put(Point {
        id: message.id,
        channel_id: message.channel_id,
        sender_id: message.sender_id,
        created_at: message.created_at.0,
        flags: if has_link(&message.content) { LINK } else { 0 }
            | if message.has_attachments { FILE } else { 0 },
        vector,
    })
}

/// The head of the log, and the first position that can still be read after.
async fn reach(db: &Db) -> Result<std::ops::RangeInclusive<i64>> {
    log::reach(&mut db.read()).await
}

/// Before every message.
const FIRST: MessageId = MessageId(uuid::Uuid::nil());
