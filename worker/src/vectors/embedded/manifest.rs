//! Which files make up a store. It is put in its place whole, by a rename: every other file is either named in it or left
//! over from something that was not finished.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Raised when files of an older program cannot be read any more: the store is then made anew.
const FORMAT: u32 = 1;
const NAME: &str = "manifest";
const UNFINISHED: &str = "manifest.new";

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: u32,
    /// Whose vectors these are.
    model: String,
    /// What was noted with the last batch before the journal began.
    pub place: Option<String>,
    /// The journal's number.
    pub journal: u64,
    pub segments: Vec<Named>,
}

/// A segment, and which of its rows were gone when the manifest was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Named {
    pub number: u64,
    pub rows: usize,
    pub gone: Vec<u32>,
}

impl Manifest {
    pub fn new(model: &str) -> Self {
        Self { format: FORMAT, model: model.to_owned(), place: None, journal: 1, segments: Vec::new() }
    }

    /// `None`: there is no store.
    ///
    /// # Errors
    /// What is wrong with it, for the log.
    pub fn read(folder: &Path, model: &str) -> Result<Option<Self>, String> {
        let text = match std::fs::read_to_string(folder.join(NAME)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let (sum, body) = text.split_once('\n').ok_or("its manifest is damaged")?;
        if sum != checksum(body) {
            return Err("its manifest is damaged".into());
        }
        let manifest: Self = serde_json::from_str(body).map_err(|error| format!("its manifest: {error}"))?;
        if manifest.format != FORMAT {
            return Err("it was made by another version".into());
        }
        if manifest.model != model {
            return Err("it is of another model".into());
        }
        Ok(Some(manifest))
    }

    /// Puts it in its place, and waits until the disk has it.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let body = serde_json::to_string(self)?;
        let mut file = File::create(folder.join(UNFINISHED))?;
        file.write_all(format!("{}\n{body}", checksum(&body)).as_bytes())?;
        file.sync_all()?;
        std::fs::rename(folder.join(UNFINISHED), folder.join(NAME))?;
        // The rename itself, without which the old one may be there again after a loss of power.
        File::open(folder)?.sync_all()
    }

    /// Whether a file belongs to the store.
    pub fn names(&self, file: &str) -> bool {
        file == NAME
            || file == super::journal::file_name(self.journal)
            || self.segments.iter().any(|it| file == super::segment::file_name(it.number))
    }
}

fn checksum(body: &str) -> String {
    format!("{:08x}", crc32fast::hash(body.as_bytes()))
}
