//! Writing: one transaction at a time on SQLite, committed for all who wait at once; one each on PostgreSQL.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use confab_protocol::{ChannelId, Event, EventId, EventKind, Timestamp, UserId};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::{Connection, Postgres, Sqlite, SqliteConnection};
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use super::{Db, Engine, Lease, Read, insert_rows, run};
use crate::audit::{self, Note};
use crate::fault::{Fault, Result};

/// Most pieces of work that one SQLite commit carries. Above it the wait of the first outweighs the fsync saved.
const GROUP: usize = 256;
/// Pieces of work that may wait for the SQLite writer. A full queue means [`Fault::Busy`] after [`QUEUE_WAIT`].
const QUEUE: usize = 4_096;
const QUEUE_WAIT: Duration = Duration::from_secs(5);

const ADVANCE: &str = "update log_meta set last_pos = $1, published_pos = $1 where id = 1";

/// A running transaction. Only this can emit an event.
pub struct Tx {
    on: Engine<SqliteConnection, sqlx::Transaction<'static, Postgres>>,
    emitted: Vec<Event>,
    noted: Vec<Note>,
    /// SQLite only: the newest position. One writer, so order of writing is order of commit.
    pos: i64,
}

impl Read for Tx {
    async fn lease(&mut self) -> Result<Engine<Lease<'_, Sqlite>, Lease<'_, Postgres>>> {
        Ok(match &mut self.on {
            Engine::Sqlite(it) => Engine::Sqlite(Lease::Lent(it)),
            Engine::Postgres(it) => Engine::Postgres(Lease::Lent(&mut **it)),
        })
    }
}

/// What [`Tx::emit`] is told. Everything but kind and subject is optional.
pub(crate) struct Emission {
    pub kind: EventKind,
    pub ref_id: Uuid,
    pub place: Option<(ChannelId, i64)>,
    pub user_id: Option<UserId>,
    pub actor_id: Option<UserId>,
    pub detail: Option<String>,
    /// Where a row that clients see has the same time, it is set to exactly that one.
    pub created_at: Timestamp,
}

impl Emission {
    pub fn new(kind: EventKind, ref_id: impl Into<Uuid>) -> Self {
        Self {
            kind,
            ref_id: ref_id.into(),
            place: None,
            user_id: None,
            actor_id: None,
            detail: None,
            created_at: Timestamp::now(),
        }
    }
    pub fn at(mut self, channel: ChannelId, seq: i64) -> Self {
        self.place = Some((channel, seq));
        self
    }
    /// For this user alone: takes no seq, or the others would see a hole.
    pub fn only_for(mut self, user: UserId) -> Self {
        self.user_id = Some(user);
        self
    }
    pub fn by(mut self, actor: UserId) -> Self {
        self.actor_id = Some(actor);
        self
    }
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

impl Tx {
    /// Records that something happened; stored with the transaction that caused it, or not at all.
    pub(crate) fn emit(&mut self, emission: Emission) {
        self.emitted.push(Event {
            id: EventId::new(),
            pos: 0,
            kind: emission.kind,
            channel_id: emission.place.map(|(channel, _)| channel),
            seq: emission.place.map(|(_, seq)| seq).filter(|seq| *seq > 0),
            user_id: emission.user_id,
            ref_id: emission.ref_id,
            actor_id: emission.actor_id,
            detail: emission.detail,
            created_at: emission.created_at,
        });
    }

    /// Keeps what the audit log is to say of this transaction.
    pub(crate) fn note(&mut self, note: Note) {
        self.noted.push(note);
    }

    /// Stores what was noted, under the names that people have now.
    async fn store_notes(&mut self) -> Result<()> {
        let notes = std::mem::take(&mut self.noted);
        audit::store(self, notes).await
    }

    /// Stores what was emitted. On SQLite the position is given here; on PostgreSQL the relay gives it after commit.
    async fn store_events(&mut self) -> Result<()> {
        if self.emitted.is_empty() {
            return Ok(());
        }
        let mut events = std::mem::take(&mut self.emitted);
        let stamped = matches!(self.on, Engine::Sqlite(_));
        if stamped {
            for event in &mut events {
                self.pos += 1;
                event.pos = self.pos;
            }
        }
        insert_rows!(
            self,
            "insert into events (id, pos, kind, channel_id, seq, user_id, ref_id, actor_id, detail, created_at) ",
            events,
            |place, event| place
                .push_bind(event.id.0)
                .push_bind(stamped.then_some(event.pos))
                .push_bind(event.kind.as_str())
                .push_bind(event.channel_id.map(|id| id.0))
                .push_bind(event.seq)
                .push_bind(event.user_id.map(|id| id.0))
                .push_bind(event.ref_id)
                .push_bind(event.actor_id.map(|id| id.0))
                .push_bind(event.detail.clone())
                .push_bind(event.created_at.0),
            ""
        );
        Ok(())
    }

