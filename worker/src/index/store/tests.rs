//! An index that was left by all sorts of accidents, opened again.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::ffi::OsString;

use serde_json::Value;
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
        self.commit_at(writer, Progress::Following { applied: 1 })
    }

    fn commit_at(&self, writer: &mut IndexWriter, progress: Progress) -> Opstamp {
        let mut commit = writer.prepare_commit().unwrap();
        let place = Place::new(self.epoch, 0, progress);
        commit.set_payload(&serde_json::to_string(&place).unwrap());
        commit.commit().unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.path().join(name)
    }

    fn files(&self) -> BTreeSet<OsString> {
        std::fs::read_dir(self.path.path()).unwrap().map(|file| file.unwrap().file_name()).collect()
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
        for message in segment {
            put(&writer, *message);
        }
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
    for is_listed in [true, false] {
        let folder = Folder::new();
        let mut writer = folder.open();
        put(&writer, 1);
        put(&writer, 2);
        folder.commit(&mut writer);
        drop(writer);
        let held = std::fs::read(folder.file("meta.json")).unwrap();

        let mut numbers = Vec::new();
        for _ in 0..2 {
            let mut writer = folder.open();
            put(&writer, 1);
            numbers.push(folder.commit(&mut writer));
            drop(writer);
            assert_eq!((folder.count(1), folder.count(2)), (1, 1));
            // As if the process had died before the commit's last step.
            std::fs::write(folder.file("meta.json"), &held).unwrap();
            if !is_listed {
                forget_deletions(&folder);
            }
        }
        assert_eq!(numbers[0], numbers[1], "both write files of the same names");
    }
}

/// As if a merge that outlived its writer had written its own list of files.
fn forget_deletions(folder: &Folder) {
    let list = folder.file(".managed.json");
    let mut listed: Vec<String> = serde_json::from_slice(&std::fs::read(&list).unwrap()).unwrap();
    let before = listed.len();
    listed.retain(|name| !name.contains(".del"));
    assert!(listed.len() < before);
    std::fs::write(list, serde_json::to_string(&listed).unwrap()).unwrap();
}

#[test]
fn only_what_the_last_commit_names_stays() {
    let folder = Folder::new();
    let mut writer = folder.open();
    put(&writer, 1);
    put(&writer, 2);
    folder.commit(&mut writer);
    put(&writer, 1);
    folder.commit(&mut writer);
    drop(writer);
    let needed = folder.files();
    for name in ["0a1b.idx", "0a1b.7.del", ".tmpA1b2C3"] {
        std::fs::write(folder.file(name), "left").unwrap();
    }
    drop(folder.open());
    assert_eq!(folder.files(), needed);
    assert_eq!((folder.count(1), folder.count(2)), (1, 1));
}

#[test]
fn no_commit_has_the_number_of_one_that_failed() {
    // However many operations the next commit has: one of these is the distance at which it would meet the other.
    for distance in 1..=6 {
        let folder = Folder::new();
        let mut writer = folder.open();
        put(&writer, 1);
        put(&writer, 2);
        folder.commit(&mut writer);
        put(&writer, 1);
        let failed = folder.commit(&mut writer);
        drop(writer);
        // As if the commit's last step had failed, and a merge had published its segments with the commit before.
        let meta = folder.file("meta.json");
        let mut held: Value = serde_json::from_slice(&std::fs::read(&meta).unwrap()).unwrap();
        held["opstamp"] = (failed - distance).into();
        std::fs::write(&meta, held.to_string()).unwrap();

        let mut writer = folder.open();
        put(&writer, 2);
        assert!(folder.commit(&mut writer) > failed, "{distance}");
        assert_eq!((folder.count(1), folder.count(2)), (1, 1), "{distance}: what it was before is gone");
    }
}

#[test]
fn a_building_goes_on_where_the_log_reaches_back_to_its_beginning() {
    let begun = Progress::Building { after: id(9), head: 10 };
    for (log, goes_on) in [(0..=10, true), (10..=20, true), (11..=20, false), (0..=9, false)] {
        let folder = Folder::new();
        let mut writer = folder.open();
        folder.commit_at(&mut writer, begun);
        drop(writer);
        let store = open(folder.path.path(), folder.epoch, &log, &Analysis::default()).unwrap();
        assert_eq!(store.progress == begun, goes_on, "{log:?}");
    }
}

#[test]
fn what_the_machine_refuses_for_now_deletes_nothing() {
    let folder = Folder::new();
    let mut writer = folder.open();
    put(&writer, 1);
    folder.commit(&mut writer);
    // The writer has the lock.
    let refused = open(folder.path.path(), folder.epoch, &(0..=1), &Analysis::default());
    assert!(refused.is_err_and(|fault| fault.is_retryable()));
    drop(writer);
    drop(folder.open());
    assert_eq!(folder.count(1), 1);

    let too_many_files = || io::Error::from_raw_os_error(24);
    assert!(is_passing(&too_many_files().into()));
    assert!(is_passing(&OpenReadError::wrap_io_error(too_many_files(), "a.idx".into()).into()));
    for lasting in [2, 5, 13] {
        assert!(!is_passing(&io::Error::from_raw_os_error(lasting).into()), "missing, lost or forbidden");
    }
}

#[test]
fn an_index_with_a_file_cut_off_is_built_anew() {
    let folder = Folder::new();
    let mut writer = folder.open();
    put(&writer, 1);
    folder.commit(&mut writer);
    drop(writer);
    let name = folder.files().into_iter().find(|name| name.to_string_lossy().contains(".idx")).unwrap();
    OpenOptions::new().write(true).open(folder.path.path().join(name)).unwrap().set_len(2).unwrap();
    drop(folder.open());
    assert_eq!(folder.count(1), 0);
}
