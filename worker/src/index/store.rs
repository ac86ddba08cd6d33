//! The index on disk: opened when it is whole and belongs to this record, made anew otherwise.
//!
//! It is a cache. Whatever looks wrong (no file, a broken one, another schema, another epoch, a position that the log
//! has not reached) is answered by deleting it and reading the record again, never by trusting it.
//!
//! A new one that is asked for is made in a folder beside it while the old one answers. That folder's presence is what
//! remembers the request: a restart goes on with it.

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use confab_core::{Fault, Result};
use confab_protocol::MessageId;
use serde::{Deserialize, Serialize};
use tantivy::directory::MmapDirectory;
use tantivy::indexer::UserOperation;
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy};
use uuid::Uuid;

use super::analysis::Analysis;
use super::schema::{FORMAT, schema};

/// Memory that the writer fills before it writes a segment by itself, in bytes. Commits come long before in daily use.
const HEAP: usize = 50_000_000;
/// The same while everything is read again: fewer, larger segments leave less to merge.
const HEAP_OF_BUILDING: usize = 200_000_000;
/// Blocks of ids, of 16 KiB each, that are kept unpacked for each segment. A page of hits is all over a segment, so more are seldom
/// met again, and a million messages have a dozen segments.
const BLOCKS: usize = 16;

/// How far an index is, written with each of its commits: the two cannot disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    format: u32,
    epoch: Uuid,
    /// The log's position when the reading of all messages began: requests up to there are obeyed by this index.
    #[serde(default)]
    origin: i64,
    progress: Progress,
}

/// Which part of the work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Progress {
    /// Reading all messages; `head` is the log's position when this began.
    Building { after: MessageId, head: i64 },
    /// Following the log, which is contained up to here.
    Following { applied: i64 },
}

impl Progress {
    /// The position up to which the log is contained.
    pub fn applied(self) -> i64 {
        match self {
            Self::Building { .. } => 0,
            Self::Following { applied } => applied,
        }
    }
}

impl Place {
    pub fn new(epoch: Uuid, origin: i64, progress: Progress) -> Self {
        Self { format: FORMAT, epoch, origin, progress }
    }
}

/// An index that is open for reading and writing.
pub(super) struct Store {
    pub reader: IndexReader,
    pub writer: IndexWriter,
    pub origin: i64,
    pub progress: Progress,
}

/// Held as long as this process uses the folder.
pub(super) struct FolderLock {
    _file: File,
}

/// Takes the index folder for this process: two writers on one folder would delete each other's files.
///
/// # Errors
/// [`Fault::Conflict`] with code `folder_in_use`.
pub(super) fn lock(data_dir: &Path) -> Result<FolderLock> {
    let unusable = |error: std::io::Error| {
        Fault::invalid("data_dir", format!("cannot use {}: {error}", data_dir.display()))
    };
    std::fs::create_dir_all(data_dir).map_err(unusable)?;
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(data_dir.join("index.lock"))
        .map_err(unusable)?;
    if file.try_lock().is_err() {
        return Err(Fault::conflict(
            "folder_in_use",
            format!(
                "another process keeps its index in {}; give each worker a folder of its own",
                data_dir.display()
            ),
        ));
    }
    Ok(FolderLock { _file: file })
}

/// Opens the index in `folder`, or makes a new one there. Blocks.
pub(super) fn open(
    folder: &Path,
    epoch: Uuid,
    log: &RangeInclusive<i64>,
    analysis: &Analysis,
) -> Result<Store> {
    let head = *log.end();
    let is_begun = std::fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some());
    if is_begun {
        match open_whole(folder, epoch, log, analysis) {
            Ok(store) => return Ok(store),
            Err(reason) => tracing::warn!(%reason, "the search index is built anew"),
        }
        std::fs::remove_dir_all(folder).map_err(|error| unusable(folder, &error))?;
    }
    std::fs::create_dir_all(folder).map_err(|error| unusable(folder, &error))?;
    let made = || -> tantivy::Result<Store> {
        let index = Index::create_in_dir(folder, schema().0)?;
        analysis.register(index.tokenizers());
        store(&index, head, Progress::Building { after: MessageId(Uuid::nil()), head })
    };
    made().map_err(|error| unusable(folder, &error))
}

