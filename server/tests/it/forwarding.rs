//! Quotes, forwards and earlier wordings: what repeats a message's text, and that all of it goes with the message.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{User, contents, id, items};
use crate::harness::{both, wait_until};

async fn forward(user: &User, message: &str, form: &Value, expected: u16) -> Value {
    user.send(Method::POST, &format!("/api/v1/messages/{message}/forward"), Some(form), expected).await
}

async fn history(user: &User, message: &str, query: &str, expected: u16) -> Value {
    user.get(&format!("/api/v1/messages/{message}/history?{query}"), expected).await
}

both! {
    async fn a_quote_shows_the_message_as_it_is_now(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        bob.join(harbour, 200).await;
        let long = "ü".repeat(300);
        let said = ada.post(harbour, &long, 201).await;
        assert_eq!(said["url"], json!(format!("/channels/{harbour}?seq={}", said["seq"])));
        let mut socket = ada.connect().await;
        let form = json!({ "content": "hear, hear", "quoted_id": said["id"], "nonce": "q" });
        let quote = bob.post_form(harbour, &form, 201).await;
        assert_eq!(quote["quoted"]["excerpt"], json!("ü".repeat(200)));
        assert_eq!((&quote["quoted"]["message_id"], &quote["quoted"]["sender"]["username"]), (&said["id"], &json!("ada")));
        let told = socket.events_until(|event| event["d"]["id"] == quote["id"]).await;
        assert_eq!(told.last().unwrap()["d"], quote, "the event is the message as REST shows it");
        assert_eq!(bob.post_form(harbour, &form, 200).await["id"], quote["id"]);
        let other = json!({ "content": "hear, hear", "nonce": "q" });
        assert_eq!(bob.post_form(harbour, &other, 409).await["code"], "nonce_reused");

        ada.edit(id(&said), "mended", 200).await;
        assert_eq!(bob.read(id(&quote), 200).await["quoted"]["excerpt"], "mended");
        ada.delete(id(&said), 204).await;
        let left = bob.list(harbour, "", 200).await;
        assert!(!left.to_string().contains("mended"), "{left}");
        assert_eq!(items(&left)[1]["quoted"]["is_deleted"], true);

        // What is gone, elsewhere or nowhere cannot be quoted.
        let vault = ada.create_channel("vault", "private", 201).await;
        let secret = ada.post(id(&vault), "the canary", 201).await;
        for quoted in [&said["id"], &secret["id"], &json!("00000000-0000-7000-8000-000000000000"), &json!("x"), &json!(5)] {
            bob.post_form(harbour, &json!({ "content": "lost", "quoted_id": quoted }), 400).await;
        }
    }

    async fn a_socket_sends_all_that_rest_does(world) {
        let ada = world.user("ada").await;
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        let root = ada.post(harbour, "who sails?", 201).await;
        let part = reqwest::multipart::Part::bytes(b"tide tables".to_vec()).file_name("tides.txt");
        let upload = reqwest::multipart::Form::new().part("file", part);
        let file = ada.fetch(ada.request(Method::POST, "/api/v1/files/upload").multipart(upload)).await.body();
        let mut socket = ada.connect().await;
        let send = json!({ "op": "send", "d": {
            "channel_id": harbour, "content": "see", "nonce": "n", "parent_id": root["id"], "quoted_id": root["id"], "file_ids": [file["id"]],
        } });
        socket.send(&send).await;
        let posted = socket.frame("ack").await["d"]["message"].clone();
        assert_eq!((&posted["parent_id"], &posted["quoted"]["excerpt"]), (&root["id"], &json!("who sails?")));
        assert_eq!(posted["files"][0]["id"], file["id"]);
        assert_eq!(ada.read(id(&posted), 200).await, posted, "both ways show the same");
        socket.send(&send).await;
        assert_eq!(socket.frame("ack").await["d"]["message"]["id"], posted["id"], "once, by its nonce");
        let too_many: Vec<&Value> = vec![&file["id"]; 11];
        socket.send(&json!({ "op": "send", "d": { "channel_id": harbour, "content": "x", "nonce": "m", "file_ids": too_many } })).await;
        let refused = loop {
            let frame = socket.next_frame().await;
            if frame["op"] == "error" {
                break frame;
            }
        };
        assert_eq!((&refused["d"]["code"], &refused["d"]["nonce"]), (&json!("invalid"), &json!("m")));
    }

    async fn a_forward_is_for_those_who_could_read_it(world) {
        let (ada, bob, eve) = (world.user("ada").await, world.user("bob").await, world.user("eve").await);
        let open = ada.create_channel("harbour", "public", 201).await;
        let vault = ada.create_channel("vault", "private", 201).await;
        let other = bob.create_channel("pier", "public", 201).await;
        for channel in [&open, &other] {
            eve.join(id(channel), 200).await;
        }
        ada.join(id(&other), 200).await;
        let news = ada.post(id(&open), "land in sight", 201).await;
        let secret = ada.post(id(&vault), "the code is 4711", 201).await;
        let here = json!({ "channel_id": other["id"], "content": "read this", "nonce": "f1" });
        let mut socket = bob.connect().await;

        let brought = forward(&eve, id(&news), &here, 201).await;
        assert_eq!((&brought["content"], &brought["forwarded"]["content"]), (&json!("read this"), &json!("land in sight")));
        assert_eq!((&brought["forwarded"]["message_id"], &brought["forwarded"]["channel_id"]), (&news["id"], &open["id"]));
        assert_eq!((&brought["forwarded"]["sender"]["username"], &brought["forwarded"]["created_at"]), (&json!("ada"), &news["created_at"]));
        assert_eq!(socket.event("new_message").await["d"], brought, "the event is the message as REST shows it");
        assert_eq!(forward(&eve, id(&news), &here, 200).await["id"], brought["id"], "the nonce holds here too");

        // Out of a private channel only its members bring anything, and its name stays there.
        assert_eq!(forward(&eve, id(&secret), &here, 409).await["code"], "nonce_reused");
        let here = json!({ "channel_id": other["id"], "content": "read this" });
        forward(&eve, id(&secret), &here, 404).await;
        let leaked = forward(&ada, id(&secret), &json!({ "channel_id": other["id"] }), 201).await;
        assert_eq!((&leaked["content"], &leaked["forwarded"]["content"]), (&json!(""), &json!("the code is 4711")));
        assert!(leaked["forwarded"].get("message_id").is_none() && !leaked.to_string().contains(id(&vault)), "{leaked}");
        // A forward without words of its own passes on what it brought.
        let onward = forward(&bob, id(&leaked), &json!({ "channel_id": other["id"] }), 201).await;
        assert_eq!((&onward["forwarded"]["content"], &onward["forwarded"]["sender"]["username"]), (&json!("the code is 4711"), &json!("ada")));

        // Only where one may write.
        forward(&bob, id(&news), &json!({ "channel_id": open["id"] }), 403).await;
        forward(&eve, id(&news), &json!({ "channel_id": vault["id"] }), 404).await;
        forward(&eve, id(&news), &json!({}), 400).await;
        forward(&eve, id(&news), &json!({ "channel_id": other["id"], "content": "x".repeat(16_001) }), 400).await;
        forward(&eve, "00000000-0000-7000-8000-000000000000", &here, 404).await;
        let gone = ada.post(id(&open), "never mind", 201).await;
        ada.delete(id(&gone), 204).await;
        forward(&eve, id(&gone), &json!({ "channel_id": other["id"] }), 410).await;
    }

    async fn what_is_deleted_is_gone_from_everywhere(world) {
        let (ada, bob, eve) = (world.user("ada").await, world.user("bob").await, world.user("eve").await);
        let source = ada.create_channel("harbour", "public", 201).await;
        let target = bob.create_channel("pier", "private", 201).await;
        bob.join(id(&source), 200).await;
        bob.add_member(id(&target), &eve, 201).await;
        let root = ada.post(id(&source), "question", 201).await;
        let said = ada.reply(id(&source), id(&root), "the old canary", 201).await;
        let said = ada.edit(id(&said), "the canary", 200).await;
        let said = id(&said);
        bob.post_form(id(&source), &json!({ "content": "quote", "quoted_id": said }), 201).await;
        bob.send(Method::PUT, &format!("/api/v1/messages/{said}/pin"), None, 200).await;
        bob.send(Method::PUT, &format!("/api/v1/messages/{said}/bookmark"), None, 204).await;
        let copy = forward(&bob, said, &json!({ "channel_id": target["id"] }), 201).await;
        let again = forward(&bob, said, &json!({ "channel_id": source["id"] }), 201).await;
        let onward = forward(&bob, id(&copy), &json!({ "channel_id": target["id"] }), 201).await;
        let mut socket = eve.connect().await;

        ada.delete(said, 204).await;
        let (first, second) = (socket.event("message_update").await, socket.event("message_update").await);
        assert_eq!((&first["d"]["id"], &second["d"]["id"]), (&copy["id"], &onward["id"]));
        for told in [&first, &second] {
            assert_eq!(told["d"]["forwarded"]["is_deleted"], true);
            assert!(!told.to_string().contains("canary"), "{told}");
        }
        assert_eq!(first["seq"].as_i64().map(|seq| seq + 1), second["seq"].as_i64(), "dense in that channel too");
        let paths = [
            format!("/api/v1/channels/{}/messages", id(&source)),
            format!("/api/v1/channels/{}/messages", id(&target)),
            format!("/api/v1/channels/{}/pins", id(&source)),
            format!("/api/v1/channels/{}/events?after_seq=0", id(&target)),
            "/api/v1/users/me/bookmarks".to_owned(),
            format!("/api/v1/messages/{}", id(&again)),
            format!("/api/v1/messages/{}/thread", id(&root)),
        ];
        for path in &paths {
            let answer = bob.get(path, 200).await;
            assert!(!answer.to_string().contains("canary"), "{path}: {answer}");
        }
        history(&bob, said, "", 410).await;
        assert_eq!(ada.read(said, 200).await["content"], "");
        assert_eq!(ada.read(id(&root), 200).await["reply_count"], 0);
        forward(&bob, id(&copy), &json!({ "channel_id": source["id"] }), 410).await;
        // A forward itself is deleted like any message.
        bob.delete(id(&copy), 204).await;
    }

    async fn deletions_that_cross_wait_for_nobody(world) {
        let ada = world.user("ada").await;
        let mut channels = Vec::new();
        for name in ["harbour", "pier"] {
            channels.push(ada.create_channel(name, "public", 201).await);
        }
        let mut crossing = Vec::new();
        for _ in 0..5 {
            for (from, to) in [(0, 1), (1, 0)] {
                let said = ada.post(id(&channels[from]), "there and back", 201).await;
                forward(&ada, id(&said), &json!({ "channel_id": channels[to]["id"] }), 201).await;
                crossing.push(id(&said).to_owned());
            }
        }
        let addresses: Vec<_> = world.nodes.iter().map(|node| node.address.clone()).collect();
        let deletions = crossing.into_iter().enumerate().map(|(at, message)| {
            let ada = ada.at(&addresses[at % addresses.len()]);
            tokio::spawn(async move { ada.delete(&message, 204).await })
        });
        for deletion in deletions.collect::<Vec<_>>() {
            deletion.await.unwrap();
        }
        for channel in &channels {
            let page = ada.list(id(channel), "limit=100", 200).await;
            assert!(!page.to_string().contains("there and back"), "{page}");
            let last = ada.get(&format!("/api/v1/channels/{}", id(channel)), 200).await["last_seq"].as_i64();
            wait_until("all of it to be in the log", async || {
                let events = ada.get(&format!("/api/v1/channels/{}/events?after_seq=0&limit=100", id(channel)), 200).await;
                let seqs: Vec<i64> = items(&events).iter().map(|it| it["seq"].as_i64().unwrap()).collect();
                assert!(seqs.windows(2).all(|pair| pair[0] < pair[1]), "{seqs:?}");
                last == seqs.last().copied()
            })
            .await;
        }
    }

    async fn with_a_channel_goes_all_that_was_said_in_it(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let doomed = ada.create_channel("doomed", "public", 201).await;
        let other = ada.create_channel("other", "public", 201).await;
        bob.join(id(&other), 200).await;
        let file = ada.upload("tides.txt", b"high at nine").await;
        let said = ada.post_form(id(&doomed), &json!({ "content": "@bob high at nine", "file_ids": [file["id"]] }), 201).await;
        let copy = forward(&ada, id(&said), &json!({ "channel_id": other["id"] }), 201).await;
        let noticed = bob.get("/api/v1/users/me/notifications", 200).await;
        assert_eq!(items(&noticed)[0]["message"]["id"], said["id"]);
        let mut socket = bob.connect().await;
        ada.send(Method::DELETE, &format!("/api/v1/channels/{}", id(&doomed)), None, 204).await;
        // Nobody learns more than that it is not open any more, and the copy goes too.
        let (mut is_listed, mut emptied) = (None, None);
        while is_listed.is_none() || emptied.is_none() {
            let frame = socket.next_frame().await;
            match frame["t"].as_str() {
                // That it was listed once may be told late.
                Some("directory_updated") if frame["d"]["listed"] == false => is_listed = Some(frame["d"].clone()),
                Some("message_update") => emptied = Some(frame["d"].clone()),
                Some("channel_deleted") => panic!("for members only: {frame}"),
                _ => {}
            }
        }
        assert_eq!(is_listed, Some(json!({ "channel_id": doomed["id"], "listed": false })));
        let emptied = emptied.unwrap();
        assert_eq!((&emptied["id"], &emptied["forwarded"]["is_deleted"]), (&copy["id"], &json!(true)));
        assert_eq!(bob.get("/api/v1/users/me/notifications", 200).await["items"], json!([]));
        wait_until("the file to go too", async || {
            ada.get("/api/v1/users/me/quota", 200).await["used_bytes"] == json!(0)
        })
        .await;
    }

    async fn a_message_is_forwarded_two_hundred_times(world) {
        let ada = world.user("ada").await;
        let channel = ada.create_channel("harbour", "public", 201).await;
        let here = json!({ "channel_id": channel["id"] });
        let said = ada.post(id(&channel), "everybody must know", 201).await;
        for _ in 0..200 {
            forward(&ada, id(&said), &here, 201).await;
        }
        assert_eq!(forward(&ada, id(&said), &here, 409).await["code"], "too_many_forwards");
        ada.delete(id(&said), 204).await;
        let page = ada.list(id(&channel), "limit=100", 200).await;
        assert!(items(&page).iter().all(|it| it["forwarded"]["is_deleted"] == true && it["forwarded"]["content"] == ""), "{page}");
    }

    async fn earlier_wordings_are_read_by_whoever_reads_the_message(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let vault = ada.create_channel("vault", "private", 201).await;
        let said = ada.post(id(&vault), "frist", 201).await;
        for text in ["first", "first!"] {
            ada.edit(id(&said), text, 200).await;
        }
        let all = history(&ada, id(&said), "", 200).await;
        assert_eq!(contents(&all), ["frist", "first", "first!"]);
        let versions: Vec<i64> = items(&all).iter().map(|it| it["version"].as_i64().unwrap()).collect();
        assert_eq!((versions, &items(&all)[0]["created_at"]), (vec![1, 2, 3], &said["created_at"]));
        let half = history(&ada, id(&said), "limit=2", 200).await;
        let rest = history(&ada, id(&said), &format!("limit=2&cursor={}", half["next_cursor"].as_str().unwrap()), 200).await;
        assert_eq!((contents(&half), contents(&rest)), (vec!["frist", "first"], vec!["first!"]));
        for query in ["limit=0", "limit=101", "cursor=x"] {
            history(&ada, id(&said), query, 400).await;
        }
        history(&bob, id(&said), "", 404).await;
        ada.add_member(id(&vault), &bob, 201).await;
        assert_eq!(contents(&history(&bob, id(&said), "", 200).await), ["frist", "first", "first!"]);
        bob.leave(id(&vault), 204).await;
        history(&bob, id(&said), "", 404).await;
    }
}
