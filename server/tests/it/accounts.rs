//! Accounts: who gets in, who does not, and what a used or stolen token is worth.

use reqwest::Method;
use serde_json::json;

use crate::harness::user::{User, password_of};
use crate::harness::{World, both, shown, wait_until};

const REGISTER: &str = "/api/v1/auth/register";
const LOGIN: &str = "/api/v1/auth/login";
const REFRESH: &str = "/api/v1/auth/refresh";

both! {
    async fn a_person_registers_once(world) {
        let visitor = world.visitor();
        let form = json!({ "username": "Ada", "email": "ada@example.org", "password": password_of("ada"), "full_name": "Ada L." });
        let body = visitor.send(Method::POST, REGISTER, Some(&form), 201).await;
        insta::allow_duplicates! {
            insta::assert_json_snapshot!(shown(&body), @r#"
            {
              "access_token": "[token]",
              "expires_in": 1800,
              "refresh_token": "[token]",
              "token_type": "bearer",
              "user": {
                "created_at": "[time]",
                "email": "ada@example.org",
                "full_name": "Ada L.",
                "has_password": true,
                "id": "[id 1]",
                "is_active": true,
                "is_bot": false,
                "is_superuser": false,
                "permissions": [
                  "channels.create",
                  "channels.create_private",
                  "reactions.create",
                  "messages.mention_all"
                ],
                "roles": [],
                "two_factor_enabled": false,
                "two_factor_required": false,
                "updated_at": "[time]",
                "username": "Ada"
              }
            }
            "#);
        }

        // Two accounts that differ in case, in width or in alphabet only could pass for each other.
        for (username, email) in [
            ("ada", "other@example.org"), ("ADA", "other@example.org"), ("bob", "ADA@Example.org"),
            ("\u{ff21}da", "other@example.org"), ("\u{430}d\u{430}", "other@example.org"),
        ] {
            let again = json!({ "username": username, "email": email, "password": password_of("ada") });
            visitor.send(Method::POST, REGISTER, Some(&again), 409).await;
        }
    }

    async fn registration_refuses_what_it_cannot_keep(world) {
        let visitor = world.visitor();
        let long = "x".repeat(1_025);
        for (username, email, password) in [
            ("", "eve@example.org", "a long enough secret"),
            ("  ", "eve@example.org", "a long enough secret"),
            ("eve\u{0}", "eve@example.org", "a long enough secret"),
            ("ev\u{202e}e", "eve@example.org", "a long enough secret"),
            ("eve", "no address", "a long enough secret"),
            ("eve", "eve@example.org", "short"),
            ("eve", "eve@example.org", long.as_str()),
        ] {
            let form = json!({ "username": username, "email": email, "password": password });
            let reply = visitor.call(Method::POST, REGISTER, Some(&form)).await;
            assert_eq!(reply.status, 400, "{username:?} {email:?}: {}", reply.text);
            assert!(!reply.text.contains("a long enough secret"), "a refusal repeats the password: {}", reply.text);
        }
        for form in [json!([]), json!("eve"), json!({ "username": 5, "email": "e@example.org", "password": "a long enough secret" })] {
            visitor.send(Method::POST, REGISTER, Some(&form), 400).await;
        }
        // Nobody makes an administrator of themselves by asking.
        let form = json!({ "username": "eve", "email": "eve@example.org", "password": password_of("eve"), "is_superuser": true });
        let reply = visitor.call(Method::POST, REGISTER, Some(&form)).await;
        if reply.status == 201 {
            assert_eq!(reply.body()["user"]["is_superuser"], false);
        } else {
            assert_eq!(reply.status, 400, "{}", reply.text);
        }
    }

    async fn a_person_logs_in_by_name_or_address(world) {
        let ada = world.user("ada").await;
        for name in ["ada", "ADA", "ada@example.org"] {
            let again = User::log_in(name, &password_of("ada"), &ada.address).await;
            assert_eq!(again.id, ada.id);
            assert_eq!(again.get("/api/v1/auth/me", 200).await["email"], "ada@example.org");
        }

        // Whether a name exists must not show: wrong password and unknown person get one and the same answer.
        let visitor = world.visitor();
        let mut refusals = Vec::new();
        for (username, password) in [("ada", "not her password"), ("nobody", "not her password"), ("ada", "")] {
            let form = json!({ "username": username, "password": password });
            refusals.push(shown(&visitor.send(Method::POST, LOGIN, Some(&form), 401).await));
        }
        assert_eq!(refusals[0], refusals[1]);
        assert_eq!(refusals[0], refusals[2]);
        insta::allow_duplicates! {
            insta::assert_json_snapshot!(refusals[0], @r#"
            {
              "code": "wrong_credentials",
              "detail": "user name or password is wrong",
              "errors": [],
              "instance": "/api/v1/auth/login",
              "request_id": "[request id]",
              "status": 401,
              "title": "Unauthorized",
              "type": "about:blank"
            }
            "#);
        }
    }

    async fn without_a_token_nothing_is_shown(world) {
        let visitor = world.visitor();
        for path in ["/api/v1/auth/me", "/api/v1/channels", "/api/v1/users", "/api/v1/search/messages?q=a", "/api/v1/admin/stats"] {
            let reply = visitor.call(Method::GET, path, None).await;
            assert_eq!(reply.status, 401, "{path}: {}", reply.text);
            assert!(reply.header("www-authenticate").starts_with("Bearer"), "{path} names no way in");
        }
        let ada = world.user("ada").await;
        let (signed, _) = ada.access_token.rsplit_once('.').unwrap();
        // The second is the header {} with the claims {}: a token that names no algorithm.
        for forged in ["x", "e30.e30.", &format!("{signed}.AAAA"), &format!("{signed}."), &ada.refresh_token] {
            let forger = User { access_token: forged.to_owned(), ..ada.clone() };
            forger.get("/api/v1/auth/me", 401).await;
        }
        ada.get("/api/v1/admin/stats", 403).await;
    }

    async fn a_refresh_token_works_once(world) {
        let ada = world.user("ada").await;
        let refresh = |token: &str| json!({ "refresh_token": token });
        let second = ada.send(Method::POST, REFRESH, Some(&refresh(&ada.refresh_token)), 200).await;
        let second = ada.signed_in("ada", &second);
        assert_ne!(second.refresh_token, ada.refresh_token);
        second.get("/api/v1/auth/me", 200).await;
        let third = second.send(Method::POST, REFRESH, Some(&refresh(&second.refresh_token)), 200).await;
        let third = second.signed_in("ada", &third);

        // The first token is used by somebody again: it was stolen, then or now. The whole family ends, live access with it.
        ada.send(Method::POST, REFRESH, Some(&refresh(&ada.refresh_token)), 401).await;
        third.send(Method::POST, REFRESH, Some(&refresh(&third.refresh_token)), 401).await;
        wait_until("the access token of the stolen family to be refused", async || {
            third.call(Method::GET, "/api/v1/auth/me", None).await.status == 401
        }).await;

        for body in [refresh("nonsense"), refresh(&ada.access_token)] {
            ada.send(Method::POST, REFRESH, Some(&body), 401).await;
        }
        ada.send(Method::POST, REFRESH, None, 400).await;
    }

    async fn logging_out_ends_the_session(world) {
        let ada = world.user("ada").await;
        let elsewhere = world.user("ada").await;
        ada.send(Method::POST, "/api/v1/auth/logout", None, 204).await;
        // A click too many is no fault.
        ada.send(Method::POST, "/api/v1/auth/logout", None, 204).await;
        wait_until("the access token to be refused", async || {
            ada.call(Method::GET, "/api/v1/auth/me", None).await.status == 401
        }).await;
        ada.send(Method::POST, REFRESH, Some(&json!({ "refresh_token": ada.refresh_token })), 401).await;
        elsewhere.get("/api/v1/auth/me", 200).await;
    }

    async fn a_browser_keeps_its_refresh_token_out_of_scripts(world) {
        let ada = world.user("ada").await;
        let form = json!({ "username": "ada", "password": password_of("ada") });
        let visitor = world.visitor();
        let reply = visitor.fetch(visitor.request(Method::POST, LOGIN).header("x-confab-session", "cookie").json(&form)).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert!(reply.body()["refresh_token"].is_null(), "a script could read it: {}", reply.text);
        let cookie = reply.header("set-cookie").to_owned();
        for attribute in ["HttpOnly", "SameSite=Strict", "Path=/api/v1/auth"] {
            assert!(cookie.contains(attribute), "{attribute} is missing: {cookie}");
        }
        // Another site's page can make a browser send the cookie, but cannot hide where it comes from.
        let forged = visitor.fetch(renewal(&visitor, &cookie).header("origin", "https://evil.example")).await;
        assert_eq!(forged.status, 401, "{}", forged.text);
        let renewed = visitor.fetch(renewal(&visitor, &cookie).header("x-confab-session", "cookie")).await;
        assert_eq!((renewed.status, &renewed.body()["user"]["id"]), (200, &json!(ada.id)), "{}", renewed.text);
        assert!(renewed.body()["refresh_token"].is_null(), "{}", renewed.text);

        // Injected script that leaves the header out must not get the token into its hands either.
        let bare = visitor.fetch(renewal(&visitor, renewed.header("set-cookie"))).await;
        assert!(!bare.text.contains("refresh_token"), "the cookie's token came back in the body: {}", bare.text);
    }
}

/// A refresh that says nothing but what a browser says by itself: the cookie that was set.
fn renewal(visitor: &User, set_cookie: &str) -> reqwest::RequestBuilder {
    let pair = set_cookie.split(';').next().unwrap_or_default();
    visitor.request(Method::POST, REFRESH).header("cookie", pair).json(&json!({}))
}

#[tokio::test]
async fn registration_is_for_whom_the_operator_says() {
    let form = |name: &str, address: &str| json!({ "username": name, "email": address, "password": password_of(name) });
    let world = World::embedded_with(&[("CONFAB_REGISTRATION", "domain:example.org,example.net")]).await;
    let visitor = world.visitor();
    for (name, address) in [("ada", "ada@example.org"), ("bob", "bob@EXAMPLE.NET")] {
        visitor.send(Method::POST, REGISTER, Some(&form(name, address)), 201).await;
    }
    for address in ["eve@evil.example", "eve@sub.example.org", "eve@example.org.evil.example"] {
        let refused = visitor.send(Method::POST, REGISTER, Some(&form("eve", address)), 403).await;
        assert_eq!(refused["code"], "registration_closed", "{address}");
    }
    let world = World::embedded_with(&[("CONFAB_REGISTRATION", "off")]).await;
    let admin = world.admin().await;
    let invitation = admin.send(Method::POST, "/api/v1/auth/invitations", Some(&json!({})), 201).await;
    let mut invited = form("ada", "ada@example.org");
    invited["invitation"] = invitation["token"].clone();
    world.visitor().send(Method::POST, REGISTER, Some(&invited), 403).await;
}
