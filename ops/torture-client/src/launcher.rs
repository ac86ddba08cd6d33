//! An installation of Confab that can be broken: real programs on private ports, a proxy between every two of them.

mod disk;
mod nats;
mod node;
mod postgres;
mod process;
mod programs;
mod tamper;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::Result;
use crate::arguments::{Arguments, Disk as Kind, Mode};
use crate::proxy::Proxy;
use disk::Disk;
use nats::Nats;
pub use node::Server;
use postgres::Postgres;
pub use postgres::Shutdown;
use process::{Process, plain};
use programs::Programs;
use tamper::Tamper;

/// The administrator of the installation.
pub const ADMIN: &str = "warden";
/// Their password.
pub const ADMIN_PASSWORD: &str = "a warden keeps many keys";

/// Room on a small disk for the programs' own needs, and for each message with its events, index and write-ahead log.
const DISK_BYTES: u64 = 256 << 20;
const DISK_BYTES_A_MESSAGE: u64 = 8 << 10;
/// By how much the second server's clock is ahead of the others'.
const AHEAD_SECONDS: i64 = 300;

/// A server that says nothing of itself for so long is asked again.
const TOLD_WITHIN: Duration = Duration::from_secs(2);
/// Somebody relays within this time, and every server says whether it does.
const LED_WITHIN: Duration = Duration::from_secs(30);

/// Everything that runs. Ends with this value: processes first, then their folders.
pub struct Installation {
    pub servers: Vec<Server>,
    pub worker: Option<Worker>,
    pub nats: Option<Nats>,
    pub postgres: Option<Postgres>,
    pub disk: Option<Disk>,
    /// Between servers and what they stand on.
    pub behind: Vec<Arc<Proxy>>,
    /// To the bus, for one of the run's own.
    pub aside: Option<Arc<Proxy>>,
    /// What the servers and the worker, in this order, are told by their system.
    pub tampers: Vec<Tamper>,
    folder: TempDir,
}

/// The worker and what it takes to start it again.
pub struct Worker {
    process: Process,
    program: PathBuf,
    data: PathBuf,
    settings: Vec<(String, String)>,
}

impl Installation {
    /// Starts what `arguments` ask for, in a new folder.
    pub async fn start(arguments: &Arguments) -> Result<Self> {
        let programs = Programs::find(arguments)?;
        let folder = tempfile::Builder::new().prefix("confab-torture-").tempdir()?;
        process::open_to_all(folder.path())?;
        match arguments.mode {
            Mode::Embedded => Self::embedded(&programs, folder, arguments).await,
            Mode::Scaled => Self::scaled(&programs, folder).await,
        }
    }

    async fn embedded(programs: &Programs, folder: TempDir, arguments: &Arguments) -> Result<Self> {
        let bytes = DISK_BYTES + DISK_BYTES_A_MESSAGE * arguments.messages;
        let disk = match arguments.disk {
            Kind::Small => Some(Disk::mount(folder.path(), bytes).await?),
            Kind::Folder => None,
        };
        let data = disk.as_ref().map_or_else(|| folder.path().join("data"), |disk| disk.path().join("data"));
        let inside = disk.as_ref().map(Disk::holder);
        let tamper = Tamper::with("server 1", &Tamper::compile(folder.path())?, 0)?;
        let mut settings = common();
        settings.extend(tamper.settings());
        let server =
            Server::start("server 1", &programs.server, folder.path(), data, inside, settings).await?;
        Ok(Self {
            servers: vec![server],
            worker: None,
            nats: None,
            postgres: None,
            disk,
            behind: Vec::new(),
            aside: None,
            tampers: vec![tamper],
            folder,
        })
    }

    async fn scaled(programs: &Programs, folder: TempDir) -> Result<Self> {
        let here = folder.path().to_owned();
        let postgres = Postgres::start(programs.postgres()?, &here).await?;
        let nats = Nats::start(programs.nats()?, &here).await?;
        let aside = Some(nats.proxy("noise").await?);
        let library = Tamper::compile(&here)?;
        let (mut behind, mut tampers, mut settings) = (Vec::new(), Vec::new(), Vec::new());
        for (name, ahead) in [("server 1", 0), ("server 2", AHEAD_SECONDS), ("worker", 0)] {
            let tamper = Tamper::with(name, &library, ahead)?;
            let database = postgres.proxy(name).await?;
            let bus = nats.proxy(name).await?;
            let files = format!("file://{}", here.join("shared").display());
            let mut all = common();
            all.extend([
                ("DATABASE_URL".to_owned(), format!("postgres://confab@{}/postgres", database.address())),
                ("NATS_URL".to_owned(), format!("nats://{}", bus.address())),
                ("CONFAB_FILES_URL".to_owned(), files),
            ]);
            all.extend(tamper.settings());
            settings.push(all);
            tampers.push(tamper);
            behind.extend([database, bus]);
        }
        let mut migrating = plain(&programs.server, &here, &settings[0]);
        migrating.args(["migrate", "up"]);
        Process::start("confab migrate up", migrating, &here)?.ended(Duration::from_mins(2)).await?;

        let (mut servers, mut settings) = (Vec::new(), settings.into_iter());
        // The second starts once the first has made the administrator and the shared keys.
        for name in ["server 1", "server 2"] {
            let data = here.join(name.replace(' ', "-"));
            let settings = settings.next().unwrap_or_default();
            servers.push(Server::start(name, &programs.server, &here, data, None, settings).await?);
        }
        let program = programs.worker()?.to_owned();
        let worker = Worker::start(program, here.join("worker"), settings.next().unwrap_or_default()).await?;
        Ok(Self {
            servers,
            worker: Some(worker),
            nats: Some(nats),
            postgres: Some(postgres),
            disk: None,
            behind,
            aside,
            tampers,
            folder,
        })
    }

