//! The relay's loop: stamp, publish, note what is published. Stamping waits for NATS once, when it falls silent: readers fall back
//! to SQL.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::nats::{Nats, PUBLISH_WITHIN};
use crate::db::Db;
use crate::db::relay::Relay;
use crate::fault::Result;
use crate::log;

/// 1 in the process that gives events their positions, 0 in the others.
const LEADS_GAUGE: &str = "confab_relay_leads";
/// How often those who do not lead ask again.
const CANDIDATE: Duration = Duration::from_secs(1);
/// A lost wake-up costs at most this much.
const POLL: Duration = Duration::from_millis(100);
/// Events between two marks: what a slow bus took is not sent again.
const MARKED_EACH: usize = 100;
/// A bus that takes so long for a batch gets the rest of it later.
const SLOW: Duration = Duration::from_secs(1);
/// After NATS refused, the next try.
const PUBLISH_AGAIN: Duration = Duration::from_secs(1);
/// A bus that refused is taken for well again when it answers a question within this time, which doubles each time that it does
/// not: one that is merely slow is published to in the end.
const WELL_WITHIN: Duration = Duration::from_millis(300);

pub(super) fn start(db: Db, nats: Nats, stop: CancellationToken) {
    metrics::describe_gauge!(LEADS_GAUGE, "Whether this process gives the log's events their positions.");
    metrics::gauge!(LEADS_GAUGE).set(0.0);
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
                    metrics::gauge!(LEADS_GAUGE).set(1.0);
                    if let Err(fault) = lead(relay, &nats, &stop).await {
                        tracing::warn!(%fault, "the relay stopped, another process may take over");
                    }
                    metrics::gauge!(LEADS_GAUGE).set(0.0);
                }
                Ok(None) => {}
                Err(fault) => tracing::debug!(%fault, "cannot become the relay"),
            }
            let _ = stop.run_until_cancelled(tokio::time::sleep(CANDIDATE)).await;
        }
    });
}

async fn lead(mut relay: Relay, nats: &Nats, stop: &CancellationToken) -> Result<()> {
    let mut kicks = nats.kicks();
    let (mut not_before, mut has_refused, mut patience) = (Instant::now(), false, WELL_WITHIN);
    while !stop.is_cancelled() {
        let stamped = relay.stamp().await?;
        if Instant::now() >= not_before {
            // Who refused once is asked first: else each try on a bus that stands still would hold up for seconds what is said
            // meanwhile, and give it its positions in one burst.
            let is_well = !has_refused || nats.is_well(patience).await;
            patience = if is_well { WELL_WITHIN } else { (patience * 2).min(PUBLISH_WITHIN) };
            has_refused = !(is_well && publish(&mut relay, nats, &stamped).await?);
            if has_refused {
                not_before = Instant::now() + PUBLISH_AGAIN;
            }
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
async fn publish(relay: &mut Relay, nats: &Nats, stamped: &[confab_protocol::Event]) -> Result<bool> {
    if stamped.first().is_some_and(|first| relay.is_next(first.pos)) {
        return send(relay, nats, stamped).await;
    }
    loop {
        let (published, last) = relay.published().await?;
        if published >= last {
            return Ok(true);
        }
        // After an hour without NATS everybody has read the record; all of it again would hold up what is new. Readers take the
        // hole for what it is, and read on there.
        let from = published.max(last - log::BATCH);
        let page = relay.after(from).await?;
        if page.reached == from {
            return Ok(true);
        }
        if !send(relay, nats, &page.events).await? {
            return Ok(false);
        }
        relay.mark_published(page.reached).await?;
    }
}

async fn send(relay: &mut Relay, nats: &Nats, events: &[confab_protocol::Event]) -> Result<bool> {
    let began = Instant::now();
    for part in events.chunks(MARKED_EACH) {
        if let Err(fault) = nats.publish(part).await {
            tracing::warn!(%fault, "NATS took no events; readers go on from the record");
            return Ok(false);
        }
        if let Some(last) = part.last() {
            relay.mark_published(last.pos).await?;
        }
        // What comes is stamped meanwhile, and read from the record.
        if began.elapsed() > SLOW {
            return Ok(false);
        }
    }
    Ok(true)
}
