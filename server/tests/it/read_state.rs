//! How far people have read: forward by reading, back on purpose, known to the other one of two.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{User, id, items};
use crate::harness::{both, next_millisecond};

const OVERVIEW: &str = "/api/v1/users/me/unread";
const CONVERSATIONS: &str = "/api/v1/users/me/conversations";

async fn mark(user: &User, channel: &str, how: &str, seq: &Value, expected: u16) {
    let path = format!("/api/v1/channels/{channel}/{how}");
    user.send(Method::PUT, &path, Some(&json!({ "seq": seq })), expected).await;
}

/// Unread and mentions: what the channel and the overview of all channels say.
pub async fn counts(user: &User, channel: &str) -> (i64, i64) {
    let one = user.get(&format!("/api/v1/channels/{channel}"), 200).await;
    let seen = (one["unread_count"].as_i64().unwrap(), one["mention_count"].as_i64().unwrap());
    let all = user.get(OVERVIEW, 200).await;
    let listed = items(&all).iter().find(|it| it["channel_id"] == channel);
    let listed = listed
        .map_or((0, 0), |it| (it["unread_count"].as_i64().unwrap(), it["mention_count"].as_i64().unwrap()));
    assert_eq!(seen, listed, "{all}");
    seen
}

async fn direct(user: &User, others: &[&User]) -> Value {
    let ids: Vec<&str> = others.iter().map(|it| it.id.as_str()).collect();
    let reply = user.call(Method::POST, "/api/v1/channels/direct", Some(&json!({ "user_ids": ids }))).await;
    assert!(matches!(reply.status, 200 | 201), "{}", reply.text);
    reply.body()
}

