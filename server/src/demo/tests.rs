//! The same seed, the same people and words; every row where the rules want it.

#![allow(clippy::expect_used)]

use confab_core::db::{self, Opened};
use confab_core::{Db, Fault, FutureExt as _, Settings, channels, passwords, users};
use confab_protocol::{Channel, UserId};

use super::{Options, PASSWORD, plan, run};
use crate::progress::Progress;
use crate::storage::Storage;

const SMALL: Options =
    Options { users: 8, channels: 6, messages: 400, seed: 7, can_sign_in: true, beside: None };

async fn ground() -> (tempfile::TempDir, Db, Storage) {
    let folder = tempfile::tempdir().expect("a folder");
    let flags = [("data_dir", folder.path().display().to_string())];
    let settings = Settings::read(&flags, None, folder.path(), std::iter::empty()).expect("settings");
    let db = db::open(&settings, Opened::Migrated).await.expect("a record");
    let storage = Storage::open(&settings).expect("a store");
    (folder, db, storage)
}

#[test]
fn one_seed_is_one_world() {
    let people = plan::people(&SMALL);
    let places = plan::places(&SMALL, &people);
    assert_eq!(
        (people.clone(), places.clone()),
        (plan::people(&SMALL), plan::places(&SMALL, &plan::people(&SMALL)))
    );
    for place in &places {
        let lines = plan::lines(place, &people);
        assert_eq!(lines, plan::lines(place, &people));
        assert_eq!(lines.len(), place.messages);
        assert!(lines.is_sorted_by(|one, other| one.at <= other.at));
        for (number, line) in lines.iter().enumerate() {
            assert!(!line.text.contains('{') || line.text.contains("```"), "an open mark: {}", line.text);
            assert!(line.answers.is_none_or(|root| root < number && lines[root].answers.is_none()));
            assert!(place.members.contains(&line.sender));
        }
    }
    assert_eq!(places.iter().map(|place| place.messages).sum::<usize>(), SMALL.messages);
    assert_ne!(plan::people(&Options { seed: 8, ..SMALL }), people);
}

#[tokio::test]
async fn the_plan_becomes_rows() {
    let (folder, db, storage) = ground().await;
    db.write(|tx| channels::create_defaults(tx).boxed()).await.expect("the first channels");
    let report = run(&db, &storage, &SMALL, &Progress::hidden()).await.expect("a demo");
    assert_eq!((report.users, report.bots, report.channels, report.messages), (8, 1, 6, 400), "{report}");
    assert!(
        report.direct_conversations > 0 && report.threads > 0 && report.reactions > 0 && report.files > 0
    );
    let known = users::credentials(&mut db.read(), &report.username).await.expect("a look").expect("someone");
    let tried = passwords::verify(PASSWORD.into(), known.password_hash).await.expect("an answer");
    assert!(known.is_active && tried == passwords::Tried::Right);
    let id = known.user_id;
    let mine: Vec<Channel> =
        channels::list(&mut db.read(), id, channels::Scope::Mine, None, 100).await.expect("channels");
    assert!(mine.iter().any(|channel| channel.name == "general"), "new people join what is everyone's");
    assert!(mine.iter().all(|channel| channel.unread_count.is_none_or(|count| count <= 6)));
    let all = channels::list(&mut db.read(), UserId::new(), channels::Scope::Readable, None, 100)
        .await
        .expect("all");
    assert!(all.iter().any(|channel| channel.name == "engineering" && channel.message_count > 0));
    let stored = std::fs::read_dir(folder.path().join("files")).expect("files").count();
    assert!(stored > 0);

    let again = run(&db, &storage, &SMALL, &Progress::hidden()).await;
    assert!(matches!(again, Err(Fault::Conflict { code: "demo_exists", .. })), "{again:?}");
    let other =
        run(&db, &storage, &Options { seed: 8, ..SMALL }, &Progress::hidden()).await.expect("another seed");
    assert_eq!(other.messages, 400);
}

#[tokio::test]
async fn too_much_is_refused() {
    let (_folder, db, storage) = ground().await;
    for (field, options) in [
        ("users", Options { users: 1, ..SMALL }),
        ("channels", Options { channels: 0, ..SMALL }),
        ("messages", Options { messages: 1_000_001, ..SMALL }),
    ] {
        match run(&db, &storage, &options, &Progress::hidden()).await {
            Err(Fault::Invalid { field: named, .. }) => assert_eq!(named, field),
            other => panic!("{other:?}"),
        }
    }
}
