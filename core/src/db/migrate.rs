//! Migrations: numbered, reversible, one text for both engines, compiled into the binary.

use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{ConnectOptions, Connection, PgConnection, SqliteConnection};
use uuid::Uuid;

use super::lock::DirectoryLock;
use super::relay::LEADER;
use super::{Engine, open};
use crate::config::Settings;
use crate::fault::{Fault, Result};

static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// How often a migration is tried where servers that run stand in its way: PostgreSQL ends one of two that wait for each other.
const TRIES: u32 = 5;
/// Before the second try; twice as long before each further one.
const PAUSE: Duration = Duration::from_millis(200);

/// One migration and whether this database has it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Migration {
    /// Its number.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// When it was applied, in the engine's own spelling; `None` when it is pending.
    pub applied_at: Option<String>,
    /// How long that took, in milliseconds.
    pub took_ms: Option<i64>,
}

/// A database opened for its migrations alone: whatever state they are in.
pub struct Target {
    on: Engine<SqliteConnection, PgConnection>,
    _lock: Option<DirectoryLock>,
}

impl Target {
    /// Opens the database that `settings` name, taking the folder's lock on SQLite.
    pub async fn open(settings: &Settings) -> Result<Self> {
        let url = settings.database_url();
        if let Some(path) = open::sqlite_path(&url) {
            let lock = open::lock_folder_of(path)?;
            let mut connection = open::sqlite_options(path)
                .connect()
                .await
                .map_err(|error| open::damaged_sqlite(path, error))?;
            open::check_sqlite(path, &mut connection).await?;
            return Ok(Self { on: Engine::Sqlite(connection), _lock: Some(lock) });
        }
        let connection = PgConnection::connect(&url).await.map_err(|error| {
            Fault::conflict("database_unreachable", format!("cannot reach PostgreSQL: {error}"))
        })?;
        Ok(Self { on: Engine::Postgres(connection), _lock: None })
    }

    /// All migrations, in order; those that this binary does not know have the name `(unknown)`.
    pub async fn status(&mut self) -> Result<Vec<Migration>> {
        let applied = self.applied().await?;
        let mut all: Vec<Migration> = known()
            .map(|(version, name)| {
                let found = applied.iter().find(|row| row.0 == version);
                Migration {
                    version,
                    name: name.to_owned(),
                    applied_at: found.map(|row| row.1.clone()),
                    took_ms: found.map(|row| row.2 / 1_000_000),
                }
            })
            .collect();
        for (version, at, took) in applied {
            if !all.iter().any(|migration| migration.version == version) {
                let name = "(unknown)".to_owned();
                all.push(Migration { version, name, applied_at: Some(at), took_ms: Some(took / 1_000_000) });
            }
        }
        Ok(all)
    }

    /// Applies what is pending. Answers the numbers of what was.
    pub async fn up(&mut self) -> Result<Vec<i64>> {
        let before: Vec<i64> = self.applied().await?.iter().map(|row| row.0).collect();
        self.patiently(None).await?;
        Ok(self
            .applied()
            .await?
            .iter()
            .map(|row| row.0)
            .filter(|version| !before.contains(version))
            .collect())
    }

    /// Takes back the newest `count` migrations, newest first. Answers their numbers.
    ///
    /// # Errors
    /// [`Fault::Conflict`] when fewer than `count` are applied.
    pub async fn down(&mut self, count: usize) -> Result<Vec<i64>> {
        let applied: Vec<i64> = self.applied().await?.iter().map(|row| row.0).collect();
        if count > applied.len() {
            return Err(Fault::conflict(
                "migrations",
                format!("only {} migrations are applied", applied.len()),
            ));
        }
        let (keep, undone) = applied.split_at(applied.len() - count);
        let target = keep.last().copied().unwrap_or(0);
        self.patiently(Some(target)).await?;
        Ok(undone.iter().rev().copied().collect())
    }

    /// Begins a new epoch of the log: positions that were given before it mean nothing any more. After a backup was brought back they
    /// would be given again, to other events, and whoever holds one would go on behind it and never hear what stands there now.
    ///
    /// # Errors
    /// [`Fault::Conflict`] when migrations are pending, no server ever began a log here, or one still runs: it would go on with
    /// the epoch that it began with.
    pub async fn begin_epoch(&mut self) -> Result<Uuid> {
        const BEGIN: &str = "update log_meta set epoch = $1 where id = 1";
        if self.status().await?.iter().any(|it| it.applied_at.is_none()) {
            return Err(Fault::conflict("migrations", "migrations are pending: run confab migrate up first"));
        }
        if let Engine::Postgres(connection) = &mut self.on {
            alone(connection).await?;
        }
        let epoch = Uuid::new_v4();
        let changed = match &mut self.on {
            Engine::Sqlite(it) => sqlx::query(BEGIN).bind(epoch).execute(it).await?.rows_affected(),
            Engine::Postgres(it) => sqlx::query(BEGIN).bind(epoch).execute(it).await?.rows_affected(),
        };
        if changed == 0 {
            return Err(Fault::conflict("no_log", "no server has begun a log in this record"));
        }
        Ok(epoch)
    }

