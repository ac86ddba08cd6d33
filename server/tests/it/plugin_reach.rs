//! How far a plugin hears: where its bot is a member, and further where an administrator said so.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{User, id, items};
use crate::harness::{both, wait_until};
use crate::installed_plugins::upload;
use crate::team_plugins::{bot_messages, said};

/// The bundled plugin that flags words, under another name: whatever it hears of, it reports in the channel `bridge`.
const COMPONENT: &[u8] = include_bytes!("../../../plugins/bundled/moderation/moderation.wasm");
const PLUGIN: &str = "/api/v1/plugins/org.example.watch";
const OWN: [&str; 5] = ["messages.read", "messages.post", "users.read", "storage", "events.message-posted"];

fn manifest(version: &str, reach: &str) -> String {
    format!(
        r#"
[plugin]
id = "org.example.watch"
name = "Watch"
version = "{version}"
api = "0.2"
wasm = "moderation.wasm"
permissions = ["messages.read", "messages.post", "users.read", "storage", "{reach}"]

[[event]]
name = "message-posted"

[[setting]]
key = "words"
type = "text"
default = "scurv*"

[[setting]]
key = "channel"
type = "text"
default = "bridge"

[[setting]]
key = "tell-author"
type = "toggle"
default = false
"#
    )
}

fn grants(more: &[&str]) -> Vec<String> {
    OWN.iter().chain(more).map(|it| (*it).to_owned()).collect()
}

async fn grant(admin: &User, more: &[&str]) {
    let body = json!({ "grants": grants(more) });
    admin.send(Method::PUT, &format!("{PLUGIN}/grants"), Some(&body), 200).await;
}

async fn flip(ada: &User, channel: &str, is_private: bool) {
    let body = json!({ "is_private": is_private, "share_history": true });
    ada.send(Method::PUT, &format!("/api/v1/channels/{channel}/privacy"), Some(&body), 200).await;
}

/// Ada, the channel in which the plugin reports, and those in which it might hear something.
struct Ship {
    ada: User,
    bridge: String,
    channels: Vec<(&'static str, String)>,
    round: usize,
}

impl Ship {
    async fn new(ada: User, bob: &User) -> Self {
        let mut channels = Vec::new();
        for (name, kind) in [("harbour", "public"), ("vault", "private")] {
            channels.push((name, id(&ada.create_channel(name, kind, 201).await).to_owned()));
        }
        let people = json!({ "user_ids": [bob.id] });
        let direct = ada.send(Method::POST, "/api/v1/channels/direct", Some(&people), 201).await;
        channels.push(("direct", id(&direct).to_owned()));
        let bridge = id(&ada.create_channel("bridge", "private", 201).await).to_owned();
        Self { ada, bridge, channels, round: 0 }
    }

    /// Of the channels, by name.
    fn channel(&self, name: &str) -> &str {
        self.channels.iter().find(|(it, _)| *it == name).map(|(_, id)| id.as_str()).unwrap()
    }

    async fn is_reported(&self, text: &str) -> bool {
        bot_messages(&self.ada, &self.bridge).await.iter().any(|it| said(it).contains(text))
    }

    /// In which of the channels the plugin hears of what is said now. It hears on the bridge whatever was granted, so what it
    /// has not reported when it reports what was said there last, it has not heard.
    async fn heard(&mut self) -> Vec<&'static str> {
        self.round += 1;
        let round = self.round;
        for (name, channel) in &self.channels {
            self.ada.post(channel, &format!("scurvy {round} in {name}"), 201).await;
        }
        // Twice: on several servers places in the log are given out for several channels at once.
        for which in ["first", "last"] {
            let text = format!("scurvy {round} {which}");
            self.ada.post(&self.bridge, &text, 201).await;
            wait_until("the report of what was said on the bridge", async || self.is_reported(&text).await)
                .await;
        }
        let mut heard = Vec::new();
        for (name, _) in &self.channels {
            if self.is_reported(&format!("scurvy {round} in {name}")).await {
                heard.push(*name);
            }
        }
        heard
    }
}

