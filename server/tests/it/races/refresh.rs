//! Refresh tokens: each works once, and whoever uses one a second time ends what came of it.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};

use super::{LOGIN, NEW, REGISTER, form_of, one_wins};
use crate::harness::user::{User, items, password_of};
use crate::harness::{both, wait_until};

const REFRESH: &str = "/api/v1/auth/refresh";
const ME: &str = "/api/v1/auth/me";

/// A thousand pairs. One person has at most fifty devices.
const PEOPLE: usize = 25;
const DEVICES: usize = 40;
const AT_ONCE: usize = 8;
/// Of so many pairs one is asked what its access tokens are worth afterwards.
const SAMPLE: usize = 50;
/// A session that has ended is refused by every server within 5 s; more is for a busy machine.
const EVERYWHERE: Duration = Duration::from_secs(15);

both! {
    async fn of_a_thousand_pairs_who_refresh_each_has_one_winner(world) {
        let doors: Vec<User> = world.nodes.iter().map(|node| User::visitor(&node.address)).collect();
        let forms = (0..PEOPLE).map(|number| form_of(&format!("racer{number}"), "racers"));
        stream::iter(forms.enumerate())
            .map(async |(number, form)| doors[number % doors.len()].send(Method::POST, REGISTER, Some(&form), 201).await)
            .buffer_unordered(AT_ONCE)
            .count()
            .await;
        let slowest = stream::iter(0..PEOPLE * DEVICES)
            .map(|number| refresh_twice(&doors, number))
            .buffer_unordered(AT_ONCE)
            .fold(Duration::ZERO, async |slowest, took| slowest.max(took))
            .await;
        println!("refused everywhere after {slowest:?} at most");
        assert!(slowest < EVERYWHERE, "an access token outlived its session by {slowest:?}");

        let admin = world.admin().await;
        let mut path = "/api/v1/admin/audit?action=refresh_token.reused&limit=100".to_owned();
        let mut noted = 0;
        loop {
            let page = admin.get(&path, 200).await;
            noted += items(&page).len();
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/api/v1/admin/audit?action=refresh_token.reused&limit=100&cursor={cursor}");
        }
        assert_eq!(noted, PEOPLE * DEVICES, "each theft is noted, once");
    }

    async fn a_refresh_token_that_was_used_ends_its_family(world) {
        let owner = world.user("ada").await;
        let bystander = User::log_in("ada", &password_of("ada"), &world.nodes.last().unwrap().address).await;
        let mut socket = owner.connect().await;
        // Stolen and used long after: its successor's successor dies with it.
        let second = renewed(&owner).await;
        let third = renewed(&second).await;
        refused(&second, &owner.refresh_token).await;
        assert_eq!(socket.closed().await, Some(4010));
        for device in [&owner, &second, &third] {
            refused(device, &device.refresh_token).await;
            gone(device).await;
        }

        // Stolen and used first: the owner's own use of it shuts the thief out.
        let owner = User::log_in("ada", &password_of("ada"), &owner.address).await;
        let thief = renewed(&owner.at(&bystander.address)).await;
        refused(&owner, &owner.refresh_token).await;
        refused(&thief, &thief.refresh_token).await;
        gone(&thief).await;

        // The other family of the same person never noticed.
        let bystander = renewed(&bystander).await;
        bystander.get(ME, 200).await;
        // Whoever calls, a refresh token renews its own family.
        let eve = world.user("eve").await;
        let body = eve.send(Method::POST, REFRESH, Some(&refresh(&bystander.refresh_token)), 200).await;
        assert_eq!(body["user"]["id"], bystander.id);
        eve.get(ME, 200).await;
    }

    async fn what_ends_a_session_ends_its_refresh_tokens(world) {
        let desk = world.user("ada").await;
        let last = world.nodes.last().unwrap().address.clone();
        let phone = async || User::log_in("ada", &password_of("ada"), &last).await;

        let (first, second) = { let first = phone().await; let second = renewed(&first).await; (first, second) };
        second.send(Method::POST, "/api/v1/auth/logout", None, 204).await;
        for device in [&first, &second] {
            refused(&desk, &device.refresh_token).await;
        }
        let device = phone().await;
        desk.send(Method::POST, "/api/v1/auth/logout-all?keep_current=true", None, 204).await;
        refused(&device, &device.refresh_token).await;
        let desk = renewed(&desk).await;

        let device = phone().await;
        let form = json!({ "current_password": password_of("ada"), "new_password": NEW });
        desk.send(Method::PUT, "/api/v1/auth/me/password", Some(&form), 204).await;
        refused(&device, &device.refresh_token).await;
        let desk = renewed(&desk).await;

        desk.send(Method::POST, "/api/v1/auth/logout-all", None, 204).await;
        refused(&desk, &desk.refresh_token).await;
        let device = User::log_in("ada", NEW, &last).await;
        let admin = world.admin().await;
        admin.send(Method::PUT, &format!("/api/v1/auth/users/{}/disable", device.id), None, 200).await;
        refused(&device, &device.refresh_token).await;
    }

    async fn nothing_else_is_a_refresh_token(world) {
        let ada = world.user("ada").await;
        let form = json!({ "name": "script", "scopes": ["read", "write"] });
        let script = ada.send(Method::POST, "/api/v1/auth/tokens", Some(&form), 201).await;
        let ticket = ada.send(Method::POST, "/api/v1/gateway/ticket", None, 200).await;
        let stored = confab_core::text::hash(&ada.refresh_token);
        for other in [
            &ada.access_token, script["token"].as_str().unwrap(), ticket["ticket"].as_str().unwrap(), &stored, "", "x",
            &ada.refresh_token.to_uppercase(), &format!("{} ", ada.refresh_token), &format!("{}=", ada.refresh_token),
            &ada.refresh_token[1..], &"0".repeat(100_000), "' or true --", "%",
        ] {
            refused(&ada, other).await;
        }
        // None of it was taken for a second use.
        renewed(&ada).await.get(ME, 200).await;
    }
}

