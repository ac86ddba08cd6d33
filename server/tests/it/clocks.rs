//! A server whose machine's clock is a day ahead of the others': all go by the record's.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use confab_protocol::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{User, contents, id, items};
use crate::harness::{World, wait_until};

const DAY_SECONDS: i64 = 24 * 3_600;
const SCHEDULED: &str = "/api/v1/scheduled-messages";
/// Gives a program another time of day: what `ops/torture` loads before its servers.
const TAMPER: &str = include_str!("../../../ops/torture-client/src/launcher/tamper.c");

/// What a program whose clock is a day ahead is started with.
fn a_day_ahead(folder: &Path) -> [(&'static str, String); 2] {
    let (source, library, orders) =
        (folder.join("tamper.c"), folder.join("tamper.so"), folder.join("orders"));
    std::fs::write(&source, TAMPER).unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O2", "-o"]).arg(&library).arg(&source);
    assert!(compiler.status().expect("cc: install the package build-essential (ops/install)").success());
    // How far ahead, and whether the disk is broken.
    std::fs::write(&orders, [DAY_SECONDS.to_ne_bytes(), 0_i64.to_ne_bytes()].concat()).unwrap();
    let text = |path: &Path| path.display().to_string();
    [("LD_PRELOAD", text(&library)), ("TORTURE_ORDERS", text(&orders))]
}

fn present_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

fn is_of_today(at_ms: i64) -> bool {
    (at_ms - present_ms()).abs() < 3_600_000
}

async fn schedule(user: &User, channel: &Value, content: &str, wait: Duration) -> Value {
    let send_at = Timestamp(present_ms()).plus(wait).to_string();
    let form = json!({ "channel_id": channel["id"], "content": content, "send_at": send_at });
    user.send(Method::POST, SCHEDULED, Some(&form), 201).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_a_day_ahead_goes_by_the_others_clock() {
    let mut world = World::scaled().await;
    let folder = tempfile::tempdir().unwrap();
    let more = a_day_ahead(folder.path());
    world.add_node(&more.each_ref().map(|(name, value)| (*name, value.as_str()))).await;
    // So it is another clock indeed.
    world.nodes[2].line_with("this machine's clock is not the record's").await;

    let (ada, bob, carol) = (world.user("ada").await, world.user("bob").await, world.user("carol").await);
    let room = ada.create_channel("room", "public", 201).await;
    for user in [&bob, &carol] {
        user.join(id(&room), 200).await;
    }
    // Each one's token is good at each server, and so is each one's socket.
    for (user, node) in [(&ada, 2), (&bob, 2), (&carol, 0), (&carol, 1)] {
        let there = user.at(&world.nodes[node].address);
        there.get("/api/v1/users/me", 200).await;
        there.connect().await;
    }
    let message = carol.post(id(&room), "from tomorrow", 201).await;
    let said_at = Timestamp::parse(message["created_at"].as_str().unwrap()).unwrap();
    assert!(is_of_today(said_at.0), "{message}");
    let (seconds, _) = id(&message).parse::<uuid::Uuid>().unwrap().get_timestamp().unwrap().to_unix();
    assert!(is_of_today(i64::try_from(seconds).unwrap() * 1_000), "{message}");

    // Nothing is done today that is due tomorrow, though nobody else is there to do anything.
    schedule(&ada, &room, "in a moment", Duration::from_secs(2)).await;
    let waiting = schedule(&ada, &room, "in some hours", Duration::from_hours(5)).await;
    for node in &mut world.nodes[..2] {
        node.kill();
    }
    let ada = ada.at(&world.nodes[2].address);
    wait_until("the message to be sent", async || {
        contents(&ada.list(id(&room), "", 200).await).contains(&"in a moment")
    })
    .await;
    assert_eq!(ada.get(&format!("{SCHEDULED}/{}", id(&waiting)), 200).await["state"], "waiting");
    assert_eq!(items(&ada.list(id(&room), "", 200).await).len(), 2);
}

/// What one person did at two servers is told in the order in which the record took it, whatever the servers' clocks made of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_persons_own_events_are_told_in_the_order_of_the_record() {
    let mut world = World::scaled().await;
    let ada = world.user("ada").await;
    let room = ada.create_channel("room", "public", 201).await;
    let message = ada.post(id(&room), "keep this", 201).await;
    let mut socket = ada.connect().await;
    // The later one has the smaller id, and the greater time of its server's.
    let event = |number: u8, kind: &str, stored_at: i64| {
        format!(
            "('00000000-0000-7000-8000-0000000000{number:02}', '{kind}', '{}', '{}', '{}', {}, {stored_at})",
            id(&room),
            ada.id,
            id(&message),
            present_ms() - i64::from(number),
        )
    };
    world.postgres().ask(&format!(
        "insert into events (id, kind, channel_id, user_id, ref_id, created_at, stored_at) values {}, {}",
        event(1, "bookmark_removed", 2_000_000),
        event(2, "bookmark_added", 1_000_000),
    ));
    let heard = socket.events_until(|event| event["t"] == "bookmark_removed").await;
    let kinds: Vec<&str> = heard.iter().filter_map(|it| it["t"].as_str()).collect();
    assert_eq!(kinds[kinds.len() - 2..], ["bookmark_added", "bookmark_removed"]);
}
