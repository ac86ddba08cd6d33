//! `Idempotency-Key`: what creates something is done once for each key, and nobody's key opens anything of another's.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{Reply, User, id, items};
use crate::harness::{both, wait_until};

async fn create(user: &User, key: &str, path: &str, form: &Value) -> Reply {
    user.fetch(user.request(Method::POST, path).header("Idempotency-Key", key).json(form)).await
}

const CHANNELS: &str = "/api/v1/channels";

both! {
    async fn a_channel_is_made_once_for_each_key(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let form = json!({ "name": "vault", "kind": "private" });
        let first = create(&ada, "k1", CHANNELS, &form).await;
        assert_eq!((first.status, first.header("idempotency-replayed")), (201, ""), "{}", first.text);
        let again = create(&ada, "k1", CHANNELS, &form).await;
        assert_eq!((again.status, again.header("idempotency-replayed")), (201, "true"));
        assert_eq!((again.body(), again.header("cache-control")), (first.body(), "no-store"));
        // By any of its paths, at any server.
        let there = ada.at(&world.nodes[world.nodes.len() - 1].address);
        assert_eq!(create(&there, "k1", "/api/rooms", &form).await.body()["id"], first.body()["id"]);
        let mine = ada.get("/api/v1/channels/me?limit=100", 200).await;
        assert_eq!(items(&mine).iter().filter(|it| it["name"] == "vault").count(), 1);

        let other = create(&ada, "k1", CHANNELS, &json!({ "name": "attic", "kind": "private" })).await;
        assert_eq!((other.status, &other.body()["code"]), (422, &json!("idempotency_key_reused")), "{}", other.text);
        let elsewhere = create(&ada, "k1", "/api/v1/channels/direct", &json!({ "user_ids": [bob.id] })).await;
        assert_eq!(elsewhere.status, 201, "the same key of another call: {}", elsewhere.text);
        let theirs = create(&bob, "k1", CHANNELS, &form).await;
        assert_eq!(theirs.status, 201);
        assert_ne!(theirs.body()["id"], first.body()["id"], "a key is its user's own");
        // Without a key nothing is held back.
        assert_ne!(ada.create_channel("vault", "private", 201).await["id"], first.body()["id"]);

        // A call that was refused has done nothing, and its key is free.
        assert_eq!(create(&ada, "k2", CHANNELS, &json!({ "name": "" })).await.status, 400);
        assert_eq!(create(&ada, "k2", CHANNELS, &json!({ "name": "pier" })).await.status, 201);
        for bad in ["", "a b", "ü", &"k".repeat(256)] {
            let reply = create(&ada, bad, CHANNELS, &json!({ "name": "mole" })).await;
            assert_eq!(reply.status, 400, "{bad:?}: {}", reply.text);
        }
        let nobody = create(&world.visitor(), "k1", CHANNELS, &form).await;
        assert_eq!(nobody.status, 401);
    }

    async fn no_kept_answer_gives_a_message_back(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("vault", "private", 201).await;
        ada.add_member(id(&room), &bob, 201).await;
        let message = ada.post(id(&room), "the map is under the mole", 201).await;
        let at = confab_protocol::Timestamp::now().plus(std::time::Duration::from_hours(1)).to_string();
        let form = json!({ "message_id": message["id"], "remind_at": at });
        let first = create(&bob, "later", "/api/v1/reminders", &form).await;
        assert_eq!(first.status, 201, "{}", first.text);
        ada.send(Method::DELETE, &format!("{CHANNELS}/{}/members/{}", id(&room), bob.id), None, 204).await;
        ada.delete(id(&message), 204).await;
        let again = create(&bob, "later", "/api/v1/reminders", &form).await;
        assert_eq!((again.status, &again.body()["code"]), (409, &json!("already_done")), "{}", again.text);
        assert!(!again.text.contains("the mole"), "{}", again.text);
    }

    async fn a_key_raced_from_ten_places_does_it_once(world) {
        let ada = world.user("ada").await;
        let addresses: Vec<_> = world.nodes.iter().map(|node| node.address.clone()).collect();
        let tries = (0..10).map(|at| {
            let ada = ada.at(&addresses[at % addresses.len()]);
            tokio::spawn(async move { create(&ada, "race", CHANNELS, &json!({ "name": "vault", "kind": "private" })).await })
        });
        let mut made = Vec::new();
        for attempt in tries.collect::<Vec<_>>() {
            let reply = attempt.await.unwrap();
            match reply.status {
                201 => made.push(reply.body()["id"].clone()),
                409 => assert_eq!(reply.body()["code"], "idempotency_in_progress"),
                other => panic!("{other}: {}", reply.text),
            }
        }
        made.dedup();
        assert_eq!(made.len(), 1, "{made:?}");
        let mine = ada.get("/api/v1/channels/me?limit=100", 200).await;
        assert_eq!(items(&mine).iter().filter(|it| it["name"] == "vault").count(), 1);
    }

    async fn who_goes_away_while_it_is_done_asks_again(world) {
        let ada = world.user("ada").await;
        for number in 0..40_u64 {
            let (key, form) = (format!("away-{number}"), json!({ "name": format!("pier {number}"), "kind": "private" }));
            let request = ada.request(Method::POST, CHANNELS).header("Idempotency-Key", &key).json(&form);
            let _ = request.timeout(Duration::from_micros(500 * (1 + number % 20))).send().await;
            wait_until("the call to be done", async || {
                let reply = create(&ada, &key, CHANNELS, &form).await;
                assert!(reply.status == 201 || reply.body()["code"] == "idempotency_in_progress", "{}", reply.text);
                reply.status == 201
            })
            .await;
        }
        let mine = ada.get("/api/v1/channels/me?limit=100", 200).await;
        let piers = items(&mine).iter().filter(|it| it["name"].as_str().is_some_and(|name| name.starts_with("pier ")));
        assert_eq!(piers.count(), 40);
    }

    async fn a_secret_is_shown_once_and_a_message_has_its_nonce(world) {
        let ada = world.user("ada").await;
        let form = json!({ "name": "script", "scopes": ["read"], "expires_in_days": 1 });
        let first = create(&ada, "t", "/api/v1/auth/tokens", &form).await;
        assert_eq!(first.status, 201, "{}", first.text);
        let again = create(&ada, "t", "/api/v1/auth/tokens", &form).await;
        assert_eq!((again.status, &again.body()["code"]), (409, &json!("already_done")), "{}", again.text);
        assert_eq!(items(&ada.get("/api/v1/auth/tokens", 200).await).len(), 1);

        let channel = ada.create_channel("harbour", "public", 201).await;
        let path = format!("/api/v1/channels/{}/messages", id(&channel));
        let sent = create(&ada, "m", &path, &json!({ "content": "once" })).await;
        assert_eq!((sent.status, &sent.body()["nonce"]), (201, &json!("m")));
        let again = create(&ada, "m", &path, &json!({ "content": "once" })).await;
        assert_eq!((again.status, &again.body()["id"]), (200, &sent.body()["id"]));
        let other = create(&ada, "m", &path, &json!({ "content": "twice" })).await;
        assert_eq!((other.status, &other.body()["code"]), (409, &json!("nonce_reused")));
        // A key that is none protects nobody: it is no key that was left out.
        let forward = format!("/api/v1/messages/{}/forward", id(&sent.body()));
        for bad in ["", "a b", "ü", &"k".repeat(101)] {
            for (path, form) in [(&path, json!({ "content": "once" })), (&forward, json!({ "channel_id": channel["id"] }))] {
                let reply = create(&ada, bad, path, &form).await;
                assert_eq!(reply.status, 400, "{bad:?}: {}", reply.text);
            }
        }
        // Whoever asks for files that the message does not have is not told that they are there.
        let (map, log) = (ada.upload("map.txt", b"a map").await, ada.upload("log.txt", b"a log").await);
        let post = async |key: &str, files: &[&Value]| {
            let files: Vec<&Value> = files.iter().map(|it| &it["id"]).collect();
            create(&ada, key, &path, &json!({ "content": "look", "file_ids": files })).await.status
        };
        assert_eq!((post("f1", &[]).await, post("f1", &[&map]).await, post("f1", &[]).await), (201, 409, 200));
        assert_eq!((post("f2", &[&map]).await, post("f2", &[&map, &log]).await), (201, 409));
        assert_eq!((post("f2", &[]).await, post("f2", &[&map]).await), (409, 200));
        // A token that may only read replays nothing that it could not have asked for.
        let reader = User { access_token: first.body()["token"].as_str().unwrap().to_owned(), ..ada.clone() };
        assert_eq!(create(&reader, "t", "/api/v1/auth/tokens", &form).await.status, 403);
    }
}
