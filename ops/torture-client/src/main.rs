//! Breaks everything under a running Confab and proves from outside that nothing was lost.
//!
//! [`launcher`] starts the real programs with a [`proxy`] between every two of them; [`writer`]s keep a [`journal`],
//! [`reader`]s write down what they hear, [`racer`], [`opener`] and [`revoker`] open and shut doors, [`noise`] makes the bus repeat
//! itself, [`chaos`] follows the [`schedule`] that one seed draws. When all is over, [`harvest`] asks for what is there and [`checker`] judges.

mod arguments;
mod board;
mod chaos;
mod checker;
mod clocks;
mod evidence;
mod findings;
mod harvest;
mod journal;
mod launcher;
mod noise;
mod opener;
mod people;
mod person;
mod progress;
mod proxy;
mod question;
mod racer;
mod reader;
mod report;
mod revoker;
mod rooms;
mod run;
mod schedule;
mod socket;
mod tried;
mod turnstile;
mod writer;

use std::process::ExitCode;

use clap::Parser;

/// What any step answers; every error ends the run.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A promise was broken.
const BROKEN: u8 = 1;
/// The run itself could not be done.
const NOT_DONE: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    match run::run(arguments::Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(BROKEN),
        Err(error) => {
            eprintln!("confab-torture: {error}");
            ExitCode::from(NOT_DONE)
        }
    }
}
