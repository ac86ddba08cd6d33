//! Administering people: accounts, superusers, roles and what they permit.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{User, contents, id, items, password_of};
use crate::harness::{both, wait_until};

const USERS: &str = "/api/v1/auth/users";
const ROLES: &str = "/api/v1/auth/roles";

/// Makes a role and gives it to a user.
async fn grant(admin: &User, user: &User, name: &str, permissions: &[&str]) -> String {
    let form = json!({ "name": name, "permissions": permissions });
    let role = admin.send(Method::POST, ROLES, Some(&form), 201).await;
    let ids = json!({ "role_ids": [id(&role)] });
    admin.send(Method::PUT, &format!("{USERS}/{}/roles", user.id), Some(&ids), 200).await;
    id(&role).to_owned()
}

both! {
    async fn accounts_are_made_listed_disabled_and_enabled(world) {
        let (ada, admin) = (world.user("ada").await, world.admin().await);
        for (method, path) in [(Method::GET, USERS.to_owned()), (Method::POST, USERS.to_owned()), (Method::DELETE, format!("{USERS}/{}", ada.id))] {
            ada.send(method, &path, Some(&json!({ "username": "x" })), 403).await;
        }
        let form = json!({ "username": "carol", "email": "carol@example.org" });
        let made = admin.send(Method::POST, USERS, Some(&form), 201).await;
        let token = made["reset_url"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
        let chosen = json!({ "token": token, "password": password_of("carol") });
        world.visitor().send(Method::POST, "/api/v1/auth/password/reset", Some(&chosen), 204).await;
        let carol = User::log_in("carol", &password_of("carol"), &ada.address).await;
        let mut socket = carol.connect().await;

        let path = format!("{USERS}/{}", carol.id);
        let disabled = admin.send(Method::PUT, &format!("{path}/disable"), None, 200).await;
        assert_eq!(disabled["is_active"], false);
        assert_eq!(socket.closed().await, Some(4010));
        wait_until("carol to be out", async || carol.call(Method::GET, "/api/v1/auth/me", None).await.status == 401).await;
        let login = json!({ "username": "carol", "password": password_of("carol") });
        let refused = world.visitor().send(Method::POST, "/api/v1/auth/login", Some(&login), 401).await;
        assert_eq!(refused["code"], "wrong_credentials", "it shows who is disabled");
        let listed = admin.get(&format!("{USERS}?state=disabled"), 200).await;
        assert_eq!(items(&listed)[0]["username"], "carol");
        assert_eq!(items(&admin.get(&format!("{USERS}?q=CAR&state=active"), 200).await).len(), 0);
        admin.send(Method::PUT, &format!("{path}/enable"), None, 200).await;
        User::log_in("carol", &password_of("carol"), &ada.address).await;
        admin.send(Method::POST, USERS, Some(&json!({ "username": "CAROL" })), 409).await;
        admin.get(&format!("{USERS}?state=asleep"), 400).await;
    }

    async fn who_is_deleted_leaves_their_words(world) {
        let (ada, bob, admin) = (world.user("ada").await, world.user("bob").await, world.admin().await);
        let room = ada.create_channel("room", "private", 201).await;
        ada.add_member(id(&room), &bob, 201).await;
        ada.post(id(&room), "what I said", 201).await;
        let mut socket = ada.connect().await;
        admin.send(Method::DELETE, &format!("{USERS}/{}", ada.id), None, 204).await;
        assert_eq!(socket.closed().await, Some(4010));

        let page = bob.list(id(&room), "", 200).await;
        assert!(contents(&page).contains(&"what I said"), "{page}");
        assert_eq!(items(&page)[0]["sender"]["full_name"], "Deleted user");
        for hers in ["\"ada\"", "ada@example.org"] {
            assert!(!page.to_string().contains(hers), "something of her is still there: {page}");
        }
        // Somebody must manage what she alone owned.
        wait_until("bob to own the channel", async || bob.get(&format!("/api/v1/channels/{}", id(&room)), 200).await["role"] == "owner").await;
        let login = json!({ "username": "ada", "password": password_of("ada") });
        world.visitor().send(Method::POST, "/api/v1/auth/login", Some(&login), 401).await;
        let deleted = admin.get(&format!("{USERS}?state=deleted"), 200).await;
        assert_eq!(items(&deleted).len(), 1);
        admin.send(Method::PUT, &format!("{USERS}/{}/enable", ada.id), None, 404).await;
        // Name and address are free again.
        let form = json!({ "username": "ada", "email": "ada@example.org", "password": password_of("ada") });
        world.visitor().send(Method::POST, "/api/v1/auth/register", Some(&form), 201).await;
    }

    async fn there_is_always_a_superuser(world) {
        let (ada, admin) = (world.user("ada").await, world.admin().await);
        let of = |user: &User, verb: &str| format!("{USERS}/{}/{verb}", user.id);
        ada.send(Method::PUT, &of(&ada, "superuser"), Some(&json!({ "is_superuser": true })), 403).await;
        let last = admin.send(Method::PUT, &of(&admin, "superuser"), Some(&json!({ "is_superuser": false })), 409).await;
        assert_eq!(last["code"], "last_superuser");
        for (method, path) in [(Method::PUT, of(&admin, "disable")), (Method::DELETE, format!("{USERS}/{}", admin.id))] {
            assert_eq!(admin.send(method, &path, None, 409).await["code"], "own_account");
        }
        // Without a body it is turned over.
        assert_eq!(admin.send(Method::PUT, &of(&ada, "superuser"), None, 200).await["is_superuser"], true);
        admin.send(Method::PUT, &of(&admin, "superuser"), Some(&json!({ "is_superuser": false })), 200).await;
        wait_until("the warden to be a plain user", async || admin.call(Method::GET, USERS, None).await.status == 403).await;
        ada.get(USERS, 200).await;
    }

    async fn roles_permit_what_they_say(world) {
        let (ada, bob, admin) = (world.user("ada").await, world.user("bob").await, world.admin().await);
        let invite = json!({ "max_uses": 1 });
        ada.send(Method::POST, "/api/v1/auth/invitations", Some(&invite), 403).await;
        let inviter = grant(&admin, &ada, "Inviter", &["users.invite", "users.manage", "roles.manage"]).await;
        wait_until("ada to invite", async || ada.call(Method::POST, "/api/v1/auth/invitations", Some(&invite)).await.status == 201).await;
        let own = ada.get("/api/v1/auth/me", 200).await;
        assert_eq!(own["roles"][0]["name"], "Inviter");
        assert!(own["permissions"].as_array().unwrap().contains(&json!("users.invite")), "{own}");

        // Nobody gives what they do not hold, nor rules over who may more.
        let beyond = json!({ "name": "Spy", "permissions": ["audit.read"] });
        assert_eq!(ada.send(Method::POST, ROLES, Some(&beyond), 403).await["code"], "beyond_own_permissions");
        for verb in ["disable", "password-reset"] {
            let method = if verb == "disable" { Method::PUT } else { Method::POST };
            let refused = ada.send(method, &format!("{USERS}/{}/{verb}", admin.id), None, 403).await;
            assert_eq!(refused["code"], "superuser_only");
        }
        grant(&admin, &bob, "Auditor", &["audit.read"]).await;
        ada.send(Method::PUT, &format!("{USERS}/{}/disable", bob.id), None, 403).await;

        let path = format!("{ROLES}/{inviter}");
        assert_eq!(admin.send(Method::DELETE, &path, None, 409).await["code"], "role_in_use");
        admin.send(Method::PUT, &path, Some(&json!({ "permissions": [] })), 200).await;
        wait_until("ada to invite no more", async || ada.call(Method::POST, "/api/v1/auth/invitations", Some(&invite)).await.status == 403).await;
        admin.send(Method::PUT, &format!("{USERS}/{}/roles", ada.id), Some(&json!({ "role_ids": [] })), 200).await;
        admin.send(Method::DELETE, &path, None, 204).await;
        for bad in [json!({ "name": "", "permissions": [] }), json!({ "name": "a", "permissions": ["everything"] })] {
            admin.send(Method::POST, ROLES, Some(&bad), 400).await;
        }
        admin.send(Method::POST, ROLES, Some(&json!({ "name": "AUDITOR", "permissions": [] })), 409).await;
    }

    async fn what_everyone_may_is_an_administrators_choice(world) {
        let (ada, admin) = (world.user("ada").await, world.admin().await);
        ada.create_channel("first", "public", 201).await;
        let roles = admin.get(ROLES, 200).await;
        let everyone = items(&roles).iter().find(|it| it["is_system"] == true).unwrap();
        let path = format!("{ROLES}/{}", id(everyone));
        admin.send(Method::DELETE, &path, None, 409).await;
        admin.send(Method::PUT, &path, Some(&json!({ "permissions": ["channels.create_private"] })), 200).await;
        wait_until("public channels to be closed to ada", async || {
            let form = json!({ "name": "second", "kind": "public" });
            ada.call(Method::POST, "/api/v1/channels", Some(&form)).await.status == 403
        })
        .await;
        ada.create_channel("third", "private", 201).await;
        admin.create_channel("fourth", "public", 201).await;
        let known = ada.get("/api/v1/auth/permissions", 200).await;
        assert!(items(&known).iter().all(|it| it["description"].as_str().is_some_and(|text| text.len() > 10)), "{known}");
    }

    async fn being_a_superuser_opens_no_private_channel(world) {
        let (ada, admin) = (world.user("ada").await, world.admin().await);
        let room = ada.create_channel("secrets", "private", 201).await;
        let message = ada.post(id(&room), "the canary sings", 201).await;
        admin.list(id(&room), "", 404).await;
        admin.read(id(&message), 404).await;

        let access = |reason: &str| json!({ "channel_id": id(&room), "reason": reason });
        let path = "/api/v1/admin/break-glass";
        ada.send(Method::POST, path, Some(&access("I would like to see")), 403).await;
        admin.send(Method::POST, path, Some(&access("because")), 400).await;
        let opened = admin.send(Method::POST, path, Some(&access("complaint 17 of the works council")), 201).await;
        let seen = admin.list(id(&room), "", 200).await;
        assert!(contents(&seen).contains(&"the canary sings"));
        // It is for reading: neither writing nor joining.
        admin.post(id(&room), "hello", 404).await;
        admin.join(id(&room), 404).await;
        let noted = admin.get("/api/v1/admin/audit?action=break_glass.opened", 200).await;
        assert_eq!(items(&noted)[0]["detail"]["reason"], "complaint 17 of the works council", "{noted}");

        admin.send(Method::DELETE, &format!("{path}/{}", id(&opened)), None, 204).await;
        admin.list(id(&room), "", 404).await;
        let listed: Value = admin.get(path, 200).await;
        assert!(items(&listed)[0]["ended_at"].is_string(), "{listed}");
    }
}
