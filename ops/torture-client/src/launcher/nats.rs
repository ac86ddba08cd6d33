//! A private NATS server with JetStream, which can be restarted and robbed of its store.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use super::process::Process;
use crate::Result;
use crate::proxy::{Proxy, Target};

/// The server and the proxies that lead to it.
pub struct Nats {
    process: Process,
    program: PathBuf,
    folder: PathBuf,
    address: SocketAddr,
    proxies: std::sync::Mutex<Vec<Arc<Proxy>>>,
}

impl Nats {
    /// Starts a server with an empty store.
    pub async fn start(program: &Path, folder: &Path) -> Result<Self> {
        let (process, address) = launch(program, folder).await?;
        let (program, folder) = (program.to_owned(), folder.to_owned());
        Ok(Self { process, program, folder, address, proxies: std::sync::Mutex::default() })
    }

    /// A proxy for one who talks to it.
    pub async fn proxy(&self, whose: &str) -> Result<Arc<Proxy>> {
        let proxy = Arc::new(Proxy::open(format!("{whose} → NATS")).await?);
        proxy.lead(Some(Target::Tcp(self.address)));
        self.proxies().push(proxy.clone());
        Ok(proxy)
    }

    /// kill -9, the store gone if `wipe`, a while of nothing, and a new one.
    pub async fn restart(&mut self, wipe: bool, down: Duration) -> Result<()> {
        self.process.kill();
        self.proxies().iter().for_each(|proxy| proxy.lead(None));
        if wipe {
            fs::remove_dir_all(store(&self.folder))?;
        }
        tokio::time::sleep(down).await;
        (self.process, self.address) = launch(&self.program, &self.folder).await?;
        let target = Target::Tcp(self.address);
        self.proxies().iter().for_each(|proxy| proxy.lead(Some(target.clone())));
        Ok(())
    }

    fn proxies(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Proxy>>> {
        self.proxies.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn store(folder: &Path) -> PathBuf {
    folder.join("jetstream")
}

async fn launch(program: &Path, folder: &Path) -> Result<(Process, SocketAddr)> {
    let mut command = Command::new(program);
    command.args(["--addr", "127.0.0.1", "--port", "-1", "--jetstream", "--store_dir"]).arg(store(folder));
    let mut process = Process::start("nats", command, folder)?;
    let line = process.line_with("Listening for client connections on ").await?;
    process.line_with("Server is ready").await?;
    let address = line.rsplit(' ').next().unwrap_or_default().parse()?;
    Ok((process, address))
}
