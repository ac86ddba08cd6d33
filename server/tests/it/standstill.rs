//! A server that stands still in the middle of its work, as one does whose machine is frozen or gone without a word.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{User, id};
use crate::harness::{World, wait_until};

/// Posts that are under way at the server when it stops, so that it holds the channel's lock.
const POSTERS: usize = 16;

/// The first server relays events, and holds what writers of the channel wait for. PostgreSQL hears nothing of its end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn holds_nobody_up() {
    let mut world = World::scaled().await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let room = ada.create_channel("room", "public", 201).await;
    bob.join(id(&room), 200).await;
    let mut socket = bob.connect().await;

    let (over, posted) = (AtomicBool::new(false), AtomicUsize::new(0));
    let flood = join_all((0..POSTERS).map(|_| post_until(&over, &posted, &ada, id(&room))));
    let frozen = async {
        wait_until("the flood to be under way", async || posted.load(Ordering::SeqCst) >= POSTERS * 4).await;
        world.nodes[0].freeze();
        over.store(true, Ordering::SeqCst);
        let path = format!("/api/v1/channels/{}/messages", id(&room));
        let form = json!({ "content": "without you", "nonce": "1" });
        wait_until("the other server to take a message", async || {
            matches!(bob.call(Method::POST, &path, Some(&form)).await.status, 200 | 201)
        })
        .await;
        socket.events_until(|event| event["d"]["content"] == "without you").await;
        world.nodes[0].thaw();
        let form = json!({ "content": "with you again", "nonce": "2" });
        wait_until("the first server to take messages again", async || {
            matches!(ada.call(Method::POST, &path, Some(&form)).await.status, 200 | 201)
        })
        .await;
        socket.events_until(|event| event["d"]["content"] == "with you again").await;
    };
    tokio::join!(flood, frozen);
}

async fn post_until(over: &AtomicBool, posted: &AtomicUsize, ada: &User, room: &str) {
    let path = format!("/api/v1/channels/{room}/messages");
    while !over.load(Ordering::SeqCst) {
        let request = ada.request(Method::POST, &path).json(&json!({ "content": "one of many" }));
        // The last ones are answered when it goes on, if at all: what it was doing was rolled back.
        if ada.try_fetch(request).await.is_ok_and(|reply| reply.status == 201) {
            posted.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// What a server tells late it reads late: its sockets hear of all that happened while their people were there, and of
/// nothing that was written when they were not there any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tells_nobody_what_was_written_after_they_left() {
    let mut world = World::scaled().await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let room = ada.create_channel("core", "private", 201).await;
    let room = id(&room);
    ada.add_member(room, &bob, 201).await;
    let stands =
        world.nodes.iter().find(|node| node.address.http() == bob.address.http()).expect("bob's server");
    let (mut bobs, mut adas) = (bob.connect().await, ada.at(&stands.address).connect().await);

    stands.freeze();
    let post = ada.post(room, "what bob may read", 201).await;
    let topic = format!("/api/v1/channels/{room}");
    ada.send(Method::PUT, &topic, Some(&json!({ "topic": "still with bob" })), 200).await;
    ada.send(Method::DELETE, &format!("{topic}/members/{}", bob.id), None, 204).await;
    ada.edit(id(&post), "what came after bob", 200).await;
    ada.send(Method::PUT, &topic, Some(&json!({ "topic": "came after bob too" })), 200).await;
    stands.thaw();

    let is_removal = |event: &Value| event["t"] == "member_left";
    let heard: Vec<Value> = bobs.events_until(is_removal).await;
    let of_room: Vec<&Value> =
        heard.iter().filter(|event| event["channel_id"] == room && !is_removal(event)).collect();
    let bare = |seq: i64, t: &str, id: &str| json!({ "op": "event", "t": t, "pos": 0, "channel_id": room, "seq": seq, "withheld": true, "d": { "id": id, "channel_id": room } });
    let expected = [bare(4, "new_message", id(&post)), bare(5, "channel_update", room)];
    for (event, expected) in of_room.iter().zip(&expected) {
        let mut event = (*event).clone();
        event["pos"] = json!(0);
        assert_eq!(event, *expected);
    }
    assert_eq!(of_room.len(), expected.len(), "{of_room:?}");

    let heard =
        adas.events_until(|event| event["d"]["topic"] == "came after bob too" && event["seq"] == 8).await;
    let texts: Vec<&Value> =
        heard.iter().filter(|it| it["t"] == "new_message").map(|it| &it["d"]["content"]).collect();
    assert_eq!(texts, [&json!("what came after bob")], "who stayed has all of it");
    bobs.send(&json!({ "op": "heartbeat", "d": {} })).await;
    let mut next = bobs.next_frame().await;
    while next["op"] != "heartbeat_ack" {
        assert_ne!(next["channel_id"], room, "nothing of what followed came to bob, but {next}");
        next = bobs.next_frame().await;
    }
}
