//! Posts on PostgreSQL: those that wait for one channel share a transaction.
//!
//! Each alone would hold a connection only to wait for the channel's lock, and pay for a commit of its own. No wait is
//! added: together go those that came while the transaction before them ran. What other servers post takes turns with
//! this under the same lock.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use confab_protocol::{ChannelId, Message};
use futures_util::FutureExt;
use sqlx::PgPool;
use tokio::sync::oneshot;

use super::writer::{GROUP, QUEUE, again};
use super::{Db, Engine, Tx};
use crate::fault::{Fault, Result};
use crate::messages::{self, Plain, Posted};

type Waiting = (Plain, oneshot::Sender<Result<Posted>>);

/// The posts that wait, by channel. Where a channel is named, a task works on its line.
#[derive(Default)]
pub(super) struct Lines(Mutex<HashMap<ChannelId, Vec<Waiting>>>);

impl Lines {
    fn lock(&self) -> MutexGuard<'_, HashMap<ChannelId, Vec<Waiting>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits in line and posts. It goes on to its end even when the caller goes away.
    pub async fn post(self: &Arc<Self>, db: &Db, plain: Plain) -> Result<Posted> {
        let (answer, answered) = oneshot::channel();
        let channel = plain.channel;
        let is_first = {
            let mut lines = self.lock();
            let is_first = !lines.contains_key(&channel);
            let line = lines.entry(channel).or_default();
            if line.len() >= QUEUE {
                return Err(Fault::Busy);
            }
            line.push((plain, answer));
            is_first
        };
        if is_first {
            tokio::spawn(work(db.clone(), channel));
        }
        answered.await.unwrap_or(Err(Fault::Unavailable("the database")))
    }

    /// The next who go together. `None`: nobody waits any more, and the line is closed.
    fn next(&self, channel: ChannelId) -> Option<Vec<Waiting>> {
        let mut lines = self.lock();
        let line = lines.get_mut(&channel)?;
        if line.is_empty() {
            lines.remove(&channel);
            return None;
        }
        let count = line.len().min(GROUP);
        Some(line.drain(..count).collect())
    }
}

async fn work(db: Db, channel: ChannelId) {
    let Engine::Postgres(pool) = db.pools.clone() else { return };
    while let Some(waiting) = db.lines.next(channel) {
        let plain: Vec<&Plain> = waiting.iter().map(|(plain, _)| plain).collect();
        let done = AssertUnwindSafe(together(&db, &pool, &plain)).catch_unwind().await;
        let posted = match done.unwrap_or(Outcome::Undone) {
            Outcome::Posted(posted) => posted,
            Outcome::Undone => Vec::new(),
            Outcome::Failed(fault) => {
                for (_, answer) in waiting {
                    let _ = answer.send(Err(again(&fault)));
                }
                continue;
            }
        };
        let mut posted = posted.into_iter();
        for (plain, answer) in waiting {
            match posted.next().flatten() {
                Some(message) => {
                    let _ = answer.send(Ok(Posted { message, is_new: true }));
                }
                None => alone(db.clone(), plain, answer),
            }
        }
    }
}

enum Outcome {
    /// Committed; `None` for those who have to post alone.
    Posted(Vec<Option<Message>>),
    /// Nothing was done, and each may try alone.
    Undone,
    /// The record is away, the channel's lock is held, or nobody knows whether the commit held.
    Failed(Fault),
}

async fn together(db: &Db, pool: &PgPool, plain: &[&Plain]) -> Outcome {
    let mut tx = match Tx::on_postgres(pool).await {
        Ok(tx) => tx,
        Err(fault) => return Outcome::Failed(fault),
    };
    match messages::post_together(&mut tx, plain).await {
        Ok(posted) if posted.iter().all(Option::is_none) => Outcome::Undone,
        Ok(posted) => match tx.commit_postgres().await {
            Ok(has_events) => {
                if has_events {
                    db.head.send_modify(|count| *count += 1);
                }
                Outcome::Posted(posted)
            }
            Err(fault) => Outcome::Failed(fault),
        },
        Err(fault) if fault.is_retryable() => Outcome::Failed(fault),
        Err(_) => Outcome::Undone,
    }
}

/// A task of its own: the line does not wait for what is refused, quoted or asked again.
fn alone(db: Db, plain: Plain, answer: oneshot::Sender<Result<Posted>>) {
    tokio::spawn(async move {
        let done = db.write(move |tx| plain.post_alone(tx).boxed()).await;
        let _ = answer.send(done);
    });
}
