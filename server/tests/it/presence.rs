//! Who is here: over many devices and servers, whatever happens to either.

use std::time::Duration;

use confab_protocol::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::line::Line;
use crate::harness::nats::Nats;
use crate::harness::user::{User, id};
use crate::harness::{Socket, World, both, wait_until};

const MINE: &str = "/api/v1/users/me/status";

async fn shows(whose: &User, to: &User, status: &str) {
    let path = format!("/api/v1/users/{}/status", whose.id);
    wait_until(&format!("{} to show as {status}", whose.name), async || {
        to.get(&path, 200).await["status"] == status
    })
    .await;
}

fn of<'a>(user: &'a User, status: &'a str) -> impl Fn(&Value) -> bool + 'a {
    move |d| d["user_id"] == user.id && d["status"] == status
}

both! {
    async fn somebody_is_here_while_any_device_is(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("room", "public", 201).await;
        bob.join(id(&room), 200).await;
        let mut watcher = bob.connect().await;
        // On two servers where there are two.
        let elsewhere = ada.at(&world.nodes[world.nodes.len() - 1].address);
        let mut first = ada.connect().await;
        watcher.signal("presence", of(&ada, "online")).await;
        let mut second = elsewhere.connect().await;
        first.send(&json!({ "op": "presence", "d": { "status": "away" } })).await;
        drop(first);
        second.send(&json!({ "op": "presence", "d": { "status": "away" } })).await;
        watcher.signal("presence", of(&ada, "away")).await;
        // What is done there says that somebody is there.
        second.send(&json!({ "op": "typing", "d": { "channel_id": id(&room) } })).await;
        watcher.signal("presence", of(&ada, "online")).await;
        second.send(&json!({ "op": "presence", "d": { "status": "busy" } })).await;
        watcher.signal("presence", of(&ada, "busy")).await;

        let mut late = crate::harness::Socket::open(&bob.address).await;
        let ready = late.identify(&bob.access_token).await;
        let around = ready["presences"].as_array().unwrap();
        assert!(around.iter().any(|it| it["user_id"] == ada.id && it["status"] == "busy"), "{ready}");
        drop(second);
        watcher.signal("presence", of(&ada, "offline")).await;
        shows(&ada, &bob, "offline").await;
        assert!(bob.get(&format!("/api/v1/users/{}/status", ada.id), 200).await["last_seen"].is_string());
    }

    async fn who_comes_back_knows_who_is_here_now(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("room", "public", 201).await;
        bob.join(id(&room), 200).await;
        let other = &world.nodes.last().unwrap().address;
        let mut watcher = bob.connect().await;
        let hers = ada.connect().await;
        watcher.signal("presence", of(&ada, "online")).await;
        let (epoch, pos) = (watcher.epoch.clone(), watcher.pos);
        // Nobody tells whoever is away; they are told when they are back, wherever that is.
        drop(watcher);
        drop(hers);
        shows(&ada, &bob, "offline").await;
        let shown = async |status: &str| {
            let mut back = Socket::open(other).await;
            let (answer, _) = back.resume(&bob.access_token, &epoch, pos).await;
            let around = answer["d"]["presences"].as_array().expect("who is here").clone();
            around.iter().any(|it| it["user_id"] == ada.id && it["status"] == status)
        };
        wait_until("who went meanwhile to be gone", async || !shown("online").await).await;
        let _hers = ada.connect().await;
        shows(&ada, &bob, "online").await;
        wait_until("who came meanwhile to be told of", async || shown("online").await).await;
    }

    async fn words_go_by_themselves_and_everybody_hears_it(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("room", "public", 201).await;
        bob.join(id(&room), 200).await;
        let mut watcher = bob.connect().await;
        let _device = ada.connect().await;
        watcher.signal("presence", of(&ada, "online")).await;
        let soon = Timestamp::now().plus(Duration::from_secs(10)).to_string();
        ada.send(Method::PUT, MINE, Some(&json!({ "text": "at lunch", "expires_at": soon })), 200).await;
        let said = watcher.signal("presence", |d| d["text"] == "at lunch").await;
        assert_eq!((&said["d"]["expires_at"], &said["d"]["status"]), (&json!(soon), &json!("online")));
        let mut late = crate::harness::Socket::open(&bob.address).await;
        let ready = late.identify(&bob.access_token).await;
        let hers = ready["presences"].as_array().unwrap().iter().find(|it| it["user_id"] == ada.id).unwrap().clone();
        assert_eq!(hers["text"], "at lunch");
        let gone = watcher.signal("presence", |d| d["user_id"] == ada.id && d["text"].is_null()).await;
        assert_eq!(gone["d"]["status"], "online");
        assert!(ada.get(&format!("/api/v1/users/{}/status", ada.id), 200).await["text"].is_null());
    }

    async fn who_wishes_to_seem_offline_does_and_quiet_hours_show(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("room", "public", 201).await;
        bob.join(id(&room), 200).await;
        let mut watcher = bob.connect().await;
        let _device = ada.connect().await;
        watcher.signal("presence", of(&ada, "online")).await;
        ada.send(Method::PUT, MINE, Some(&json!({ "status": "offline" })), 200).await;
        watcher.signal("presence", of(&ada, "offline")).await;
        let seen = bob.get(&format!("/api/v1/users/{}/status", ada.id), 200).await["last_seen"].clone();
        let _other = ada.connect().await;
        ada.send(Method::PUT, MINE, Some(&json!({ "text": "gone fishing" })), 200).await;
        let after = bob.get(&format!("/api/v1/users/{}/status", ada.id), 200).await;
        assert_eq!((&after["status"], &after["last_seen"]), (&json!("offline"), &seen), "{after}");
        ada.send(Method::PUT, MINE, Some(&json!({ "status": "online" })), 200).await;
        watcher.signal("presence", of(&ada, "online")).await;

        let quiet = json!({ "until": Timestamp::now().plus(Duration::from_hours(1)).to_string() });
        ada.send(Method::PUT, "/api/v1/users/me/preferences", Some(&quiet), 200).await;
        watcher.signal("presence", of(&ada, "busy")).await;
        ada.send(Method::PUT, "/api/v1/users/me/preferences", Some(&json!({ "until": null })), 200).await;
        watcher.signal("presence", of(&ada, "online")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_nothing_is_away() {
    for is_scaled in [false, true] {
        let settings = [("CONFAB_AWAY_AFTER_SECONDS", "5")];
        let mut world = if is_scaled {
            World::scaled_with(&settings).await
        } else {
            World::embedded_with(&settings).await
        };
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("room", "public", 201).await;
        let mut watcher = bob.connect().await;
        let mut device = ada.connect().await;
        watcher.signal("presence", of(&ada, "online")).await;
        // Heartbeats come by themselves: nobody needs to be there for them.
        device.send(&json!({ "op": "heartbeat", "d": { "pos": 0 } })).await;
        watcher.signal("presence", of(&ada, "away")).await;
        device.send(&json!({ "op": "typing", "d": { "channel_id": id(&room) } })).await;
        watcher.signal("presence", of(&ada, "online")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_of_a_killed_server_go_offline() {
    let mut world = World::scaled().await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let eve = world.user("eve").await;
    assert_ne!(ada.address.http(), bob.address.http());
    let mut watcher = bob.connect().await;
    let _hers = ada.connect().await;
    watcher.signal("presence", of(&ada, "online")).await;
    // Eve is at both servers: of the killed one only its own device goes.
    let _one = eve.connect().await;
    let _two = eve.at(&bob.address).connect().await;
    watcher.signal("presence", of(&eve, "online")).await;
    world.nodes[0].kill();
    watcher.signal("presence", of(&ada, "offline")).await;
    shows(&ada, &bob, "offline").await;
    shows(&eve, &bob, "online").await;

    // One that stands still as long is gone as well, and when it goes on its people are here: all of them, although one of them
    // changes before it hears that they were taken away.
    let mut world = World::scaled().await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let (eve, at) = (world.user("eve").await, world.nodes[0].address.clone());
    let mut watcher = bob.at(&world.nodes[1].address).connect().await;
    let _hers = ada.at(&at).connect().await;
    let eves = eve.at(&at).connect().await;
    watcher.signal("presence", of(&ada, "online")).await;
    world.nodes[0].freeze();
    watcher.signal("presence", of(&ada, "offline")).await;
    drop(eves);
    world.nodes[0].thaw();
    watcher.signal("presence", of(&ada, "online")).await;
    shows(&ada, &bob, "online").await;
    shows(&eve, &bob, "offline").await;

    // One that starts alone knows that nobody is here.
    let mut world = World::embedded().await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let _hers = ada.connect().await;
    shows(&ada, &bob, "online").await;
    world.nodes[0].restart().await;
    shows(&ada, &bob, "offline").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_while_the_bus_is_away_is_gone_when_it_is_back() {
    let nats = Nats::start().await;
    let line = Line::to(nats.url().trim_start_matches("nats://")).await;
    let url = format!("nats://{}", line.address());
    let mut world = World::scaled_with(&[("NATS_URL", &url)]).await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let mut watcher = bob.connect().await;
    let hers = ada.connect().await;
    watcher.signal("presence", of(&ada, "online")).await;
    line.cut();
    drop(hers);
    // The record has it, and nobody could be told.
    shows(&ada, &bob, "offline").await;
    line.mend();
    watcher.signal("presence", of(&ada, "offline")).await;
}
