//! The plugins for teams that come with Confab and wait to be switched on: karma, moderation, stand-ups, incidents.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{User, id, items};
use crate::harness::{both, wait_for, wait_until};

both! {
    async fn karma_is_given_by_words_and_by_a_reaction(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let harbour = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&harbour);
        bob.join(harbour, 200).await;
        // Off until an administrator wants it.
        assert!(!knows(&ada, "karma").await);
        switch_on(&world.admin().await, &ada, "karma", "karma").await;
        let none = ada.command(harbour, "/karma", 200).await;
        assert!(none["content"].as_str().unwrap().contains("Nobody has karma yet"), "{none}");

        let thanks = ada.post(harbour, "@bob++ and coffee++, not `i++`", 201).await;
        karma(&ada, harbour, "bob", 1).await;
        karma(&ada, harbour, "coffee", 1).await;
        karma(&ada, harbour, "i", 0).await;
        wait_until("the sign that it was counted", async || {
            ada.read(id(&thanks), 200).await["reactions"].to_string().contains("⭐")
        }).await;
        ada.post(harbour, "ada++", 201).await;
        wait_until("ada to be told", async || whispers(&ada, harbour).await.iter().any(|it| said(it).contains("to themselves"))).await;
        karma(&ada, harbour, "ada", 0).await;

        let deed = bob.post(harbour, "the winch is greased", 201).await;
        ada.react(id(&deed), "karma", 204).await;
        karma(&ada, harbour, "@Bob", 2).await;
        // The plugin has 50 ms to refuse it; where it is late the reaction counts, and gives nothing.
        let own = bob.call(Method::PUT, &format!("/api/v1/messages/{}/reactions/karma", id(&deed)), None).await;
        assert!(matches!(own.status, 409 | 204), "{}", own.text);
        ada.send(Method::DELETE, &format!("/api/v1/messages/{}/reactions/karma", id(&deed)), None, 204).await;
        karma(&ada, harbour, "bob", 1).await;
        bob.post(harbour, "coffee++", 201).await;
        karma(&bob, harbour, "coffee", 2).await;
        let board = bob.command(harbour, "/karma", 200).await;
        let text = board["content"].as_str().unwrap();
        assert_eq!(board["outcome"], "public");
        assert!(text.contains("🥇 1. `coffee` 2") && text.contains("🥈 2. `bob` 1"), "{text}");
    }

    async fn moderators_are_told_of_words_and_reports(world) {
        let (ada, bob, eve) = (world.user("ada").await, world.user("bob").await, world.user("eve").await);
        let harbour = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&harbour);
        for user in [&bob, &eve] {
            user.join(harbour, 200).await;
        }
        let admin = world.admin().await;
        let plugin = switch_on(&admin, &ada, "moderation", "moderation").await;
        configure(&admin, &plugin, &json!({ "words": "scurv*, walk the plank" })).await;
        wait_until("the words to be known", async || {
            said(&ada.command(harbour, "/moderation", 200).await).contains("2 words")
        }).await;
        bob.post(harbour, "a class of its own", 201).await;
        bob.post(harbour, "you scurvy dog", 201).await;
        let case = wait_for("the case", async || {
            whispers(&ada, harbour).await.into_iter().find(|it| said(it).contains("“scurv*”"))
        }).await;
        assert!(said(&case).contains("> you scurvy dog") && case["blocks"][0]["label"] == "Dealt with", "{case}");
        wait_until("bob to be told", async || whispers(&bob, harbour).await.iter().any(|it| said(it).contains("is flagged"))).await;
        assert!(whispers(&eve, harbour).await.is_empty(), "no one else hears of it");
        let dealt = ada.send(Method::POST, &format!("/api/v1/messages/{}/actions/0", id(&case)), None, 200).await;
        assert!(said(&dealt["whisper"]).contains("dealt with it"), "{dealt}");

        // With a channel for moderators they are told there; of one message once.
        let deck = ada.create_channel("bridge", "private", 201).await;
        let deck = id(&deck);
        let bot = plugin["bot_id"].as_str().unwrap().to_owned();
        ada.add_member(deck, &User { id: bot, ..ada.clone() }, 201).await;
        configure(&admin, &plugin, &json!({ "channel": "bridge", "tell-author": false })).await;
        wait_until("the channel to be known", async || {
            said(&ada.command(harbour, "/moderation", 200).await).contains("in their channel")
        }).await;
        let rude = eve.post(harbour, "nobody likes @bob", 201).await;
        bob.react(id(&rude), "report", 204).await;
        let case = wait_for("the report", async || bot_message(&ada, deck).await).await;
        assert!(said(&case).contains("**bob** reported a message of **eve**") && !said(&case).contains("@bob"), "{case}");
        wait_until("bob to be thanked", async || whispers(&bob, harbour).await.iter().any(|it| said(it).contains("were told."))).await;
        ada.react(id(&rude), "report", 204).await;
        wait_until("ada to hear that it is known", async || {
            whispers(&ada, harbour).await.iter().any(|it| said(it).contains("already"))
        }).await;
        assert_eq!(bot_messages(&ada, deck).await.len(), 1, "one case for one message");
        let about = eve.post(harbour, "Walk, the plank!", 201).await;
        eve.delete(id(&about), 204).await;
        let other = eve.post(harbour, "you may walk the plank", 201).await;
        wait_until("the word", async || said(&bot_message(&ada, deck).await.unwrap()).contains("you may walk")).await;
        drop(other);
    }

    async fn a_stand_up_is_asked_answered_and_summed_up(world) {
        let (ada, bob, cyd) = (world.user("ada").await, world.user("bob").await, world.user("cyd").await);
        let harbour = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&harbour);
        bob.join(harbour, 200).await;
        let _ = switch_on(&world.admin().await, &ada, "standup", "standup").await;
        let none = bob.command(harbour, "/did nothing", 200).await;
        assert!(said(&none).contains("No stand-up is open here"), "{none}");

        ada.command(harbour, "/standup now minutes=5 How is the crane?", 200).await;
        let asked = wait_for("the question", async || bot_message(&bob, harbour).await).await;
        assert!(said(&asked).contains("How is the crane?") && said(&asked).contains("0 of 2 answered"), "{asked}");
        let of_bob = wait_for("bob to be asked", async || whispers(&bob, harbour).await.pop()).await;
        assert!(said(&of_bob).contains("`/did …`"), "{of_bob}");
        let again = ada.command(harbour, "/standup now", 200).await;
        assert!(said(&again).contains("A stand-up is open here"), "{again}");
        cyd.command(harbour, "/did something", 403).await;

        let noted = ada.command(harbour, "/did greased the winch; next: paint", 200).await;
        assert_eq!(noted["outcome"], "whisper");
        bob.send(Method::POST, &format!("/api/v1/messages/{}/actions/0", id(&asked)), None, 200).await;
        wait_until("both answers to be counted", async || {
            let shown = ada.read(id(&asked), 200).await;
            said(&shown).contains("2 of 2 answered") && said(&shown).contains("ada, bob")
        }).await;
        bob.command(harbour, "/did found the leak", 200).await;
        ada.send(Method::POST, &format!("/api/v1/messages/{}/actions/1", id(&asked)), None, 200).await;
        let summary = wait_for("the summary", async || {
            bot_message(&bob, harbour).await.filter(|it| it["id"] != asked["id"])
        }).await;
        assert!(said(&summary).contains("**ada**\n> greased the winch; next: paint\n\n**bob**\n> found the leak"), "{summary}");
        let closed = ada.read(id(&asked), 200).await;
        assert!(said(&closed).contains("Closed") && closed["blocks"].as_array().is_none_or(Vec::is_empty), "{closed}");
        let late = bob.command(harbour, "/did more", 200).await;
        assert!(said(&late).contains("No stand-up is open"), "{late}");

        let wrong = ada.command(harbour, "/standup daily soon", 200).await;
        assert!(said(&wrong).contains("Say when"), "{wrong}");
        let daily = ada.command(harbour, "/standup daily 9:05 What now?", 200).await;
        assert!(said(&daily).contains("9:05: What now?"), "{daily}");
        assert!(said(&ada.command(harbour, "/standup show", 200).await).contains("every working day"));
        assert!(said(&ada.command(harbour, "/standup stop", 200).await).contains("no daily stand-up here any more"));
    }

    async fn an_incident_has_a_channel_a_timeline_and_an_end(world) {
        let (ada, bob, eve) = (world.user("ada").await, world.user("bob").await, world.user("eve").await);
        let harbour = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&harbour);
        bob.join(harbour, 200).await;
        let _ = switch_on(&world.admin().await, &ada, "incident", "incident").await;
        let lost = ada.command(harbour, "/incident note lost", 200).await;
        assert!(said(&lost).contains("no incident's channel"), "{lost}");
        let opened = ada.command(harbour, "/incident open The crane is stuck", 200).await;
        assert_eq!(opened["outcome"], "public");
        assert!(said(&opened).contains("Incident 1: The crane is stuck") && said(&opened).contains("#incident-1-the-crane-is-stuck"), "{opened}");
        let channels = ada.get("/api/v1/channels/me?limit=100", 200).await;
        let room = items(&channels).iter().find(|it| it["name"] == "incident-1-the-crane-is-stuck").expect("its channel").clone();
        let room = id(&room);
        let card = bot_message(&ada, room).await.expect("a card");
        assert!(said(&card).contains("nobody is on it yet"), "{card}");

        bob.join(room, 200).await;
        bob.send(Method::POST, &format!("/api/v1/messages/{}/actions/0", id(&card)), None, 200).await;
        wait_until("bob to be on it", async || said(&ada.read(id(&card), 200).await).contains("bob is on it")).await;
        ada.command(room, "/incident note the brake is worn", 200).await;
        let hint = bob.post(room, "the chain jumped at noon", 201).await;
        ada.react(id(&hint), "timeline", 204).await;
        wait_until("the timeline", async || {
            let now = ada.command(room, "/incident summary", 200).await;
            let text = said(&now);
            text.contains("**ada** the brake is worn") && text.contains("**bob** “the chain jumped at noon”") && text.contains("2 involved")
        }).await;
        // The assistant sums up all that was said, for whoever asks, and that is no conversation of theirs.
        // It may be late, and the timeline alone is shown then.
        let summed = wait_for("the assistant's summary", async || {
            let text = said(&ada.command(room, "/incident summary", 200).await);
            text.contains("What stands out").then_some(text)
        }).await;
        assert!(summed.contains("**ada** the brake is worn"), "{summed}");
        assert!(items(&ada.get("/api/v1/ai/conversations", 200).await).is_empty());
        // Where it is off for them, or was not granted, the timeline is the summary.
        ada.send(Method::PUT, "/api/v1/users/me/assistant", Some(&json!({ "is_off": true })), 200).await;
        let alone = said(&ada.command(room, "/incident summary", 200).await);
        assert!(!alone.contains("What stands out") && alone.contains("**ada** the brake is worn"), "{alone}");
        wait_until("the assistant's summary for bob", async || {
            said(&bob.command(room, "/incident summary", 200).await).contains("What stands out")
        }).await;
        let less = json!({ "grants": ["messages.read", "messages.post", "messages.edit-own", "channels.create", "storage"] });
        world.admin().await.send(Method::PUT, "/api/v1/plugins/chat.confab.incident/grants", Some(&less), 200).await;
        wait_until("the grant to be gone", async || {
            let text = said(&bob.command(room, "/incident summary", 200).await);
            !text.contains("What stands out") && text.contains("**ada** the brake is worn")
        }).await;
        let listed = ada.command(harbour, "/incident list", 200).await;
        assert!(said(&listed).contains("1: The crane is stuck"), "{listed}");
        eve.send(Method::POST, &format!("/api/v1/messages/{}/actions/2", id(&card)), None, 403).await;

        let closed = ada.command(room, "/incident close new brake", 200).await;
        assert!(said(&closed).contains("closed after") && said(&closed).contains("closed the incident: new brake"), "{closed}");
        let late = ada.command(room, "/incident note too late", 200).await;
        assert!(said(&late).contains("is closed"), "{late}");
        assert!(said(&ada.command(harbour, "/incident list", 200).await).contains("No incident is open"));

        let hidden = ada.command(harbour, "/incident open-private Somebody read the logs", 200).await;
        assert_eq!(hidden["outcome"], "whisper", "what only some may see is not told to all: {hidden}");
        let seen = bob.get("/api/v1/channels?limit=100", 200).await;
        assert!(!seen.to_string().contains("somebody-read"), "{seen}");
    }
}

