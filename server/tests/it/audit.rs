//! The audit log: every event of security once, chained, filtered, exported, checked.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::command::sqlite;
use crate::harness::user::{User, id, items, password_of};
use crate::harness::{Node, both, confab};

const AUDIT: &str = "/api/v1/admin/audit";

async fn actions(admin: &User, query: &str) -> Vec<String> {
    let page = admin.get(&format!("{AUDIT}?limit=100&{query}"), 200).await;
    items(&page).iter().map(|it| it["action"].as_str().unwrap().to_owned()).collect()
}

both! {
    async fn what_concerns_security_is_noted(world) {
        let (ada, bob, admin) = (world.user("ada").await, world.user("bob").await, world.admin().await);
        let wrong = json!({ "username": "ada", "password": "not hers at all" });
        world.visitor().send(Method::POST, "/api/v1/auth/login", Some(&wrong), 401).await;
        let room = ada.create_channel("room", "private", 201).await;
        ada.add_member(id(&room), &bob, 201).await;
        ada.send(Method::DELETE, &format!("/api/v1/channels/{}/members/{}", id(&room), bob.id), None, 204).await;
        ada.send(Method::DELETE, &format!("/api/v1/channels/{}", id(&room)), None, 204).await;
        let token = ada.send(Method::POST, "/api/v1/auth/tokens", Some(&json!({ "name": "t", "scopes": ["read"] })), 201).await;
        ada.send(Method::DELETE, &format!("/api/v1/auth/tokens/{}", id(&token)), None, 204).await;
        let used = json!({ "refresh_token": ada.refresh_token });
        let next = User::log_in("ada", &password_of("ada"), &ada.address).await;
        ada.send(Method::POST, "/api/v1/auth/refresh", Some(&used), 200).await;
        ada.send(Method::POST, "/api/v1/auth/refresh", Some(&used), 401).await;
        next.send(Method::POST, "/api/v1/auth/logout", None, 204).await;

        bob.get(AUDIT, 403).await;
        let by_ada = actions(&admin, &format!("actor_id={}", ada.id)).await;
        for action in ["account.registered", "account.signed_in", "member.added", "member.removed", "channel.deleted", "token.created", "token.revoked", "account.signed_out"] {
            assert!(by_ada.iter().any(|it| it == action), "{action} is missing: {by_ada:?}");
        }
        assert_eq!(actions(&admin, "action=refresh_token.reused").await.len(), 1);
        let failed = admin.get(&format!("{AUDIT}?action=account.sign_in_failed"), 200).await;
        let failed = &items(&failed)[0];
        assert_eq!((&failed["target_id"], &failed["ip_address"], &failed["detail"]["reason"]), (&json!(ada.id), &json!("127.0.0.1"), &json!("wrong_password")));
        assert!(!failed.to_string().contains("not hers"), "{failed}");
        assert_eq!(actions(&admin, "from=2099-01-01T00:00:00Z").await.len(), 0);
        admin.get(&format!("{AUDIT}?action=nonsense"), 400).await;
        admin.get(&format!("{AUDIT}?cursor=nonsense"), 400).await;

        // Page by page it is the same list, without a hole.
        let (mut numbers, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = admin.get(&format!("{AUDIT}?limit=3{cursor}"), 200).await;
            numbers.extend(items(&page).iter().map(|it| it["number"].as_i64().unwrap()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let expected: Vec<i64> = (1..=numbers[0]).rev().collect();
        assert_eq!(numbers, expected);
        let checked = admin.get(&format!("{AUDIT}/verify"), 200).await;
        assert_eq!((&checked["ok"], &checked["count"]), (&json!(true), &json!(numbers[0])));
    }

    async fn the_log_is_exported_whole(world) {
        let admin = world.admin().await;
        world.user("=cmd").await;
        let csv = admin.call(Method::GET, &format!("{AUDIT}/export?format=csv"), None).await;
        assert!(csv.header("content-disposition").contains("audit.csv"));
        assert!(csv.text.starts_with("number,at,action"), "{}", csv.text);
        assert!(csv.text.contains("\"'=cmd\""), "a spreadsheet would run it: {}", csv.text);
        let lines = admin.call(Method::GET, &format!("{AUDIT}/export"), None).await;
        let lines: Vec<Value> = lines.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["action"], "audit.exported");
        let numbers: Vec<i64> = lines.iter().map(|it| it["number"].as_i64().unwrap()).collect();
        assert_eq!(numbers, (1..=numbers[0]).rev().collect::<Vec<_>>());
        assert_eq!(csv.text.lines().count(), lines.len(), "one row more for the export, one line for the heads");
    }
}

#[tokio::test]
async fn a_row_that_was_changed_or_taken_out_shows() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let text = data.to_str().unwrap().to_owned();
    let verify = async |more: &[&str]| {
        let mut arguments = vec!["--data-dir", text.as_str(), "--json", "audit", "verify"];
        arguments.extend_from_slice(more);
        confab(folder.path(), &arguments, &[]).await
    };
    let mut node =
        Node::start(&data, &[("CONFAB_RATE_LIMITS", "off"), ("CONFAB_REGISTRATION", "open")]).await;
    for name in ["ada", "bob", "carol"] {
        User::enter(name, &node.address).await;
    }
    assert_eq!(verify(&[]).await.code, 4, "the folder belongs to the running server");
    node.stop().await;
    let whole = verify(&[]).await;
    assert_eq!((whole.code, &whole.json()["ok"]), (0, &json!(true)), "{}", whole.said());
    let count = whole.json()["count"].as_i64().unwrap();
    let known = format!("{count}:{}", whole.json()["head"].as_str().unwrap());
    assert_eq!(verify(&["--expect", &known]).await.code, 0);

    let database = data.join("confab.db");
    for (change, undo) in [
        (
            "update audit_log set actor_name = 'eve' where number = 2",
            "update audit_log set actor_name = (select username from users where id = actor_id) where number = 2",
        ),
        (
            "update audit_log set at = at + 1 where number = 3",
            "update audit_log set at = at - 1 where number = 3",
        ),
    ] {
        sqlite(&database, change);
        let broken = verify(&[]).await;
        assert_eq!((broken.code, &broken.json()["ok"]), (1, &json!(false)), "{change}: {}", broken.said());
        sqlite(&database, undo);
        assert_eq!(verify(&[]).await.code, 0, "{undo}");
    }
    // Cut off at its end with a matching head, it is whole in itself, but not with what was written down.
    sqlite(
        &database,
        "update audit_head set number = number - 1, hash = (select hash from audit_log where number = audit_head.number - 1)",
    );
    sqlite(&database, "delete from audit_log where number = (select max(number) from audit_log)");
    assert_eq!(verify(&[]).await.code, 0);
    assert_eq!(verify(&["--expect", &known]).await.code, 1);
    sqlite(&database, "delete from audit_log where number = 2");
    let broken = verify(&[]).await;
    assert_eq!(broken.json()["broken_at"], 2, "{}", broken.said());
}
