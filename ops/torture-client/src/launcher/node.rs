//! One `confab serve`, the doors that lead to it, and what it takes to start it again.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use super::process::{Process, plain};
use crate::Result;
use crate::proxy::{Proxy, Target};

/// How long a server may take to go after it was asked to (docs/limits.md: requests may run 25 s).
const DRAINED_WITHIN: Duration = Duration::from_mins(1);

/// The ways in, each a proxy with weather of its own.
#[derive(Clone)]
pub struct Doors {
    /// For those who write.
    pub writers: Arc<Proxy>,
    /// For those who listen.
    pub readers: Arc<Proxy>,
    /// For whoever must know for certain what was done: its weather is always clear.
    pub control: Arc<Proxy>,
}

/// A server process.
pub struct Server {
    pub name: String,
    pub doors: Doors,
    process: Process,
    /// Processes before it that had ended when they were to be killed.
    fallen: Vec<String>,
    program: PathBuf,
    folder: PathBuf,
    data: PathBuf,
    /// A process whose mount namespace it lives in.
    inside: Option<u32>,
    settings: Vec<(String, String)>,
}

impl Server {
    /// Starts a server on `data` and waits until it listens.
    pub async fn start(
        name: &str,
        program: &Path,
        folder: &Path,
        data: PathBuf,
        inside: Option<u32>,
        settings: Vec<(String, String)>,
    ) -> Result<Self> {
        let doors = Doors {
            writers: Arc::new(Proxy::open(format!("writers → {name}")).await?),
            readers: Arc::new(Proxy::open(format!("readers → {name}")).await?),
            control: Arc::new(Proxy::open(format!("control → {name}")).await?),
        };
        let process = launch(name, program, folder, &data, inside, &settings)?;
        let (program, folder) = (program.to_owned(), folder.to_owned());
        let mut server = Self {
            name: name.to_owned(),
            doors,
            process,
            fallen: Vec::new(),
            program,
            folder,
            data,
            inside,
            settings,
        };
        server.open_doors().await?;
        Ok(server)
    }

    /// kill -9, a while of nothing, and a new process on the same data.
    pub async fn kill(&mut self, down: Duration) -> Result<()> {
        if let Some(status) = self.process.exited() {
            self.fallen.push(format!("{} ended by itself with {status}", self.name));
        }
        self.process.kill();
        self.start_again(down).await
    }

    /// The polite way: it sends its sockets elsewhere, ends by itself, and a new process takes its place.
    pub async fn drain(&mut self, down: Duration) -> Result<()> {
        self.process.signal("-TERM");
        let status = self.process.gone(DRAINED_WITHIN).await?;
        if !status.success() {
            return Err(format!("{} was asked to stop and ended with {status}", self.name).into());
        }
        self.start_again(down).await
    }

    /// What it says of itself at `/metrics` under this name.
    pub async fn figure(&self, name: &str) -> Option<String> {
        let url = format!("http://{}/metrics", self.doors.control.address());
        let answer = reqwest::Client::new().get(url).timeout(super::TOLD_WITHIN).send().await.ok()?;
        let text = answer.text().await.ok()?;
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).map(str::to_owned)
    }

    /// Those that ended though nobody had ended them yet.
    pub fn fallen(&self) -> &[String] {
        &self.fallen
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    async fn start_again(&mut self, down: Duration) -> Result<()> {
        self.lead(None);
        tokio::time::sleep(down).await;
        self.process =
            launch(&self.name, &self.program, &self.folder, &self.data, self.inside, &self.settings)?;
        self.open_doors().await
    }

    async fn open_doors(&mut self) -> Result<()> {
        let line = self.process.line_with("listening on http://").await?;
        let address = line.split("listening on http://").nth(1).and_then(|it| it.split_whitespace().next());
        let address: SocketAddr = address.unwrap_or_default().trim_end_matches('/').parse()?;
        self.lead(Some(&Target::Tcp(address)));
        Ok(())
    }

    fn lead(&self, target: Option<&Target>) {
        for door in [&self.doors.writers, &self.doors.readers, &self.doors.control] {
            door.lead(target.cloned());
        }
    }
}

fn launch(
    name: &str,
    program: &Path,
    folder: &Path,
    data: &Path,
    inside: Option<u32>,
    settings: &[(String, String)],
) -> Result<Process> {
    let mut command = plain(program, folder, settings);
    if let Some(holder) = inside {
        // It enters and becomes the server, so signals reach the server itself.
        let mut entering = plain(Path::new("nsenter"), folder, settings);
        entering.args(["--user", "--mount", "--preserve-credentials", "--target"]).arg(holder.to_string());
        entering.arg("--").arg(program);
        command = entering;
    }
    serve(&mut command, data);
    Process::start(name, command, folder)
}

/// Port 0: only the server knows which one it got, and no two runs can want the same.
fn serve(command: &mut Command, data: &Path) {
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data);
}
