//! What becomes of bytes: kept once for equal ones, and gone when nothing names them any more, whoever is faster.
#![allow(clippy::expect_used, missing_docs)]

use confab_core::db::{self, Opened};
use confab_core::files::objects::{self, Keys};
use confab_core::files::{self, NewFile};
use confab_core::users::{self, NewUser};
use confab_core::{Db, Fault, FutureExt, Settings};
use confab_protocol::{File, FileId, UserId};

const SHA256: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

async fn world() -> (Db, UserId, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let flags = [("data_dir", folder.path().display().to_string())];
    let settings = Settings::read(&flags, None, folder.path(), std::iter::empty()).expect("settings");
    let db = db::open(&settings, Opened::Migrated).await.expect("a record");
    let ada = NewUser::check("ada", Some("ada@example.org"), None).expect("a user");
    let ada = db.write(|tx| async move { users::create(tx, ada).await }.boxed()).await.expect("ada").id;
    (db, ada, folder)
}

async fn promise(db: &Db, key: &'static str) {
    let keys = [key.to_owned()];
    db.write(move |tx| async move { objects::promise(tx, &keys).await }.boxed()).await.expect("a promise");
}

async fn create(db: &Db, by: UserId, key: Option<&str>) -> Result<File, Fault> {
    let file = NewFile {
        filename: "hello.txt".into(),
        file_type: "text/plain".into(),
        file_size: 5,
        sha256: SHA256.into(),
        measures: None,
        keys: key.map(|key| Keys { key: key.to_owned(), thumbnail: None }),
        has_text: true,
    };
    db.write(move |tx| async move { files::create(tx, by, file, 1_000).await }.boxed()).await
}

async fn delete(db: &Db, by: UserId, id: FileId) {
    db.write(move |tx| async move { files::delete(tx, by, id).await }.boxed()).await.expect("deleted");
}

async fn sweep(db: &Db) -> Vec<String> {
    db.write(|tx| files::sweep(tx).boxed()).await.expect("a sweep");
    files::strays(&mut db.read()).await.expect("strays")
}

fn is_bytes_gone(result: &Result<File, Fault>) -> bool {
    matches!(result, Err(Fault::Conflict { code: objects::BYTES_GONE, .. }))
}

#[tokio::test]
async fn bytes_live_as_long_as_a_file_names_them() {
    let (db, ada, _folder) = world().await;
    assert!(is_bytes_gone(&create(&db, ada, None).await), "nothing was put");
    assert!(is_bytes_gone(&create(&db, ada, Some("files/never")).await), "nothing was promised");
    promise(&db, "files/first").await;
    let first = create(&db, ada, Some("files/first")).await.expect("a file");
    // Another server put the same bytes meanwhile: its own are given up.
    promise(&db, "files/second").await;
    let second = create(&db, ada, Some("files/second")).await.expect("a file");
    assert_eq!(sweep(&db).await, ["files/second"]);
    files_removed(&db).await;
    delete(&db, ada, first.id).await;
    assert!(sweep(&db).await.is_empty(), "the second file still names them");
    delete(&db, ada, second.id).await;
    assert_eq!(sweep(&db).await, ["files/first"]);
    assert_eq!(objects::known(&mut db.read(), SHA256).await.expect("a look"), None);
    assert!(is_bytes_gone(&create(&db, ada, None).await), "they must be put again");
    promise(&db, "files/third").await;
    create(&db, ada, Some("files/third")).await.expect("a file");
    assert_eq!(sweep(&db).await, ["files/first"], "the new bytes are not among those to be removed");
    db.close().await;
}

async fn files_removed(db: &Db) {
    let strays = files::strays(&mut db.read()).await.expect("strays");
    db.write(move |tx| async move { files::removed(tx, &strays).await }.boxed()).await.expect("forgotten");
}

#[tokio::test]
async fn texts_are_due_once_and_given_up_after_three_readers() {
    let (db, ada, _folder) = world().await;
    promise(&db, "files/first").await;
    create(&db, ada, Some("files/first")).await.expect("a file");
    let due = || db.write(|tx| files::due_text(tx).boxed());
    let first = due().await.expect("a look").expect("one is due");
    assert_eq!((first.key.as_str(), first.file_size), ("files/first", 5));
    assert!(due().await.expect("a look").is_none(), "it is claimed");
    db.write(|tx| files::keep_text(tx, SHA256.into(), "hello".into()).boxed()).await.expect("kept");
    let texts = files::texts(&mut db.read(), &[SHA256]).await.expect("texts");
    assert_eq!(texts.get(SHA256).map(String::as_str), Some("hello"));
    assert!(due().await.expect("a look").is_none());
    db.close().await;
}