fn unusable(folder: &Path, error: &dyn std::fmt::Display) -> Fault {
    Fault::invalid("data_dir", format!("cannot keep an index in {}: {error}", folder.display()))
}

fn open_whole(
    folder: &Path,
    epoch: Uuid,
    log: &RangeInclusive<i64>,
    analysis: &Analysis,
) -> Result<Store, String> {
    let said = |error: tantivy::TantivyError| error.to_string();
    let open = || -> tantivy::Result<Index> { Index::open(MmapDirectory::open(folder)?) };
    let index = open().map_err(said)?;
    if index.schema() != schema().0 {
        return Err("it has the schema of another version".into());
    }
    let payload = index.load_metas().map_err(said)?.payload.ok_or("it was never finished")?;
    let place: Place = serde_json::from_str(&payload).map_err(|error| format!("its position: {error}"))?;
    if place.format != FORMAT {
        return Err("it was made by another version".into());
    }
    if place.epoch != epoch {
        return Err("it belongs to another record".into());
    }
    if place.progress.applied() > *log.end() {
        return Err("it is ahead of the log".into());
    }
    if place.progress.applied() < *log.start() {
        return Err("what it is missing is not in the log any more".into());
    }
    let damaged = index.validate_checksum().map_err(said)?;
    if !damaged.is_empty() {
        return Err(format!("{} of its files are damaged", damaged.len()));
    }
    // Mapped anew: the checks went over every page of every file, and of most no search has need.
    drop(index);
    let index = open().map_err(said)?;
    analysis.register(index.tokenizers());
    store(&index, place.origin, place.progress).map_err(said)
}

fn store(index: &Index, origin: i64, progress: Progress) -> tantivy::Result<Store> {
    let heap = match progress {
        Progress::Building { .. } => HEAP_OF_BUILDING,
        Progress::Following { .. } => HEAP,
    };
    // One thread: the machine belongs to the people who chat, and one indexes far more than they write.
    let writer: IndexWriter = index.writer_with_num_threads(1, heap)?;
    rid_of_the_dead(&writer)?;
    let reader = index
        .reader_builder()
        .reload_policy(ReloadPolicy::Manual)
        .doc_store_cache_num_blocks(BLOCKS)
        .try_into()?;
    Ok(Store { reader, writer, origin, progress })
}

/// What a process that died, or a disk that failed, left behind must not touch what this writer does. Both hold for tantivy 0.27,
/// which numbers operations from the last commit's number on and names a segment's deletions by the number of their commit.
fn rid_of_the_dead(writer: &IndexWriter) -> tantivy::Result<()> {
    // Deletions of a commit that never held: the same commit, made again, finds its file there and fails at it, for ever.
    if let Err(error) = writer.garbage_collect_files().wait() {
        tracing::warn!(%error, "files that the search index does not need cannot be deleted");
    }
    // The first operation has the last commit's own number. A merge goes up to that number, takes a segment that has deletions
    // of that commit for done, and goes on behind what the other segments had: a deletion of this number would be lost for
    // the segment, and what somebody edited or deleted would be found by its old words. So no change of ours has it.
    writer.run(std::iter::empty::<UserOperation>())?;
    Ok(())
}

/// The folder of the index that is to take the place of the one in `folder`.
pub(super) fn beside(folder: &Path) -> PathBuf {
    folder.with_extension("new")
}

/// Where the replaced index lies until it is deleted.
fn replaced(folder: &Path) -> PathBuf {
    folder.with_extension("old")
}

/// Puts the index that was built beside `folder` in its place. No writer may be at either. Blocks.
pub(super) fn replace(folder: &Path) -> io::Result<()> {
    remove(&replaced(folder))?;
    std::fs::rename(folder, replaced(folder))?;
    if let Err(error) = std::fs::rename(beside(folder), folder) {
        std::fs::rename(replaced(folder), folder)?;
        return Err(error);
    }
    // What is left of it is deleted at the next start.
    let _ = remove(&replaced(folder));
    Ok(())
}

/// Finishes what a process that died was moving. Blocks.
pub(super) fn mend(folder: &Path) -> Result<()> {
    let is_between = !folder.exists() && beside(folder).exists();
    let moved = if is_between { std::fs::rename(beside(folder), folder) } else { Ok(()) };
    moved.and_then(|()| remove(&replaced(folder))).map_err(|error| unusable(folder, &error))
}

