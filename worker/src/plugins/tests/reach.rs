//! How far a plugin hears and reads: where its bot is a member, in public channels, or everywhere, as it was granted.

use std::time::Duration;

use confab_core::{audit, plugins};
use confab_plugin_host::{Draft as Words, Failure, Host as _};

use super::followed::Running;
use super::tools::PROBE;
use super::*;
use crate::consumer::Handler as _;
use crate::plugins::deliver::Deliveries;
use crate::plugins::host::{BotHost, Occasion};
use crate::plugins::{GATE, words};

const JOINED: [&str; 5] =
    ["messages.post", "messages.read", "users.read", "storage", "events.message-posted"];

/// The hostile plugin, which keeps something when it hears `keep`, and asks to read everywhere.
fn curious() -> &'static [Bundled] {
    let asks = r#"permissions = ["messages.post", "messages.read", "users.read", "storage", "channels.all"]"#;
    let manifest = HOSTILE_BUNDLE[0].manifest.replace(r#"permissions = ["messages.post", "storage"]"#, asks);
    vec![Bundled { manifest: manifest.leak(), ..HOSTILE_BUNDLE[0] }].leak()
}

impl World {
    async fn reaches(&self, more: Option<&str>) {
        let granted: Vec<&str> = JOINED.into_iter().chain(more).collect();
        let text = serde_json::to_string(&granted).unwrap();
        let by = confab_core::roles::Granted::operator();
        let written = self.db.write(move |tx| {
            async move { plugins::administration::grant(tx, &by, HOSTILE, text).await }.boxed()
        });
        written.await.unwrap();
        self.catalogue.reload().await.unwrap();
    }

    /// How often it kept something.
    async fn kept(&self) -> i64 {
        let found = plugins::value(&mut self.db.read(), HOSTILE, "key").await.unwrap();
        found.map_or(0, |(_, revision)| revision)
    }

    /// Brings it an event; answers whether it heard.
    async fn hears(&self, event: &Event) -> bool {
        let before = self.kept().await;
        let (db, catalogue) = (self.db.clone(), Arc::clone(&self.catalogue));
        let deliveries = Deliveries { db, catalogue, plugin_id: HOSTILE.to_owned() };
        deliveries.handle(event, 1).await.unwrap();
        self.kept().await > before
    }

    async fn said_in(&self, channel: ChannelId) -> Event {
        self.post(channel, "keep").await;
        self.last(EventKind::NewMessage).await
    }

    /// Whether it hears of what is said now.
    async fn hears_in(&self, channel: ChannelId) -> bool {
        let event = self.said_in(channel).await;
        self.hears(&event).await
    }

    async fn set_private(&self, channel: ChannelId, is_private: bool) {
        let ada = self.ada;
        let set = self.db.write(move |tx| {
            async move { channels::set_private(tx, &ada.into(), channel, is_private, true).await }.boxed()
        });
        assert!(set.await.unwrap());
    }

    async fn conversation(&self) -> ChannelId {
        let (ada, bob) = (self.ada, new_user(&self.db, "bob").await);
        let opened = self
            .db
            .write(move |tx| async move { channels::open_direct(tx, ada, &[bob]).await }.boxed())
            .await;
        opened.unwrap().0
    }

    /// What the audit log says that was denied.
    async fn denied(&self) -> Vec<String> {
        let stop = CancellationToken::new();
        stop.cancel();
        self.catalogue.notes().write(self.db.clone(), stop).await;
        let filter = audit::Filter { action: Some("plugin.denied".into()), ..audit::Filter::default() };
        let found = audit::list(&mut self.db.read(), &filter, None, 10).await.unwrap();
        let permission = |it: &audit::Entry| {
            it.detail.as_ref().and_then(|it| it["permission"].as_str().map(str::to_owned))
        };
        found.iter().filter_map(permission).collect()
    }

    fn host(&self, person: Option<UserId>) -> Arc<BotHost> {
        let loaded = self.catalogue.get(HOSTILE).unwrap();
        self.catalogue.host(&loaded, Occasion::event(1), person)
    }
}

