//! Invitations to a channel by code: who makes them, what they are worth, and that nobody learns anything by guessing.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{Reply, User, id, items};
use crate::harness::{World, both};

const JOIN: &str = "/api/v1/channels/join";

async fn invite(by: &User, channel: &str, form: Value, expected: u16) -> Value {
    by.send(Method::POST, &format!("/api/v1/channels/{channel}/invite"), Some(&form), expected).await
}

async fn join(user: &User, code: &Value) -> Reply {
    user.call(Method::POST, JOIN, Some(&json!({ "code": code }))).await
}

async fn joins(user: &User, made: &Value, expected: u16) -> Value {
    user.send(Method::POST, JOIN, Some(&json!({ "code": made["code"] })), expected).await
}

async fn list(by: &User, channel: &str) -> Vec<Value> {
    items(&by.get(&format!("/api/v1/channels/{channel}/invitations"), 200).await).to_vec()
}

both! {
    async fn a_code_lets_people_into_a_private_channel(world) {
        let (ada, bob, carol) = (world.user("ada").await, world.user("bob").await, world.user("carol").await);
        let vault = ada.create_channel("vault", "private", 201).await;
        let vault = id(&vault);
        let made = invite(&ada, vault, json!({ "max_uses": 2, "role": "guest" }), 201).await;
        let code = made["code"].as_str().unwrap();
        assert!(code.len() >= 22, "less than 128 bits: {code}");
        assert!(made["url"].as_str().unwrap().ends_with(&format!("/join#{code}")), "{made}");
        assert_eq!((&made["uses_left"], &made["role"]), (&json!(2), &json!("guest")));

        bob.get(&format!("/api/v1/channels/{vault}"), 404).await;
        let mut socket = ada.connect().await;
        let joined = joins(&bob, &made, 200).await;
        assert_eq!((&joined["id"], &joined["role"], &joined["member_count"]), (&json!(vault), &json!("guest"), &json!(2)));
        let told = socket.events_until(|event| event["t"] == "member_joined" && event["channel_id"] == vault).await.pop();
        assert_eq!(told.unwrap()["d"]["user"]["id"], bob.id);
        // Whoever is in already uses nothing up, and stays what they are.
        assert_eq!(joins(&ada, &made, 200).await["role"], "owner");
        joins(&bob, &made, 200).await;
        let live = list(&ada, vault).await;
        assert_eq!((live.len(), &live[0]["uses_left"], &live[0]["created_by_id"]), (1, &json!(1), &json!(ada.id)));
        assert!(!live[0].to_string().contains(code), "the code is shown once");
        joins(&carol, &made, 200).await;
        assert!(list(&ada, vault).await.is_empty(), "used up");
        let admin = world.admin().await;
        let log = admin.get("/api/v1/admin/audit?limit=100", 200).await;
        let of = |action: &str| items(&log).iter().filter(|it| it["action"] == action).count();
        assert_eq!((of("channel_invitation.created"), of("channel_invitation.used")), (1, 2));
        assert!(!log.to_string().contains(code), "the log holds no secrets");
    }

    async fn every_code_that_does_not_work_is_answered_alike(world) {
        let (ada, bob, eve) = (world.user("ada").await, world.user("bob").await, world.user("eve").await);
        let vault = ada.create_channel("vault", "private", 201).await;
        let vault = id(&vault);
        let path = format!("/api/v1/channels/{vault}");
        let once = invite(&ada, vault, json!({}), 201).await;
        joins(&bob, &once, 200).await;
        let revoked = invite(&ada, vault, json!({}), 201).await;
        ada.send(Method::DELETE, &format!("{path}/invitations/{}", id(&revoked)), None, 204).await;
        ada.send(Method::DELETE, &format!("{path}/invitations/{}", id(&revoked)), None, 404).await;
        let archived = ada.create_channel("attic", "public", 201).await;
        let into_archive = invite(&ada, id(&archived), json!({}), 201).await;
        ada.send(Method::POST, &format!("/api/v1/channels/{}/archive", id(&archived)), None, 200).await;
        let gone = ada.create_channel("gone", "private", 201).await;
        let into_gone = invite(&ada, id(&gone), json!({}), 201).await;
        ada.send(Method::DELETE, &format!("/api/v1/channels/{}", id(&gone)), None, 204).await;
        // Of its maker's powers only those of now count.
        let of_bob = {
            let role = json!({ "role": "admin" });
            ada.send(Method::PUT, &format!("{path}/roles/{}", bob.id), Some(&role), 200).await;
            let made = invite(&bob, vault, json!({ "role": "member" }), 201).await;
            invite(&bob, vault, json!({ "role": "admin" }), 403).await;
            ada.send(Method::PUT, &format!("{path}/roles/{}", bob.id), Some(&json!({ "role": "member" })), 200).await;
            made
        };
        let guessed = json!({ "code": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" });
        let mut answers = Vec::new();
        for made in [&once, &revoked, &into_archive, &into_gone, &of_bob, &guessed] {
            let reply = join(&eve, &made["code"]).await;
            assert_eq!(reply.status, 404, "{}", reply.text);
            let mut body = reply.body();
            body.as_object_mut().unwrap().remove("request_id");
            answers.push(body);
        }
        assert!(answers.iter().all(|it| *it == answers[0]), "{answers:#?}");
        for wrong in [json!({}), json!({ "code": "" }), json!({ "code": 7 }), json!({ "code": "x".repeat(5_000) }), json!({ "code": "a\u{0}" })] {
            eve.send(Method::POST, JOIN, Some(&wrong), 400).await;
        }
        world.visitor().send(Method::POST, JOIN, Some(&guessed), 401).await;

        // What an owner gave an admin's role with is worth no more than the owner is.
        let strong = invite(&ada, vault, json!({ "role": "admin" }), 201).await;
        ada.send(Method::PUT, &format!("{path}/roles/{}", bob.id), Some(&json!({ "role": "owner" })), 200).await;
        ada.send(Method::PUT, &format!("{path}/roles/{}", ada.id), Some(&json!({ "role": "admin" })), 200).await;
        joins(&eve, &strong, 404).await;
        let left = invite(&ada, vault, json!({}), 201).await;
        ada.leave(vault, 204).await;
        joins(&eve, &left, 404).await;
        eve.get(&path, 404).await;
    }

    async fn a_code_does_not_bring_back_who_was_removed_since(world) {
        let (ada, bob, eve) = (world.user("ada").await, world.user("bob").await, world.user("eve").await);
        let vault = ada.create_channel("vault", "private", 201).await;
        let vault = id(&vault);
        let kept = invite(&ada, vault, json!({ "max_uses": 5, "role": "admin" }), 201).await;
        joins(&bob, &kept, 200).await;
        joins(&eve, &kept, 200).await;
        ada.send(Method::DELETE, &format!("/api/v1/channels/{vault}/members/{}", eve.id), None, 204).await;
        joins(&eve, &kept, 404).await;
        eve.get(&format!("/api/v1/channels/{vault}"), 404).await;
        assert_eq!(list(&ada, vault).await[0]["uses_left"], 3, "a refusal uses nothing up");
        // Who went by themselves may come back, and a new code is a new decision.
        bob.leave(vault, 204).await;
        assert_eq!(joins(&bob, &kept, 200).await["role"], "admin");
        let anew = invite(&ada, vault, json!({ "role": "member" }), 201).await;
        assert_eq!(joins(&eve, &anew, 200).await["role"], "member");
    }

    async fn only_those_in_charge_invite(world) {
        let (ada, bob, eve) = (world.user("ada").await, world.user("bob").await, world.user("eve").await);
        let (vault, room) = (ada.create_channel("vault", "private", 201).await, ada.create_channel("room", "public", 201).await);
        let (vault, room) = (id(&vault), id(&room));
        invite(&eve, vault, json!({}), 404).await;
        eve.get(&format!("/api/v1/channels/{vault}/invitations"), 404).await;
        invite(&eve, room, json!({}), 403).await;
        bob.join(room, 200).await;
        assert_eq!(invite(&bob, room, json!({}), 403).await["code"], "role_too_low");
        bob.get(&format!("/api/v1/channels/{room}/invitations"), 403).await;
        let made = invite(&ada, room, json!({ "expires_in_hours": 720, "max_uses": 1_000 }), 201).await;
        let of_room = format!("/api/v1/channels/{room}/invitations/{}", id(&made));
        bob.send(Method::DELETE, &of_room, None, 403).await;
        // The id of another channel's invitation is none here.
        ada.send(Method::DELETE, &format!("/api/v1/channels/{vault}/invitations/{}", id(&made)), None, 404).await;
        for wrong in [
            json!({ "max_uses": 0 }), json!({ "max_uses": 1_001 }), json!({ "max_uses": -1 }), json!({ "expires_in_hours": 0 }),
            json!({ "expires_in_hours": 721 }), json!({ "role": "owner" }), json!({ "role": "king" }), json!({ "max_uses": "many" }),
        ] {
            invite(&ada, room, wrong, 400).await;
        }
        let direct = ada.send(Method::POST, "/api/v1/channels/direct", Some(&json!({ "user_ids": [bob.id] })), 201).await;
        invite(&ada, id(&direct), json!({}), 409).await;

        for _ in 0..99 {
            invite(&ada, room, json!({}), 201).await;
        }
        assert_eq!(invite(&ada, room, json!({}), 409).await["code"], "too_many_invitations");
        let page = ada.get(&format!("/api/v1/channels/{room}/invitations?limit=60"), 200).await;
        let rest = format!("/api/v1/channels/{room}/invitations?limit=60&cursor={}", page["next_cursor"].as_str().unwrap());
        assert_eq!((items(&page).len(), items(&ada.get(&rest, 200).await).len()), (60, 40));
        ada.send(Method::DELETE, &of_room, None, 204).await;
        invite(&ada, room, json!({}), 201).await;
    }

    async fn the_last_use_is_one_persons(world) {
        let ada = world.user("ada").await;
        let mut people = Vec::new();
        for number in 0..6 {
            people.push(world.user(&format!("racer{number}")).await);
        }
        let vault = ada.create_channel("vault", "private", 201).await;
        let made = invite(&ada, id(&vault), json!({ "max_uses": 2 }), 201).await;
        let replies = join_all(people.iter().map(|it| join(it, &made["code"]))).await;
        let count = |status: u16| replies.iter().filter(|it| it.status == status).count();
        assert_eq!((count(200), count(404)), (2, 4), "{:?}", replies.iter().map(|it| &it.text).collect::<Vec<_>>());
        assert_eq!(ada.get(&format!("/api/v1/channels/{}", id(&vault)), 200).await["member_count"], 3);
    }
}

mod guessing_is_slow {
    use super::*;

    const ON: [(&str, &str); 1] = [("CONFAB_RATE_LIMITS", "on")];

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn embedded() {
        story(World::embedded_with(&ON).await).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn scaled() {
        story(World::scaled_with(&ON).await).await;
    }

    /// Ten tries a person in ten minutes, thirty an address, counted by all servers together.
    async fn story(mut world: World) {
        let mut people = Vec::new();
        for name in ["ada", "bob", "carol", "dan"] {
            people.push(world.user(name).await);
        }
        let mut tries = 0;
        for person in &people {
            let mut own = 0;
            for guess in 0..40 {
                let node = &world.nodes[guess % world.nodes.len()];
                let reply = join(&person.at(&node.address), &json!(format!("a guess {guess}"))).await;
                if reply.status == 429 {
                    assert!(
                        reply
                            .header("retry-after")
                            .parse::<u64>()
                            .is_ok_and(|wait| (1..=601).contains(&wait))
                    );
                    break;
                }
                assert_eq!(reply.status, 404, "{}", reply.text);
                own += 1;
            }
            tries += own;
            // A slow machine gives a place back while it is being tested.
            assert!(own <= 12, "{} guessed {own} times", person.name);
        }
        assert!((30..=36).contains(&tries), "{tries} guesses from one address");
    }
}
