//! Following the log once for the whole system, however many processes run.
//!
//! The position is in the record and belongs to one process at a time, by a lease; when that process dies another goes
//! on. An event whose handling fails is set aside and tried again while those behind it go on; after its last try it is
//! buried among the dead letters. The position never passes an event that is still waiting, so a crash repeats some
//! events and skips none: handlers must tell a repetition by `event.pos`.
//!
//! An administrator may ask for a buried event again. The request is an event too, and this consumer's place does not
//! pass it before the old event was handled or buried once more, so a retry survives a crash like any other event.

mod attempt;
mod backlog;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use confab_core::bus::Tail;
use confab_core::cursors::{self, Cursor};
use confab_core::{Bus, Db, FutureExt, Result, log};
use confab_protocol::Event;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) use attempt::Ended;
pub(crate) use backlog::{Backlog, Due};

/// What happened is written down at least this often, and what is not yet written is repeated after a crash.
pub(crate) const NOTE_AFTER: Duration = Duration::from_millis(250);
/// A pause after the record did not answer.
pub(crate) const RECORD_PAUSE: Duration = Duration::from_secs(1);

/// Does something with each event.
pub trait Handler: Send + Sync + 'static {
    /// Handles one event; `attempt` counts from 1. An error or a panic means that it is tried again later.
    fn handle(&self, event: &Event, attempt: u32) -> impl Future<Output = Result<()>> + Send;
}

/// Where a consumer begins that never ran before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the first event of the log.
    Beginning,
    /// With the next event.
    Now,
}

/// A durable consumer of the log.
#[derive(Clone, Debug)]
pub struct Consumer {
    /// Its name in the record, unique in the system.
    pub name: String,
    /// Tries of one event, the first included.
    pub attempts: u32,
    /// The wait before each further try; the last one is repeated.
    pub backoff: Vec<Duration>,
    /// A call that takes longer has failed.
    pub deadline: Duration,
    /// After this long without a sign of life another process takes over.
    pub lease: Duration,
    /// Where it begins when it never ran before.
    pub from: Start,
    /// Who holds its place. `None`: a name for this run alone; in embedded mode, where a folder belongs to one process
    /// and a killed one cannot come back, the record's own, so that a restart need not wait for the lease.
    pub holder: Option<Uuid>,
}

impl Consumer {
    /// A consumer with six tries over about thirteen minutes.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            attempts: 6,
            backoff: [1, 5, 30, 120, 600].map(Duration::from_secs).to_vec(),
            deadline: Duration::from_mins(1),
            lease: Duration::from_secs(30),
            from: Start::Now,
            holder: None,
        }
    }

    /// Runs until `stop`, whenever no other process does.
    pub async fn run<H: Handler>(self, db: Db, bus: Bus, handler: Arc<H>, stop: CancellationToken) {
        let holder = self.holder.unwrap_or_else(|| holder_of(&db));
        while !stop.is_cancelled() {
            let pause = match self.hold(&db, holder).await {
                Ok(Some(cursor)) => {
                    let tail = bus.tail(&db, cursor.pos).await;
                    let backlog = Backlog::new(cursor.pos);
                    Turn { consumer: &self, db: &db, handler: &*handler, cursor, holder, backlog }
                        .work(tail, &stop)
                        .await;
                    Duration::ZERO
                }
                Ok(None) => self.lease / 3,
                Err(fault) => {
                    tracing::warn!(consumer = %self.name, %fault, "cannot take the consumer's place in the log, trying again");
                    RECORD_PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(pause) => {}
            }
        }
    }

    async fn hold(&self, db: &Db, holder: Uuid) -> Result<Option<Cursor>> {
        let from = match self.from {
            Start::Beginning => 0,
            Start::Now => log::head(&mut db.read()).await?,
        };
        let (name, lease) = (self.name.clone(), self.lease);
        db.write(move |tx| async move { cursors::hold(tx, &name, holder, from, lease).await }.boxed()).await
    }
}

