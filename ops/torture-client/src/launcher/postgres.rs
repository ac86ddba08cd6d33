//! A private PostgreSQL cluster, durable as in production, reached through a socket in its own folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::process::{Process, as_postgres, open_to_all};
use crate::Result;
use crate::proxy::{Proxy, Target};

/// How it is restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// Transactions are rolled back, the log is closed.
    Fast,
    /// As a crash: it recovers from its log.
    Immediate,
}

/// One cluster.
pub struct Postgres {
    process: Process,
    programs: PathBuf,
    folder: PathBuf,
}

impl Postgres {
    /// Makes a cluster and starts its server.
    pub async fn start(programs: &Path, folder: &Path) -> Result<Self> {
        let home = folder.join("postgres");
        std::fs::create_dir(&home)?;
        open_to_all(&home)?;
        let mut making = as_postgres(&programs.join("initdb"));
        making.arg("-D").arg(home.join("data"));
        making.args(["--auth=trust", "--username=confab", "--encoding=UTF8", "--locale=C", "--no-sync"]);
        Process::start("initdb", making, folder)?.ended(Duration::from_mins(2)).await?;
        let process = launch(programs, folder).await?;
        Ok(Self { process, programs: programs.to_owned(), folder: folder.to_owned() })
    }

    /// A proxy for one who talks to it.
    pub async fn proxy(&self, whose: &str) -> Result<Arc<Proxy>> {
        let proxy = Arc::new(Proxy::open(format!("{whose} → PostgreSQL")).await?);
        // The socket stays where it is through restarts.
        proxy.lead(Some(Target::Unix(self.folder.join("postgres/data/.s.PGSQL.5432"))));
        Ok(proxy)
    }

    /// Stops it, waits for a while and starts it again.
    pub async fn restart(&mut self, how: Shutdown, down: Duration) -> Result<()> {
        self.process.signal(if how == Shutdown::Fast { "-INT" } else { "-QUIT" });
        self.process.gone(Duration::from_secs(30)).await?;
        tokio::time::sleep(down).await;
        self.process = launch(&self.programs, &self.folder).await?;
        Ok(())
    }
}

async fn launch(programs: &Path, folder: &Path) -> Result<Process> {
    let data = folder.join("postgres/data");
    let mut command = as_postgres(&programs.join("postgres"));
    command.arg("-D").arg(&data).arg("-k").arg(&data);
    for setting in ["listen_addresses=", "fsync=on", "synchronous_commit=on", "max_connections=120"] {
        command.args(["-c", setting]);
    }
    let mut process = Process::start("postgres", command, folder)?.with_farewell("-QUIT");
    process.line_with("ready to accept connections").await?;
    Ok(process)
}
