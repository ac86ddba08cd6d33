//! Polls and reminders, which come with Confab: buttons, counts, whispers, timers.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{User, id, items};
use crate::harness::{both, wait_for, wait_until};

both! {
    async fn a_poll_is_asked_answered_and_closed(world) {
        let (ada, bob, cyd) = (world.user("ada").await, world.user("bob").await, world.user("cyd").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        bob.join(harbour, 200).await;
        knows(&ada, "poll").await;
        let asked = ada.command(harbour, "/poll \"Tea or coffee?\" tea, coffee", 200).await;
        assert_eq!(asked["outcome"], "silent", "the poll is a message of the bot: {asked}");
        let poll = wait_for("the poll", async || bot_message(&bob, harbour).await).await;
        assert_eq!(labels(&poll), ["tea (0)", "coffee (0)", "Close the poll"], "{poll}");
        assert!(!poll.to_string().contains("payload"), "what a button means is the plugin's: {poll}");

        press(&bob, &poll, "0", 200).await;
        press(&ada, &poll, "0", 200).await;
        press(&bob, &poll, "1", 200).await;
        let counted = bot_message(&bob, harbour).await.unwrap();
        assert_eq!(labels(&counted), ["tea (1)", "coffee (1)", "Close the poll"], "{counted}");
        assert_eq!(counted["edited_at"], Value::Null, "a count is no edit");
        // Who is no member, or no such button: nothing.
        press(&cyd, &poll, "0", 403).await;
        press(&bob, &poll, "9", 404).await;
        press(&bob, &poll, "x", 404).await;
        let refused = press(&bob, &poll, "2", 200).await;
        assert!(refused["content"].as_str().unwrap().contains("Only"), "bob did not ask: {refused}");
        press(&ada, &poll, "2", 200).await;
        let closed = bot_message(&bob, harbour).await.unwrap();
        assert_eq!(labels(&closed), Vec::<String>::new());
        assert!(closed["content"].as_str().unwrap().contains("Closed"), "{closed}");
        press(&bob, &poll, "0", 404).await;

        // Votes at the same moment all count, and the last to draw draws them all.
        ada.command(harbour, "/poll \"All aboard?\" aye, no", 200).await;
        let poll = wait_for("the other poll", async || {
            bot_message(&bob, harbour).await.filter(|it| labels(it).first().is_some_and(|it| it == "aye (0)"))
        }).await;
        let (one, other) = tokio::join!(press(&ada, &poll, "0", 200), press(&bob, &poll, "0", 200));
        drop((one, other));
        wait_until("both votes to be shown", async || {
            labels(&bot_message(&bob, harbour).await.unwrap())[0] == "aye (2)"
        }).await;
        // A deleted message has no buttons.
        let admin = world.admin().await;
        drop(admin);
        ada.send(Method::DELETE, &format!("/api/v1/messages/{}", id(&poll)), None, 204).await;
        press(&bob, &poll, "0", 410).await;
    }

    async fn a_poll_closes_by_itself(world) {
        let ada = world.user("ada").await;
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        knows(&ada, "poll").await;
        // The shortest: 0.01 hours are 36 s, too long for a story; the timer itself is what reminders show below.
        let wrong = ada.command(harbour, "/poll \"Tea?\" hours=0 tea, coffee", 400).await;
        assert!(wrong.to_string().contains("0.01"), "{wrong}");
        let one = ada.command(harbour, "/poll \"Tea?\" tea", 200).await;
        assert!(one["content"].as_str().unwrap().contains("2 to 10"), "{one}");
        assert_eq!(one["outcome"], "whisper");
    }

    async fn a_reminder_comes_when_it_is_due_and_once(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        bob.join(harbour, 200).await;
        knows(&ada, "remind").await;
        let mut bobs = bob.connect().await;
        let mut adas = ada.connect().await;
        let made = ada.command(harbour, "/remind here in 1s to weigh anchor", 200).await;
        assert_eq!(made["outcome"], "whisper", "{made}");
        let whisper = adas.event("command_result").await["d"].clone();
        assert_eq!(whisper["id"], made["whisper"]["id"]);
        assert!(whisper["content"].as_str().unwrap().contains("weigh anchor"));
        let due = wait_for("the reminder", async || bot_message(&bob, harbour).await).await;
        assert!(due["content"].as_str().unwrap().contains("weigh anchor"), "{due}");
        let path = format!("/api/v1/channels/{harbour}/whispers");
        assert_eq!(items(&ada.get(&path, 200).await).len(), 1);
        assert_eq!(items(&bob.get(&path, 200).await).len(), 0, "a whisper is for one person");
        let of_ada = format!("/api/v1/whispers/{}", whisper["id"].as_str().unwrap());
        bob.send(Method::DELETE, &of_ada, None, 404).await;
        let found = bob.get("/api/v1/search/messages?q=remind%20this%20channel", 200).await;
        assert!(items(&found).is_empty(), "no index reads whispers: {found}");
        ada.send(Method::DELETE, &of_ada, None, 204).await;
        let gone = adas.event("command_result").await["d"].clone();
        assert_eq!(gone["is_gone"], json!(true), "{gone}");
        assert_eq!(items(&ada.get(&path, 200).await).len(), 0);
        // The reminder itself is what bob heard; no whisper of ada's.
        let marker = ada.post(harbour, "all hands", 201).await;
        let heard = bobs.events_until(|frame| frame["d"]["id"] == marker["id"]).await;
        assert!(heard.iter().all(|frame| frame["t"] != "command_result"), "{heard:?}");
        assert_eq!(heard.iter().filter(|frame| frame["t"] == "new_message").count(), 2, "once: {heard:?}");

        let listed = ada.command(harbour, "/remind me tomorrow at 8:30 to call the harbour", 200).await;
        assert_eq!(listed["outcome"], "whisper");
        let list = ada.command(harbour, "/reminders", 200).await;
        let whisper = &list["whisper"];
        assert_eq!(labels(whisper).len(), 1, "{list}");
        press(&bob, whisper, "0", 404).await;
        let after = press(&ada, whisper, "0", 200).await;
        assert!(after["whisper"]["content"].as_str().unwrap().contains("no reminders"), "{after}");
        let nonsense = ada.command(harbour, "/remind me soon", 200).await;
        assert!(nonsense["content"].as_str().unwrap().contains("Say when"), "{nonsense}");
    }
}

/// In a scaled world the worker announces the commands some moments after the servers listen.
async fn knows(user: &User, command: &str) {
    wait_until("the command to be known", async || {
        let reply = user.call(Method::GET, "/api/v1/commands", None).await;
        reply.status == 200 && items(&reply.body()).iter().any(|it| it["name"] == command)
    })
    .await;
}

/// The newest that a bot said.
async fn bot_message(user: &User, channel: &str) -> Option<Value> {
    let page = user.list(channel, "", 200).await;
    items(&page).iter().rfind(|it| it["is_bot"] == true && it["deleted_at"].is_null()).cloned()
}

fn labels(of: &Value) -> Vec<String> {
    let blocks = of["blocks"].as_array().cloned().unwrap_or_default();
    blocks.iter().map(|it| it["label"].as_str().unwrap().to_owned()).collect()
}

async fn press(user: &User, of: &Value, button: &str, expected: u16) -> Value {
    user.send(Method::POST, &format!("/api/v1/messages/{}/actions/{button}", id(of)), None, expected).await
}
