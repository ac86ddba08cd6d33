//! Browsers that are told while they are closed.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use confab_protocol::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::command::sqlite;
use crate::harness::push_service::{Browser, PushService, Taken};
use crate::harness::user::{User, id, items};
use crate::harness::{World, wait_until};

const SUBSCRIPTIONS: &str = "/api/v1/push/subscriptions";
const LOOPBACK: [(&str, &str); 1] = [("CONFAB_PUSH_LOOPBACK", "on")];

async fn world(is_scaled: bool) -> World {
    if is_scaled { World::scaled_with(&LOOPBACK).await } else { World::embedded_with(&LOOPBACK).await }
}

async fn subscribe(user: &User, browser: &Browser) -> Value {
    user.send(Method::POST, SUBSCRIPTIONS, Some(&browser.subscription()), 201).await
}

/// Whether this server signed it for that service.
fn check_signature(taken: &Taken, key: &str, origin: &str) {
    let value = &taken.headers["authorization"];
    let (signed, public) = value
        .strip_prefix("vapid t=")
        .and_then(|it| it.split_once(", k="))
        .unwrap_or_else(|| panic!("{value}"));
    assert_eq!(public, key);
    let point = URL_SAFE_NO_PAD.decode(key).unwrap();
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let checking = DecodingKey::from_ec_components(&part(&point[1..33]), &part(&point[33..])).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&[origin]);
    let claims =
        jsonwebtoken::decode::<Value>(signed, &checking, &validation).expect("a good signature").claims;
    assert!(claims["exp"].as_i64().unwrap() < Timestamp::now().plus(Duration::from_hours(24)).0 / 1_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_browser_is_told_what_it_may_read() {
    for is_scaled in [false, true] {
        told(world(is_scaled).await).await;
    }
}

async fn told(mut world: World) {
    let service = PushService::start().await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let room = ada.create_channel("room", "private", 201).await;
    ada.add_member(id(&room), &bob, 201).await;
    let key = bob.get("/api/v1/push/key", 200).await["key"].as_str().unwrap().to_owned();
    assert_eq!(ada.get("/api/v1/push/key", 200).await["key"], key.as_str(), "all servers have one");
    let browser = service.browser("bobs");
    let made = subscribe(&bob, &browser).await;
    assert_eq!((&made["is_current"], &made["endpoint"]), (&json!(true), &json!(browser.endpoint)));
    // A second time it is the same.
    assert_eq!(subscribe(&bob, &browser).await["id"], made["id"]);

    let said = ada.post(id(&room), "@bob the  canary\nsings", 201).await;
    let taken = service.message("bobs", 0).await;
    check_signature(&taken, &key, browser.endpoint.rsplit_once('/').unwrap().0);
    assert!(taken.headers.contains_key("ttl") && taken.headers["topic"].len() <= 32, "{:?}", taken.headers);
    assert_eq!((&*taken.headers["content-encoding"], &*taken.headers["urgency"]), ("aes128gcm", "high"));
    let read = browser.read(&taken);
    assert_eq!(
        (&read["text"], &read["kind"], &read["message_id"]),
        (&json!("@bob the canary sings"), &json!("mention"), &said["id"])
    );
    assert_eq!(
        (&read["channel_name"], &read["sender"], &read["unread_count"]),
        (&json!("room"), &json!("ada"), &json!(1))
    );
    assert_eq!(read["url"], format!("/channels/{}?seq={}", id(&room), said["seq"]));

    // It fails and is tried again; what was edited meanwhile is sent as it is then, what was deleted is not.
    service.answer("bobs", &[503, 429]);
    let edited = ada.post(id(&room), "@bob the secret", 201).await;
    service.message("bobs", 1).await;
    ada.edit(id(&edited), "@bob never mind", 200).await;
    wait_until("the push to be taken", async || {
        service.taken("bobs").iter().filter(|it| it.status == 201).count() == 2
    })
    .await;
    let taken = service.taken("bobs");
    assert_eq!(browser.read(taken.last().unwrap())["text"], "@bob never mind");
    service.ask_to_wait("bobs", 10);
    let deleted = ada.post(id(&room), "@bob gone", 201).await;
    let before = taken.len();
    service.message("bobs", before).await;
    ada.delete(id(&deleted), 204).await;

    // Quiet, unwished, signed out, or unknown to its service: told nothing more.
    let prefer =
        async |form: Value| bob.send(Method::PUT, "/api/v1/users/me/preferences", Some(&form), 200).await;
    prefer(json!({ "until": Timestamp::now().plus(Duration::from_hours(1)).to_string() })).await;
    ada.post(id(&room), "@bob quiet", 201).await;
    prefer(json!({ "until": null, "web_push": false })).await;
    ada.post(id(&room), "@bob unwished", 201).await;
    prefer(json!({ "web_push": true })).await;
    service.answer("bobs", &[410]);
    ada.post(id(&room), "@bob last", 201).await;
    wait_until("the browser to be forgotten", async || items(&bob.get(SUBSCRIPTIONS, 200).await).is_empty())
        .await;
    let texts: Vec<Value> =
        service.taken("bobs")[before..].iter().map(|it| browser.read(it)["text"].clone()).collect();
    assert_eq!(texts, ["@bob gone", "@bob last"], "each once, and nothing that was not to leave");

    let second = service.browser("second");
    let again = User::log_in("bob", &crate::harness::user::password_of("bob"), &bob.address).await;
    subscribe(&again, &second).await;
    again.send(Method::POST, "/api/v1/auth/logout", None, 204).await;
    let third = service.browser("third");
    subscribe(&bob, &third).await;
    ada.post(id(&room), "@bob hello", 201).await;
    service.message("third", 0).await;
    assert!(service.taken("second").is_empty(), "that browser is signed out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_subscribes_must_name_a_push_service() {
    for is_scaled in [false, true] {
        let mut world = if is_scaled { World::scaled().await } else { World::embedded().await };
        refused(&mut world).await;
    }
}

async fn refused(world: &mut World) {
    let service = PushService::start().await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    world.visitor().get("/api/v1/push/key", 401).await;
    let good = service.browser("x").subscription();
    let with = |endpoint: &str| json!({ "endpoint": endpoint, "keys": good["keys"] });
    for bad in [
        good.clone(),
        with("http://push.example.org/x"),
        with("https://localhost/x"),
        with("https://169.254.169.254/latest/meta-data"),
        with("https://[::ffff:10.0.0.1]/x"),
        with("https://2130706433/x"),
        with("https://ada:b@push.example.org/x"),
        with(&format!("https://push.example.org/{}", "x".repeat(1_024))),
        with("nonsense"),
        json!({ "endpoint": "https://push.example.org/x", "keys": { "p256dh": "AAAA", "auth": good["keys"]["auth"] } }),
        json!({ "endpoint": "https://push.example.org/x", "keys": { "p256dh": good["keys"]["p256dh"], "auth": "AA" } }),
        json!({ "endpoint": "https://push.example.org/x" }),
        json!({ "endpoint": 5, "keys": good["keys"] }),
    ] {
        ada.send(Method::POST, SUBSCRIPTIONS, Some(&bad), 400).await;
    }
    let mut first = Value::Null;
    for number in 0..20 {
        first = ada
            .send(
                Method::POST,
                SUBSCRIPTIONS,
                Some(&with(&format!("https://push.example.org/{number}"))),
                201,
            )
            .await;
    }
    let full = ada.send(Method::POST, SUBSCRIPTIONS, Some(&with("https://push.example.org/20")), 409).await;
    assert_eq!(full["code"], "too_many_subscriptions");
    assert_eq!(items(&ada.get(SUBSCRIPTIONS, 200).await).len(), 20);
    // Others' are neither shown nor removed; a browser that changes hands tells its new person.
    assert!(items(&bob.get(SUBSCRIPTIONS, 200).await).is_empty());
    let path = format!("{SUBSCRIPTIONS}/{}", id(&first));
    bob.send(Method::DELETE, &path, None, 404).await;
    bob.send(Method::POST, SUBSCRIPTIONS, Some(&with("https://push.example.org/0")), 201).await;
    assert_eq!(items(&ada.get(SUBSCRIPTIONS, 200).await).len(), 19);
    ada.send(Method::DELETE, &path, None, 204).await;
    ada.send(Method::DELETE, &path, None, 404).await;
    // A token stands for a program: it reads by itself.
    let form = json!({ "name": "script", "scopes": ["read", "write"] });
    let token = ada.send(Method::POST, "/api/v1/auth/tokens", Some(&form), 201).await;
    let script = User { access_token: token["token"].as_str().unwrap().to_owned(), ..ada.clone() };
    let refused =
        script.send(Method::POST, SUBSCRIPTIONS, Some(&with("https://push.example.org/s")), 403).await;
    assert_eq!(refused["code"], "sign_in_required");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_loses_no_push() {
    let mut world = World::embedded_with(&LOOPBACK).await;
    let service = PushService::start().await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let room = ada.create_channel("room", "public", 201).await;
    bob.join(id(&room), 200).await;
    let key = bob.get("/api/v1/push/key", 200).await;
    let browser = service.browser("bobs");
    subscribe(&bob, &browser).await;
    service.answer("bobs", &[503]);
    ada.post(id(&room), "@bob hello", 201).await;
    service.message("bobs", 0).await;
    world.nodes[0].kill();
    world.nodes[0].restart().await;
    assert_eq!(browser.read(&service.message("bobs", 1).await)["text"], "@bob hello");
    assert_eq!(bob.get("/api/v1/push/key", 200).await, key, "its key is kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_names_slow_services_stalls_nobody() {
    for is_scaled in [false, true] {
        stalled(world(is_scaled).await).await;
    }
}

async fn stalled(mut world: World) {
    let service = PushService::start().await;
    let (ada, bob, eve) = (world.user("ada").await, world.user("bob").await, world.user("eve").await);
    let room = ada.create_channel("room", "public", 201).await;
    for user in [&bob, &eve] {
        user.join(id(&room), 200).await;
    }
    subscribe(&bob, &service.browser("bobs")).await;
    for number in 0..20 {
        service.fall_silent(&format!("slow{number}"));
        subscribe(&eve, &service.browser(&format!("slow{number}"))).await;
    }
    let most = 2 * world.nodes.len();
    for number in 0..3 {
        ada.post(id(&room), &format!("@eve {number}"), 201).await;
    }
    wait_until("eve's services to keep places", async || service.unanswered().0 >= 2).await;
    // Hers take two places of a server. What is for others comes, and goes on coming.
    for number in 0..3 {
        ada.post(id(&room), &format!("@bob {number}"), 201).await;
        service.message("bobs", number).await;
    }
    let (_, at_most) = service.unanswered();
    // Those that were given up meanwhile give their places to others of hers.
    wait_until("hers to have places still", async || service.unanswered().0 > 0).await;
    assert!(at_most <= most, "{at_most} of hers were under way at once, and {most} may be");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_is_left_alone_is_told_the_newest_afterwards() {
    for is_scaled in [false, true] {
        left_alone(world(is_scaled).await).await;
    }
}

async fn left_alone(mut world: World) {
    let service = PushService::start().await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let (room, other) =
        (ada.create_channel("room", "public", 201).await, ada.create_channel("other", "public", 201).await);
    for channel in [&room, &other] {
        bob.join(id(channel), 200).await;
    }
    let (busy, idle) = (service.browser("busy"), service.browser("idle"));
    subscribe(&bob, &busy).await;
    subscribe(&bob, &idle).await;
    service.ask_to_wait("busy", 1_800);
    ada.post(id(&room), "@bob one", 201).await;
    service.message("busy", 0).await;
    for text in ["@bob two", "@bob three"] {
        ada.post(id(&room), text, 201).await;
    }
    ada.post(id(&other), "@bob elsewhere", 201).await;
    wait_until("the other browser to be told all", async || {
        service.taken("idle").iter().any(|it| idle.read(it)["text"] == "@bob elsewhere")
    })
    .await;
    assert_eq!(service.taken("busy").len(), 1, "it asked to be left alone");
    // It comes back by itself: one message of each channel is enough, and what comes then comes as ever.
    subscribe(&bob, &busy).await;
    service.message("busy", 2).await;
    ada.post(id(&room), "@bob four", 201).await;
    service.message("busy", 3).await;
    let texts: Vec<Value> = service.taken("busy").iter().map(|it| busy.read(it)["text"].clone()).collect();
    assert_eq!(texts, ["@bob one", "@bob three", "@bob elsewhere", "@bob four"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_account_leaves_no_wishes_and_no_browsers() {
    let mut world = World::embedded_with(&LOOPBACK).await;
    let service = PushService::start().await;
    let (ada, bob, admin) = (world.user("ada").await, world.user("bob").await, world.admin().await);
    let room = ada.create_channel("room", "public", 201).await;
    bob.join(id(&room), 200).await;
    for user in [&ada, &bob] {
        let form = json!({ "keywords": ["gull"], "notification_level": "all" });
        user.send(Method::PUT, "/api/v1/users/me/preferences", Some(&form), 200).await;
        subscribe(user, &service.browser(&user.name)).await;
    }
    service.ask_to_wait("bob", 1_800);
    ada.post(id(&room), "@bob hello", 201).await;
    service.message("bob", 0).await;
    let database = world.nodes[0].data.join("confab.db");
    let rows = || {
        ["keywords", "attention", "push_subscriptions", "pushes"]
            .map(|table| sqlite(&database, &format!("select count(*) from {table}")).trim().to_owned())
    };
    assert_eq!(rows(), ["2", "2", "2", "1"]);
    ada.send(Method::DELETE, &format!("/api/v1/auth/users/{}", bob.id), None, 403).await;
    assert_eq!(rows(), ["2", "2", "2", "1"]);
    admin.send(Method::DELETE, &format!("/api/v1/auth/users/{}", bob.id), None, 204).await;
    assert_eq!(rows(), ["1", "1", "1", "0"], "hers stay");
}
