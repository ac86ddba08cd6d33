//! The index survives restarts, and is made again whenever it cannot be trusted.

use confab_protocol::ChannelKind;

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
