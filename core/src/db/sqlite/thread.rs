//! A thread that holds a connection, for askers who must not wait for a disk.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use tokio::sync::oneshot;

use super::connection::{Connection, Options};

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The way to the thread. It ends, and closes the connection, when this is dropped.
#[derive(Debug)]
pub struct Thread {
    jobs: mpsc::Sender<Job>,
    /// Jobs that were asked for and are not done.
    open: Arc<AtomicUsize>,
    ended: oneshot::Receiver<()>,
}

/// Counts a job until it is done, was left out or panicked.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Thread {
    /// Starts it and opens the file there.
    ///
    /// # Errors
    /// The engine's, when the file cannot be opened; the system's, when it gives no thread.
    pub async fn start(options: Options) -> sqlx::Result<Self> {
        let (jobs, waiting) = mpsc::channel::<Job>();
        let (opened, is_open) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let work = move || {
            let mut connection = match options.open() {
                Ok(connection) => {
                    let _ = opened.send(Ok(()));
                    connection
                }
                Err(error) => {
                    let _ = opened.send(Err(error));
                    return;
                }
            };
            while let Ok(job) = waiting.recv() {
                // Whoever asked hears of it by the answer that never comes; the next one finds a connection with nothing begun.
                if std::panic::catch_unwind(AssertUnwindSafe(|| job(&mut connection))).is_err() {
                    connection.let_go();
                }
            }
            drop(connection);
            let _ = end.send(());
        };
        std::thread::Builder::new().name("confab-sqlite".into()).spawn(work)?;
        is_open.await.map_err(|_| sqlx::Error::WorkerCrashed)??;
        Ok(Self { jobs, open: Arc::default(), ended })
    }

    /// Has `work` done there, behind what was asked before, and waits for none of it. What was begun is done to its end; what
    /// nobody waits for any more when its turn comes is left out.
    ///
    /// # Errors
    /// [`sqlx::Error::WorkerCrashed`].
    pub fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> sqlx::Result<oneshot::Receiver<T>> {
        let (answer, answered) = oneshot::channel();
        let open = Open::new(&self.open);
        let job = Box::new(move |connection: &mut Connection| {
            if answer.is_closed() {
                return;
            }
            let done = work(connection);
            // Before the answer: whoever has it finds the thread quiet.
            drop(open);
            let _ = answer.send(done);
        });
        self.jobs.send(job).map_err(|_| sqlx::Error::WorkerCrashed)?;
        Ok(answered)
    }

    /// Has taken back what was begun, behind what was asked before. Nobody waits for it, so it is never left out and is no open
    /// job: it is short, and who asks next needs it done.
    pub fn let_go(&self) {
        let _ = self.jobs.send(Box::new(Connection::let_go));
    }

    /// Whether all is done that was asked for.
    pub fn is_quiet(&self) -> bool {
        self.open.load(Ordering::Acquire) == 0
    }

    /// Lets it end and waits until the file is closed.
    pub async fn close(self) {
        drop(self.jobs);
        let _ = self.ended.await;
    }
}
