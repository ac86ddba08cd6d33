//! The export's zip, read entry by entry. Nothing of it is ever written to disk, and no name in it is used as a path.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use confab_core::{Fault, Result};
use zip::ZipArchive;
use zip::result::ZipError;

/// Largest entry, unpacked. A zip bomb's entry says less than it holds, so the bytes are counted too.
const ENTRY_BYTES: u64 = 512 << 20;
/// Most that is unpacked in all, counted as it comes: thirty times the largest archive that is taken over HTTP, and text seldom packs
/// smaller. Else a small archive of many large entries would keep a server busy for days.
const ALL_BYTES: u64 = 60 << 30;
/// Most entries.
const ENTRIES: usize = 200_000;
/// Room made before the first byte is read: the declared size is not to be believed.
const FIRST_BYTES: u64 = 4 << 20;

/// A file in the zip.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    index: usize,
    /// As the zip calls it: for people, never for the file system.
    pub name: String,
}

/// See the module.
pub(super) struct Archive {
    // One handle: two conversations take turns at unpacking, and each parses and writes by itself.
    zip: Mutex<ZipArchive<BufReader<File>>>,
    /// How many bytes may still be unpacked.
    left: AtomicU64,
    lists: BTreeMap<String, Entry>,
    days: BTreeMap<String, Vec<Entry>>,
    /// Files that are neither a list nor a day: canvases, for example.
    pub other_entries: u64,
}

impl Archive {
    /// Opens an export.
    ///
    /// # Errors
    /// [`Fault::Invalid`] in `zip` for what cannot be read, is no zip, or is no export.
    pub fn open(path: &Path) -> Result<Self> {
        let file =
            File::open(path).map_err(|error| refuse(format!("cannot open {}: {error}", path.display())))?;
        let zip = ZipArchive::new(BufReader::new(file))
            .map_err(|error| refuse(format!("{} is damaged or no zip: {error}", path.display())))?;
        if zip.len() > ENTRIES {
            return Err(refuse(format!("holds {} files, at most {ENTRIES} are read", zip.len())));
        }
        if zip.has_duplicate_names() {
            return Err(refuse("holds two files of the same name, so it is unclear which one counts"));
        }
        let mut names = Vec::with_capacity(zip.len());
        for (index, name) in zip.file_names().enumerate() {
            let name = name.map_err(|error| refuse(format!("file {index} has no readable name: {error}")))?;
            names.push(Entry { index, name: name.into_owned() });
        }
        let archive = Self::sorted(zip, names);
        let has_places = ["channels.json", "groups.json", "dms.json", "mpims.json"]
            .iter()
            .any(|name| archive.lists.contains_key(*name));
        if !has_places
            || !(archive.lists.contains_key("users.json") || archive.lists.contains_key("org_users.json"))
        {
            return Err(refuse("is no Slack export: it holds no users.json or no list of channels"));
        }
        Ok(archive)
    }

    fn sorted(zip: ZipArchive<BufReader<File>>, names: Vec<Entry>) -> Self {
        let prefix = root_of(&names);
        let (mut lists, mut days, mut other_entries) = (BTreeMap::new(), BTreeMap::<_, Vec<Entry>>::new(), 0);
        for entry in names {
            let Some(inside) = entry.name.strip_prefix(&prefix).map(str::to_owned) else { continue };
            match inside.split_once('/') {
                None => {
                    lists.insert(inside, entry);
                }
                Some((folder, file)) if is_day(file) => {
                    days.entry(folder.to_owned()).or_default().push(entry);
                }
                Some((_, "")) => {}
                Some(_) => other_entries += 1,
            }
        }
        for days in days.values_mut() {
            days.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        }
        Self { zip: Mutex::new(zip), left: AtomicU64::new(ALL_BYTES), lists, days, other_entries }
    }

    /// A list beside the folders, such as `users.json`.
    pub fn list(&self, name: &str) -> Option<Entry> {
        self.lists.get(name).cloned()
    }

