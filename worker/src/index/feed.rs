//! What keeps the index up to date: reads the record once when there is no index, follows the log from there on, and
//! decides when to commit.

mod build;
mod files;
mod flow;
mod hunt;
mod replacement;

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use confab_core::bus::Tail;
use confab_core::{Bus, Db, Fault, Result, log};
use confab_protocol::{Event, EventKind};
use tantivy::IndexReader;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::analysis::Analysis;
use super::hydrate::{self, Kept};
use super::store::{self, Progress, Store};
use super::writer::{Ended, Writer};
use super::{Index, LAG_GAUGE};
use crate::interest;
use flow::{Flow, UNCOMMITTED};
use hunt::Hunt;

/// Positions that changed nothing in the index are written down after this long.
const IDLE_NOTE: Duration = Duration::from_secs(5);
/// Between two looks at the log: nobody searches for what was said in the same moment.
const APART: Duration = Duration::from_millis(25);
/// The same while nobody searches here.
const UNASKED: Duration = Duration::from_secs(1);
/// How often the lag is measured.
const PULSE: Duration = Duration::from_secs(1);
/// A pause after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// Opens the store on a thread that may block. `log`: from the last position that left the log to its newest.
pub(super) async fn open(
    folder: PathBuf,
    epoch: Uuid,
    log: RangeInclusive<i64>,
    analysis: Analysis,
) -> Result<Store> {
    tokio::task::spawn_blocking(move || store::open(&folder, epoch, &log, &analysis))
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
    until: Until,
    /// A new index on its way, that will take this one's place; answers whether it is whole.
    next: Option<JoinHandle<bool>>,
    /// The newest request for a new index.
    asked: i64,
    /// An opened index that searches do not see yet, and its origin: it holds less than the one that they see.
    unseen: Option<(IndexReader, i64)>,
    hunt: Hunt,
}

/// How long a feed works.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// The one whose index answers.
    Stopped,
    /// The one that builds a new index.
    CaughtUp,
}

/// Why the work ended.
enum End {
    Stopped,
    /// The index that was to be built has reached the log's end.
    CaughtUp,
    /// The new index is whole.
    Replaced,
}

impl Feed {
    pub fn new(db: Db, bus: Bus, folder: PathBuf, index: Index, stop: CancellationToken) -> Self {
        Self {
            db,
            bus,
            folder,
            index,
            stop,
            until: Until::Stopped,
            next: None,
            asked: 0,
            unseen: None,
            hunt: Hunt::default(),
        }
    }

    /// Runs until `stop`; a writer that dies is replaced.
    pub async fn run(mut self, store: Store) {
        self.resume_replacement().await;
        self.work_on(store).await;
        if let Some(next) = self.next.take() {
            // It stops too, after a last commit of its own: the next start goes on from there.
            let _ = next.await;
        }
    }

    /// Answers whether it caught up.
    async fn work_on(&mut self, mut store: Store) -> bool {
        loop {
            let writer = Writer::start(store.writer, store.reader.clone(), self.index.fields());
            self.show(store.reader, store.origin, store.progress);
            let mut flow = Flow::new(writer, store.origin, store.progress);
            let went = self.work(&mut flow).await;
            if matches!(went, Ok(End::CaughtUp | End::Replaced)) {
                // If this fails, the end says why.
                let _ = flow.writer.rest().await;
            }
            let pause = match (went, flow.writer.end().await) {
                (Ok(End::Stopped), Ok(())) => return false,
                (Ok(End::CaughtUp), Ok(())) => return true,
                (Ok(End::Replaced), _) => {
                    self.take_place().await;
                    Duration::ZERO
                }
                (_, Err(error)) => {
                    tracing::error!(%error, "the index writer failed, it is started again");
                    self.hunt.died(&error);
                    PAUSE
                }
                (Err(Ended), Ok(())) => {
                    tracing::error!("the index writer ended, it is started again");
                    PAUSE
                }
            };
            match self.reopen(pause).await {
                Some(again) => store = again,
                None => return false,
            }
        }
    }

    /// Lets searches see an index that was opened, unless it holds less than the one they see: then that one answers
    /// until this one holds as much. One that has to be built cannot wait for that: what it replaces was no good.
    fn show(&mut self, reader: IndexReader, origin: i64, progress: Progress) {
        self.unseen = Some((reader, origin));
        if let Progress::Building { .. } = progress {
            self.index.reached(0);
        }
        self.reached(progress.applied());
    }

    fn reached(&mut self, applied: i64) {
        if let Some((reader, origin)) = self.unseen.take_if(|_| applied >= self.index.applied()) {
            self.index.read_from(reader, origin);
            if self.next.is_none() {
                self.index.building().end();
            }
        }
        if self.unseen.is_none() {
            self.index.reached(applied);
        }
    }

