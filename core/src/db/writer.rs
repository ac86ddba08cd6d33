//! The one that writes to SQLite: what waits is done in one transaction and committed for all at once.
//!
//! A thread of its own holds the connection: statements run there at once, and none of them waits behind requests.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use confab_protocol::Event;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::{Connection as _, SqlStr};
use tokio::sync::{mpsc, oneshot, watch};

use super::memory::Memory;
use super::recent::Recent;
use super::sqlite::Connection;
use super::{Engine, Tx};
use crate::fault::{Fault, Result};
use crate::messages::{self, Plain, Posted};

/// Most pieces of work that one commit carries. Above it the wait of the first outweighs the fsync saved.
pub(super) const GROUP: usize = 256;
/// Pieces of work that may wait. A full queue means [`Fault::Busy`] after [`QUEUE_WAIT`].
pub(super) const QUEUE: usize = 4_096;
const QUEUE_WAIT: Duration = Duration::from_secs(5);

/// What the caller is told when the writer went away before it answered.
const GONE: Fault = Fault::Unavailable("the database");

type Work = Box<dyn for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<Finish>> + Send>;
/// Told after the commit whether it held.
type Finish = Box<dyn FnOnce(Result<()>) + Send>;

struct Job {
    task: Task,
    /// Answers the caller when the work itself failed.
    refuse: oneshot::Sender<Fault>,
}

enum Task {
    Work(Work),
    /// Posts that stand one after the other in the queue are done together.
    Post(Box<Plain>, oneshot::Sender<Result<Posted>>),
    /// The last one.
    Close,
}

/// The way to the one thread that writes to SQLite.
#[derive(Clone)]
pub struct Writer {
    jobs: mpsc::Sender<Job>,
    closed: watch::Receiver<bool>,
}

impl Writer {
    /// Starts the thread. It owns the only connection that may write. What runs there finds the runtime of the caller.
    pub(super) fn start(
        connection: Connection,
        pos: i64,
        memory: Memory,
        head: Arc<watch::Sender<i64>>,
        recent: Arc<Recent>,
    ) -> Result<Self> {
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let (done, closed) = watch::channel(false);
        let runtime = tokio::runtime::Handle::current();
        let work = async move {
            let mut tx = Tx::on_sqlite(connection, pos, memory);
            write_all(&mut tx, waiting, &head, &recent).await;
            if let Engine::Sqlite(connection) = tx.on {
                let _ = connection.close().await;
            }
            let _ = done.send(true);
        };
        std::thread::Builder::new()
            .name("confab-writer".into())
            .spawn(move || runtime.block_on(work))
            .map_err(Fault::internal)?;
        Ok(Self { jobs, closed })
    }

    /// Lets running work end.
    pub(super) async fn close(&self) {
        // The channel closes when the last sender goes; tell the thread instead of waiting for every clone.
        let (refuse, _) = oneshot::channel();
        if self.jobs.send(Job { task: Task::Close, refuse }).await.is_ok() {
            let _ = self.closed.clone().wait_for(|closed| *closed).await;
        }
    }

    /// Runs `work` in a transaction, answers after the commit.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel::<Result<T>>();
        self.ask(Task::Work(finishing(work, answer)), answered).await
    }

    /// Posts a plain message, answers after the commit.
    pub(super) async fn post(&self, plain: Plain) -> Result<Posted> {
        let (answer, answered) = oneshot::channel();
        self.ask(Task::Post(Box::new(plain), answer), answered).await
    }

    async fn ask<T>(&self, task: Task, answered: oneshot::Receiver<Result<T>>) -> Result<T> {
        let (refuse, refused) = oneshot::channel();
        self.jobs.send_timeout(Job { task, refuse }, QUEUE_WAIT).await.map_err(|_| Fault::Busy)?;
        match refused.await {
            Ok(fault) => Err(fault),
            // Not refused: the other channel carries the answer, or the writer is gone.
            Err(_) => answered.await.unwrap_or(Err(GONE)),
        }
    }
}

fn finishing<T, F>(work: F, answer: oneshot::Sender<Result<T>>) -> Work
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + 'static,
{
    Box::new(move |tx| {
        async move {
            let value = work(tx).await?;
            Ok(finish(value, answer))
        }
        .boxed()
    })
}

