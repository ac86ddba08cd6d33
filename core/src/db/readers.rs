//! Connections that read from the SQLite file.
//!
//! The crate's own pool asks a connection whether it lives when it goes out and when it comes back, in a task of its own: two more
//! ways to SQLite's thread for every read, though a file does not hang up. Here a connection is asked once in a while.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use futures_util::FutureExt;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::open::{ACQUIRE, TRUSTED};
use crate::fault::{Fault, Result};

/// Connections at most (docs/limits.md).
const MOST: u32 = 4;

/// What the caller is told when none can be had.
const NONE: Fault = Fault::Unavailable("the database");

/// The connections. The one that came back last goes out first: its pages and statements are at hand.
pub struct Readers {
    options: SqliteConnectOptions,
    idle: Mutex<Vec<Open>>,
    places: Arc<Semaphore>,
}

struct Open {
    connection: SqliteConnection,
    /// When it was seen alive.
    tested: Instant,
}

/// A connection, back among the others when dropped.
pub struct Reading {
    /// There until it is dropped.
    open: Option<Open>,
    readers: Arc<Readers>,
    _place: OwnedSemaphorePermit,
}

impl Readers {
    /// Opens the first one: the others when they are needed.
    ///
    /// # Errors
    /// The engine's, when the file cannot be opened.
    pub async fn open(options: SqliteConnectOptions) -> std::result::Result<Self, sqlx::Error> {
        let first = Open { connection: options.connect().await?, tested: Instant::now() };
        Ok(Self { options, idle: Mutex::new(vec![first]), places: Arc::new(Semaphore::new(MOST as usize)) })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Open>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One to read with.
    ///
    /// # Errors
    /// [`Fault::Unavailable`] when all are in use for too long, or closed.
    pub async fn take(self: &Arc<Self>) -> Result<Reading> {
        let place = tokio::time::timeout(ACQUIRE, self.places.clone().acquire_owned());
        let place = place.await.map_err(|_| NONE)?.map_err(|_| NONE)?;
        loop {
            let idle = self.idle().pop();
            let open = match idle {
                Some(open) if open.tested.elapsed() < TRUSTED => open,
                Some(mut open) => match open.connection.ping().await {
                    Ok(()) => Open { tested: Instant::now(), ..open },
                    Err(error) => {
                        tracing::warn!(%error, "a connection to the database is replaced");
                        continue;
                    }
                },
                None => Open { connection: self.options.connect().await?, tested: Instant::now() },
            };
            return Ok(Reading { open: Some(open), readers: self.clone(), _place: place });
        }
    }

    /// Waits for those in use and closes all.
    pub async fn close(&self) {
        let Ok(_all) = self.places.acquire_many(MOST).await else { return };
        let idle = std::mem::take(&mut *self.idle());
        for open in idle {
            let _ = open.connection.close().await;
        }
        self.places.close();
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if let Some(open) = self.open.take() {
            self.readers.idle().push(open);
        }
    }
}

// Nothing takes the connection out but the drop.
#[allow(clippy::expect_used)]
impl Deref for Reading {
    type Target = SqliteConnection;
    fn deref(&self) -> &SqliteConnection {
        &self.open.as_ref().expect("there until it is dropped").connection
    }
}

#[allow(clippy::expect_used)] // as above
impl DerefMut for Reading {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.open.as_mut().expect("there until it is dropped").connection
    }
}

/// A connection that sees the record as it was when it read first.
pub struct Moment(Reading);

impl Moment {
    /// Begins. The statements are kept prepared, as the crate's transactions are not.
    ///
    /// # Errors
    /// The engine's.
    pub async fn begin(reading: Reading) -> Result<Self> {
        // First: a caller that goes away while this waits leaves no connection behind that has begun.
        let mut moment = Self(reading);
        if let Err(error) = sqlx::query("begin").execute(&mut *moment.0).await {
            // Whatever state it is in, nobody reads with it any more.
            moment.0.open = None;
            return Err(error.into());
        }
        Ok(moment)
    }

    /// The connection inside it.
    pub fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }
}

impl Drop for Moment {
    fn drop(&mut self) {
        let Some(open) = &mut self.0.open else { return };
        // Only asked for, which needs one poll: the connection does what it is asked in order, whoever asks next. Until then
        // it would hold the write-ahead log back. Should a later version of the crate need a second poll, the next `begin` fails and
        // puts the connection away, and `a_moment_stands_still_and_ends_with_its_drop` fails.
        let _ = sqlx::query("rollback").execute(&mut open.connection).now_or_never();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn readers(folder: &std::path::Path) -> Arc<Readers> {
        let options = SqliteConnectOptions::new().filename(folder.join("test.db")).create_if_missing(true);
        let readers = Arc::new(Readers::open(options).await.unwrap());
        let mut one = readers.take().await.unwrap();
        sqlx::query("create table t (x bigint)").execute(&mut *one).await.unwrap();
        drop(one);
        readers
    }

    async fn count(on: &mut SqliteConnection) -> i64 {
        sqlx::query_scalar("select count(*) from t").fetch_one(on).await.unwrap()
    }

    #[tokio::test]
    async fn a_moment_stands_still_and_ends_with_its_drop() {
        let folder = tempfile::tempdir().unwrap();
        let readers = readers(folder.path()).await;
        let mut other = readers.take().await.unwrap();
        sqlx::query("pragma journal_mode = wal").fetch_one(&mut *other).await.unwrap();
        for before in 0..20 {
            let mut moment = Moment::begin(readers.take().await.unwrap()).await.unwrap();
            assert_eq!(count(moment.connection()).await, before);
            sqlx::query("insert into t values (1)").execute(&mut *other).await.unwrap();
            assert_eq!(count(moment.connection()).await, before, "it sees no later write");
            drop(moment);
            assert_eq!(
                count(&mut readers.take().await.unwrap()).await,
                before + 1,
                "the same connection, after it"
            );
            assert_eq!(readers.idle().len(), 1, "it came back");
        }
    }

    #[tokio::test]
    async fn an_abandoned_read_leaves_a_sound_connection() {
        let folder = tempfile::tempdir().unwrap();
        let readers = readers(folder.path()).await;
        for _ in 0..50 {
            let mut one = readers.take().await.unwrap();
            // Polled once: asked, and the answer never taken.
            let _ =
                sqlx::query_scalar::<_, i64>("select count(*) from t").fetch_one(&mut *one).now_or_never();
            drop(one);
            let mut moment = Moment::begin(readers.take().await.unwrap()).await.unwrap();
            let _ = sqlx::query_scalar::<_, i64>("select count(*) from t")
                .fetch_one(moment.connection())
                .now_or_never();
            drop(moment);
            let _ = Moment::begin(readers.take().await.unwrap()).now_or_never();
        }
        assert_eq!(count(&mut readers.take().await.unwrap()).await, 0);
        assert_eq!(readers.idle().len(), 1);
    }

    #[tokio::test]
    async fn closing_waits_for_who_reads() {
        let folder = tempfile::tempdir().unwrap();
        let readers = readers(folder.path()).await;
        let one = readers.take().await.unwrap();
        let closing = tokio::spawn({
            let readers = readers.clone();
            async move { readers.close().await }
        });
        tokio::task::yield_now().await;
        assert!(!closing.is_finished());
        drop(one);
        closing.await.unwrap();
        assert!(matches!(readers.take().await, Err(Fault::Unavailable(_))));
    }
}
