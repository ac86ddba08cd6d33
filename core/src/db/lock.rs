//! The lock on a data folder. SQLite's own locks let two processes write in turn; two servers on one folder would
//! still corrupt the index and hand out positions twice, so the folder belongs to one process at a time.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::fault::{Fault, Result};

/// Held until dropped, or until the process ends in whatever way.
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the lock of `folder`.
    ///
    /// # Errors
    /// [`Fault::Conflict`] with code `folder_in_use` when another process holds it.
    pub fn take(folder: &Path) -> Result<Self> {
        let path = folder.join("confab.lock");
        let mut file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path).map_err(
                |error| Fault::invalid("data_dir", format!("cannot open {}: {error}", path.display())),
            )?;
        if file.try_lock().is_err() {
            let mut holder = String::new();
            let _ = file.read_to_string(&mut holder);
            let holder = holder.trim();
            let by = if holder.is_empty() { String::new() } else { format!(" (process {holder})") };
            return Err(Fault::conflict(
                "folder_in_use",
                format!(
                    "the data folder {} is in use by another confab{by}; stop it first",
                    folder.display()
                ),
            ));
        }
        // Best effort: the number only helps the person who reads the message above.
        let _ = file.set_len(0);
        let _ = file.seek(SeekFrom::Start(0));
        let _ = write!(file, "{}", std::process::id());
        Ok(Self { _file: file })
    }
}
