//! Posts that wait at the same moment, seen from the record.

use confab_core::messages::{self, Draft};
use confab_core::{Db, Fault, FutureExt, log, members};
use confab_protocol::{ChannelId, ChannelKind, EventKind, UserId};

use crate::harness::{channel, rows, user, world};

fn draft(content: String, nonce: Option<String>) -> Draft {
    Draft { content, nonce, ..Draft::default() }
}

async fn invite(db: &Db, by: UserId, channel: ChannelId, user: UserId) {
    let done = db.write(move |tx| async move { members::invite(tx, by, channel, user).await }.boxed());
    done.await.expect("invited");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_leaves_neither_hole_nor_second_message() {
    let (db, ada, folder) = world().await;
    let (bob, eve) = (user(&db, "bob").await, user(&db, "eve").await);
    let room = channel(&db, ada, "room", ChannelKind::Private).await;
    let other = channel(&db, bob, "other", ChannelKind::Public).await;
    invite(&db, ada, room, bob).await;
    let mut tasks = Vec::new();
    for number in 0..600_usize {
        let db = db.clone();
        tasks.push(tokio::spawn(async move {
            let (by, to) = match number % 6 {
                0 => (eve, room),
                1 => (bob, other),
                2 => (ada, room),
                _ => (bob, room),
            };
            // Each nonce comes three times in a row, by the same author.
            let nonce = (number % 6 >= 3).then(|| format!("nonce {}", number / 6));
            let content = nonce.clone().unwrap_or_else(|| format!("number {number}"));
            (number, messages::send(&db, by, to, draft(content, nonce)).await)
        }));
    }
    let mut kept: Vec<(i64, String)> = Vec::new();
    let mut again = 0;
    for task in tasks {
        match task.await.expect("no panic") {
            (number, Err(fault)) => {
                assert!(number % 6 == 0 && matches!(fault, Fault::NotFound(_)), "{number}: {fault}");
            }
            (_, Ok(posted)) if posted.message.channel_id == other => assert!(posted.is_new),
            (_, Ok(posted)) if posted.is_new => kept.push((posted.message.seq, posted.message.content)),
            (_, Ok(_)) => again += 1,
        }
    }
    kept.sort();
    assert_eq!((kept.len(), again), (200, 200));
    let first = kept[0].0;
    assert!(kept.iter().zip(first..).all(|(it, seq)| it.0 == seq), "numbers are dense");

    let mut events = Vec::new();
    while let Ok(page) = log::after(&mut db.read(), events.len() as i64, 500).await
        && !page.events.is_empty()
    {
        events.extend(page.events);
    }
    assert!(events.iter().zip(1..).all(|(event, pos)| event.pos == pos), "positions are dense");
    let told: Vec<i64> = events
        .iter()
        .filter(|it| it.kind == EventKind::NewMessage && it.channel_id == Some(room))
        .filter_map(|it| it.seq)
        .collect();
    assert_eq!(told, kept.iter().map(|it| it.0).collect::<Vec<_>>(), "in the order of their numbers");

    let mut rows = rows(&folder).await;
    let numbers: (i64, i64, i64) = sqlx::query_as(
        "select count(*), max(number), (select message_count from channels where id = $1) from messages where channel_id = $1",
    )
    .bind(room.0)
    .fetch_one(&mut rows)
    .await
    .expect("counts");
    assert_eq!(numbers, (200, 200, 200));
    let read: (i64, i64) = sqlx::query_as(
        "select max(read_seq), max(read_number) from memberships where channel_id = $1 and to_seq is null",
    )
    .bind(room.0)
    .fetch_one(&mut rows)
    .await
    .expect("marks");
    assert_eq!(read, (kept[199].0, 200), "who posted last has read all");
    db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_from_memory_is_what_the_record_says() {
    let (db, ada, _folder) = world().await;
    let room = channel(&db, ada, "room", ChannelKind::Public).await;
    let posted = messages::send(&db, ada, room, draft("as it was".into(), None)).await.expect("posted");
    let id = posted.message.id;
    let shown = messages::shown(&db, &[id]).await.expect("shown");
    assert_eq!(*shown[&id], posted.message);
    assert_eq!(messages::views(&mut db.read(), &[id]).await.expect("read"), [posted.message]);

    let edited = db.write(move |tx| messages::edit(tx, ada, id, "as it is".into(), None).boxed()).await;
    edited.expect("edited");
    let shown = messages::shown(&db, &[id]).await.expect("shown");
    assert_eq!(shown[&id].content, "as it is");
    db.write(move |tx| messages::delete(tx, ada, id).boxed()).await.expect("deleted");
    let shown = messages::shown(&db, &[id]).await.expect("shown");
    assert!(shown[&id].content.is_empty() && shown[&id].deleted_at.is_some());
    db.close().await;
}
