//! What keeps the index up to date: reads the record once when there is no index, follows the log from there on, and
//! decides when to commit.

use std::path::PathBuf;
use std::time::Duration;

use confab_core::bus::Tail;
use confab_core::{Bus, Db, Fault, Result, log, messages};
use confab_protocol::{Event, MessageId};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::analysis::Analysis;
use super::hydrate;
use super::store::{self, Place, Progress, Store};
use super::writer::{Change, Ended, Writer};
use super::{Index, LAG_GAUGE};

/// After a quiet time a message is searchable this soon: a little wait lets a burst share one commit.
const SOON: Duration = Duration::from_millis(25);
/// Between two commits, while people chat.
const BETWEEN: Duration = Duration::from_millis(250);
/// The same while the index is far behind: a commit costs as much for one message as for thousands.
const BETWEEN_IN_BULK: Duration = Duration::from_secs(2);
/// Changes that wait for a commit at most.
const UNCOMMITTED: usize = 50_000;
/// Positions that changed nothing in the index are written down after this long.
const IDLE_NOTE: Duration = Duration::from_secs(5);
/// How often the lag is measured.
const PULSE: Duration = Duration::from_secs(1);
/// Messages read at once while building.
const PAGE: u32 = 2_000;
/// A pause after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// Opens the store on a thread that may block.
pub(super) async fn open(folder: PathBuf, epoch: Uuid, head: i64, analysis: Analysis) -> Result<Store> {
    tokio::task::spawn_blocking(move || store::open(&folder, epoch, head, &analysis))
        .await
        .map_err(Fault::internal)?
}

/// See the module.
pub(super) struct Feed {
    db: Db,
    bus: Bus,
    folder: PathBuf,
    index: Index,
    stop: CancellationToken,
    /// The event at which the writer may have died, and how often.
    suspect: Option<(i64, u32)>,
    /// Up to here each event is committed by itself, to find the one that kills the writer.
    careful_to: i64,
}

/// What is on its way into the index.
struct Flow {
    writer: Writer,
    progress: Progress,
    /// Changes since the last commit.
    uncommitted: usize,
    /// Since when they wait.
    first: Instant,
    /// When the last commit began.
    committed: Instant,
    /// The position that the last commit wrote down.
    written: i64,
    /// The commit in progress, and its position.
    running: Option<(oneshot::Receiver<u64>, i64)>,
    /// The log has more than one batch waiting.
    in_bulk: bool,
}

impl Flow {
    fn new(writer: Writer, progress: Progress) -> Self {
        let now = Instant::now();
        Self {
            writer,
            progress,
            uncommitted: 0,
            first: now,
            committed: now.checked_sub(BETWEEN).unwrap_or(now),
            written: progress.applied(),
            running: None,
            in_bulk: false,
        }
    }

    async fn apply(&mut self, changes: Vec<Change>) -> Result<(), Ended> {
        if self.uncommitted == 0 {
            self.first = Instant::now();
        }
        self.uncommitted += changes.len();
        self.writer.apply(changes).await
    }

    fn commit_at(&self) -> Instant {
        if self.uncommitted >= UNCOMMITTED {
            self.first
        } else if self.in_bulk {
            self.first + BETWEEN_IN_BULK
        } else {
            (self.first + SOON).max(self.committed + BETWEEN)
        }
    }

    /// Queues a commit; an earlier one must be done.
    async fn commit(&mut self, epoch: Uuid) -> Result<(), Ended> {
        let done = self.writer.commit(Place::new(epoch, self.progress)).await?;
        self.running = Some((done, self.progress.applied()));
        self.uncommitted = 0;
        self.committed = Instant::now();
        Ok(())
    }

    /// Waits for the commit in progress, for ever when there is none. Cancelling it loses nothing.
    async fn done(&mut self) -> Result<(u64, i64), Ended> {
        let Some((done, pos)) = &mut self.running else { return std::future::pending().await };
        let (documents, pos) = (done.await, *pos);
        self.running = None;
        self.written = pos;
        Ok((documents.map_err(|_| Ended)?, pos))
    }
}

impl Feed {
    pub fn new(db: Db, bus: Bus, folder: PathBuf, index: Index, stop: CancellationToken) -> Self {
        Self { db, bus, folder, index, stop, suspect: None, careful_to: 0 }
    }

    /// Runs until `stop`; a writer that dies is replaced.
    pub async fn run(mut self, mut store: Store) {
        loop {
            let writer = Writer::start(store.writer, store.reader.clone(), self.index.fields());
            self.index.read_from(store.reader);
            self.index.reached(store.progress.applied());
            let mut flow = Flow::new(writer, store.progress);
            let went = self.work(&mut flow).await;
            let sent = flow.progress.applied();
            match (went, flow.writer.end().await) {
                (Ok(()), Ok(())) => return,
                (_, Err(error)) => {
                    tracing::error!(%error, "the index writer failed, it is started again");
                    if !is_of_the_disk(&error) {
                        self.careful_to = self.careful_to.max(sent);
                    }
                }
                (Err(Ended), Ok(())) => tracing::error!("the index writer ended, it is started again"),
            }
            match self.reopen().await {
                Some(again) => store = again,
                None => return,
            }
        }
    }

