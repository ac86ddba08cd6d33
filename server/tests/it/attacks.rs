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

    /// The socket is a way in like any other: a token that may only read posts nothing there either.
    async fn a_token_that_reads_posts_nothing_by_socket(world) {
        let ada = world.user("ada").await;
        let room = ada.create_channel("room", "public", 201).await;
        let form = json!({ "name": "reader", "scopes": ["read"] });
        let token = ada.send(Method::POST, "/api/v1/auth/tokens", Some(&form), 201).await;
        let reader = User { access_token: token["token"].as_str().unwrap().to_owned(), ..ada.clone() };
        let mut socket = reader.connect().await;
        socket.send(&json!({ "op": "send", "d": { "channel_id": id(&room), "content": "no", "nonce": "1" } })).await;
        let refused = socket.frame("error").await;
        assert_eq!((&refused["d"]["code"], &refused["d"]["nonce"]), (&json!("scope_missing"), &json!("1")), "{refused}");
        assert!(items(&ada.list(id(&room), "", 200).await).is_empty());
    }

    /// A policy that REST obeys and an open socket does not is none.
    async fn a_policy_reaches_open_sockets(world) {
        let (ada, admin) = (world.user("ada").await, world.admin().await);
        let mut socket = ada.connect().await;
        let policy = json!({ "require_two_factor": true });
        admin.send(Method::PUT, "/api/v1/admin/policy", Some(&policy), 200).await;
        assert_eq!(socket.closed().await, Some(4010));
    }

    /// A link is worth what its maker may when it is used, not what they might once.
    async fn a_reset_link_outlives_neither_its_maker_nor_a_promotion(world) {
        let (eve, ada, admin) = (world.user("eve").await, world.user("ada").await, world.admin().await);
        let form = json!({ "name": "Manager", "permissions": ["users.manage"] });
        let role = admin.send(Method::POST, "/api/v1/auth/roles", Some(&form), 201).await;
        let ids = json!({ "role_ids": [id(&role)] });
        admin.send(Method::PUT, &format!("/api/v1/auth/users/{}/roles", eve.id), Some(&ids), 200).await;
        let path = format!("/api/v1/auth/users/{}/password-reset", ada.id);
        let link = crate::harness::wait_for("eve to manage", async || {
            let reply = eve.call(Method::POST, &path, None).await;
            (reply.status == 200).then(|| reply.body())
        })
        .await;
        let secret = |link: &serde_json::Value| link["url"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
        let reset = |link: &serde_json::Value| json!({ "token": secret(link), "password": "chosen by eve alone" });
        admin.send(Method::PUT, &format!("/api/v1/auth/users/{}/superuser", ada.id), None, 200).await;
        world.visitor().send(Method::POST, "/api/v1/auth/password/reset", Some(&reset(&link)), 404).await;
        admin.send(Method::PUT, &format!("/api/v1/auth/users/{}/superuser", ada.id), None, 200).await;
        let link = eve.send(Method::POST, &path, None, 200).await;
        admin.send(Method::PUT, &format!("/api/v1/auth/users/{}/disable", eve.id), None, 200).await;
        world.visitor().send(Method::POST, "/api/v1/auth/password/reset", Some(&reset(&link)), 404).await;
        ada.get("/api/v1/auth/me", 200).await;
    }

    /// Fifty who wait with the old password while it is changed must not come in after.
    async fn the_old_password_opens_nothing_after_the_new_one(world) {
        let (ada, admin) = (world.user("ada").await, world.admin().await);
        let link = admin.send(Method::POST, &format!("/api/v1/auth/users/{}/password-reset", ada.id), None, 200).await;
        let old = json!({ "username": "ada", "password": crate::harness::user::password_of("ada") });
        let form = json!({ "token": link["url"].as_str().unwrap().split_once('#').unwrap().1, "password": "a new and lasting secret" });
        let mut waiting = Vec::new();
        for _ in 0..30 {
            let (visitor, old) = (world.visitor(), old.clone());
            waiting.push(tokio::spawn(async move { visitor.call(Method::POST, "/api/v1/auth/login", Some(&old)).await }));
        }
        // Those who log in may have all the places for a while; the link is used only where there was one.
        let reply = crate::harness::wait_for("a place for the new password", async || {
            let reply = world.visitor().call(Method::POST, "/api/v1/auth/password/reset", Some(&form)).await;
            (reply.status != 503).then_some(reply)
        })
        .await;
        assert_eq!(reply.status, 204, "{}", reply.text);
        for task in waiting {
            let _ = task.await.unwrap();
        }
        let fresh = User::log_in("ada", "a new and lasting secret", &ada.address).await;
        assert_eq!(items(&fresh.get("/api/v1/auth/sessions", 200).await).len(), 1, "a session of the old password lives");
    }

    /// A bot that was given more than its maker has is no ladder for them, nor a foot in the door.
    async fn a_bot_is_no_ladder(world) {
        let (eve, admin) = (world.user("eve").await, world.admin().await);
        let roles = "/api/v1/auth/roles";
        let maker = admin.send(Method::POST, roles, Some(&json!({ "name": "Maker", "permissions": ["bots.manage"] })), 201).await;
        let strong = admin.send(Method::POST, roles, Some(&json!({ "name": "Strong", "permissions": ["users.manage"] })), 201).await;
        let assign = |user: &str| format!("/api/v1/auth/users/{user}/roles");
        admin.send(Method::PUT, &assign(&eve.id), Some(&json!({ "role_ids": [id(&maker)] })), 200).await;
        let bot = json!({ "username": "helper", "is_bot": true });
        let made = crate::harness::wait_for("eve to make bots", async || {
            let reply = eve.call(Method::POST, "/api/v1/auth/users", Some(&bot)).await;
            (reply.status == 201).then(|| reply.body())
        })
        .await;
        let trap = json!({ "username": "trap", "is_bot": true, "email": "ceo@example.org" });
        eve.send(Method::POST, "/api/v1/auth/users", Some(&trap), 400).await;
        let bot_id = id(&made["user"]).to_owned();
        let form = json!({ "name": "t", "scopes": ["read", "admin"], "user_id": bot_id });
        let token = eve.send(Method::POST, "/api/v1/auth/tokens", Some(&form), 201).await;
        admin.send(Method::PUT, &assign(&bot_id), Some(&json!({ "role_ids": [id(&strong)] })), 200).await;
        eve.send(Method::POST, "/api/v1/auth/tokens", Some(&form), 403).await;
        admin.send(Method::DELETE, &format!("/api/v1/auth/users/{}", eve.id), None, 204).await;
        let holder = User { access_token: token["token"].as_str().unwrap().to_owned(), ..world.visitor() };
        wait_until("her token to be void", async || holder.call(Method::GET, "/api/v1/auth/me", None).await.status == 401).await;
    }

    /// The name of a deleted account is nobody's to take first.
    async fn nobody_makes_an_account_that_cannot_be_deleted(world) {
        let (ada, eve, admin) = (world.user("ada").await, world.user("eve").await, world.admin().await);
        let tail = ada.id.replace('-', "");
        for name in [format!("deleted-{}", &tail[20..]), format!("deleted-{}", &tail[16..])] {
            eve.send(Method::PUT, "/api/v1/auth/me", Some(&json!({ "username": name })), 200).await;
        }
        eve.send(Method::PUT, "/api/v1/auth/me", Some(&json!({ "username": format!("deleted/{}", &tail[16..]) })), 400).await;
        admin.send(Method::DELETE, &format!("/api/v1/auth/users/{}", ada.id), None, 204).await;
        let room = eve.create_channel("room", "public", 201).await;
        eve.add_member(id(&room), &ada, 400).await;
        let path = format!("/api/v1/auth/users/{}/roles", ada.id);
        admin.send(Method::PUT, &path, Some(&json!({ "role_ids": [] })), 404).await;
    }
}
