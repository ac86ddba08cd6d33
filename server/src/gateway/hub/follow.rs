//! Reading the log and encoding it, ahead of the hub by a few batches.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use confab_core::{Bus, Db, Result};
use confab_protocol::Event;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::gateway::frames::{self, EventFrame};

/// Between two tries to read what events name.
const AGAIN: Duration = Duration::from_millis(250);

/// Follows the log behind `head` until `stop`.
pub async fn follow(
    db: Db,
    bus: Bus,
    head: i64,
    to: mpsc::Sender<Vec<(Event, Option<EventFrame>)>>,
    stop: CancellationToken,
) {
    let mut tail = bus.tail(&db, head).await;
    while let Some(events) = stop.run_until_cancelled(tail.next()).await {
        // Skipping a batch would be a hole in every socket: try until the record answers.
        let frames = loop {
            match surviving(&events, |events| encoded(db.clone(), events)).await {
                Ok(frames) => break frames,
                Err(fault) => {
                    tracing::warn!(%fault, "cannot read what events name, trying again");
                    if stop.run_until_cancelled(tokio::time::sleep(AGAIN)).await.is_none() {
                        return;
                    }
                }
            }
        };
        if to.send(events.into_iter().zip(frames).collect()).await.is_err() {
            return;
        }
    }
}

fn encoded(db: Db, events: &[Event]) -> BoxFuture<'_, Result<Vec<Option<EventFrame>>>> {
    async move { frames::encode(&db, events).await }.boxed()
}

/// What events become. If one of them cannot be encoded without a panic, that one is told to nobody: without this the task would
/// end, and every server would hold its sockets open and tell them nothing, ever.
async fn surviving<T>(
    events: &[Event],
    encode: impl for<'a> Fn(&'a [Event]) -> BoxFuture<'a, Result<Vec<Option<T>>>>,
) -> Result<Vec<Option<T>>> {
    if let Ok(done) = AssertUnwindSafe(encode(events)).catch_unwind().await {
        return done;
    }
    let mut frames = Vec::with_capacity(events.len());
    for event in events {
        if let Ok(done) = AssertUnwindSafe(encode(std::slice::from_ref(event))).catch_unwind().await {
            frames.extend(done?);
        } else {
            tracing::error!(pos = event.pos, "an event could not be encoded; nobody is told of it");
            frames.push(None);
        }
    }
    Ok(frames)
}

#[cfg(test)]
mod tests {
    use confab_core::Fault;
    use confab_protocol::{EventKind, Timestamp};
    use uuid::Uuid;

    use super::*;

    fn event(pos: i64) -> Event {
        Event {
            id: confab_protocol::EventId(confab_protocol::fresh_id()),
            pos,
            kind: EventKind::NewMessage,
            channel_id: None,
            seq: None,
            user_id: None,
            ref_id: Uuid::nil(),
            actor_id: None,
            detail: None,
            created_at: Timestamp(0),
        }
    }

    fn numbered(events: &[Event]) -> BoxFuture<'_, Result<Vec<Option<i64>>>> {
        async move {
            assert!(events.iter().all(|it| it.pos != 3), "the guilty one");
            Ok(events.iter().map(|it| Some(it.pos)).collect())
        }
        .boxed()
    }

    fn away(_: &[Event]) -> BoxFuture<'_, Result<Vec<Option<i64>>>> {
        async { Err(Fault::Unavailable("the record")) }.boxed()
    }

    #[tokio::test]
    async fn one_event_that_panics_is_told_to_nobody_and_the_others_are() {
        let events: Vec<Event> = (1..=4).map(event).collect();
        assert_eq!(surviving(&events, numbered).await.unwrap(), [Some(1), Some(2), None, Some(4)]);
        assert!(surviving(&events, away).await.is_err(), "what passes is tried again, all of it");
    }
}
