//! What a process that died, a writer that was dropped or a disk that failed left in the folder of an index.
//!
//! tantivy deletes what its list of files, `.managed.json`, names. A merge that outlives its writer writes that list too, without
//! what the next writer made meanwhile, and whatever is not on it would lie there for ever. Worse, tantivy (0.27) names a
//! segment's deletions by the number of their commit: a commit that did not hold, made again, finds its own file there and
//! fails at it, again and again.

use std::collections::HashSet;
use std::fs::DirEntry;
use std::io;
use std::path::{Path, PathBuf};

use tantivy::IndexMeta;

/// What belongs to every index, beside its segments.
const OF_ALL: [&str; 4] = ["meta.json", ".managed.json", ".tantivy-writer.lock", ".tantivy-meta.lock"];

/// Deletes every file that the last commit which held does not name. A merge of an earlier writer in this process may still
/// be at one of them: it writes on into a file without a name, and nothing of it is published, as its writer is gone. Searches
/// go on in the files that they have opened. What cannot be deleted is tried again at the next opening.
pub(super) fn tidy(folder: &Path, held: &IndexMeta) {
    let warn = |error: io::Error| {
        tracing::warn!(%error, "files that the search index does not need cannot be deleted");
    };
    let needed = held.list_segment_files();
    match std::fs::read_dir(folder) {
        Ok(files) => files
            .filter_map(|file| file.and_then(|file| remove_unless_needed(&file, &needed)).err())
            .for_each(warn),
        Err(error) => warn(error),
    }
}

fn remove_unless_needed(file: &DirEntry, needed: &HashSet<PathBuf>) -> io::Result<()> {
    let name = file.file_name();
    let is_needed =
        needed.contains(Path::new(&name)) || name.to_str().is_some_and(|name| OF_ALL.contains(&name));
    if is_needed || !file.file_type()?.is_file() { Ok(()) } else { std::fs::remove_file(file.path()) }
}