    /// The days of a conversation's folder, in order.
    pub fn days(&self, folder: &str) -> Vec<Entry> {
        self.days.get(folder).cloned().unwrap_or_default()
    }

    /// All folders that hold days.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.days.keys().map(String::as_str)
    }

    /// An entry's bytes.
    ///
    /// # Errors
    /// [`Fault::Invalid`] in `zip` that names the entry, for one that is damaged, encrypted or too large.
    pub fn bytes(&self, entry: &Entry) -> Result<Vec<u8>> {
        let mut zip = self.zip.lock().unwrap_or_else(PoisonError::into_inner);
        let damaged = |error: ZipError| damaged(entry, error);
        let file = zip.by_index(entry.index).map_err(damaged)?;
        if file.size() > ENTRY_BYTES {
            return Err(too_large(entry));
        }
        let mut bytes = Vec::with_capacity(file.size().min(FIRST_BYTES) as usize);
        file.take(ENTRY_BYTES + 1).read_to_end(&mut bytes).map_err(|error| damaged(ZipError::Io(error)))?;
        if bytes.len() as u64 > ENTRY_BYTES {
            return Err(too_large(entry));
        }
        self.count(bytes.len() as u64)?;
        Ok(bytes)
    }

    /// All of it may be read once more. What is too large is refused at the first look, before anything is written.
    pub fn read_again(&self) {
        self.left.store(ALL_BYTES, Ordering::Release);
    }

    fn count(&self, bytes: u64) -> Result<()> {
        let left =
            self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(bytes));
        left.map_err(|_| refuse(format!("unpacks to more than {} GiB in all", ALL_BYTES >> 30)))?;
        Ok(())
    }
}

fn refuse(message: impl Into<String>) -> Fault {
    Fault::invalid("zip", message.into())
}

/// An entry that cannot be read.
pub(super) fn damaged(entry: &Entry, error: impl std::fmt::Display) -> Fault {
    refuse(format!("{} is damaged: {error}", entry.name))
}

fn too_large(entry: &Entry) -> Fault {
    refuse(format!("{} unpacks to more than {} MiB", entry.name, ENTRY_BYTES >> 20))
}

/// Exports that someone packed again often lie in a folder of their own.
fn root_of(names: &[Entry]) -> String {
    names
        .iter()
        .filter(|entry| !entry.name.starts_with("__MACOSX/"))
        .filter_map(|entry| {
            let (folder, file) = entry.name.rsplit_once('/').map_or(("", entry.name.as_str()), |it| it);
            matches!(file, "users.json" | "org_users.json" | "channels.json").then_some(folder)
        })
        .min_by_key(|folder| folder.len())
        .filter(|folder| !folder.is_empty())
        .map_or_else(String::new, |folder| format!("{folder}/"))
}

/// `2004-12-25.json`.
fn is_day(file: &str) -> bool {
    let Some(day) = file.strip_suffix(".json") else { return false };
    day.len() == 10
        && day.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    #[test]
    fn an_archive_that_never_ends_is_given_up() {
        let mut packed = ZipWriter::new(Cursor::new(Vec::new()));
        for name in ["users.json", "channels.json"] {
            packed.start_file(name, SimpleFileOptions::default()).expect("an entry");
            packed.write_all(b"[]        ").expect("its bytes");
        }
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), packed.finish().expect("a zip").into_inner()).expect("bytes");
        let archive = Archive::open(file.path()).expect("an export");
        let users = archive.list("users.json").expect("a list");
        assert_eq!(archive.bytes(&users).expect("bytes").len(), 10);
        archive.left.store(19, Ordering::Release);
        assert_eq!(archive.bytes(&users).expect("as many as are left").len(), 10);
        let fault = archive.bytes(&users).expect_err("more than is left");
        assert!(fault.to_string().contains("60 GiB in all"), "{fault}");
    }
}
