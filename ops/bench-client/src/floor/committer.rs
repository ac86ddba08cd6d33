//! One thread that stores what waits in one transaction, hands it out in that order, and then answers.

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;

use bytes::Bytes;
use rusqlite::{Connection, params};
use tokio::sync::mpsc::UnboundedSender;
use uuid::Uuid;

use super::hall::{Hall, ack, framed};
use crate::Result;

/// Most posts of one commit, as in Confab.
const GROUP: usize = 256;

const SCHEMA: &str =
    "create table messages (id blob primary key, channel_id integer not null, seq integer not null,
        sender_id blob not null, content text not null, created_at integer not null);
    create unique index messages_in_channel on messages (channel_id, seq);";
const INSERT: &str = "insert into messages (id, channel_id, seq, sender_id, content, created_at) values (?1, ?2, ?3, ?4, ?5, ?6)";

/// One post that waits.
struct Waiting {
    channel: usize,
    content: String,
    poster: UnboundedSender<Bytes>,
}

/// The way to the thread.
#[derive(Clone)]
pub struct Committer(mpsc::Sender<Waiting>);

impl Committer {
    /// Opens a record in `folder` and starts the thread.
    pub fn start(folder: &Path, hall: Arc<Hall>) -> Result<Self> {
        let connection = open(folder)?;
        let (posts, waiting) = mpsc::channel();
        thread::spawn(move || {
            if let Err(error) = commit_all(&connection, &waiting, &hall) {
                eprintln!("the floor's committer: {error}");
                std::process::exit(1);
            }
        });
        Ok(Self(posts))
    }

    /// Queues a post; its poster is answered after the commit.
    pub fn post(&self, channel: usize, content: String, poster: UnboundedSender<Bytes>) {
        // The thread ends only with the process.
        let _ = self.0.send(Waiting { channel, content, poster });
    }
}

/// An empty record with the promises of Confab's.
pub fn open(folder: &Path) -> Result<Connection> {
    let connection = Connection::open(folder.join("floor.db"))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    connection.execute_batch(SCHEMA)?;
    Ok(connection)
}

/// Stores `count` messages in channel 0.
pub fn fill(connection: &Connection, count: i64, content: &str) -> Result<()> {
    connection.execute_batch("begin immediate")?;
    let mut insert = connection.prepare(INSERT)?;
    for seq in 1..=count {
        insert.execute(params![Uuid::now_v7().as_bytes(), 0, seq, [0_u8; 16], content, seq])?;
    }
    connection.execute_batch("commit")?;
    Ok(())
}

fn commit_all(connection: &Connection, waiting: &mpsc::Receiver<Waiting>, hall: &Hall) -> Result<()> {
    let mut insert = connection.prepare(INSERT)?;
    let answer = framed(&ack().to_string());
    let mut seq = 0_i64;
    while let Ok(first) = waiting.recv() {
        let mut group = vec![first];
        group.extend(waiting.try_iter().take(GROUP - 1));
        connection.execute_batch("begin immediate")?;
        for post in &group {
            seq += 1;
            insert.execute(params![
                Uuid::now_v7().as_bytes(),
                post.channel as i64,
                seq,
                [0_u8; 16],
                post.content,
                seq
            ])?;
        }
        connection.execute_batch("commit")?;
        for post in group {
            hall.publish(post.channel, &post.content, framed);
            let _ = post.poster.send(answer.clone());
        }
    }
    Ok(())
}
