//! Search by meaning, on the built-in model.

mod gated;

use confab_protocol::{ChannelKind, UserId};
use confab_worker::search::Mode;

use crate::vectors::stand_in;
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
async fn what_says_it_all_comes_before_what_stands_among_the_like() {
    let world = World::new().await;
    let ada = world.user("ada").await;
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    let printer = "la impresora está ahora en el sótano";
    for text in [
        printer,
        "la escalera está ahora detrás del mostrador",
        "la llave de repuesto está ahora en la recepción",
        "el proyector está ahora en la sala cuatro",
        "la bicicleta roja está ahora bajo el tejado",
        "el botiquín está ahora junto al ascensor",
        "la etiquetadora está ahora en el sótano",
        "el molinillo de café está ahora detrás del mostrador",
    ] {
        world.post(ada, harbour, text).await;
    }
    // The first of a conversation has the fewest beside it that are like the question too.
    for q in ["la impresora", "¿dónde puedo encontrar la impresora hoy?"] {
        assert_eq!(found(&world, Mode::Semantic, ada, q).await[0], printer, "{q}");
    }
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

#[tokio::test(flavor = "multi_thread")]
async fn the_old_vectors_answer_until_those_of_another_model_are_whole() {
    let mut world = World::new().await;
    let ada = world.user("ada").await;
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    let gone = world.post(ada, harbour, "please restart the web server tonight").await;
    world.post(ada, harbour, "reboot apache after you changed the vhost").await;
    let q = "restart web server";
    assert_eq!(found(&world, Mode::Semantic, ada, q).await.len(), 2);
    let state = world.state().await.vectors.unwrap();
    assert!(state.model.starts_with("built-in-") && state.serving == state.model && state.building.is_none());
    let folder = world.folder().join("vectors").join(&state.serving);

    // Another model that does not answer yet: nothing is lost meanwhile, and what is written and deleted is followed.
    world.stop().await;
    let endpoint = gated::Gated::start().await;
    world.set(&endpoint.settings());
    world.start().await;
    assert_eq!(found(&world, Mode::Semantic, ada, q).await.len(), 2);
    let state = world.state().await.vectors.unwrap();
    assert!(state.model.starts_with("gated-64-") && state.serving.starts_with("built-in-"), "{state:?}");
    world.delete(ada, gone.id).await;
    world.post(ada, harbour, "the web server restarts every night").await;
    let mut texts = found(&world, Mode::Semantic, ada, q).await;
    texts.sort_unstable();
    assert_eq!(texts, ["reboot apache after you changed the vhost", "the web server restarts every night"]);
    let building = world.state().await.vectors.unwrap().building.expect("progress");
    assert!(building.total >= 2 && building.done == 0, "{building:?}");

    // A restart in the middle changes nothing.
    world.stop().await;
    world.start().await;
    assert_eq!(found(&world, Mode::Semantic, ada, q).await.len(), 2);
    endpoint.open();
    let started = std::time::Instant::now();
    loop {
        let state = world.state().await.vectors.unwrap();
        if state.serving == state.model && !folder.exists() {
            assert!(state.building.is_none());
            break;
        }
        assert!(started.elapsed() < std::time::Duration::from_mins(1), "{state:?}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    // This model knows words, and "apache" is none of the question's.
    assert_eq!(found(&world, Mode::Semantic, ada, q).await, ["the web server restarts every night"]);
}

/// Takes half a minute: other workers must have heard that the new vectors are whole.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_model_left_in_a_shared_store_is_dropped() {
    let (url, held) = stand_in::start().await;
    let shared = ("qdrant_url", url);
    let mut world = World::with(std::slice::from_ref(&shared)).await;
    let ada = world.user("ada").await;
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    world.post(ada, harbour, "please restart the web server tonight").await;
    let q = "restart web server";
    assert_eq!(found(&world, Mode::Semantic, ada, q).await.len(), 1);
    let old = held.collections();
    assert!(old.len() == 1 && old[0].starts_with("confab-built-in-"), "{old:?}");

    world.stop().await;
    let endpoint = gated::Gated::start().await;
    endpoint.open();
    let mut settings = endpoint.settings();
    settings.push(shared);
    world.set(&settings);
    world.start().await;
    let started = std::time::Instant::now();
    while held.collections().contains(&old[0]) {
        assert!(started.elapsed() < std::time::Duration::from_mins(2), "{:?}", held.collections());
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(held.collections().len(), 1);
    assert_eq!(found(&world, Mode::Semantic, ada, q).await.len(), 1);
    assert!(world.state().await.vectors.unwrap().serving.starts_with("gated-64-"));
}
