//! A thread that holds a connection, for askers who must not wait for a disk.

use std::panic::AssertUnwindSafe;
use std::sync::mpsc;

use tokio::sync::oneshot;

use super::connection::{Connection, Options};

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The way to the thread. It ends, and closes the connection, when this is dropped.
#[derive(Debug)]
pub struct Thread {
    jobs: mpsc::Sender<Job>,
    ended: oneshot::Receiver<()>,
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
        std::thread::Builder::new().name("confab-reader".into()).spawn(work)?;
        is_open.await.map_err(|_| sqlx::Error::WorkerCrashed)??;
        Ok(Self { jobs, ended })
    }

    /// Has `work` done there, behind what was asked before, and waits for none of it. It is done even if nobody waits any more.
    ///
    /// # Errors
    /// [`sqlx::Error::WorkerCrashed`].
    pub fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> sqlx::Result<oneshot::Receiver<T>> {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move |connection: &mut Connection| {
            let _ = answer.send(work(connection));
        });
        self.jobs.send(job).map_err(|_| sqlx::Error::WorkerCrashed)?;
        Ok(answered)
    }

    /// Lets it end and waits until the file is closed.
    pub async fn close(self) {
        drop(self.jobs);
        let _ = self.ended.await;
    }
}
