//! A child process whose output goes to a file, and which never outlives the run.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::Result;

/// How long a program may take to say that it is ready; debug builds on a busy machine are slow.
const READY_WITHIN: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// One running child.
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    /// Where in the log this process began: a restarted one goes on in the same file.
    began_at: u64,
    /// The polite signal by which it takes its own children along; without one it is killed.
    farewell: Option<&'static str>,
}

impl Process {
    /// Starts `command`, writing to `NAME.log` in `folder`.
    pub fn start(name: &str, mut command: Command, folder: &Path) -> Result<Self> {
        let log = folder.join(format!("{}.log", name.replace(' ', "-")));
        let file = OpenOptions::new().create(true).append(true).open(&log)?;
        let began_at = file.metadata()?.len();
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().map_err(|error| format!("{name} did not start: {error}"))?;
        Ok(Self { name: name.to_owned(), child, log, began_at, farewell: None })
    }

    /// The same, for one that must be asked to end.
    pub fn with_farewell(mut self, signal: &'static str) -> Self {
        self.farewell = Some(signal);
        self
    }

    /// For people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line of this process that contains `words` and answers it.
    pub async fn line_with(&mut self, words: &str) -> Result<String> {
        let started = Instant::now();
        loop {
            let ended = self.exited();
            if let Some(line) = self.lines_with(words).into_iter().next() {
                return Ok(line);
            }
            if let Some(status) = ended {
                return Err(format!("{} ended with {status}:\n{}", self.name, self.said()).into());
            }
            if started.elapsed() > READY_WITHIN {
                return Err(format!("{} did not say {words:?} in {READY_WITHIN:?}", self.name).into());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until it has ended well.
    pub async fn ended(mut self, within: Duration) -> Result<()> {
        let status = self.gone(within).await?;
        if status.success() { Ok(()) } else { Err(format!("{} failed:\n{}", self.name, self.said()).into()) }
    }

    /// Waits until it has ended somehow.
    pub async fn gone(&mut self, within: Duration) -> Result<ExitStatus> {
        let started = Instant::now();
        while started.elapsed() < within {
            if let Some(status) = self.exited() {
                return Ok(status);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Err(format!("{} did not end within {within:?}", self.name).into())
    }

    /// All lines of this process so far that contain `words`.
    pub fn lines_with(&self, words: &str) -> Vec<String> {
        self.said().lines().filter(|line| line.contains(words)).map(str::to_owned).collect()
    }

    /// The same, with those of the processes that had its name before it.
    pub fn lines_of_all_with(&self, words: &str) -> Vec<String> {
        self.said_since(0).lines().filter(|line| line.contains(words)).map(str::to_owned).collect()
    }

    fn said(&self) -> String {
        self.said_since(self.began_at)
    }

    fn said_since(&self, place: u64) -> String {
        let mut said = Vec::new();
        if let Ok(mut file) = File::open(&self.log) {
            let _ = file.seek(SeekFrom::Start(place)).and_then(|_| file.read_to_end(&mut said));
        }
        String::from_utf8_lossy(&said).into_owned()
    }

    /// Its exit status, if it has ended.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Ends it as a power cut would end a process: no handler runs, nothing is flushed.
    pub fn kill(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends a signal such as `-STOP`.
    pub fn signal(&self, name: &str) {
        // This fails only when the process is gone.
        let _ = Command::new("kill").args([name, &self.child.id().to_string()]).status();
    }

    /// Resident memory in KiB, and how many files are open.
    pub fn size(&self) -> (u64, u64) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = resident.and_then(|it| it.split_whitespace().next()?.parse().ok()).unwrap_or(0);
        let files = fs::read_dir(format!("/proc/{}/fd", self.id())).map_or(0, |it| it.count() as u64);
        (resident, files)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let (Some(signal), None) = (self.farewell, self.exited()) {
            self.signal("-CONT");
            self.signal(signal);
            let started = Instant::now();
            while self.exited().is_none() && started.elapsed() < Duration::from_secs(10) {
                std::thread::sleep(LOOK_EVERY);
            }
        }
        self.kill();
    }
}

/// A command with nothing of the developer's environment in it: a stray DATABASE_URL would be tortured instead of ours.
pub fn plain(program: &Path, folder: &Path, settings: &[(String, String)]) -> Command {
    let mut command = Command::new(program);
    command.env_clear().current_dir(folder).env("HOME", folder);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.env("CONFAB_LOG", "info").env("RUST_BACKTRACE", "1");
    command.envs(settings.iter().map(|(name, value)| (name, value)));
    command
}

/// PostgreSQL refuses to run as root, so root steps down to the user that its package made.
pub fn as_postgres(program: &Path) -> Command {
    let is_root = fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
    if !is_root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
    command.current_dir("/");
    command
}

/// Lets the user `postgres` in.
pub fn open_to_all(folder: &Path) -> Result<()> {
    Ok(fs::set_permissions(folder, fs::Permissions::from_mode(0o777))?)
}
