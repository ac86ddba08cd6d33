//! Channels: who sees which, who may change them, and that a private one does not exist for others.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{User, contents, id, items};
use crate::harness::{both, shown};

both! {
    async fn a_public_channel_is_found_and_joined(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        insta::allow_duplicates! {
            insta::assert_json_snapshot!(shown(&channel), @r#"
            {
              "created_at": "[time]",
              "id": "[id 1]",
              "is_direct_message": false,
              "is_private": false,
              "is_public": true,
              "is_vc": false,
              "kind": "public",
              "last_seq": 2,
              "member_count": 1,
              "mention_count": 0,
              "message_count": 0,
              "muted": false,
              "name": "harbour",
              "notification_level": "default",
              "owner_id": "[id 2]",
              "read_seq": 2,
              "role": "owner",
              "starred": false,
              "unread_count": 0,
              "updated_at": "[time]"
            }
            "#);
        }
        let harbour = id(&channel);

        let seen = in_list(&bob.channels(200).await, harbour).expect("a public channel is listed").clone();
        assert!(seen["role"].is_null(), "bob is no member yet: {seen}");
        bob.post(harbour, "may I?", 403).await;
        let joined = bob.join(harbour, 200).await;
        assert_eq!(joined["member_count"], 2);
        bob.join(harbour, 200).await;
        bob.post(harbour, "hello", 201).await;

        let mine = bob.get("/api/v1/channels/me", 200).await;
        assert_eq!(in_list(&mine, harbour).expect("it is mine now")["role"], "member");
        let members = ada.get(&format!("/api/v1/channels/{harbour}/members"), 200).await;
        let roles: Vec<(&str, &str)> =
            items(&members).iter().map(|it| (it["user"]["username"].as_str().unwrap(), it["role"].as_str().unwrap())).collect();
        assert_eq!(roles, [("ada", "owner"), ("bob", "member")]);

        bob.leave(harbour, 204).await;
        assert!(in_list(&bob.get("/api/v1/channels/me", 200).await, harbour).is_none());
        bob.post(harbour, "still here?", 403).await;
    }

    async fn names_are_checked(world) {
        let ada = world.user("ada").await;
        ada.create_channel("harbour", "public", 201).await;
        ada.create_channel("harbour", "public", 409).await;
        ada.create_channel("HARBOUR", "public", 409).await;
        for name in ["", "   ", "nul\u{0}", &"x".repeat(300)] {
            ada.create_channel(name, "public", 400).await;
        }
        ada.create_channel("other", "castle", 400).await;
        ada.send(Method::POST, "/api/v1/channels", Some(&json!({})), 400).await;
        ada.send(Method::POST, "/api/v1/channels", Some(&json!({ "name": 5 })), 400).await;
    }

    async fn a_private_channel_does_not_exist_for_others(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("vault", "private", 201).await;
        let vault = id(&channel);
        let secret = ada.post(vault, "the code is 4711", 201).await;

        refused_everywhere(&bob, vault, id(&secret)).await;
        // The answer for a hidden channel is the one for a channel that never was.
        let never = "00000000-0000-7000-8000-000000000000";
        let hidden = bob.get(&format!("/api/v1/channels/{vault}"), 404).await;
        let absent = bob.get(&format!("/api/v1/channels/{never}"), 404).await;
        for field in ["type", "title", "code", "detail"] {
            assert_eq!(hidden[field], absent[field]);
        }

        ada.add_member(vault, &bob, 201).await;
        assert_eq!(contents(&bob.list(vault, "", 200).await), ["the code is 4711"]);
        assert!(in_list(&bob.channels(200).await, vault).is_some());
        bob.read(id(&secret), 200).await;

        ada.send(Method::DELETE, &format!("/api/v1/channels/{vault}/members/{}", bob.id), None, 204).await;
        refused_everywhere(&bob, vault, id(&secret)).await;
    }

    async fn only_those_in_charge_change_a_channel(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let path = format!("/api/v1/channels/{}", id(&channel));
        bob.join(id(&channel), 200).await;
        let topic = json!({ "topic": "Tides" });
        bob.send(Method::PUT, &path, Some(&json!({ "name": "bobs-harbour" })), 403).await;
        bob.send(Method::POST, &format!("{path}/archive"), None, 403).await;
        bob.send(Method::DELETE, &path, None, 403).await;
        assert_eq!(ada.send(Method::PUT, &path, Some(&topic), 200).await["topic"], "Tides");
        assert_eq!(bob.get(&path, 200).await["topic"], "Tides");
        let cleared = ada.send(Method::PUT, &path, Some(&json!({ "topic": "" })), 200).await;
        assert!(cleared["topic"].is_null(), "an empty topic is none: {cleared}");
        ada.send(Method::PUT, &path, Some(&json!({ "topic": "x".repeat(251) })), 400).await;

        let archive = ada.call(Method::POST, &format!("{path}/archive"), None).await;
        assert!(archive.status == 200 || archive.status == 204, "{}", archive.text);
        assert!(bob.get(&path, 200).await["archived_at"].is_string());
        bob.post(id(&channel), "anyone?", 409).await;
        let unarchive = ada.call(Method::POST, &format!("{path}/unarchive"), None).await;
        assert!(unarchive.status == 200 || unarchive.status == 204, "{}", unarchive.text);
        bob.post(id(&channel), "back", 201).await;

        ada.send(Method::DELETE, &path, None, 204).await;
        bob.get(&path, 404).await;
        bob.list(id(&channel), "", 404).await;
    }

    async fn two_people_share_one_direct_channel(world) {
        let (ada, bob, eve) = (world.user("ada").await, world.user("bob").await, world.user("eve").await);
        let form = json!({ "user_ids": [bob.id] });
        let direct = ada.send(Method::POST, "/api/v1/channels/direct", Some(&form), 201).await;
        assert_eq!((&direct["kind"], &direct["is_direct_message"]), (&json!("direct"), &json!(true)));
        let back = json!({ "user_ids": [ada.id] });
        let same = bob.send(Method::POST, "/api/v1/channels/direct", Some(&back), 200).await;
        assert_eq!(same["id"], direct["id"]);

        let whisper = ada.post(id(&direct), "between us", 201).await;
        assert_eq!(contents(&bob.list(id(&direct), "", 200).await), ["between us"]);
        refused_everywhere(&eve, id(&direct), id(&whisper)).await;
        let nobody = json!({ "user_ids": ["00000000-0000-7000-8000-000000000000"] });
        assert!(matches!(ada.call(Method::POST, "/api/v1/channels/direct", Some(&nobody)).await.status, 400 | 404));
    }

    /// Many who open one conversation from both sides at the same moment open one.
    async fn a_conversation_is_made_once_whatever_the_order(world) {
        let people = [world.user("ada").await, world.user("bob").await, world.user("carol").await];
        for others in [&people[..2], &people[..3]] {
            let forms: Vec<(&User, Value)> = (0..12)
                .map(|number| {
                    let by = &others[number % others.len()];
                    let mut ids: Vec<&str> = others.iter().filter(|it| it.id != by.id).map(|it| it.id.as_str()).collect();
                    if number % 2 == 0 {
                        ids.reverse();
                    }
                    (by, json!({ "user_ids": ids }))
                })
                .collect();
            let calls = forms.iter().map(|(by, form)| by.call(Method::POST, "/api/v1/channels/direct", Some(form)));
            let replies = futures_util::future::join_all(calls).await;
            let made = replies.iter().filter(|it| it.status == 201).count();
            assert_eq!(made, 1, "{:?}", replies.iter().map(|it| it.status).collect::<Vec<_>>());
            let first = replies[0].body();
            for reply in &replies {
                assert!(reply.status == 200 || reply.status == 201, "{}", reply.text);
                assert_eq!((&reply.body()["id"], &reply.body()["member_count"]), (&first["id"], &json!(others.len())));
            }
        }
        let alone = json!({ "user_ids": [] });
        people[0].send(Method::POST, "/api/v1/channels/direct", Some(&alone), 400).await;
    }

    async fn what_one_prefers_is_ones_own(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        let path = format!("/api/v1/channels/{harbour}/preferences");
        let wish = json!({ "starred": true, "notification_level": "mentions" });
        bob.send(Method::PUT, &path, Some(&wish), 403).await;
        bob.join(harbour, 200).await;
        let (mut own, mut other) = (bob.connect().await, ada.connect().await);
        let seen = bob.send(Method::PUT, &path, Some(&wish), 200).await;
        assert_eq!((&seen["starred"], &seen["muted"], &seen["notification_level"]), (&json!(true), &json!(false), &json!("mentions")));
        let told = own.event("preferences_updated").await;
        assert_eq!(
            told["d"],
            json!({ "channel_id": harbour, "starred": true, "muted": false, "notification_level": "mentions" })
        );
        assert!(told["seq"].is_null(), "others would miss a number: {told}");
        // What is not named stays.
        let seen = bob.send(Method::PUT, &path, Some(&json!({ "muted": true, "notification_level": "default" })), 200).await;
        assert_eq!((&seen["starred"], &seen["muted"], &seen["notification_level"]), (&json!(true), &json!(true), &json!("default")));
        let mine = bob.get("/api/v1/channels/me", 200).await;
        assert_eq!(in_list(&mine, harbour).unwrap()["muted"], true);
        assert_eq!(ada.get(&format!("/api/v1/channels/{harbour}"), 200).await["muted"], false);
        for wrong in [json!({ "starred": 1 }), json!({ "notification_level": "loud" }), json!({ "muted": "yes" })] {
            bob.send(Method::PUT, &path, Some(&wrong), 400).await;
        }
        let marker = ada.post(harbour, "marker", 201).await;
        let heard = other.events_until(|event| event["d"]["id"] == marker["id"]).await;
        assert!(!heard.iter().any(|it| it["t"] == "preferences_updated"), "{heard:?}");
        let vault = ada.create_channel("vault", "private", 201).await;
        bob.send(Method::PUT, &format!("/api/v1/channels/{}/preferences", id(&vault)), Some(&wish), 404).await;
    }

    async fn unread_counts_follow_the_reader(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        bob.join(harbour, 200).await;
        ada.post(harbour, "one", 201).await;
        ada.post(harbour, "two for @bob", 201).await;
        let last = ada.post(harbour, "three", 201).await;

        let counts = async |user: &User| {
            let mine = user.get("/api/v1/channels/me", 200).await;
            let channel = in_list(&mine, harbour).expect("a member's channel").clone();
            (channel["unread_count"].as_i64().unwrap(), channel["mention_count"].as_i64().unwrap())
        };
        assert_eq!(counts(&bob).await, (3, 1));
        assert_eq!(counts(&ada).await, (0, 0), "one's own messages are read");
        let path = format!("/api/v1/channels/{harbour}/read");
        bob.send(Method::PUT, &path, Some(&json!({ "seq": last["seq"] })), 204).await;
        assert_eq!(counts(&bob).await, (0, 0));
        bob.send(Method::PUT, &path, Some(&json!({ "seq": -1 })), 400).await;
    }
}

/// Every door to a channel answers 404 to somebody who may not know of it.
async fn refused_everywhere(stranger: &User, channel: &str, message: &str) {
    assert!(in_list(&stranger.channels(200).await, channel).is_none(), "a hidden channel is listed");
    let path = format!("/api/v1/channels/{channel}");
    for rest in ["", "/members", "/messages"] {
        stranger.get(&format!("{path}{rest}"), 404).await;
    }
    stranger.join(channel, 404).await;
    stranger.post(channel, "let me in", 404).await;
    stranger.add_member(channel, stranger, 404).await;
    stranger.send(Method::PUT, &path, Some(&json!({ "topic": "mine" })), 404).await;
    stranger.send(Method::DELETE, &path, None, 404).await;
    stranger.read(message, 404).await;
    stranger.thread(message, 404).await;
    stranger.edit(message, "changed", 404).await;
    stranger.delete(message, 404).await;
    stranger.react(message, "thumbsup", 404).await;
}

fn in_list<'list>(list: &'list Value, channel: &str) -> Option<&'list Value> {
    items(list).iter().find(|it| it["id"] == channel)
}