    /// Opens the store again, however often it takes; `None` after `stop`.
    async fn reopen(&self, mut pause: Duration) -> Option<Store> {
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return None,
                () = sleep(pause) => {}
            }
            pause = PAUSE;
            let opened = match log::reach(&mut self.db.read()).await {
                Ok(log) => {
                    open(self.folder.clone(), self.db.epoch(), log, self.index.analysis().clone()).await
                }
                Err(fault) => Err(fault),
            };
            match opened {
                Ok(store) => return Some(store),
                Err(fault) => tracing::error!(%fault, "the search index cannot be opened, trying again"),
            }
        }
    }

    async fn work(&mut self, flow: &mut Flow) -> Result<End, Ended> {
        if let Progress::Building { after, head } = flow.progress {
            self.build(flow, after, head).await?;
        }
        let mut end = End::Stopped;
        if let Progress::Following { applied } = flow.progress {
            let tail = self.bus.tail(&self.db, applied).await.unhurried(APART);
            end = self.follow(flow, tail).await?;
        }
        // The last commit, so that the next start repeats nothing.
        self.commit(flow).await?;
        self.settle(flow).await?;
        Ok(end)
    }

    async fn follow(&mut self, flow: &mut Flow, mut tail: Tail) -> Result<End, Ended> {
        let mut pulse = tokio::time::interval(PULSE);
        let mut look_at = Instant::now();
        loop {
            let (commit_at, is_due) = (flow.commit_at(), flow.uncommitted > 0 && flow.running.is_none());
            let has_room = flow.uncommitted < UNCOMMITTED;
            tokio::select! {
                () = self.stop.cancelled() => return Ok(End::Stopped),
                is_whole = replacement::ended(&mut self.next) => {
                    if is_whole {
                        return Ok(End::Replaced);
                    }
                    self.index.building().end();
                }
                done = flow.done() => self.committed(flow, done?),
                () = sleep_until(commit_at), if is_due => self.commit(flow).await?,
                events = async { self.index.interest().or_at(look_at).await; tail.next().await }, if has_room => {
                    look_at = interest::next_look(events.len(), UNASKED);
                    self.take(flow, events, tail.pos()).await?;
                }
                _ = pulse.tick() => if self.pulse(flow).await? { return Ok(End::CaughtUp) },
            }
        }
    }

    /// Applies a batch of the log.
    async fn take(&mut self, flow: &mut Flow, events: Vec<Event>, reached: i64) -> Result<(), Ended> {
        if let Some(asked) = events.iter().rfind(|event| event.kind == EventKind::ReindexRequested) {
            self.replacement_asked(asked.pos, flow.origin).await;
        }
        self.hunt.give(reached);
        if self.hunt.is_on(flow.progress.applied()) {
            self.take_carefully(flow, &events).await?;
        } else {
            flow.in_bulk = events.len() as i64 >= log::BATCH;
            let changes = hydrate::changes(&self.db, &events, Kept::Everything).await;
            if !changes.is_empty() {
                self.apply(flow, changes).await?;
            }
        }
        flow.progress = Progress::Following { applied: reached };
        if flow.uncommitted == 0 && flow.running.is_none() {
            // Nothing of it concerned the index.
            self.reached(reached);
        }
        Ok(())
    }

    /// After the writer died: one event, one commit. The one at which it dies again and again is buried.
    async fn take_carefully(&mut self, flow: &mut Flow, events: &[Event]) -> Result<(), Ended> {
        for event in events {
            if self.hunt.is_guilty(event.pos) {
                for subject in &*hydrate::subjects(&self.db, std::slice::from_ref(event)).await {
                    hydrate::bury(&self.db, subject, "the index writer fails at it").await;
                }
            } else {
                self.hunt.give_alone(event.pos);
                let changes = hydrate::changes(&self.db, std::slice::from_ref(event), Kept::Everything).await;
                self.apply(flow, changes).await?;
            }
            flow.progress = Progress::Following { applied: event.pos };
            self.commit(flow).await?;
            self.settle(flow).await?;
            self.hunt.survived();
        }
        Ok(())
    }

    /// Once a second: says how far behind the index is, and writes down positions that changed nothing. Answers whether
    /// the work is done.
    async fn pulse(&mut self, flow: &mut Flow) -> Result<bool, Ended> {
        if let Ok(head) = log::head(&mut self.db.read()).await {
            if self.until == Until::CaughtUp {
                // Not the very end: while people chat it moves on.
                return Ok(head - flow.progress.applied() <= log::BATCH);
            }
            metrics::gauge!(LAG_GAUGE).set((head - self.index.applied()).max(0) as f64);
        }
        let is_idle =
            flow.uncommitted == 0 && flow.running.is_none() && flow.committed.elapsed() >= IDLE_NOTE;
        if is_idle && flow.progress.applied() > flow.written {
            self.commit(flow).await?;
        }
        Ok(false)
    }

    async fn commit(&mut self, flow: &mut Flow) -> Result<(), Ended> {
        self.settle(flow).await?;
        flow.commit(self.db.epoch()).await
    }

    async fn settle(&mut self, flow: &mut Flow) -> Result<(), Ended> {
        if flow.running.is_some() {
            let done = flow.done().await?;
            self.committed(flow, done);
        }
        Ok(())
    }

    fn committed(&mut self, flow: &Flow, (documents, pos): (u64, i64)) {
        // What came during the commit may have changed nothing.
        self.reached(if flow.uncommitted == 0 { flow.progress.applied() } else { pos });
        if self.unseen.is_none() {
            self.index.holds(documents);
        }
    }
}
