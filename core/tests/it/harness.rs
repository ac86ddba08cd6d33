//! A record of its own for each test, who is in it, and a way past core to look at its rows.

use std::path::Path;
use std::time::Duration;

use confab_core::channels::{self, NewChannel};
use confab_core::db::{self, Opened};
use confab_core::users::{self, NewUser};
use confab_core::{Db, FutureExt, Settings};
use confab_protocol::{ChannelId, ChannelKind, Timestamp, UserId};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};
use tempfile::TempDir;

/// What holds where nothing is set but the folder.
pub fn settings(folder: &Path) -> Settings {
    let flags = [("data_dir", folder.display().to_string())];
    Settings::read(&flags, None, folder, std::iter::empty()).expect("settings")
}

/// A new record, in a folder that goes with the test.
pub async fn record() -> (Db, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let db = db::open(&settings(folder.path()), Opened::Migrated).await.expect("a record");
    (db, folder)
}

/// The rows of a record, past everything that core does with them.
pub async fn rows(folder: &TempDir) -> SqliteConnection {
    let file = SqliteConnectOptions::new().filename(folder.path().join("confab.db"));
    file.connect().await.expect("a connection")
}

/// Waits until midnight (UTC) has passed, if that is less than a minute away: what counts in days starts on one that lasts.
pub async fn past_midnight() {
    const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
    let left = DAY_MS - Timestamp::now().0.rem_euclid(DAY_MS);
    if left < 60_000 {
        tokio::time::sleep(Duration::from_millis(left.unsigned_abs() + 100)).await;
    }
}

/// Somebody with an account.
pub async fn user(db: &Db, name: &str) -> UserId {
    let new = NewUser::check(name, Some(&format!("{name}@example.org")), None).expect("a user");
    db.write(|tx| async move { users::create(tx, new).await }.boxed()).await.expect("a user").id
}

/// A channel of somebody's.
pub async fn channel(db: &Db, owner: UserId, name: &str, kind: ChannelKind) -> ChannelId {
    let new = NewChannel::check(name, kind, None).expect("a channel");
    db.write(move |tx| async move { channels::create(tx, Some(owner), new).await }.boxed())
        .await
        .expect("a channel")
}

/// A record with ada in it.
pub async fn world() -> (Db, UserId, TempDir) {
    let (db, folder) = record().await;
    let ada = user(&db, "ada").await;
    (db, ada, folder)
}

/// A record with ada and an open channel of hers.
pub struct Place {
    pub db: Db,
    pub ada: UserId,
    pub room: ChannelId,
    _folder: TempDir,
}

impl Place {
    pub async fn open() -> Self {
        let (db, ada, folder) = world().await;
        let room = channel(&db, ada, "room", ChannelKind::Public).await;
        Self { db, ada, room, _folder: folder }
    }
}
