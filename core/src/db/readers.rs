//! Connections that read from the SQLite file, each with a thread of its own: who asks never waits for a disk on a thread of
//! the runtime.

use std::ops::{Deref, DerefMut};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::{Connection as _, SqlStr};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::open::ACQUIRE;
use super::sqlite::{Connection, Options};
use super::{Engine, Look};
use crate::fault::{Fault, Result};

/// Connections at most (docs/limits.md).
const MOST: u32 = 4;

/// What the caller is told when none can be had.
const NONE: Fault = Fault::Unavailable("the database");

/// The connections. The one that came back last goes out first: its pages and statements are at hand.
pub struct Readers {
    options: Options,
    /// Where their threads are started, whoever asks for one: a thread stands back as far as the one that starts it, and one
    /// that the index had started would keep people waiting behind everything else.
    home: Handle,
    idle: Mutex<Vec<Connection>>,
    places: Arc<Semaphore>,
}

/// A connection. Dropped, it goes back among the others, as soon as its thread has done what it was asked.
pub struct Reading {
    /// There until it is dropped.
    connection: Option<Connection>,
    readers: Arc<Readers>,
    /// The same. It is given back behind the connection.
    place: Option<OwnedSemaphorePermit>,
}

impl Readers {
    /// Opens the first one: the others when they are needed.
    ///
    /// # Errors
    /// The engine's, when the file cannot be opened.
    pub async fn open(options: Options) -> sqlx::Result<Self> {
        let first = options.open_apart().await?;
        let places = Arc::new(Semaphore::new(MOST as usize));
        Ok(Self { options, home: Handle::current(), idle: Mutex::new(vec![first]), places })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One to read with.
    ///
    /// # Errors
    /// [`Fault::Unavailable`] when all are in use for too long, or closed.
    pub async fn take(self: &Arc<Self>) -> Result<Reading> {
        let place = tokio::time::timeout(ACQUIRE, self.places.clone().acquire_owned());
        let place = place.await.map_err(|_| NONE)?.map_err(|_| NONE)?;
        let idle = self.idle().pop();
        let connection = if let Some(connection) = idle {
            connection
        } else {
            let options = self.options.clone();
            let opening = self.home.spawn(async move { options.open_apart().await });
            opening.await.map_err(Fault::internal)??
        };
        Ok(Reading { connection: Some(connection), readers: self.clone(), place: Some(place) })
    }

    /// Runs what reads at one moment on a reader's thread: however much it asks, it is one way there and back.
    ///
    /// # Errors
    /// Those of `work` and of [`Self::take`]; [`Fault::Internal`] when it waits for anything but what it reads.
    pub async fn look<T, F>(self: &Arc<Self>, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Look<'t>) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        let mut reading = self.take().await?;
        reading.with(move |here| now(here, work)).await?
    }

    /// How many statements were asked.
    pub fn statement_count(&self) -> u64 {
        self.options.statement_count()
    }

    /// Waits for those in use and closes all.
    pub async fn close(&self) {
        let Ok(_all) = self.places.acquire_many(MOST).await else { return };
        let idle = std::mem::take(&mut *self.idle());
        for connection in idle {
            let _ = connection.close().await;
        }
        self.places.close();
    }
}

/// Does it at once, as it can be done where the connection is held: nothing that is read has to be waited for.
fn now<T, F>(here: &mut Connection, work: F) -> Result<T>
where
    F: for<'t> FnOnce(&'t mut Look<'t>) -> BoxFuture<'t, Result<T>>,
{
    here.begin_here()?;
    let mut look = Look(Engine::Sqlite(&mut *here));
    let done = AssertUnwindSafe(work(&mut look)).catch_unwind().now_or_never();
    here.let_go();
    match done {
        Some(Ok(done)) => done,
        Some(Err(_)) => Err(Fault::Internal("a look at the record panicked".into())),
        None => Err(Fault::Internal("a look at the record waited for something else".into())),
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        // Who left before the answer came leaves a thread at work: the next one would wait for it while others are idle. And
        // with its place given back, those who come and leave would pile up work without a bound.
        let runtime = if connection.is_quiet() { None } else { Handle::try_current().ok() };
        let Some(runtime) = runtime else {
            self.readers.idle().push(connection);
            return;
        };
        let (readers, place) = (self.readers.clone(), self.place.take());
        runtime.spawn(async move {
            // One whose thread is gone is no use to anybody: the next asker opens another.
            if connection.with(|_| ()).await.is_ok() {
                readers.idle().push(connection);
            }
            drop(place);
        });
    }
}

// Nothing takes the connection out but the drop.
#[allow(clippy::expect_used)]
impl Deref for Reading {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("there until it is dropped")
    }
}

#[allow(clippy::expect_used)] // as above
impl DerefMut for Reading {
    fn deref_mut(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("there until it is dropped")
    }
}

/// A connection that sees the record as it was when it read first.
pub struct Moment(Reading);

