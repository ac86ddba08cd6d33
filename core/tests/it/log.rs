//! The log forgets what is old, in steps, and nobody is told a part of what they missed.

use std::time::Duration;

use confab_core::messages::{self, Draft};
use confab_core::{Db, Fault, FutureExt, cursors, log};
use confab_protocol::{ChannelId, ChannelKind, UserId};
use uuid::Uuid;

use crate::harness::{Place, channel, rows, world};

/// Two steps and a little.
const POSTS: usize = 2_100;

/// Much is said in a channel.
async fn talk(db: &Db, user: UserId, channel: ChannelId) {
    let posts = db.write(move |tx| {
        async move {
            for number in 0..POSTS {
                let draft = Draft { content: format!("number {number}"), ..Draft::default() };
                messages::post(tx, user, channel, draft).await?;
            }
            Ok(())
        }
        .boxed()
    });
    posts.await.expect("posts");
}

async fn trim(db: &Db, kept: Duration) -> bool {
    db.write(move |tx| log::trim(tx, kept).boxed()).await.expect("a step")
}

async fn hold(db: &Db, from: i64) -> cursors::Cursor {
    let held = db.write(move |tx| {
        async move { cursors::hold(tx, "plugins/late", Uuid::nil(), from, Duration::ZERO).await }.boxed()
    });
    held.await.expect("a place").expect("nobody else")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_leaves_the_log_when_every_consumer_is_past_it() {
    let Place { db, ada, room: channel, .. } = &Place::open().await;
    talk(db, *ada, *channel).await;
    assert!(!trim(db, log::KEPT).await, "nothing is old");

    // A consumer that is behind holds the log.
    let late = hold(db, 10).await;
    assert!(!trim(db, Duration::ZERO).await);
    db.write(move |tx| async move { cursors::advance(tx, &late, 1_500).await }.boxed()).await.expect("on");
    assert!(trim(db, Duration::ZERO).await);
    assert!(!trim(db, Duration::ZERO).await, "up to 2,000 it is not");
    assert_eq!(log::trimmed(&mut db.read()).await.expect("a position"), log::STEP);

    let kept = log::after(&mut db.read(), log::STEP, 10).await.expect("a page");
    assert_eq!((kept.events.len(), kept.events[0].pos), (10, log::STEP + 1));
    let missed = log::in_channel_after(&mut db.read(), *channel, 5, 10).await;
    assert!(matches!(missed, Err(Fault::Gone("event"))), "a part would hide the rest: {missed:?}");
    let last = kept.events[0].seq.expect("a number");
    assert_eq!(log::in_channel_after(&mut db.read(), *channel, last, 10).await.expect("all of it").len(), 10);
    assert!(log::in_channel_after(&mut db.read(), *channel, 1_000_000, 10).await.expect("none").is_empty());
}

/// Two servers that trimmed at once could leave it so, and then nothing left the log any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_lies_before_the_log_begins_is_set_right() {
    let (db, ada, folder) = &world().await;
    let channel = channel(db, *ada, "harbour", ChannelKind::Public).await;
    talk(db, *ada, channel).await;
    assert!(trim(db, Duration::ZERO).await);
    let mut past = rows(folder).await;
    sqlx::query("update log_meta set trimmed_pos = 0").execute(&mut past).await.expect("a mark");
    assert!(trim(db, Duration::ZERO).await);
    assert_eq!(log::trimmed(&mut db.read()).await.expect("a position"), 2 * log::STEP);
    let kept = log::after(&mut db.read(), 2 * log::STEP, 10).await.expect("a page");
    assert_eq!(kept.events[0].pos, 2 * log::STEP + 1);
}
