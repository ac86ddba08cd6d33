//! Reactions of plugins in the record: how long their pictures lie there, and what a day's limit means.

use confab_core::messages::{self, Draft};
use confab_core::plugins::{self, NewPlugin, parts};
use confab_core::reactions::{self, OfPlugin};
use confab_core::{Db, Fault, FutureExt, Result};
use confab_protocol::{ChannelKind, MessageId, UserId};

use crate::harness::{channel, record, rows, world};

const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

/// A reaction of a plugin's.
fn reaction(code: &str) -> OfPlugin {
    OfPlugin {
        code: code.into(),
        name: code.into(),
        symbol: Some("B".into()),
        image_sha256: None,
        who: None,
        per_message: None,
        per_day: None,
    }
}

async fn register(db: &Db, new: OfPlugin) {
    db.write(|tx| async move { reactions::register(tx, new, "org.example.badges").await }.boxed())
        .await
        .expect("a reaction");
}

async fn react(db: &Db, user: UserId, message: MessageId, code: &'static str) -> Result<()> {
    db.write(move |tx| async move { reactions::add(tx, user, message, code).await.map(drop) }.boxed()).await
}

#[tokio::test]
async fn a_picture_lies_in_the_record_while_a_manifest_or_a_reaction_names_it() {
    let (db, folder) = record().await;
    let [named, shown, stray] = ["a", "b", "c"].map(|letter| letter.repeat(64));
    for name in [&named, &shown, &stray] {
        parts::keep(&db, name, PICTURE).await.expect("a picture");
    }
    // Of a plugin that is off: its reactions are not in the catalogue.
    let new = NewPlugin {
        id: "org.example.badges".into(),
        bot_name: "badges".into(),
        bot_full_name: "Badges".into(),
        version: "1.0.0".into(),
        manifest: format!("[images]\n\"a.png\" = \"{named}\"\n"),
        sha256: "d".repeat(64),
        grants: "[]".into(),
        rests: Some("nobody switched it on".into()),
    };
    db.write(|tx| async move { plugins::install(tx, new).await }.boxed()).await.expect("a plugin");
    register(&db, OfPlugin { image_sha256: Some(shown.clone()), ..reaction("badge") }).await;

    let mut record = rows(&folder).await;
    sqlx::query("update plugin_parts set stored_at = stored_at - 90000000")
        .execute(&mut record)
        .await
        .expect("a day passes");
    db.write(|tx| parts::sweep(tx).boxed()).await.expect("a sweep");
    for (name, is_here) in [(&named, true), (&shown, true), (&stray, false)] {
        let found = parts::picture(&mut db.read(), name).await.expect("an answer");
        assert_eq!(found.as_deref(), is_here.then_some(PICTURE), "{name}");
    }
    db.close().await;
}

#[tokio::test]
async fn a_limit_of_a_day_ends_with_the_day() {
    let (db, ada, folder) = world().await;
    let room = channel(&db, ada, "room", ChannelKind::Public).await;
    register(&db, OfPlugin { per_day: Some(1), ..reaction("docket") }).await;
    let mut said = Vec::new();
    for content in ["one", "two"] {
        let draft = Draft { content: content.into(), ..Draft::default() };
        let posted = db.write(move |tx| async move { messages::post(tx, ada, room, draft).await }.boxed());
        said.push(posted.await.expect("a message").message.id);
    }
    react(&db, ada, said[0], "docket").await.expect("the first");
    let refused = react(&db, ada, said[1], "docket").await.expect_err("one too many");
    assert!(matches!(refused, Fault::Conflict { code: "reaction_day_limit", .. }), "{refused}");
    let left = messages::find(&mut db.read(), ada, said[1]).await.expect("a message").1;
    assert!(left.reactions.is_empty(), "what was refused left something behind");

    let mut record = rows(&folder).await;
    let yesterday = "update reaction_uses set day = day - 1";
    sqlx::query(yesterday).execute(&mut record).await.expect("a day passes");
    react(&db, ada, said[1], "docket").await.expect("the first of another day");
    // Yesterday stays, since clocks of several servers differ; what lies before it goes.
    let days = async |record: &mut sqlx::SqliteConnection| -> i64 {
        let count = sqlx::query_scalar("select count(*) from reaction_uses");
        count.fetch_one(record).await.expect("a count")
    };
    db.write(|tx| reactions::sweep(tx).boxed()).await.expect("a sweep");
    assert_eq!(days(&mut record).await, 2);
    sqlx::query(yesterday).execute(&mut record).await.expect("another day passes");
    db.write(|tx| reactions::sweep(tx).boxed()).await.expect("a sweep");
    assert_eq!(days(&mut record).await, 1);
    db.close().await;
}