    /// Applies all, or takes back what is newer than `target`. Each migration is a transaction: of one that failed nothing is
    /// left, and those before it stay.
    async fn patiently(&mut self, target: Option<i64>) -> Result<()> {
        let mut turn = 0;
        loop {
            let done = match target {
                None => up_on(self.borrow()).await,
                Some(target) => down_on(self.borrow(), target).await,
            };
            match done {
                Err(Fault::Busy) if turn + 1 < TRIES => tokio::time::sleep(PAUSE * 2_u32.pow(turn)).await,
                done => return done,
            }
            turn += 1;
        }
    }

    fn borrow(&mut self) -> Engine<&mut SqliteConnection, &mut PgConnection> {
        match &mut self.on {
            Engine::Sqlite(it) => Engine::Sqlite(it),
            Engine::Postgres(it) => Engine::Postgres(it),
        }
    }

    async fn applied(&mut self) -> Result<Vec<(i64, String, i64)>> {
        const APPLIED: &str =
            "select version, cast(installed_on as text), execution_time from _sqlx_migrations
            where success order by version";
        let exists: Option<String> = match &mut self.on {
            Engine::Sqlite(it) => {
                sqlx::query_scalar("select name from sqlite_master where name = '_sqlx_migrations'")
                    .fetch_optional(it)
                    .await?
            }
            Engine::Postgres(it) => {
                sqlx::query_scalar(
                    "select cast(tablename as text) from pg_tables where tablename = '_sqlx_migrations'",
                )
                .fetch_optional(it)
                .await?
            }
        };
        if exists.is_none() {
            return Ok(Vec::new());
        }
        Ok(match &mut self.on {
            Engine::Sqlite(it) => sqlx::query_as(APPLIED).fetch_all(it).await?,
            Engine::Postgres(it) => sqlx::query_as(APPLIED).fetch_all(it).await?,
        })
    }
}

/// Waits until no server leads the log. The folder's lock says the same of SQLite.
async fn alone(connection: &mut PgConnection) -> Result<()> {
    for turn in 0..TRIES {
        let lock = sqlx::query_scalar("select pg_try_advisory_lock($1)").bind(LEADER);
        if lock.fetch_one(&mut *connection).await? {
            return Ok(());
        }
        // Of a server that was stopped a moment ago the session may not have ended yet.
        tokio::time::sleep(PAUSE * 2_u32.pow(turn)).await;
    }
    Err(Fault::conflict(
        "record_in_use",
        "a server or worker still runs on this record: stop all of them first",
    ))
}

pub(super) async fn up_on(on: Engine<&mut SqliteConnection, &mut PgConnection>) -> Result<()> {
    match on {
        Engine::Sqlite(connection) => MIGRATOR.run(connection).await.map_err(fault),
        Engine::Postgres(connection) => MIGRATOR.run(connection).await.map_err(fault),
    }
}

async fn down_on(on: Engine<&mut SqliteConnection, &mut PgConnection>, target: i64) -> Result<()> {
    match on {
        Engine::Sqlite(connection) => MIGRATOR.undo(connection, target).await.map_err(fault),
        Engine::Postgres(connection) => MIGRATOR.undo(connection, target).await.map_err(fault),
    }
}

/// Refuses a database that lacks migrations or has some of a newer Confab.
pub(super) async fn require_current(on: &mut Engine<&mut SqliteConnection, &mut PgConnection>) -> Result<()> {
    let text = "select version from _sqlx_migrations where success order by version";
    let applied: Vec<i64> = match on {
        Engine::Sqlite(connection) => sqlx::query_scalar(text).fetch_all(&mut **connection).await,
        Engine::Postgres(connection) => sqlx::query_scalar(text).fetch_all(&mut **connection).await,
    }
    .unwrap_or_default();
    if let Some(newer) = applied.iter().find(|version| !known().any(|(known, _)| known == **version)) {
        return Err(newer_database(*newer));
    }
    let pending = known().filter(|(version, _)| !applied.contains(version)).count();
    if pending > 0 {
        return Err(Fault::conflict(
            "migrations_pending",
            format!(
                "{pending} migrations are not applied; run `confab migrate up` once, then start the servers"
            ),
        ));
    }
    Ok(())
}

fn known() -> impl Iterator<Item = (i64, &'static str)> {
    MIGRATOR
        .iter()
        .filter(|it| it.migration_type.is_up_migration())
        .map(|it| (it.version, it.description.as_ref()))
}

fn newer_database(version: i64) -> Fault {
    Fault::conflict(
        "database_newer",
        format!(
            "the database has migration {version} of a newer Confab; run that version, nothing was changed"
        ),
    )
}

fn fault(error: MigrateError) -> Fault {
    match error {
        MigrateError::VersionMissing(version) => newer_database(version),
        MigrateError::VersionMismatch(version) => Fault::conflict(
            "migration_changed",
            format!("migration {version} was applied with another text; this database is not of this Confab"),
        ),
        MigrateError::Dirty(version) => Fault::conflict(
            "migration_half_done",
            format!(
                "migration {version} was interrupted and cannot be repeated; restore the database from a backup"
            ),
        ),
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            let text = error.to_string();
            match Fault::from(error) {
                Fault::Internal(_) => {
                    Fault::conflict("migration_failed", format!("a migration failed: {text}"))
                }
                other => other,
            }
        }
        other => Fault::conflict("migration_failed", other.to_string()),
    }
}
