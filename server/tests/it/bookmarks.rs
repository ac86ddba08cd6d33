//! Bookmarks: one's own, known to nobody else, and worth nothing without access.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{User, id, items};
use crate::harness::{both, next_millisecond};

const MINE: &str = "/api/v1/users/me/bookmarks";

async fn keep(user: &User, message: &str, expected: u16) {
    user.send(Method::PUT, &format!("/api/v1/messages/{message}/bookmark"), None, expected).await;
}

async fn drop_it(user: &User, message: &str, expected: u16) {
    user.send(Method::DELETE, &format!("/api/v1/messages/{message}/bookmark"), None, expected).await;
}

fn texts(page: &Value) -> Vec<&str> {
    items(page).iter().map(|it| it["message"]["content"].as_str().unwrap()).collect()
}

both! {
    async fn whoever_keeps_what_is_deleted_elsewhere_hears_of_it(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let (harbour, vault) =
            (ada.create_channel("harbour", "public", 201).await, ada.create_channel("vault", "private", 201).await);
        ada.add_member(id(&vault), &bob, 201).await;
        let (open, hidden) = (ada.post(id(&harbour), "one", 201).await, ada.post(id(&vault), "two", 201).await);
        for message in [&open, &hidden] {
            keep(&bob, id(message), 204).await;
        }
        let mut his = bob.connect().await;
        ada.send(Method::DELETE, &format!("/api/v1/channels/{}/members/{}", id(&vault), bob.id), None, 204).await;
        ada.delete(id(&hidden), 204).await;
        ada.delete(id(&open), 204).await;
        // He is no member of the one, and reads it: so he is told. Of the other he hears nothing any more.
        let heard = his.events_until(|event| event["d"]["id"] == open["id"]).await;
        let told = heard.last().unwrap();
        assert_eq!((&told["t"], &told["channel_id"], &told["seq"]), (&json!("message_delete"), &harbour["id"], &Value::Null), "{told}");
        assert!(!heard.iter().any(|event| event["d"]["id"] == hidden["id"]), "{heard:?}");
        assert!(texts(&bob.get(MINE, 200).await).is_empty());
    }

    async fn what_somebody_keeps_is_theirs_alone(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        bob.join(harbour, 200).await;
        let mut posted = Vec::new();
        for text in ["one", "two", "three"] {
            posted.push(ada.post(harbour, text, 201).await);
        }
        let (mut own, mut others) = (bob.connect().await, ada.connect().await);
        for at in [1, 0, 2, 0] {
            next_millisecond().await;
            keep(&bob, id(&posted[at]), 204).await;
        }
        let told = own.event("bookmark_added").await;
        assert_eq!(told["d"], json!({ "message_id": posted[1]["id"], "channel_id": channel["id"] }));
        assert!(told["seq"].is_null(), "others would see a hole: {told}");
        let page = bob.get(MINE, 200).await;
        assert_eq!(texts(&page), ["three", "one", "two"], "the newest first, each once");
        assert!(items(&page)[0]["created_at"].is_string());
        assert!(texts(&ada.get(MINE, 200).await).is_empty());
        let half = bob.get(&format!("{MINE}?limit=2"), 200).await;
        let rest = bob.get(&format!("{MINE}?limit=2&cursor={}", half["next_cursor"].as_str().unwrap()), 200).await;
        assert_eq!((texts(&half), texts(&rest)), (vec!["three", "one"], vec!["two"]));
        for query in ["limit=0", "limit=101", "limit=x", "cursor=x"] {
            bob.get(&format!("{MINE}?{query}"), 400).await;
        }

        drop_it(&bob, id(&posted[0]), 204).await;
        drop_it(&bob, id(&posted[0]), 204).await;
        assert_eq!(own.event("bookmark_removed").await["d"]["message_id"], posted[0]["id"]);
        ada.delete(id(&posted[1]), 204).await;
        assert_eq!(texts(&bob.get(MINE, 200).await), ["three"]);
        keep(&bob, id(&posted[1]), 410).await;
        let unknown = "00000000-0000-7000-8000-000000000000";
        keep(&bob, unknown, 404).await;
        drop_it(&bob, unknown, 404).await;

        // Ada heard of the deletion, and of nobody's bookmarks.
        let heard = others.events_until(|event| event["t"] == "message_delete").await;
        assert!(heard.iter().all(|event| event["t"] != "bookmark_added" && event["t"] != "bookmark_removed"), "{heard:?}");
    }

    async fn a_bookmark_opens_no_door(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let vault = ada.create_channel("vault", "private", 201).await;
        let canary = ada.post(id(&vault), "the canary sings", 201).await;
        keep(&bob, id(&canary), 404).await;
        drop_it(&bob, id(&canary), 404).await;
        ada.add_member(id(&vault), &bob, 201).await;
        keep(&bob, id(&canary), 204).await;
        assert_eq!(texts(&bob.get(MINE, 200).await), ["the canary sings"]);

        bob.leave(id(&vault), 204).await;
        let page = bob.get(MINE, 200).await;
        assert!(!page.to_string().contains("canary") && texts(&page).is_empty(), "{page}");
        // What is theirs they may take off, and after that it is a message like any other that they may not know.
        drop_it(&bob, id(&canary), 204).await;
        drop_it(&bob, id(&canary), 404).await;
    }
}
