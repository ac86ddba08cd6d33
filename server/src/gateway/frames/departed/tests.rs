//! Frames that are made long after their events.

use confab_core::channels::{self, Change, NewChannel};
use confab_core::db::{self, Opened};
use confab_core::messages::{self, Draft};
use confab_core::users::{self, NewUser};
use confab_core::{FutureExt, Settings, log};
use confab_protocol::{ChannelKind, ChannelRole};
use serde_json::Value;

use super::*;
use crate::gateway::frames::encode;

async fn user(db: &Db, name: &str) -> UserId {
    let new = NewUser::check(name, Some(&format!("{name}@example.org")), None).expect("a user");
    db.write(|tx| async move { users::create(tx, new).await }.boxed()).await.expect("a user").id
}

async fn post(db: &Db, user: UserId, channel: ChannelId, content: &str) -> MessageId {
    let draft = Draft { content: content.into(), ..Draft::default() };
    messages::send(db, user, channel, draft).await.expect("a message").message.id
}

async fn topic(db: &Db, user: UserId, channel: ChannelId, topic: &str) {
    let change = Change { topic: Some(topic.into()), ..Change::default() };
    db.write(move |tx| async move { channels::update(tx, user, channel, change).await }.boxed())
        .await
        .expect("a topic");
}

#[tokio::test]
async fn who_left_since_hears_of_it_without_its_body() {
    let folder = tempfile::tempdir().expect("a folder");
    let flags = [("data_dir", folder.path().display().to_string())];
    let settings = Settings::read(&flags, None, folder.path(), std::iter::empty()).expect("settings");
    let db = db::open(&settings, Opened::Migrated).await.expect("a record");
    let (ada, bob, cleo) = (user(&db, "ada").await, user(&db, "bob").await, user(&db, "cleo").await);
    let new = NewChannel::check("core", ChannelKind::Private, None).expect("a channel");
    let room = db.write(move |tx| async move { channels::create(tx, Some(ada), new).await }.boxed()).await;
    let room = room.expect("a channel");
    let people = [(bob, ChannelRole::Member), (cleo, ChannelRole::Member)];
    db.write(move |tx| async move { members::add(tx, room, &people, Some(ada)).await }.boxed())
        .await
        .expect("members");
    let begin = log::head(&mut db.read()).await.expect("a position");

    let edited = post(&db, ada, room, "first").await;
    let untouched = post(&db, ada, room, "as it was").await;
    topic(&db, ada, room, "first topic").await;
    db.write(move |tx| async move { members::remove(tx, ada, room, bob).await }.boxed())
        .await
        .expect("removed");
    let later = "after bob";
    db.write(move |tx| async move { messages::edit(tx, ada, edited, later.into(), None).await }.boxed())
        .await
        .expect("edited");
    topic(&db, ada, room, "topic after bob").await;

    let events = log::after(&mut db.read(), begin, 100).await.expect("events").events;
    let frames = encode(&db, &events).await.expect("frames");
    let heard = |user: UserId| -> Vec<(String, Value)> {
        let frames = events.iter().zip(&frames).filter_map(|(event, frame)| Some((event, frame.as_ref()?)));
        frames
            .map(|(event, frame)| {
                let value: Value = serde_json::from_str(frame.for_user(user)).expect("JSON");
                let shown = if value["withheld"] == true { &value["d"] } else { &value["d"]["content"] };
                let shown = if value["d"]["topic"].is_string() { &value["d"]["topic"] } else { shown };
                (event.kind.as_str().to_owned(), shown.clone())
            })
            .collect()
    };
    let bare = |id: &str| json!({ "id": id, "channel_id": room });
    let of = |kind: &str, shown: Value| (kind.to_owned(), shown);
    assert_eq!(
        heard(bob)[..4],
        [
            of("new_message", bare(&edited.to_string())),
            of("new_message", json!("as it was")),
            of("channel_update", bare(&room.to_string())),
            of("member_left", Value::Null),
        ]
    );
    assert_eq!(
        heard(cleo)[..4],
        [
            of("new_message", json!(later)),
            of("new_message", json!("as it was")),
            of("channel_update", json!("topic after bob")),
            of("member_left", Value::Null),
        ]
    );
    assert!(events.iter().any(|event| event.ref_id == untouched.0));
    let after = &frames[4..];
    assert!(
        after.iter().flatten().all(|frame| frame.departed.is_none()),
        "what followed is for those who stayed"
    );
}