    /// Runs a statement without parameters that only SQLite's writer needs.
    async fn say(&mut self, statement: &'static str) -> Result<()> {
        if let Engine::Sqlite(connection) = &mut self.on {
            sqlx::raw_sql(statement).execute(connection).await?;
        }
        Ok(())
    }
}

type Work = Box<dyn for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<Finish>> + Send>;
/// Told after the commit whether it held.
type Finish = Box<dyn FnOnce(Result<()>) + Send>;

struct Job {
    work: Work,
    /// Answers the caller when the work itself failed.
    refuse: oneshot::Sender<Fault>,
}

/// The way to the one task that writes to SQLite.
#[derive(Clone)]
pub struct Writer {
    jobs: mpsc::Sender<Job>,
    closed: watch::Receiver<bool>,
}

impl Writer {
    /// Starts the task. It owns the only connection that may write.
    pub(super) fn start(connection: SqliteConnection, pos: i64, head: Arc<watch::Sender<i64>>) -> Self {
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let (done, closed) = watch::channel(false);
        tokio::spawn(async move {
            let mut tx = Tx { on: Engine::Sqlite(connection), emitted: Vec::new(), noted: Vec::new(), pos };
            write_all(&mut tx, waiting, &head).await;
            if let Engine::Sqlite(connection) = tx.on {
                let _ = connection.close().await;
            }
            let _ = done.send(true);
        });
        Self { jobs, closed }
    }

    /// Lets running work end.
    pub(super) async fn close(&self) {
        // The channel closes when the last sender goes; tell the task instead of waiting for every clone.
        let (refuse, _) = oneshot::channel();
        let work: Work = Box::new(|_| async { Err(Fault::Internal(CLOSE.into())) }.boxed());
        if self.jobs.send(Job { work, refuse }).await.is_ok() {
            let _ = self.closed.clone().wait_for(|closed| *closed).await;
        }
    }
}

const CLOSE: &str = "the record is closing";

async fn write_all(tx: &mut Tx, mut waiting: mpsc::Receiver<Job>, head: &watch::Sender<i64>) {
    while let Some(first) = waiting.recv().await {
        let (finishes, outcome, closing) = write_group(tx, first, &mut waiting).await;
        if outcome.is_ok() {
            head.send_replace(tx.pos);
        }
        for finish in finishes {
            finish(match &outcome {
                Ok(()) => Ok(()),
                Err(fault) => Err(again(fault)),
            });
        }
        if closing {
            return;
        }
    }
}

/// One commit. The batch is what came during the last fsync: no wait is added.
async fn write_group(
    tx: &mut Tx,
    first: Job,
    waiting: &mut mpsc::Receiver<Job>,
) -> (Vec<Finish>, Result<()>, bool) {
    let start = tx.pos;
    let mut finishes: Vec<Finish> = Vec::new();
    if let Err(fault) = tx.say("begin immediate").await {
        let _ = first.refuse.send(fault);
        return (finishes, Ok(()), false);
    }
    let mut next = Some(first);
    let mut count = 0;
    let mut outcome = Ok(());
    let mut undo = Undo::All;
    let mut closing = false;
    while let Some(job) = next.take() {
        count += 1;
        match run_one(tx, job, &mut undo).await {
            Ok(Some(finish)) => finishes.push(finish),
            Ok(None) => {}
            Err(Fault::Internal(text)) if text == CLOSE => closing = true,
            Err(fault) => {
                outcome = Err(fault);
                break;
            }
        }
        if count < GROUP && !closing {
            next = waiting.try_recv().ok();
        }
    }
    if outcome.is_ok() {
        outcome = commit(tx, start).await;
    }
    if outcome.is_err() {
        // Some errors roll back by themselves; then this one says so, and that is fine.
        let _ = tx.say("rollback").await;
        tx.pos = start;
        tx.emitted.clear();
        tx.noted.clear();
    }
    (finishes, outcome, closing)
}

async fn commit(tx: &mut Tx, start: i64) -> Result<()> {
    // For the whole group at once: each statement is a way to SQLite's thread and back.
    tx.store_events().await?;
    if tx.pos > start {
        let pos = tx.pos;
        run!(tx, sqlx::query(ADVANCE).bind(pos), execute)?;
    }
    tx.say("commit").await
}

/// How what one piece did before it failed is taken back, without what others did before it.
enum Undo {
    /// Nobody did anything before: the whole transaction. Who writes alone needs no savepoint.
    All,
    /// Others did, and no savepoint stands behind them yet.
    NotYet,
    /// A savepoint stands behind what the others did.
    Savepoint,
    /// One stands behind some of them.
    OldSavepoint,
}

impl Undo {
    async fn before(&mut self, tx: &mut Tx) -> Result<()> {
        match self {
            Self::All | Self::Savepoint => return Ok(()),
            Self::NotYet => tx.say("savepoint work").await?,
            Self::OldSavepoint => tx.say("release work; savepoint work").await?,
        }
        *self = Self::Savepoint;
        Ok(())
    }

