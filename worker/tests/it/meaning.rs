//! Search by meaning, on the built-in model.

use confab_protocol::{ChannelKind, UserId};
use confab_worker::search::Mode;

use crate::world::World;

async fn found(world: &World, mode: Mode, user: UserId, q: &str) -> Vec<String> {
    world.settled().await;
    let answer = world.try_search_by(mode, user, q).await.unwrap();
    assert!(answer.unavailable.is_empty(), "{:?}", answer.unavailable);
    answer.items.into_iter().map(|hit| hit.message.content).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn other_words_find_the_same_thing_for_those_who_may_read_it() {
    let mut world = World::new().await;
    let (ada, eve) = (world.user("ada").await, world.user("eve").await);
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    let secret = world.channel(ada, "secret", ChannelKind::Private).await;
    world.join(eve, harbour).await;
    let wanted = world.post(ada, harbour, "reboot apache after you changed the vhost").await;
    world.post(ada, harbour, "my cat likes to eat fish every day").await;
    world.post(ada, secret, "please restart the web server tonight").await;
    let q = "restart web server";
    assert!(found(&world, Mode::Keyword, eve, q).await.is_empty());
    assert_eq!(found(&world, Mode::Semantic, eve, q).await, ["reboot apache after you changed the vhost"]);
    let all = found(&world, Mode::Hybrid, ada, q).await;
    assert_eq!(all, ["please restart the web server tonight", "reboot apache after you changed the vhost"]);
    assert!(
        found(&world, Mode::Hybrid, eve, "\"restart the web server\"").await.is_empty(),
        "quoted is word by word"
    );
    assert_eq!(found(&world, Mode::Semantic, ada, "restart web server in:harbour").await.len(), 1);
    assert!(found(&world, Mode::Semantic, ada, "restart web server has:link").await.is_empty());
    assert!(found(&world, Mode::Semantic, ada, "restart web server from:eve").await.is_empty());

    // Still there after a restart; an edit and a deletion are followed.
    world.stop().await;
    world.start().await;
    assert_eq!(found(&world, Mode::Semantic, eve, q).await.len(), 1);
    world.edit(ada, wanted.id, "the gulls are loud at the pier").await;
    assert!(found(&world, Mode::Semantic, eve, q).await.is_empty());
    assert_eq!(found(&world, Mode::Semantic, eve, "loud gulls at pier").await.len(), 1);
    world.delete(ada, wanted.id).await;
    assert!(found(&world, Mode::Semantic, eve, "loud gulls at pier").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn vectors_are_made_of_what_was_there_before_and_anew_when_they_are_lost() {
    let mut world = World::quiet().await;
    let ada = world.user("ada").await;
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    for number in 0..30 {
        world.post(ada, harbour, &format!("please reboot the web server number {number}")).await;
    }
    world.post(ada, harbour, "ok").await;
    world.start().await;
    let q = "restart web server";
    let before = found(&world, Mode::Semantic, ada, q).await;
    assert_eq!(before.len(), 30);
    world.stop().await;
    std::fs::remove_dir_all(world.folder().join("vectors")).unwrap();
    world.start().await;
    assert_eq!(found(&world, Mode::Semantic, ada, q).await, before);
}