#[tokio::test]
async fn a_plugin_hears_where_its_bot_is_or_as_far_as_it_was_granted() {
    let world = World::with(curious()).await;
    let general = world.general().await;
    let harbour = world.channel("harbour", ChannelKind::Public).await;
    let vault = world.channel("vault", ChannelKind::Private).await;
    let direct = world.conversation().await;
    let heard = async || {
        let mut heard = Vec::new();
        for channel in [general, harbour, vault, direct] {
            heard.push(world.hears_in(channel).await);
        }
        heard
    };
    world.reaches(None).await;
    assert_eq!(heard().await, [true, false, false, false], "its bot's channels");
    world.reaches(Some("channels.public")).await;
    assert_eq!(heard().await, [true, true, false, false], "and public ones");
    world.reaches(Some("channels.all")).await;
    assert_eq!(heard().await, [true, true, true, true], "and all others");
    // Who joins later is told of what was before only by what was granted.
    let before = world.said_in(vault).await;
    world.add(vault, world.catalogue.get(HOSTILE).unwrap().bot.id).await;
    assert!(world.hears(&before).await);
    world.reaches(None).await;
    assert!(!world.hears(&before).await);
    assert_eq!(heard().await, [true, false, true, false], "taken back, and a member of the vault");
}

#[tokio::test]
async fn a_channel_that_closes_or_opens_is_heard_as_it_was() {
    let world = World::with(curious()).await;
    world.reaches(Some("channels.public")).await;
    let harbour = world.channel("harbour", ChannelKind::Public).await;
    assert!(world.hears_in(harbour).await);
    let open = world.said_in(harbour).await;
    world.set_private(harbour, true).await;
    let closed = world.said_in(harbour).await;
    assert!(!world.hears(&closed).await, "it stops behind the change");
    assert!(!world.hears(&open).await, "what it was behind with is private now");
    world.set_private(harbour, false).await;
    assert!(!world.hears(&closed).await, "what was said in private is not told");
    assert!(!world.hears(&open).await);
    assert!(world.hears_in(harbour).await, "it goes on behind the change");
    // Whoever may hear all hears all of it.
    world.reaches(Some("channels.all")).await;
    assert!(world.hears(&closed).await && world.hears(&open).await);
    let ada = world.ada;
    let deleted =
        world.db.write(move |tx| async move { channels::delete(tx, &ada.into(), harbour).await }.boxed());
    deleted.await.unwrap();
    assert!(!world.hears(&open).await, "a deleted channel is nobody's");
}

