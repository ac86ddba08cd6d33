//! What was asked of the server and what it promised, on disk before anything is built on it.
//!
//! An intent is fsynced before its request leaves. An acknowledgement is written when it comes, in the same file, so
//! the order of lines is an order of events in the world: when an acknowledgement stands before an intent, the one had
//! been promised before the other was asked.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::Result;

/// Lines that may wait for the disk; a writer beyond them waits.
const WAITING: usize = 4_096;

/// One thing that a writer wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// A new message; its nonce is the number of the intent.
    Post { channel: Uuid, text: String, parent: Option<Uuid> },
    /// Another text for a message of one's own.
    Edit { message: Uuid, text: String },
    /// One's own message gone.
    Delete { message: Uuid },
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// About to be asked.
    Intent { number: u64, act: Act },
    /// Promised: which message, and for a post its place.
    Acked { number: u64, message: Uuid, seq: i64 },
}

type Order = (Line, Option<oneshot::Sender<()>>);

/// The open journal of a run. Dropping it closes the file.
pub struct Journal {
    to: mpsc::Sender<Order>,
    next: AtomicU64,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl Journal {
    /// Begins a new one.
    pub fn create(path: &Path) -> Result<Self> {
        let file = File::create_new(path)?;
        let (to, orders) = mpsc::channel(WAITING);
        let thread = std::thread::Builder::new().name("journal".into()).spawn(move || keep(file, orders))?;
        Ok(Self { to, next: AtomicU64::new(1), thread: Some(thread) })
    }

    /// Notes what is about to be asked and answers its number once it is on disk.
    pub async fn intend(&self, act: Act) -> Result<u64> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (done, kept) = oneshot::channel();
        self.to.send((Line::Intent { number, act }, Some(done))).await.map_err(|_| gone())?;
        kept.await.map_err(|_| gone())?;
        Ok(number)
    }

    /// Notes what was promised. It is on disk before the next intent of whoever calls.
    pub async fn acknowledge(&self, number: u64, message: Uuid, seq: i64) -> Result<()> {
        self.to.send((Line::Acked { number, message, seq }, None)).await.map_err(|_| gone())
    }

    /// Writes what waits and closes the file.
    pub async fn close(mut self) -> Result<()> {
        drop(std::mem::replace(&mut self.to, mpsc::channel(1).0));
        let Some(thread) = self.thread.take() else { return Ok(()) };
        tokio::task::spawn_blocking(move || thread.join()).await?.map_err(|_| gone())??;
        Ok(())
    }

    /// All lines of a journal, as they stand on disk.
    pub fn read(path: &Path) -> Result<Vec<Line>> {
        let mut lines = Vec::new();
        for line in BufReader::new(File::open(path)?).lines() {
            lines.push(serde_json::from_str(&line?)?);
        }
        Ok(lines)
    }
}

fn gone() -> Box<dyn std::error::Error + Send + Sync> {
    "the journal cannot be written: is the disk of the run full?".into()
}

/// One fsync for all lines that wait, and only then the answers.
fn keep(file: File, mut orders: mpsc::Receiver<Order>) -> std::io::Result<()> {
    let mut file = BufWriter::new(file);
    while let Some(first) = orders.blocking_recv() {
        let mut waiting = Vec::new();
        let mut next = Some(first);
        while let Some((line, done)) = next {
            serde_json::to_writer(&mut file, &line)?;
            file.write_all(b"\n")?;
            waiting.extend(done);
            next = orders.try_recv().ok();
        }
        file.flush()?;
        file.get_ref().sync_data()?;
        for done in waiting {
            let _ = done.send(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_written_is_read_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let journal = Journal::create(&path).unwrap();
        let act = Act::Delete { message: Uuid::from_u128(7) };
        let number = journal.intend(act.clone()).await.unwrap();
        journal.acknowledge(number, Uuid::from_u128(7), 3).await.unwrap();
        journal.close().await.unwrap();
        let lines = Journal::read(&path).unwrap();
        let acked = Line::Acked { number, message: Uuid::from_u128(7), seq: 3 };
        assert_eq!(lines, [Line::Intent { number, act }, acked]);
        assert!(Journal::create(&path).is_err(), "a journal is never written over");
    }
}
