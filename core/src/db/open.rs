//! Opening the record: which engine, with which promises, and what is said when it cannot be.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _, Executor, SqliteConnection};
use tokio::sync::watch;
use uuid::Uuid;

use super::lock::DirectoryLock;
use super::memory::Memory;
use super::readers::Readers;
use super::sqlite::{Connection, Options, STATEMENTS};
use super::writer::Writer;
use super::{Db, Engine, clock, migrate, run, silence};
use crate::config::Settings;
use crate::fault::{Fault, Result};

/// PostgreSQL connections of one process (docs/limits.md).
const POSTGRES_CONNECTIONS: u32 = 20;
/// How long a request waits for a connection (docs/limits.md); the crate's 30 s would pile up callers.
pub(super) const ACQUIRE: Duration = Duration::from_secs(3);
/// How long a connection is taken to live since it was used: a PostgreSQL server may be gone by then.
const TRUSTED: Duration = Duration::from_secs(1);
/// A server that stands still, or whose machine is gone, holds its locks no longer (docs/limits.md): PostgreSQL would wait
/// two hours for TCP to notice, and everybody else for the channel. Who waits for a lock gives up before its holder is
/// ended: else what the same server has in line would get the lock next, and hold it as long.
const LET_GO: &str = "set lock_timeout = '5s'; set idle_in_transaction_session_timeout = '10s'";
/// A session whose machine is gone ends within a minute, whatever it does: PostgreSQL counts it for two hours else, and one that it
/// is sending to keeps its locks for a quarter of one (docs/limits.md). Over a socket in the file system none of it means anything.
pub(super) const TELL_THE_DEAD: &str =
    "set tcp_user_timeout = 10000; set tcp_keepalives_idle = 30; set tcp_keepalives_interval = 5";
/// What is acknowledged is on the disk, whatever the server or the role was set to; stricter settings stay.
pub(super) const DURABLE: &str = "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'";
/// How long SQLite waits for a lock.
const BUSY: Duration = Duration::from_secs(5);
/// Up to this size a SQLite file is checked whole at start; a larger one is checked as it is read.
const CHECK_WHOLE_BYTES: u64 = 64 << 20;

/// What to do about migrations that are not applied yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// Apply them: embedded mode, and `confab migrate up`.
    Migrated,
    /// Refuse to start: several servers share the database, and one person decides when it changes.
    Current,
}

/// Opens the record that `settings` name.
///
/// # Errors
/// One sentence each for: a folder in use, a file that is damaged or of a newer Confab, a server that cannot be
/// reached, migrations that are missing.
pub async fn open(settings: &Settings, opened: Opened) -> Result<Db> {
    let url = settings.database_url();
    match sqlite_path(&url) {
        Some(path) => open_sqlite(path, opened).await,
        None => open_postgres(&url, opened).await,
    }
}

/// Opens the record for who only reads, beside a server that may be running: SQLite lets others read what one process writes, and
/// a reader hands out no positions, so the folder's lock is not asked for. In embedded mode nothing can be written by what this answers.
///
/// # Errors
/// Those of [`open`], but that of a folder in use; [`Fault::Conflict`] with code `no_database` where nothing ever ran.
pub async fn open_to_read(settings: &Settings) -> Result<Db> {
    let url = settings.database_url();
    match sqlite_path(&url) {
        Some(path) => read_sqlite(path).await,
        None => open_postgres(&url, Opened::Current).await,
    }
}

async fn read_sqlite(path: &Path) -> Result<Db> {
    if !path.exists() {
        let message = format!("there is no database at {}: no server ran here yet", path.display());
        return Err(Fault::conflict("no_database", message));
    }
    let damaged = |error: sqlx::Error| damaged_sqlite(path, error);
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(BUSY);
    let mut first = options.disable_statement_logging().connect().await.map_err(damaged)?;
    migrate::require_current(&mut Engine::Sqlite(&mut first)).await?;
    let readers = Readers::open(Options::new(path).read_only()).await.map_err(damaged)?;
    first.close().await.map_err(damaged)?;
    let mut db = Db {
        pools: Engine::Sqlite(Arc::new(readers)),
        writer: None,
        head: Arc::new(watch::Sender::new(0)),
        epoch: Uuid::nil(),
        recent: Arc::default(),
        lines: Arc::default(),
        write_count: Arc::default(),
        _lock: None,
    };
    let (epoch, last_pos) = log_meta(&db).await?;
    db.epoch = epoch;
    db.head.send_replace(last_pos);
    Ok(db)
}

async fn open_sqlite(path: &Path, opened: Opened) -> Result<Db> {
    let lock = lock_folder_of(path)?;
    let options = sqlite_options(path);
    let damaged = |error: sqlx::Error| damaged_sqlite(path, error);
    let mut first = options.connect().await.map_err(damaged)?;
    check_sqlite(path, &mut first).await?;
    match opened {
        Opened::Migrated => migrate::up_on(Engine::Sqlite(&mut first)).await?,
        Opened::Current => migrate::require_current(&mut Engine::Sqlite(&mut first)).await?,
    }
    let mut writer = Options::new(path).open().map_err(damaged)?;
    let readers = Readers::open(Options::new(path).read_only()).await.map_err(damaged)?;
    first.close().await.map_err(damaged)?;
    let head = Arc::new(watch::Sender::new(0));
    let mut db = Db {
        pools: Engine::Sqlite(Arc::new(readers)),
        writer: None,
        head,
        epoch: Uuid::nil(),
        recent: Arc::default(),
        lines: Arc::default(),
        write_count: Arc::default(),
        _lock: Some(Arc::new(lock)),
    };
    begin_log(&mut writer).await?;
    let (epoch, last_pos) = log_meta(&db).await?;
    db.epoch = epoch;
    db.head.send_replace(last_pos);
    let memory = Memory::watching(&mut writer)?;
    db.writer = Some(Writer::start(writer, last_pos, memory, db.head.clone(), db.recent.clone())?);
    Ok(db)
}

