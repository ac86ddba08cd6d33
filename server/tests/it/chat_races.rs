//! Two who do what does not go together, at two servers where there are two: whoever was first, both leave one truth.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::node::Address;
use crate::harness::user::{User, id, items};
use crate::harness::{both, wait_for};

const TRIES: usize = 12;

/// The events of a channel as a client without sockets reads them.
async fn events(user: &User, channel: &Value) -> Vec<Value> {
    let (mut after, mut found) = (0, Vec::new());
    // On several servers an event has its place in the log a moment after what it tells of.
    let until =
        user.get(&format!("/api/v1/channels/{}", id(channel)), 200).await["last_seq"].as_i64().unwrap();
    loop {
        let path = format!("/api/v1/channels/{}/events?after_seq={after}&limit=100", id(channel));
        let page = wait_for("the events", async || {
            let page = user.get(&path, 200).await;
            (after >= until || !items(&page).is_empty()).then_some(page)
        })
        .await;
        let Some(last) = items(&page).last() else { return found };
        after = last["seq"].as_i64().unwrap();
        found.extend(items(&page).iter().cloned());
    }
}

/// The same person, at another server where there is one.
fn elsewhere(user: &User, addresses: &[Address]) -> User {
    user.at(addresses.last().unwrap())
}

both! {
    async fn what_is_deleted_keeps_nothing_beside_it(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let addresses: Vec<_> = world.nodes.iter().map(|node| node.address.clone()).collect();
        let bob = elsewhere(&bob, &addresses);
        let room = ada.create_channel("room", "public", 201).await;
        bob.join(id(&room), 200).await;
        for _ in 0..TRIES {
            let said = ada.post(id(&room), "soon gone", 201).await;
            let (reaction, bookmark) =
                (format!("/api/v1/messages/{}/reactions/tada", id(&said)), format!("/api/v1/messages/{}/bookmark", id(&said)));
            let (_, reacted, kept) = tokio::join!(
                ada.delete(id(&said), 204),
                bob.call(Method::PUT, &reaction, None),
                bob.call(Method::PUT, &bookmark, None),
            );
            for reply in [reacted, kept] {
                assert!(matches!(reply.status, 204 | 410), "{}", reply.text);
            }
        }
        let mut deleted = Vec::new();
        for event in events(&bob, &room).await {
            let message = event["d"]["message_id"].as_str().or(event["d"]["id"].as_str()).unwrap_or_default().to_owned();
            assert!(event["t"] != "reaction_added" || !deleted.contains(&message), "a reaction under nothing: {event}");
            if event["t"] == "message_delete" {
                deleted.push(message);
            }
        }
        assert_eq!(deleted.len(), TRIES);
    }

    async fn a_forward_beside_a_deletion_is_empty_or_refused(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let addresses: Vec<_> = world.nodes.iter().map(|node| node.address.clone()).collect();
        let away = elsewhere(&bob, &addresses);
        let (source, target) =
            (ada.create_channel("source", "public", 201).await, ada.create_channel("target", "public", 201).await);
        for room in [&source, &target] {
            bob.join(id(room), 200).await;
        }
        let mut copies = Vec::new();
        for _ in 0..TRIES {
            let said = ada.post(id(&source), "a canary", 201).await;
            let (path, form) = (format!("/api/v1/messages/{}/forward", id(&said)), json!({ "channel_id": target["id"] }));
            let (_, forwarded) = tokio::join!(ada.delete(id(&said), 204), away.call(Method::POST, &path, Some(&form)));
            assert!(matches!(forwarded.status, 201 | 410), "{}", forwarded.text);
            if forwarded.status == 201 {
                copies.push(id(&forwarded.body()).to_owned());
            }
        }
        let told = events(&bob, &target).await;
        for copy in &copies {
            assert!(!bob.read(copy, 200).await.to_string().contains("canary"));
            let is_told = |it: &Value| it["t"] == "message_update" && it["d"]["id"] == **copy;
            assert!(told.iter().any(is_told), "nobody was told that {copy} is empty now");
        }
    }

    async fn whoever_was_an_admin_deletes_nothing_more(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let addresses: Vec<_> = world.nodes.iter().map(|node| node.address.clone()).collect();
        let away = elsewhere(&bob, &addresses);
        let room = ada.create_channel("room", "public", 201).await;
        bob.join(id(&room), 200).await;
        let path = format!("/api/v1/channels/{}/roles/{}", id(&room), bob.id);
        let role = async |role: &str| ada.send(Method::PUT, &path, Some(&json!({ "role": role })), 200).await;
        for _ in 0..TRIES {
            let said = ada.post(id(&room), "mine", 201).await;
            role("admin").await;
            let message = format!("/api/v1/messages/{}", id(&said));
            let (_, deleted) = tokio::join!(role("member"), away.call(Method::DELETE, &message, None));
            assert!(matches!(deleted.status, 204 | 403), "{}", deleted.text);
        }
        let mut is_admin = false;
        for event in events(&ada, &room).await {
            if event["t"] == "role_updated" {
                is_admin = event["d"]["role"] == "admin";
            }
            assert!(event["t"] != "message_delete" || is_admin, "deleted by somebody who was no admin: {event}");
        }
    }

    async fn whoever_was_put_out_reads_nothing_that_came_after(world) {
        let (ada, eve) = (world.user("ada").await, world.user("eve").await);
        let addresses: Vec<_> = world.nodes.iter().map(|node| node.address.clone()).collect();
        let away = elsewhere(&eve, &addresses);
        let room = ada.create_channel("room", "private", 201).await;
        let member = format!("/api/v1/channels/{}/members/{}", id(&room), eve.id);
        for _ in 0..TRIES / 3 {
            ada.add_member(id(&room), &eve, 201).await;
            let reads = (0..24).map(|at| {
                let what = ["messages", "events?after_seq=0&limit=100", "pins"][at % 3];
                let (eve, path) = (away.clone(), format!("/api/v1/channels/{}/{what}", id(&room)));
                tokio::spawn(async move { eve.call(Method::GET, &path, None).await })
            });
            let reads: Vec<_> = reads.collect();
            ada.send(Method::DELETE, &member, None, 204).await;
            let said = ada.post(id(&room), "a canary", 201).await;
            for read in reads {
                let reply = read.await.unwrap();
                assert!(matches!(reply.status, 200 | 404), "{}", reply.text);
                assert!(!reply.text.contains("a canary"), "read after the removal: {}", reply.text);
            }
            ada.delete(id(&said), 204).await;
        }
    }
}
