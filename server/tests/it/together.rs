//! Messages that are posted at the same moment share a transaction. Nobody may notice.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::both;
use crate::harness::user::{User, id, items};

async fn try_post(user: &User, channel: &Value, form: Value) -> (u16, Value) {
    let path = format!("/api/v1/channels/{}/messages", id(channel));
    let reply = user.call(Method::POST, &path, Some(&form)).await;
    (reply.status, reply.body())
}

both! {
    async fn each_post_of_a_crowd_is_its_own(world) {
        let (ada, bob, cid, eve) =
            (world.user("ada").await, world.user("bob").await, world.user("cid").await, world.user("eve").await);
        let room = ada.create_channel("room", "private", 201).await;
        let other = ada.create_channel("other", "public", 201).await;
        for user in [&bob, &cid] {
            ada.add_member(id(&room), user, 201).await;
            user.join(id(&other), 200).await;
        }
        let direct = ada.send(Method::POST, "/api/v1/channels/direct", Some(&json!({ "user_ids": [bob.id] })), 201).await;
        cid.send(Method::PUT, "/api/v1/users/me/preferences", Some(&json!({ "keywords": ["kelp"] })), 200).await;
        let draft = format!("/api/v1/channels/{}/draft", id(&room));
        bob.send(Method::PUT, &draft, Some(&json!({ "content": "half a thought" })), 200).await;
        let before = room["last_seq"].as_i64().unwrap_or(0);
        let mut heard = cid.connect().await;

        let members = [&ada, &bob, &cid];
        let posts = (0..60_usize).map(|number| {
            let (room, other, direct, eve) = (&room, &other, &direct, &eve);
            let [ada, bob, _] = members;
            async move {
                let user = members[number % 3];
                let content = format!("number {number}{}", if number % 10 == 1 { " of the kelp" } else { "" });
                match number {
                    // A stranger, who may not know of the room.
                    _ if number % 20 == 4 => try_post(eve, room, json!({ "content": content })).await,
                    _ if number % 20 == 7 => try_post(user, other, json!({ "content": content })).await,
                    // Two of them, and two answers about who has read what.
                    _ if number % 20 == 9 => try_post([ada, bob][number % 2], direct, json!({ "content": content })).await,
                    // The same one twice, at the same moment.
                    _ if number % 20 == 13 || number % 20 == 16 => {
                        let nonce = format!("n{}", number / 20);
                        try_post(ada, room, json!({ "content": "once", "nonce": nonce })).await
                    }
                    _ => try_post(user, room, json!({ "content": content, "nonce": format!("own {number}") })).await,
                }
            }
        });
        let posted = join_all(posts).await;
        let mut in_room: Vec<(i64, String)> = Vec::new();
        for (number, (status, body)) in posted.iter().enumerate() {
            match number % 20 {
                4 => assert_eq!(*status, 404, "{body}"),
                13 | 16 => {}
                _ => assert_eq!(*status, 201, "{body}"),
            }
            if (200..300).contains(status) && body["channel_id"] == room["id"] {
                in_room.push((body["seq"].as_i64().unwrap(), id(body).to_owned()));
            }
        }
        for turn in 0..3 {
            let (one, two) = (&posted[turn * 20 + 13], &posted[turn * 20 + 16]);
            assert_eq!(one.1["id"], two.1["id"], "one nonce is one message");
            let mut statuses = [one.0, two.0];
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 201]);
        }
        in_room.sort();
        in_room.dedup();
        assert_eq!(in_room.len(), 60 - 3 - 3 - 3 - 3);
        let first = in_room[0].0;
        assert!(first > before);
        assert!(in_room.iter().zip(first..).all(|((seq, _), expected)| *seq == expected), "{in_room:?}");

        let last = in_room.last().unwrap().1.clone();
        ada.post(id(&other), "the end", 201).await;
        let events = heard.events_until(|event| event["d"]["content"] == "the end").await;
        let of_room: Vec<(i64, String)> = events
            .iter()
            .filter(|event| event["t"] == "new_message" && event["channel_id"] == room["id"])
            .map(|event| (event["seq"].as_i64().unwrap(), id(&event["d"]).to_owned()))
            .collect();
        assert_eq!(of_room, in_room, "everyone hears each once, in order");
        let page = cid.list(id(&room), "limit=100", 200).await;
        let shown: Vec<(i64, String)> =
            items(&page).iter().map(|it| (it["seq"].as_i64().unwrap(), id(it).to_owned())).filter(|it| it.0 >= first).collect();
        assert_eq!(shown, in_room);
        let newest = items(&page).iter().find(|it| it["id"] == last.as_str()).unwrap();
        let told = events.iter().find(|event| event["d"]["id"] == last.as_str()).unwrap();
        assert_eq!(&told["d"], newest, "what is told is what is read");

        // 1, 11, 21, 31, 41, 51: all but those that cid said.
        let by_others = (0..60).filter(|it| it % 10 == 1 && it % 3 != 2).count();
        let notified = items(&cid.get("/api/v1/users/me/notifications", 200).await).iter().filter(|it| it["kind"] == "keyword").count();
        assert_eq!(notified, by_others);
        bob.get(&draft, 404).await;
        eve.list(id(&room), "", 404).await;
    }

    async fn what_changed_a_moment_ago_holds_for_the_next_post(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("room", "private", 201).await;
        ada.add_member(id(&room), &bob, 201).await;
        let mut hers = ada.connect().await;
        let first = bob.post(id(&room), "first", 201).await;
        assert_eq!(first["sender"]["full_name"], Value::Null);
        bob.send(Method::PUT, &format!("/api/v1/users/{}/profile", bob.id), Some(&json!({ "full_name": "Bob B." })), 200).await;
        assert_eq!(bob.post(id(&room), "second", 201).await["sender"]["full_name"], "Bob B.");
        let told = hers.events_until(|event| event["d"]["content"] == "second").await;
        assert_eq!(told.last().unwrap()["d"]["sender"]["full_name"], "Bob B.");

        // Whoever was removed posts no more, whoever is there again does.
        let member = format!("/api/v1/channels/{}/members/{}", id(&room), bob.id);
        ada.send(Method::DELETE, &member, None, 204).await;
        bob.post(id(&room), "third", 404).await;
        ada.add_member(id(&room), &bob, 201).await;
        bob.post(id(&room), "third", 201).await;
        // A keyword that was set behind the last post is heard of in the next one.
        ada.send(Method::PUT, "/api/v1/users/me/preferences", Some(&json!({ "keywords": ["fourth"] })), 200).await;
        let fourth = bob.post(id(&room), "fourth", 201).await;
        let news = ada.get("/api/v1/users/me/notifications", 200).await;
        assert_eq!(items(&news)[0]["message"]["id"], fourth["id"]);
        ada.send(Method::POST, &format!("/api/v1/channels/{}/archive", id(&room)), None, 200).await;
        bob.post(id(&room), "fifth", 409).await;
        ada.send(Method::POST, &format!("/api/v1/channels/{}/unarchive", id(&room)), None, 200).await;
        let fifth = bob.post(id(&room), "fifth", 201).await;
        assert_eq!(fifth["seq"].as_i64().unwrap(), hers.events_until(|event| event["d"]["id"] == fifth["id"]).await.last().unwrap()["seq"]);
        let mut resumed = ada.connect().await;
        bob.edit(id(&fifth), "fifth, edited", 200).await;
        assert_eq!(resumed.event("message_update").await["d"]["content"], "fifth, edited");
    }
}
