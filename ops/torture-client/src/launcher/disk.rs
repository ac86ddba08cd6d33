//! A small disk: a tmpfs in a mount namespace that a process of its own keeps, so that it outlives the servers killed on it.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::Process;
use crate::Result;

const MOUNT: &str = "mkdir -p \"$0\" && mount -t tmpfs -o size=\"$1\" tmpfs \"$0\" && echo the disk is there && exec sleep infinity";
/// Bytes of one write of the ballast.
const BLOCK: usize = 1 << 20;

/// The disk. Its contents go with this value.
pub struct Disk {
    holder: Process,
    path: PathBuf,
}

impl Disk {
    /// Mounts a disk of `bytes` at `disk` in `folder`, seen only by those who enter the holder's namespace.
    pub async fn mount(folder: &Path, bytes: u64) -> Result<Self> {
        let path = folder.join("disk");
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", MOUNT]);
        command.arg(&path).arg(bytes.to_string()).current_dir("/");
        let mut holder = Process::start("disk", command, folder)?;
        holder.line_with("the disk is there").await.map_err(|error| {
            format!("no disk can be mounted here ({error}); --disk folder does without, and is never full")
        })?;
        Ok(Self { holder, path })
    }

    /// Where it is, for those inside.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The process whose namespaces see it.
    pub fn holder(&self) -> u32 {
        self.holder.id()
    }

    /// Takes all the room that is left.
    pub fn fill(&self) -> Result<()> {
        let mut file = File::create(self.seen_from_outside().join("ballast"))?;
        let block = vec![0; BLOCK];
        // Large blocks first, then single pages: a server needs little to go on.
        while file.write_all(&block).is_ok() {}
        while file.write_all(&block[..4_096]).is_ok() {}
        Ok(())
    }

    /// Gives it back.
    pub fn free(&self) -> Result<()> {
        Ok(fs::remove_file(self.seen_from_outside().join("ballast"))?)
    }

    /// Copies what is on it to a folder, for a look after the run.
    pub fn rescue(self, to: &Path) {
        // Best effort: the findings have been told, this only helps whoever looks for their cause.
        let _ = Command::new("cp").arg("-r").arg(self.seen_from_outside()).arg(to).status();
    }

    fn seen_from_outside(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{}", self.holder.id(), self.path.display()))
    }
}
