//! The index on disk: opened when it is whole and belongs to this record, made anew otherwise.
//!
//! It is a cache. Whatever looks wrong (no file, a broken one, another schema, another epoch, a position that the log
//! has not reached) is answered by deleting it and reading the record again, never by trusting it. What only the machine
//! refuses for now says nothing of the kind, and is tried again later.
//!
//! A new one that is asked for is made in a folder beside it while the old one answers. That folder's presence is what
//! remembers the request: a restart goes on with it.

mod tidying;

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use confab_core::{Fault, Result};
use confab_protocol::MessageId;
use serde::{Deserialize, Serialize};
use tantivy::directory::MmapDirectory;
use tantivy::directory::error::{OpenDirectoryError, OpenReadError};
use tantivy::indexer::UserOperation;
use tantivy::{Index, IndexMeta, IndexReader, IndexWriter, ReloadPolicy, SegmentMeta, TantivyError};
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

/// Too many open files, in all and of this process: numbers of Linux and of macOS.
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;

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

    /// The position behind which the log has to be there: while all messages are read, it is followed from `head` on
    /// afterwards.
    fn followed_from(self) -> i64 {
        match self {
            Self::Building { head, .. } => head,
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
///
/// # Errors
/// [`Fault::Unavailable`] when the machine does not let anybody open the one that is there: it stays as it is.
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
            Err(Refusal::Passing(reason)) => {
                tracing::error!(%reason, "the search index cannot be opened now, and stays as it is");
                return Err(Fault::Unavailable("the search index"));
            }
            Err(Refusal::Unsound(reason)) => tracing::warn!(%reason, "the search index is built anew"),
        }
        std::fs::remove_dir_all(folder).map_err(|error| unusable(folder, &error))?;
    }
    std::fs::create_dir_all(folder).map_err(|error| unusable(folder, &error))?;
    let made = || -> tantivy::Result<Store> {
        let index = Index::create_in_dir(folder, schema().0)?;
        analysis.register(index.tokenizers());
        store(folder, &index, head, Progress::Building { after: MessageId(Uuid::nil()), head })
    };
    made().map_err(|error| unusable(folder, &error))
}

fn unusable(folder: &Path, error: &dyn std::fmt::Display) -> Fault {
    Fault::invalid("data_dir", format!("cannot keep an index in {}: {error}", folder.display()))
}

/// Why nobody goes on with an index.
enum Refusal {
    /// It is no good.
    Unsound(String),
    /// The machine has no handle, thread or memory left, or somebody else is at it. That says nothing about the index, and building
    /// another one may take hours.
    Passing(String),
}

impl From<&str> for Refusal {
    fn from(reason: &str) -> Self {
        Self::Unsound(reason.to_owned())
    }
}

impl From<TantivyError> for Refusal {
    fn from(error: TantivyError) -> Self {
        if is_passing(&error) { Self::Passing(error.to_string()) } else { Self::Unsound(error.to_string()) }
    }
}

/// Whether an error is the machine's and not the files'.
fn is_passing(error: &TantivyError) -> bool {
    use tantivy::TantivyError as E;
    // Files that nobody may read, or that the disk has lost, are no better tomorrow: only what the system has too few of comes again.
    let of_the_system = |error: &io::Error| {
        use io::ErrorKind as Kind;
        let is_said = matches!(error.kind(), Kind::Interrupted | Kind::WouldBlock | Kind::OutOfMemory);
        is_said || matches!(error.raw_os_error(), Some(ENFILE | EMFILE))
    };
    match error {
        E::LockFailure(..) | E::SystemError(_) => true,
        E::IoError(io_error)
        | E::OpenReadError(OpenReadError::IoError { io_error, .. })
        | E::OpenDirectoryError(OpenDirectoryError::IoError { io_error, .. }) => of_the_system(io_error),
        _ => false,
    }
}

fn open_whole(
    folder: &Path,
    epoch: Uuid,
    log: &RangeInclusive<i64>,
    analysis: &Analysis,
) -> Result<Store, Refusal> {
    let open = || -> tantivy::Result<Index> { Index::open(MmapDirectory::open(folder)?) };
    let index = open()?;
    if index.schema() != schema().0 {
        return Err("it has the schema of another version".into());
    }
    let payload = index.load_metas()?.payload.ok_or("it was never finished")?;
    let place: Place =
        serde_json::from_str(&payload).map_err(|error| Refusal::Unsound(format!("its position: {error}")))?;
    if place.format != FORMAT {
        return Err("it was made by another version".into());
    }
    if place.epoch != epoch {
        return Err("it belongs to another record".into());
    }
    if place.progress.followed_from() > *log.end() {
        return Err("it is ahead of the log".into());
    }
    if place.progress.followed_from() < *log.start() {
        return Err("what it is missing is not in the log any more".into());
    }
    let damaged = index.validate_checksum()?;
    if !damaged.is_empty() {
        return Err(Refusal::Unsound(format!("{} of its files are damaged", damaged.len())));
    }
    // Mapped anew: the checks went over every page of every file, and of most no search has need.
    drop(index);
    let index = open()?;
    analysis.register(index.tokenizers());
    Ok(store(folder, &index, place.origin, place.progress)?)
}

fn store(folder: &Path, index: &Index, origin: i64, progress: Progress) -> tantivy::Result<Store> {
    let heap = match progress {
        Progress::Building { .. } => HEAP_OF_BUILDING,
        Progress::Following { .. } => HEAP,
    };
    // One thread: the machine belongs to the people who chat, and one indexes far more than they write.
    let writer: IndexWriter = index.writer_with_num_threads(1, heap)?;
    let held = index.load_metas()?;
    // Not before the writer is there: its lock says that no other one is at work.
    tidying::tidy(folder, &held);
    pass_numbers(&writer, &held)?;
    let reader = index
        .reader_builder()
        .reload_policy(ReloadPolicy::Manual)
        .doc_store_cache_num_blocks(BLOCKS)
        .try_into()?;
    Ok(Store { reader, writer, origin, progress })
}

/// Passes over the numbers that no change of ours may have. tantivy 0.27 goes on from the number of the last commit that held
/// when it numbers operations and commits, and says by such a number up to where a segment has its deletions.
fn pass_numbers(writer: &IndexWriter, held: &IndexMeta) -> tantivy::Result<()> {
    // The first operation has the last commit's own number. A merge goes up to that number, takes a segment that has deletions
    // of that commit for done, and goes on behind what the other segments had: a deletion of this number would be lost for
    // the segment, and what somebody edited or deleted would be found by its old words.
    //
    // A segment may also have deletions of a commit whose last step failed, if a merge published it with the commit before.
    // A commit of the same number would take it for done. The two are as far apart as one commit has operations.
    let newest = held.segments.iter().filter_map(SegmentMeta::delete_opstamp).max().unwrap_or(0);
    while writer.run(std::iter::empty::<UserOperation>())? < newest {}
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
mod tests;
