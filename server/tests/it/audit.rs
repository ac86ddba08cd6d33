//! The audit log: every event of security once, chained, filtered, exported, checked.

use confab_core::audit::Action;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::command::sqlite;
use crate::harness::user::{User, id, items, password_of};
use crate::harness::{Node, both, confab};
use crate::two_factor;

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

    /// One act, one row: who did it, to what, from where.
    async fn every_act_makes_its_row(world) {
        let (ada, admin) = (world.user("ada").await, world.admin().await);
        let users = "/api/v1/auth/users";
        let chosen = |name: &str| json!({ "current_password": password_of(name), "new_password": "another lasting secret" });
        let made = admin.send(Method::POST, users, Some(&json!({ "username": "carol" })), 201).await;
        let carol = format!("{users}/{}", id(&made["user"]));
        let token = made["reset_url"].as_str().unwrap().split_once('#').unwrap().1;
        let reset = json!({ "token": token, "password": password_of("carol") });
        world.visitor().send(Method::POST, "/api/v1/auth/password/reset", Some(&reset), 204).await;
        admin.send(Method::PUT, &format!("{carol}/disable"), None, 200).await;
        admin.send(Method::PUT, &format!("{carol}/enable"), None, 200).await;
        admin.send(Method::PUT, &format!("{carol}/superuser"), None, 200).await;
        let role = admin.send(Method::POST, "/api/v1/auth/roles", Some(&json!({ "name": "R", "permissions": [] })), 201).await;
        let path = format!("/api/v1/auth/roles/{}", id(&role));
        admin.send(Method::PUT, &path, Some(&json!({ "name": "S" })), 200).await;
        admin.send(Method::PUT, &format!("{carol}/roles"), Some(&json!({ "role_ids": [] })), 200).await;
        admin.send(Method::DELETE, &path, None, 204).await;
        admin.send(Method::DELETE, &carol, None, 204).await;
        let invitation = admin.send(Method::POST, "/api/v1/auth/invitations", Some(&json!({})), 201).await;
        admin.send(Method::DELETE, &format!("/api/v1/auth/invitations/{}", id(&invitation)), None, 204).await;
        admin.send(Method::PUT, "/api/v1/admin/policy", Some(&json!({ "require_two_factor": false })), 200).await;
        admin.send(Method::POST, "/api/v1/admin/reindex", None, 202).await;
        let room = ada.create_channel("room", "private", 201).await;
        let hooks = format!("/api/v1/channels/{}/webhooks", id(&room));
        let hook = ada.send(Method::POST, &hooks, Some(&json!({ "name": "Lighthouse" })), 201).await;
        let hook = format!("{hooks}/{}", id(&hook));
        ada.send(Method::POST, &format!("{hook}/rotate"), None, 200).await;
        ada.send(Method::DELETE, &hook, None, 204).await;
        let access = json!({ "channel_id": id(&room), "reason": "a complaint about it" });
        let opened = admin.send(Method::POST, "/api/v1/admin/break-glass", Some(&access), 201).await;
        admin.send(Method::DELETE, &format!("/api/v1/admin/break-glass/{}", id(&opened)), None, 204).await;

        let (_, codes) = two_factor::set_up(&ada).await;
        let login = json!({ "username": "ada", "password": password_of("ada") });
        world.visitor().send(Method::POST, "/api/v1/auth/login", Some(&login), 401).await;
        let proof = |code: &str| json!({ "password": password_of("ada"), "code": code });
        let at = "/api/v1/auth/two-factor";
        let renewed = ada.send(Method::POST, &format!("{at}/recovery-codes"), Some(&proof(&codes[0])), 200).await;
        let code = renewed["recovery_codes"][0].as_str().unwrap();
        ada.send(Method::POST, &format!("{at}/disable"), Some(&proof(code)), 204).await;
        two_factor::set_up(&ada).await;
        admin.send(Method::DELETE, &format!("{users}/{}/two-factor", ada.id), None, 204).await;
        let other = User::log_in("ada", &password_of("ada"), &ada.address).await;
        let sessions = other.get("/api/v1/auth/sessions", 200).await;
        let first = items(&sessions).iter().find(|it| it["is_current"] == false).unwrap();
        other.send(Method::DELETE, &format!("/api/v1/auth/sessions/{}", id(first)), None, 204).await;
        other.send(Method::PUT, "/api/v1/auth/me", Some(&json!({ "username": "countess" })), 200).await;
        other.send(Method::PUT, "/api/v1/auth/me/password", Some(&chosen("ada")), 204).await;
        other.send(Method::POST, "/api/v1/auth/logout-all", None, 204).await;

        let all = actions(&admin, "").await;
        let once = [
            "account.created", "password.reset_linked", "password.reset", "account.disabled", "account.enabled",
            "account.superuser_changed", "role.created", "role.updated", "account.roles_assigned", "role.deleted",
            "account.deleted", "invitation.created", "invitation.revoked", "policy.changed", "index.rebuilt",
            "break_glass.opened", "break_glass.ended", "account.code_asked", "two_factor.recovery_codes_renewed",
            "two_factor.disabled", "two_factor.reset", "session.ended", "account.updated", "password.changed",
            "session.all_ended", "webhook.created", "webhook.rotated", "webhook.deleted",
        ];
        for action in once {
            // The operator made the first administrator.
            let expected = if action == "account.created" { 2 } else { 1 };
            assert_eq!(all.iter().filter(|it| *it == action).count(), expected, "{action}: {all:?}");
        }
        for (action, count) in [("two_factor.enabled", 2), ("two_factor.recovery_code_used", 2)] {
            assert_eq!(all.iter().filter(|it| *it == action).count(), count, "{action}: {all:?}");
        }
        let row = admin.get(&format!("{AUDIT}?action=account.disabled"), 200).await;
        let row = &items(&row)[0];
        assert_eq!((&row["actor_id"], &row["target_id"], &row["ip_address"]), (&json!(admin.id), &made["user"]["id"], &json!("127.0.0.1")));
        assert!(row["session_id"].is_string(), "{row}");
        // What the stories above and elsewhere make; an action that nobody makes is no action.
        let elsewhere = [
            "account.signed_in", "account.sign_in_failed", "account.signed_out", "account.registered", "refresh_token.reused",
            "token.created", "token.revoked", "invitation.used", "account.credentials_voided", "identity.linked",
            "identity.unlinked", "member.added", "member.removed", "channel.deleted", "channel.retention_changed", "channel.assistant_switched", "audit.exported", "data.imported", "data.exported",
            "member.role_changed", "channel.privacy_changed", "channel_invitation.created",
            "channel_invitation.used", "channel_invitation.revoked", "reaction.created", "reaction.deleted", "dead_letter.retried", "two_factor.enabled", "two_factor.recovery_code_used",
            "plugin.installed", "plugin.offered", "plugin.removed", "plugin.enabled", "plugin.disabled", "plugin.granted",
            "plugin.configured", "plugin.denied", "assistant.tool_confirmed",
        ];
        for action in Action::ALL {
            let word = action.as_str();
            assert!(once.contains(&word) || elsewhere.contains(&word), "no story makes {word}");
        }
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
