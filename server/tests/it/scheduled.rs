//! Messages that are sent later: in their time, with the rights of that time, and once, whoever dies.

use std::time::Duration;

use confab_protocol::Timestamp;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::drafts::upload;
use crate::harness::user::{User, contents, id, items};
use crate::harness::{both, wait_for, wait_until};

const AT: &str = "/api/v1/scheduled-messages";

fn after(wait: Duration) -> String {
    Timestamp::now().plus(wait).to_string()
}

fn hours(count: u64) -> String {
    after(Duration::from_hours(count))
}

fn form(channel: &Value, content: &str, send_at: &str) -> Value {
    json!({ "channel_id": channel["id"], "content": content, "send_at": send_at })
}

async fn schedule(user: &User, form: &Value, expected: u16) -> Value {
    user.send(Method::POST, AT, Some(form), expected).await
}

fn one(scheduled: &Value) -> String {
    format!("{AT}/{}", id(scheduled))
}

/// Waits until one is no longer waiting.
async fn done(user: &User, scheduled: &Value) -> Value {
    wait_for("a scheduled message to be done", async || {
        let now = user.get(&one(scheduled), 200).await;
        (now["state"] != "waiting").then_some(now)
    })
    .await
}

async fn remove(ada: &User, channel: &Value, who: &User) {
    let path = format!("/api/v1/channels/{}/members/{}", id(channel), who.id);
    ada.send(Method::DELETE, &path, None, 204).await;
}

