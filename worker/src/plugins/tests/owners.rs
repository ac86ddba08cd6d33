//! Codes that two want: whose they are in the catalogue is told of them, and has a say.

use confab_core::plugins;
use confab_core::roles::Granted;

use super::tools::{PROBE, PROBE_BUNDLE};
use super::*;
use crate::consumer::Handler as _;
use crate::plugins::deliver::Deliveries;
use crate::plugins::{GATE, offered};

/// Before all others, by its id.
const DOUBLE: &str = "chat.confab.adouble";

/// A plugin and its double, which has the same reaction and comes first.
fn with_double(one: &Bundled, id: &str) -> &'static [Bundled] {
    let manifest: &'static str = one.manifest.replace(id, DOUBLE).leak();
    vec![Bundled { manifest, ..*one }, *one].leak()
}

impl World {
    /// The same server with more plugins.
    async fn come(&mut self, bundled: &'static [Bundled]) {
        let cache = self.folder.path().join("plugins-cache");
        self.catalogue = Arc::new(Catalogue::new(&self.db, &self.bus, &cache, Package::all(bundled)));
        package::install_all(&self.db, &self.catalogue).await.unwrap();
    }

    async fn brings(&self, plugin_id: &str, event: &Event) {
        let (db, catalogue) = (self.db.clone(), Arc::clone(&self.catalogue));
        let deliveries = Deliveries { db, catalogue, plugin_id: plugin_id.to_owned() };
        deliveries.handle(event, 1).await.unwrap();
    }

    async fn owner(&self, code: &str) -> Option<String> {
        reactions::owner(&mut self.db.read(), code).await.unwrap()
    }

    /// What administrators are told of a plugin's only reaction.
    async fn is_taken(&self, plugin_id: &str) -> bool {
        let listed = offered::installed(&self.db, &self.catalogue).await.unwrap();
        let items = listed["items"].as_array().unwrap();
        let plugin = items.iter().find(|it| it["id"] == plugin_id).unwrap();
        plugin["reactions"][0]["is_taken"] == true
    }
}

#[tokio::test]
async fn of_two_plugins_with_one_code_the_one_that_has_it_is_told() {
    let dice = bundled().iter().find(|it| it.name == "dice").unwrap();
    let mut world = World::with(vec![*dice].leak()).await;
    world.come(with_double(dice, DICE)).await;
    assert_eq!(world.owner("dice").await.as_deref(), Some(DICE));
    assert_eq!((world.is_taken(DICE).await, world.is_taken(DOUBLE).await), (false, true));

    let general = world.general().await;
    let root = world.post(general, "who goes first?").await;
    world.react(world.ada, root, "dice").await;
    let event = world.last(EventKind::ReactionAdded).await;
    world.brings(DOUBLE, &event).await;
    assert!(world.said(general).await.is_empty(), "it is another's");
    world.brings(DICE, &event).await;
    assert_eq!(world.said(general).await.len(), 1);

    // What the dice leave behind is the next one's.
    let removed = world.db.write(|tx| {
        async move { plugins::administration::remove(tx, &Granted::operator(), DICE).await }.boxed()
    });
    removed.await.unwrap();
    assert_eq!(world.owner("dice").await, None);
    crate::plugins::reactions::register_all(&world.db).await.unwrap();
    world.catalogue.reload().await.unwrap();
    assert_eq!(world.owner("dice").await.as_deref(), Some(DOUBLE));
    assert!(!world.is_taken(DOUBLE).await);
    let next = world.post(general, "and now?").await;
    world.react(world.ada, next, "dice").await;
    world.brings(DOUBLE, &world.last(EventKind::ReactionAdded).await).await;
    assert_eq!(world.said(general).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_plugins_with_one_code_the_one_that_has_it_is_asked() {
    let mut world = World::with(&PROBE_BUNDLE).await;
    world.come(with_double(&PROBE_BUNDLE[0], PROBE)).await;
    offered::offer(&world.db, &world.bus, &world.catalogue).await.unwrap();
    assert_eq!(world.owner("sold").await.as_deref(), Some(PROBE));
    let general = world.general().await;
    let message = world.post(general, "an anchor, hardly used").await;
    let sold = async |plugin_id: &'static str| {
        let (key, value) = (format!("sold:{message}"), "YWRh".to_owned());
        let kept = world.db.write(move |tx| {
            async move { plugins::keep(tx, plugin_id, &key, value, None, None).await }.boxed()
        });
        kept.await.unwrap();
    };
    let question = serde_json::json!({ "user_id": world.ada, "message_id": message, "code": "sold" });
    let said = async || {
        let answer: serde_json::Value = world.bus.ask(GATE, &question).await.unwrap();
        answer.get("refusal").cloned()
    };
    // They have 50 ms for their say, and are compiled first.
    for id in [DOUBLE, PROBE] {
        let loaded = world.catalogue.get(id).unwrap();
        assert!(world.catalogue.handlers(&loaded).await.is_ok(), "{id}");
    }
    sold(DOUBLE).await;
    for _ in 0..5 {
        assert_eq!(said().await, None, "what another plugin says of its code counts for nothing");
    }
    sold(PROBE).await;
    let refused = async { while said().await.is_none() {} };
    tokio::time::timeout(std::time::Duration::from_mins(1), refused).await.unwrap();
}
