//! The relay's loop: stamp, publish, note what is published. Stamping never waits for NATS: readers fall back to SQL.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::nats::Nats;
use crate::db::Db;
use crate::db::relay::Relay;
use crate::fault::Result;
use crate::log;

/// How often those who do not lead ask again.
const CANDIDATE: Duration = Duration::from_secs(1);
/// A lost wake-up costs at most this much.
const POLL: Duration = Duration::from_millis(100);
/// After NATS refused, the next try.
const PUBLISH_AGAIN: Duration = Duration::from_secs(1);

pub(super) fn start(db: Db, nats: Nats, stop: CancellationToken) {
    let kicking = (db.clone(), nats.clone(), stop.clone());
    tokio::spawn(async move {
        let (db, nats, stop) = kicking;
        let mut commits = db.commits();
        while let Some(Ok(())) = stop.run_until_cancelled(commits.changed()).await {
            nats.kick().await;
        }
    });
    tokio::spawn(async move {
        while !stop.is_cancelled() {
            match Relay::lead(&db).await {
                Ok(Some(relay)) => {
                    tracing::info!("this process relays events");
                    if let Err(fault) = lead(relay, &db, &nats, &stop).await {
                        tracing::warn!(%fault, "the relay stopped, another process may take over");
                    }
                }
                Ok(None) => {}
                Err(fault) => tracing::debug!(%fault, "cannot become the relay"),
            }
            let _ = stop.run_until_cancelled(tokio::time::sleep(CANDIDATE)).await;
        }
    });
}

async fn lead(mut relay: Relay, db: &Db, nats: &Nats, stop: &CancellationToken) -> Result<()> {
    let mut kicks = nats.kicks();
    let mut not_before = Instant::now();
    while !stop.is_cancelled() {
        let stamped = relay.stamp().await?;
        if Instant::now() >= not_before && !publish(&mut relay, db, nats, &stamped).await? {
            not_before = Instant::now() + PUBLISH_AGAIN;
        }
        if (stamped.len() as i64) < log::BATCH {
            tokio::select! {
                () = stop.cancelled() => {}
                _ = kicks.recv() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }
    Ok(())
}

/// Publishes in order from what NATS has. `false`: NATS refused; what is missing is published later from SQL.
async fn publish(
    relay: &mut Relay,
    db: &Db,
    nats: &Nats,
    stamped: &[confab_protocol::Event],
) -> Result<bool> {
    if let Some(first) = stamped.first() {
        let (published, _) = relay.published().await?;
        if published + 1 == first.pos {
            return send(relay, nats, stamped).await;
        }
    }
    loop {
        let (published, last) = relay.published().await?;
        if published >= last {
            return Ok(true);
        }
        let page = log::after(&mut db.read(), published, log::BATCH).await?;
        if page.reached == published {
            return Ok(true);
        }
        if !send(relay, nats, &page.events).await? {
            return Ok(false);
        }
        relay.mark_published(page.reached).await?;
    }
}

async fn send(relay: &mut Relay, nats: &Nats, events: &[confab_protocol::Event]) -> Result<bool> {
    match nats.publish(events).await {
        Ok(()) => {
            if let Some(last) = events.last() {
                relay.mark_published(last.pos).await?;
            }
            Ok(true)
        }
        Err(fault) => {
            tracing::warn!(%fault, "NATS took no events; readers go on from the record");
            Ok(false)
        }
    }
}
