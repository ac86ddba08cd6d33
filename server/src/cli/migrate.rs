//! `confab migrate`.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use confab_core::db::migrate::{Migration, Target};
use confab_core::{Result, Settings};
use serde_json::json;

use super::{Common, refused, say};

#[derive(Subcommand)]
pub enum Migrate {
    /// Apply what is pending
    Up,
    /// Take back the newest, or the newest N
    Down {
        /// How many
        #[arg(default_value_t = 1)]
        count: usize,
    },
    /// Say that this record was brought back from a backup, with all servers and workers stopped: clients and the search index begin anew
    Restored,
    /// What is applied and what is pending
    Status,
    /// When each was applied and how long it took
    History,
    /// Write an empty pair of files
    New {
        /// A few words, such as add_topics
        name: String,
        /// Where the migrations are
        #[arg(long, default_value = "migrations")]
        folder: PathBuf,
    },
}

pub async fn run(migrate: Migrate, common: &Common, settings: &Settings) -> Result<()> {
    if let Migrate::New { name, folder } = &migrate {
        return new(common, name, folder);
    }
    if !settings.is_scaled() {
        crate::first_run::prepare_folder(&settings.data_dir)?;
    }
    let mut target = Target::open(settings).await?;
    match migrate {
        Migrate::Up => {
            let applied = target.up().await?;
            say(common, &json!({ "applied": applied }), || match applied.len() {
                0 => "nothing is pending".into(),
                _ => format!("applied: {applied:?}"),
            });
        }
        Migrate::Down { count } => {
            let undone = target.down(count).await?;
            say(common, &json!({ "undone": undone }), || format!("taken back: {undone:?}"));
        }
        Migrate::Restored => {
            let epoch = target.begin_epoch().await?;
            say(common, &json!({ "epoch": epoch }), || {
                "clients read anew, and the search index is built anew".into()
            });
        }
        Migrate::Status | Migrate::History => {
            let history = matches!(migrate, Migrate::History);
            let all: Vec<Migration> =
                target.status().await?.into_iter().filter(|it| !history || it.applied_at.is_some()).collect();
            say(common, &json!({ "items": all }), || {
                all.iter().map(|it| line(it, history)).collect::<Vec<_>>().join("\n")
            });
        }
        Migrate::New { .. } => {}
    }
    Ok(())
}

fn line(migration: &Migration, history: bool) -> String {
    let Migration { version, name, applied_at, took_ms } = migration;
    match applied_at {
        Some(at) if history => format!("{version:04} {name:<30} {at}  {} ms", took_ms.unwrap_or(0)),
        Some(_) => format!("{version:04} {name:<30} applied"),
        None => format!("{version:04} {name:<30} pending"),
    }
}

fn new(common: &Common, name: &str, folder: &Path) -> Result<()> {
    let is_word = !name.is_empty()
        && name.len() <= 60
        && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_');
    if !is_word {
        return Err(confab_core::Fault::invalid("name", "is letters, digits and _, such as add_topics"));
    }
    let listing = std::fs::read_dir(folder)
        .map_err(|error| refused("no_folder", format!("cannot read {}: {error}", folder.display())))?;
    let newest = listing
        .filter_map(std::result::Result::ok)
        .filter_map(|entry| {
            entry.file_name().to_string_lossy().split('_').next().and_then(|it| it.parse::<u32>().ok())
        })
        .max()
        .unwrap_or(0);
    let mut made = Vec::new();
    for (end, says) in
        [("up", "What this adds and why."), ("down", "Takes it back; says which data goes with it.")]
    {
        let path = folder.join(format!("{:04}_{name}.{end}.sql", newest + 1));
        std::fs::write(&path, format!("-- {says}\n"))
            .map_err(|error| refused("cannot_write", format!("{}: {error}", path.display())))?;
        made.push(path.display().to_string());
    }
    say(common, &json!({ "made": made }), || made.join("\n"));
    Ok(())
}
