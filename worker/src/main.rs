//! `confab-worker`: index, assistant and plugins as a process of their own, for servers that share a database and a bus.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use confab_core::db::{self, Opened};
use confab_core::{Bus, Result, Settings};
use confab_worker::startup;
use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// Index, assistant and plugins of a scaled Confab.
#[derive(Parser)]
#[command(name = "confab-worker", version)]
struct Arguments {
    /// Where the index is kept; each worker has a folder of its own.
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<String>,
    /// A settings file other than confab.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let flags: Vec<_> = arguments.data_dir.into_iter().map(|folder| ("data_dir", folder)).collect();
    let settings = match startup::read_settings(&flags, arguments.config.as_deref()) {
        Ok(settings) => settings,
        Err(fault) => return ended(&fault),
    };
    if !settings.is_scaled() {
        eprintln!(
            "confab-worker: without DATABASE_URL and NATS_URL `confab serve` does this work itself; nothing to do"
        );
        return ExitCode::from(startup::USAGE);
    }
    match run(&settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => ended(&fault),
    }
}

fn ended(fault: &confab_core::Fault) -> ExitCode {
    eprintln!("confab-worker: {fault}");
    ExitCode::from(startup::exit_code(fault))
}

async fn run(settings: &Settings) -> Result<()> {
    startup::start_logging(settings)?;
    let stop = startup::stop_on_signal()?;
    let db = db::open(settings, Opened::Current).await?;
    let bus = Bus::open(settings, &db, stop.clone()).await?;
    let worker = confab_worker::start(db.clone(), bus, settings, stop.clone()).await?;
    tracing::info!("confab-worker is ready");
    stop.cancelled().await;
    worker.finished().await;
    db.close().await;
    Ok(())
}