    /// Where its processes write their logs, and the run its journal.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends everything and leaves the folder for whoever wants to look.
    pub fn keep(self) -> PathBuf {
        let Self { servers, worker, nats, postgres, disk, folder, .. } = self;
        drop((servers, worker, nats, postgres));
        if let Some(disk) = disk {
            disk.rescue(&folder.path().join("rescued"));
        }
        folder.keep()
    }

    /// Programs that ended though nobody ended them, and lines of panics in the logs of ours.
    pub fn crashes(&mut self) -> Vec<String> {
        let mut crashes: Vec<String> = self.servers.iter().flat_map(Server::fallen).cloned().collect();
        for process in self.ours() {
            if let Some(status) = process.exited() {
                crashes.push(format!("{} ended by itself with {status}", process.name()));
            }
            let lines = process.lines_of_all_with("panicked at");
            crashes.extend(lines.into_iter().map(|line| format!("{}: {line}", process.name())));
        }
        crashes
    }

    fn ours(&mut self) -> impl Iterator<Item = &mut Process> {
        let servers = self.servers.iter_mut().map(Server::process);
        servers.chain(self.worker.iter_mut().map(|worker| &mut worker.process))
    }

    /// Stops (or wakes) a server or, beyond them, the worker. Answers its name.
    pub fn signal(&mut self, at: usize, name: &str) -> String {
        let process = match self.servers.get_mut(at) {
            Some(server) => server.process(),
            None => match &mut self.worker {
                Some(worker) => &mut worker.process,
                None => return String::new(),
            },
        };
        process.signal(name);
        process.name().to_owned()
    }

    /// Which process gives the events their positions: the number of a server, or beyond them the worker, once no server says
    /// that it does and all of them say so.
    pub async fn relaying(&self) -> Result<usize> {
        let started = Instant::now();
        while started.elapsed() < LED_WITHIN {
            let mut others = 0;
            for (at, server) in self.servers.iter().enumerate() {
                match server.figure("confab_relay_leads").await.as_deref() {
                    Some("1") => return Ok(at),
                    Some("0") => others += 1,
                    _ => {}
                }
            }
            if others == self.servers.len() {
                return Ok(others);
            }
            tokio::time::sleep(TOLD_WITHIN / 10).await;
        }
        Err("no server says whether it relays".into())
    }

    /// What a process is told by its system: a server's, or beyond them the worker's.
    ///
    /// # Errors
    /// When the process has not loaded it: nothing of what is ordered would happen, and nobody would see that.
    pub fn tamper(&mut self, at: usize) -> Result<&Tamper> {
        let id = self.ours().nth(at).map(|process| process.id());
        let maps = id.and_then(|id| std::fs::read_to_string(format!("/proc/{id}/maps")).ok());
        let tamper = &self.tampers[at];
        if maps.is_some_and(|maps| maps.contains(tamper::LIBRARY)) {
            Ok(tamper)
        } else {
            Err(format!("{} did not load what tampers with its clock and its disk", tamper.name).into())
        }
    }

    /// Resident memory (KiB) and open files of the servers and the worker, the largest of each.
    pub fn size(&mut self) -> (u64, u64) {
        let sizes: Vec<(u64, u64)> = self.ours().map(|process| process.size()).collect();
        let largest = |of: fn(&(u64, u64)) -> u64| sizes.iter().map(of).max().unwrap_or(0);
        (largest(|it| it.0), largest(|it| it.1))
    }
}

impl Worker {
    async fn start(program: PathBuf, data: PathBuf, settings: Vec<(String, String)>) -> Result<Self> {
        let process = Self::launch(&program, &data, &settings)?;
        let mut worker = Self { process, program, data, settings };
        worker.is_ready().await?;
        Ok(worker)
    }

    fn launch(program: &Path, data: &Path, settings: &[(String, String)]) -> Result<Process> {
        let folder = data.parent().unwrap_or(data);
        let mut command = plain(program, folder, settings);
        command.env("CONFAB_DATA_DIR", data);
        Process::start("worker", command, folder)
    }

    async fn is_ready(&mut self) -> Result<()> {
        self.process.line_with("confab-worker is ready").await?;
        Ok(())
    }

    /// kill -9, a while of nothing, and a new one on the same data.
    pub async fn kill(&mut self, down: Duration) -> Result<()> {
        self.process.kill();
        tokio::time::sleep(down).await;
        self.process = Self::launch(&self.program, &self.data, &self.settings)?;
        self.is_ready().await
    }
}

/// What every server of ours is told. Limits are off, since the whole load comes from a handful of people.
fn common() -> Vec<(String, String)> {
    let settings = [
        ("CONFAB_RATE_LIMITS", "off"),
        ("CONFAB_REGISTRATION", "open"),
        ("CONFAB_ADMIN_USERNAME", ADMIN),
        ("CONFAB_ADMIN_EMAIL", "warden@example.org"),
        ("CONFAB_ADMIN_PASSWORD", ADMIN_PASSWORD),
    ];
    settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}