    fn succeeded(&mut self) {
        *self = match self {
            Self::All | Self::NotYet => Self::NotYet,
            Self::Savepoint | Self::OldSavepoint => Self::OldSavepoint,
        };
    }

    async fn failed(&self, tx: &mut Tx) -> Result<()> {
        match self {
            Self::All => tx.say("rollback; begin immediate").await,
            _ => tx.say("rollback to work").await,
        }
    }
}

/// Runs one piece of a group. `Err` means that the whole group is lost.
async fn run_one(tx: &mut Tx, job: Job, undo: &mut Undo) -> Result<Option<Finish>> {
    undo.before(tx).await?;
    let before = tx.emitted.len();
    let done = AssertUnwindSafe((job.work)(tx)).catch_unwind().await;
    let done = match done {
        Ok(Ok(finish)) => tx.store_notes().await.map(|()| finish),
        Ok(Err(fault)) => Err(fault),
        Err(_) => Err(Fault::Internal("a write panicked".into())),
    };
    let fault = match done {
        Ok(finish) => {
            undo.succeeded();
            return Ok(Some(finish));
        }
        Err(fault) => fault,
    };
    tx.emitted.truncate(before);
    tx.noted.clear();
    let closing = matches!(&fault, Fault::Internal(text) if text == CLOSE);
    let _ = job.refuse.send(fault);
    undo.failed(tx).await?;
    if closing { Err(Fault::Internal(CLOSE.into())) } else { Ok(None) }
}

/// A commit's failure, told to each who waited for it.
fn again(fault: &Fault) -> Fault {
    match fault {
        Fault::Full => Fault::Full,
        Fault::Busy => Fault::Busy,
        Fault::Unavailable(what) => Fault::Unavailable(what),
        other => Fault::Internal(other.to_string()),
    }
}

impl Db {
    /// Runs `work` in a transaction and answers after the commit: what is answered `Ok` survives a kill.
    ///
    /// The work goes on to its end even when the caller goes away, so a disconnecting client cannot leave half of it.
    ///
    /// # Errors
    /// What `work` answers; [`Fault::Busy`], [`Fault::Unavailable`] or [`Fault::Full`] when the record cannot take it.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        match (&self.pools, &self.writer) {
            (Engine::Sqlite(_), Some(writer)) => write_sqlite(writer, work).await,
            (Engine::Sqlite(_), None) => {
                Err(Fault::Internal("the record was opened for reading only".into()))
            }
            (Engine::Postgres(pool), _) => {
                let pool = pool.clone();
                let head = self.head.clone();
                tokio::spawn(async move {
                    let on = Engine::Postgres(pool.begin().await?);
                    let mut tx = Tx { on, emitted: Vec::new(), noted: Vec::new(), pos: 0 };
                    let value = work(&mut tx).await?;
                    let has_events = !tx.emitted.is_empty();
                    tx.store_events().await?;
                    tx.store_notes().await?;
                    if let Engine::Postgres(transaction) = tx.on {
                        transaction.commit().await?;
                    }
                    if has_events {
                        head.send_modify(|count| *count += 1);
                    }
                    Ok(value)
                })
                .await
                .unwrap_or_else(|error| Err(Fault::internal(error)))
            }
        }
    }
}

async fn write_sqlite<T, F>(writer: &Writer, work: F) -> Result<T>
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + 'static,
{
    let (answer, answered) = oneshot::channel::<Result<T>>();
    let (refuse, refused) = oneshot::channel();
    let work: Work = Box::new(move |tx| {
        async move {
            let value = work(tx).await?;
            let finish: Finish = Box::new(move |committed| {
                let _ = answer.send(committed.map(|()| value));
            });
            Ok(finish)
        }
        .boxed()
    });
    writer.jobs.send_timeout(Job { work, refuse }, QUEUE_WAIT).await.map_err(|_| Fault::Busy)?;
    match refused.await {
        Ok(fault) => Err(fault),
        // Not refused: the other channel carries the answer, or the writer is gone.
        Err(_) => answered.await.unwrap_or(Err(Fault::Unavailable("the database"))),
    }
}
