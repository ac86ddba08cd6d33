//! The words of documents, for search. Reading a stranger's PDF is running a stranger's program: it is done in a process
//! of its own, by this same binary, which takes memory and time from itself before it looks at the first byte.

mod office;
mod pdf;
mod plain;

use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::time::Duration;

use confab_core::{Fault, Result};
use futures_util::StreamExt;
use rlimit::Resource;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use crate::storage::Storage;

/// The hidden command that [`words`] starts.
pub const COMMAND: &str = "extract-text";
/// Most text that is kept of one document.
pub const MOST_BYTES: usize = 200 * 1_024;
/// Largest document that is read.
pub const MOST_DOCUMENT_BYTES: u64 = 64 << 20;
/// Memory of the process: a document of the largest size, several times.
const MEMORY_BYTES: u64 = 1 << 30;
const PROCESSOR_SECONDS: u64 = 20;
/// Including the time to send the document.
const WITHIN: Duration = Duration::from_mins(1);
const OPEN_FILES: u64 = 32;
/// What is read for search waits for everything that people wait for.
const NICENESS: i32 = 10;

/// The words of a stored document; empty for one that cannot be read.
///
/// # Errors
/// [`Fault::Unavailable`] of the store, [`Fault::Internal`] when no process can be started: to be tried again.
pub async fn words(storage: &Storage, key: &str, file_type: &str) -> Result<String> {
    let program = std::env::current_exe().map_err(Fault::internal)?;
    // Nothing of our environment: it holds the keys of everything.
    let mut child = Command::new(program)
        .args([COMMAND, file_type])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(Fault::internal)?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(Fault::Internal("a process without pipes".into()));
    };
    let mut bytes = storage.stream(key, None).await?;
    let sent = async move {
        while let Some(part) = bytes.next().await {
            let part = part.map_err(|_| Fault::Unavailable("the file store"))?;
            // A process that has read enough, or has died, takes no more: what it said counts.
            if stdin.write_all(&part).await.is_err() {
                break;
            }
        }
        Ok::<(), Fault>(())
    };
    let mut said = Vec::new();
    let mut stdout = stdout.take(MOST_BYTES as u64);
    let heard = stdout.read_to_end(&mut said);
    let done = tokio::time::timeout(WITHIN, async { tokio::join!(sent, heard) }).await;
    let Ok((sent, heard)) = done else { return Ok(String::new()) };
    sent?;
    heard.map_err(Fault::internal)?;
    let status = tokio::time::timeout(Duration::from_secs(5), child.wait()).await;
    if !matches!(status, Ok(Ok(status)) if status.success()) {
        return Ok(String::new());
    }
    Ok(plain::bounded(&String::from_utf8_lossy(&said)))
}

/// What the process does: reads a document from standard input and writes its words.
///
/// # Errors
/// [`Fault::Internal`] when the limits cannot be set: without them it does not begin.
pub fn run(file_type: &str) -> Result<()> {
    for (resource, most) in [
        (Resource::AS, MEMORY_BYTES),
        (Resource::CPU, PROCESSOR_SECONDS),
        (Resource::NOFILE, OPEN_FILES),
        (Resource::FSIZE, 0),
        (Resource::CORE, 0),
    ] {
        rlimit::setrlimit(resource, most, most).map_err(Fault::internal)?;
    }
    rustix::process::nice(NICENESS).map_err(Fault::internal)?;
    let mut document = Vec::new();
    let mut stdin = std::io::stdin().lock().take(MOST_DOCUMENT_BYTES);
    stdin.read_to_end(&mut document).map_err(Fault::internal)?;
    let text = plain::bounded(&read(&document, file_type));
    std::io::stdout().lock().write_all(text.as_bytes()).map_err(Fault::internal)
}

fn read(document: &[u8], file_type: &str) -> String {
    match file_type {
        "application/pdf" => pdf::text(document),
        "application/zip" => office::text(document),
        office if office.starts_with("application/vnd.") => office::text(document),
        _ => plain::text(document),
    }
}
