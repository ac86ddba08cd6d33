//! What a run is asked to be.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// The environment's name for the server's program, where no `--server` is given.
const SERVER: &str = "CONFAB_TORTURE_SERVER";

/// The two ways in which Confab runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// One server on SQLite.
    Embedded,
    /// Two servers and a worker on PostgreSQL and NATS.
    Scaled,
}

/// Where an embedded server keeps its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Disk {
    /// A small file system of its own (tmpfs in a mount namespace), which the run fills now and then.
    Small,
    /// A plain folder: never full, with the machine's own fsync.
    Folder,
}

/// Breaks everything under a running Confab and proves from outside that nothing was lost.
///
/// Prints one JSON line. Ends with 1 when something was lost, doubled, reordered, leaked or raised from the dead, and
/// with 2 when the run itself could not be done.
#[derive(Clone, Debug, Parser)]
#[command(name = "confab-torture", version)]
pub struct Arguments {
    /// Which Confab.
    #[arg(long, value_enum, default_value_t = Mode::Embedded)]
    pub mode: Mode,
    /// The number that decides every fault and every choice of the writers; one is drawn and printed when none is given.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Acknowledged messages after which the storm is over.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub messages: u64,
    /// How often a server is killed with signal 9; as many other faults come in between.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub kills: u32,
    /// The longest that writers write, in seconds; absent: until all messages are acknowledged.
    #[arg(long)]
    pub duration: Option<u64>,
    /// The program `confab`; otherwise the environment's CONFAB_TORTURE_SERVER.
    #[arg(long)]
    pub server: Option<PathBuf>,
    /// The program `confab-worker`; otherwise the one beside the server's.
    #[arg(long)]
    pub worker: Option<PathBuf>,
    /// The program `nats-server`; otherwise what ops/install put apart, or the first in PATH.
    #[arg(long)]
    pub nats: Option<PathBuf>,
    /// People who write, every fourth over a socket.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=512))]
    pub writers: u16,
    /// People who listen all the time.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub readers: u16,
    /// People who are brought into private channels and removed again, all the time.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub victims: u16,
    /// Revoked sessions to measure while no fault is on; with fewer a run is not clean.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub revocations: u32,
    /// What the 99th percentile of their sockets may live on; debug builds on a busy machine need more.
    #[arg(long, default_value_t = 1_000)]
    pub revoked_within_ms: u64,
    /// Where an embedded server keeps its record.
    #[arg(long, value_enum, default_value_t = Disk::Small)]
    pub disk: Disk,
    /// What is tortured, for the line: a commit.
    #[arg(long)]
    pub commit: Option<String>,
    /// A file to which the line is added, for a history of runs.
    #[arg(long)]
    pub save: Option<PathBuf>,
    /// Keep the folder of the run (journal, logs, record) also when all went well.
    #[arg(long)]
    pub keep: bool,
}

impl Arguments {
    /// The server's program.
    pub fn server(&self) -> crate::Result<PathBuf> {
        let given = self.server.clone().or_else(|| std::env::var_os(SERVER).map(PathBuf::from));
        given.ok_or_else(|| format!("name the program to torture: --server PATH or {SERVER}").into())
    }
}