    /// Opens the store again, however often it takes; `None` after `stop`.
    async fn reopen(&self) -> Option<Store> {
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return None,
                () = sleep(PAUSE) => {}
            }
            let opened = match log::head(&mut self.db.read()).await {
                Ok(head) => {
                    open(self.folder.clone(), self.db.epoch(), head, self.index.analysis().clone()).await
                }
                Err(fault) => Err(fault),
            };
            match opened {
                Ok(store) => return Some(store),
                Err(fault) => tracing::error!(%fault, "the search index cannot be opened, trying again"),
            }
        }
    }

    async fn work(&mut self, flow: &mut Flow) -> Result<(), Ended> {
        if let Progress::Building { after, head } = flow.progress {
            self.build(flow, after, head).await?;
        }
        if let Progress::Following { applied } = flow.progress {
            let tail = self.bus.tail(&self.db, applied).await;
            self.follow(flow, tail).await?;
        }
        // The last commit, so that the next start repeats nothing.
        self.commit(flow).await?;
        self.settle(flow).await
    }

    /// Reads every message. Those posted meanwhile come again with the log, which is followed from where it was when
    /// this began.
    async fn build(&self, flow: &mut Flow, mut after: MessageId, head: i64) -> Result<(), Ended> {
        let began = Instant::now();
        while !self.stop.is_cancelled() {
            let page = match messages::all_after(&mut self.db.read(), after, PAGE).await {
                Ok(page) => page,
                Err(fault) => {
                    tracing::warn!(%fault, "cannot read messages to index, trying again");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            let is_last = page.len() < PAGE as usize;
            after = page.last().map_or(after, |message| message.id);
            flow.apply(page.into_iter().map(|message| Change::Add(Box::new(message))).collect()).await?;
            if is_last {
                flow.progress = Progress::Following { applied: head };
                self.commit(flow).await?;
                self.settle(flow).await?;
                let documents = self.index.documents();
                tracing::info!(documents, took = ?began.elapsed(), "the search index is built");
                return Ok(());
            }
            flow.progress = Progress::Building { after, head };
            if flow.uncommitted >= UNCOMMITTED || flow.first.elapsed() >= BETWEEN_IN_BULK {
                self.commit(flow).await?;
            }
        }
        Ok(())
    }

    async fn follow(&mut self, flow: &mut Flow, mut tail: Tail) -> Result<(), Ended> {
        let mut pulse = tokio::time::interval(PULSE);
        loop {
            let (commit_at, is_due) = (flow.commit_at(), flow.uncommitted > 0 && flow.running.is_none());
            let has_room = flow.uncommitted < UNCOMMITTED;
            tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                done = flow.done() => self.committed(flow, done?),
                () = sleep_until(commit_at), if is_due => self.commit(flow).await?,
                events = tail.next(), if has_room => self.take(flow, events, tail.pos()).await?,
                _ = pulse.tick() => self.pulse(flow).await?,
            }
        }
    }

    /// Applies a batch of the log.
    async fn take(&mut self, flow: &mut Flow, events: Vec<Event>, reached: i64) -> Result<(), Ended> {
        if flow.progress.applied() < self.careful_to {
            self.take_carefully(flow, &events).await?;
        } else {
            flow.in_bulk = events.len() as i64 >= log::BATCH;
            let changes = hydrate::changes(&self.db, &events).await;
            if !changes.is_empty() {
                flow.apply(changes).await?;
            }
        }
        flow.progress = Progress::Following { applied: reached };
        if flow.uncommitted == 0 && flow.running.is_none() {
            // Nothing of it concerned the index.
            self.index.reached(reached);
        }
        Ok(())
    }

    /// After the writer died: one event, one commit. The one at which it dies again and again is buried.
    async fn take_carefully(&mut self, flow: &mut Flow, events: &[Event]) -> Result<(), Ended> {
        for event in events {
            let times = self.suspect.filter(|(pos, _)| *pos == event.pos).map_or(0, |(_, times)| times);
            if times >= hydrate::TRIES {
                hydrate::bury(&self.db, event, "the index writer fails at it").await;
            } else {
                self.suspect = Some((event.pos, times + 1));
                flow.apply(hydrate::changes(&self.db, std::slice::from_ref(event)).await).await?;
            }
            flow.progress = Progress::Following { applied: event.pos };
            self.commit(flow).await?;
            self.settle(flow).await?;
        }
        Ok(())
    }

    /// Once a second: says how far behind the index is, and writes down positions that changed nothing.
    async fn pulse(&self, flow: &mut Flow) -> Result<(), Ended> {
        if let Ok(head) = log::head(&mut self.db.read()).await {
            metrics::gauge!(LAG_GAUGE).set((head - self.index.applied()).max(0) as f64);
        }
        let is_idle =
            flow.uncommitted == 0 && flow.running.is_none() && flow.committed.elapsed() >= IDLE_NOTE;
        if is_idle && flow.progress.applied() > flow.written {
            self.commit(flow).await?;
        }
        Ok(())
    }

    async fn commit(&self, flow: &mut Flow) -> Result<(), Ended> {
        self.settle(flow).await?;
        flow.commit(self.db.epoch()).await
    }

    async fn settle(&self, flow: &mut Flow) -> Result<(), Ended> {
        if flow.running.is_some() {
            let done = flow.done().await?;
            self.committed(flow, done);
        }
        Ok(())
    }

    fn committed(&self, flow: &Flow, (documents, pos): (u64, i64)) {
        self.index.holds(documents);
        // What came during the commit may have changed nothing.
        self.index.reached(if flow.uncommitted == 0 { flow.progress.applied() } else { pos });
    }
}

/// A full or failing disk is not the event's fault.
fn is_of_the_disk(error: &tantivy::TantivyError) -> bool {
    use tantivy::TantivyError as E;
    matches!(error, E::IoError(_) | E::OpenWriteError(_) | E::OpenDirectoryError(_) | E::OpenReadError(_))
}
