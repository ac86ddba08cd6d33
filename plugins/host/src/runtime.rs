//! What runs every plugin of a process.

use crate::call::Call;
use crate::host::Host;
use crate::kept::Idle;
use crate::limits::{Limits, TICK};
use crate::machine::Machine;
use crate::manifest::{Keeping, Manifest};
use crate::outcome::LoadError;
use crate::plugin::Plugin;
use crate::precompiled;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use wasmtime::component::Component;
use wasmtime::{Engine, EngineWeak, Store};

/// Calls at the same time, over all plugins: with the memory of each it bounds what they take together to 1 GiB.
const CALLS: u32 = 16;
/// A component of this size has what fits the machine that has everything at hand; others carry an interpreter.
const SMALL_BYTES: usize = 2 << 20;
/// What the host copies of one argument list or result before looking at it, per byte that the plugin may send.
const COPY_FACTOR: usize = 2;
/// Once a minute what nobody calls any more is let go.
const TICKS_TO_TIDY: u32 = 6000;

/// Loads plugins and runs them; one for each process. Cheap to clone. Calls need a tokio runtime.
#[derive(Clone)]
pub struct Runtime(Arc<Shared>);

struct Shared {
    /// For small plugins. `None`: this process may not reserve so many addresses.
    ready: Option<Machine>,
    /// For all others.
    roomy: Machine,
    cache_folder: Option<PathBuf>,
    caps: Limits,
    calls: Semaphore,
    idle: Arc<Idle>,
    plugins: AtomicU64,
}

impl Runtime {
    /// Starts the engine. Compiled plugins are kept in `cache_folder` (created if missing), which only the server may
    /// be able to write: what lies there is run. Without one, every start compiles anew.
    pub fn new(cache_folder: Option<&Path>, caps: Limits) -> Result<Self, LoadError> {
        let failed = |error: &dyn std::fmt::Display| LoadError::Engine(error.to_string());
        let roomy = Machine::roomy().map_err(|error| failed(&error))?;
        let ready = Machine::ready(&caps, CALLS)
            .inspect_err(|error| tracing::info!(%error, "calls of plugins reserve their memory one by one"));
        let ready = ready.ok();
        if let Some(folder) = cache_folder {
            std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        }
        let idle = Arc::<Idle>::default();
        let engines = ready.iter().chain([&roomy]).map(|it| it.engine.weak()).collect();
        start_ticks(engines, &idle).map_err(|error| failed(&error))?;
        let cache_folder = cache_folder.map(Path::to_owned);
        let (calls, plugins) = (Semaphore::new(CALLS as usize), AtomicU64::new(0));
        Ok(Self(Arc::new(Shared { ready, roomy, cache_folder, caps, calls, idle, plugins })))
    }

    /// Whether the component is the one that the manifest means.
    ///
    /// # Errors
    /// [`LoadError::Hash`].
    pub fn check(manifest: &Manifest, wasm: &[u8]) -> Result<(), LoadError> {
        let found = hex(&Sha256::digest(wasm));
        if found == manifest.sha256 {
            Ok(())
        } else {
            Err(LoadError::Hash { expected: manifest.sha256.clone(), found })
        }
    }

    /// Checks the component against its manifest and makes it ready to be called. Blocks while it compiles (a tenth
    /// of a second for a small plugin, tens of seconds for a large one): call it where blocking is allowed.
    pub fn load(&self, manifest: Manifest, wasm: &[u8]) -> Result<Plugin, LoadError> {
        Self::check(&manifest, wasm)?;
        let (machine, component) = self.compiled(&manifest, wasm)?;
        let limits = self.0.caps.narrowed(&manifest.limits);
        Plugin::new(self.clone(), manifest, (&component, &machine.linker), limits)
    }

    fn compiled(&self, manifest: &Manifest, wasm: &[u8]) -> Result<(&Machine, Component), LoadError> {
        let compiled = |machine: &Machine| {
            precompiled::component(&machine.engine, wasm, &manifest.sha256, self.0.cache_folder.as_deref())
        };
        let is_small = manifest.limits.instance == Keeping::Fresh && wasm.len() <= SMALL_BYTES;
        // What does not fit although it is small goes where everything fits.
        if let Some(ready) = self.0.ready.as_ref().filter(|_| is_small)
            && let Ok(component) = compiled(ready)
        {
            return Ok((ready, component));
        }
        let component = compiled(&self.0.roomy).map_err(LoadError::Compile)?;
        Ok((&self.0.roomy, component))
    }

    /// Waits for a free place among the calls that run.
    pub(crate) async fn place(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed, so there is always a permit in the end.
        self.0.calls.acquire().await.ok()
    }

    /// Instances that are kept for further calls.
    pub(crate) fn idle(&self) -> &Idle {
        &self.0.idle
    }

    /// A number that no other plugin of this process has or had.
    pub(crate) fn number(&self) -> u64 {
        self.0.plugins.fetch_add(1, Ordering::Relaxed)
    }

    /// A fresh store: nothing of another call is in it, and nothing of this one outlives it.
    pub(crate) fn store(engine: &Engine, limits: &Limits) -> Store<Call> {
        let mut store = Store::new(engine, Call::new(limits.clone()));
        store.limiter(|call| call);
        store.epoch_deadline_callback(|mut context| context.data_mut().tick());
        store
    }

    /// Gives a call of this store its budget.
    pub(crate) fn begin(
        store: &mut Store<Call>,
        host: Arc<dyn Host>,
        limits: &Limits,
        cpu: Duration,
    ) -> wasmtime::Result<()> {
        store.data_mut().begin(host, cpu);
        store.set_fuel(limits.fuel)?;
        store.set_hostcall_fuel(limits.io_bytes.saturating_mul(COPY_FACTOR));
        store.set_epoch_deadline(1);
        Ok(())
    }
}

/// Raises the epoch from a thread of its own: a plugin in a tight loop can occupy every thread of the async runtime,
/// but not this one. It ends with the engines.
fn start_ticks(engines: Vec<EngineWeak>, idle: &Arc<Idle>) -> std::io::Result<()> {
    let idle = Arc::downgrade(idle);
    let ticks = move || {
        let mut since_tidy = 0_u32;
        while ticked(&engines) {
            since_tidy += 1;
            if since_tidy >= TICKS_TO_TIDY {
                since_tidy = 0;
                if let Some(idle) = idle.upgrade() {
                    idle.tidy();
                }
            }
            std::thread::sleep(TICK);
        }
    };
    std::thread::Builder::new().name("plugin-ticks".into()).spawn(ticks).map(drop)
}

/// Answers whether there is still an engine.
fn ticked(engines: &[EngineWeak]) -> bool {
    let mut is_one = false;
    for engine in engines.iter().filter_map(EngineWeak::upgrade) {
        engine.increment_epoch();
        is_one = true;
    }
    is_one
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
        text
    })
}
