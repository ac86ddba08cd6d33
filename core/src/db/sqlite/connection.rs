//! A connection to a file: held by the thread that asks, or by one of its own.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use rusqlite::OpenFlags;
use rusqlite::hooks::Action;
use sqlx::{ConnectOptions, Either, Execute, Executor, SqlStr};

use super::answer::{self, Answer, Asked, Column, Row};
use super::refusal::refused;
use super::thread::Thread;
use super::values::{Arguments, TypeInfo};
use super::{Done, Sqlite};

/// How long a statement waits for a lock.
const BUSY: Duration = Duration::from_secs(5);
/// Statements that one connection keeps prepared: seven lengths of each with a list of rows, beside all the others.
pub const STATEMENTS: usize = 400;
// FULL: NORMAL may roll back acknowledged messages when the power goes. 4,000 pages are moved in 2 to 4 ms, which one commit waits for;
// with SQLite's 1,000 four times as many would, and each syncs the file.
const SETTINGS: &str =
    "pragma foreign_keys = on; pragma synchronous = full; pragma wal_autocheckpoint = 4000;
    pragma temp_store = memory";
/// Pages of SQLite's own that the connection that writes keeps, in KiB (negative: KiB and not pages).
const CACHE: &str = "pragma cache_size = -65536";
/// The same of each that reads: the system keeps the file's pages too, and four times the writer's would be a third of what a
/// server with a million messages takes.
const CACHE_OF_A_READER: &str = "pragma cache_size = -16384";

/// Which file, and what for.
#[derive(Clone, Debug)]
pub struct Options {
    path: PathBuf,
    is_read_only: bool,
    /// Counts the statements of all connections that are opened with it.
    statement_count: Arc<AtomicU64>,
}

impl Options {
    /// To read and write the file, which is made where there is none.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), is_read_only: false, statement_count: Arc::default() }
    }

    /// To read alone.
    pub fn read_only(self) -> Self {
        Self { is_read_only: true, ..self }
    }

    /// How many statements connections with these options were asked.
    pub fn statement_count(&self) -> u64 {
        self.statement_count.load(Ordering::Relaxed)
    }

    /// A connection that this thread holds.
    ///
    /// # Errors
    /// The engine's.
    pub fn open(&self) -> sqlx::Result<Connection> {
        let flags = if self.is_read_only {
            OpenFlags::SQLITE_OPEN_READ_ONLY
        } else {
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
        };
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let file = rusqlite::Connection::open_with_flags(&self.path, flags).map_err(refused)?;
        file.busy_timeout(BUSY).map_err(refused)?;
        file.set_prepared_statement_cache_capacity(STATEMENTS);
        file.execute_batch(SETTINGS).map_err(refused)?;
        file.execute_batch(if self.is_read_only { CACHE_OF_A_READER } else { CACHE }).map_err(refused)?;
        Ok(Connection(RunsOn::Caller { file, statement_count: self.statement_count.clone() }))
    }

    /// A connection that a thread of its own holds.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub async fn open_apart(&self) -> sqlx::Result<Connection> {
        Ok(Connection(RunsOn::OwnThread(Thread::start(self.clone()).await?)))
    }
}

/// A connection. What it is asked is done in order. What was begun is done to its end, whether or not somebody still waits for
/// it; what nobody waits for when its turn comes is left out.
pub struct Connection(RunsOn);

/// Which thread its statements run on.
enum RunsOn {
    Caller { file: rusqlite::Connection, statement_count: Arc<AtomicU64> },
    OwnThread(Thread),
}

impl fmt::Debug for Connection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Connection")
    }
}

impl Connection {
    async fn ask(&mut self, asked: sqlx::Result<Asked>) -> sqlx::Result<Answer> {
        let asked = asked?;
        let answered = match &self.0 {
            RunsOn::Caller { .. } => return self.answer(&asked),
            RunsOn::OwnThread(thread) => thread.ask(move |here| here.answer(&asked))?,
        };
        answered.await.map_err(|_| sqlx::Error::WorkerCrashed)?
    }

    fn answer(&self, what: &Asked) -> sqlx::Result<Answer> {
        match &self.0 {
            RunsOn::Caller { file, statement_count } => {
                statement_count.fetch_add(1, Ordering::Relaxed);
                answer::answer(file, what)
            }
            RunsOn::OwnThread(_) => Err(sqlx::Error::Protocol("a thread holds another".into())),
        }
    }

    /// Runs one statement without parameters.
    ///
    /// # Errors
    /// The engine's.
    pub async fn say(&mut self, sql: SqlStr) -> sqlx::Result<()> {
        self.ask(Ok(Asked { sql, values: Vec::new(), is_kept: true })).await.map(drop)
    }

    /// Begins to see the record as it is now.
    ///
    /// # Errors
    /// The engine's; that of a connection with a thread of its own.
    pub fn begin_here(&mut self) -> sqlx::Result<()> {
        match &self.0 {
            RunsOn::Caller { file, .. } => {
                file.prepare_cached("begin").and_then(|mut it| it.raw_execute()).map(drop).map_err(refused)
            }
            RunsOn::OwnThread(_) => Err(sqlx::Error::Protocol("a thread holds another".into())),
        }
    }

    /// Whether a transaction is open. After an error of the disk SQLite has taken it back by itself.
    pub fn is_begun(&self) -> bool {
        match &self.0 {
            RunsOn::Caller { file, .. } => !file.is_autocommit(),
            RunsOn::OwnThread(_) => true,
        }
    }

    /// Takes back what was begun, if anything was, and waits for nothing.
    pub fn let_go(&mut self) {
        match &self.0 {
            RunsOn::Caller { file, .. } => roll_back(file),
            RunsOn::OwnThread(thread) => thread.let_go(),
        }
    }