async fn install(admin: &User, ship: &Ship) {
    admin.worker_answers().await;
    let text = manifest("1.0.0", "channels.public");
    let looked = upload(admin, Method::POST, "/api/v1/plugins/check", &text, COMPONENT, None).await;
    let asks = &looked.body()["asks"];
    let plainly = json!({
        "name": "channels.public",
        "description": "Read every public channel, also where its bot is no member",
    });
    assert!(asks.as_array().unwrap().contains(&plainly), "{asks}");
    let own = serde_json::to_string(&OWN).unwrap();
    let installed = upload(admin, Method::POST, "/api/v1/plugins", &text, COMPONENT, Some(&own)).await;
    assert_eq!(installed.status, 201, "{}", installed.text);
    let bot = installed.body()["bot_id"].as_str().unwrap().to_owned();
    ship.ada.add_member(&ship.bridge, &User { id: bot, ..ship.ada.clone() }, 201).await;
}

async fn audited(admin: &User, granted: &str) -> bool {
    let page: Value = admin.get("/api/v1/admin/audit?action=plugin.granted", 200).await;
    let holds = |list: &Value| list.as_array().is_some_and(|it| it.iter().any(|one| one == granted));
    items(&page).iter().any(|it| !holds(&it["detail"]["from"]) && holds(&it["detail"]["to"]))
}

both! {
    async fn a_plugin_hears_as_far_as_an_administrator_lets_it(world) {
        let (admin, ada, bob) = (world.admin().await, world.user("ada").await, world.user("bob").await);
        let mut ship = Ship::new(ada, &bob).await;
        install(&admin, &ship).await;
        assert_eq!(ship.heard().await, Vec::<&str>::new(), "it asks for more than it was granted");

        grant(&admin, &["channels.public"]).await;
        assert_eq!(ship.heard().await, ["harbour"]);
        assert!(audited(&admin, "channels.public").await);
        let too_much = json!({ "grants": grants(&["channels.all"]) });
        admin.send(Method::PUT, &format!("{PLUGIN}/grants"), Some(&too_much), 400).await;

        // A channel that closes is heard no more, and what was said meanwhile is not told when it opens.
        flip(&ship.ada, ship.channel("harbour"), true).await;
        assert_eq!(ship.heard().await, Vec::<&str>::new());
        let in_private = format!("scurvy {} in harbour", ship.round);
        flip(&ship.ada, ship.channel("harbour"), false).await;
        assert_eq!(ship.heard().await, ["harbour"]);
        assert!(!ship.is_reported(&in_private).await);

        // An update that asks for more waits, and hears no more than before.
        let more = manifest("1.1.0", "channels.all");
        let offered = upload(&admin, Method::PUT, PLUGIN, &more, COMPONENT, None).await;
        let waiting = offered.body()["waiting"].clone();
        assert_eq!((offered.status, &waiting["version"]), (200, &json!("1.1.0")), "{}", offered.text);
        assert_eq!(waiting["asks_newly"], json!([{
            "name": "channels.all",
            "description": "Read every channel, private ones and direct messages too",
        }]));
        assert_eq!(ship.heard().await, ["harbour"]);
        let all = json!({ "grants": grants(&["channels.public", "channels.all"]), "accept_update": true });
        admin.send(Method::PUT, &format!("{PLUGIN}/grants"), Some(&all), 200).await;
        assert_eq!(ship.heard().await, ["harbour", "vault", "direct"]);
        // Who may hear everything may be given the public channels alone, or its own.
        grant(&admin, &["channels.public"]).await;
        assert_eq!(ship.heard().await, ["harbour"]);
        grant(&admin, &[]).await;
        assert_eq!(ship.heard().await, Vec::<&str>::new());
    }
}
