//! Instances that serve several calls: what a fresh one costs is little for a small plugin, and milliseconds for one
//! that carries an interpreter. A plugin asks for it (`instance = "kept"`); an instance that failed in any way, has
//! served long enough or has grown old is never used again.

use crate::call::Call;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, SemaphorePermit};
use wasmtime::Store;
use wasmtime::component::Instance;

/// What one instance serves. JavaScript engines are known to fail after some 1,800 calls of one instance.
const MOST_CALLS: u32 = 500;
/// An instance that is older is not used again: what it gathered in its memory goes with it.
const LONGEST: Duration = Duration::from_mins(10);
/// Instances that wait for a call, of all plugins: with what each may hold it bounds them to 1 GiB.
const MOST_IDLE: usize = 4;
/// Calls of such plugins at the same time, for the same reason.
const CALLS: usize = 4;

/// Instances that wait, of all plugins of a process: those that wait longest give way.
pub(crate) struct Idle {
    waiting: Mutex<Vec<(u64, Kept)>>,
    calls: Semaphore,
}

/// An instance with its store, and how much it has served.
pub(crate) struct Kept {
    pub store: Store<Call>,
    pub instance: Instance,
    pub calls: u32,
    pub since: Instant,
}

impl Default for Idle {
    fn default() -> Self {
        Self { waiting: Mutex::default(), calls: Semaphore::new(CALLS) }
    }
}

impl Idle {
    /// Waits for a free place among the calls of large plugins.
    pub(crate) async fn place(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed, so there is always a permit in the end.
        self.calls.acquire().await.ok()
    }

    /// An instance of this plugin that waits.
    pub(crate) fn take(&self, plugin: u64) -> Option<Kept> {
        let mut waiting = self.waiting();
        let at = waiting.iter().rposition(|(of, _)| *of == plugin)?;
        Some(waiting.remove(at).1)
    }

    /// Keeps an instance for the next call, unless it has served enough.
    pub(crate) fn put(&self, plugin: u64, kept: Kept) {
        if kept.calls >= MOST_CALLS || kept.since.elapsed() >= LONGEST {
            return;
        }
        let mut waiting = self.waiting();
        waiting.push((plugin, kept));
        let gone = (waiting.len() > MOST_IDLE).then(|| waiting.remove(0));
        drop(waiting);
        // Unmapping its memory takes a while: nobody waits for the lock meanwhile.
        drop(gone);
    }

    /// Nothing calls this plugin any more.
    pub(crate) fn forget(&self, plugin: u64) {
        let gone: Vec<_> = self.waiting().extract_if(.., |(of, _)| *of == plugin).collect();
        drop(gone);
    }

    /// Lets go of what has grown old, and so what nobody calls takes no memory for ever.
    pub(crate) fn tidy(&self) {
        let gone: Vec<_> =
            self.waiting().extract_if(.., |(_, kept)| kept.since.elapsed() >= LONGEST).collect();
        drop(gone);
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<(u64, Kept)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
