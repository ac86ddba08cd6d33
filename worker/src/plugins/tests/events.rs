//! What the dice are told, and what they say to it.

use std::time::Duration;

use confab_core::cursors;
use confab_core::messages::NewMessage;
use confab_plugin_host::{Draft as Words, Failure, Host as _};
use confab_protocol::{ChannelKind, Timestamp};

use tokio_util::task::TaskTracker;

use super::*;
use crate::consumer::Handler as _;
use crate::plugins::deliver::{Deliveries, consumer_name};
use crate::plugins::host::Occasion;
use crate::plugins::words;

impl World {
    async fn deliver(&self, event: &Event) {
        let (db, catalogue) = (self.db.clone(), Arc::clone(&self.catalogue));
        let deliveries = Deliveries { db, catalogue, plugin_id: DICE.to_owned() };
        deliveries.handle(event, 1).await.unwrap();
    }
}

#[tokio::test]
async fn a_message_that_is_delivered_twice_is_answered_once() {
    let world = World::new().await;
    let general = world.general().await;
    // A hundred sides: it would say something else the second time, and that is no second answer.
    world.post(general, "!roll 9d100").await;
    let event = world.last(EventKind::NewMessage).await;
    world.deliver(&event).await;
    let said = world.said(general).await;
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].nonce, Some(format!("plugin:{DICE}:{}:0", event.pos)));
    world.deliver(&event).await;
    assert_eq!(world.said(general).await, said);

    // Its own message, and one that is deleted before it is told.
    world.deliver(&world.last(EventKind::NewMessage).await).await;
    let gone = world.post(general, "!roll").await;
    let event = world.last(EventKind::NewMessage).await;
    let ada = world.ada;
    world.db.write(move |tx| messages::delete(tx, ada, gone).boxed()).await.unwrap();
    world.deliver(&event).await;
    assert_eq!(world.said(general).await, said);
}

#[tokio::test]
async fn a_channel_without_the_bot_gets_nothing() {
    let world = World::new().await;
    let harbour = world.channel("harbour", ChannelKind::Public).await;
    let message = world.post(harbour, "!roll 2d6").await;
    world.react(world.ada, message, "dice").await;
    let (posted, reacted) =
        (world.last(EventKind::NewMessage).await, world.last(EventKind::ReactionAdded).await);
    world.deliver(&posted).await;
    world.deliver(&reacted).await;
    // Nor does it hear of what was said before it came.
    world.add(harbour, world.dice().bot.id).await;
    world.deliver(&posted).await;
    assert!(world.said(harbour).await.is_empty());
    world.post(harbour, "!roll 2d6").await;
    world.deliver(&world.last(EventKind::NewMessage).await).await;
    assert_eq!(world.said(harbour).await.len(), 1);
}

#[tokio::test]
async fn a_reaction_is_answered_in_the_thread_once_and_only_to_people() {
    let world = World::new().await;
    let general = world.general().await;
    let root = world.post(general, "who goes first?").await;
    world.react(world.ada, root, "dice").await;
    let event = world.last(EventKind::ReactionAdded).await;
    world.deliver(&event).await;
    world.deliver(&event).await;
    let said = world.said(general).await;
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(said[0].parent_id, Some(root));
    assert!(said[0].content.contains("ada rolled"), "{}", said[0].content);

    world.react(world.dice().bot.id, root, "dice").await;
    world.deliver(&world.last(EventKind::ReactionAdded).await).await;
    world.react(world.ada, root, "thumbsup").await;
    world.deliver(&world.last(EventKind::ReactionAdded).await).await;
    assert_eq!(world.said(general).await.len(), 1);
}

#[tokio::test]
async fn a_repeated_event_whispers_once() {
    let world = World::new().await;
    let dice = world.dice();
    let channel = world.channel("harbour", ChannelKind::Public).await;
    world.add(channel, dice.bot.id).await;
    let whispers = async || {
        let host = world.catalogue.host(&dice, Occasion::event(7), None);
        for text in ["the first", "the second"] {
            let (place, to) = (words::place(channel, None), world.ada.to_string());
            host.whisper(place, to, Words::text(text)).await.unwrap();
        }
        let said = confab_core::whispers::of_channel(&mut world.db.read(), world.ada, channel).await.unwrap();
        let mut said: Vec<String> = said.into_iter().map(|it| it.content).collect();
        said.sort_unstable();
        said
    };
    assert_eq!(whispers().await, ["the first", "the second"]);
    // The worker was killed before it noted that this was done.
    assert_eq!(whispers().await, ["the first", "the second"]);
}

