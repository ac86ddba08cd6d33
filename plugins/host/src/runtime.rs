//! The engine that runs every plugin of a process.

use crate::bindings;
use crate::call::Call;
use crate::host::Host;
use crate::kept::Idle;
use crate::limits::{Limits, TICK};
use crate::manifest::Manifest;
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
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Engine, Store};

/// Calls at the same time, over all plugins: with the memory of each it bounds what they take together to 1 GiB.
const CALLS: usize = 16;
const WASM_STACK_BYTES: usize = 512 << 10;
/// Host calls run on the plugin's stack, above what WebAssembly may use of it; a database driver needs room.
const ASYNC_STACK_BYTES: usize = 4 << 20;
/// What the host copies of one argument list or result before looking at it, per byte that the plugin may send.
const COPY_FACTOR: usize = 2;
/// Once a minute what nobody calls any more is let go.
const TICKS_TO_TIDY: u32 = 6000;

/// Loads plugins and runs them; one for each process. Cheap to clone. Calls need a tokio runtime.
#[derive(Clone)]
pub struct Runtime(Arc<Shared>);

struct Shared {
    engine: Engine,
    linker: Linker<Call>,
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
        let engine = Engine::new(&config()).map_err(|error| failed(&error))?;
        let mut linker = Linker::new(&engine);
        bindings::v0_1::Plugin::add_to_linker::<_, HasSelf<_>>(&mut linker, |call: &mut Call| call)
            .map_err(|error| failed(&error))?;
        bindings::v0_2::FullPlugin::add_to_linker::<_, HasSelf<_>>(&mut linker, |call: &mut Call| call)
            .map_err(|error| failed(&error))?;
        if let Some(folder) = cache_folder {
            std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        }
        let idle = Arc::<Idle>::default();
        start_ticks(&engine, &idle).map_err(|error| failed(&error))?;
        let cache_folder = cache_folder.map(Path::to_owned);
        let (calls, plugins) = (Semaphore::new(CALLS), AtomicU64::new(0));
        Ok(Self(Arc::new(Shared { engine, linker, cache_folder, caps, calls, idle, plugins })))
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
        let found = &manifest.sha256;
        let component = precompiled::component(&self.0.engine, wasm, found, self.0.cache_folder.as_deref())
            .map_err(LoadError::Compile)?;
        let limits = self.0.caps.narrowed(&manifest.limits);
        Plugin::new(self.clone(), manifest, &component, limits)
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn linker(&self) -> &Linker<Call> {
        &self.0.linker
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
    pub(crate) fn store(&self, limits: &Limits) -> Store<Call> {
        let mut store = Store::new(&self.0.engine, Call::new(limits.clone()));
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

fn config() -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    config.consume_fuel(true);
    config.max_wasm_stack(WASM_STACK_BYTES);
    config.async_stack_size(ASYNC_STACK_BYTES);
    // Guests are stripped: a backtrace would name nothing, and collecting it costs each trap.
    config.wasm_backtrace_max_frames(None);
    config
}

/// Raises the epoch from a thread of its own: a plugin in a tight loop can occupy every thread of the async runtime,
/// but not this one. It ends with the engine.
fn start_ticks(engine: &Engine, idle: &Arc<Idle>) -> std::io::Result<()> {
    let (engine, idle) = (engine.weak(), Arc::downgrade(idle));
    let ticks = move || {
        let mut since_tidy = 0_u32;
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
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

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
        text
    })
}
