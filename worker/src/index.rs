//! The full-text index of this process: fed from the log by [`feed`], asked through [`Index::find`].
//!
//! Every process that serves searches has its own. How far it is stands in its own commits, so there is no second
//! position to disagree with.

pub mod analysis;
mod building;
mod feed;
mod hydrate;
pub mod readable;
pub mod schema;
mod store;
mod writer;

use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use confab_core::{Bus, Db, Fault, Result, Settings, log};
use confab_protocol::{ChannelId, Event, Message, MessageId};
use tantivy::{IndexReader, Searcher, Term};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use building::Building;
pub use building::Progress;

use crate::interest::Interest;
use analysis::Analysis;
use readable::Readable;
use schema::Fields;
use store::Store;
use writer::Change;

/// Searches that run at once: more would only take the processor from each other.
const SEARCHES: usize = 8;
/// A search that cannot begin within this time is refused.
const SEARCH_WAIT: Duration = Duration::from_secs(3);
/// Where it lies in the data folder.
const FOLDER: &str = "index";
/// The gauge of events not yet indexed.
pub const LAG_GAUGE: &str = "confab_index_lag_events";

/// Deletes the index, and the vectors beside it, in a data folder that no process uses: the next start builds new ones.
///
/// # Errors
/// [`Fault::Conflict`] with code `folder_in_use`; [`Fault::Invalid`] when it cannot be deleted.
pub fn remove(data_dir: &Path) -> Result<()> {
    let _lock = store::lock(data_dir)?;
    store::remove_all(&data_dir.join(FOLDER))?;
    crate::meaning::remove(data_dir)
}

/// What an event is about, as it is now.
pub(crate) enum Subject {
    /// A message that is there.
    Message(Box<Message>),
    /// A message that is not.
    Gone(MessageId),
    /// A channel that is not.
    ChannelGone(ChannelId),
}

/// Whose texts `events` changed, each message once, channels that are gone last.
pub(crate) async fn subjects(db: &Db, events: &[Event]) -> Vec<Subject> {
    let changes = hydrate::changes(db, events, hydrate::Kept::Texts).await.into_iter();
    let subjects = changes.filter_map(|change| match change {
        Change::Add(message) | Change::Put(message) => Some(Subject::Message(message)),
        Change::Remove(id) => Some(Subject::Gone(id)),
        Change::RemoveChannel(id) => Some(Subject::ChannelGone(id)),
        Change::AddFile(_) => None,
    });
    subjects.collect()
}

/// The index of this process. Cheap to clone.
#[derive(Clone)]
pub struct Index(Arc<Shared>);

struct Shared {
    reader: RwLock<IndexReader>,
    applied: AtomicI64,
    origin: AtomicI64,
    documents: AtomicU64,
    building: Arc<Building>,
    interest: Interest,
    fields: Fields,
    analysis: Analysis,
    readable: readable::Kept,
    places: Arc<Semaphore>,
}

impl Index {
    /// Opens the index and starts to follow the log.
    pub(crate) async fn start(
        db: &Db,
        bus: &Bus,
        settings: &Settings,
        interest: Interest,
        (tasks, behind): (&TaskTracker, &Handle),
        stop: CancellationToken,
    ) -> Result<Self> {
        let lock = store::lock(&settings.data_dir)?;
        let analysis = Analysis::default();
        let folder = settings.data_dir.join(FOLDER);
        store::mend(&folder)?;
        let log = log::reach(&mut db.read()).await?;
        // There already: the threads that write the index are as nice as the one that opens it.
        let opening = feed::open(folder.clone(), db.epoch(), log, analysis.clone());
        let store = behind.spawn(opening).await.map_err(Fault::internal)??;
        let index = Self::of(&store, analysis, Arc::default(), interest);
        metrics::describe_gauge!(LAG_GAUGE, "Events of the log that are not in the search index yet.");
        let feed = feed::Feed::new(db.clone(), bus.clone(), folder, index.clone(), stop);
        let work = async move {
            feed.run(store).await;
            drop(lock);
        };
        tasks.spawn_on(work, behind);
        Ok(index)
    }

