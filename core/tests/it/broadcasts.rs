//! Thousands of people are told of one message: in steps, each once, by whom may.

use confab_core::channels::{self, NewChannel};
use confab_core::db::{self, Opened, migrate::Target};
use confab_core::messages::{self, Draft};
use confab_core::roles::Permission;
use confab_core::users::{self, NewUser};
use confab_core::{Db, FutureExt, Settings, attention, broadcasts, members, notifications, roles};
use confab_protocol::{ChannelId, ChannelKind, ChannelRole, Message, UserId};

use crate::harness::{record, settings};

/// The migration that lets everybody mention whole channels, as they always could, and how many stand before it.
const GRANTED: i64 = 8;
const BEFORE: usize = 7;
/// More than two steps, and more than anybody may mention.
const PEOPLE: usize = 1_203;

async fn people(db: &Db, from: usize, count: usize) -> Vec<UserId> {
    let mut made = Vec::with_capacity(count);
    for start in (from..from + count).step_by(200) {
        let end = (start + 200).min(from + count);
        let some = db.write(move |tx| {
            async move {
                let mut some = Vec::new();
                for number in start..end {
                    let user = NewUser::check(&format!("person{number}"), None, None)?;
                    some.push(users::create(tx, user).await?.id);
                }
                Ok(some)
            }
            .boxed()
        });
        made.extend(some.await.expect("people"));
    }
    made
}

async fn post(db: &Db, user: UserId, channel: ChannelId, content: &'static str) -> Message {
    let draft = Draft { content: content.into(), ..Draft::default() };
    let posted = db
        .write(move |tx| async move { messages::post(tx, user, channel, draft).await }.boxed())
        .await
        .expect("a message");
    posted.message
}

async fn unread(db: &Db, user: UserId) -> i64 {
    notifications::unread_count(&mut db.read(), user).await.expect("a count")
}

async fn mentions(db: &Db, user: UserId, channel: ChannelId) -> Option<i64> {
    channels::get(&mut db.read(), user, channel).await.expect("the channel").mention_count
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_channel_is_told_in_steps_and_each_person_once() {
    let (db, _folder) = record().await;
    db.write(|tx| roles::create_defaults(tx).boxed()).await.expect("roles");
    let everybody = people(&db, 0, PEOPLE).await;
    let owner = everybody[0];
    let new = NewChannel::check("town", ChannelKind::Public, None).expect("a channel");
    let town = db
        .write(move |tx| async move { channels::create(tx, Some(owner), new).await }.boxed())
        .await
        .expect("town");
    let rest: Vec<(UserId, ChannelRole)> =
        everybody[1..].iter().map(|user| (*user, ChannelRole::Member)).collect();
    db.write(move |tx| async move { members::add(tx, town, &rest, None).await }.boxed())
        .await
        .expect("members");

    // In so large a channel a plain member's word is text, and nobody has a row for every message.
    let (plain, witness) = (everybody[1], everybody[PEOPLE - 1]);
    let all = attention::Change { level: Some(attention::Level::All), ..Default::default() };
    db.write(move |tx| async move { attention::set(tx, witness, all).await }.boxed()).await.expect("a wish");
    assert_eq!(post(&db, plain, town, "@channel hello").await.mentions_all, None);
    assert!(!broadcasts::is_waiting(&mut db.read()).await.expect("an answer"));
    assert_eq!(unread(&db, witness).await, 0, "all is mentions here");

    // The owner's reaches everybody. The post itself writes one row; two who tell at once tell nobody twice.
    let said = post(&db, owner, town, "@channel hello").await;
    assert_eq!(said.mentions_all.as_deref(), Some("channel"));
    assert_eq!((unread(&db, witness).await, mentions(&db, witness, town).await), (0, Some(1)));
    let step = || db.write(|tx| broadcasts::step(tx).boxed());
    let mut steps = 0;
    loop {
        let (one, two) = tokio::join!(step(), step());
        steps += 1;
        if !one.expect("a step") || !two.expect("a step") {
            break;
        }
    }
    assert!((2..=3).contains(&steps), "{steps} rounds of two");
    let mut told = 0;
    for user in &everybody {
        told += unread(&db, *user).await;
    }
    assert_eq!(told, PEOPLE as i64 - 1, "each once, and not the owner");
    assert_eq!(mentions(&db, witness, town).await, Some(1));

    // Deleted, it is gone from every count at once.
    db.write(move |tx| async move { messages::delete(tx, owner, said.id).await }.boxed())
        .await
        .expect("gone");
    assert_eq!((unread(&db, witness).await, mentions(&db, witness, town).await), (0, Some(0)));
    db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_exists_lets_everybody_mention_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = settings(folder.path());
    let has = async |settings: &Settings| {
        let db = db::open(settings, Opened::Migrated).await.expect("a record");
        db.write(|tx| roles::create_defaults(tx).boxed()).await.expect("roles");
        let everyone = roles::find(&mut db.read(), roles::EVERYONE).await.expect("everyone");
        db.close().await;
        (everyone.permissions.has(Permission::MessagesMentionAll), everyone.permissions.words().len())
    };
    let (is_new, count) = has(&settings).await;
    assert!(is_new);
    let mut migrations = Target::open(&settings).await.expect("migrations");
    let newest = migrations.status().await.expect("migrations").len();
    let undone = migrations.down(newest - BEFORE).await.expect("down");
    assert_eq!(undone.last(), Some(&GRANTED));
    migrations.up().await.expect("up");
    drop(migrations);
    assert_eq!(has(&settings).await, (true, count), "taken away and given again, and nothing else");
}
