//! Measures a release build of Confab from outside, beside floors that run in the same minutes on the same cores.

// Nothing of Confab's is in it, its clock neither: a floor's ids are compared by nobody.
#![allow(clippy::disallowed_methods)]

mod audience;
mod corpus;
mod floor;
mod http;
mod latencies;
mod nats;
mod open_loop;
mod person;
mod poster;
mod postgres;
mod process;
mod report;
mod scenario;
mod server;
mod socket;
mod stage;
mod text;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Parser, ValueEnum};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use floor::Kind;
use scenario::Scenario;
use stage::Stage;

/// Whatever went wrong; every error ends the run.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
/// What any step answers.
pub type Result<T> = std::result::Result<T, Error>;

/// Measures a release build of Confab.
#[derive(Parser)]
struct Arguments {
    /// The program to measure.
    #[arg(long)]
    confab: PathBuf,
    /// What to measure; everything when nothing is named.
    scenarios: Vec<Scenario>,
    /// A few seconds for each: to see that it works, not to believe the figures.
    #[arg(long)]
    quick: bool,
    /// Figures at a fixed load are measured so many times, and the one in the middle counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=20))]
    rounds: u64,
    /// Appends the JSON lines to this file.
    #[arg(long)]
    save: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    // A floor is this program again; its name comes by the environment, as Confab's settings do.
    let done = if let Ok(name) = std::env::var("CONFAB_BENCH_FLOOR") {
        serve_floor(&name).await
    } else {
        // Ended from outside, it ends its servers first: they would stay behind.
        tokio::select! {
            done = measure(Arguments::parse()) => done,
            ended = ended() => ended,
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("confab-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Waits for the signal of a terminal or of a service manager.
async fn ended() -> Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminated.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Err("ended before it was done".into())
}

async fn serve_floor(name: &str) -> Result<()> {
    let kind = Kind::from_str(name, false)?;
    let folder = std::env::var("CONFAB_DATA_DIR")?;
    std::fs::create_dir_all(&folder)?;
    floor::serve(kind, Path::new(&folder)).await
}

async fn measure(arguments: Arguments) -> Result<()> {
    let run = conditions(arguments.quick)?;
    // Servers run in folders of their own, where a relative path means nothing.
    let confab = arguments.confab.canonicalize()?;
    let mut stage = Stage::new(confab, arguments.quick, arguments.rounds);
    let wanted =
        if arguments.scenarios.is_empty() { Scenario::value_variants() } else { &arguments.scenarios };
    let mut failed = Ok(());
    for scenario in wanted {
        eprintln!("-- {}", scenario.name());
        failed = scenario.measure(&mut stage).await;
        if failed.is_err() {
            break;
        }
    }
    // What was measured before a failure is printed all the same.
    stage.report.print(&run, arguments.save.as_deref())?;
    failed
}

/// When, and how busy the machine was before: figures of a busy machine are worth little.
fn conditions(quick: bool) -> Result<Value> {
    let load = std::fs::read_to_string("/proc/loadavg")?;
    let load: Vec<f64> = load.split(' ').take(3).filter_map(|it| it.parse().ok()).collect();
    let cores = std::thread::available_parallelism()?.get();
    let at = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    Ok(
        json!({ "at": at, "version": env!("CARGO_PKG_VERSION"), "cores": cores, "load_before": load, "quick": quick }),
    )
}