both! {
    async fn a_message_is_sent_in_its_time(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("room", "private", 201).await;
        ada.add_member(id(&room), &bob, 201).await;
        let question = bob.post(id(&room), "when do we meet?", 201).await;
        let draft = format!("/api/v1/channels/{}/draft?parent_id={}", id(&room), id(&question));
        ada.send(Method::PUT, &draft, Some(&json!({ "content": "something else" })), 200).await;
        let file = upload(&ada, "plan.txt").await;
        let (mut hers, mut his) = (ada.connect().await, bob.connect().await);

        let mut wanted = form(&room, "at teh harbour", &hours(2));
        wanted["parent_id"] = question["id"].clone();
        wanted["file_ids"] = json!([id(&file)]);
        let waiting = schedule(&ada, &wanted, 201).await;
        assert_eq!((&waiting["state"], &waiting["parent_id"], &waiting["file_ids"]), (&json!("waiting"), &question["id"], &json!([id(&file)])));
        let told = hers.event("scheduled_message_updated").await;
        assert_eq!(told["d"], json!({ "id": waiting["id"], "state": "waiting" }));
        for (method, body) in [(Method::GET, None), (Method::PUT, Some(json!({ "content": "mine" }))), (Method::DELETE, None)] {
            bob.send(method.clone(), &one(&waiting), body.as_ref(), 404).await;
            world.visitor().send(method, &one(&waiting), body.as_ref(), 401).await;
        }
        bob.send(Method::POST, &format!("{}/send", one(&waiting)), None, 404).await;
        assert_eq!(bob.get(AT, 200).await["items"], json!([]));

        let change = json!({ "content": "at the harbour", "send_at": after(Duration::from_millis(300)) });
        let changed = ada.send(Method::PUT, &one(&waiting), Some(&change), 200).await;
        assert_eq!((&changed["content"], &changed["file_ids"]), (&json!("at the harbour"), &waiting["file_ids"]));
        // His own question may be told after his greeting.
        let came = his.events_until(|event| event["t"] == "new_message" && event["d"]["id"] != question["id"]).await.pop().unwrap();
        assert_eq!((&came["d"]["content"], &came["d"]["parent_id"], &came["d"]["sender_id"]), (&json!("at the harbour"), &question["id"], &json!(ada.id)), "{came}");
        assert_eq!(came["d"]["files"][0]["id"], file["id"]);
        assert_eq!(came["d"].get("nonce"), None, "that it was scheduled is its author's alone: {came}");
        hers.events_until(|event| event["d"]["state"] == "sent").await;

        let sent = done(&ada, &waiting).await;
        assert_eq!((&sent["state"], &sent["message_id"], &sent["content"]), (&json!("sent"), &came["d"]["id"], &json!("")), "{sent}");
        assert!(ada.read(id(&came["d"]), 200).await["created_at"].as_str() >= change["send_at"].as_str());
        assert_eq!(ada.get(&draft, 200).await["content"], "something else", "nobody posted by hand");
        for (method, path, body) in [
            (Method::PUT, one(&waiting), Some(json!({ "content": "late" }))),
            (Method::PUT, one(&waiting), Some(json!({ "send_at": change["send_at"] }))),
            (Method::DELETE, one(&waiting), None),
            (Method::POST, format!("{}/send", one(&waiting)), None),
        ] {
            assert_eq!(ada.send(method, &path, body.as_ref(), 409).await["code"], "already_sent");
        }
        assert_eq!(ada.get(AT, 200).await["items"], json!([]));
        assert_eq!(id(&items(&ada.get(&format!("{AT}?sent=true"), 200).await)[0]), id(&waiting));
    }

    async fn one_is_withdrawn_or_sent_at_once(world) {
        let ada = world.user("ada").await;
        let room = ada.create_channel("room", "public", 201).await;
        let mut made = Vec::new();
        for number in 1..=3 {
            made.push(schedule(&ada, &form(&room, &format!("number {number}"), &hours(number)), 201).await);
        }
        let first = ada.get(&format!("{AT}?limit=2"), 200).await;
        let rest = ada.get(&format!("{AT}?limit=2&cursor={}", first["next_cursor"].as_str().unwrap()), 200).await;
        let ids: Vec<&Value> = items(&first).iter().chain(items(&rest)).map(|it| &it["id"]).collect();
        assert_eq!(ids, made.iter().map(|it| &it["id"]).collect::<Vec<_>>(), "in order of their times");

        ada.send(Method::DELETE, &one(&made[0]), None, 204).await;
        ada.get(&one(&made[0]), 404).await;
        ada.send(Method::DELETE, &one(&made[0]), None, 404).await;
        let sent = ada.send(Method::POST, &format!("{}/send", one(&made[2])), None, 201).await;
        assert_eq!(sent["content"], "number 3");
        assert_eq!(contents(&ada.list(id(&room), "", 200).await), ["number 3"]);
        // By its author twice at once: once.
        let path = format!("{}/send", one(&made[1]));
        let replies = join_all((0..5).map(|_| ada.call(Method::POST, &path, None))).await;
        let mut codes: Vec<u16> = replies.iter().map(|it| it.status).collect();
        codes.sort_unstable();
        assert_eq!(codes, [201, 409, 409, 409, 409]);
        assert_eq!(contents(&ada.list(id(&room), "", 200).await), ["number 3", "number 2"]);
    }

    async fn what_cannot_be_sent_says_why_to_its_author(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("room", "private", 201).await;
        ada.add_member(id(&room), &bob, 201).await;
        let waiting = schedule(&bob, &form(&room, "I was here", &hours(1)), 201).await;
        let file = upload(&bob, "his.txt").await;
        let mut with_file = form(&room, "with a file", &hours(1));
        with_file["file_ids"] = json!([id(&file)]);
        let with_file = schedule(&bob, &with_file, 201).await;

        remove(&ada, &room, &bob).await;
        let mut socket = bob.connect().await;
        let now = json!({ "send_at": after(Duration::ZERO) });
        bob.send(Method::PUT, &one(&waiting), Some(&now), 200).await;
        socket.events_until(|event| event["d"]["state"] == "failed").await;
        let failed = done(&bob, &waiting).await;
        assert_eq!((&failed["state"], &failed["reason"], &failed["content"]), (&json!("failed"), &json!("not_found"), &json!("I was here")));
        assert_eq!(failed["reason_text"], "there is no such channel", "as if it had never been");
        assert_eq!(bob.send(Method::POST, &format!("{}/send", one(&waiting)), None, 404).await["code"], "not_found");
        assert_eq!(items(&bob.get(AT, 200).await).len(), 2);

        // Back in, with another time, it waits again.
        ada.add_member(id(&room), &bob, 201).await;
        let path = format!("/api/v1/channels/{}", id(&room));
        wait_until("bob to be in", async || bob.call(Method::GET, &path, None).await.status == 200).await;
        bob.send(Method::PUT, &one(&waiting), Some(&json!({ "send_at": hours(3_000) })), 400).await;
        bob.send(Method::PUT, &one(&waiting), Some(&now), 200).await;
        assert_eq!(done(&bob, &waiting).await["state"], "sent");

        bob.send(Method::DELETE, &format!("/api/v1/files/{}", id(&file)), None, 204).await;
        assert_eq!(bob.get(&one(&with_file), 200).await["file_ids"], json!([]));
        let refused = bob.send(Method::POST, &format!("{}/send", one(&with_file)), None, 400).await;
        assert!(refused.to_string().contains("file_ids"), "not sent without its file: {refused}");
        bob.send(Method::PUT, &one(&with_file), Some(&json!({ "content": "without a file", "file_ids": [] })), 200).await;

        ada.send(Method::POST, &format!("{path}/archive"), None, 200).await;
        bob.send(Method::PUT, &one(&with_file), Some(&now), 200).await;
        assert_eq!(done(&bob, &with_file).await["reason"], "channel_archived");
        assert_eq!(schedule(&bob, &form(&room, "x", &hours(1)), 409).await["code"], "channel_archived");
        ada.send(Method::POST, &format!("{path}/unarchive"), None, 200).await;
        bob.send(Method::POST, &format!("{}/send", one(&with_file)), None, 201).await;
        assert_eq!(contents(&ada.list(id(&room), "", 200).await), ["I was here", "without a file"]);
    }

    async fn what_may_not_be_scheduled_is_refused(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let (room, other) = (ada.create_channel("room", "public", 201).await, ada.create_channel("other", "private", 201).await);
        let elsewhere = ada.post(id(&other), "the canary sings", 201).await;
        let file = upload(&bob, "his.txt").await;
        let soon = hours(1);
        let with = |field: &str, value: Value| {
            let mut form = form(&room, "x", &soon);
            form[field] = value;
            form
        };
        for (field, value) in [
            ("content", json!("")),
            ("content", json!("x".repeat(16_001))),
            ("send_at", json!("2020-01-01T00:00:00Z")),
            ("send_at", json!(hours(120 * 24 + 1))),
            ("parent_id", elsewhere["id"].clone()),
            ("file_ids", json!([id(&file)])),
            ("file_ids", json!(vec![id(&file); 11])),
        ] {
            let refused = schedule(&ada, &with(field, value.clone()), 400).await;
            assert!(refused.to_string().contains(field), "{field} {value}: {refused}");
        }
        for bad in [
            with("content", json!(7)),
            with("send_at", json!("tomorrow")),
            with("send_at", Value::Null),
            with("channel_id", json!("room")),
            json!({ "content": "x", "send_at": soon }),
        ] {
            schedule(&ada, &bad, 400).await;
        }
        assert_eq!(schedule(&bob, &form(&room, "x", &soon), 403).await["code"], "not_a_member");
        schedule(&bob, &form(&other, "x", &soon), 404).await;
        schedule(&bob, &with("channel_id", json!(bob.id)), 404).await;
        schedule(&world.visitor(), &form(&room, "x", &soon), 401).await;
        ada.get(&format!("{AT}?limit=101"), 400).await;
        ada.get(&format!("{AT}?cursor=forged"), 400).await;
        ada.get(&format!("{AT}/nothing"), 400).await;
        assert_eq!(ada.get(AT, 200).await["items"], json!([]));
        schedule(&ada, &with("send_at", json!(after(Duration::from_hours(120 * 24)))), 201).await;
    }

    async fn thirty_go_to_a_channel_in_five_minutes_and_two_hundred_wait(world) {
        let ada = world.user("ada").await;
        let room = ada.create_channel("room", "public", 201).await;
        let start = Timestamp::now().plus(Duration::from_hours(1));
        let at = |seconds: u64| start.plus(Duration::from_secs(seconds)).to_string();
        let forms: Vec<Value> = (0..35).map(|number| form(&room, "x", &at(number * 9))).collect();
        let mut replies = Vec::new();
        // In parts: one person's wait for each other, and a record that is slow tells the last of many that it is busy.
        for part in forms.chunks(12) {
            replies.extend(join_all(part.iter().map(|form| ada.call(Method::POST, AT, Some(form)))).await);
        }
        let refused: Vec<_> = replies.iter().filter(|it| it.status != 201).collect();
        // 35 within 306 seconds, come in any order: some five minutes hold 31 of them.
        assert!((1..=5).contains(&refused.len()), "{}", refused.len());
        assert!(refused.iter().all(|it| it.status == 409 && it.body()["code"] == "scheduled_too_densely"));
        assert_eq!(schedule(&ada, &form(&room, "x", &at(150)), 409).await["code"], "scheduled_too_densely");
        let elsewhere = ada.create_channel("elsewhere", "public", 201).await;
        schedule(&ada, &form(&elsewhere, "x", &at(150)), 201).await;
        let moved = schedule(&ada, &form(&room, "x", &at(3_600)), 201).await;
        ada.send(Method::PUT, &one(&moved), Some(&json!({ "send_at": at(150) })), 409).await;
        ada.send(Method::PUT, &one(&moved), Some(&json!({ "content": "y" })), 200).await;

        let waiting = 35 - refused.len() + 2;
        let forms: Vec<Value> = (0..210 - waiting as u64).map(|number| form(&room, "x", &at(7_200 + number * 60))).collect();
        let mut codes = Vec::new();
        for part in forms.chunks(10) {
            codes.extend(join_all(part.iter().map(|form| ada.call(Method::POST, AT, Some(form)))).await.iter().map(|it| it.status));
        }
        assert_eq!(codes.iter().filter(|code| **code == 201).count(), 200 - waiting);
        assert_eq!(codes.iter().filter(|code| **code == 409).count(), 10);
        assert_eq!(schedule(&ada, &forms[0], 409).await["code"], "too_many_scheduled");
        ada.send(Method::DELETE, &one(&moved), None, 204).await;
        schedule(&ada, &form(&elsewhere, "x", &at(9)), 201).await;
    }

    async fn each_is_sent_once_though_servers_are_killed(world) {
        const EACH: usize = 25;
        let ada = world.user("ada").await;
        for round in 0..4_usize {
            // A channel each, or they would be too many for one.
            let room = ada.create_channel(&format!("round {round}"), "public", 201).await;
            let due = Timestamp::now().plus(Duration::from_millis(700)).to_string();
            let texts: Vec<String> = (0..EACH).map(|number| format!("{round}-{number:02}")).collect();
            for text in &texts {
                schedule(&ada, &form(&room, text, &due), 201).await;
            }
            // All servers try all of them at the same moment; one is killed in the middle of it.
            let (node, other) = (round % world.nodes.len(), (round + 1) % world.nodes.len());
            let reader = ada.at(&world.nodes[other].address);
            wait_until("some to be sent", async || {
                !contents(&reader.list(id(&room), "limit=1", 200).await).is_empty()
            })
            .await;
            world.nodes[node].kill();
            world.nodes[node].restart().await;
            wait_until("all to be sent", async || ada.get(AT, 200).await["items"] == json!([])).await;
            let page = ada.list(id(&room), "limit=100", 200).await;
            assert_eq!(contents(&page), texts, "each once, and in order");
            let seqs: Vec<i64> = items(&page).iter().map(|it| it["seq"].as_i64().unwrap()).collect();
            assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1), "the sequence has holes: {seqs:?}");
        }
    }
}
