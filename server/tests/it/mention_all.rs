//! `@channel`, `@all` and `@here`: who may say it, whom it reaches, and what it counts.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{User, id, items};
use crate::harness::{both, wait_until};
use crate::read_state::counts;

const AT: &str = "/api/v1/users/me/notifications";

async fn mentions(user: &User, channel: &Value) -> i64 {
    counts(user, id(channel)).await.1
}

async fn told(user: &User) -> Vec<String> {
    items(&user.get(AT, 200).await).iter().map(|it| it["kind"].as_str().unwrap().to_owned()).collect()
}

async fn is_told(user: &User, kinds: &[&str]) {
    wait_until(&format!("{} to be told {kinds:?}", user.name), async || told(user).await == kinds).await;
}

both! {
    async fn a_whole_channel_is_mentioned_and_counted_once(world) {
        let (ada, bob, eve) = (world.user("ada").await, world.user("bob").await, world.user("eve").await);
        let room = ada.create_channel("room", "public", 201).await;
        bob.join(id(&room), 200).await;
        let mut socket = bob.connect().await;
        let said = ada.post(id(&room), "@Channel, and @bob too: lunch", 201).await;
        assert_eq!(said["mentions_all"], "channel", "{said}");
        // In either order: what is for one person has no place among a channel's events.
        let mut left = vec!["new_message", "notification"];
        let heard = socket
            .events_until(|event| {
                left.retain(|name| event["t"] != *name);
                left.is_empty()
            })
            .await;
        let of = |name: &str| heard.iter().find(|event| event["t"] == name).unwrap();
        assert_eq!(of("new_message")["d"]["mentions_all"], "channel");
        assert_eq!(of("notification")["d"]["kind"], "mention");
        // His name and his channel are one message.
        assert_eq!(mentions(&bob, &room).await, 1);
        assert_eq!(mentions(&ada, &room).await, 0, "nobody mentions themselves");
        let second = ada.post(id(&room), "@all once more", 201).await;
        assert_eq!(mentions(&bob, &room).await, 2);
        is_told(&bob, &["mention", "mention"]).await;
        assert!(told(&ada).await.is_empty());
        let listed = bob.get("/api/v1/channels/me?limit=100", 200).await;
        let listed = items(&listed).iter().find(|it| it["id"] == room["id"]).unwrap();
        assert_eq!(listed["mention_count"], 2);

        // Who comes later was not meant, and what is not a word of its own or code is text.
        eve.join(id(&room), 200).await;
        assert_eq!(mentions(&eve, &room).await, 0);
        for text in ["mail@channel.org", "`@all` is how", "@channels", "```\n@here\n```"] {
            assert!(ada.post(id(&room), text, 201).await["mentions_all"].is_null(), "{text}");
        }
        assert_eq!(mentions(&eve, &room).await, 0);

        // An edit moves the count and tells nobody; a deletion takes it back.
        ada.edit(id(&second), "never mind", 200).await;
        assert_eq!(mentions(&bob, &room).await, 1);
        let edited = ada.edit(id(&second), "@channel after all", 200).await;
        assert_eq!((&edited["mentions_all"], mentions(&bob, &room).await), (&json!("channel"), 2));
        assert_eq!(ada.read(id(&second), 200).await["mentions_all"], "channel");
        is_told(&bob, &["mention", "mention"]).await;
        ada.delete(id(&second), 204).await;
        assert_eq!(mentions(&bob, &room).await, 1);
        let read = json!({ "seq": said["seq"] });
        bob.send(Method::PUT, &format!("/api/v1/channels/{}/read", id(&room)), Some(&read), 204).await;
        assert_eq!(mentions(&bob, &room).await, 0);
    }

    async fn what_is_left_after_reading_counts_whole_channels(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("room", "public", 201).await;
        bob.join(id(&room), 200).await;
        let first = ada.post(id(&room), "@everyone: lunch", 201).await;
        ada.post(id(&room), "**@channel** once more", 201).await;
        bob.send(Method::PUT, &format!("/api/v1/messages/{}/follow", id(&first)), None, 204).await;
        ada.reply(id(&room), id(&first), "_@all_ here too", 201).await;
        assert_eq!(mentions(&bob, &room).await, 3);
        let mut socket = bob.connect().await;
        let read = json!({ "seq": first["seq"] });
        bob.send(Method::PUT, &format!("/api/v1/channels/{}/read", id(&room)), Some(&read), 204).await;
        assert_eq!(socket.event("read_updated").await["d"]["mention_count"], 2);
        let threads = bob.get("/api/v1/users/me/threads", 200).await;
        assert_eq!(items(&threads)[0]["mention_count"], 1, "{threads}");
    }

    async fn here_reaches_who_is_online(world) {
        let (ada, bob, eve) = (world.user("ada").await, world.user("bob").await, world.user("eve").await);
        let room = ada.create_channel("room", "public", 201).await;
        bob.join(id(&room), 200).await;
        eve.join(id(&room), 200).await;
        let _device = bob.connect().await;
        wait_until("bob to be online", async || {
            ada.get(&format!("/api/v1/users/{}/status", bob.id), 200).await["status"] == "online"
        })
        .await;
        let said = ada.post(id(&room), "@here the cake is here", 201).await;
        assert_eq!(said["mentions_all"], "here");
        is_told(&bob, &["mention"]).await;
        assert_eq!(mentions(&bob, &room).await, 1);
        // Eve's turn would have come in the same transaction.
        assert!(told(&eve).await.is_empty());
        assert_eq!(mentions(&eve, &room).await, 0);
        ada.edit(id(&said), "@here the cake is almost here", 200).await;
        assert_eq!(mentions(&bob, &room).await, 1, "who was here stays mentioned");
        ada.edit(id(&said), "there was no cake", 200).await;
        assert_eq!(mentions(&bob, &room).await, 0);
    }

    async fn without_the_permission_it_is_text(world) {
        let (ada, bob, admin) = (world.user("ada").await, world.user("bob").await, world.admin().await);
        let room = ada.create_channel("room", "public", 201).await;
        bob.join(id(&room), 200).await;
        let roles = admin.get("/api/v1/auth/roles", 200).await;
        let everyone = items(&roles).iter().find(|it| it["is_system"] == true).unwrap();
        assert!(everyone["permissions"].as_array().unwrap().contains(&json!("messages.mention_all")), "{everyone}");
        let fewer = json!({ "permissions": ["channels.create"] });
        admin.send(Method::PUT, &format!("/api/v1/auth/roles/{}", id(everyone)), Some(&fewer), 200).await;
        let said = ada.post(id(&room), "@channel hello", 201).await;
        assert!(said["mentions_all"].is_null(), "{said}");
        ada.post(id(&room), "@bob hello", 201).await;
        is_told(&bob, &["mention"]).await;
        assert_eq!(mentions(&bob, &room).await, 1);
        // A superuser who is a member may.
        admin.join(id(&room), 200).await;
        assert_eq!(admin.post(id(&room), "@channel hello", 201).await["mentions_all"], "channel");
        is_told(&bob, &["mention", "mention"]).await;
    }
}
