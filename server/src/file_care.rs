//! What files need after they came: their words are read, and what nobody uses is removed. Every server does this for
//! all; what is to be done is found in the record.

use std::sync::Arc;
use std::time::{Duration, Instant};

use confab_core::files;
use confab_core::{Db, FutureExt, Result};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::document;
use crate::storage::Storage;

/// What another server left undone is found after this long.
const LOOK_EVERY: Duration = Duration::from_secs(20);
const SWEEP_EVERY: Duration = Duration::from_mins(1);
/// A pause when a part of the server does not answer.
const PAUSE: Duration = Duration::from_secs(2);
/// Documents that one server reads at once. Each takes a core, at a low priority; nobody has two of them, so one
/// person's slow documents leave a reader to the others.
const READERS: usize = 2;
/// Steps of one sweep: what is left waits for the next.
const STEPS: usize = 20;

/// Wakes who reads documents and who sweeps. Cheap to clone.
#[derive(Clone, Default)]
pub struct FileCare(Arc<Calls>);

#[derive(Default)]
struct Calls {
    came: Notify,
    went: Notify,
}

impl FileCare {
    /// A file came: its words may be read.
    pub fn came(&self) {
        self.0.came.notify_one();
    }

    /// A file or an upload is gone: its bytes may be removed.
    pub fn went(&self) {
        self.0.went.notify_one();
    }

    /// Works until `stop`.
    pub fn start(&self, db: &Db, storage: &Storage, stop: &CancellationToken) {
        for _ in 0..READERS {
            let (care, db, storage, stop) = (self.clone(), db.clone(), storage.clone(), stop.clone());
            tokio::spawn(async move {
                stop.run_until_cancelled(read_all(&db, &storage, &care.0.came)).await;
            });
        }
        let (care, db, storage, stop) = (self.clone(), db.clone(), storage.clone(), stop.clone());
        tokio::spawn(async move {
            stop.run_until_cancelled(sweep_all(&db, &storage, &care.0.went)).await;
        });
    }
}

async fn sweep_all(db: &Db, storage: &Storage, woken: &Notify) {
    loop {
        let _ = tokio::time::timeout(SWEEP_EVERY, woken.notified()).await;
        if let Err(fault) = sweep(db, storage).await {
            tracing::warn!(%fault, "files that nobody uses stay for another minute");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Reads documents one after the other.
async fn read_all(db: &Db, storage: &Storage, woken: &Notify) {
    loop {
        match read_next(db, storage).await {
            Ok(true) => {}
            Ok(false) => {
                let _ = tokio::time::timeout(LOOK_EVERY, woken.notified()).await;
            }
            Err(fault) => {
                tracing::warn!(%fault, "a document is read later");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Reads the next document; false when there is none.
async fn read_next(db: &Db, storage: &Storage) -> Result<bool> {
    let due = db.write(|tx| files::due_text(tx).boxed()).await?;
    let Some(due) = due else { return Ok(false) };
    let (user, id) = (due.user_id, due.id);
    let done = read_one(db, storage, due).await;
    if let Err(fault) = &done {
        // A store that is away says nothing of the document: it does not count as a reader that died of it.
        let untried = fault.is_retryable().then_some(id);
        db.write(move |tx| files::give_back_turn(tx, user, untried, PAUSE).boxed()).await?;
    }
    done.map(|()| true)
}

async fn read_one(db: &Db, storage: &Storage, due: files::Due) -> Result<()> {
    let began = Instant::now();
    let is_too_large = due.file_size.unsigned_abs() > document::MOST_DOCUMENT_BYTES;
    let text =
        if is_too_large { String::new() } else { document::words(storage, &due.key, &due.file_type).await? };
    let (id, has_words, spent) = (due.id, !text.is_empty(), began.elapsed());
    db.write(move |tx| async move { files::keep_text(tx, due, text, spent).await }.boxed()).await?;
    if has_words {
        db.write(move |tx| async move { files::announce_text(tx, id).await }.boxed()).await?;
    }
    Ok(())
}

/// Removes what nobody uses, first from the record and then from the store.
pub async fn sweep(db: &Db, storage: &Storage) -> Result<()> {
    for _ in 0..STEPS {
        if !db.write(|tx| files::sweep(tx).boxed()).await? {
            break;
        }
    }
    for _ in 0..STEPS {
        let strays = files::strays(&mut db.read()).await?;
        for key in &strays {
            storage.remove(key).await?;
        }
        let is_last = (strays.len() as i64) < files::STRAYS_AT_ONCE;
        db.write(move |tx| async move { files::removed(tx, &strays).await }.boxed()).await?;
        if is_last {
            break;
        }
    }
    Ok(())
}
