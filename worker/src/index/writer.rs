//! The one thread that writes the index: it is told what to do and answers after each commit.

use confab_protocol::{ChannelId, Message, MessageId};
use tantivy::{IndexReader, IndexWriter, TantivyError};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::schema::{Fields, FileWords};
use super::store::Place;

/// Batches that wait for the writer; a full queue slows the reading of the log.
const QUEUE: usize = 4;

/// One change of the index.
pub(super) enum Change {
    /// A message that cannot be there yet.
    Add(Box<Message>),
    /// A message as it is now, whether or not an older form is there.
    Put(Box<Message>),
    /// A file of a message that was put before.
    AddFile(Box<FileWords>),
    /// A message is gone, and its files.
    Remove(MessageId),
    /// All messages of a channel are gone, and their files.
    RemoveChannel(ChannelId),
}

enum Order {
    Apply(Vec<Change>),
    Commit {
        place: Place,
        done: oneshot::Sender<u64>,
    },
    /// Wait until no merge writes to the folder any more, and end.
    Rest,
}

/// The way to the thread.
pub(super) struct Writer {
    orders: mpsc::Sender<Order>,
    thread: JoinHandle<tantivy::Result<()>>,
}

/// The thread has ended; [`Writer::failure`] says why.
pub(super) struct Ended;

impl Writer {
    /// Starts the thread.
    pub fn start(writer: IndexWriter, reader: IndexReader, fields: Fields) -> Self {
        let (orders, waiting) = mpsc::channel(QUEUE);
        let thread = tokio::task::spawn_blocking(move || work(writer, &reader, fields, waiting));
        Self { orders, thread }
    }

    /// Queues changes.
    pub async fn apply(&self, changes: Vec<Change>) -> Result<(), Ended> {
        self.orders.send(Order::Apply(changes)).await.map_err(|_| Ended)
    }

    /// Queues a commit of everything before it. The receiver is told how many messages the index holds then, and that
    /// searches see them.
    pub async fn commit(&self, place: Place) -> Result<oneshot::Receiver<u64>, Ended> {
        let (done, answer) = oneshot::channel();
        self.orders.send(Order::Commit { place, done }).await.map_err(|_| Ended)?;
        Ok(answer)
    }

    /// Has the thread end only when nothing of it writes to the folder any more, so that the folder can be moved.
    pub async fn rest(&self) -> Result<(), Ended> {
        self.orders.send(Order::Rest).await.map_err(|_| Ended)
    }

    /// Waits for the thread's end. What was not committed is forgotten.
    pub async fn end(self) -> tantivy::Result<()> {
        drop(self.orders);
        match self.thread.await {
            Ok(outcome) => outcome,
            Err(error) => Err(tantivy::TantivyError::ErrorInThread(error.to_string())),
        }
    }
}

/// A full or failing disk is not the event's fault.
pub(super) fn is_of_the_disk(error: &TantivyError) -> bool {
    use tantivy::TantivyError as E;
    match error {
        // A lock is a file too, which is opened for writing.
        E::IoError(_)
        | E::OpenWriteError(_)
        | E::OpenDirectoryError(_)
        | E::OpenReadError(_)
        | E::LockFailure(..) => true,
        // tantivy (0.27) keeps only the words of what the system told it when it wrote some of a segment's files.
        E::InternalError(said) => said.contains("(os error "),
        _ => false,
    }
}

fn work(
    mut writer: IndexWriter,
    reader: &IndexReader,
    fields: Fields,
    mut orders: mpsc::Receiver<Order>,
) -> tantivy::Result<()> {
    while let Some(order) = orders.blocking_recv() {
        match order {
            Order::Apply(changes) => {
                for change in changes {
                    apply(&writer, fields, change).map_err(|error| cause(&mut writer, error))?;
                }
            }
            Order::Commit { place, done } => {
                let mut commit = writer.prepare_commit()?;
                let payload = serde_json::to_string(&place)
                    .map_err(|error| tantivy::TantivyError::InternalError(error.to_string()))?;
                commit.set_payload(&payload);
                commit.commit()?;
                reader.reload()?;
                // Nobody waits any more only when the process stops.
                let _ = done.send(reader.searcher().num_docs());
            }
            Order::Rest => return writer.wait_merging_threads(),
        }
    }
    Ok(())
}

/// What a writer that takes nothing more died of. Whoever meets it is told only that a thread of it ended; the thread says why
/// when it is waited for, as before a commit. Nothing is committed by that.
fn cause(writer: &mut IndexWriter, met: TantivyError) -> TantivyError {
    writer.prepare_commit().err().unwrap_or(met)
}

fn apply(writer: &IndexWriter, fields: Fields, change: Change) -> tantivy::Result<()> {
    match change {
        Change::Add(message) => {
            writer.add_document(fields.document(&message))?;
        }
        Change::Put(message) => {
            writer.delete_term(fields.of_message(message.id));
            writer.delete_term(fields.files_of_message(message.id));
            writer.add_document(fields.document(&message))?;
        }
        Change::AddFile(words) => {
            writer.add_document(fields.file_document(&words))?;
        }
        Change::Remove(id) => {
            writer.delete_term(fields.of_message(id));
            writer.delete_term(fields.files_of_message(id));
        }
        Change::RemoveChannel(id) => {
            writer.delete_term(fields.of_channel(id));
            writer.delete_term(fields.files_of_channel(id));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tantivy::{Index, TantivyDocument};

    use super::super::analysis::Analysis;
    use super::super::schema::schema;
    use super::*;

    #[test]
    fn a_disk_that_failed_is_told_from_an_event() {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::create_in_dir(folder.path(), schema().0).unwrap();
        Analysis::default().register(index.tokenizers());
        let mut writer: IndexWriter = index.writer_with_num_threads(1, 50_000_000).unwrap();
        folder.close().unwrap();
        // The writer's thread cannot make the files of a segment; a document that comes later hears of its end.
        let met = loop {
            if let Err(error) = writer.add_document(TantivyDocument::default()) {
                break error;
            }
        };
        assert!(!is_of_the_disk(&met), "{met}");
        let found = cause(&mut writer, met);
        assert!(is_of_the_disk(&found), "{found}");

        let full = std::io::Error::from_raw_os_error(28);
        assert!(is_of_the_disk(&TantivyError::InternalError(full.to_string())));
        assert!(!is_of_the_disk(&TantivyError::InternalError("a field is missing".into())));
    }
}
