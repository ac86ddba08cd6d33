//! The server under measurement.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use crate::Result;

/// Ends with this value, and its folder with it.
pub struct Server {
    /// Such as `http://127.0.0.1:40123`.
    pub address: String,
    _process: Child,
    _folder: TempDir,
}

impl Server {
    /// Starts `program` in an empty folder, with the limits off that would be measured instead of the server.
    pub async fn start(program: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut process = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(folder.path().join("data"))
            .current_dir(folder.path())
            .env("CONFAB_RATE_LIMITS", "off")
            .env("CONFAB_REGISTRATION", "open")
            .env("CONFAB_LOG", "info")
            .env("CONFAB_ADMIN_USERNAME", "warden")
            .env("CONFAB_ADMIN_EMAIL", "warden@example.org")
            .env("CONFAB_ADMIN_PASSWORD", "a warden keeps many keys")
            .env("MAX_TOTAL_WEBSOCKET_CONNECTIONS", "4000")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{} does not start: {error}", program.display()))?;
        let (sender, mut lines) = mpsc::channel(256);
        for pipe in [process.stdout.take().map(boxed), process.stderr.take().map(boxed)].into_iter().flatten()
        {
            tokio::spawn(read(pipe, sender.clone()));
        }
        drop(sender);
        let address = tokio::time::timeout(Duration::from_mins(1), listening(&mut lines))
            .await
            .map_err(|_| "the server did not listen within a minute")??;
        // Goes on reading: a full pipe would stop the server.
        tokio::spawn(async move { while lines.recv().await.is_some() {} });
        Ok(Self { address, _process: process, _folder: folder })
    }
}

type Pipe = Box<dyn AsyncRead + Send + Unpin>;

fn boxed(pipe: impl AsyncRead + Send + Unpin + 'static) -> Pipe {
    Box::new(pipe)
}

async fn read(pipe: Pipe, lines: mpsc::Sender<String>) {
    let mut reader = BufReader::new(pipe).lines();
    while let Ok(Some(line)) = reader.next_line().await {
        if lines.send(line).await.is_err() {
            return;
        }
    }
}

async fn listening(lines: &mut mpsc::Receiver<String>) -> Result<String> {
    let mut said = Vec::new();
    while let Some(line) = lines.recv().await {
        if let Some((_, address)) = line.split_once("listening on ") {
            let address = address.split_whitespace().next().unwrap_or_default();
            return Ok(address.trim_end_matches('/').to_owned());
        }
        said.push(line);
    }
    Err(format!("the server ended before it listened:\n{}", said.join("\n")).into())
}
