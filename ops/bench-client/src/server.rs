//! The servers under measurement: Confab as people start it, Confab on PostgreSQL and NATS, and the floors.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::process::Command;

use crate::Result;
use crate::floor::Kind;
use crate::nats::Nats;
use crate::postgres::Postgres;
use crate::process::{Process, host_in};

/// Sockets of one person: a thousand people hold ten thousand.
pub const SOCKETS_A_PERSON: usize = 10;

/// Who administers it: name and password.
pub const WARDEN: (&str, &str) = ("warden", "a warden keeps many keys");

/// One running server with its folder; both end with this value.
pub struct Server {
    /// Such as `127.0.0.1:40123`.
    pub host: String,
    pub process: Process,
    start: Stopped,
}

/// A server that does not run: what it takes to start it on its data.
pub struct Stopped {
    program: PathBuf,
    settings: Vec<(&'static str, String)>,
    // Dropped last: processes first, then what they stand on.
    folder: TempDir,
    behind: Option<(Postgres, Nats)>,
}

impl Server {
    /// Starts Confab in an empty folder.
    pub async fn embedded(program: &Path) -> Result<Self> {
        Stopped::new(program, unlimited(), None)?.launch().await
    }

    /// Starts Confab as somebody does who has set nothing.
    pub async fn unconfigured(program: &Path) -> Result<Self> {
        Stopped::new(program, Vec::new(), None)?.launch().await
    }

    /// Starts one Confab on a new PostgreSQL and a new NATS.
    pub async fn scaled(program: &Path) -> Result<Self> {
        let (postgres, nats) = (Postgres::start().await?, Nats::start().await?);
        let mut settings = unlimited();
        settings.push(("DATABASE_URL", postgres.url()));
        settings.push(("NATS_URL", nats.url.clone()));
        let start = Stopped::new(program, settings, Some((postgres, nats)))?;
        let files = format!("file://{}", start.folder.path().join("files").display());
        let start = start.with("CONFAB_FILES_URL", files);
        let migrated = start.command(&["migrate", "up"]).output().await?;
        if !migrated.status.success() {
            let said = String::from_utf8_lossy(&migrated.stderr).into_owned();
            return Err(format!("confab migrate up: {said}").into());
        }
        start.launch().await
    }

    /// Starts a floor, which is this program again.
    pub async fn floor(kind: Kind) -> Result<Self> {
        let name = clap::ValueEnum::to_possible_value(&kind).map(|it| it.get_name().to_owned());
        let settings = vec![("CONFAB_BENCH_FLOOR", name.unwrap_or_default())];
        Stopped::new(&std::env::current_exe()?, settings, None)?.launch().await
    }

    /// Ends it as a service manager does. What it stored stays, and can be started on again.
    pub async fn stop(self) -> Result<Stopped> {
        self.process.stop().await?;
        Ok(self.start)
    }

    /// Where it keeps its data.
    pub fn folder(&self) -> &Path {
        self.start.folder.path()
    }

    /// The address of the PostgreSQL behind it.
    pub fn database_url(&self) -> Option<String> {
        self.start.behind.as_ref().map(|(postgres, _)| postgres.url())
    }
}

impl Stopped {
    /// Starts it and waits until it listens.
    pub async fn launch(self) -> Result<Server> {
        let command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        let name = self.program.display().to_string();
        let (process, line) = Process::start(&name, command, "listening on ").await?;
        Ok(Server { host: host_in(&line)?, process, start: self })
    }

    fn new(
        program: &Path,
        settings: Vec<(&'static str, String)>,
        behind: Option<(Postgres, Nats)>,
    ) -> Result<Self> {
        let program = program.to_owned();
        Ok(Self { program, settings, folder: tempfile::tempdir()?, behind })
    }

    /// With a setting; of two of a name the later one holds.
    pub fn with(mut self, name: &'static str, value: String) -> Self {
        self.settings.push((name, value));
        self
    }

    /// With nothing of the developer's environment in it: a stray DATABASE_URL would be measured instead.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.env_clear().current_dir(self.folder.path()).args(arguments);
        command.env("CONFAB_DATA_DIR", self.folder.path().join("data"));
        command.env("XDG_CACHE_HOME", self.folder.path().join("cache"));
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// Settings without the limits that would be measured instead of the server.
fn unlimited() -> Vec<(&'static str, String)> {
    [
        ("CONFAB_RATE_LIMITS", "off"),
        ("CONFAB_REGISTRATION", "open"),
        ("CONFAB_LOG", "warn"),
        ("CONFAB_ADMIN_USERNAME", WARDEN.0),
        ("CONFAB_ADMIN_EMAIL", "warden@example.org"),
        ("CONFAB_ADMIN_PASSWORD", WARDEN.1),
        ("MAX_TOTAL_WEBSOCKET_CONNECTIONS", "12000"),
    ]
    .into_iter()
    .map(|(name, value)| (name, value.to_owned()))
    .chain([("MAX_WEBSOCKET_CONNECTIONS_PER_USER", (SOCKETS_A_PERSON + 2).to_string())])
    .collect()
}
