//! Where the programs are that a run needs.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::arguments::{Arguments, Mode};

/// All of them, as absolute paths; what a mode does not need is absent.
pub struct Programs {
    pub server: PathBuf,
    worker: Option<PathBuf>,
    nats: Option<PathBuf>,
    postgres: Option<PathBuf>,
}

impl Programs {
    /// Looks for what the mode needs, and says which package is missing.
    pub fn find(arguments: &Arguments) -> Result<Self> {
        let server = there(&arguments.server()?, "build it: cargo build -p confab-server")?;
        if arguments.mode == Mode::Embedded {
            return Ok(Self { server, worker: None, nats: None, postgres: None });
        }
        let beside = || server.with_file_name("confab-worker");
        let worker = there(
            &arguments.worker.clone().unwrap_or_else(beside),
            "build it: cargo build -p confab-worker, or name it: --worker PATH",
        )?;
        let nats = there(&arguments.nats.clone().map_or_else(installed_nats, Ok)?, "run ops/install")?;
        let postgres =
            newest_postgres().ok_or("PostgreSQL's server is missing: install postgresql (ops/install)")?;
        Ok(Self { server, worker: Some(worker), nats: Some(nats), postgres: Some(postgres) })
    }

    /// `confab-worker`.
    pub fn worker(&self) -> Result<&Path> {
        self.worker.as_deref().ok_or_else(|| "this mode has no worker".into())
    }

    /// `nats-server`.
    pub fn nats(&self) -> Result<&Path> {
        self.nats.as_deref().ok_or_else(|| "this mode has no NATS".into())
    }

    /// The folder of PostgreSQL's programs.
    pub fn postgres(&self) -> Result<&Path> {
        self.postgres.as_deref().ok_or_else(|| "this mode has no PostgreSQL".into())
    }
}

/// Processes are started elsewhere than here, so relative paths would lead astray.
fn there(path: &Path, remedy: &str) -> Result<PathBuf> {
    path.canonicalize().map_err(|_| format!("{} is missing: {remedy}", path.display()).into())
}

/// What `ops/install` put apart, or the first in PATH.
fn installed_nats() -> Result<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    let apart = cache.map(|cache| cache.join("confab-test/nats/bin/nats-server"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).map(|folder| folder.join("nats-server"));
    apart
        .into_iter()
        .chain(in_path)
        .find(|it| it.exists())
        .ok_or_else(|| "nats-server is missing: run ops/install, or name it: --nats PATH".into())
}

/// The newest server programs that Debian's packages put beside each other.
fn newest_postgres() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let versions = folders.filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        Some((version, entry.path().join("bin")))
    });
    versions.filter(|(_, bin)| bin.join("postgres").exists()).max().map(|(_, bin)| bin)
}
