//! A channel becomes private, or public: who loses what, and when.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{User, contents, id, items};
use crate::harness::{both, wait_until};

const CANARY: &str = "kingfisher4711";

async fn flip(by: &User, channel: &str, form: Value, expected: u16) -> Value {
    by.send(Method::PUT, &format!("/api/v1/channels/{channel}/privacy"), Some(&form), expected).await
}

async fn found(user: &User) -> usize {
    items(&user.search(CANARY, 200).await).len()
}

both! {
    async fn what_becomes_private_is_gone_for_others_at_once(world) {
        let (ada, bob, carol) = (world.user("ada").await, world.user("bob").await, world.user("carol").await);
        let room = ada.create_channel("harbour", "public", 201).await;
        let room = id(&room);
        carol.join(room, 200).await;
        let part = reqwest::multipart::Part::bytes(CANARY.as_bytes()).file_name("plan.txt").mime_str("text/plain").unwrap();
        let upload = ada.request(Method::POST, "/api/v1/files/upload").multipart(reqwest::multipart::Form::new().part("file", part));
        let file = ada.fetch(upload).await.body();
        let said = ada.post_form(room, &json!({ "content": format!("{CANARY} for @bob"), "file_ids": [id(&file)] }), 201).await;
        let said = id(&said);
        // Whoever is no member reads what is public, reacts to nothing, and is told when named.
        bob.read(said, 200).await;
        bob.get(&format!("/api/v1/files/{}", id(&file)), 200).await;
        assert_eq!(items(&bob.get("/api/v1/users/me/notifications", 200).await).len(), 1);
        wait_until("it to be found", async || found(&bob).await == 1 && found(&carol).await == 1).await;

        let other = ada.create_channel("elsewhere", "public", 201).await;
        bob.join(id(&other), 200).await;
        let (mut outside, mut inside) = (bob.connect().await, carol.connect().await);
        flip(&bob, room, json!({ "is_private": true }), 403).await;
        flip(&carol, room, json!({ "is_private": true }), 403).await;
        for wrong in [json!({}), json!({ "is_private": "yes" }), json!({ "is_private": null })] {
            flip(&ada, room, wrong, 400).await;
        }
        let flipped = flip(&ada, room, json!({ "is_private": true }), 200).await;
        assert_eq!((&flipped["kind"], &flipped["is_private"], &flipped["is_public"]), (&json!("private"), &json!(true), &json!(false)));

        for path in ["", "/members", "/messages", "/role"] {
            bob.get(&format!("/api/v1/channels/{room}{path}"), 404).await;
        }
        bob.join(room, 404).await;
        bob.read(said, 404).await;
        bob.thread(said, 404).await;
        bob.react(said, "thumbsup", 404).await;
        bob.get(&format!("/api/v1/files/{}", id(&file)), 404).await;
        bob.get(&format!("/api/v1/files/{}/download", id(&file)), 404).await;
        assert_eq!(found(&bob).await, 0, "the search still finds it");
        assert!(items(&bob.get("/api/v1/users/me/notifications", 200).await).is_empty());
        assert!(items(&bob.get("/api/v1/channels?q=harbour", 200).await).is_empty());
        assert!(items(&bob.get("/api/v1/search/channels?q=harbour", 200).await).is_empty());
        assert!(!bob.channels(200).await.to_string().contains(room));
        // Members keep all of it, and hear of it.
        assert_eq!(inside.event("privacy_updated").await["d"]["is_private"], true);
        assert_eq!(contents(&carol.list(room, "", 200).await).len(), 1);
        assert_eq!(found(&carol).await, 1);
        assert_eq!(items(&carol.get("/api/v1/channels?q=harbour", 200).await).len(), 1);
        ada.post(room, &format!("{CANARY} again, @bob"), 201).await;
        let marker = ada.post(id(&other), "marker", 201).await;
        let heard = outside.events_until(|event| event["d"]["id"] == marker["id"]).await;
        // Nothing but that it is not open any more: as for one that was deleted.
        let of_room: Vec<_> = heard.iter().filter(|it| it.to_string().contains(room)).collect();
        assert_eq!(of_room.len(), 1, "an outsider heard of it: {of_room:?}");
        assert_eq!((&of_room[0]["t"], &of_room[0]["d"]), (&json!("directory_updated"), &json!({ "channel_id": room, "listed": false })));

        // The name is free for others now, and what was a channel of all is none that new accounts come into.
        bob.create_channel("harbour", "public", 201).await;
        let admin = world.admin().await;
        let log = admin.get("/api/v1/admin/audit?action=channel.privacy_changed", 200).await;
        assert_eq!((items(&log).len(), &items(&log)[0]["detail"]["is_private"]), (1, &json!(true)));
    }

    async fn what_becomes_public_is_shared_on_purpose(world) {
        let (ada, bob, carol) = (world.user("ada").await, world.user("bob").await, world.user("carol").await);
        let vault = ada.create_channel("vault", "private", 201).await;
        let vault = id(&vault);
        ada.post(vault, CANARY, 201).await;
        ada.add_member(vault, &carol, 201).await;
        let role = json!({ "role": "admin" });
        ada.send(Method::PUT, &format!("/api/v1/channels/{vault}/roles/{}", carol.id), Some(&role), 200).await;
        let share = json!({ "is_private": false, "share_history": true });
        flip(&bob, vault, share.clone(), 404).await;
        flip(&carol, vault, share.clone(), 403).await;
        for unsure in [json!({ "is_private": false }), json!({ "is_private": false, "share_history": false })] {
            assert_eq!(flip(&ada, vault, unsure, 409).await["code"], "history_confirmation_required");
        }
        let taken = bob.create_channel("Vault", "public", 201).await;
        assert_eq!(flip(&ada, vault, share.clone(), 409).await["code"], "name_taken");
        bob.get(&format!("/api/v1/channels/{vault}"), 404).await;
        bob.send(Method::DELETE, &format!("/api/v1/channels/{}", id(&taken)), None, 204).await;

        let before = ada.get(&format!("/api/v1/channels/{vault}"), 200).await["last_seq"].as_i64().unwrap();
        let public = flip(&ada, vault, share.clone(), 200).await;
        assert_eq!((&public["kind"], public["last_seq"].as_i64()), (&json!("public"), Some(before + 1)));
        assert_eq!(flip(&ada, vault, share, 200).await["last_seq"], before + 1, "twice is once");
        assert_eq!(contents(&bob.list(vault, "", 200).await), [CANARY]);
        assert_eq!(items(&bob.get("/api/v1/channels?q=vault", 200).await).len(), 1);
        bob.join(vault, 200).await;
        bob.create_channel("VAULT", "public", 409).await;

        let direct = ada.send(Method::POST, "/api/v1/channels/direct", Some(&json!({ "user_ids": [bob.id] })), 201).await;
        let voice = ada.create_channel("talk", "voice", 201).await;
        for channel in [&direct, &voice] {
            let share = json!({ "is_private": channel["is_public"], "share_history": true });
            assert_eq!(flip(&ada, id(channel), share, 409).await["code"], "no_privacy_here");
        }
    }

    /// Two private channels of one name that become public at the same moment: the second is told.
    async fn one_of_two_equal_names_becomes_public(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        for round in 0..5 {
            let name = format!("quay {round}");
            let (one, other) = (ada.create_channel(&name, "private", 201).await, bob.create_channel(&name, "private", 201).await);
            let share = json!({ "is_private": false, "share_history": true });
            let (a, b) = (format!("/api/v1/channels/{}/privacy", id(&one)), format!("/api/v1/channels/{}/privacy", id(&other)));
            let (first, second) = tokio::join!(ada.call(Method::PUT, &a, Some(&share)), bob.call(Method::PUT, &b, Some(&share)));
            let mut statuses = [first.status, second.status];
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 409], "{} {}", first.text, second.text);
        }
    }

    /// Whoever reads while it becomes private reads all or nothing, and nothing from then on.
    async fn nobody_reads_past_the_flip(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        for round in 0..5 {
            let room = ada.create_channel(&format!("pier {round}"), "public", 201).await;
            let path = format!("/api/v1/channels/{}", id(&room));
            let (form, messages) = (json!({ "is_private": true }), format!("{path}/messages"));
            let (privacy, join) = (format!("{path}/privacy"), format!("{path}/join"));
            let (flipped, joined, _) = tokio::join!(
                ada.call(Method::PUT, &privacy, Some(&form)),
                bob.call(Method::POST, &join, None),
                bob.call(Method::GET, &messages, None),
            );
            assert_eq!(flipped.status, 200, "{}", flipped.text);
            // Joined before it was private, or not at all.
            let expected = if joined.status == 200 { 200 } else { 404 };
            bob.get(&messages, expected).await;
            assert_eq!(joined.status, expected);
        }
    }
}