fn finish<T: Send + 'static>(value: T, answer: oneshot::Sender<Result<T>>) -> Finish {
    Box::new(move |committed| {
        let _ = answer.send(committed.map(|()| value));
    })
}

async fn write_all(
    tx: &mut Tx,
    mut waiting: mpsc::Receiver<Job>,
    head: &watch::Sender<i64>,
    recent: &Recent,
) {
    while let Some(first) = waiting.recv().await {
        let mut group = Group { start: tx.pos, finishes: Vec::new(), undo: Undo::All, is_last: false };
        let outcome = group.write(tx, first, &mut waiting, recent).await;
        if outcome.is_ok() {
            head.send_replace(tx.pos);
        }
        for finish in group.finishes {
            finish(match &outcome {
                Ok(()) => Ok(()),
                Err(fault) => Err(again(fault)),
            });
        }
        if group.is_last {
            return;
        }
    }
}

/// What one commit carries. It is what came during the last fsync: no wait is added.
struct Group {
    start: i64,
    finishes: Vec<Finish>,
    undo: Undo,
    is_last: bool,
}

impl Group {
    async fn write(
        &mut self,
        tx: &mut Tx,
        first: Job,
        waiting: &mut mpsc::Receiver<Job>,
        recent: &Recent,
    ) -> Result<()> {
        // Nothing need be begun to close, and closing must not wait for a disk that refuses.
        if matches!(first.task, Task::Close) {
            self.is_last = true;
            return Ok(());
        }
        if let Err(fault) = tx.say("begin immediate").await {
            let _ = first.refuse.send(fault);
            return Ok(());
        }
        let mut outcome = self.run(tx, first, waiting).await;
        let mut events = Vec::new();
        if outcome.is_ok() {
            outcome = match commit(tx, self.start, recent).await {
                Ok(stored) => {
                    events = stored;
                    Ok(())
                }
                Err(fault) => Err(fault),
            };
        }
        let kept = tx.memory().map(|memory| std::mem::take(&mut memory.messages)).unwrap_or_default();
        if outcome.is_ok() {
            recent.add(events, kept);
        } else {
            // Some errors roll back by themselves; then this one says so, and that is fine.
            let _ = tx.say("rollback").await;
            tx.pos = self.start;
            tx.take_back(0);
        }
        outcome
    }

    /// `Err` means that the whole group is lost.
    async fn run(&mut self, tx: &mut Tx, first: Job, waiting: &mut mpsc::Receiver<Job>) -> Result<()> {
        let mut next = Some(first);
        let mut count = 0;
        while let Some(Job { task, refuse }) = next.take() {
            count += 1;
            match task {
                Task::Work(work) => self.run_one(tx, work, refuse).await?,
                Task::Close => {
                    self.is_last = true;
                    return Ok(());
                }
                Task::Post(plain, answer) => {
                    let mut posts = vec![Post { plain: *plain, answer, refuse }];
                    while count < GROUP
                        && next.is_none()
                        && let Ok(job) = waiting.try_recv()
                    {
                        match job {
                            Job { task: Task::Post(plain, answer), refuse } => {
                                count += 1;
                                posts.push(Post { plain: *plain, answer, refuse });
                            }
                            other => next = Some(other),
                        }
                    }
                    let done = self.run_posts(tx, posts).await;
                    // What waits behind posts that could not be taken back is dropped, and with it refused; whoever closes waits for it.
                    self.is_last |= done.is_err() && matches!(&next, Some(Job { task: Task::Close, .. }));
                    done?;
                }
            }
            if count < GROUP && next.is_none() {
                next = waiting.try_recv().ok();
            }
        }
        Ok(())
    }

