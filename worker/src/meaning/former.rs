//! The model before the one that the settings name now: while all messages are given to the new one, which may take an
//! endpoint hours, searches by meaning are answered by the vectors of the old one.
//!
//! A question must be given to the model that made the vectors. Of models behind an endpoint or in a folder nothing is
//! left when the settings name another; the built-in one is always there. So it alone can be a former one, and what others
//! made is not used again before the settings name them again.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use confab_core::{Bus, Db, Result, Settings};
use tokio_util::sync::CancellationToken;

use super::feed::Feed;
use super::place::{Place, Progress};
use super::{Kept, Models, Shared, folder_of, open, reach};
use crate::embedding::{Embedder, Table};
use crate::vectors::{Qdrant, VectorStore};

/// How often it is looked whether the new vectors are whole.
const LOOK: Duration = Duration::from_millis(250);

/// The vectors that may answer until those of `wanted` are whole: `None` where they are, or where there are no others.
pub(super) async fn find(db: &Db, settings: &Settings, wanted: &Kept) -> Result<Option<Kept>> {
    let table = Table::built_in()?;
    if wanted.embedder.id() == table.id() || is_whole(db, wanted.store.as_ref()).await {
        return Ok(None);
    }
    let store: Box<dyn VectorStore> = match &settings.qdrant {
        Some(server) => Box::new(Qdrant::new(&server.url, server.key(), table.id())?),
        None if folder_of(&settings.data_dir, table.id()).exists() => {
            Box::new(open(&settings.data_dir, &table).await?)
        }
        None => return Ok(None),
    };
    if !is_whole(db, store.as_ref()).await {
        return Ok(None);
    }
    let former = Arc::new(Shared::new(Arc::new(table), store, wanted.interest.clone()));
    tracing::info!(model = %wanted.embedder.id(), "vectors of another model are made; the old ones answer until then");
    Ok(Some(former))
}

/// All messages were read into it, and the log still has what came since.
async fn is_whole(db: &Db, store: &dyn VectorStore) -> bool {
    let (Ok(Some(noted)), Ok(log)) = (store.place().await, reach(db).await) else { return false };
    matches!(Place::read(&noted, db.epoch(), &log), Ok(Place { progress: Progress::Following { .. }, .. }))
}

/// Keeps the former vectors up to date until the new ones hold as much, lets those answer then, and deletes `folder`.
/// Several workers that write to one store do the same things to it, and the built-in model costs nothing.
pub(super) async fn serve(
    models: Arc<Models>,
    (db, bus, former): (Db, Bus, Kept),
    folder: Option<PathBuf>,
    stop: CancellationToken,
) {
    let over = stop.child_token();
    let feed = Feed::new(db, bus, former.clone(), over.clone());
    let switch = async {
        // As much as the old ones hold when the new ones are first known to be whole. Where another worker makes those, this
        // one learns every few seconds how far they are; the old ones would always be ahead of that.
        let mut enough: Option<i64> = None;
        while !over.is_cancelled() {
            let is_whole = models.wanted.is_whole();
            enough = enough.filter(|_| is_whole).or_else(|| is_whole.then(|| former.applied()));
            if enough.is_some_and(|enough| models.wanted.applied() >= enough) {
                *models.former.write().unwrap_or_else(PoisonError::into_inner) = None;
                tracing::info!(model = %models.wanted.embedder.id(), "its vectors answer searches now");
                over.cancel();
            }
            let _ = tokio::time::timeout(LOOK, over.cancelled()).await;
        }
    };
    tokio::join!(feed.run(), switch);
    // Searches that go on have the files mapped; they are gone when those end.
    if let Some(folder) = folder.filter(|_| !stop.is_cancelled())
        && let Err(error) = tokio::fs::remove_dir_all(&folder).await
    {
        tracing::warn!(%error, folder = %folder.display(), "the old vectors cannot be deleted");
    }
}
