//! Pins: what a channel keeps in view, a hundred at most, for its members to choose.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::both;
use crate::harness::user::{User, contents, id, items};

async fn pin(user: &User, message: &str, expected: u16) -> Value {
    user.send(Method::PUT, &format!("/api/v1/messages/{message}/pin"), None, expected).await
}

async fn unpin(user: &User, message: &str, expected: u16) -> Value {
    user.send(Method::DELETE, &format!("/api/v1/messages/{message}/pin"), None, expected).await
}

async fn pins(user: &User, channel: &str, query: &str, expected: u16) -> Value {
    user.get(&format!("/api/v1/channels/{channel}/pins?{query}"), expected).await
}

both! {
    async fn members_choose_what_stays_in_view(world) {
        let (ada, bob, eve) = (world.user("ada").await, world.user("bob").await, world.user("eve").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        bob.join(harbour, 200).await;
        let first = ada.post(harbour, "the tide table", 201).await;
        let second = ada.post(harbour, "the rota", 201).await;
        let mut socket = ada.connect().await;

        let pinned = pin(&bob, id(&first), 200).await;
        assert!(pinned["pinned_at"].is_string(), "{pinned}");
        assert_eq!(pinned["pinned_by_id"], json!(bob.id));
        let told = socket.event("pin_added").await;
        assert_eq!(told["d"], json!({
            "message_id": first["id"], "channel_id": channel["id"], "user_id": bob.id, "pinned_at": pinned["pinned_at"],
        }));
        assert_eq!(told["seq"].as_i64(), second["seq"].as_i64().map(|seq| seq + 1), "{told}");
        // Twice is once, whoever does it again, and takes no number.
        assert_eq!(pin(&ada, id(&first), 200).await["pinned_by_id"], json!(bob.id));
        pin(&ada, id(&second), 200).await;
        assert_eq!(socket.event("pin_added").await["seq"].as_i64(), second["seq"].as_i64().map(|seq| seq + 2));

        assert_eq!(contents(&pins(&bob, harbour, "", 200).await), ["the rota", "the tide table"]);
        assert_eq!(contents(&pins(&eve, harbour, "", 200).await), ["the rota", "the tide table"]);
        let half = pins(&bob, harbour, "limit=1", 200).await;
        let next = half["next_cursor"].as_str().unwrap();
        let rest = pins(&bob, harbour, &format!("limit=1&cursor={next}"), 200).await;
        assert_eq!((contents(&half), contents(&rest)), (vec!["the rota"], vec!["the tide table"]));
        for query in ["limit=0", "limit=101", "cursor=x"] {
            pins(&bob, harbour, query, 400).await;
        }

        // Who is no member looks on.
        pin(&eve, id(&first), 403).await;
        unpin(&eve, id(&first), 403).await;
        unpin(&bob, id(&second), 204).await;
        unpin(&bob, id(&second), 204).await;
        assert_eq!(socket.event("pin_removed").await["d"]["message_id"], second["id"]);
        assert!(ada.read(id(&second), 200).await["pinned_at"].is_null());

        ada.delete(id(&first), 204).await;
        assert!(items(&pins(&bob, harbour, "", 200).await).is_empty());
        pin(&bob, id(&first), 410).await;
        for strange in ["00000000-0000-7000-8000-000000000000", "not-an-id", "-1"] {
            let path = format!("/api/v1/messages/{strange}/pin");
            assert!(matches!(bob.call(Method::PUT, &path, None).await.status, 400 | 404), "{strange}");
        }
        ada.send(Method::POST, &format!("/api/v1/channels/{harbour}/archive"), None, 200).await;
        pin(&bob, id(&second), 409).await;
    }

    async fn pins_of_a_private_channel_are_its_own(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let vault = ada.create_channel("vault", "private", 201).await;
        let secret = ada.post(id(&vault), "the code is 4711", 201).await;
        pin(&ada, id(&secret), 200).await;
        pin(&bob, id(&secret), 404).await;
        unpin(&bob, id(&secret), 404).await;
        pins(&bob, id(&vault), "", 404).await;
        ada.add_member(id(&vault), &bob, 201).await;
        assert_eq!(contents(&pins(&bob, id(&vault), "", 200).await), ["the code is 4711"]);
        unpin(&bob, id(&secret), 204).await;
    }

    async fn ten_who_pin_at_once_find_no_room_beyond_the_hundredth(world) {
        let ada = world.user("ada").await;
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        let mut messages = Vec::new();
        for number in 0..106 {
            messages.push(id(&ada.post(harbour, &format!("m{number}"), 201).await).to_owned());
        }
        for message in &messages[..96] {
            pin(&ada, message, 200).await;
        }
        let addresses: Vec<_> = world.nodes.iter().map(|node| node.address.clone()).collect();
        let tries = messages[96..].iter().enumerate().map(|(at, message)| {
            let (ada, path) = (ada.at(&addresses[at % addresses.len()]), format!("/api/v1/messages/{message}/pin"));
            tokio::spawn(async move { ada.call(Method::PUT, &path, None).await })
        });
        let mut statuses = Vec::new();
        for attempt in tries.collect::<Vec<_>>() {
            let reply = attempt.await.unwrap();
            if reply.status == 409 {
                assert_eq!(reply.body()["code"], "too_many_pins");
            }
            statuses.push(reply.status);
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 200, 200, 409, 409, 409, 409, 409, 409]);
        assert_eq!(items(&pins(&ada, harbour, "limit=100", 200).await).len(), 100);
        // Those that were refused left no hole behind.
        let last = ada.post(harbour, "after", 201).await;
        let channel = ada.get(&format!("/api/v1/channels/{harbour}"), 200).await;
        assert_eq!((&channel["last_seq"], last["seq"].as_i64()), (&last["seq"], Some(2 + 106 + 100 + 1)));
    }
}
