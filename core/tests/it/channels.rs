//! Channels of ten thousand members, servers of ten thousand channels, and records from before words were listed.

use std::time::{Duration, Instant};

use confab_core::channels::{self, NewChannel, Scope};
use confab_core::users::{self, NewUser};
use confab_core::{Db, FutureExt, members};
use confab_protocol::{ChannelKind, ChannelRole, UserId};

use crate::harness::{channel, rows, world};

const MANY: usize = 10_000;

async fn found(db: &Db, user: UserId, q: &str) -> Vec<String> {
    let page = channels::find(&mut db.read(), user, q, None, 100).await.expect("a page");
    page.into_iter().map(|it| it.channel.name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_members_are_paged_in_order() {
    let (db, ada, _folder) = world().await;
    let room = channel(&db, ada, "room", ChannelKind::Public).await;
    let people: Vec<NewUser> = (0..MANY)
        .map(|number| NewUser::check(&format!("person{number:05}"), None, None).expect("a user"))
        .collect();
    let joining: Vec<(UserId, ChannelRole)> = people
        .iter()
        .enumerate()
        .map(|(number, user)| {
            (user.id, if number % 1_000 == 0 { ChannelRole::Guest } else { ChannelRole::Member })
        })
        .collect();
    db.write(move |tx| async move { users::insert(tx, &people).await }.boxed()).await.expect("people");
    db.write(move |tx| async move { members::add(tx, room, &joining, None).await }.boxed())
        .await
        .expect("joined");

    let (mut names, mut after, mut slowest) = (Vec::new(), String::new(), Duration::ZERO);
    loop {
        let asked = Instant::now();
        let (page, next) = members::list(&mut db.read(), room, &after, 100).await.expect("a page");
        slowest = slowest.max(asked.elapsed());
        names.extend(page.into_iter().map(|it| (it.role, it.user.username)));
        match next {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!(names.len(), MANY + 1);
    assert_eq!(names[0], (ChannelRole::Owner, "ada".to_owned()));
    assert!(names.windows(2).all(|pair| pair[0].0 > pair[1].0 || pair[0].1 < pair[1].1), "out of order");
    assert!(names[MANY - 9..].iter().all(|it| it.0 == ChannelRole::Guest), "guests come last");
    let (page, _) = members::search(&mut db.read(), room, "PERSON0999", "", 100).await.expect("a page");
    assert_eq!(page.len(), 10);
    println!("slowest page of {MANY} members: {slowest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_channels_are_searched() {
    let (db, ada, _folder) = world().await;
    let others = NewUser::check("bob", Some("bob@example.org"), None).expect("a user");
    let bob = db.write(|tx| async move { users::create(tx, others).await }.boxed()).await.expect("bob").id;
    for part in (0..MANY).collect::<Vec<_>>().chunks(500) {
        let part = part.to_vec();
        db.write(move |tx| {
            async move {
                for number in part {
                    let kind = if number % 2 == 0 { ChannelKind::Public } else { ChannelKind::Private };
                    let new =
                        NewChannel::check(&format!("room {number:05}"), kind, Some("a place among many"))?;
                    channels::create(tx, Some(ada), new).await?;
                }
                Ok(())
            }
            .boxed()
        })
        .await
        .expect("channels");
    }
    let asked = Instant::now();
    assert_eq!(found(&db, bob, "room 00012").await, ["room 00012"]);
    assert_eq!(
        found(&db, bob, "0013").await,
        ["room 00130", "room 00132", "room 00134", "room 00136", "room 00138"]
    );
    let rare = asked.elapsed();
    assert!(found(&db, bob, "00013").await.is_empty(), "a private one of somebody else");
    assert_eq!(found(&db, ada, "00013").await, ["room 00013"]);
    let asked = Instant::now();
    assert_eq!(found(&db, bob, "r").await.len(), 100, "what fits all is a page as well");
    let common = asked.elapsed();
    let asked = Instant::now();
    let page = channels::list(&mut db.read(), bob, Scope::Readable, None, 100).await.expect("a page");
    assert_eq!(page.len(), 100);
    let mine = channels::list(&mut db.read(), ada, Scope::Mine, None, 100).await.expect("a page");
    assert_eq!(mine.len(), 100);
    println!("among {MANY}: rare {rare:?}, common {common:?}, two lists {:?}", asked.elapsed());
}

/// A record of before: its channels are found after the next start.
#[tokio::test(flavor = "multi_thread")]
async fn channels_of_before_are_found() {
    let (db, ada, folder) = world().await;
    for number in 0..450 {
        channel(&db, ada, &format!("harbour {number}"), ChannelKind::Private).await;
    }
    let mut before = rows(&folder).await;
    for statement in ["delete from channel_words", "update channels set words_listed_at = null"] {
        sqlx::query(statement).execute(&mut before).await.expect("as it was");
    }
    assert!(found(&db, ada, "harb").await.is_empty());
    channels::list_missing_words(&db).await.expect("listed");
    assert_eq!(found(&db, ada, "harb").await.len(), 100);
    assert_eq!(found(&db, ada, "harbour 449").await, ["harbour 449"]);
    channels::list_missing_words(&db).await.expect("nothing to do");
}
