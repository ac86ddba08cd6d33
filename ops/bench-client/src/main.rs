//! Starts a server on an empty folder and measures it from outside: durable posts, fan-out, history.

mod fan_out;
mod history;
mod person;
mod posts;
mod report;
mod server;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use report::Report;
use server::Server;

/// What any step answers; every error ends the run.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Measures a release build of Confab.
#[derive(Parser)]
struct Arguments {
    /// The program to measure.
    #[arg(long)]
    confab: PathBuf,
    /// How long each measurement lasts, in seconds.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Members that listen over WebSockets in the fan-out.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    members: u64,
    /// Messages per second in the fan-out, sent by the clock whether or not the server keeps up.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=2_000))]
    rate: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(report) => {
            report.print();
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("confab-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<Report> {
    let lasting = Duration::from_secs(arguments.seconds);
    let server = Server::start(&arguments.confab).await?;
    let mut report = Report::default();

    let people = person::register(&server.address, arguments.members.max(64) as usize).await?;
    let channel = people[0].create_channel("bench").await?;
    for person in &people[1..] {
        person.join(&channel).await?;
    }
    for posters in [1, 16, 64] {
        let measured = posts::measure(&people[..posters], &channel, lasting).await?;
        report.add(&format!("posts, {posters} at once"), "posts/s", measured);
    }
    let measured = history::measure(&people[..16], &channel, lasting).await?;
    report.add("history, 16 readers", "pages/s", measured);

    let square = people[0].create_channel("square").await?;
    let listeners = &people[..arguments.members as usize];
    for person in &listeners[1..] {
        person.join(&square).await?;
    }
    let measured = fan_out::measure(listeners, &square, arguments.rate, lasting).await?;
    report.add(&format!("fan-out to {} members", arguments.members), "deliveries/s", measured);
    Ok(report)
}
