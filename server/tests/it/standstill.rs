//! A server that stands still in the middle of its work, as one does whose machine is frozen or gone without a word.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

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
