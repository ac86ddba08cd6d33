//! What the record promises: dense numbers, an event for every change and a change for every event, one message for
//! one nonce.

use confab_core::db::{self, Opened};
use confab_core::messages::{self, Draft, NewMessage};
use confab_core::{Fault, FutureExt, bookmarks, log};
use confab_protocol::{EventKind, MessageId, Timestamp};

use crate::harness::{Place, record, settings};

fn draft(content: &str, nonce: Option<&str>) -> Draft {
    Draft { content: content.into(), nonce: nonce.map(str::to_owned), ..Draft::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_writes_leave_neither_hole_nor_event() {
    let Place { db, ada, room, .. } = &Place::open().await;
    let (ada, room) = (*ada, *room);
    let mut tasks = Vec::new();
    for number in 0..200_usize {
        let db = db.clone();
        tasks.push(tokio::spawn(async move {
            db.write(move |tx| {
                async move {
                    let posted =
                        messages::post(tx, ada, room, draft(&format!("message {number}"), None)).await?;
                    // A fifth of the writers fails after everything was written.
                    if number % 5 == 0 { Err(Fault::Busy) } else { Ok(posted.message.seq) }
                }
                .boxed()
            })
            .await
        }));
    }
    let mut kept = Vec::new();
    for task in tasks {
        kept.extend(task.await.expect("no panic").ok());
    }
    assert_eq!(kept.len(), 160);
    kept.sort_unstable();
    let events = log::after(&mut db.read(), 0, 500).await.expect("the log");
    let positions: Vec<i64> = events.events.iter().map(|event| event.pos).collect();
    assert_eq!(positions, (1..=positions.len() as i64).collect::<Vec<_>>(), "positions are dense");
    let posted: Vec<i64> =
        events.events.iter().filter(|it| it.kind == EventKind::NewMessage).filter_map(|it| it.seq).collect();
    assert_eq!(posted, kept, "one event for each kept message, in order");
    let first = kept[0];
    assert_eq!(kept, (first..first + 160).collect::<Vec<_>>(), "numbers are dense");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_nonce_is_one_message() {
    let Place { db, ada, room, .. } = &Place::open().await;
    let (ada, room) = (*ada, *room);
    let mut tasks = Vec::new();
    for _ in 0..10 {
        let db = db.clone();
        tasks.push(tokio::spawn(async move {
            db.write(move |tx| {
                async move { messages::post(tx, ada, room, draft("once", Some("n1"))).await }.boxed()
            })
            .await
        }));
    }
    let mut ids = Vec::new();
    let mut new = 0;
    for task in tasks {
        let posted = task.await.expect("no panic").expect("posted");
        new += usize::from(posted.is_new);
        ids.push(posted.message.id);
    }
    ids.dedup();
    assert_eq!((ids.len(), new), (1, 1));
    let other = db
        .write(move |tx| {
            async move { messages::post(tx, ada, room, draft("other", Some("n1"))).await }.boxed()
        })
        .await;
    assert_eq!(other.expect_err("another text").code(), "nonce_reused");
    let next = db
        .write(move |tx| async move { messages::post(tx, ada, room, draft("next", None)).await }.boxed())
        .await;
    let before = messages::views(&mut db.read(), &ids).await.expect("views")[0].seq;
    assert_eq!(next.expect("posted").message.seq, before + 1, "retries used no number up");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panicking_write_harms_nobody() {
    let Place { db, ada, room, .. } = &Place::open().await;
    let (ada, room) = (*ada, *room);
    let failed: Result<(), Fault> = db
        .write(move |tx| {
            async move {
                messages::post(tx, ada, room, draft("lost", None)).await?;
                panic!("on purpose");
            }
            .boxed()
        })
        .await;
    assert!(matches!(failed, Err(Fault::Internal(_))));
    let posted = db
        .write(move |tx| async move { messages::post(tx, ada, room, draft("kept", None)).await }.boxed())
        .await;
    assert_eq!(posted.expect("posted").message.content, "kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_is_refused_in_one_sentence() {
    let (db, folder) = record().await;
    let second = db::open(&settings(folder.path()), Opened::Migrated).await.err().expect("refused");
    assert_eq!(second.code(), "folder_in_use");
    db.close().await;
    drop(db);
    db::open(&settings(folder.path()), Opened::Migrated).await.expect("free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn bookmarks_end_at_five_thousand() {
    let Place { db, ada, room, .. } = &Place::open().await;
    let (ada, room) = (*ada, *room);
    let now = Timestamp::now();
    let history: Vec<NewMessage> = (0..5_001)
        .map(|number| NewMessage {
            id: MessageId::new(),
            sender_id: ada,
            content: format!("m{number}"),
            html: None,
            parent_id: None,
            nonce: None,
            mentions: Vec::new(),
            has_attachments: false,
            created_at: now,
        })
        .collect();
    let ids: Vec<MessageId> = history.iter().map(|it| it.id).collect();
    db.write(move |tx| async move { messages::import(tx, room, &history).await }.boxed())
        .await
        .expect("history");
    let (last, kept) = ids.split_last().map(|(last, kept)| (*last, kept.to_vec())).expect("messages");
    db.write(move |tx| {
        async move {
            for id in kept {
                bookmarks::add(tx, ada, id).await?;
            }
            Ok(())
        }
        .boxed()
    })
    .await
    .expect("five thousand");
    let refused = db.write(move |tx| async move { bookmarks::add(tx, ada, last).await }.boxed()).await;
    assert!(matches!(refused, Err(Fault::Conflict { code: "too_many_bookmarks", .. })), "{refused:?}");
    // One off makes room for one.
    let first = ids[0];
    db.write(move |tx| async move { bookmarks::remove(tx, ada, first).await }.boxed())
        .await
        .expect("one off");
    db.write(move |tx| async move { bookmarks::add(tx, ada, last).await }.boxed()).await.expect("room");
}
