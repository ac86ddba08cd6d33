//! Personal access tokens and bots.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{User, id, items};
use crate::harness::{Socket, both, wait_until};

const TOKENS: &str = "/api/v1/auth/tokens";

async fn make(user: &User, scopes: &[&str]) -> (Value, User) {
    let form = json!({ "name": "script", "scopes": scopes });
    let made = user.send(Method::POST, TOKENS, Some(&form), 201).await;
    let secret = made["token"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("cfb_"), "{secret}");
    (made, User { access_token: secret, ..user.clone() })
}

both! {
    async fn a_token_may_what_its_scopes_say(world) {
        let (ada, admin) = (world.user("ada").await, world.admin().await);
        let room = ada.create_channel("room", "private", 201).await;
        let (made, reader) = make(&ada, &["read"]).await;
        reader.list(id(&room), "", 200).await;
        assert_eq!(reader.send(Method::POST, &format!("/api/v1/channels/{}/messages", id(&room)), Some(&json!({ "content": "no" })), 403).await["code"], "scope_missing");
        let (_, writer) = make(&ada, &["read", "write"]).await;
        writer.post(id(&room), "posted by a script", 201).await;

        // What is stolen from a script changes no locks.
        for (method, path, body) in [
            (Method::POST, TOKENS, json!({ "name": "another", "scopes": ["read"] })),
            (Method::GET, "/api/v1/auth/sessions", Value::Null),
            (Method::PUT, "/api/v1/auth/me/password", json!({ "current_password": "x", "new_password": "y" })),
            (Method::POST, "/api/v1/auth/two-factor/start", json!({ "password": "x" })),
            (Method::POST, "/api/v1/auth/logout-all", json!({})),
        ] {
            let refused = writer.send(method, path, Some(&body), 403).await;
            assert_eq!(refused["code"], "sign_in_required", "{path}");
        }
        // Of what the user may, only what the token may.
        let (_, plain) = make(&admin, &["read", "write"]).await;
        plain.get("/api/v1/auth/users", 403).await;
        let (_, powerful) = make(&admin, &["read", "write", "admin"]).await;
        powerful.get("/api/v1/auth/users", 200).await;
        for (method, verb) in [(Method::PUT, "superuser"), (Method::POST, "password-reset"), (Method::DELETE, "two-factor"), (Method::DELETE, "sessions")] {
            let refused = powerful.send(method, &format!("/api/v1/auth/users/{}/{verb}", ada.id), None, 403).await;
            assert_eq!(refused["code"], "sign_in_required", "{verb}");
        }

        wait_until("the use of the tokens to be noted", async || {
            items(&ada.get(TOKENS, 200).await).iter().all(|it| it["last_used_at"].is_string())
        })
        .await;
        let listed = ada.get(TOKENS, 200).await;
        assert_eq!(items(&listed).len(), 2);
        assert!(!listed.to_string().contains("cfb_"), "a secret is shown twice: {listed}");
        let bob = world.user("bob").await;
        bob.send(Method::DELETE, &format!("{TOKENS}/{}", id(&made)), None, 404).await;
        let mut socket = reader.connect().await;
        ada.send(Method::DELETE, &format!("{TOKENS}/{}", id(&made)), None, 204).await;
        assert_eq!(socket.closed().await, Some(4010));
        wait_until("the token to be refused", async || reader.call(Method::GET, "/api/v1/auth/me", None).await.status == 401).await;
        for bad in [json!({ "name": "", "scopes": ["read"] }), json!({ "name": "a", "scopes": [] }), json!({ "name": "a", "scopes": ["all"] }), json!({ "name": "a", "scopes": ["read"], "expires_in_days": 0 })] {
            ada.send(Method::POST, TOKENS, Some(&bad), 400).await;
        }
    }

    async fn a_bot_is_a_user_with_tokens_and_no_password(world) {
        let (ada, admin) = (world.user("ada").await, world.admin().await);
        let bot = json!({ "username": "builder", "is_bot": true });
        ada.send(Method::POST, "/api/v1/auth/users", Some(&bot), 403).await;
        let made = admin.send(Method::POST, "/api/v1/auth/users", Some(&bot), 201).await;
        assert!(made["reset_url"].is_null() && made["user"]["is_bot"] == true, "{made}");
        let form = json!({ "name": "ci", "scopes": ["read", "write"], "user_id": id(&made["user"]) });
        ada.send(Method::POST, TOKENS, Some(&form), 403).await;
        let token = admin.send(Method::POST, TOKENS, Some(&form), 201).await;
        let builder = User {
            id: id(&made["user"]).to_owned(),
            access_token: token["token"].as_str().unwrap().to_owned(),
            ..ada.clone()
        };
        let room = ada.create_channel("builds", "public", 201).await;
        builder.join(id(&room), 200).await;
        let message = builder.post(id(&room), "build 17 is green", 201).await;
        assert_eq!((&message["is_bot"], &message["sender"]["username"]), (&json!(true), &json!("builder")));
        let mut socket = Socket::open(&builder.address).await;
        socket.identify(&builder.access_token).await;
        ada.post(id(&room), "thank you", 201).await;
        socket.event("new_message").await;
        // Nobody's tokens but a bot's can be made by another.
        let hers = json!({ "name": "spy", "scopes": ["read"], "user_id": ada.id });
        admin.send(Method::POST, TOKENS, Some(&hers), 404).await;
        builder.get("/api/v1/auth/me", 200).await;
        let disable = format!("/api/v1/auth/users/{}/disable", builder.id);
        admin.send(Method::PUT, &disable, None, 200).await;
        assert_eq!(socket.closed().await, Some(4010));
        wait_until("the bot to be out", async || builder.call(Method::GET, "/api/v1/auth/me", None).await.status == 401).await;
        // Its tokens rest, and work again when it is let in.
        admin.send(Method::PUT, &format!("/api/v1/auth/users/{}/enable", builder.id), None, 200).await;
        wait_until("the bot to be in", async || builder.call(Method::GET, "/api/v1/auth/me", None).await.status == 200).await;
    }
}
