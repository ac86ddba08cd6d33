//! Other programs call a plugin: GitHub and GitLab, whose words become cards in the channels that follow.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::both;
use crate::harness::user::{Reply, User, id};
use crate::harness::{wait_for, wait_until};
use crate::team_plugins::{bot_message, bot_messages, configure, said, switch_on};

const SECRET: &str = "a crane lifts what a crane can";
const GITHUB: &str = "/hooks/plugins/chat.confab.repositories/github";
const GITLAB: &str = "/hooks/plugins/chat.confab.repositories/gitlab";

fn issue(action: &str) -> Value {
    json!({
        "action": action,
        "repository": { "full_name": "Harbour/Crane", "html_url": "https://github.com/Harbour/Crane" },
        "sender": { "login": "octo" },
        "issue": { "number": 7, "title": "Brake [worn], @bob", "html_url": "https://github.com/Harbour/Crane/issues/7", "body": "since noon" },
    })
}

/// As GitHub signs it.
fn signature(secret: &str, body: &[u8]) -> String {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
    let tag = aws_lc_rs::hmac::sign(&key, body);
    tag.as_ref().iter().fold("sha256=".to_owned(), |hex, byte| format!("{hex}{byte:02x}"))
}

async fn github(program: &User, body: &Value, delivery: &str, signed: impl Fn(&[u8]) -> String) -> Reply {
    let body = body.to_string().into_bytes();
    let request = program
        .request(Method::POST, GITHUB)
        .header("content-type", "application/json")
        .header("x-github-event", "issues")
        .header("x-github-delivery", delivery)
        .header("x-hub-signature-256", signed(&body))
        .body(body);
    program.fetch(request).await
}

