//! The command line, run to its end.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

/// How our programs end when a server that they need does not answer.
pub const UNREACHABLE: i32 = 3;

/// What a finished command left.
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// Its standard output as JSON (`--json`).
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}\n{}", self.stdout, self.stderr))
    }

    /// Both outputs, for a look at what was said wherever it was said.
    pub fn said(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }
}

/// Where `confab` was built.
pub fn confab_program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_confab"))
}

/// Where `confab-worker` was built: beside `confab`.
pub fn worker_program() -> PathBuf {
    let program = confab_program().with_file_name("confab-worker");
    assert!(program.exists(), "confab-worker is missing: cargo build -p confab-worker (ops/test does)");
    program
}

/// A command with nothing of the developer's environment in it: a stray DATABASE_URL would be tested instead of ours,
/// and `folder` as the working folder keeps a `.env` or `confab.toml` of the developer out.
pub fn clean(program: &Path, folder: &Path, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(program);
    command.env_clear().current_dir(folder).env("HOME", folder);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.env("CONFAB_LOG", "info").env("RUST_BACKTRACE", "1").envs(settings.iter().copied());
    command
}

/// Runs `confab ARGUMENTS` in `folder`, and fails the test when it has not ended after two minutes.
pub async fn confab(folder: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Outcome {
    let mut command = clean(confab_program(), folder, settings);
    command.args(arguments).stdin(Stdio::null());
    let mut command = tokio::process::Command::from(command);
    command.kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_mins(2), command.output())
        .await
        .unwrap_or_else(|_| panic!("confab {arguments:?} did not end"))
        .expect("confab runs");
    Outcome {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Changes an embedded record behind its server's back, or looks into it: answers the first column of each row.
pub fn sqlite(database: &Path, statement: &str) -> String {
    let script = "import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as it:\n    for row in it.execute(sys.argv[2]): print(row[0])";
    let done = Command::new("python3").args(["-c", script]).arg(database).arg(statement).output();
    let done = done.expect("python3 is missing: install the package python3 (ops/install)");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}
