//! What somebody has begun to write: on all their devices, and before nobody else's eyes.

use std::time::Duration;

use confab_protocol::Timestamp;
use futures_util::future::join_all;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::harness::command::sqlite;
use crate::harness::user::{User, id, items};
use crate::harness::{World, both, wait_until};

const DRAFTS: &str = "/api/v1/users/me/drafts";

fn at(channel: &Value) -> String {
    format!("/api/v1/channels/{}/draft", id(channel))
}

fn in_thread(channel: &Value, message: &Value) -> String {
    format!("{}?parent_id={}", at(channel), id(message))
}

async fn put(user: &User, path: &str, content: &str, expected: u16) -> Value {
    user.send(Method::PUT, path, Some(&json!({ "content": content })), expected).await
}

async fn drafts(user: &User) -> Vec<Value> {
    items(&user.get(DRAFTS, 200).await).to_vec()
}

pub async fn upload(user: &User, name: &str) -> Value {
    let form = Form::new().part("file", Part::bytes(b"tide tables".to_vec()).file_name(name.to_owned()));
    let reply = user.fetch(user.request(Method::POST, "/api/v1/files/upload").multipart(form)).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply.body()
}

both! {
    async fn a_draft_follows_its_author_and_nobody_else(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("room", "public", 201).await;
        bob.join(id(&room), 200).await;
        let question = bob.post(id(&room), "who has the keys?", 201).await;
        let answer = bob.reply(id(&room), id(&question), "nobody?", 201).await;
        let (mut hers, mut his) = (ada.connect().await, bob.connect().await);

        let file = upload(&ada, "tides.txt").await;
        let form = json!({ "content": "I think", "file_ids": [id(&file)] });
        let kept = ada.send(Method::PUT, &at(&room), Some(&form), 200).await;
        assert_eq!((&kept["content"], &kept["file_ids"], &kept["parent_id"]), (&json!("I think"), &json!([id(&file)]), &Value::Null));
        let told = hers.event("draft_updated").await;
        assert_eq!((&told["d"]["channel_id"], &told["d"]["parent_id"]), (&room["id"], &Value::Null), "{told}");
        ada.send(Method::PUT, &at(&room), Some(&form), 200).await;
        // By an answer of the thread: the draft is the thread's.
        let kept = put(&ada, &in_thread(&room, &answer), "they are here", 200).await;
        assert_eq!(kept["parent_id"], question["id"]);
        let told = hers.event("draft_updated").await;
        assert_eq!(told["d"]["parent_id"], question["id"], "the same text again is no change: {told}");

        let list = drafts(&ada).await;
        assert_eq!(list.iter().map(|it| &it["content"]).collect::<Vec<_>>(), ["they are here", "I think"]);
        let first = ada.get(&format!("{DRAFTS}?limit=1"), 200).await;
        let second = ada.get(&format!("{DRAFTS}?limit=1&cursor={}", first["next_cursor"].as_str().unwrap()), 200).await;
        assert_eq!((&items(&first)[0], &items(&second)[0]), (&list[0], &list[1]));
        assert_eq!(ada.get(&at(&room), 200).await["content"], "I think");

        bob.get(&at(&room), 404).await;
        assert_eq!(drafts(&bob).await, [] as [Value; 0]);
        world.visitor().get(DRAFTS, 401).await;
        world.visitor().get(&at(&room), 401).await;
        bob.post(id(&room), "the end", 201).await;
        let heard = his.events_until(|event| event["d"]["content"] == "the end").await;
        assert!(heard.iter().all(|event| event["t"] != "draft_updated"), "{heard:?}");
    }

    async fn posting_takes_the_draft_of_that_place(world) {
        let ada = world.user("ada").await;
        let room = ada.create_channel("room", "private", 201).await;
        let question = ada.post(id(&room), "a root", 201).await;
        let file = upload(&ada, "tides.txt").await;
        let form = json!({ "content": "of the channel", "file_ids": [id(&file)] });
        let mut socket = ada.connect().await;
        ada.send(Method::PUT, &at(&room), Some(&form), 200).await;
        socket.event("draft_updated").await;
        put(&ada, &in_thread(&room, &question), "of the thread", 200).await;
        socket.event("draft_updated").await;

        let first = json!({ "content": "of the channel", "file_ids": [id(&file)], "nonce": "once" });
        ada.post_form(id(&room), &first, 201).await;
        // Of one transaction: their order among each other is nobody's business. Bundled plugins may be joining meanwhile.
        let mut missing = vec!["draft_updated", "new_message"];
        socket
            .events_until(|event| {
                missing.retain(|kind| event["t"] != *kind);
                missing.is_empty()
            })
            .await;
        assert_eq!(drafts(&ada).await.len(), 1, "the thread's draft stays");
        ada.get(&at(&room), 404).await;
        // A retry is no second post: what was begun since stays.
        put(&ada, &at(&room), "something new", 200).await;
        ada.post_form(id(&room), &first, 200).await;
        assert_eq!(ada.get(&at(&room), 200).await["content"], "something new");
        ada.reply(id(&room), id(&question), "of the thread", 201).await;
        assert_eq!(drafts(&ada).await.len(), 1);
        // Over the gateway as well.
        let send = json!({ "op": "send", "d": { "channel_id": room["id"], "content": "something new", "nonce": "two" } });
        socket.send(&send).await;
        wait_until("the draft to go", async || drafts(&ada).await.is_empty()).await;

        put(&ada, &at(&room), "on second thought", 200).await;
        ada.send(Method::DELETE, &at(&room), None, 204).await;
        ada.send(Method::DELETE, &at(&room), None, 204).await;
        ada.get(&at(&room), 404).await;
    }

    async fn what_cannot_be_posted_is_no_draft(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let (room, other) = (ada.create_channel("room", "public", 201).await, ada.create_channel("other", "private", 201).await);
        let elsewhere = ada.post(id(&other), "the canary sings", 201).await;
        let file = upload(&bob, "his.txt").await;
        for (form, field) in [
            (json!({ "content": "" }), "content"),
            (json!({ "content": " \n" }), "content"),
            (json!({ "content": "x".repeat(16_001) }), "content"),
            (json!({ "content": "a\u{0}b" }), "content"),
            (json!({ "content": "x", "parent_id": id(&elsewhere) }), "parent_id"),
            (json!({ "content": "x", "file_ids": [id(&file)] }), "file_ids"),
            (json!({ "content": "x", "file_ids": vec![id(&file); 11] }), "file_ids"),
        ] {
            let refused = ada.send(Method::PUT, &at(&room), Some(&form), 400).await;
            assert!(refused.to_string().contains(field), "{refused}");
        }
        let mine = upload(&ada, "mine.txt").await;
        let twice = json!({ "content": "x", "file_ids": [id(&mine), id(&mine)] });
        ada.send(Method::PUT, &at(&room), Some(&twice), 400).await;
        for bad in [json!({}), json!({ "content": 5 }), json!({ "content": "x", "parent_id": "y" })] {
            ada.send(Method::PUT, &at(&room), Some(&bad), 400).await;
        }
        assert_eq!(put(&bob, &at(&room), "x", 403).await["code"], "not_a_member");
        put(&bob, &at(&other), "x", 404).await;
        put(&world.visitor(), &at(&room), "x", 401).await;
        ada.get(&format!("{DRAFTS}?limit=0"), 400).await;
        ada.get(&format!("{DRAFTS}?cursor=forged"), 400).await;
        assert!(drafts(&ada).await.is_empty() && drafts(&bob).await.is_empty());
    }

    async fn a_draft_goes_with_the_channel(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("room", "private", 201).await;
        ada.add_member(id(&room), &bob, 201).await;
        let question = ada.post(id(&room), "a root", 201).await;
        put(&bob, &at(&room), "I have begun", 200).await;
        ada.send(Method::DELETE, &format!("/api/v1/channels/{}/members/{}", id(&room), bob.id), None, 204).await;
        wait_until("bob to be out", async || bob.call(Method::GET, &format!("/api/v1/channels/{}", id(&room)), None).await.status == 404).await;
        assert!(drafts(&bob).await.is_empty());
        bob.get(&at(&room), 404).await;
        bob.get(&in_thread(&room, &question), 404).await;
        put(&bob, &at(&room), "more", 404).await;
        // Whoever comes back finds it again.
        ada.add_member(id(&room), &bob, 201).await;
        wait_until("bob to be in", async || drafts(&bob).await.len() == 1).await;
        ada.send(Method::DELETE, &format!("/api/v1/channels/{}/members/{}", id(&room), bob.id), None, 204).await;
        wait_until("bob to be out", async || drafts(&bob).await.is_empty()).await;
        // His own words he may forget in any case, and learns nothing by it.
        bob.send(Method::DELETE, &at(&room), None, 204).await;
        ada.add_member(id(&room), &bob, 201).await;
        bob.get(&at(&room), 404).await;
    }

    async fn five_hundred_drafts_are_kept(world) {
        let ada = world.user("ada").await;
        let (room, left) = (ada.create_channel("room", "public", 201).await, ada.create_channel("left", "public", 201).await);
        let bob = world.user("bob").await;
        bob.join(id(&left), 200).await;
        bob.join(id(&room), 200).await;
        put(&bob, &at(&left), "soon lost", 200).await;
        let mut roots = Vec::new();
        for part in 0..10 {
            let words: Vec<String> = (0..50).map(|number| format!("root {part} {number}")).collect();
            roots.extend(join_all(words.iter().map(|words| ada.post(id(&room), words, 201))).await);
        }
        // In parts: one person's wait for each other, and a record that is slow tells the last of many that it is busy.
        for part in roots[..499].chunks(10) {
            let paths: Vec<String> = part.iter().map(|root| in_thread(&room, root)).collect();
            join_all(paths.iter().map(|path| put(&bob, path, "begun", 200))).await;
        }
        let last = in_thread(&room, &roots[499]);
        assert_eq!(put(&bob, &last, "one too many", 409).await["code"], "too_many_drafts");
        // Another text for a place that has one is no more than before.
        put(&bob, &in_thread(&room, &roots[0]), "begun again", 200).await;
        // What nobody sees any more gives way.
        bob.leave(id(&left), 204).await;
        put(&bob, &last, "the last one", 200).await;
        put(&bob, &at(&room), "one too many", 409).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_account_leaves_nothing_that_waits() {
    let mut world = World::embedded().await;
    let (bob, admin) = (world.user("bob").await, world.admin().await);
    let room = bob.create_channel("room", "public", 201).await;
    let file = upload(&bob, "his.txt").await;
    let later = Timestamp::now().plus(Duration::from_hours(1));
    bob.send(Method::PUT, &at(&room), Some(&json!({ "content": "x", "file_ids": [id(&file)] })), 200).await;
    let form = json!({ "channel_id": room["id"], "content": "x", "send_at": later.to_string() });
    bob.send(Method::POST, "/api/v1/scheduled-messages", Some(&form), 201).await;
    let form = json!({ "text": "x", "remind_at": later.to_string() });
    bob.send(Method::POST, "/api/v1/reminders", Some(&form), 201).await;
    let database = world.nodes[0].data.join("confab.db");
    let rows = || {
        ["drafts", "scheduled_messages", "reminders", "held_files"]
            .map(|table| sqlite(&database, &format!("select count(*) from {table}")).trim().to_owned())
    };
    assert_eq!(rows(), ["1", "1", "1", "1"]);
    admin.send(Method::DELETE, &format!("/api/v1/auth/users/{}", bob.id), None, 204).await;
    assert_eq!(rows(), ["0", "0", "0", "0"]);
}
