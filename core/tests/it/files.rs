//! What becomes of bytes: kept once for equal ones, and gone when nothing names them any more, whoever is faster.

use std::time::Duration;

use confab_core::files::objects::{self, Keys};
use confab_core::files::{self, Due, NewFile};
use confab_core::users;
use confab_core::{Db, Fault, FutureExt, uploads};
use confab_protocol::{File, FileId, UserId};

use crate::harness::{rows, user, world};

const SHA256: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

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

async fn due(db: &Db) -> Option<Due> {
    db.write(|tx| files::due_text(tx).boxed()).await.expect("a look")
}

async fn keep(db: &Db, due: Due, spent: Duration) {
    let text = "hello".to_owned();
    db.write(move |tx| async move { files::keep_text(tx, due, text, spent).await }.boxed())
        .await
        .expect("kept");
}

async fn words(db: &Db, file: &File) -> Option<String> {
    files::texts(&mut db.read(), &[file.id]).await.expect("texts").remove(&file.id)
}

#[tokio::test]
async fn words_come_with_a_turn_of_ones_own() {
    let (db, ada, _folder) = world().await;
    let bob = user(&db, "bob").await;
    promise(&db, "files/first").await;
    let first = create(&db, ada, Some("files/first")).await.expect("a file");
    let found = due(&db).await.expect("one is due");
    assert_eq!((found.id, found.key.as_str(), found.file_size), (first.id, "files/first", 5));
    assert!(due(&db).await.is_none(), "it is claimed");
    keep(&db, found, Duration::ZERO).await;
    assert_eq!(words(&db, &first).await.as_deref(), Some("hello"));
    assert!(due(&db).await.is_none());

    // Equal bytes of somebody else: nothing shows that they were read before.
    let second = create(&db, bob, None).await.expect("a file");
    assert_eq!(words(&db, &second).await, None, "the words were there before their turn");
    let found = due(&db).await.expect("it is read like any other");
    assert_eq!((found.id, found.user_id), (second.id, bob));
    keep(&db, found, Duration::ZERO).await;
    assert_eq!(words(&db, &second).await.as_deref(), Some("hello"));
    db.close().await;
}

#[tokio::test]
async fn a_store_that_is_away_counts_for_no_try() {
    let (db, ada, _folder) = world().await;
    promise(&db, "files/first").await;
    create(&db, ada, Some("files/first")).await.expect("a file");
    for _ in 0..5 {
        let found = due(&db).await.expect("it is tried again");
        let untried = Some(found.id);
        db.write(move |tx| files::give_back_turn(tx, ada, untried, Duration::ZERO).boxed())
            .await
            .expect("given back");
    }
    // Readers that died of it are another matter: three of them are enough.
    for _ in 0..3 {
        due(&db).await.expect("it is tried");
        db.write(move |tx| files::give_back_turn(tx, ada, None, Duration::ZERO).boxed())
            .await
            .expect("given back");
    }
    assert!(due(&db).await.is_none());
    db.close().await;
}

#[tokio::test]
async fn a_picture_that_is_not_shown_any_more_is_given_up() {
    let (db, ada, _folder) = world().await;
    let show = async |name: Option<&'static str>| {
        if let Some(name) = name {
            let keys = [files::pictures::key(name)];
            db.write(move |tx| async move { objects::promise(tx, &keys).await }.boxed())
                .await
                .expect("a promise");
        }
        db.write(move |tx| async move { users::set_picture(tx, ada, name).await }.boxed())
            .await
            .expect("shown")
    };
    assert_eq!(show(Some("aa11")).await.picture_url.as_deref(), Some("/api/v1/pictures/aa11"));
    assert!(sweep(&db).await.is_empty());
    show(Some("bb22")).await;
    assert_eq!(sweep(&db).await, ["pictures/aa/aa11"]);
    files_removed(&db).await;
    assert_eq!(show(None).await.picture_url, None);
    assert_eq!(sweep(&db).await, ["pictures/bb/bb22"]);
    let never =
        db.write(move |tx| async move { users::set_picture(tx, ada, Some("cc33")).await }.boxed()).await;
    assert!(matches!(never, Err(Fault::Conflict { code: objects::BYTES_GONE, .. })), "nothing was promised");
    db.close().await;
}

