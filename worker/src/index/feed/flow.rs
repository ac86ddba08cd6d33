//! What is on its way into one index, and when it is committed.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use uuid::Uuid;

use crate::index::store::{Place, Progress};
use crate::index::writer::{Change, Ended, Writer};

/// After a quiet time a message is searchable this soon: a little wait lets a burst share one commit.
const SOON: Duration = Duration::from_millis(25);
/// Between two commits, while people chat.
const BETWEEN: Duration = Duration::from_millis(250);
/// The same while the index is far behind: a commit costs as much for one message as for thousands.
pub(super) const BETWEEN_IN_BULK: Duration = Duration::from_secs(2);
/// Changes that wait for a commit at most.
pub(super) const UNCOMMITTED: usize = 50_000;

/// See the module.
pub(super) struct Flow {
    pub writer: Writer,
    /// Where the log was when all messages began to be read.
    pub origin: i64,
    pub progress: Progress,
    /// Changes since the last commit.
    pub uncommitted: usize,
    /// Since when they wait.
    pub first: Instant,
    /// When the last commit began.
    pub committed: Instant,
    /// The position that the last commit wrote down.
    pub written: i64,
    /// The commit in progress, and its position.
    pub running: Option<(oneshot::Receiver<u64>, i64)>,
    /// The log has more than one batch waiting.
    pub in_bulk: bool,
}

impl Flow {
    pub fn new(writer: Writer, origin: i64, progress: Progress) -> Self {
        let now = Instant::now();
        Self {
            writer,
            origin,
            progress,
            uncommitted: 0,
            first: now,
            committed: now.checked_sub(BETWEEN).unwrap_or(now),
            written: progress.applied(),
            running: None,
            in_bulk: false,
        }
    }

    pub async fn apply(&mut self, changes: Vec<Change>) -> Result<(), Ended> {
        if self.uncommitted == 0 {
            self.first = Instant::now();
        }
        self.uncommitted += changes.len();
        self.writer.apply(changes).await
    }

    pub fn commit_at(&self) -> Instant {
        if self.uncommitted >= UNCOMMITTED {
            self.first
        } else if self.in_bulk {
            self.first + BETWEEN_IN_BULK
        } else {
            (self.first + SOON).max(self.committed + BETWEEN)
        }
    }

    /// Queues a commit; an earlier one must be done.
    pub async fn commit(&mut self, epoch: Uuid) -> Result<(), Ended> {
        let done = self.writer.commit(Place::new(epoch, self.origin, self.progress)).await?;
        self.running = Some((done, self.progress.applied()));
        self.uncommitted = 0;
        self.committed = Instant::now();
        Ok(())
    }

    /// Waits for the commit in progress, for ever when there is none. Cancelling it loses nothing.
    pub async fn done(&mut self) -> Result<(u64, i64), Ended> {
        let Some((done, pos)) = &mut self.running else { return std::future::pending().await };
        let (documents, pos) = (done.await, *pos);
        self.running = None;
        self.written = pos;
        Ok((documents.map_err(|_| Ended)?, pos))
    }
}
