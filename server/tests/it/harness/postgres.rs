//! A private PostgreSQL cluster: durable as in production (fsync on), reached through a socket in its own folder.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::{Ending, Process};

/// One cluster, gone with this value.
pub struct Postgres {
    // Dropped first, so that the server has ended before its folder goes.
    process: Process,
    folder: TempDir,
}

impl Postgres {
    /// Copies the template cluster and starts a server on it.
    pub async fn start() -> Self {
        let programs = programs();
        let template = template(&programs);
        let folder = open_folder();
        let data = folder.path().join("data");
        copy(&template, &data);

        let mut command = as_postgres(&programs.join("postgres"));
        command.arg("-D").arg(&data).arg("-k").arg(&data);
        for setting in ["listen_addresses=", "fsync=on", "synchronous_commit=on", "shared_buffers=32MB"] {
            command.args(["-c", setting]);
        }
        let mut process = Process::start("postgres", command, Ending::Quit);
        process.line_with("ready to accept connections").await;
        Self { process, folder }
    }

    /// The answer to a question, a line each row, asked beside everybody else.
    pub fn ask(&self, question: &str) -> Vec<String> {
        let mut command = Command::new(programs().join("psql"));
        command
            .arg("-h")
            .arg(self.folder.path().join("data"))
            .args(["-U", "confab", "-Atc", question, "postgres"]);
        let answer = command.output().expect("psql runs");
        assert!(answer.status.success(), "{question}: {}", String::from_utf8_lossy(&answer.stderr));
        String::from_utf8_lossy(&answer.stdout).lines().map(str::to_owned).collect()
    }

    /// What it logged so far.
    pub fn output(&self) -> String {
        self.process.output()
    }

    /// What `DATABASE_URL` is set to.
    pub fn url(&self) -> String {
        format!("postgres://confab@localhost/postgres?host={}/data", self.folder.path().display())
    }
}

/// The newest server programs that Debian's packages put beside each other.
fn programs() -> PathBuf {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, bin)| bin.join("postgres").exists())
        .collect();
    found.sort();
    let newest =
        found.pop().expect("PostgreSQL's server is missing: install the package postgresql (ops/install)");
    newest.1
}

/// A cluster made once per build folder: `initdb` takes a second, a copy takes a tenth.
fn template(programs: &Path) -> PathBuf {
    let major =
        programs.parent().and_then(Path::file_name).expect("…/postgresql/MAJOR/bin").to_string_lossy();
    let template = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("postgres-{major}"));
    if template.exists() {
        return template;
    }
    let folder = open_folder();
    let fresh = folder.path().join("data");
    let mut command = as_postgres(&programs.join("initdb"));
    command.arg("-D").arg(&fresh).args([
        "--auth=trust",
        "--username=confab",
        "--encoding=UTF8",
        "--locale=C",
    ]);
    command.args(["--no-sync", "--wal-segsize=4"]);
    let made = command.output().expect("initdb runs");
    assert!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));

    // Tests run in processes of their own, so several may come here at once: each makes one, the first to rename wins.
    let staged = template.with_extension(std::process::id().to_string());
    copy(&fresh, &staged);
    if fs::rename(&staged, &template).is_err() {
        let _ = fs::remove_dir_all(&staged);
    }
    template
}

/// A temporary folder that the user `postgres` may enter and write to.
fn open_folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("the folder is ours");
    folder
}

/// `cp -a` keeps owner and mode, which PostgreSQL checks.
fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp runs");
    assert!(done.success(), "cp -a {} {} failed", from.display(), to.display());
}

/// PostgreSQL refuses to run as root, so root steps down to the user that its package made.
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
