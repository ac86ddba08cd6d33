//! The full-text index of this process: fed from the log by [`feed`], asked through [`Index::find`].
//!
//! Every process that serves searches has its own. How far it is stands in its own commits, so there is no second
//! position to disagree with.

pub mod analysis;
mod feed;
mod hydrate;
pub mod schema;
mod store;
mod writer;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use confab_core::{Bus, Db, Fault, Result, Settings, log};
use tantivy::{IndexReader, Searcher};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use analysis::Analysis;
use schema::Fields;

/// Searches that run at once: more would only take the processor from each other.
const SEARCHES: usize = 8;
/// A search that cannot begin within this time is refused.
const SEARCH_WAIT: Duration = Duration::from_secs(3);
/// The gauge of events not yet indexed.
pub const LAG_GAUGE: &str = "confab_index_lag_events";

/// The index of this process. Cheap to clone.
#[derive(Clone)]
pub struct Index(Arc<Shared>);

struct Shared {
    reader: RwLock<IndexReader>,
    applied: AtomicI64,
    documents: AtomicU64,
    fields: Fields,
    analysis: Analysis,
    places: Semaphore,
}

impl Index {
    /// Opens the index and starts to follow the log.
    pub(crate) async fn start(
        db: &Db,
        bus: &Bus,
        settings: &Settings,
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> Result<Self> {
        let lock = store::lock(&settings.data_dir)?;
        let analysis = Analysis::default();
        let folder = settings.data_dir.join("index");
        let head = log::head(&mut db.read()).await?;
        let store = feed::open(folder.clone(), db.epoch(), head, analysis.clone()).await?;
        let index = Self(Arc::new(Shared {
            documents: AtomicU64::new(store.reader.searcher().num_docs()),
            applied: AtomicI64::new(store.progress.applied()),
            reader: RwLock::new(store.reader.clone()),
            fields: schema::schema().1,
            analysis,
            places: Semaphore::new(SEARCHES),
        }));
        metrics::describe_gauge!(LAG_GAUGE, "Events of the log that are not in the search index yet.");
        let feed = feed::Feed::new(db.clone(), bus.clone(), folder, index.clone(), stop);
        tasks.spawn(async move {
            feed.run(store).await;
            drop(lock);
        });
        Ok(index)
    }

    /// The position up to which the log is contained.
    #[must_use]
    pub fn applied(&self) -> i64 {
        self.0.applied.load(Ordering::Acquire)
    }

    /// Messages in the index.
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

    /// Runs `search` on a thread where it may take its time.
    ///
    /// # Errors
    /// [`Fault::Busy`] when too many searches run; [`Fault::Unavailable`] when the index cannot be read.
    pub async fn ask<T: Send + 'static>(
        &self,
        search: impl FnOnce(&Searcher) -> tantivy::Result<T> + Send + 'static,
    ) -> Result<T> {
        let place = tokio::time::timeout(SEARCH_WAIT, self.0.places.acquire()).await;
        let _place = place.map_err(|_| Fault::Busy)?.map_err(Fault::internal)?;
        let searcher = self.0.reader.read().unwrap_or_else(PoisonError::into_inner).searcher();
        let found = tokio::task::spawn_blocking(move || search(&searcher)).await.map_err(Fault::internal)?;
        found.map_err(|error| {
            tracing::error!(%error, "the search index cannot be read");
            Fault::Unavailable("the search index")
        })
    }

    fn read_from(&self, reader: IndexReader) {
        *self.0.reader.write().unwrap_or_else(PoisonError::into_inner) = reader;
    }

    fn reached(&self, applied: i64) {
        self.0.applied.store(applied, Ordering::Release);
    }

    fn holds(&self, documents: u64) {
        self.0.documents.store(documents, Ordering::Relaxed);
    }
}
