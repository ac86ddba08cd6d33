//! What the system tells one process, as far as the run may falsify it: the time of day, and whether the disk works.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

/// See its first lines. Orders are two numbers of eight bytes.
const SOURCE: &str = include_str!("tamper.c");
/// The name of what is made of it.
pub const LIBRARY: &str = "tamper.so";
const AHEAD_AT: u64 = 0;
const BROKEN_AT: u64 = 8;

/// One process' view of the world.
pub struct Tamper {
    /// For the report.
    pub name: String,
    /// Seconds ahead of the machine's clock at which its own stands when nobody turned it.
    pub home: i64,
    orders: File,
    path: PathBuf,
    library: PathBuf,
}

impl Tamper {
    /// Makes what a program has to load, once for a run.
    pub fn compile(folder: &Path) -> Result<PathBuf> {
        let (source, library) = (folder.join("tamper.c"), folder.join(LIBRARY));
        std::fs::write(&source, SOURCE)?;
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O2", "-o"]).arg(&library).arg(&source);
        let made = compiler
            .output()
            .map_err(|error| format!("cc is missing ({error}): install build-essential (ops/install)"))?;
        if made.status.success() {
            Ok(library)
        } else {
            Err(format!("cc: {}", String::from_utf8_lossy(&made.stderr)).into())
        }
    }

    /// For a process whose clock is `home` seconds ahead.
    pub fn with(name: &str, library: &Path, home: i64) -> Result<Self> {
        let path = library.with_file_name(format!("{}.orders", name.replace(' ', "-")));
        let orders = File::create_new(&path)?;
        let tamper = Self { name: name.to_owned(), home, orders, path, library: library.to_owned() };
        tamper.turn_clock(0)?;
        tamper.break_disk(false)?;
        Ok(tamper)
    }

    /// What a program has to be started with.
    pub fn settings(&self) -> [(String, String); 2] {
        let text = |path: &Path| path.display().to_string();
        [("LD_PRELOAD".to_owned(), text(&self.library)), ("TORTURE_ORDERS".to_owned(), text(&self.path))]
    }

    /// Puts its clock so many seconds ahead of where it stands otherwise, from one moment to the next.
    pub fn turn_clock(&self, seconds: i64) -> Result<()> {
        self.order(AHEAD_AT, self.home + seconds)
    }

    /// Has what it writes to files, and what it wants on the disk, fail with EIO; or no more.
    pub fn break_disk(&self, is_broken: bool) -> Result<()> {
        self.order(BROKEN_AT, is_broken.into())
    }

    fn order(&self, at: u64, number: i64) -> Result<()> {
        Ok(self.orders.write_all_at(&number.to_ne_bytes(), at)?)
    }
}
