//! Passwords that were forgotten, came from elsewhere, or make an account by themselves.

use reqwest::Method;
use serde_json::json;

use crate::harness::command::sqlite;
use crate::harness::smtp::Smtp;
use crate::harness::user::{User, password_of};
use crate::harness::{World, both, confab, wait_until};

const RESET: &str = "/api/v1/auth/password/reset";
const ME: &str = "/api/v1/auth/me";
const FORGOT: &str = "/api/v1/auth/password/forgot";
const NEW: &str = "a quite different secret";

fn secret_in(url: &str) -> &str {
    url.split_once("/reset#")
        .unwrap_or_else(|| panic!("no link in {url}"))
        .1
        .split_whitespace()
        .next()
        .unwrap()
}

both! {
    async fn an_administrator_makes_a_link_that_works_once(world) {
        let (ada, admin) = (world.user("ada").await, world.admin().await);
        let path = format!("/api/v1/auth/users/{}/password-reset", ada.id);
        ada.send(Method::POST, &path, None, 403).await;
        let first = admin.send(Method::POST, &path, None, 200).await;
        let link = admin.send(Method::POST, &path, None, 200).await;
        let form = |link: &serde_json::Value, password: &str| {
            json!({ "token": secret_in(link["url"].as_str().unwrap()), "password": password })
        };
        let visitor = world.visitor();
        visitor.send(Method::POST, RESET, Some(&form(&first, NEW)), 404).await;
        // A weak one is refused and leaves the link as it is.
        visitor.send(Method::POST, RESET, Some(&form(&link, "password")), 400).await;
        ada.get(ME, 200).await;
        visitor.send(Method::POST, RESET, Some(&form(&link, NEW)), 204).await;
        // Where it was answered, from that moment.
        ada.at(&visitor.address).get(ME, 401).await;
        visitor.send(Method::POST, RESET, Some(&form(&link, NEW)), 404).await;
        wait_until("the old session to end", async || {
            ada.call(Method::GET, ME, None).await.status == 401
        })
        .await;
        User::log_in("ada", NEW, &ada.address).await;
        for guess in ["", "x", &"0".repeat(43)] {
            visitor.send(Method::POST, RESET, Some(&json!({ "token": guess, "password": NEW })), 404).await;
        }
    }

    async fn a_changed_password_ends_the_other_sessions_where_it_was_changed_at_once(world) {
        let ada = world.user("ada").await;
        let stolen = User::log_in("ada", &password_of("ada"), &ada.address).await;
        stolen.get(ME, 200).await;
        let form = json!({ "current_password": password_of("ada"), "new_password": NEW });
        ada.send(Method::PUT, "/api/v1/auth/me/password", Some(&form), 204).await;
        stolen.get(ME, 401).await;
        ada.get(ME, 200).await;
    }
}

#[tokio::test]
async fn a_forgotten_password_is_chosen_anew_by_mail() {
    for is_scaled in [false, true] {
        let smtp = Smtp::start().await;
        let settings = [("CONFAB_SMTP_URL", smtp.url()), ("CONFAB_MAIL_FROM", "Confab <confab@example.org>")];
        let world = if is_scaled {
            World::scaled_with(&settings).await
        } else {
            World::embedded_with(&settings).await
        };
        forgotten(world, smtp).await;
    }
}

async fn forgotten(mut world: World, mut smtp: Smtp) {
    world.user("ada").await;
    let visitor = world.visitor();
    assert_eq!(visitor.get("/api/v1/info", 200).await["features"]["mail"], true);
    // Whether there is such an account does not show.
    for name in ["nobody", "nobody@example.org", "ada@example.org"] {
        let reply = visitor.call(Method::POST, FORGOT, Some(&json!({ "username": name }))).await;
        assert_eq!((reply.status, reply.text.as_str()), (202, ""), "{name}");
    }
    let mail = smtp.message_to("ada@example.org").await;
    assert!(mail["from"].as_str().unwrap().contains("confab@example.org"), "{mail}");
    let secret = secret_in(mail["text"].as_str().unwrap()).to_owned();
    visitor.send(Method::POST, RESET, Some(&json!({ "token": secret, "password": NEW })), 204).await;
    User::log_in("ada", NEW, &world.nodes[0].address).await;
    assert!(!smtp.has_more_for("nobody@example.org"));
}

#[tokio::test]
async fn a_hash_of_another_server_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    // Of bcrypt, cost 4, for "correct horse battery".
    let hash = bcrypt_of("correct horse battery");
    for bad in ["5f4dcc3b5aa765d61d8327deb882cf99", "$2b$12$short"] {
        let refused = confab(
            folder.path(),
            &["--data-dir", data, "user", "create", "eve", "--password-hash", bad],
            &[],
        )
        .await;
        assert_eq!(refused.code, 2, "{}", refused.said());
    }
    let made =
        confab(folder.path(), &["--data-dir", data, "user", "create", "old", "--password-hash", &hash], &[])
            .await;
    assert_eq!(made.code, 0, "{}", made.said());
    let node =
        crate::harness::Node::start(std::path::Path::new(data), &[("CONFAB_RATE_LIMITS", "off")]).await;
    let first = User::log_in("old", "correct horse battery", &node.address).await;
    // The first sign-in replaced it; the second one reads the new kind.
    User::log_in("old", "correct horse battery", &node.address).await;
    first.get("/api/v1/auth/me", 200).await;
    let wrong = json!({ "username": "old", "password": "correct horse" });
    User::visitor(&node.address).send(Method::POST, "/api/v1/auth/login", Some(&wrong), 401).await;
    drop(node);
    let database = std::path::Path::new(data).join("confab.db");
    let kept = sqlite(&database, "select password_hash from users where username = 'old'");
    assert!(kept.starts_with("$argon2id$"), "{kept}");
}

fn bcrypt_of(password: &str) -> String {
    bcrypt::hash(password, 4).unwrap()
}

#[tokio::test]
async fn trusted_networks_make_accounts_by_signing_in_and_others_do_not() {
    let login = |name: &str, password: &str| json!({ "username": name, "password": password });
    let path = "/api/v1/auth/login";
    let trusted = [("CONFAB_LOGIN_OR_CREATE", "127.0.0.0/8")];
    for world in [World::embedded_with(&trusted).await, World::scaled_with(&trusted).await] {
        let visitor = world.visitor();
        let form = login("newcomer", &password_of("newcomer"));
        let made = visitor.send(Method::POST, path, Some(&form), 200).await;
        assert_eq!(made["user"]["is_superuser"], false);
        visitor.send(Method::POST, path, Some(&login("newcomer", "another secret of theirs")), 401).await;
        visitor.send(Method::POST, path, Some(&login("weak", "password")), 400).await;
    }

    for network in ["192.0.2.0/24", "off"] {
        let world = World::embedded_with(&[("CONFAB_LOGIN_OR_CREATE", network)]).await;
        let form = login("newcomer", &password_of("newcomer"));
        world.visitor().send(Method::POST, path, Some(&form), 401).await;
    }
}
