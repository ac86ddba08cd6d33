//! The command line. Exit codes: 0 done, 1 failed, 2 usage or settings, 3 not reachable, 4 refused.

mod accounts;
mod audit;
mod data;
mod migrate;
mod plugin;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use confab_core::{Fault, Result, Settings};
use confab_worker::startup;

/// Team chat that remembers, answers and loses nothing.
#[derive(Parser)]
#[command(name = "confab", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    common: Common,
}

#[derive(Args, Clone)]
struct Common {
    /// Settings file instead of ./confab.toml
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Record, keys, index and files
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<String>,
    /// Where to listen; port 0 takes a free one
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// The address that people use
    #[arg(long, global = true, value_name = "URL")]
    public_url: Option<String>,
    /// One JSON document on standard output instead of text
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server (what happens without a command)
    Serve,
    /// Change or show the database's form
    #[command(subcommand)]
    Migrate(migrate::Migrate),
    /// Fill an empty server with invented people and messages
    Demo(data::Demo),
    /// Bring in data of another system
    #[command(subcommand)]
    Import(data::Import),
    /// Take channels away: a ZIP in the shape of a Slack export
    Export(data::Export),
    /// Build the search index anew: in embedded mode at the next start, with the server stopped
    Reindex,
    /// Accounts
    #[command(subcommand)]
    User(accounts::User),
    /// Personal and bot tokens
    #[command(subcommand)]
    Token(accounts::Token),
    /// Plugins
    #[command(subcommand)]
    Plugin(plugin::Plugin),
    /// The audit log
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Print the OpenAPI document
    Openapi,
    /// Show settings
    #[command(subcommand)]
    Config(Config),
    /// Print the version
    Version,
    /// Read a document from standard input and print its words: what the server starts for each upload
    #[command(hide = true)]
    ExtractText {
        /// Of the document, as the server found it
        file_type: String,
    },
}

#[derive(Subcommand)]
enum Config {
    /// Every setting, its value and where it came from
    Show,
    /// The manual: every setting with its default
    Manual,
    /// Check the settings and say what is wrong
    Check,
}

/// Parses, runs, and answers the exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    // Before any thread exists: this process takes memory and time from itself.
    if let Some(Command::ExtractText { file_type }) = &cli.command {
        return match crate::document::run(file_type) {
            Ok(()) => ExitCode::SUCCESS,
            Err(fault) => ExitCode::from(startup::exit_code(&fault)),
        };
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("confab: cannot start: {error}");
            return ExitCode::from(1);
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("confab: {fault}");
            ExitCode::from(startup::exit_code(&fault))
        }
    }
}

async fn run(cli: Cli) -> Result<()> {
    let common = cli.common;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Version => {
            let version = env!("CARGO_PKG_VERSION");
            say(&common, &serde_json::json!({ "name": "confab", "version": version }), || {
                format!("confab {version}")
            });
            Ok(())
        }
        // Done before the runtime was made.
        Command::ExtractText { .. } => Ok(()),
        Command::Openapi => {
            println!("{}", crate::api::document());
            Ok(())
        }
        Command::Config(Config::Manual) => {
            print!("{}", confab_core::config::MANUAL);
            Ok(())
        }
        Command::Config(which) => config(&common, &which),
        Command::Migrate(migrate) => migrate::run(migrate, &common, &settings(&common)?).await,
        Command::Demo(demo) => data::demo(demo, &common, &with_logs(&common)?).await,
        Command::Import(import) => data::import(import, &common, &with_logs(&common)?).await,
        Command::Export(export) => data::export(export, &common, &with_logs(&common)?).await,
        Command::Reindex => data::reindex(&common, &with_logs(&common)?).await,
        Command::User(user) => accounts::user(user, &common, &settings(&common)?).await,
        Command::Token(token) => accounts::token(token, &common, &settings(&common)?).await,
        Command::Plugin(which) => plugin::run(which, &common, &settings(&common)?).await,
        Command::Audit(audit) => audit::run(&audit, &common, &settings(&common)?).await,
        Command::Serve => {
            let settings = with_logs(&common)?;
            crate::run::serve(settings, startup::stop_on_signal()?).await
        }
    }
}

fn settings(common: &Common) -> Result<Settings> {
    let given =
        [("data_dir", &common.data_dir), ("listen", &common.listen), ("public_url", &common.public_url)];
    let flags: Vec<(&'static str, String)> =
        given.into_iter().filter_map(|(key, value)| value.clone().map(|value| (key, value))).collect();
    startup::read_settings(&flags, common.config.as_deref())
}

fn with_logs(common: &Common) -> Result<Settings> {
    let settings = settings(common)?;
    startup::start_logging(&settings)?;
    Ok(settings)
}

fn config(common: &Common, which: &Config) -> Result<()> {
    let settings = settings(common)?;
    if matches!(which, Config::Check) {
        say(common, &serde_json::json!({ "ok": true }), || "the settings are good".into());
        return Ok(());
    }
    let shown = settings.shown();
    let json: serde_json::Map<String, serde_json::Value> = shown
        .iter()
        .map(|(key, value, origin)| {
            ((*key).to_owned(), serde_json::json!({ "value": value, "origin": origin }))
        })
        .collect();
    say(common, &json.into(), || {
        shown
            .iter()
            .map(|(key, value, origin)| format!("{key:<18} {value:<40} {origin}"))
            .collect::<Vec<_>>()
            .join("\n")
    });
    Ok(())
}

fn say(common: &Common, json: &serde_json::Value, text: impl FnOnce() -> String) {
    println!("{}", worded(common, json, text));
}

fn worded(common: &Common, json: &serde_json::Value, text: impl FnOnce() -> String) -> String {
    if common.json { json.to_string() } else { text() }
}

/// Opens the record for a command that changes it. In embedded mode that is only possible while no server runs: the
/// folder belongs to one process.
async fn open_record(settings: &Settings) -> Result<confab_core::Db> {
    crate::first_run::prepare_folder(&settings.data_dir)?;
    let opened = if settings.is_scaled() {
        confab_core::db::Opened::Current
    } else {
        confab_core::db::Opened::Migrated
    };
    let db = confab_core::db::open(settings, opened).await?;
    db.write(|tx| confab_core::FutureExt::boxed(confab_core::channels::create_defaults(tx))).await?;
    db.write(|tx| confab_core::FutureExt::boxed(confab_core::roles::create_defaults(tx))).await?;
    Ok(db)
}

fn refused(code: &'static str, message: String) -> Fault {
    Fault::conflict(code, message)
}