    /// Whether all is done that it was asked, so that it begins at once with what it is asked next.
    pub fn is_quiet(&self) -> bool {
        match &self.0 {
            RunsOn::Caller { .. } => true,
            RunsOn::OwnThread(thread) => thread.is_quiet(),
        }
    }

    /// Has `work` done on the thread that holds the connection, with all that it asks: `work` gets the connection as that
    /// thread has it.
    ///
    /// # Errors
    /// [`sqlx::Error::WorkerCrashed`], also when it panicked.
    pub async fn with<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Self) -> T + Send + 'static,
    ) -> sqlx::Result<T> {
        let answered = match &self.0 {
            RunsOn::Caller { .. } => return Ok(work(self)),
            RunsOn::OwnThread(thread) => thread.ask(work)?,
        };
        answered.await.map_err(|_| sqlx::Error::WorkerCrashed)
    }

    /// Calls `told` with the table of each row that is written, and whether it is new.
    ///
    /// # Errors
    /// That of a connection with a thread of its own.
    pub fn watch(&mut self, mut told: impl FnMut(&str, bool) + Send + 'static) -> sqlx::Result<()> {
        match &self.0 {
            RunsOn::Caller { file, .. } => file
                .update_hook(Some(move |action, _: &str, table: &str, _| {
                    told(table, matches!(action, Action::SQLITE_INSERT));
                }))
                .map_err(refused),
            RunsOn::OwnThread(_) => Err(sqlx::Error::Protocol("only who holds it can watch it".into())),
        }
    }
}

fn roll_back(file: &rusqlite::Connection) {
    if !file.is_autocommit()
        && let Err(error) = file.execute_batch("rollback")
    {
        tracing::warn!(%error, "a transaction was not rolled back");
    }
}

fn taken<'q, E: Execute<'q, Sqlite>>(mut query: E) -> sqlx::Result<Asked> {
    let values = query.take_arguments().map_err(sqlx::Error::Encode)?.unwrap_or_default().0;
    let is_kept = query.persistent();
    Ok(Asked { sql: query.sql(), values, is_kept })
}

fn unprepared() -> sqlx::Error {
    sqlx::Error::Protocol("statements are prepared where they are asked".into())
}

impl<'c> Executor<'c> for &'c mut Connection {
    type Database = Sqlite;

    fn execute<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Done>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        let asked = taken(query);
        async move { Ok(self.ask(asked).await?.done()) }.boxed()
    }

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<Either<Done, Row>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        let asked = taken(query);
        stream::once(self.ask(asked))
            .map_ok(|answer| stream::iter(answer.steps().map(Ok)))
            .try_flatten()
            .boxed()
    }

    fn fetch<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<Row>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        let asked = taken(query);
        stream::once(self.ask(asked))
            .map_ok(|answer| stream::iter(answer.rows().map(Ok)))
            .try_flatten()
            .boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<Row>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        let asked = taken(query);
        async move { Ok(self.ask(asked).await?.rows().next()) }.boxed()
    }

    fn prepare_with<'e>(self, _: SqlStr, _: &'e [TypeInfo]) -> BoxFuture<'e, sqlx::Result<Prepared>>
    where
        'c: 'e,
    {
        std::future::ready(Err(unprepared())).boxed()
    }

    fn describe<'e>(self, _: SqlStr) -> BoxFuture<'e, sqlx::Result<sqlx::Describe<Sqlite>>>
    where
        'c: 'e,
    {
        std::future::ready(Err(unprepared())).boxed()
    }
}

impl sqlx::Connection for Connection {
    type Database = Sqlite;
    type Options = Options;

    async fn close(self) -> sqlx::Result<()> {
        match self.0 {
            RunsOn::Caller { file, .. } => file.close().map_err(|(_, error)| refused(error)),
            RunsOn::OwnThread(thread) => {
                thread.close().await;
                Ok(())
            }
        }
    }

    async fn close_hard(self) -> sqlx::Result<()> {
        <Self as sqlx::Connection>::close(self).await
    }

    async fn ping(&mut self) -> sqlx::Result<()> {
        self.say(SqlStr::from_static("select 1")).await
    }

    async fn begin(&mut self) -> sqlx::Result<sqlx::Transaction<'_, Sqlite>> {
        sqlx::Transaction::begin(self, None).await
    }

    fn shrink_buffers(&mut self) {}

    async fn flush(&mut self) -> sqlx::Result<()> {
        Ok(())
    }

    fn should_flush(&self) -> bool {
        false
    }
}

impl FromStr for Options {
    type Err = sqlx::Error;

    fn from_str(url: &str) -> sqlx::Result<Self> {
        Ok(Self::new(url.strip_prefix("sqlite:").unwrap_or(url)))
    }
}

impl ConnectOptions for Options {
    type Connection = Connection;

    fn from_url(url: &url::Url) -> sqlx::Result<Self> {
        url.as_str().parse()
    }

    async fn connect(&self) -> sqlx::Result<Connection> {
        self.open_apart().await
    }

    fn log_statements(self, _: log::LevelFilter) -> Self {
        self
    }

    fn log_slow_statements(self, _: log::LevelFilter, _: Duration) -> Self {
        self
    }
}

/// Statements are prepared where they are asked: there is none of this.
#[derive(Clone, Debug)]
pub enum Prepared {}

impl sqlx::Statement for Prepared {
    type Database = Sqlite;

    fn into_sql(self) -> SqlStr {
        match self {}
    }

    fn sql(&self) -> &SqlStr {
        match *self {}
    }

    fn parameters(&self) -> Option<Either<&[TypeInfo], usize>> {
        match *self {}
    }

    fn columns(&self) -> &[Column] {
        match *self {}
    }

    sqlx_core::impl_statement_query!(Arguments);
}
