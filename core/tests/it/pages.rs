//! Pages of a channel: how often the record is asked for one, and that it is one moment's.

use confab_core::messages::{self, Draft, Page, Side};
use confab_core::{Db, FutureExt, access, reactions};
use confab_protocol::{ChannelId, ChannelKind, MessageId, UserId};

use crate::harness::{channel, world};

async fn post(db: &Db, user: UserId, room: ChannelId, content: &str, quoted: Option<MessageId>) -> MessageId {
    let draft = Draft { content: content.into(), quoted_id: quoted, ..Draft::default() };
    messages::send(db, user, room, draft).await.expect("a message").message.id
}

async fn read(db: &Db, user: UserId, room: ChannelId, side: Side) -> (Page, u64) {
    let before = db.statement_count();
    let page = db
        .look(move |on| {
            async move {
                let admitted = access::admit(on, user, room).await?;
                messages::page(on, &admitted, side, 50).await
            }
            .boxed()
        })
        .await
        .expect("a page");
    (page, db.statement_count() - before)
}

#[tokio::test]
async fn a_page_is_asked_for_in_few_statements() {
    let (db, ada, _folder) = world().await;
    let room = channel(&db, ada, "general", ChannelKind::Private).await;
    let mut ids = Vec::new();
    for number in 0..60 {
        ids.push(post(&db, ada, room, &format!("message {number} \u{1F600} \\ \" end"), None).await);
    }
    let (page, asked) = read(&db, ada, room, Side::Newest).await;
    assert_eq!(page.messages.iter().map(|it| it.id).collect::<Vec<_>>(), ids[10..]);
    assert_eq!(page.messages[49].content, "message 59 \u{1F600} \\ \" end");
    assert!(page.has_before && !page.has_after);
    assert_eq!(asked, 2, "the right and the page");

    let (page, asked) = read(&db, ada, room, Side::Before(page.messages[0].seq)).await;
    assert_eq!(page.messages.iter().map(|it| it.id).collect::<Vec<_>>(), ids[..10]);
    assert!(!page.has_before && page.has_after);
    assert_eq!(asked, 3, "and whether more lies on the other side");

    for id in &ids[20..40] {
        let id = *id;
        db.write(move |tx| async move { reactions::add(tx, ada, id, "👍").await }.boxed())
            .await
            .expect("one");
        post(&db, ada, room, "quoting", Some(id)).await;
    }
    let (page, asked) = read(&db, ada, room, Side::Newest).await;
    assert_eq!(page.messages.iter().filter(|it| it.reactions.len() == 1).count(), 10);
    assert_eq!(page.messages.iter().filter(|it| it.quoted.is_some()).count(), 20);
    assert_eq!(asked, 4, "one for all reactions, one for all quotes");
    db.close().await;
}

#[tokio::test]
async fn values_come_back_as_they_were_stored() {
    let (db, ada, _folder) = world().await;
    let room = channel(&db, ada, "general", ChannelKind::Public).await;
    for text in ["\u{0}\u{1}\u{1F}", "a\u{0}b", "", "\u{FFFF}\u{10FFFF}", "é".repeat(15_000).as_str()] {
        let draft = Draft { content: text.into(), ..Draft::default() };
        // What may not be posted is refused, and what is posted comes back whole.
        if let Ok(posted) = messages::send(&db, ada, room, draft).await {
            let (page, _) = read(&db, ada, room, Side::Newest).await;
            let last = page.messages.last().expect("it");
            assert_eq!((last.id, &last.content), (posted.message.id, &posted.message.content));
        }
    }
    db.close().await;
}
