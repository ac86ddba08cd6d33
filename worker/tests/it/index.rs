//! The index survives restarts, and is made again whenever it cannot be trusted.

use std::time::{Duration, Instant};

use confab_core::roles::Granted;
use confab_core::{FutureExt, cursors, log};
use confab_protocol::{ChannelKind, EventKind, UserId};
use confab_worker::index;
use serde_json::{Value, json};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_goes_on_where_it_stopped() {
    let mut world = World::new().await;
    let ada = world.user("ada").await;
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    let first = world.post(ada, harbour, "before the restart").await;
    world.settled().await;
    let applied = world.state().await.applied;
    world.stop().await;
    let made = std::fs::metadata(world.index_folder()).unwrap().created().ok();
    world.post(ada, harbour, "during the restart").await;
    world.edit(ada, first.id, "edited during the restart").await;
    world.start().await;
    assert!(world.state().await.applied >= applied, "the position is the one of the last commit");
    assert_eq!(world.search(ada, "restart").await.len(), 2);
    assert_eq!(world.search(ada, "edited").await.len(), 1);
    assert_eq!(world.state().await.documents, 2, "nothing is there twice");
    assert_eq!(
        std::fs::metadata(world.index_folder()).unwrap().created().ok(),
        made,
        "it was not built anew"
    );
}

