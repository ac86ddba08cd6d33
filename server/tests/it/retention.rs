//! Messages that are older than they may be are gone, everywhere and for good; all others stay.

use std::io::Write;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::command::sqlite;
use crate::harness::user::{User, id, items};
use crate::harness::{World, both, confab, wait_until};

/// The time of the first imported message, in seconds: September 2020.
const OLD: u64 = 1_600_000_000;
/// More than are deleted in one transaction.
const MANY: usize = 230;

/// A Slack export of ada's: the channels `first` and `second` with as many messages each, from 2020 on. The first message
/// of each roots a thread, and mentions her.
fn export(many: usize) -> Vec<u8> {
    let channel = |id: &str, name: &str| json!({ "id": id, "name": name, "created": OLD, "creator": "U1", "members": ["U1"] });
    let people = json!([{ "id": "U1", "name": "ada", "profile": { "email": "ada@example.org" } }]);
    let day: Vec<Value> = (0..many)
        .map(|number| {
            let at = |number: usize| format!("{}.{number:06}", OLD + number as u64);
            let mut message = json!({ "type": "message", "ts": at(number), "user": "U1", "text": format!("an old gull, number {number}") });
            if number < 3 {
                message["thread_ts"] = json!(at(0));
            }
            if number == 0 {
                message["text"] = json!("<@U1>, look: an old gull");
                message["reactions"] = json!([{ "name": "+1", "users": ["U1"], "count": 1 }]);
            }
            message
        })
        .collect();
    let day = json!(day);
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, value) in [
        ("users.json", people),
        ("channels.json", json!([channel("C1", "first"), channel("C2", "second")])),
        ("first/2020-09-13.json", day.clone()),
        ("second/2020-09-13.json", day),
    ] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).expect("an entry");
        archive.write_all(value.to_string().as_bytes()).expect("its bytes");
    }
    archive.finish().expect("an archive").into_inner()
}

/// Brings the export in, and answers ada with her two channels.
async fn imported(world: &mut World, many: usize) -> (User, Value, Value) {
    world.user("ada").await;
    let settings = world.settings();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (&**name, &**value)).collect();
    let folder = world.nodes[0].data.parent().unwrap().to_owned();
    std::fs::write(folder.join("old.zip"), export(many)).unwrap();
    if !world.is_scaled() {
        world.nodes[0].stop().await;
    }
    let done = confab(&folder, &["import", "slack", "old.zip", "--json"], &settings).await;
    assert_eq!((done.code, &done.json()["messages"]["imported"]), (0, &json!(many * 2)), "{}", done.said());
    if !world.is_scaled() {
        world.nodes[0].restart().await;
    }
    let ada = world.user("ada").await;
    let channels = ada.channels(200).await;
    let named = |name: &str| items(&channels).iter().find(|it| it["name"] == name).expect("imported").clone();
    (ada, named("first"), named("second"))
}

fn at(channel: &Value) -> String {
    format!("/api/v1/channels/{}/retention", id(channel))
}

async fn keep(user: &User, channel: &Value, days: Value, expected: u16) -> Value {
    user.send(Method::PUT, &at(channel), Some(&json!({ "days": days })), expected).await
}

/// Messages of a channel that are not deleted, and those that are.
async fn count(user: &User, channel: &Value) -> (usize, usize) {
    let (mut there, mut gone, mut after) = (0, 0, 0);
    loop {
        let page = user.list(id(channel), &format!("after_seq={after}&limit=100"), 200).await;
        let Some(last) = items(&page).last() else { return (there, gone) };
        after = last["seq"].as_i64().unwrap();
        for message in items(&page) {
            let is_gone = message["deleted_at"].is_string();
            assert_eq!(is_gone, message["content"] == "", "{message}");
            there += usize::from(!is_gone);
            gone += usize::from(is_gone);
        }
    }
}

async fn found(user: &User, count: usize) {
    let what = format!("{count} to be found");
    wait_until(&what, async || items(&user.search("gull", 200).await).len() == count).await;
}

