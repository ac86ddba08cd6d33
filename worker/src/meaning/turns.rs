//! Several workers, one store of vectors: one of them at a time keeps it up to date, by a lease in the record. A model that is
//! paid for is asked once about each message.

use std::time::Duration;

use confab_core::cursors::{self, Cursor};
use confab_core::{Bus, Db, FutureExt, Result};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::feed::Feed;
use super::place::{Place, Progress};
use super::{Kept, reach};

/// Its name among the consumers of the log.
const NAME: &str = "vectors";
/// After this long without a sign of life another worker takes over.
const LEASE: Duration = Duration::from_secs(30);

/// Works on the store whenever no other worker does, until `stop`.
pub(super) async fn take(db: Db, bus: Bus, meaning: Kept, stop: CancellationToken) {
    let holder = Uuid::new_v4();
    while !stop.is_cancelled() {
        match hold(&db, holder, meaning.applied()).await {
            Ok(Some(cursor)) => work(&db, &bus, &meaning, (cursor, holder), &stop).await,
            Ok(None) => {
                look(&db, &meaning).await;
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
    meaning: &Kept,
    (cursor, holder): (Cursor, Uuid),
    stop: &CancellationToken,
) {
    let over = stop.child_token();
    let feed = Feed::new(db.clone(), bus.clone(), meaning.clone(), over.clone());
    tokio::join!(feed.run(), renew(db, meaning, holder, &over));
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

/// How far another worker is: what this one's searches find.
async fn look(db: &Db, meaning: &Kept) {
    let (Ok(Some(noted)), Ok(log)) = (meaning.store.place().await, reach(db).await) else { return };
    if let Ok(Place { progress: Progress::Following { applied }, .. }) = Place::read(&noted, db.epoch(), &log)
    {
        meaning.reached(applied);
    }
}