#[tokio::test]
async fn a_plugin_reads_where_it_hears_and_writes_where_its_bot_is() {
    let world = World::with(curious()).await;
    let harbour = world.channel("harbour", ChannelKind::Public).await;
    let vault = world.channel("vault", ChannelKind::Private).await;
    let (in_harbour, in_vault) = (world.post(harbour, "keep").await, world.post(vault, "keep").await);
    let place = |channel| words::place(channel, None);
    let reads = async |channel: ChannelId, message: MessageId, expected: Option<&Failure>| {
        let host = world.host(None);
        let thread = words::place(channel, Some(message));
        for refused in [
            host.get_message(message.to_string()).await.err(),
            host.recent_messages(place(channel), 10).await.err(),
            host.recent_messages(thread, 10).await.err(),
            host.members(channel.to_string(), 10).await.err(),
        ] {
            match expected {
                None => assert_eq!(refused, None),
                Some(Failure::Denied(_)) => {
                    assert!(matches!(refused, Some(Failure::Denied(_))), "{refused:?}");
                }
                Some(_) => assert_eq!(refused, Some(Failure::NotFound)),
            }
        }
    };
    let (denied, absent) = (Failure::Denied(String::new()), Failure::NotFound);
    world.reaches(None).await;
    reads(harbour, in_harbour, Some(&denied)).await;
    reads(vault, in_vault, Some(&absent)).await;
    assert_eq!(
        world.denied().await,
        ["channels.public"],
        "what everybody else may read, and nothing that is hidden"
    );
    world.reaches(Some("channels.public")).await;
    reads(harbour, in_harbour, None).await;
    reads(vault, in_vault, Some(&absent)).await;
    world.reaches(Some("channels.all")).await;
    reads(harbour, in_harbour, None).await;
    reads(vault, in_vault, None).await;

    // It writes nowhere that its bot is not, and for a person it reads no more than they do.
    let host = world.host(None);
    assert!(matches!(host.post_message(place(harbour), Words::text("x")).await, Err(Failure::Denied(_))));
    assert_eq!(host.post_message(place(vault), Words::text("x")).await, Err(Failure::NotFound));
    let eve = new_user(&world.db, "eve").await;
    let refused = world.host(Some(eve)).get_message(in_vault.to_string()).await;
    assert_eq!(refused, Err(Failure::NotFound));
    assert!(world.host(Some(world.ada)).get_message(in_vault.to_string()).await.is_ok());
    // What was erased is gone for everybody.
    let ada = world.ada;
    world.db.write(move |tx| messages::delete(tx, ada, in_vault).boxed()).await.unwrap();
    assert_eq!(host.get_message(in_vault.to_string()).await, Err(Failure::NotFound));
    assert_eq!(host.recent_messages(place(vault), 10).await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_plugin_has_no_say_where_it_hears_of_nothing() {
    let world = tools::world().await;
    let harbour = world.channel("harbour", ChannelKind::Public).await;
    let message = world.post(harbour, "an anchor, hardly used").await;
    let (key, value) = (format!("sold:{message}"), "YWRh".to_owned());
    let kept = world
        .db
        .write(move |tx| async move { plugins::keep(tx, PROBE, &key, value, None, None).await }.boxed());
    kept.await.unwrap();
    let question = serde_json::json!({ "user_id": world.ada, "message_id": message, "code": "sold" });
    let said = async || {
        let answer: serde_json::Value = world.bus.ask(GATE, &question).await.unwrap();
        answer.get("refusal").cloned()
    };
    let bot = world.catalogue.get(PROBE).unwrap().bot.id;
    world.add(harbour, bot).await;
    // It has 50 ms for its say: each that is over before it is compiled would begin to compile it once more.
    assert!(world.catalogue.handlers(&world.catalogue.get(PROBE).unwrap()).await.is_ok());
    let refused = async { while said().await.is_none() {} };
    tokio::time::timeout(Duration::from_mins(1), refused).await.unwrap();
    world.remove(harbour, bot).await;
    assert_eq!(said().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_worker_heeds_what_is_granted_and_taken_back() {
    let bundled = curious();
    let world = World::with(bundled).await;
    let general = world.general().await;
    let harbour = world.channel("harbour", ChannelKind::Public).await;
    let vault = world.channel("vault", ChannelKind::Private).await;
    let running = Running::start(&world, bundled).await;
    // How much is heard of what is said now. It hears in order: when it answers, it has heard all that was before.
    let heard = async |channels: &[ChannelId]| {
        let (before, answers) = (world.kept().await, world.said(general).await.len());
        for channel in channels {
            world.post(*channel, "keep").await;
        }
        world.post(general, "post").await;
        let answered = async {
            while world.said(general).await.len() == answers {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), answered).await.unwrap();
        world.kept().await - before
    };
    let (public, all) = (Some("channels.public"), Some("channels.all"));
    for (more, expected) in [(None, 1), (public, 2), (all, 3), (public, 2), (None, 1)] {
        world.reaches(more).await;
        assert_eq!(heard(&[harbour, vault, general]).await, expected, "{more:?}");
    }
    // What a channel was is not remembered beyond its change.
    world.reaches(public).await;
    assert_eq!(heard(&[harbour]).await, 1);
    world.set_private(harbour, true).await;
    assert_eq!(heard(&[harbour]).await, 0);
    world.set_private(harbour, false).await;
    assert_eq!(heard(&[harbour]).await, 1);
    running.stop().await;
}
