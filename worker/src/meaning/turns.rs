//! Several workers, one store of vectors: one of them at a time keeps it up to date, by a lease in the record. A model that is
//! paid for is asked once about each message.

use std::sync::Arc;
use std::time::{Duration, Instant};

use confab_core::cursors::{self, Cursor};
use confab_core::{Bus, Db, FutureExt, Result};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::feed::Feed;
use super::place::{Place, Progress};
use super::{Kept, Models, reach};

/// Its name among the consumers of the log.
const NAME: &str = "vectors";
/// After this long without a sign of life another worker takes over.
const LEASE: Duration = Duration::from_secs(30);

/// Others learn within two looks, each [`LEASE`] / 3 after the one before it, that the vectors are whole: after this long none
/// answers by older ones any more.
const KNOWN: Duration = Duration::from_secs(25);
/// How often it is looked what can be deleted.
const TIDY: Duration = Duration::from_secs(5);

/// Works on the store whenever no other worker does, until `stop`.
pub(super) async fn take(db: Db, bus: Bus, models: Arc<Models>, stop: CancellationToken) {
    let holder = Uuid::new_v4();
    let meaning = &models.wanted;
    while !stop.is_cancelled() {
        match hold(&db, holder, meaning.applied()).await {
            Ok(Some(cursor)) => work(&db, &bus, &models, (cursor, holder), &stop).await,
            Ok(None) => {
                look(&db, meaning).await;
                pause(&stop).await;
            }
            Err(fault) => {
                tracing::warn!(%fault, "cannot see who keeps the vectors up to date, trying again");
                pause(&stop).await;
            }
        }
    }
}

async fn pause(stop: &CancellationToken) {
    let _ = tokio::time::timeout(LEASE / 3, stop.cancelled()).await;
}

async fn hold(db: &Db, holder: Uuid, from: i64) -> Result<Option<Cursor>> {
    db.write(move |tx| async move { cursors::hold(tx, NAME, holder, from, LEASE).await }.boxed()).await
}

/// Works until `stop`, or until another holds the place.
async fn work(
    db: &Db,
    bus: &Bus,
    models: &Models,
    (cursor, holder): (Cursor, Uuid),
    stop: &CancellationToken,
) {
    let over = stop.child_token();
    let meaning = &models.wanted;
    let feed = Feed::new(db.clone(), bus.clone(), meaning.clone(), over.clone());
    tokio::join!(feed.run(), renew(db, meaning, holder, &over), tidy(db, models, &over));
    let released = db.write(move |tx| async move { cursors::release(tx, &cursor).await }.boxed()).await;
    if let Err(fault) = released {
        tracing::debug!(%fault, "the next worker waits for the lease");
    }
}

/// Says again and again that somebody works, and how far. Ends with `over`, which it brings about when the place is lost:
/// two that write do no harm, but each message would be embedded twice.
async fn renew(db: &Db, meaning: &Kept, holder: Uuid, over: &CancellationToken) {
    loop {
        pause(over).await;
        if over.is_cancelled() {
            return;
        }
        let applied = meaning.applied();
        let held = db
            .write(move |tx| {
                async move {
                    let held = cursors::hold(tx, NAME, holder, applied, LEASE).await?;
                    if let Some(held) = &held
                        && applied > held.pos
                    {
                        cursors::advance(tx, held, applied).await?;
                    }
                    Ok(held.is_some())
                }
                .boxed()
            })
            .await;
        match held {
            Ok(true) => {}
            Ok(false) => over.cancel(),
            Err(fault) => tracing::warn!(%fault, "cannot say that the vectors are being kept up to date"),
        }
    }
}

/// Deletes the vectors that other models left, once those of this one are whole and every worker answers by them. One that did
/// not would find nothing, or make the old ones anew. Again and again: what one wrote at that moment is left then.
async fn tidy(db: &Db, models: &Models, over: &CancellationToken) {
    let mut since: Option<Instant> = None;
    while tokio::time::timeout(TIDY, over.cancelled()).await.is_err() {
        if !models.is_settled() {
            since = None;
            continue;
        }
        if since.get_or_insert_with(Instant::now).elapsed() < KNOWN {
            continue;
        }
        since = None;
        let epoch = db.epoch();
        match models.wanted.store.drop_others(&|noted| Place::is_of(noted, epoch)).await {
            Ok(dropped) if dropped.is_empty() => {}
            Ok(dropped) => {
                tracing::info!(?dropped, "the vectors of models that are not used any more are deleted");
            }
            Err(fault) => tracing::warn!(%fault, "cannot delete the vectors of older models, trying again"),
        }
    }
}

/// How far another worker is: what this one's searches find.
async fn look(db: &Db, meaning: &Kept) {
    let (Ok(Some(noted)), Ok(log)) = (meaning.store.place().await, reach(db).await) else { return };
    if let Ok(Place { progress: Progress::Following { applied }, .. }) = Place::read(&noted, db.epoch(), &log)
    {
        meaning.reached(applied);
    }
}