#[tokio::test]
async fn people_take_turns_and_have_so_much_in_an_hour() {
    let (db, ada, folder) = world().await;
    let bob = user(&db, "bob").await;
    promise(&db, "files/first").await;
    create(&db, ada, Some("files/first")).await.expect("a file");
    for by in [ada, ada, ada, bob, bob] {
        create(&db, by, None).await.expect("a file");
    }
    let gone = create(&db, bob, None).await.expect("a file");
    delete(&db, bob, gone.id).await;
    let mut order = Vec::new();
    while let Some(next) = due(&db).await {
        order.push(next.user_id);
        let beside = due(&db).await;
        assert!(beside.as_ref().is_none_or(|it| it.user_id != next.user_id), "two of one person at once");
        for (count, read) in [Some(next), beside].into_iter().flatten().enumerate() {
            order.extend((count > 0).then_some(read.user_id));
            keep(&db, read, Duration::from_millis(10)).await;
        }
    }
    assert_eq!(order, [ada, bob, ada, bob, ada, ada]);

    // Whoever used up their hour waits, and nobody else does.
    create(&db, ada, None).await.expect("a file");
    keep(&db, due(&db).await.expect("ada's"), files::READING_IN_AN_HOUR).await;
    create(&db, ada, None).await.expect("a file");
    assert!(due(&db).await.is_none(), "more than an hour's share");
    create(&db, bob, None).await.expect("a file");
    keep(&db, due(&db).await.expect("bob's"), Duration::ZERO).await;
    assert!(due(&db).await.is_none());
    let mut record = rows(&folder).await;
    let later = "update reading_turns set due_at = due_at - 3600000, hour_began_at = hour_began_at - 3600000";
    sqlx::query(later).execute(&mut record).await.expect("an hour goes by");
    assert_eq!(due(&db).await.expect("the next hour").user_id, ada);

    // A document at which three readers died is given up.
    for _ in 0..2 {
        sqlx::query("update reading_turns set due_at = 0").execute(&mut record).await.expect("a claim ends");
        assert!(due(&db).await.is_some());
    }
    sqlx::query("update reading_turns set due_at = 0").execute(&mut record).await.expect("a claim ends");
    assert!(due(&db).await.is_none(), "a fourth try");
    let waiting: i64 = sqlx::query_scalar("select count(*) from unread_files")
        .fetch_one(&mut record)
        .await
        .expect("a count");
    assert_eq!(waiting, 0);
    db.close().await;
}

#[tokio::test]
async fn an_upload_is_given_up_in_steps() {
    let (db, ada, folder) = world().await;
    let begin = |size: i64| {
        db.write(move |tx| {
            async move { uploads::begin(tx, ada, "a", size, None, (1_000, 1_000)).await }.boxed()
        })
    };
    let first = begin(1_000).await.expect("an upload").id;
    let mut record = rows(&folder).await;
    let parts = "with recursive n(i) as (select 0 union all select i + 1 from n where i < 249)
        insert into file_upload_parts (upload_id, number, key) select id, i, 'parts/' || i from n, file_uploads";
    sqlx::query(parts).execute(&mut record).await.expect("parts");
    assert!(begin(1).await.is_err(), "the quota is used up");
    db.write(move |tx| async move { uploads::delete(tx, ada, first).await }.boxed()).await.expect("deleted");
    assert!(matches!(uploads::find(&mut db.read(), ada, first).await, Err(Fault::NotFound(_))));
    assert!(begin(1_000).await.is_ok(), "it counts no more");
    let mut left = Vec::new();
    loop {
        let has_more = db.write(|tx| files::sweep(tx).boxed()).await.expect("a sweep");
        let count: i64 = sqlx::query_scalar("select count(*) from file_upload_parts")
            .fetch_one(&mut record)
            .await
            .expect("a count");
        left.push(count);
        if !has_more {
            break;
        }
    }
    assert_eq!(left, [150, 50, 0], "parts left after each step");
    let strays: i64 =
        sqlx::query_scalar("select count(*) from stray_keys").fetch_one(&mut record).await.expect("a count");
    assert_eq!(strays, 250, "bytes of parts that nobody removes");
    db.close().await;
}