/// The database file of `url`, when it is SQLite.
pub(super) fn sqlite_path(url: &str) -> Option<&Path> {
    url.strip_prefix("sqlite:").map(|path| Path::new(path.strip_prefix("//").unwrap_or(path)))
}

pub(super) fn lock_folder_of(path: &Path) -> Result<DirectoryLock> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirectoryLock::take(folder)
}

pub(super) fn sqlite_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // NORMAL may roll back acknowledged messages when the power goes; FULL does not.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .pragma("temp_store", "memory")
        .disable_statement_logging()
}

/// SQLite below 3.51.3 can damage a WAL file that two connections use (sqlite.org, "WAL-reset bug").
pub(super) async fn check_sqlite(path: &Path, connection: &mut SqliteConnection) -> Result<()> {
    let version: String = sqlx::query_scalar("select sqlite_version()").fetch_one(&mut *connection).await?;
    let parts: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
    if parts.as_slice() < [3, 51, 3].as_slice() {
        return Err(Fault::invalid(
            "database",
            format!("SQLite {version} is too old: 3.51.3 or newer is needed"),
        ));
    }
    let size = std::fs::metadata(path).map_or(0, |file| file.len());
    if size <= CHECK_WHOLE_BYTES {
        let found: String = sqlx::query_scalar("pragma quick_check(1)")
            .fetch_one(&mut *connection)
            .await
            .map_err(|error| damaged_sqlite(path, error))?;
        if found != "ok" {
            return Err(damaged_text(path, &found));
        }
    }
    Ok(())
}

pub(super) fn damaged_sqlite(path: &Path, error: sqlx::Error) -> Fault {
    let code = error.as_database_error().and_then(|inside| inside.code().map(|code| code.to_string()));
    match code.as_deref() {
        Some("26" | "11") => damaged_text(path, &error.to_string()),
        Some("14") => Fault::invalid("database", format!("cannot open {}: {error}", path.display())),
        _ => error.into(),
    }
}

fn damaged_text(path: &Path, found: &str) -> Fault {
    Fault::conflict(
        "database_damaged",
        format!(
            "{} is damaged or no Confab database ({found}); nothing was changed, restore it from a backup",
            path.display()
        ),
    )
}

async fn open_postgres(url: &str, opened: Opened) -> Result<Db> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|error| Fault::invalid("DATABASE_URL", error.to_string()))?
        .application_name("confab")
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging();
    let at = format!("{}:{}", options.get_host(), options.get_port());
    let pool = PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(ACQUIRE)
        // Asking each time whether it lives doubles the ways to the server. One that has just been in use lives.
        .test_before_acquire(false)
        .before_acquire(|connection, about| {
            Box::pin(async move {
                if about.idle_for > TRUSTED { silence::is_awake(connection).await } else { Ok(true) }
            })
        })
        .after_connect(move |connection, _| {
            Box::pin(async move {
                // Migrating waits as long as it takes: for another who migrates, and for tables in use.
                if opened == Opened::Current {
                    connection.execute(LET_GO).await?;
                }
                connection.execute(TELL_THE_DEAD).await?;
                connection.execute(DURABLE).await?;
                Ok(())
            })
        })
        .connect_with(options)
        .await
        .map_err(|error| {
            tracing::debug!(%error, "connecting to PostgreSQL");
            Fault::conflict("database_unreachable", format!("cannot reach PostgreSQL at {at}: {error}"))
        })?;
    {
        let mut connection = pool.acquire().await?;
        let mut on = Engine::Postgres(&mut *connection);
        match opened {
            Opened::Migrated => migrate::up_on(on).await?,
            // Whoever migrates waits as long as it takes; whoever only looks hears that the record is silent.
            Opened::Current => {
                silence::bounded(async { Ok(migrate::require_current(&mut on).await) }).await??;
            }
        }
    }
    let head = Arc::new(watch::Sender::new(0));
    let mut db = Db {
        pools: Engine::Postgres(pool.clone()),
        writer: None,
        head,
        epoch: Uuid::nil(),
        recent: Arc::default(),
        lines: Arc::default(),
        write_count: Arc::default(),
        _lock: None,
    };
    silence::bounded(sqlx::query(BEGIN_LOG).bind(Uuid::new_v4()).execute(&pool)).await?;
    db.epoch = log_meta(&db).await?.0;
    clock::begin(&pool).await?;
    tokio::spawn(clock::follow(pool, Arc::downgrade(&db.head)));
    Ok(db)
}

const BEGIN_LOG: &str =
    "insert into log_meta (id, epoch, last_pos, published_pos) values (1, $1, 0, 0) on conflict do nothing";

async fn begin_log(connection: &mut Connection) -> Result<()> {
    sqlx::query(BEGIN_LOG).bind(Uuid::new_v4()).execute(connection).await?;
    Ok(())
}

async fn log_meta(db: &Db) -> Result<(Uuid, i64)> {
    let found: (Uuid, i64) =
        run!(&mut db.read(), sqlx::query_as("select epoch, last_pos from log_meta where id = 1"), fetch_one)?;
    Ok(found)
}