type Harm = Box<dyn Fn()>;

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_or_foreign_index_is_built_anew() {
    let mut world = World::new().await;
    let ada = world.user("ada").await;
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    for number in 0..5 {
        world.post(ada, harbour, &format!("gull number {number}")).await;
    }
    let gone = world.post(ada, harbour, "gull that flew away").await;
    world.delete(ada, gone.id).await;
    world.settled().await;

    let folder = world.index_folder();
    let other = World::new().await;
    other.settled().await;
    let foreign = std::fs::read_to_string(other.index_folder().join("meta.json")).unwrap();
    let flip = {
        let folder = folder.clone();
        move || {
            let store = std::fs::read_dir(&folder).unwrap().map(|it| it.unwrap().path());
            for path in store.filter(|path| path.extension().is_some_and(|it| it == "idx" || it == "store")) {
                let mut bytes = std::fs::read(&path).unwrap();
                bytes[0] ^= 0xff;
                std::fs::write(&path, bytes).unwrap();
            }
        }
    };
    let harms: Vec<(&str, Harm)> = vec![
        (
            "meta.json is no JSON",
            Box::new({
                let folder = folder.clone();
                move || std::fs::write(folder.join("meta.json"), "{").unwrap()
            }),
        ),
        (
            "meta.json is missing",
            Box::new({
                let folder = folder.clone();
                move || std::fs::remove_file(folder.join("meta.json")).unwrap()
            }),
        ),
        (
            "the folder is missing",
            Box::new({
                let folder = folder.clone();
                move || std::fs::remove_dir_all(&folder).unwrap()
            }),
        ),
        ("bits have flipped", Box::new(flip)),
        (
            "it is of another record",
            Box::new({
                let folder = folder.clone();
                move || std::fs::write(folder.join("meta.json"), &foreign).unwrap()
            }),
        ),
    ];
    for (what, harm) in harms {
        world.stop().await;
        harm();
        world.start().await;
        assert_eq!(world.search(ada, "gull").await.len(), 5, "{what}");
        assert_eq!(world.state().await.documents, 5, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_belongs_to_one_process() {
    let mut world = World::new().await;
    assert_eq!(world.try_start().await.unwrap_err().code(), "folder_in_use");
    assert!(world.folder().join("index.lock").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_comes_late_reads_everything() {
    let mut world = World::quiet().await;
    let ada = world.user("ada").await;
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    for number in 0..30 {
        world.post(ada, harbour, &format!("gull number {number}")).await;
    }
    world.start().await;
    assert_eq!(world.search(ada, "gull").await.len(), 30);
}

async fn ask_for_a_new_one(world: &World) {
    world
        .db
        .write(|tx| async move { cursors::reindex(tx, &Granted::operator()).await }.boxed())
        .await
        .unwrap();
}

/// Searches without a pause until the index is one that was begun after `origin`: nothing may be missed on the way.
async fn search_until_new(world: &World, user: UserId, origin: i64, count: usize) {
    let started = Instant::now();
    while world.state().await.origin <= origin || world.state().await.building.is_some() {
        assert_eq!(world.try_search(user, "gull").await.unwrap().items.len(), count, "the old index answers");
        assert!(started.elapsed() < Duration::from_mins(1), "no new index: {:?}", world.state().await);
    }
    assert_eq!(world.search(user, "gull").await.len(), count);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_one_is_built_when_asked_while_the_old_one_answers() {
    let mut world = World::new().await;
    let ada = world.user("ada").await;
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    for number in 0..5 {
        world.post(ada, harbour, &format!("gull number {number}")).await;
    }
    let gone = world.post(ada, harbour, "gull that flew away").await;
    world.delete(ada, gone.id).await;
    world.settled().await;
    let before = world.state().await;

    // Twice at once: what is asked for when the new one is whole already would be another one.
    world
        .db
        .write(|tx| {
            async move {
                cursors::reindex(&mut *tx, &Granted::operator()).await?;
                cursors::reindex(tx, &Granted::operator()).await
            }
            .boxed()
        })
        .await
        .unwrap();
    search_until_new(&world, ada, before.origin, 5).await;
    let after = world.state().await;
    assert_eq!((after.documents, after.building), (5, None));
    assert!(after.applied > before.applied);
    world.post(ada, harbour, "gull that came later").await;
    assert_eq!(world.search(ada, "gull").await.len(), 6);

    // Obeyed once: neither what is read again of the log nor a restart builds it anew.
    world.stop().await;
    assert!(!world.folder().join("index.new").exists() && !world.folder().join("index.old").exists());
    world.start().await;
    assert_eq!(world.search(ada, "gull").await.len(), 6);
    let last_origin = world.state().await.origin;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(world.state().await.origin, last_origin);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_while_a_new_one_is_built() {
    let mut world = World::new().await;
    let ada = world.user("ada").await;
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    let origin = world.state().await.origin;
    let people = async {
        for number in 0..400 {
            let message = world.post(ada, harbour, &format!("gull number {number}")).await;
            match number % 10 {
                0 => world.delete(ada, message.id).await,
                1 => world.edit(ada, message.id, &format!("tern number {number}")).await,
                _ => {}
            }
        }
    };
    let administrator = async {
        for _ in 0..5 {
            ask_for_a_new_one(&world).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    tokio::join!(people, administrator);
    let is_new = async || {
        let state = world.state().await;
        state.origin > origin && state.building.is_none()
    };
    let started = Instant::now();
    while !is_new().await {
        assert!(started.elapsed() < Duration::from_mins(1), "no new index: {:?}", world.state().await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for _ in 0..2 {
        world.settled().await;
        assert_eq!(world.state().await.documents, 360);
        assert_eq!(world.search(ada, "tern").await.len(), 40);
        world.stop().await;
        world.start().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn building_a_new_one_survives_a_restart() {
    let mut world = World::new().await;
    let ada = world.user("ada").await;
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    for number in 0..5 {
        world.post(ada, harbour, &format!("gull number {number}")).await;
    }
    world.settled().await;
    let origin = world.state().await.origin;
    let (folder, beside) = (world.index_folder(), world.folder().join("index.new"));

    // Stopped when it was only begun.
    world.stop().await;
    std::fs::create_dir(&beside).unwrap();
    world.start().await;
    search_until_new(&world, ada, origin, 5).await;
    let origin = world.state().await.origin;

    // Killed while it was put in its place.
    world.stop().await;
    std::fs::rename(&folder, &beside).unwrap();
    std::fs::create_dir(world.folder().join("index.old")).unwrap();
    world.start().await;
    assert_eq!(world.search(ada, "gull").await.len(), 5);
    assert_eq!(world.state().await.origin, origin, "it was whole");
    assert!(!beside.exists() && !world.folder().join("index.old").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_interrupted_building_meets_again_is_there_once() {
    let mut world = World::new().await;
    let ada = world.user("ada").await;
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    let first = world.post(ada, harbour, "gull of before").await;
    world.post(ada, harbour, "gull that comes again").await;
    world.settled().await;
    let origin = world.state().await.origin;
    world.stop().await;

    // As it is after a commit whose last step failed: a merge published its messages with the position of the commit before.
    let path = world.index_folder().join("meta.json");
    let mut meta: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let mut place: Value = serde_json::from_str(meta["payload"].as_str().unwrap()).unwrap();
    let head = place["progress"]["following"]["applied"].clone();
    place["progress"] = json!({ "building": { "after": first.id, "head": head } });
    meta["payload"] = place.to_string().into();
    std::fs::write(&path, meta.to_string()).unwrap();

    world.start().await;
    assert_eq!(world.search(ada, "gull").await.len(), 2);
    assert_eq!(world.state().await.documents, 2);
    assert_eq!(world.state().await.origin, origin, "it went on");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_removed_is_built_at_the_start() {
    let mut world = World::new().await;
    let ada = world.user("ada").await;
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    world.post(ada, harbour, "gull").await;
    world.settled().await;
    assert_eq!(index::remove(world.folder()).unwrap_err().code(), "folder_in_use");
    world.stop().await;
    index::remove(world.folder()).unwrap();
    assert!(!world.index_folder().exists());
    world.start().await;
    assert_eq!(world.search(ada, "gull").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buried_event_is_indexed_when_asked() {
    let mut world = World::new().await;
    let ada = world.user("ada").await;
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    world.settled().await;
    world.stop().await;
    world.post(ada, harbour, "gull that was overlooked").await;
    let events = log::after(&mut world.db.read(), 0, 100).await.unwrap().events;
    let event = events.into_iter().rfind(|it| it.kind == EventKind::NewMessage).unwrap();

    // As it is after the index gave up on the message: its position is behind it.
    let meta = world.index_folder().join("meta.json");
    let text = std::fs::read_to_string(&meta).unwrap();
    let (before, rest) = text.split_once("applied\\\":").unwrap();
    let (_, rest) = rest.split_once('}').unwrap();
    std::fs::write(&meta, format!("{before}applied\\\":{}}}{rest}", event.pos)).unwrap();
    world.start().await;
    assert_eq!(world.search(ada, "gull").await.len(), 0);

    world
        .db
        .write(move |tx| async move { cursors::bury(tx, "index", &event, "ill", 3).await }.boxed())
        .await
        .unwrap();
    let letter = cursors::dead_letters(&mut world.db.read(), None, 10).await.unwrap().pop().unwrap();
    world
        .db
        .write(move |tx| async move { cursors::retry(tx, &Granted::operator(), letter.id).await }.boxed())
        .await
        .unwrap();
    assert_eq!(world.search(ada, "gull").await.len(), 1);
    assert!(cursors::dead_letters(&mut world.db.read(), None, 10).await.unwrap().is_empty());
}