impl Moment {
    /// Begins.
    ///
    /// # Errors
    /// The engine's.
    pub async fn begin(reading: Reading) -> Result<Self> {
        // First: a caller that goes away while this waits leaves no connection behind that has begun.
        let mut moment = Self(reading);
        moment.0.say(SqlStr::from_static("begin")).await?;
        Ok(moment)
    }

    /// The connection inside it.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.0
    }
}

impl Drop for Moment {
    fn drop(&mut self) {
        // Only asked for: the connection does what it is asked in order, whoever asks next. Until then it would hold the
        // write-ahead log back.
        self.0.let_go();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    async fn readers(folder: &std::path::Path) -> Arc<Readers> {
        let readers = Arc::new(Readers::open(Options::new(folder.join("test.db"))).await.unwrap());
        let mut one = readers.take().await.unwrap();
        sqlx::query("pragma journal_mode = wal").fetch_one(&mut *one).await.unwrap();
        sqlx::query("create table t (x bigint)").execute(&mut *one).await.unwrap();
        drop(one);
        readers
    }

    fn fails() -> Result<()> {
        panic!("as asked")
    }

    async fn count(on: &mut Connection) -> i64 {
        sqlx::query_scalar("select count(*) from t").fetch_one(on).await.unwrap()
    }

    #[tokio::test]
    async fn a_moment_stands_still_and_ends_with_its_drop() {
        let folder = tempfile::tempdir().unwrap();
        let readers = readers(folder.path()).await;
        let mut other = readers.take().await.unwrap();
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
            let _ = readers.look(|_| async { Ok(()) }.boxed()).now_or_never();
        }
        let _all = readers.places.acquire_many(MOST).await.unwrap();
        let idle = std::mem::take(&mut *readers.idle());
        assert!((1..=MOST as usize).contains(&idle.len()), "they came back");
        for mut one in idle {
            assert_eq!(count(&mut one).await, 0);
            one.with(Connection::begin_here).await.unwrap().expect("nothing stays begun");
        }
    }

    #[tokio::test]
    async fn an_abandoned_read_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let readers = readers(folder.path()).await;
        let mut one = readers.take().await.unwrap();
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let (go, may_go) = std::sync::mpsc::channel::<()>();
        let slow = move |_: &mut Connection| {
            let _ = begun.send(());
            let _ = may_go.recv();
        };
        tokio::select! {
            _ = one.with(slow) => panic!("it waits"),
            begun = has_begun => begun.unwrap(),
        }
        let was_done = Arc::new(AtomicBool::new(false));
        let done = was_done.clone();
        assert!(one.with(move |_| done.store(true, Ordering::SeqCst)).now_or_never().is_none());
        drop(one);
        assert!(readers.idle().is_empty(), "its thread is at work");
        assert_eq!(readers.places.available_permits(), MOST as usize - 1, "its place is taken until then");
        assert_eq!(count(&mut readers.take().await.unwrap()).await, 0, "on another one");
        assert_eq!(readers.idle().len(), 1);
        go.send(()).expect("the first one is at it still");
        let _all = readers.places.acquire_many(MOST).await.unwrap();
        assert_eq!(readers.idle().len(), 2, "it came back");
        assert!(!was_done.load(Ordering::SeqCst), "nobody waited for it any more");
    }

    #[tokio::test]
    async fn a_look_that_waits_or_panics_leaves_a_sound_connection() {
        let folder = tempfile::tempdir().unwrap();
        let readers = readers(folder.path()).await;
        let waited = readers.look(|_| std::future::pending::<Result<()>>().boxed()).await;
        assert!(matches!(waited, Err(Fault::Internal(_))));
        let panicked = readers.look(|_| async { fails() }.boxed()).await;
        assert!(matches!(panicked, Err(Fault::Internal(_))));
        let mut one = readers.take().await.unwrap();
        sqlx::query("insert into t values (1)").execute(&mut *one).await.unwrap();
        let one_sees = count(&mut one).await;
        assert_eq!(
            (one_sees, count(&mut readers.take().await.unwrap()).await),
            (1, 1),
            "nothing stays begun"
        );
    }

    fn niceness() -> i32 {
        rustix::process::getpriority_process(None).unwrap()
    }

    #[tokio::test]
    async fn a_reader_that_a_thread_behind_asked_for_does_not_stand_back() {
        let folder = tempfile::tempdir().unwrap();
        let readers = readers(folder.path()).await;
        let first = readers.take().await.unwrap();
        let usual = niceness();
        let asked = {
            let readers = readers.clone();
            std::thread::spawn(move || {
                rustix::process::setpriority_process(None, usual + 1).unwrap();
                let behind = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                behind.block_on(async move {
                    let mut second = readers.take().await.unwrap();
                    (niceness(), second.with(|_| niceness()).await.unwrap())
                })
            })
        };
        let (behind, reader) = tokio::task::spawn_blocking(|| asked.join().unwrap()).await.unwrap();
        assert_eq!((behind, reader), (usual + 1, usual));
        drop(first);
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