both! {
    async fn unread_goes_back_only_on_purpose(world) {
        let (ada, bob, eve) = (world.user("ada").await, world.user("bob").await, world.user("eve").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        bob.join(harbour, 200).await;
        let first = ada.post(harbour, "one", 201).await;
        ada.post(harbour, "two for @bob", 201).await;
        let last = ada.post(harbour, "three", 201).await;
        let (mut own, mut others) = (bob.connect().await, ada.connect().await);
        assert_eq!(counts(&bob, harbour).await, (3, 1));

        mark(&bob, harbour, "read", &last["seq"], 204).await;
        assert_eq!(own.event("read_updated").await["d"], json!({
            "channel_id": harbour, "user_id": bob.id, "seq": last["seq"], "unread_count": 0, "mention_count": 0,
        }));
        assert_eq!(counts(&bob, harbour).await, (0, 0));
        mark(&bob, harbour, "read", &first["seq"], 204).await;
        assert_eq!(counts(&bob, harbour).await, (0, 0), "reading again an old one changes nothing");

        mark(&bob, harbour, "unread", &json!(first["seq"].as_i64().unwrap() + 1), 204).await;
        assert_eq!(own.event("read_updated").await["d"], json!({
            "channel_id": harbour, "user_id": bob.id, "seq": first["seq"], "unread_count": 2, "mention_count": 1,
        }));
        assert_eq!(counts(&bob, harbour).await, (2, 1));
        mark(&bob, harbour, "unread", &last["seq"], 204).await;
        assert_eq!(counts(&bob, harbour).await, (2, 1), "what is unread stays so");

        for (how, seq) in [("read", json!(-1)), ("read", json!(1_000_000)), ("unread", json!(0)), ("unread", json!(1_000_000)),
            ("read", json!("5")), ("unread", Value::Null)] {
            mark(&bob, harbour, how, &seq, 400).await;
        }
        for how in ["read", "unread"] {
            mark(&eve, harbour, how, &json!(1), 403).await;
        }
        let vault = ada.create_channel("vault", "private", 201).await;
        for how in ["read", "unread"] {
            mark(&eve, id(&vault), how, &json!(1), 404).await;
        }
        // In a channel of many nobody sees how far others have read.
        ada.post(harbour, "the end", 201).await;
        let heard = others.events_until(|event| event["d"]["content"] == "the end").await;
        assert!(heard.iter().all(|event| event["t"] != "read_updated"), "{heard:?}");
    }

    async fn everything_is_read_at_once(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let mut channels = Vec::new();
        for name in ["harbour", "pier", "mole"] {
            let channel = ada.create_channel(name, "public", 201).await;
            bob.join(id(&channel), 200).await;
            channels.push(channel);
        }
        ada.post(id(&channels[0]), "@bob look", 201).await;
        ada.post(id(&channels[1]), "here too", 201).await;
        let pair = direct(&ada, &[&bob]).await;
        let whisper = ada.post(id(&pair), "and here", 201).await;
        let overview = bob.get(OVERVIEW, 200).await;
        assert_eq!((items(&overview).len(), &overview["unread_count"], &overview["mention_count"]), (3, &json!(3), &json!(1)));
        let (mut own, mut theirs) = (bob.connect().await, ada.connect().await);

        let all = bob.send(Method::POST, "/api/v1/channels/read-all", None, 200).await;
        assert_eq!(all["channel_count"], 3);
        let told: Vec<Value> = [own.event("read_updated").await, own.event("read_updated").await, own.event("read_updated").await].into();
        assert_eq!(told.iter().filter(|it| it["d"]["channel_id"] == pair["id"]).count(), 1, "{told:?}");
        assert_eq!(theirs.event("read_updated").await["d"], json!({ "channel_id": pair["id"], "user_id": bob.id, "seq": whisper["seq"] }));
        assert!(items(&bob.get(OVERVIEW, 200).await).is_empty());
        assert_eq!(bob.send(Method::POST, "/api/v1/channels/read-all", None, 200).await["channel_count"], 0);
    }

    async fn marks_raced_from_ten_places_end_at_the_newest(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel).to_owned();
        bob.join(&harbour, 200).await;
        let mut seqs = Vec::new();
        for number in 0..10 {
            seqs.push(ada.post(&harbour, &format!("m{number}"), 201).await["seq"].as_i64().unwrap());
        }
        let addresses: Vec<_> = world.nodes.iter().map(|node| node.address.clone()).collect();
        let marks = seqs.iter().rev().enumerate().map(|(at, seq)| {
            let (bob, seq, harbour) = (bob.at(&addresses[at % addresses.len()]), *seq, harbour.clone());
            tokio::spawn(async move { mark(&bob, &harbour, "read", &json!(seq), 204).await })
        });
        for attempt in marks.collect::<Vec<_>>() {
            attempt.await.unwrap();
        }
        let seen = bob.get(&format!("/api/v1/channels/{harbour}"), 200).await;
        assert_eq!((seen["read_seq"].as_i64(), &seen["unread_count"]), (seqs.last().copied(), &json!(0)));
    }

    async fn the_other_one_of_two_knows_what_was_read(world) {
        let (ada, bob, eve) = (world.user("ada").await, world.user("bob").await, world.user("eve").await);
        let pair = direct(&ada, &[&bob]).await;
        let mut socket = ada.connect().await;
        let first = ada.post(id(&pair), "are you there?", 201).await;
        assert_eq!((&first["recipient_id"], &first["conversation_id"], &first["is_read"]), (&json!(bob.id), &pair["id"], &json!(false)));
        assert_eq!(socket.event("new_message").await["d"], ada.read(id(&first), 200).await, "the event is the message as REST shows it");
        mark(&bob, id(&pair), "read", &first["seq"], 204).await;
        assert_eq!(socket.event("read_updated").await["d"], json!({ "channel_id": pair["id"], "user_id": bob.id, "seq": first["seq"] }));
        assert_eq!(ada.read(id(&first), 200).await["is_read"], true);
        assert_eq!(bob.read(id(&first), 200).await["is_read"], true, "it says the same to both");

        // Who answers has read what they answer.
        let second = ada.post(id(&pair), "well?", 201).await;
        let answer = bob.post(id(&pair), "here", 201).await;
        assert_eq!((&answer["recipient_id"], &answer["is_read"]), (&json!(ada.id), &json!(false)));
        assert_eq!(socket.event("read_updated").await["d"]["seq"], answer["seq"]);
        assert_eq!(ada.read(id(&second), 200).await["is_read"], true);
        mark(&bob, id(&pair), "unread", &second["seq"], 204).await;
        assert_eq!(socket.event("read_updated").await["d"]["seq"].as_i64(), second["seq"].as_i64().map(|seq| seq - 1));
        assert_eq!(ada.read(id(&second), 200).await["is_read"], false);

        let group = direct(&ada, &[&bob, &eve]).await;
        let to_all = eve.post(id(&group), "all of you", 201).await;
        assert_eq!(to_all["conversation_id"], group["id"]);
        assert!(to_all.get("recipient_id").is_none() && to_all.get("is_read").is_none(), "{to_all}");
        let channel = ada.create_channel("harbour", "public", 201).await;
        let plain = ada.post(id(&channel), "hello", 201).await;
        for field in ["recipient_id", "conversation_id", "is_read"] {
            assert!(plain.get(field).is_none(), "{plain}");
        }
        let alone = direct(&eve, &[&eve]).await;
        assert_eq!(eve.post(id(&alone), "note to self", 201).await["is_read"], true);
        assert_eq!(eve.list(id(&alone), "", 200).await["items"][0]["is_read"], true);
    }

    async fn conversations_come_the_most_active_first(world) {
        let (ada, bob, eve) = (world.user("ada").await, world.user("bob").await, world.user("eve").await);
        let with_bob = direct(&ada, &[&bob]).await;
        let group = direct(&ada, &[&bob, &eve]).await;
        let with_eve = direct(&ada, &[&eve]).await;
        ada.create_channel("harbour", "public", 201).await;
        ada.post(id(&group), "all", 201).await;
        next_millisecond().await;
        bob.post(id(&with_bob), "just you", 201).await;

        let page = ada.get(CONVERSATIONS, 200).await;
        let order: Vec<&Value> = items(&page).iter().map(|it| &it["conversation_id"]).collect();
        assert_eq!(order, [&with_bob["id"], &group["id"], &with_eve["id"]]);
        let first = &items(&page)[0];
        assert_eq!((&first["recipient_id"], &first["unread_count"]), (&json!(bob.id), &json!(1)));
        assert_eq!((&first["last_message"]["content"], &first["channel"]["id"]), (&json!("just you"), &with_bob["id"]));
        assert!(items(&page)[1].get("recipient_id").is_none(), "a group has no single one");
        assert!(items(&page)[2].get("last_message").is_none(), "nobody said anything yet");
        assert_eq!(items(&eve.get(CONVERSATIONS, 200).await).len(), 2, "others' conversations are not hers");

        let half = ada.get(&format!("{CONVERSATIONS}?limit=2"), 200).await;
        let rest = ada.get(&format!("{CONVERSATIONS}?limit=2&cursor={}", half["next_cursor"].as_str().unwrap()), 200).await;
        assert_eq!((items(&half).len(), &items(&rest)[0]["conversation_id"]), (2, &with_eve["id"]));
        for query in ["limit=0", "limit=101", "cursor=x"] {
            ada.get(&format!("{CONVERSATIONS}?{query}"), 400).await;
        }
    }
}
