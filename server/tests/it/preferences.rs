//! What somebody wishes to be told of, and when not.

use std::time::Duration;

use confab_protocol::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::command::sqlite;
use crate::harness::user::{User, id, items};
use crate::harness::{World, both};

const MINE: &str = "/api/v1/users/me/preferences";
const AT: &str = "/api/v1/users/me/notifications";

async fn prefer(user: &User, form: Value) -> Value {
    user.send(Method::PUT, MINE, Some(&form), 200).await
}

async fn told(user: &User) -> Vec<String> {
    items(&user.get(AT, 200).await).iter().map(|it| it["kind"].as_str().unwrap().to_owned()).collect()
}

both! {
    async fn preferences_are_kept_and_checked(world) {
        let ada = world.user("ada").await;
        world.visitor().get(MINE, 401).await;
        let first = ada.get(MINE, 200).await;
        assert_eq!((&first["notification_level"], &first["email_digest"], &first["web_push"]), (&json!("mentions"), &json!("off"), &json!(true)));
        assert_eq!((&first["keywords"], &first["is_quiet"]), (&json!([]), &json!(false)));
        let mut other = ada.connect().await;
        let hours = json!({ "from": "22:00", "to": "07:00", "time_zone": "europe/berlin", "days": ["sat", "fri"] });
        let later = Timestamp::now().plus(Duration::from_hours(1)).to_string();
        let set = prefer(&ada, json!({ "keywords": ["Deploy", "release  plan", "deploy"], "notification_level": "all",
            "do_not_disturb": hours, "until": later, "web_push": false })).await;
        assert_eq!(set["keywords"], json!(["Deploy", "release  plan"]), "folded, they are two");
        assert_eq!(set["do_not_disturb"], json!({ "from": "22:00", "to": "07:00", "time_zone": "Europe/Berlin", "days": ["fri", "sat"] }));
        assert_eq!((&set["until"], &set["is_quiet"], &set["web_push"]), (&json!(later), &json!(true), &json!(false)));
        assert!(other.event("preferences_updated").await["d"]["channel_id"].is_null());
        // What is absent stays, null takes back.
        let left = prefer(&ada, json!({ "until": null })).await;
        assert_eq!((&left["until"], &left["notification_level"], &left["keywords"][0]), (&Value::Null, &json!("all"), &json!("Deploy")));
        assert!(prefer(&ada, json!({ "do_not_disturb": null })).await["do_not_disturb"].is_null());

        let many: Vec<String> = (0..51).map(|number| format!("word{number}")).collect();
        let zone = |zone: &str| json!({ "do_not_disturb": { "from": "22:00", "to": "07:00", "time_zone": zone } });
        let hours = |from: &str, to: &str| json!({ "do_not_disturb": { "from": from, "to": to, "time_zone": "UTC" } });
        for bad in [
            json!({ "keywords": many }), json!({ "keywords": ["x".repeat(61)] }), json!({ "keywords": ["!!"] }),
            json!({ "keywords": ["a b c d e f g h i"] }), json!({ "keywords": [5] }), json!({ "keywords": ["a\u{202e}b"] }),
            json!({ "notification_level": "some" }), zone("Mars/Olympus"), zone("../../etc/localtime"), zone(""),
            hours("25:00", "07:00"), hours("7", "8"), hours("07:00", "07:00"),
            json!({ "do_not_disturb": { "from": "22:00", "to": "07:00", "time_zone": "UTC", "days": ["today"] } }),
            json!({ "until": "2001-01-01T00:00:00Z" }), json!({ "until": "9000-01-01T00:00:00Z" }), json!({ "email_digest": "weekly" }),
        ] {
            ada.send(Method::PUT, MINE, Some(&bad), 400).await;
        }
        // This server sends no mail.
        let refused = ada.send(Method::PUT, MINE, Some(&json!({ "email_digest": "daily" })), 409).await;
        assert_eq!(refused["code"], "no_mail_server");
        assert_eq!(ada.send(Method::POST, "/api/v1/users/me/digest", None, 409).await["code"], "no_mail_server");
        assert_eq!(ada.get(MINE, 200).await["keywords"], json!(["Deploy", "release  plan"]));
    }

    async fn keywords_are_heard_where_one_is_a_member(world) {
        let (ada, bob, eve) = (world.user("ada").await, world.user("bob").await, world.user("eve").await);
        let room = ada.create_channel("room", "private", 201).await;
        ada.add_member(id(&room), &bob, 201).await;
        for user in [&ada, &bob, &eve] {
            prefer(user, json!({ "keywords": ["Release Plan", "東京"] })).await;
        }
        ada.post(id(&room), "the RELEASE, plan b", 201).await;
        assert_eq!(told(&bob).await, ["keyword"]);
        ada.post(id(&room), "来週東京に行きます", 201).await;
        assert_eq!(told(&bob).await, ["keyword", "keyword"]);
        // Not whole, not together, or with a stronger reason.
        ada.post(id(&room), "prerelease plans; plan of a release", 201).await;
        ada.post(id(&room), "@bob the release plan", 201).await;
        assert_eq!(told(&bob).await, ["mention", "keyword", "keyword"]);
        assert!(told(&eve).await.is_empty(), "she is no member");
        assert!(told(&ada).await.is_empty(), "she said it herself");
        prefer(&bob, json!({ "keywords": [] })).await;
        ada.post(id(&room), "release plan", 201).await;
        assert_eq!(told(&bob).await.len(), 3);
    }

    async fn a_level_says_how_much(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("room", "public", 201).await;
        bob.join(id(&room), 200).await;
        let direct = ada.send(Method::POST, "/api/v1/channels/direct", Some(&json!({ "user_ids": [bob.id] })), 201).await;
        prefer(&bob, json!({ "notification_level": "all" })).await;
        ada.post(id(&room), "anything", 201).await;
        assert_eq!(told(&bob).await, ["channel_message"]);
        prefer(&bob, json!({ "notification_level": "nothing" })).await;
        ada.post(id(&room), "@bob", 201).await;
        ada.post(id(&direct), "psst", 201).await;
        assert_eq!(told(&bob).await.len(), 1);
        // It is still there to be counted.
        assert_eq!(bob.get(&format!("/api/v1/channels/{}", id(&room)), 200).await["mention_count"], 1);
        prefer(&bob, json!({ "notification_level": "mentions" })).await;
        ada.post(id(&room), "anything", 201).await;
        ada.post(id(&direct), "psst", 201).await;
        assert_eq!(told(&bob).await, ["direct_message", "channel_message"]);
    }

    async fn who_is_not_to_be_disturbed_is_told_without_a_sound(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("room", "public", 201).await;
        bob.join(id(&room), 200).await;
        let mut socket = bob.connect().await;
        prefer(&bob, json!({ "until": Timestamp::now().plus(Duration::from_hours(1)).to_string() })).await;
        ada.post(id(&room), "@bob", 201).await;
        assert_eq!(socket.event("notification").await["d"]["is_quiet"], true);
        assert_eq!(items(&bob.get(AT, 200).await)[0]["is_quiet"], true);
        // Hours that hold the present and ones that do not, by a clock elsewhere; a day that is not today; and a busy dot.
        let now = |hours: i64| {
            let at = hour_of_day(hours);
            json!({ "until": null, "do_not_disturb": { "from": format!("{at:02}:00"), "to": format!("{:02}:00", (at + 3) % 24), "time_zone": "UTC" } })
        };
        assert_eq!(prefer(&bob, now(-1)).await["is_quiet"], true);
        assert_eq!(prefer(&bob, now(4)).await["is_quiet"], false);
        bob.send(Method::PUT, "/api/v1/users/me/status", Some(&json!({ "status": "busy" })), 200).await;
        ada.post(id(&room), "@bob", 201).await;
        assert_eq!(socket.event("notification").await["d"]["is_quiet"], true);
        bob.send(Method::PUT, "/api/v1/users/me/status", Some(&json!({ "status": "online" })), 200).await;
        ada.post(id(&room), "@bob", 201).await;
        assert_eq!(socket.event("notification").await["d"]["is_quiet"], false);
    }
}