/// Deletes every index that a process keeps at `folder`. Blocks.
pub(super) fn remove_all(folder: &Path) -> Result<()> {
    // The one in use last: without it a new one that was begun beside it would become it.
    let all = [beside(folder), replaced(folder), folder.to_owned()];
    all.iter().try_for_each(|it| remove(it).map_err(|error| unusable(it, &error)))
}

fn remove(folder: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use tantivy::collector::Count;
    use tantivy::indexer::NoMergePolicy;
    use tantivy::query::{AllQuery, TermQuery};
    use tantivy::schema::IndexRecordOption;
    use tantivy::{Opstamp, TantivyDocument};

    use super::*;

    /// A folder with an index that holds the log up to 1.
    struct Folder {
        path: tempfile::TempDir,
        epoch: Uuid,
    }

    impl Folder {
        fn new() -> Self {
            let it = Self { path: tempfile::tempdir().unwrap(), epoch: Uuid::from_u128(7) };
            let mut writer = it.open();
            it.commit(&mut writer);
            it
        }

        /// What a start finds there.
        fn open(&self) -> IndexWriter {
            let store = open(self.path.path(), self.epoch, &(0..=1), &Analysis::default()).unwrap();
            // A merge comes when a story asks for it.
            store.writer.set_merge_policy(Box::new(NoMergePolicy));
            store.writer
        }

        fn commit(&self, writer: &mut IndexWriter) -> Opstamp {
            let mut commit = writer.prepare_commit().unwrap();
            let place = Place::new(self.epoch, 0, Progress::Following { applied: 1 });
            commit.set_payload(&serde_json::to_string(&place).unwrap());
            commit.commit().unwrap()
        }

        /// How many documents there are of a message.
        fn count(&self, message: u128) -> usize {
            let searcher = Index::open_in_dir(self.path.path()).unwrap().reader().unwrap().searcher();
            let query = TermQuery::new(schema().1.of_message(id(message)), IndexRecordOption::Basic);
            searcher.search(&query, &Count).unwrap()
        }
    }

    fn id(message: u128) -> MessageId {
        MessageId(Uuid::from_u128(message))
    }

    fn put(writer: &IndexWriter, message: u128) {
        let fields = schema().1;
        writer.delete_term(fields.of_message(id(message)));
        let mut document = TantivyDocument::default();
        document.add_bytes(fields.message, id(message).0.as_bytes());
        writer.add_document(document).unwrap();
    }

    #[test]
    fn the_first_change_after_a_start_survives_a_merge() {
        let folder = Folder::new();
        let mut writer = folder.open();
        for segment in [&[1, 2, 3][..], &[4, 5]] {
            segment.iter().for_each(|message| put(&writer, *message));
            folder.commit(&mut writer);
        }
        // The second segment has deletions of the last commit, the first has none.
        put(&writer, 4);
        folder.commit(&mut writer);
        drop(writer);

        let mut writer = folder.open();
        let segments = writer.index().searchable_segment_ids().unwrap();
        assert_eq!(segments.len(), 3);
        put(&writer, 5);
        let merged = writer.merge(&segments);
        let _ = merged.wait().unwrap();
        folder.commit(&mut writer);
        assert_eq!(folder.count(5), 1, "what it was before is gone");
        assert_eq!(folder.count(4), 1);
        let searcher = writer.index().reader().unwrap().searcher();
        assert_eq!(searcher.search(&AllQuery, &Count).unwrap(), 5);
    }

    #[test]
    fn a_commit_that_did_not_hold_is_made_again() {
        let folder = Folder::new();
        let mut writer = folder.open();
        put(&writer, 1);
        put(&writer, 2);
        folder.commit(&mut writer);
        drop(writer);
        let held = std::fs::read(folder.path.path().join("meta.json")).unwrap();

        let mut numbers = Vec::new();
        for _ in 0..2 {
            let mut writer = folder.open();
            put(&writer, 1);
            numbers.push(folder.commit(&mut writer));
            drop(writer);
            assert_eq!((folder.count(1), folder.count(2)), (1, 1));
            // As if the process had died before the commit's last step.
            std::fs::write(folder.path.path().join("meta.json"), &held).unwrap();
        }
        assert_eq!(numbers[0], numbers[1], "both write files of the same names");
    }
}
