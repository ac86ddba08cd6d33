//! Attacks that worked once, told again in both modes.

use reqwest::Method;
use serde_json::json;

use crate::harness::user::{User, id, items};
use crate::harness::{Socket, both, wait_until};

both! {
    /// A full-width @ folds to a plain one: the name would be somebody's address, and take their sign-in over.
    async fn a_name_cannot_be_an_address(world) {
        let bob = world.user("bob").await;
        let form = |name: &str| json!({ "username": name, "email": "eve@example.org", "password": "a password of eve" });
        let visitor = world.visitor();
        for name in ["bob@example.org", "bob\u{FF20}example.org", "b\u{FF0F}b"] {
            let refused = visitor.send(Method::POST, "/api/v1/auth/register", Some(&form(name)), 400).await;
            assert_eq!(refused["errors"][0]["field"], "username", "{refused}");
        }
        User::log_in("bob@example.org", &crate::harness::user::password_of("bob"), &bob.address).await;
    }

    /// Weights of the whole index in an answer would tell whether a word is used where the asker may not read.
    async fn scores_tell_nothing_of_what_is_private(world) {
        let (ada, eve) = (world.user("ada").await, world.user("eve").await);
        let secret = ada.create_channel("secret", "private", 201).await;
        for _ in 0..8 {
            ada.post(id(&secret), "zanzibar", 201).await;
        }
        let open = eve.create_channel("open", "public", 201).await;
        eve.post(id(&open), "zanzibar probe", 201).await;
        eve.post(id(&open), "quetzal probe", 201).await;
        wait_until("both probes to be found", async || {
            let (one, other) = (eve.search("zanzibar", 200).await, eve.search("quetzal", 200).await);
            items(&one).len() == 1 && items(&other).len() == 1
        })
        .await;
        let score = |found: &serde_json::Value| items(found)[0]["score"].clone();
        assert_eq!(score(&eve.search("zanzibar", 200).await), score(&eve.search("quetzal", 200).await));
    }

    /// A private name that is refused to others would tell that it exists.
    async fn private_names_are_not_taken(world) {
        let (ada, eve) = (world.user("ada").await, world.user("eve").await);
        ada.create_channel("merger", "private", 201).await;
        eve.create_channel("merger", "private", 201).await;
        eve.create_channel("merger", "public", 201).await;
        ada.create_channel("Merger", "public", 409).await;
    }

    async fn many_who_add_one_person_add_them_once(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("room", "public", 201).await;
        let path = format!("/api/v1/channels/{}/members", id(&room));
        let body = json!({ "user_id": bob.id });
        let add = || ada.call(Method::POST, &path, Some(&body));
        let together = tokio::join!(add(), add(), add(), add());
        let mut statuses: Vec<u16> = <[_; 4]>::from(together).iter().map(|reply| reply.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 200, 201]);
    }

    async fn a_deleted_channel_says_nothing_more(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("room", "public", 201).await;
        bob.join(id(&room), 200).await;
        let mut socket = Socket::open(&bob.address).await;
        socket.identify(&bob.access_token).await;
        let (epoch, pos) = (socket.epoch.clone(), socket.pos);
        drop(socket);
        ada.post(id(&room), "canary", 201).await;
        ada.send(Method::POST, &format!("/api/v1/channels/{}/archive", id(&room)), Some(&json!({})), 200).await;
        ada.send(Method::DELETE, &format!("/api/v1/channels/{}", id(&room)), None, 204).await;

        let mut again = Socket::open(&bob.address).await;
        again.send(&json!({ "op": "resume", "d": { "token": bob.access_token, "epoch": epoch, "pos": pos } })).await;
        let mut told = false;
        while !told {
            let frame = again.next_frame().await;
            assert!(!frame.to_string().contains("canary"), "{frame}");
            told = frame["t"] == "channel_deleted";
        }
        bob.list(id(&room), "", 404).await;
    }

    async fn the_nul_character_is_refused_everywhere(world) {
        let ada = world.user("ada").await;
        let room = ada.create_channel("room", "public", 201).await;
        let message = ada.post(id(&room), "hello", 201).await;
        for path in ["users?q=%00", "search/messages?q=from:a%00%20x", "search/messages?q=in:a%00%20x"] {
            ada.get(&format!("/api/v1/{path}"), 400).await;
        }
        let path = format!("/api/v1/messages/{}/reactions/%00", id(&message));
        ada.send(Method::PUT, &path, None, 400).await;
        let login = json!({ "username": "ada", "password": { "p": "hunter2secret" } });
        let reply = world.visitor().call(Method::POST, "/api/v1/auth/login", Some(&login)).await;
        assert_eq!(reply.status, 400);
        assert!(!reply.text.contains("hunter2secret"), "a password comes back: {}", reply.text);
    }
}