/// The hour of the day, so many hours from now, in UTC.
fn hour_of_day(hours: i64) -> i64 {
    (Timestamp::now().0 / 3_600_000 + hours).rem_euclid(24)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_may_be_louder_or_quieter_than_the_rest() {
    let mut world = World::embedded().await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let room = ada.create_channel("room", "public", 201).await;
    bob.join(id(&room), 200).await;
    let record = world.nodes[0].data.join("confab.db");
    let set = |what: &str| {
        let channel = id(&room).replace('-', "");
        sqlite(
            &record,
            &format!(
                "update memberships set {what} where role = 'member' and hex(channel_id) = upper('{channel}')"
            ),
        );
    };
    set("notification_level = 'all'");
    ada.post(id(&room), "anything", 201).await;
    assert_eq!(told(&bob).await, ["channel_message"]);
    set("muted = 1");
    ada.post(id(&room), "@bob", 201).await;
    assert_eq!(told(&bob).await.len(), 1, "muted");
    set("muted = 0, notification_level = 'nothing'");
    ada.post(id(&room), "@bob", 201).await;
    assert_eq!(told(&bob).await.len(), 1, "nothing");
    set("notification_level = 'mentions'");
    prefer(&bob, json!({ "notification_level": "nothing" })).await;
    ada.post(id(&room), "anything", 201).await;
    ada.post(id(&room), "@bob", 201).await;
    assert_eq!(told(&bob).await, ["mention", "channel_message"], "the channel's word stands before his own");
}
