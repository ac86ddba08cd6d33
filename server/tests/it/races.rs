//! Two who do one thing at the same moment: one of them has done it.

mod refresh;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use crate::harness::user::{Reply, User, id, items, password_of};
use crate::harness::world::{ADMIN, ADMIN_PASSWORD};
use crate::harness::{World, both, wait_until};

const REGISTER: &str = "/api/v1/auth/register";
const LOGIN: &str = "/api/v1/auth/login";
const NEW: &str = "a quite different secret";

/// Those who try one thing at once.
const RACERS: usize = 8;

both! {
    async fn one_name_makes_one_account(world) {
        for (names, emails) in [
            (["Racer", "racer", "RACER", "rAcEr", " racer", "racer ", "\u{FF32}acer", "raceR"].as_slice(), None),
            (["a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8"].as_slice(), Some("One@example.org")),
        ] {
            let forms: Vec<Value> = names.iter().enumerate().map(|(number, name)| {
                let mut form = form_of(name, "racer");
                form["email"] = json!(emails.map_or_else(|| format!("{number}@example.org"), str::to_owned));
                form
            }).collect();
            one_wins(&race(world, Method::POST, REGISTER, &forms).await, 201, 409);
        }
        let racers = world.admin().await.get("/api/v1/auth/users?q=racer", 200).await;
        assert_eq!(items(&racers).len(), 1, "{racers}");
    }

    async fn one_link_sets_one_password(world) {
        let (ada, admin) = (world.user("ada").await, world.admin().await);
        let link = admin.send(Method::POST, &format!("/api/v1/auth/users/{}/password-reset", ada.id), None, 200).await;
        let secret = link["url"].as_str().unwrap().split_once('#').unwrap().1;
        let forms: Vec<Value> =
            (0..RACERS).map(|number| json!({ "token": secret, "password": format!("{NEW} {number}") })).collect();
        let replies = race(world, Method::POST, "/api/v1/auth/password/reset", &forms).await;
        let winner = one_wins(&replies, 204, 404);
        for (number, form) in forms.iter().enumerate() {
            let login = json!({ "username": "ada", "password": form["password"] });
            let expected = if number == winner { 200 } else { 401 };
            world.visitor().send(Method::POST, LOGIN, Some(&login), expected).await;
        }
    }

    async fn one_code_signs_one_in(world) {
        let ada = world.user("ada").await;
        let path = "/api/v1/auth/two-factor";
        let proof = json!({ "password": password_of("ada") });
        let begun = ada.send(Method::POST, &format!("{path}/start"), Some(&proof), 200).await;
        let secret = Secret::try_from_base32(begun["secret"].as_str().unwrap()).unwrap();
        let device = Builder::new().with_secret(secret).build().unwrap();
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let code = json!({ "code": device.generate(now).to_string() });
        let done = ada.send(Method::POST, &format!("{path}/confirm"), Some(&code), 200).await;
        // The code of the step to come is good for clocks that differ, and stays good if that step comes meanwhile.
        for code in [device.generate(now + 30).to_string(), done["recovery_codes"][0].as_str().unwrap().to_owned()] {
            let form = json!({ "username": "ada", "password": password_of("ada"), "code": code });
            let replies = race(world, Method::POST, LOGIN, &vec![form; RACERS]).await;
            one_wins(&replies, 200, 401);
            assert!(replies.iter().all(|it| it.status == 200 || it.body()["code"] == "wrong_code"));
        }
    }

    async fn two_superusers_who_demote_each_other_leave_one(world) {
        let mut pair = [world.admin().await, world.user("regent").await];
        let path = |user: &User| format!("/api/v1/auth/users/{}/superuser", user.id);
        let (no, yes) = (json!({ "is_superuser": false }), json!({ "is_superuser": true }));
        for round in 0..20 {
            let [one, other] = &pair;
            one.send(Method::PUT, &path(other), Some(&yes), 200).await;
            wait_until("every server to know both", async || {
                let policy = "/api/v1/admin/policy";
                one.call(Method::GET, policy, None).await.status == 200 && other.call(Method::GET, policy, None).await.status == 200
            })
            .await;
            let (a, b) = (path(other), path(one));
            let (first, second) = tokio::join!(one.call(Method::PUT, &a, Some(&no)), other.call(Method::PUT, &b, Some(&no)));
            let won = [&first, &second].map(|it| it.status == 200);
            let lost = if won[0] { &second } else { &first };
            assert_eq!(won.iter().filter(|it| **it).count(), 1, "round {round}: {} and {}", first.text, second.text);
            assert!([403, 409].contains(&lost.status), "round {round}: {} {}", lost.status, lost.text);
            if won[1] {
                pair.reverse();
            }
            let left = pair[0].get("/api/v1/auth/users?state=superusers", 200).await;
            assert_eq!(items(&left).iter().map(id).collect::<Vec<_>>(), [pair[0].id.as_str()], "round {round}");
        }
        User::log_in(ADMIN, ADMIN_PASSWORD, &world.nodes[0].address).await;
    }
}

mod one_invitation_makes_one_account {
    use reqwest::Method;
    use serde_json::{Value, json};

    use super::{RACERS, REGISTER, form_of, one_wins, race};
    use crate::harness::World;
    use crate::harness::user::items;

    const INVITE: [(&str, &str); 1] = [("CONFAB_REGISTRATION", "invite")];

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn embedded() {
        story(World::embedded_with(&INVITE).await).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn scaled() {
        story(World::scaled_with(&INVITE).await).await;
    }

    async fn story(world: World) {
        let admin = world.admin().await;
        let invitation =
            admin.send(Method::POST, "/api/v1/auth/invitations", Some(&json!({ "max_uses": 1 })), 201).await;
        let forms: Vec<Value> = (0..RACERS)
            .map(|number| {
                let mut form = form_of(&format!("racer{number}"), "racer");
                form["invitation"] = invitation["token"].clone();
                form
            })
            .collect();
        one_wins(&race(&world, Method::POST, REGISTER, &forms).await, 201, 404);
        let racers = admin.get("/api/v1/auth/users?q=racer", 200).await;
        assert_eq!(items(&racers).len(), 1, "{racers}");
        assert!(items(&admin.get("/api/v1/auth/invitations", 200).await).is_empty());
    }
}

fn form_of(name: &str, about: &str) -> Value {
    json!({ "username": name, "email": format!("{name}@example.org"), "password": password_of(about) })
}

/// All forms at once, spread over the servers.
async fn race(world: &World, method: Method, path: &str, forms: &[Value]) -> Vec<Reply> {
    let racers: Vec<User> = (0..forms.len())
        .map(|number| User::visitor(&world.nodes[number % world.nodes.len()].address))
        .collect();
    join_all(racers.iter().zip(forms).map(|(racer, form)| racer.call(method.clone(), path, Some(form)))).await
}

/// Exactly one came through; answers which.
fn one_wins(replies: &[Reply], won: u16, lost: u16) -> usize {
    let said: Vec<String> = replies.iter().map(|it| format!("{} {}", it.status, it.text)).collect();
    let winners: Vec<usize> = (0..replies.len()).filter(|it| replies[*it].status == won).collect();
    assert_eq!(winners.len(), 1, "not one {won}: {said:#?}");
    assert!(
        replies.iter().all(|it| it.status == won || it.status == lost),
        "another answer than {lost}: {said:#?}"
    );
    winners[0]
}