both! {
    async fn what_github_and_gitlab_tell_is_a_card_for_who_follows(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let (harbour, vault) = (ada.create_channel("harbour", "public", 201).await, ada.create_channel("vault", "private", 201).await);
        let (harbour, vault) = (id(&harbour), id(&vault));
        bob.join(harbour, 200).await;
        let (program, admin) = (world.visitor(), world.admin().await);
        let signed = |body: &[u8]| signature(SECRET, body);
        assert_eq!(github(&program, &issue("opened"), "0", signed).await.status, 404, "it is off");
        let plugin = switch_on(&admin, &ada, "repositories", "repo").await;
        let reply = github(&program, &issue("opened"), "1", signed).await;
        assert_eq!((reply.status, &reply.body()["code"]), (403, &json!("webhook_not_set")));
        configure(&admin, &plugin, &json!({ "github-secret": SECRET, "gitlab-secret": SECRET, "repositories": "harbour/*" })).await;

        let followed = ada.command(harbour, "/repo follow Harbour/Crane", 200).await;
        assert_eq!((followed["outcome"].as_str(), said(&followed)), (Some("public"), "This channel follows `harbour/crane`.".to_owned()));
        let refused = ada.command(harbour, "/repo follow other/thing", 200).await;
        assert!(said(&refused).contains("has not allowed"), "{refused}");
        // What comes to a channel is its admins' and owners' to say, unless an administrator lets everybody.
        for text in ["/repo follow harbour/boom", "/repo unfollow harbour/crane"] {
            let refused = bob.command(harbour, text, 200).await;
            assert!(said(&refused).contains("Only an admin or owner"), "{refused}");
        }
        let listed = bob.command(harbour, "/repo list", 200).await;
        assert!(said(&listed).contains("`harbour/crane`") && !said(&listed).contains("boom"), "{listed}");
        admin.send(Method::PUT, &format!("/api/v1/plugins/{}/config", id(&plugin)), Some(&json!({ "settings": { "members-may-follow": true } })), 200).await;
        wait_until("members to be let", async || {
            said(&bob.command(harbour, "/repo follow harbour/boom", 200).await).contains("This channel follows")
        }).await;
        bob.command(harbour, "/repo unfollow harbour/boom", 200).await;
        wait_until("the secret to be known", async || github(&program, &issue("labeled"), "2", signed).await.status == 200).await;

        let reply = github(&program, &issue("opened"), "3", signed).await;
        assert_eq!((reply.status, reply.text.as_str()), (200, "ok"));
        let card = wait_for("the card", async || bot_message(&bob, harbour).await.filter(|it| said(it).contains("🐞"))).await;
        assert!(said(&card).contains("**octo** opened [\\#7 Brake \\[worn\\], @\u{200b}bob](https://github.com/Harbour/Crane/issues/7)"), "{card}");
        assert!(said(&card).contains("> since noon") && card["mentions"].as_array().is_none_or(Vec::is_empty), "{card}");
        assert!(bot_message(&ada, vault).await.is_none());
        // GitHub sends what it is not sure of again: it says so by the same id.
        let before = bot_messages(&bob, harbour).await.len();
        assert_eq!(github(&program, &issue("opened"), "3", signed).await.status, 200);
        assert_eq!(bot_messages(&bob, harbour).await.len(), before, "one delivery, one card");

        for wrong in [
            github(&program, &issue("opened"), "4", |body| signature("another secret of sixteen", body)).await,
            github(&program, &issue("opened"), "5", |_| signature(SECRET, b"another body")).await,
            github(&program, &issue("opened"), "6", |_| String::new()).await,
            program.call(Method::POST, GITHUB, Some(&issue("opened"))).await,
            program.call(Method::POST, GITLAB, Some(&issue("opened"))).await,
        ] {
            assert_eq!((wrong.status, &wrong.body()["code"]), (403, &json!("wrong_signature")), "{}", wrong.text);
        }
        assert_eq!(bot_messages(&bob, harbour).await.len(), before);
        for path in ["/hooks/plugins/chat.confab.repositories/other", "/hooks/plugins/chat.confab.dice/github", "/hooks/plugins/no.such/github"] {
            assert_eq!(program.call(Method::POST, path, Some(&json!({}))).await.status, 404, "{path}");
        }

        let merged = json!({
            "object_kind": "merge_request", "user": { "username": "tanuki" }, "object_attributes": { "iid": 4, "title": "Hoist", "url": "https://gitlab.example/m", "action": "merge" },
            "project": { "path_with_namespace": "harbour/crane", "web_url": "https://gitlab.example/harbour/crane" },
        });
        let told = program.request(Method::POST, GITLAB).header("x-gitlab-token", SECRET).json(&merged);
        assert_eq!(program.fetch(told).await.status, 200);
        wait_until("the other card", async || said(&bot_message(&bob, harbour).await.unwrap()).contains("**tanuki** merged [!4 Hoist]")).await;
        // What the plugin cannot read is told to the sender, who may send it again.
        let broken = program.request(Method::POST, GITLAB).header("x-gitlab-token", SECRET).body("{");
        let broken = program.fetch(broken).await;
        assert_eq!((broken.status, &broken.body()["code"]), (409, &json!("plugin_failed")), "{}", broken.text);
        let large = program.request(Method::POST, GITLAB).header("x-gitlab-token", SECRET).body(vec![b' '; 300 * 1_024]);
        assert_eq!(program.fetch(large).await.status, 413);

        let listed = ada.command(harbour, "/repo list", 200).await;
        assert!(said(&listed).contains("`harbour/crane`"), "{listed}");
        ada.command(harbour, "/repo unfollow harbour/crane", 200).await;
        let before = bot_messages(&bob, harbour).await.len();
        assert_eq!(github(&program, &issue("closed"), "9", signed).await.status, 200);
        assert_eq!(bot_messages(&bob, harbour).await.len(), before);
        let shown = admin.get("/api/v1/plugins/chat.confab.repositories", 200).await;
        assert_eq!(shown["webhooks"][0]["path"], GITHUB);
        assert!(!shown.to_string().contains(SECRET), "a secret is shown to nobody");
    }
}
