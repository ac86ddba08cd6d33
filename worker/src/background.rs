//! Threads for what nobody waits for: the index and the vectors follow the log when a core has nothing else to do.
//!
//! On the runtime's own threads, a burst of posts competes with the indexing of the posts before it, and whoever writes waits
//! twice as long for their acknowledgement. What people ask for (searches, answers) does not run here.

use confab_core::{Fault, Result};
use tokio::runtime::{Builder, Handle, Runtime};

/// How far these threads stand back: a tenth of the time of one at 0 where both want a core (sched(7), weights of nice levels).
/// Never all of it, or a busy server would find nothing new.
const NICE: i32 = 10;
/// It waits for the disk more than it computes; tantivy's own threads come on top, made by this one and as nice.
const THREADS: usize = 1;

/// The threads; they end with it.
pub(crate) struct Background {
    runtime: Option<Runtime>,
    handle: Handle,
}

impl Background {
    /// Starts them.
    ///
    /// # Errors
    /// [`Fault::Internal`] when the system gives no thread.
    pub fn start() -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("confab-behind")
            .enable_all()
            // Blocking ones too; whatever those start inherits it.
            .on_thread_start(stand_back)
            .build()
            .map_err(Fault::internal)?;
        let handle = runtime.handle().clone();
        Ok(Self { runtime: Some(runtime), handle })
    }

    /// Where to start tasks.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting for the threads is not allowed in a task. Whoever drops this has waited for the tasks.
            runtime.shutdown_background();
        }
    }
}

/// Lets the calling thread, and those that it starts, run where others leave a core. Only on Linux is a priority a thread's own; elsewhere
/// the whole server would stand back.
pub fn stand_back() {
    if !cfg!(target_os = "linux") {
        return;
    }
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "what nobody waits for runs as fast as everything else");
    }
}
