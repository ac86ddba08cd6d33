//! What the record says of plugins after starts, upgrades and refusals.

use confab_core::plugins::{self, parts};

use super::*;
use crate::plugins::catalogue::Standing;

#[tokio::test]
async fn every_start_finds_the_plugin_installed_by_the_first() {
    let world = World::new().await;
    let bot = world.dice().bot.clone();
    assert_eq!((bot.username.as_str(), bot.is_bot), ("dice", true));
    let before = users::count(&mut world.db.read()).await.unwrap();
    let cache = world.folder.path().join("plugins-cache");
    let other = Catalogue::new(&world.db, &world.bus, &cache, Package::all(bundled()));
    let (one, two) = tokio::join!(
        package::install_all(&world.db, &other),
        package::install_all(&world.db, &world.catalogue)
    );
    one.and(two).unwrap();
    assert_eq!(users::count(&mut world.db.read()).await.unwrap(), before);
    assert_eq!(other.get(DICE).unwrap().bot.id, bot.id);
    let custom = reactions::catalogue(&mut world.db.read()).await.unwrap();
    assert!(custom.iter().any(|it| it.code == "dice" && it.plugin_id.as_deref() == Some(DICE)));
    let general = world.general().await;
    let role = access::admit(&mut world.db.read(), bot.id, general).await.unwrap().role();
    assert_eq!(role, Some(ChannelRole::Member));
}

#[tokio::test]
async fn a_bundled_plugin_is_updated_when_its_manifest_alone_changed() {
    let world = World::new().await;
    let dice = bundled().iter().find(|it| it.name == "dice").unwrap();
    let text = dice.manifest.replace("code = \"dice\"", "code = \"dice\"\nwho = \"admin\"\nper-day = 7");
    let manifest: &'static str = text.leak();
    let changed: &'static [Bundled] = vec![Bundled { manifest, ..*dice }].leak();
    let cache = world.folder.path().join("plugins-cache");
    let newer = Catalogue::new(&world.db, &world.bus, &cache, Package::all(changed));
    package::install_all(&world.db, &newer).await.unwrap();
    let all = reactions::catalogue(&mut world.db.read()).await.unwrap();
    let rule = all.iter().find(|it| it.code == "dice").unwrap();
    assert_eq!((rule.who.as_deref(), rule.per_message, rule.per_day), (Some("admin"), None, Some(7)));
    assert_eq!(plugins::find(&mut world.db.read(), DICE).await.unwrap().manifest, manifest);
}

#[tokio::test]
async fn an_image_comes_with_a_bundled_plugin_and_is_shown_once_it_runs() {
    let world = World::new().await;
    let karma = async || {
        let all = reactions::catalogue(&mut world.db.read()).await.unwrap();
        all.into_iter().find(|it| it.code == "karma")
    };
    assert!(karma().await.is_none(), "nobody switched it on yet");
    world.db.write(move |tx| plugins::enable(tx, "chat.confab.karma", true, None).boxed()).await.unwrap();
    package::install_all(&world.db, &world.catalogue).await.unwrap();
    let shown = karma().await.unwrap();
    assert_eq!((shown.symbol.as_deref(), shown.per_day), (Some("🌟"), Some(100)));
    let name = shown.image_sha256.unwrap();
    let (_, image) = bundled().iter().find(|it| it.name == "karma").unwrap().images[0];
    let on = &mut world.db.read();
    assert_eq!(parts::picture(on, &name).await.unwrap().as_deref(), Some(image));
    // A component is no picture, by whatever name it is asked for.
    parts::keep(&world.db, "component", b"\0asm and so on").await.unwrap();
    assert_eq!(parts::picture(&mut world.db.read(), "component").await.unwrap(), None);
}

#[tokio::test]
async fn what_an_administrator_switches_off_is_off_until_it_is_switched_on() {
    let world = World::new().await;
    let general = world.general().await;
    for enabled in [false, true] {
        world.db.write(move |tx| plugins::enable(tx, DICE, enabled, None).boxed()).await.unwrap();
        package::install_all(&world.db, &world.catalogue).await.unwrap();
        let answered = world.commands.run(world.asked(general, "/roll")).await;
        assert_eq!(answered.is_ok(), enabled);
        let listed = world.commands.list();
        let rolls = listed["items"].as_array().unwrap().iter().any(|it| it["name"] == "roll");
        assert_eq!(rolls, enabled);
    }
}

#[tokio::test]
async fn a_plugin_that_cannot_be_loaded_is_disabled_and_fails_no_start() {
    static BROKEN: [Bundled; 2] = [
        Bundled {
            name: "broken",
            manifest: include_str!("../../../../plugins/host/tests/hostile.toml"),
            starts: true,
            wasm: b"",
            images: &[],
        },
        Bundled { name: "nonsense", manifest: "this is no manifest", starts: true, wasm: b"", images: &[] },
    ];
    let world = World::with(&BROKEN).await;
    assert!(world.catalogue.all().is_empty());
    let all = plugins::all(&mut world.db.read()).await.unwrap();
    assert_eq!(all.len(), 1);
    assert!(!all[0].is_enabled);
    let reason = all[0].disabled_reason.as_deref().unwrap();
    assert!(reason.starts_with("stopped by the server: cannot be loaded: "), "{reason}");
}

#[tokio::test]
async fn a_component_of_another_version_of_this_program_is_left_to_it() {
    let world = World::new().await;
    let cache = world.folder.path().join("plugins-cache");
    let other = Catalogue::new(&world.db, &world.bus, &cache, Package::all(&HOSTILE_BUNDLE));
    let standings = other.reload().await.unwrap();
    assert_eq!(standings.len(), confab_plugin_host::bundled().len());
    // Those that an administrator has to switch on are off as before.
    let on = confab_plugin_host::bundled().iter().filter(|it| it.starts).count();
    let unknown = standings.iter().filter(|(_, it)| *it == Standing::Unknown);
    assert_eq!(unknown.count(), on, "{standings:?}");
    let enabled = plugins::all(&mut world.db.read()).await.unwrap().into_iter().filter(|it| it.is_enabled);
    assert_eq!(enabled.count(), on);
}