    /// Runs one piece of the group.
    async fn run_one(&mut self, tx: &mut Tx, work: Work, refuse: oneshot::Sender<Fault>) -> Result<()> {
        self.undo.before(tx).await?;
        let mark = tx.emitted.len();
        let done = AssertUnwindSafe(work(tx)).catch_unwind().await;
        let done = match done {
            Ok(Ok(finish)) => tx.store_notes().await.map(|()| finish),
            Ok(Err(fault)) => Err(fault),
            Err(_) => Err(Fault::Internal("a write panicked".into())),
        };
        match done {
            Ok(finish) => {
                self.undo.succeeded();
                self.finishes.push(finish);
                tx.require_begun()
            }
            Err(fault) => {
                tx.take_back(mark);
                let _ = refuse.send(fault);
                self.undo.failed(tx).await
            }
        }
    }

    /// Posts what can be posted together; the rest, or all when that fails, one by one.
    async fn run_posts(&mut self, tx: &mut Tx, posts: Vec<Post>) -> Result<()> {
        self.undo.before(tx).await?;
        let mark = tx.emitted.len();
        let plain: Vec<&Plain> = posts.iter().map(|post| &post.plain).collect();
        let done = AssertUnwindSafe(messages::post_together(tx, &plain)).catch_unwind().await;
        let posted = if let Ok(Ok(posted)) = done {
            self.undo.succeeded();
            posted
        } else {
            tx.take_back(mark);
            self.undo.failed(tx).await?;
            Vec::new()
        };
        tx.require_begun()?;
        let mut posted = posted.into_iter();
        let mut alone = Vec::new();
        for post in posts {
            match posted.next().flatten() {
                Some(message) => {
                    let posted = Posted { message, is_new: true };
                    self.finishes.push(finish(posted, post.answer));
                }
                None => alone.push(post),
            }
        }
        for Post { plain, answer, refuse } in alone {
            let work = finishing(move |tx| plain.post_alone(tx).boxed(), answer);
            self.run_one(tx, work, refuse).await?;
        }
        Ok(())
    }
}

async fn commit(tx: &mut Tx, start: i64, recent: &Recent) -> Result<Vec<Event>> {
    // For the whole group at once.
    let events = tx.store_events().await?;
    if let Some(memory) = tx.memory() {
        memory.catch_up();
        if memory.took_looks_changed() {
            // Before the commit: what was edited or deleted is not shown as it was to anybody who asks afterwards.
            recent.forget_messages();
        }
    }
    if tx.pos > start {
        tx.advance().await?;
    }
    if let Engine::Sqlite(connection) = &mut tx.on {
        connection.say(SqlStr::from_static("commit")).await.map_err(Fault::of_commit)?;
    }
    Ok(events)
}

struct Post {
    plain: Plain,
    answer: oneshot::Sender<Result<Posted>>,
    refuse: oneshot::Sender<Fault>,
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
            Self::OldSavepoint => {
                tx.say("release work").await?;
                tx.say("savepoint work").await?;
            }
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
            Self::All => {
                tx.say("rollback").await?;
                tx.say("begin immediate").await
            }
            _ => tx.say("rollback to work").await,
        }
    }
}

/// A commit's failure, told to each who waited for it.
pub(super) fn again(fault: &Fault) -> Fault {
    match fault {
        Fault::Full => Fault::Full,
        Fault::Busy => Fault::Busy,
        Fault::Unavailable(what) => Fault::Unavailable(what),
        Fault::Unconfirmed => Fault::Unconfirmed,
        other => Fault::Internal(other.to_string()),
    }
}

const ADVANCE: &str = "update log_meta set last_pos = $1, published_pos = $1 where id = 1";

impl Tx {
    /// Runs a statement without parameters.
    async fn say(&mut self, statement: &'static str) -> Result<()> {
        if let Engine::Sqlite(connection) = &mut self.on {
            connection.say(SqlStr::from_static(statement)).await?;
        }
        Ok(())
    }

    /// A piece of work may have taken an error of the disk for an answer, while SQLite took back the whole transaction: what
    /// is written from there on would be stored without what came before.
    fn require_begun(&self) -> Result<()> {
        match &self.on {
            Engine::Sqlite(connection) if !connection.is_begun() => Err(Fault::Unavailable("the database")),
            _ => Ok(()),
        }
    }

    async fn advance(&mut self) -> Result<()> {
        let pos = self.pos;
        if let Engine::Sqlite(connection) = &mut self.on {
            sqlx::query(ADVANCE).bind(pos).execute(connection).await?;
        }
        Ok(())
    }
}
