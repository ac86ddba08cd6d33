//! Vectors in a folder of this process: as bytes, in files by channel, mapped, and looked at one by one. A million take
//! some twenty milliseconds, and what is found is exact, whatever the filter; an index of neighbours would take minutes to
//! build and find less the more is forbidden.
//!
//! The newest rows are in memory and in a [`journal`]; from time to time they become a [`segment`], together with what is
//! left of segments that are mostly gone. The [`manifest`] says which files count.

mod fresh;
mod journal;
mod manifest;
mod rows;
mod scan;
mod segment;
mod shelf;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use confab_core::{Fault, Result};
use confab_protocol::ChannelId;
use futures_util::future::{BoxFuture, FutureExt};
use tokio::sync::Semaphore;

use super::{Change, Near, Nearest, VectorStore, check};
use crate::embedding::ModelId;
use journal::{Batch, Step};
use scan::Scan;
use shelf::{Shelf, Writer};

/// Searches that run at once: more would only take the processor from each other.
const SEARCHES: usize = 4;
/// A search that cannot begin within this time is refused.
const SEARCH_WAIT: Duration = Duration::from_secs(3);

/// See the module. Cheap to clone. One process opens a folder at a time; who opens it sees to that.
#[derive(Clone)]
pub struct Embedded(Arc<Shared>);

struct Shared {
    folder: PathBuf,
    model: ModelId,
    /// `None` after a failure that left memory and disk unlike each other: then it is opened anew.
    writer: Mutex<Option<Writer>>,
    shelf: RwLock<Shelf>,
    places: Arc<Semaphore>,
}

impl Embedded {
    /// Opens the store in `folder`, or makes one there. One that is damaged, or of another model or version, is emptied:
    /// then [`VectorStore::place`] answers `None`.
    ///
    /// # Errors
    /// [`Fault::Invalid`] in `data_dir` when the folder cannot be used.
    pub async fn open(folder: &Path, model: &ModelId) -> Result<Self> {
        let (folder, model) = (folder.to_owned(), model.clone());
        let open = move || {
            let (writer, shelf) = shelf::open(&folder, &model).map_err(|error| {
                Fault::invalid("data_dir", format!("cannot keep vectors in {}: {error}", folder.display()))
            })?;
            Ok(Self(Arc::new(Shared {
                folder,
                model,
                writer: Mutex::new(Some(writer)),
                shelf: RwLock::new(shelf),
                places: Arc::new(Semaphore::new(SEARCHES)),
            })))
        };
        tokio::task::spawn_blocking(open).await.map_err(Fault::internal)?
    }

    /// Runs `work` on a thread that may block.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let shared = self.0.clone();
        tokio::task::spawn_blocking(move || work(&shared)).await.map_err(Fault::internal)?
    }
}

impl VectorStore for Embedded {
    fn write(&self, changes: Vec<Change>, place: String) -> BoxFuture<'_, Result<()>> {
        async move {
            check(&changes, &place, self.0.model.dimensions())?;
            self.blocking(move |shared| shared.write(changes, place)).await
        }
        .boxed()
    }

    fn place(&self) -> BoxFuture<'_, Result<Option<String>>> {
        self.blocking(|shared| Ok(shared.shelf.read().unwrap_or_else(PoisonError::into_inner).place.clone()))
            .boxed()
    }

    fn search(&self, wanted: Nearest) -> BoxFuture<'_, Result<Vec<Near>>> {
        async move {
            wanted.check(self.0.model.dimensions())?;
            let place = tokio::time::timeout(SEARCH_WAIT, self.0.places.clone().acquire_owned()).await;
            let place = place.map_err(|_| Fault::Busy)?.map_err(Fault::internal)?;
            let search = move |shared: &Shared| {
                let found = shared.search(&wanted);
                // Not before: whoever asked may have gone, and the thread goes on.
                drop(place);
                Ok(found)
            };
            self.blocking(search).await
        }
        .boxed()
    }

    fn count(&self, channels: Vec<ChannelId>) -> BoxFuture<'_, Result<u64>> {
        self.blocking(move |shared| {
            let rows = shared.shelf.read().unwrap_or_else(PoisonError::into_inner);
            Ok(rows.count(&channels))
        })
        .boxed()
    }

    fn clear(&self) -> BoxFuture<'_, Result<()>> {
        self.blocking(Shared::clear).boxed()
    }
}

impl Shared {
    fn write(&self, changes: Vec<Change>, place: String) -> Result<()> {
        let steps = changes.into_iter().map(|change| match change {
            Change::Put(point) => Step::Put(point.into()),
            Change::Remove(id) => Step::Remove(id),
            Change::RemoveChannel(id) => Step::RemoveChannel(id),
        });
        let batch = Batch { place, steps: steps.collect() };
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if writer.is_none() {
            let place = self.shelf.read().unwrap_or_else(PoisonError::into_inner).place.clone();
            let opened = shelf::open_again(&self.folder, &self.model, place.as_ref());
            let (opened, rows) = opened.map_err(|error| unkept(&error))?;
            *self.shelf.write().unwrap_or_else(PoisonError::into_inner) = rows;
            *writer = Some(opened);
        }
        let Some(open) = writer.as_mut() else { return Err(Fault::internal("no writer of vectors")) };
        open.append(&batch).map_err(|error| unkept(&error))?;
        self.shelf.write().unwrap_or_else(PoisonError::into_inner).apply(batch);
        // The batch is kept, whatever becomes of this: a failure is tried again with the next one.
        let tidied = open.tidy(&self.shelf);
        if let Err(error) = tidied {
            tracing::error!(%error, "the vectors' files cannot be put in order, trying again");
            *writer = None;
        }
        Ok(())
    }

    fn search(&self, wanted: &Nearest) -> Vec<Near> {
        let mut channels = wanted.channels.clone();
        channels.sort_unstable();
        // Named twice, its messages would be found twice.
        channels.dedup();
        let mut scan = Scan::new(wanted);
        let rows = self.shelf.read().unwrap_or_else(PoisonError::into_inner);
        for channel_id in channels {
            rows.scan(&mut scan, channel_id);
        }
        scan.end()
    }

    fn clear(&self) -> Result<()> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // Searches that go on have the files mapped; they are gone when those end.
        *writer = None;
        let (opened, rows) = shelf::open_empty(&self.folder, &self.model).map_err(|error| unkept(&error))?;
        *self.shelf.write().unwrap_or_else(PoisonError::into_inner) = rows;
        *writer = Some(opened);
        Ok(())
    }
}

fn unkept(error: &std::io::Error) -> Fault {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return Fault::Full;
    }
    Fault::internal(format!("vectors cannot be kept: {error}"))
}
