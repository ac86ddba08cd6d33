//! A private PostgreSQL cluster from the system's packages: durable as in production, reached through a socket in its folder.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::process::Command;

use crate::Result;
use crate::process::Process;

/// One cluster, gone with this value.
pub struct Postgres {
    // Dropped first, so that the server has ended before its folder goes.
    _process: Process,
    folder: TempDir,
}

impl Postgres {
    /// Makes a cluster and starts a server on it.
    pub async fn start() -> Result<Self> {
        let programs = programs()?;
        let folder = tempfile::tempdir()?;
        // PostgreSQL refuses to run as root, and its own user must be able to enter.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777))?;
        let data = folder.path().join("data");
        let mut command = as_postgres(&programs.join("initdb"));
        command.arg("-D").arg(&data).args(["--auth=trust", "--username=confab", "--encoding=UTF8"]);
        let made = command.args(["--locale=C", "--no-sync"]).output().await?;
        if !made.status.success() {
            return Err(format!("initdb: {}", String::from_utf8_lossy(&made.stderr)).into());
        }
        let mut command = as_postgres(&programs.join("postgres"));
        command.arg("-D").arg(&data).arg("-k").arg(&data);
        for setting in ["listen_addresses=", "fsync=on", "synchronous_commit=on", "shared_buffers=128MB"] {
            command.args(["-c", setting]);
        }
        let (process, _) = Process::start("postgres", command, "ready to accept connections").await?;
        Ok(Self { _process: process, folder })
    }

    /// What `DATABASE_URL` is set to.
    pub fn url(&self) -> String {
        format!("postgres://confab@localhost/postgres?host={}/data", self.folder.path().display())
    }
}

/// The newest server programs that Debian's packages put beside each other.
fn programs() -> Result<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, bin)| bin.join("postgres").exists())
        .collect();
    found.sort();
    let newest = found.pop().ok_or("PostgreSQL's server is missing: ops/install installs it")?;
    Ok(newest.1)
}

fn as_postgres(program: &Path) -> Command {
    let root = fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
    if !root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
    command.current_dir("/");
    command
}