/// Switches a bundled plugin on and waits until its command is known; answers it as administrators see it.
pub async fn switch_on(admin: &User, user: &User, name: &str, command: &str) -> Value {
    let plugin_id = format!("chat.confab.{name}");
    let path = format!("/api/v1/plugins/{plugin_id}");
    let plugin = wait_for("the plugin to be installed", async || {
        let reply = admin.call(Method::GET, &path, None).await;
        (reply.status == 200).then(|| reply.body())
    })
    .await;
    admin.send(Method::PUT, &format!("{path}/enable"), None, 200).await;
    wait_until("the command to be known", async || knows(user, command).await).await;
    plugin
}

pub async fn configure(admin: &User, plugin: &Value, settings: &Value) {
    let path = format!("/api/v1/plugins/{}/config", id(plugin));
    admin.send(Method::PUT, &path, Some(&json!({ "settings": settings })), 200).await;
}

async fn knows(user: &User, command: &str) -> bool {
    let reply = user.call(Method::GET, "/api/v1/commands", None).await;
    reply.status == 200 && items(&reply.body()).iter().any(|it| it["name"] == command)
}

async fn karma(user: &User, channel: &str, name: &str, expected: i64) {
    let wanted = format!("has {expected} karma");
    wait_until("the karma", async || {
        said(&user.command(channel, &format!("/karma {name}"), 200).await).contains(&wanted)
    })
    .await;
}

async fn whispers(user: &User, channel: &str) -> Vec<Value> {
    items(&user.get(&format!("/api/v1/channels/{channel}/whispers"), 200).await).to_vec()
}

pub async fn bot_messages(user: &User, channel: &str) -> Vec<Value> {
    let page = user.list(channel, "", 200).await;
    items(&page).iter().filter(|it| it["is_bot"] == true && it["deleted_at"].is_null()).cloned().collect()
}

pub async fn bot_message(user: &User, channel: &str) -> Option<Value> {
    bot_messages(user, channel).await.pop()
}

pub fn said(of: &Value) -> String {
    of["content"].as_str().unwrap_or_default().to_owned()
}
