//! `confab demo`, `confab import` and `confab reindex`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use confab_core::audit::{self, Action, Actor};
use confab_core::roles::Granted;
use confab_core::{FutureExt, Result, Settings, cursors};
use confab_worker::index;

use super::{Common, open_record, say};
use crate::progress::Progress;
use crate::{demo, import};

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

pub async fn demo(args: Demo, common: &Common, settings: &Settings) -> Result<()> {
    let db = open_record(settings).await?;
    let progress = if common.json { Progress::hidden() } else { Progress::visible() };
    let storage = crate::storage::Storage::open(settings)?;
    let options = demo::Options {
        users: args.users,
        channels: args.channels,
        messages: args.messages,
        seed: args.seed,
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
    let options = import::slack::Options { dry_run };
    let report = import::slack::run(&db, &zip, options, &progress).await;
    if report.is_ok() && !dry_run {
        let detail = serde_json::json!({ "from": "slack" });
        db.write(|tx| {
            async move { audit::note(tx, &Actor::operator(), Action::DataImported, None, detail).await }
                .boxed()
        })
        .await?;
    }
    db.close().await;
    let report = report?;
    say(common, &serde_json::to_value(&report).unwrap_or_default(), || report.to_string());
    Ok(())
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
