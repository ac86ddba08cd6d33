//! A private NATS server with JetStream, the one that `ops/install` put apart for the tests.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::process::Command;

use crate::Result;
use crate::process::Process;

/// One server, gone with this value.
pub struct Nats {
    _process: Process,
    _folder: TempDir,
    /// What `NATS_URL` is set to.
    pub url: String,
}

impl Nats {
    /// Starts a server with an empty store on a port that it chooses itself.
    pub async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let program = program()?;
        let mut command = Command::new(program);
        command.args(["--addr", "127.0.0.1", "--port", "-1", "--jetstream", "--store_dir"]);
        command.arg(folder.path());
        let words = "Listening for client connections on ";
        let (process, line) = Process::start("nats-server", command, words).await?;
        let address = line.rsplit(' ').next().unwrap_or_default();
        let url = format!("nats://{address}");
        Ok(Self { _process: process, _folder: folder, url })
    }
}

fn program() -> Result<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let cache =
        std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home).ok_or("HOME is not set")?;
    let program = cache.join("confab-test/nats/bin/nats-server");
    if program.exists() { Ok(program) } else { Err("nats-server is missing: ops/install installs it".into()) }
}