both! {
    async fn a_channel_keeps_what_it_is_told_to_keep(world) {
        let (ada, first, second) = imported(world, MANY).await;
        let (bob, eve, admin) = (world.user("bob").await, world.user("eve").await, world.admin().await);
        bob.join(id(&first), 200).await;
        let private = ada.create_channel("private", "private", 201).await;
        let young = bob.post(id(&first), "a young gull", 201).await;
        let root = items(&ada.list(id(&first), "after_seq=0&limit=100", 200).await).iter().find(|it| it["reply_count"] == 2).expect("a thread").clone();
        let answer = bob.reply(id(&first), id(&root), "a late answer", 201).await;
        ada.edit(id(&items(&ada.thread(id(&root), 200).await)[1]), "an old gull, edited lately", 200).await;

        assert_eq!(keep(&bob, &first, json!(30), 403).await["code"], "role_too_low");
        assert_eq!(keep(&eve, &first, json!(30), 403).await["code"], "not_a_member");
        keep(&bob, &private, json!(30), 404).await;
        bob.get(&at(&private), 404).await;
        keep(&world.visitor(), &first, json!(30), 401).await;
        for bad in [json!(0), json!(-1), json!(3_651), json!("30"), json!(1.5)] {
            keep(&ada, &first, bad, 400).await;
        }
        ada.send(Method::PUT, &at(&first), Some(&json!({})), 400).await;
        assert_eq!(eve.get(&at(&first), 200).await, json!({ "channel_id": first["id"], "days": null, "server_days": null, "effective_days": null }));

        let mut socket = bob.connect().await;
        let chosen = keep(&ada, &first, json!(30), 200).await;
        assert_eq!((&chosen["days"], &chosen["effective_days"]), (&json!(30), &json!(30)));
        let told = socket.event("channel_update").await;
        assert_eq!(told["d"]["retention_days"], 30, "{told}");
        let mut deleted = Vec::new();
        while deleted.len() < MANY {
            deleted.push(socket.event("message_delete").await["d"]["id"].clone());
        }
        assert!(!deleted.contains(&young["id"]) && !deleted.contains(&answer["id"]));
        assert_eq!(count(&bob, &first).await, (2, MANY), "what was written lately stays, an old root's answer too");
        assert_eq!(ada.read(id(&root), 200).await["reactions"], json!([]));
        assert_eq!(ada.read(id(&root), 200).await["reply_count"], 1);
        assert_eq!(count(&ada, &second).await, (MANY, 0), "another channel's rule");
        assert_eq!(ada.get(&format!("/api/v1/channels/{}", id(&first)), 200).await["retention_days"], 30);

        // The same again is no change; null goes back to the server's.
        keep(&ada, &first, json!(30), 200).await;
        keep(&ada, &first, Value::Null, 200).await;
        assert!(ada.get(&format!("/api/v1/channels/{}", id(&first)), 200).await["retention_days"].is_null());
        let noted = admin.get("/api/v1/admin/audit?action=channel.retention_changed", 200).await;
        let details: Vec<&Value> = items(&noted).iter().map(|it| &it["detail"]).collect();
        assert_eq!(details, [&json!({ "days": null, "before": 30 }), &json!({ "days": 30, "before": null })]);
        if !world.is_scaled() {
            let database = world.nodes[0].data.join("confab.db");
            for left in [
                "select count(*) from messages where deleted_at is not null and content <> ''",
                "select count(*) from message_versions",
                "select count(*) from message_reactions r join messages m on m.id = r.message_id where m.deleted_at is not null",
                "select count(*) from mentions n join messages m on m.id = n.message_id where m.deleted_at is not null",
            ] {
                assert_eq!(sqlite(&database, left).trim(), "0", "{left}");
            }
        }
    }

    async fn the_servers_rule_holds_where_a_channel_has_none(world) {
        const POLICY: &str = "/api/v1/admin/policy";
        let (ada, first, second) = imported(world, 20).await;
        let admin = world.admin().await;
        found(&ada, 40).await;
        let before = admin.get(POLICY, 200).await;
        assert_eq!(before, json!({ "require_two_factor": false, "message_retention_days": null }));
        let rule = |days: Value| json!({ "require_two_factor": false, "message_retention_days": days });
        ada.send(Method::PUT, POLICY, Some(&rule(json!(30))), 403).await;
        world.visitor().send(Method::PUT, POLICY, Some(&rule(json!(30))), 401).await;
        for bad in [json!(0), json!(3_651), json!("30")] {
            admin.send(Method::PUT, POLICY, Some(&rule(bad)), 400).await;
        }
        // Ten years: longer than what came in is old.
        keep(&ada, &first, json!(3_650), 200).await;
        admin.send(Method::PUT, POLICY, Some(&rule(json!(30))), 200).await;
        wait_until("old ones to go", async || count(&ada, &second).await == (0, 20)).await;
        found(&ada, 20).await;
        assert_eq!(count(&ada, &first).await, (20, 0), "the channel's own rule goes before the server's");
        // What says nothing of it leaves it.
        admin.send(Method::PUT, POLICY, Some(&json!({ "require_two_factor": false })), 200).await;
        assert_eq!(admin.get(POLICY, 200).await["message_retention_days"], 30);
        assert_eq!(ada.get(&at(&second), 200).await, json!({ "channel_id": second["id"], "days": null, "server_days": 30, "effective_days": 30 }));

        // Without its own rule the first channel follows the server's.
        keep(&ada, &first, Value::Null, 200).await;
        wait_until("the others to go", async || count(&ada, &first).await == (0, 20)).await;
        admin.send(Method::PUT, POLICY, Some(&rule(Value::Null)), 200).await;
        let noted = admin.get("/api/v1/admin/audit?action=policy.changed", 200).await;
        assert!(items(&noted).iter().any(|it| it["target_id"] == "retention" && it["detail"]["message_retention_days"] == 30), "{noted}");
    }
}