#[tokio::test]
async fn a_removed_bot_cannot_speak_read_or_react() {
    let world = World::new().await;
    let dice = world.dice();
    for kind in [ChannelKind::Public, ChannelKind::Private] {
        let channel = world.channel(kind.as_str(), kind).await;
        let message = world.post(channel, "hello").await.to_string();
        world.add(channel, dice.bot.id).await;
        let host = world.catalogue.host(&dice, Occasion::event(1), None);
        let place = words::place(channel, None);
        let own = host.post_message(place.clone(), Words::text("here")).await.unwrap();
        assert!(matches!(
            host.edit_message(message.clone(), Words::text("x")).await,
            Err(Failure::Denied(_))
        ));
        assert!(matches!(host.delete_message(message.clone()).await, Err(Failure::Denied(_))));
        world.remove(channel, dice.bot.id).await;

        let hidden = kind == ChannelKind::Private;
        let refused = |failure: Failure| match failure {
            Failure::Denied(_) => !hidden,
            Failure::NotFound => hidden,
            _ => false,
        };
        assert!(refused(host.post_message(place.clone(), Words::text("still here")).await.unwrap_err()));
        assert!(refused(host.edit_message(own, Words::text("x")).await.unwrap_err()));
        assert!(refused(host.add_reaction(message.clone(), "dice".into()).await.unwrap_err()));
        assert!(refused(host.get_message(message).await.unwrap_err()));
        assert!(refused(host.recent_messages(place, 10).await.unwrap_err()));
        assert_eq!(world.said(channel).await.len(), 1);
    }
}

#[tokio::test]
async fn imported_history_is_not_answered() {
    let world = World::new().await;
    let general = world.general().await;
    let old = NewMessage {
        id: MessageId::new(),
        sender_id: world.ada,
        content: "!roll 2d6".into(),
        html: None,
        parent_id: None,
        nonce: None,
        mentions: Vec::new(),
        has_attachments: false,
        created_at: Timestamp(1_096_588_800_000),
    };
    world
        .db
        .write(move |tx| async move { messages::import(tx, general, &[old]).await }.boxed())
        .await
        .unwrap();
    world.deliver(&world.last(EventKind::NewMessage).await).await;
    assert!(world.said(general).await.is_empty());
}

#[tokio::test]
async fn a_running_worker_answers_what_was_said_since_the_installation_across_restarts() {
    let world = World::new().await;
    let general = world.general().await;
    for round in 1..=2 {
        // Said while no worker runs, and while one does.
        world.post(general, "!roll 2d6").await;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let (db, bus) = (world.db.clone(), world.bus.clone());
        crate::plugins::start_with(bundled(), db, bus, world.folder.path(), &tasks, stop.clone())
            .await
            .unwrap();
        world.post(general, "!roll 1d20").await;
        let answers = async {
            while world.said(general).await.len() < round * 2 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        // Shorter than the lease: a worker that stops in order lets the next one begin at once.
        tokio::time::timeout(Duration::from_mins(1), answers).await.unwrap();
        stop.cancel();
        tasks.close();
        // Nothing works on after this, so what is there now is all that will be.
        tokio::time::timeout(Duration::from_mins(1), tasks.wait()).await.unwrap();
        assert_eq!(world.said(general).await.len(), round * 2);
    }
    let listed: serde_json::Value =
        world.bus.ask("commands", &serde_json::json!({"user_id": world.ada})).await.unwrap();
    let roll = listed["items"].as_array().unwrap().iter().find(|it| it["name"] == "roll").unwrap();
    assert_eq!(roll["options"][0]["type"], "text");
    let question = serde_json::json!({
        "user_id": world.ada, "channel_id": general, "text": "/roll 2d6", "invocation_id": confab_protocol::fresh_id(),
    });
    let answer: serde_json::Value = world.bus.ask("command", &question).await.unwrap();
    assert_eq!((&answer["command"], &answer["outcome"]), (&"roll".into(), &"public".into()));
    assert_eq!(answer["message"]["sender"]["username"], "dice");
    let places = cursors::all(&mut world.db.read()).await.unwrap();
    assert!(places.iter().any(|(name, _)| *name == consumer_name(DICE)), "{places:?}");
}
