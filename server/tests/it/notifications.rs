//! What waits for one's attention, and for nobody else's.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{id, items};
use crate::harness::{both, wait_until};

const AT: &str = "/api/v1/users/me/notifications";

fn kinds(page: &Value) -> Vec<&str> {
    items(page).iter().map(|it| it["kind"].as_str().unwrap()).collect()
}

both! {
    async fn a_person_is_told_once_of_what_concerns_them(world) {
        let (ada, bob, eve) = (world.user("ada").await, world.user("bob").await, world.user("eve").await);
        let room = ada.create_channel("room", "public", 201).await;
        bob.join(id(&room), 200).await;
        let mut socket = bob.connect().await;
        let question = bob.post(id(&room), "who has the keys?", 201).await;
        ada.reply(id(&room), id(&question), "ask @eve, @bob", 201).await;
        let told = socket.event("notification").await;
        // A mention is the stronger reason: the answer in his thread is not told twice.
        assert_eq!(told["d"]["kind"], "mention", "{told}");
        let direct = ada.send(Method::POST, "/api/v1/channels/direct", Some(&json!({ "user_ids": [bob.id] })), 201).await;
        ada.post(id(&direct), "just for you", 201).await;
        eve.join(id(&room), 200).await;
        eve.reply(id(&room), id(&question), "not I", 201).await;

        let page = bob.get(AT, 200).await;
        assert_eq!(kinds(&page), ["thread_reply", "direct_message", "mention"], "{page}");
        assert_eq!((&page["unread_count"], &items(&page)[1]["message"]["content"]), (&json!(3), &json!("just for you")));
        assert_eq!(kinds(&ada.get(AT, 200).await), ["thread_reply"], "her own words are no news to her");
        assert_eq!(kinds(&eve.get(AT, 200).await), ["mention"]);

        let first = id(&items(&page)[0]);
        let theirs = json!({ "ids": [first] });
        assert_eq!(eve.send(Method::POST, &format!("{AT}/read"), Some(&theirs), 200).await["unread_count"], 1);
        assert_eq!(bob.send(Method::POST, &format!("{AT}/read"), Some(&theirs), 200).await["unread_count"], 2);
        assert_eq!(kinds(&bob.get(&format!("{AT}?unread=true"), 200).await), ["direct_message", "mention"]);
        let half = bob.get(&format!("{AT}?limit=2"), 200).await;
        let rest = bob.get(&format!("{AT}?limit=2&cursor={}", half["next_cursor"].as_str().unwrap()), 200).await;
        assert_eq!((kinds(&half).len(), kinds(&rest)), (2, vec!["mention"]));
        assert_eq!(bob.send(Method::POST, &format!("{AT}/read"), None, 200).await["unread_count"], 0);
    }

    async fn what_may_not_be_read_any_more_is_not_shown(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("room", "private", 201).await;
        ada.add_member(id(&room), &bob, 201).await;
        ada.post(id(&room), "@bob the canary sings", 201).await;
        let gone = ada.post(id(&room), "@bob this was a mistake", 201).await;
        assert_eq!(kinds(&bob.get(AT, 200).await).len(), 2);
        ada.delete(id(&gone), 204).await;
        assert_eq!(kinds(&bob.get(AT, 200).await).len(), 1);
        ada.send(Method::DELETE, &format!("/api/v1/channels/{}/members/{}", id(&room), bob.id), None, 204).await;
        wait_until("bob to be out", async || bob.call(Method::GET, &format!("/api/v1/channels/{}", id(&room)), None).await.status == 404).await;
        let page = bob.get(AT, 200).await;
        assert!(kinds(&page).is_empty() && !page.to_string().contains("canary"), "{page}");
    }

    async fn what_one_device_reads_the_others_hear(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("room", "public", 201).await;
        bob.join(id(&room), 200).await;
        let mut other = bob.connect().await;
        let first = ada.post(id(&room), "@bob one", 201).await;
        ada.post(id(&room), "@bob two", 201).await;
        ada.post(id(&room), "@bob three", 201).await;
        assert_eq!(other.event("notification").await["d"]["is_quiet"], false);
        let page = bob.get(AT, 200).await;
        let newest = json!({ "ids": [id(&items(&page)[0])] });
        bob.send(Method::POST, &format!("{AT}/read"), Some(&newest), 200).await;
        let heard = other.event("notifications_read").await;
        assert_eq!((&heard["d"]["ids"], &heard["d"]["unread_count"]), (&newest["ids"], &json!(2)));
        assert!(heard["seq"].is_null());
        // Whoever has read the channel so far has read what it told them.
        let read = json!({ "seq": first["seq"] });
        bob.send(Method::PUT, &format!("/api/v1/channels/{}/read", id(&room)), Some(&read), 204).await;
        let heard = other.event("notifications_read").await;
        assert_eq!((&heard["d"]["ids"][0], &heard["d"]["unread_count"]), (&items(&page)[2]["id"], &json!(1)));
        bob.send(Method::POST, &format!("{AT}/read"), None, 200).await;
        let heard = other.event("notifications_read").await;
        assert_eq!((&heard["d"]["ids"], &heard["d"]["unread_count"]), (&Value::Null, &json!(0)));
        // Nothing more to read is nothing to tell; and nobody marks another's.
        bob.send(Method::POST, &format!("{AT}/read"), None, 200).await;
        ada.send(Method::POST, &format!("{AT}/read"), Some(&newest), 200).await;
        let many: Vec<String> = (0..101).map(|_| confab_protocol::fresh_id().to_string()).collect();
        ada.send(Method::POST, &format!("{AT}/read"), Some(&json!({ "ids": many })), 400).await;
    }

    async fn a_count_holds_only_what_can_be_read(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("room", "private", 201).await;
        ada.add_member(id(&room), &bob, 201).await;
        let gone = ada.post(id(&room), "@bob this was a mistake", 201).await;
        ada.post(id(&room), "@bob stay", 201).await;
        assert_eq!(bob.get(AT, 200).await["unread_count"], 2);
        ada.delete(id(&gone), 204).await;
        assert_eq!(bob.get(AT, 200).await["unread_count"], 1);
        bob.leave(id(&room), 204).await;
        assert_eq!(bob.get(AT, 200).await["unread_count"], 0);
    }
}
