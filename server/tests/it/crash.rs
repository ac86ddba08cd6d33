//! kill -9 in the middle of a flood, again and again: what was acknowledged is there, once, in order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::node::Address;
use crate::harness::socket::Next;
use crate::harness::user::{User, id, items};
use crate::harness::{Socket, both, wait_for, wait_until};

const KILLS: usize = 10;
const WRITERS: usize = 4;
/// Acknowledged messages between two kills, so that each one falls into the flood.
const BETWEEN_KILLS: usize = 40;

both! {
    async fn what_was_acknowledged_survives(world) {
        let ada = world.user("ada").await;
        let channel = ada.create_channel("flood", "public", 201).await;
        let flood = id(&channel).to_owned();
        let addresses: Vec<Address> = world.nodes.iter().map(|node| node.address.clone()).collect();
        let journal = Arc::new(Journal::default());

        // All in one task: a writer's failed assertion ends the story at once.
        let listener = listen(ada.clone(), addresses.clone(), flood.clone(), Arc::clone(&journal));
        let writers = join_all((0..WRITERS).map(|writer| {
            write(ada.at(&addresses[writer % addresses.len()]), flood.clone(), writer, Arc::clone(&journal))
        }));
        let killer = async {
            for kill in 1..=KILLS {
                journal.reached(kill * BETWEEN_KILLS).await;
                let node = kill % world.nodes.len();
                world.nodes[node].kill();
                world.nodes[node].restart().await;
            }
            journal.reached((KILLS + 1) * BETWEEN_KILLS).await;
            journal.over.store(true, Ordering::SeqCst);
        };
        let flooding = async {
            wait_until("the listener to be there", async || journal.listening.load(Ordering::SeqCst)).await;
            tokio::join!(killer, writers);
            ada.post(&flood, "the end", 201).await
        };
        let (heard, last) = tokio::join!(listener, flooding);

        let record = everything(&ada, &flood).await;
        assert_record(&journal.messages.lock().unwrap(), &record);
        assert_eq!(record.last().unwrap()["id"], last["id"]);
        let recorded: Vec<&Value> = record.iter().map(|it| &it["id"]).collect();
        let heard: Vec<&Value> = heard.iter().map(|it| &it["d"]["id"]).collect();
        assert_eq!(heard, recorded, "the resuming client heard something else than the record holds");
    }
}

/// What the writers were promised, kept outside of the server.
#[derive(Default)]
struct Journal {
    /// Nonce → the id that was acknowledged for it.
    messages: Mutex<BTreeMap<String, String>>,
    count: AtomicUsize,
    over: AtomicBool,
    listening: AtomicBool,
}

impl Journal {
    /// Waits until this many messages are acknowledged.
    async fn reached(&self, count: usize) {
        let what = format!("{count} messages to be acknowledged");
        wait_until(&what, async || self.count.load(Ordering::SeqCst) >= count).await;
    }
}

/// Posts without pause. A message without an answer is sent again with its nonce until it has one.
async fn write(ada: User, channel: String, writer: usize, journal: Arc<Journal>) {
    let path = format!("/api/v1/channels/{channel}/messages");
    for number in 0.. {
        if journal.over.load(Ordering::SeqCst) {
            return;
        }
        let nonce = format!("{writer}-{number}");
        let body = json!({ "content": format!("message {nonce}"), "nonce": nonce });
        let reply = wait_for("a post to be acknowledged", async || {
            let request = ada.request(Method::POST, &path).json(&body);
            let reply = ada.try_fetch(request).await.ok()?;
            // While it starts or stops a server may say "not now"; anything else is a fault.
            (reply.status != 503).then_some(reply)
        })
        .await;
        assert!(matches!(reply.status, 200 | 201), "a post answered {}: {}", reply.status, reply.text);
        journal.messages.lock().unwrap().insert(nonce, reply.body()["id"].as_str().unwrap().to_owned());
        journal.count.fetch_add(1, Ordering::SeqCst);
    }
}

/// A client that resumes from its cursor each time the connection breaks, at the next node. Returns the messages of the
/// channel as they came.
async fn listen(ada: User, addresses: Vec<Address>, channel: String, journal: Arc<Journal>) -> Vec<Value> {
    let mut heard = Vec::new();
    let mut socket = Socket::open(&addresses[0]).await;
    socket.identify(&ada.access_token).await;
    journal.listening.store(true, Ordering::SeqCst);
    let mut turn = 0;
    loop {
        match socket.next().await {
            Next::Frame(frame) => {
                assert_ne!(frame["op"], "invalid", "the server forgot the cursor: {frame}");
                if frame["t"] == "new_message" && frame["channel_id"] == channel {
                    let done = frame["d"]["content"] == "the end";
                    heard.push(frame);
                    if done {
                        return heard;
                    }
                }
            }
            Next::Closed(_) => {
                let (epoch, pos) = socket.cut();
                turn += 1;
                let address = &addresses[turn % addresses.len()];
                socket = wait_for("a gateway to come back to", async || Socket::try_open(address).await.ok())
                    .await;
                let resume =
                    json!({ "op": "resume", "d": { "token": ada.access_token, "epoch": epoch, "pos": pos } });
                socket.pos = pos;
                socket.epoch = epoch;
                // It may be gone again by now, which the next look tells.
                let _ = socket.try_send(&resume).await;
            }
        }
    }
}

async fn everything(ada: &User, channel: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut after = 0;
    loop {
        let page = ada.list(channel, &format!("after_seq={after}&limit=100"), 200).await;
        let Some(last) = items(&page).last() else { return all };
        after = last["seq"].as_i64().unwrap();
        all.extend(items(&page).iter().cloned());
    }
}

/// Every acknowledged message is there once, and the sequence has no hole.
fn assert_record(acknowledged: &BTreeMap<String, String>, record: &[Value]) {
    let mut by_id: BTreeMap<&str, usize> = BTreeMap::new();
    for message in record {
        *by_id.entry(id(message)).or_default() += 1;
    }
    let lost: Vec<_> = acknowledged.iter().filter(|(_, id)| !by_id.contains_key(id.as_str())).collect();
    assert!(lost.is_empty(), "{} acknowledged messages are lost: {lost:?}", lost.len());
    assert!(by_id.values().all(|times| *times == 1), "a message is there twice");
    assert_eq!(record.len(), acknowledged.len() + 1, "a retried post made two messages");
    let seqs: Vec<i64> = record.iter().map(|it| it["seq"].as_i64().unwrap()).collect();
    assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1), "the sequence has holes: {seqs:?}");
}