/// The time during which this process holds the consumer's place.
struct Turn<'a, H> {
    consumer: &'a Consumer,
    db: &'a Db,
    handler: &'a H,
    cursor: Cursor,
    holder: Uuid,
    backlog: Backlog,
}

impl<H: Handler> Turn<'_, H> {
    /// Works until `stop` or until the place is lost.
    async fn work(mut self, mut tail: Tail, stop: &CancellationToken) {
        let renewal = self.keep_place();
        let worked = async {
            while !stop.is_cancelled() {
                if let Err(fault) = self.step(&mut tail, stop).await {
                    tracing::warn!(consumer = %self.consumer.name, %fault, "stopped following the log for now");
                    return;
                }
            }
            self.leave().await;
        };
        tokio::select! {
            () = renewal => {}
            () = worked => {}
        }
    }

    /// Handles the next event, or notes how far it has come.
    async fn step(&mut self, tail: &mut Tail, stop: &CancellationToken) -> Result<()> {
        let note_at = self.backlog.note_at(NOTE_AFTER);
        if let Some(due) = self.backlog.next(Instant::now()) {
            self.handle(due, stop).await;
            if note_at.is_some_and(|at| at <= Instant::now()) {
                self.note().await?;
            }
            return Ok(());
        }
        let retry_at = self.backlog.next_retry();
        tokio::select! {
            () = stop.cancelled() => {}
            () = wait_until(note_at) => self.note().await?,
            () = wait_until(retry_at) => {}
            events = tail.next(), if !self.backlog.is_full() => self.backlog.take(events, tail.pos()),
        }
        Ok(())
    }

    async fn handle(&mut self, due: Due, stop: &CancellationToken) {
        let pos = due.event.pos;
        match self.consumer.attempt(self.db, self.handler, due, stop).await {
            Ended::Done => self.backlog.done(pos),
            Ended::Again(failed) => self.backlog.set_aside(failed),
            Ended::Stopped => {}
        }
    }

    /// Writes down how far it has come.
    async fn note(&mut self) -> Result<()> {
        let pos = self.backlog.finished_to();
        if pos > self.cursor.pos {
            let cursor = self.cursor.clone();
            self.db.write(move |tx| async move { cursors::advance(tx, &cursor, pos).await }.boxed()).await?;
            self.cursor.pos = pos;
        }
        self.backlog.noted();
        Ok(())
    }

    async fn leave(&mut self) {
        let noted = self.note().await;
        let cursor = self.cursor.clone();
        let released =
            self.db.write(move |tx| async move { cursors::release(tx, &cursor).await }.boxed()).await;
        if let Err(fault) = noted.and(released) {
            tracing::warn!(consumer = %self.consumer.name, %fault, "left without noting the place in the log");
        }
    }

    /// Renews the lease; ends when it is lost. A future of its own, so that a long call does not lose it.
    fn keep_place(&self) -> impl Future<Output = ()> + Send + use<H> {
        let (consumer, db, holder) = (self.consumer.clone(), self.db.clone(), self.holder);
        async move {
            let mut until = Instant::now() + consumer.lease;
            loop {
                sleep(consumer.lease / 3).await;
                match consumer.hold(&db, holder).await {
                    Ok(Some(_)) => until = Instant::now() + consumer.lease,
                    Ok(None) => return,
                    Err(_) if Instant::now() >= until => return,
                    Err(fault) => {
                        tracing::warn!(consumer = %consumer.name, %fault, "cannot renew the place in the log");
                    }
                }
            }
        }
    }
}

/// Who holds places for this process.
pub(crate) fn holder_of(db: &Db) -> Uuid {
    if db.is_embedded() { db.epoch() } else { Uuid::new_v4() }
}

/// Waits until then; for ever where there is no such time.
pub(crate) async fn wait_until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
