//! The archive of an export, written entry by entry.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use confab_core::{Fault, Result};
use serde::Serialize;
use zip::ZipWriter;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;

use crate::storage::disk;

/// See the module.
pub(super) struct Archive {
    zip: ZipWriter<BufWriter<File>>,
    /// The folder and day whose list is open.
    open: Option<(String, String)>,
}

impl Archive {
    pub fn create(to: &Path) -> Result<Self> {
        let file = File::create(to).map_err(disk)?;
        Ok(Self { zip: ZipWriter::new(BufWriter::new(file)), open: None })
    }

    /// A file that holds one document.
    pub fn whole(&mut self, name: &str, document: &impl Serialize) -> Result<()> {
        self.close()?;
        self.begin(name)?;
        serde_json::to_writer(&mut self.zip, document).map_err(|error| disk(error.into()))
    }

    /// A message of a day. Days of a folder ascend: what says it is older, as imported messages do, stands with the day that is open, since
    /// an archive has each name once.
    pub fn message(&mut self, folder: &str, day: &str, message: &impl Serialize) -> Result<()> {
        let goes_on = self.open.as_ref().is_some_and(|(place, open)| place == folder && open.as_str() >= day);
        if goes_on {
            self.zip.write_all(b",\n").map_err(disk)?;
        } else {
            self.close()?;
            self.begin(&format!("{folder}/{day}.json"))?;
            self.zip.write_all(b"[").map_err(disk)?;
            self.open = Some((folder.to_owned(), day.to_owned()));
        }
        serde_json::to_writer(&mut self.zip, message).map_err(|error| disk(error.into()))
    }

    /// Writes the directory: without it nothing can be read.
    pub fn finish(mut self) -> Result<()> {
        self.close()?;
        let file = self.zip.finish().map_err(failed)?;
        file.into_inner().map_err(|error| disk(error.into_error()))?.sync_all().map_err(disk)
    }

    fn begin(&mut self, name: &str) -> Result<()> {
        self.zip.start_file(name, SimpleFileOptions::default()).map_err(failed)
    }

    fn close(&mut self) -> Result<()> {
        if self.open.take().is_some() {
            self.zip.write_all(b"]").map_err(disk)?;
        }
        Ok(())
    }
}

fn failed(error: ZipError) -> Fault {
    match error {
        ZipError::Io(error) => disk(error),
        other => Fault::internal(other),
    }
}
