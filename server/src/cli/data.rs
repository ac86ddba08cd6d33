//! `confab demo`, `confab import`, `confab export` and `confab reindex`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use confab_core::audit::Actor;
use confab_core::roles::Granted;
use confab_core::{Db, Fault, FutureExt, Result, Settings, cursors, users};
use confab_worker::index;

use super::{Common, open_record, say};
use crate::progress::Progress;
use crate::{demo, export, import};

#[derive(Args)]
pub struct Demo {
    /// People to invent
    #[arg(long, default_value_t = 20)]
    users: usize,
    /// Channels to make
    #[arg(long, default_value_t = 8)]
    channels: usize,
    /// Messages to write
    #[arg(long, default_value_t = 2_000)]
    messages: usize,
    /// The same seed gives the same people, channels and texts
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Subcommand)]
pub enum Import {
    /// A Slack export: the ZIP file as Slack made it
    Slack {
        /// The file
        zip: PathBuf,
        /// Read everything and report, but write nothing
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Args)]
pub struct Export {
    /// The archive to make
    zip: PathBuf,
    /// Whose: it holds what this account may read
    #[arg(long = "as", value_name = "USERNAME")]
    reader: String,
    /// Their private channels too
    #[arg(long)]
    private: bool,
}

pub async fn demo(args: Demo, common: &Common, settings: &Settings) -> Result<()> {
    let db = open_record(settings).await?;
    let progress = if common.json { Progress::hidden() } else { Progress::visible() };
    let storage = crate::storage::Storage::open(settings)?;
    let options = demo::Options {
        users: args.users,
        channels: args.channels,
        messages: args.messages,
        seed: args.seed,
        ..demo::Options::default()
    };
    let report = demo::run(&db, &storage, &options, &progress).await;
    db.close().await;
    let report = report?;
    say(common, &serde_json::to_value(&report).unwrap_or_default(), || report.to_string());
    Ok(())
}

pub async fn import(which: Import, common: &Common, settings: &Settings) -> Result<()> {
    let Import::Slack { zip, dry_run } = which;
    let db = open_record(settings).await?;
    let progress = if common.json { Progress::hidden() } else { Progress::visible() };
    let options = import::slack::Options { dry_run, closed_stay: false };
    let report = import::from_slack(&db, &Actor::operator(), &zip, options, &progress).await;
    db.close().await;
    let report = report?;
    say(common, &serde_json::to_value(&report).unwrap_or_default(), || report.to_string());
    Ok(())
}

pub async fn export(args: Export, common: &Common, settings: &Settings) -> Result<()> {
    let db = open_record(settings).await?;
    let progress = if common.json { Progress::hidden() } else { Progress::visible() };
    let done = export_as(&db, args, &progress).await;
    db.close().await;
    let report = done?;
    say(common, &serde_json::to_value(&report).unwrap_or_default(), || report.to_string());
    Ok(())
}

async fn export_as(db: &Db, args: Export, progress: &Progress) -> Result<export::Report> {
    let found = users::by_names(&mut db.read(), std::slice::from_ref(&args.reader)).await?;
    let (reader, _) = found.first().ok_or(Fault::NotFound("user"))?;
    let options = export::Options { private: args.private };
    export::run(db, &Actor::operator(), *reader, options, &args.zip, progress).await
}

/// Has the search index built anew: by the workers now, or, where no server runs beside this, at the next start.
pub async fn reindex(common: &Common, settings: &Settings) -> Result<()> {
    let db = open_record(settings).await?;
    let asked = db.write(|tx| async move { cursors::reindex(tx, &Granted::operator()).await }.boxed()).await;
    // The record is this process's own, so no server is using the index either. It goes at once, which also helps when
    // it is too damaged to be opened.
    let done =
        asked.and_then(|()| if settings.is_scaled() { Ok(()) } else { index::remove(&settings.data_dir) });
    db.close().await;
    done?;
    let when = if settings.is_scaled() { "now" } else { "at_start" };
    say(common, &serde_json::json!({ "reindex": when }), || {
        let text = if settings.is_scaled() {
            "every worker builds its search index anew; searches are answered meanwhile"
        } else {
            "the search index is deleted; the next start builds it anew"
        };
        text.into()
    });
    Ok(())
}
