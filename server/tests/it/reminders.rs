//! What somebody asked to be told later: in its time, once, and nobody else.

use std::time::Duration;

use confab_protocol::Timestamp;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{User, id, items};
use crate::harness::{both, wait_for, wait_until};

const AT: &str = "/api/v1/reminders";
const NEWS: &str = "/api/v1/users/me/notifications";

fn after(wait: Duration) -> String {
    Timestamp::now().plus(wait).to_string()
}

async fn remind(user: &User, form: &Value, expected: u16) -> Value {
    user.send(Method::POST, AT, Some(form), expected).await
}

/// Waits until so many reminders came due, and returns them, the newest first.
async fn due(user: &User, count: usize) -> Vec<Value> {
    wait_for("reminders to be due", async || {
        let page = user.get(NEWS, 200).await;
        let found: Vec<Value> = items(&page).iter().filter(|it| it["kind"] == "reminder").cloned().collect();
        (found.len() >= count).then_some(found)
    })
    .await
}

both! {
    async fn a_reminder_comes_in_its_time_to_one_person(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("room", "private", 201).await;
        ada.add_member(id(&room), &bob, 201).await;
        let message = bob.post(id(&room), "@ada bring the keys", 201).await;
        let (mut hers, mut his) = (ada.connect().await, bob.connect().await);
        // Behind his own coming in, which he may hear after his greeting.
        ada.post(id(&room), "the beginning", 201).await;
        his.events_until(|event| event["d"]["content"] == "the beginning").await;

        let later = json!({ "channel_id": room["id"], "text": "look in again", "remind_at": after(Duration::from_hours(1)) });
        let later = remind(&ada, &later, 201).await;
        let soon = json!({ "message_id": message["id"], "text": "the keys!", "remind_at": after(Duration::from_millis(300)) });
        let soon = remind(&ada, &soon, 201).await;
        assert_eq!((&soon["message"]["content"], &soon["channel_id"]), (&message["content"], &room["id"]));
        let told = hers.events_until(|event| event["d"]["id"] == soon["id"]).await.pop().unwrap();
        assert_eq!((&told["t"], &told["d"]["state"]), (&json!("reminder_updated"), &json!("waiting")), "{told}");

        let told = hers.events_until(|event| event["t"] == "notification").await.pop().unwrap();
        assert_eq!((&told["d"]["kind"], &told["d"]["message_id"], &told["d"]["channel_id"]), (&json!("reminder"), &message["id"], &room["id"]), "{told}");
        let page = ada.get(NEWS, 200).await;
        let kinds: Vec<&Value> = items(&page).iter().map(|it| &it["kind"]).collect();
        assert_eq!(kinds, ["reminder", "mention"], "beside the mention in the same message");
        let came = &items(&page)[0];
        assert_eq!((&came["message"]["content"], &came["text"], &came["read_at"]), (&message["content"], &json!("the keys!"), &Value::Null));
        assert_eq!(page["unread_count"], 2);
        let waiting = ada.get(AT, 200).await;
        assert_eq!(items(&waiting).iter().map(|it| &it["id"]).collect::<Vec<_>>(), [&later["id"]]);

        assert_eq!((bob.get(NEWS, 200).await["items"].clone(), bob.get(AT, 200).await["items"].clone()), (json!([]), json!([])));
        bob.send(Method::DELETE, &format!("{AT}/{}", id(&later)), None, 404).await;
        bob.post(id(&room), "the end", 201).await;
        let heard = his.events_until(|event| event["d"]["content"] == "the end").await;
        assert!(heard.iter().all(|event| event["t"] == "new_message"), "{heard:?}");
        ada.send(Method::DELETE, &format!("{AT}/{}", id(&later)), None, 204).await;
        hers.events_until(|event| event["d"]["state"] == "withdrawn").await;
        ada.send(Method::DELETE, &format!("{AT}/{}", id(&later)), None, 404).await;

        // Words alone, and a channel alone.
        remind(&ada, &json!({ "text": "call the harbour", "remind_at": after(Duration::ZERO) }), 201).await;
        remind(&ada, &json!({ "channel_id": room["id"], "remind_at": after(Duration::from_millis(50)) }), 201).await;
        let came = due(&ada, 3).await;
        assert_eq!((&came[1]["text"], &came[1]["message"], &came[1]["channel_id"]), (&json!("call the harbour"), &Value::Null, &Value::Null));
        assert_eq!((&came[0]["channel_id"], &came[0]["text"]), (&room["id"], &Value::Null));
        let read = json!({ "ids": [came[1]["id"]] });
        assert_eq!(ada.send(Method::POST, &format!("{NEWS}/read"), Some(&read), 200).await["unread_count"], 3);
    }

    async fn a_reminder_shows_nothing_that_may_not_be_read(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("room", "private", 201).await;
        ada.add_member(id(&room), &bob, 201).await;
        let message = ada.post(id(&room), "the canary sings", 201).await;
        let gone = ada.post(id(&room), "the canary sleeps", 201).await;
        let soon = after(Duration::from_millis(800));
        for (subject, words) in [(&message, "first"), (&gone, "second")] {
            remind(&bob, &json!({ "message_id": subject["id"], "text": words, "remind_at": soon }), 201).await;
        }
        ada.delete(id(&gone), 204).await;
        let waiting = bob.get(AT, 200).await;
        let shown: Vec<&Value> = items(&waiting).iter().filter(|it| it["message"].is_object()).collect();
        assert!(!waiting.to_string().contains("sleeps") && shown.len() <= 1, "{waiting}");
        let path = format!("/api/v1/channels/{}/members/{}", id(&room), bob.id);
        ada.send(Method::DELETE, &path, None, 204).await;
        let path = format!("/api/v1/channels/{}", id(&room));
        wait_until("bob to be out", async || bob.call(Method::GET, &path, None).await.status == 404).await;
        for came in due(&bob, 2).await {
            assert!(came["text"].is_string() && came["message"].is_null() && came["channel_id"].is_null(), "{came}");
        }
        let everything = format!("{} {}", bob.get(NEWS, 200).await, bob.get(AT, 200).await);
        assert!(!everything.contains("canary"), "{everything}");
    }

    async fn each_comes_once_though_several_servers_look(world) {
        let ada = world.user("ada").await;
        let soon = after(Duration::from_millis(500));
        let forms: Vec<Value> = (0..60).map(|number| json!({ "text": format!("number {number}"), "remind_at": soon })).collect();
        for part in forms.chunks(10) {
            join_all(part.iter().map(|form| remind(&ada, form, 201))).await;
        }
        wait_until("all to be due", async || ada.get(AT, 200).await["items"] == json!([])).await;
        let page = ada.get(&format!("{NEWS}?limit=100"), 200).await;
        let mut texts: Vec<&str> = items(&page).iter().map(|it| it["text"].as_str().unwrap()).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!((items(&page).len(), texts.len()), (60, 60));
    }

    async fn what_cannot_be_reminded_of_is_refused(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let (room, other) = (ada.create_channel("room", "public", 201).await, ada.create_channel("other", "private", 201).await);
        let (secret, open) = (ada.post(id(&other), "the canary sings", 201).await, ada.post(id(&room), "hello", 201).await);
        let gone = ada.post(id(&room), "a mistake", 201).await;
        ada.delete(id(&gone), 204).await;
        let soon = after(Duration::from_hours(1));
        for (form, field) in [
            (json!({ "remind_at": soon }), "text"),
            (json!({ "remind_at": soon, "text": "  " }), "text"),
            (json!({ "remind_at": soon, "text": "a\nb" }), "text"),
            (json!({ "remind_at": soon, "text": "x".repeat(501) }), "text"),
            (json!({ "text": "x", "remind_at": "2020-01-01T00:00:00Z" }), "remind_at"),
            (json!({ "text": "x", "remind_at": after(Duration::from_hours(6 * 366 * 24)) }), "remind_at"),
            (json!({ "remind_at": soon, "message_id": open["id"], "channel_id": other["id"] }), "channel_id"),
        ] {
            let refused = remind(&ada, &form, 400).await;
            assert!(refused.to_string().contains(field), "{form}: {refused}");
        }
        for bad in [
            json!({ "remind_at": soon, "text": 5 }),
            json!({ "text": "x" }),
            json!({ "text": "x", "remind_at": "tomorrow" }),
            json!({ "remind_at": soon, "message_id": "x" }),
        ] {
            remind(&ada, &bad, 400).await;
        }
        remind(&bob, &json!({ "remind_at": soon, "message_id": secret["id"] }), 404).await;
        remind(&bob, &json!({ "remind_at": soon, "message_id": bob.id }), 404).await;
        remind(&bob, &json!({ "remind_at": soon, "channel_id": other["id"] }), 404).await;
        remind(&bob, &json!({ "remind_at": soon, "message_id": gone["id"] }), 410).await;
        remind(&world.visitor(), &json!({ "remind_at": soon, "text": "x" }), 401).await;
        world.visitor().get(AT, 401).await;
        bob.get(&format!("{AT}?limit=0"), 400).await;
        bob.get(&format!("{AT}?cursor=forged"), 400).await;
        assert_eq!(bob.get(AT, 200).await["items"], json!([]));
        // Whoever may read may be reminded, member or not.
        remind(&bob, &json!({ "remind_at": soon, "message_id": open["id"] }), 201).await;

        let form = json!({ "remind_at": soon, "text": "x" });
        // In parts: one person's wait for each other, and a record that is slow tells the last of many that it is busy.
        for _ in 0..49 {
            join_all((0..10).map(|_| remind(&bob, &form, 201))).await;
        }
        let replies = join_all((0..12).map(|_| bob.call(Method::POST, AT, Some(&form)))).await;
        assert_eq!(replies.iter().filter(|it| it.status == 201).count(), 9, "500 wait");
        assert_eq!(remind(&bob, &form, 409).await["code"], "too_many_reminders");
        let first = bob.get(&format!("{AT}?limit=100"), 200).await;
        let second = bob.get(&format!("{AT}?limit=100&cursor={}", first["next_cursor"].as_str().unwrap()), 200).await;
        assert!(items(&second).iter().all(|it| !items(&first).contains(it)) && items(&second).len() == 100);
    }
}