fn refresh(token: &str) -> Value {
    json!({ "refresh_token": token })
}

async fn renewed(user: &User) -> User {
    let body = user.send(Method::POST, REFRESH, Some(&refresh(&user.refresh_token)), 200).await;
    user.signed_in(&user.name, &body)
}

async fn refused(user: &User, token: &str) {
    let problem = user.send(Method::POST, REFRESH, Some(&refresh(token)), 401).await;
    assert_eq!(problem["code"], "invalid_token");
}

/// Waits until the access token is worth nothing.
async fn gone(user: &User) {
    wait_until("the access token to be refused", async || {
        user.call(Method::GET, ME, None).await.status == 401
    })
    .await;
}

/// Signs in, refreshes twice at once at two servers, and looks at what is left. Answers how long a sampled access token
/// lived on.
async fn refresh_twice(doors: &[User], number: usize) -> Duration {
    let (here, there) = (&doors[number % doors.len()], &doors[(number + 1) % doors.len()]);
    let name = format!("racer{}", number % PEOPLE);
    let login = json!({ "username": name, "password": password_of("racers") });
    let device = here.signed_in(&name, &here.send(Method::POST, LOGIN, Some(&login), 200).await);
    let is_sampled = number.is_multiple_of(SAMPLE);
    if is_sampled {
        // Both servers know the session now, and would believe it for a while.
        device.get(ME, 200).await;
        device.at(&there.address).get(ME, 200).await;
    }
    let form = refresh(&device.refresh_token);
    let (one, other) = tokio::join!(
        here.call(Method::POST, REFRESH, Some(&form)),
        there.call(Method::POST, REFRESH, Some(&form))
    );
    let ended = Instant::now();
    let replies = [one, other];
    let winner = &replies[one_wins(&replies, 200, 401)];
    let heir = there.signed_in(&name, &winner.body());
    refused(there, &heir.refresh_token).await;
    if !is_sampled {
        return Duration::ZERO;
    }
    for token in [&device, &heir] {
        gone(&token.at(&here.address)).await;
        gone(&token.at(&there.address)).await;
    }
    ended.elapsed()
}