    fn of(store: &Store, analysis: Analysis, building: Arc<Building>, interest: Interest) -> Self {
        Self(Arc::new(Shared {
            documents: AtomicU64::new(store.reader.searcher().num_docs()),
            applied: AtomicI64::new(store.progress.applied()),
            origin: AtomicI64::new(store.origin),
            reader: RwLock::new(store.reader.clone()),
            fields: schema::schema().1,
            building,
            interest,
            analysis,
            readable: readable::Kept::default(),
            places: Arc::new(Semaphore::new(SEARCHES)),
        }))
    }

    /// One that nobody searches, built to take the place of this one. How far that is, this one tells.
    fn beside(&self, store: &Store) -> Self {
        Self::of(store, self.0.analysis.clone(), self.0.building.clone(), self.0.interest.clone())
    }

    /// The position up to which the log is contained.
    #[must_use]
    pub fn applied(&self) -> i64 {
        self.0.applied.load(Ordering::Acquire)
    }

    /// The log's position when this index was begun: requests for a new one up to there are met by it.
    #[must_use]
    pub fn origin(&self) -> i64 {
        self.0.origin.load(Ordering::Relaxed)
    }

    /// How far the building is that goes on, if one does: of this index, or of the one that will take its place.
    #[must_use]
    pub fn progress(&self) -> Option<Progress> {
        self.0.building.now()
    }

    /// Messages and files in the index.
    #[must_use]
    pub fn documents(&self) -> u64 {
        self.0.documents.load(Ordering::Relaxed)
    }

    /// How words are made of texts.
    #[must_use]
    pub fn analysis(&self) -> &Analysis {
        &self.0.analysis
    }

    /// The fields to ask for.
    #[must_use]
    pub fn fields(&self) -> Fields {
        self.0.fields
    }

    /// Runs `search` over what holds one of the terms in `channels`, on a thread where it may take its time.
    ///
    /// # Errors
    /// Those of [`Self::apart`]; [`Fault::Unavailable`] when the index cannot be read.
    pub async fn ask<T: Send + 'static>(
        &self,
        channels: Vec<Term>,
        search: impl FnOnce(&Searcher, &Readable<'_>) -> tantivy::Result<T> + Send + 'static,
    ) -> Result<T> {
        let shared = self.0.clone();
        let work = move || {
            let searcher = shared.reader.read().unwrap_or_else(PoisonError::into_inner).searcher();
            search(&searcher, &shared.readable.readable(&searcher, channels)?)
        };
        self.apart(work).await?.map_err(|error: tantivy::TantivyError| {
            tracing::error!(%error, "the search index cannot be read");
            Fault::Unavailable("the search index")
        })
    }

    /// Does what takes its time for a search on a thread of its own.
    ///
    /// # Errors
    /// [`Fault::Busy`] when too many searches run.
    pub async fn apart<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let place = tokio::time::timeout(SEARCH_WAIT, self.0.places.clone().acquire_owned()).await;
        let place = place.map_err(|_| Fault::Busy)?.map_err(Fault::internal)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            // Not before: whoever asked may have gone, and the thread goes on.
            drop(place);
            done
        });
        done.await.map_err(Fault::internal)
    }

    /// Whether anybody searches here.
    pub(crate) fn interest(&self) -> &Interest {
        &self.0.interest
    }

    fn building(&self) -> &Building {
        &self.0.building
    }

    fn read_from(&self, reader: IndexReader, origin: i64) {
        self.holds(reader.searcher().num_docs());
        self.0.origin.store(origin, Ordering::Relaxed);
        *self.0.reader.write().unwrap_or_else(PoisonError::into_inner) = reader;
    }

    fn reached(&self, applied: i64) {
        self.0.applied.store(applied, Ordering::Release);
    }

    fn holds(&self, documents: u64) {
        self.0.documents.store(documents, Ordering::Relaxed);
    }
}
