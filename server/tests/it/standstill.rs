//! A server that stands still in the middle of its work, as one does whose machine is frozen or gone without a word.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{User, id, items};
use crate::harness::{World, wait_for, wait_until};

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
    let of_room: Vec<&Value> = heard
        .iter()
        .filter(|event| event["channel_id"] == room && event["seq"].as_i64() >= Some(4) && !is_removal(event))
        .collect();
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

/// The record's machine goes without a word, and another one takes its place: nobody closes the connections to the first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_says_nothing_is_asked_anew() {
    let mut world = World::scaled().await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let room = ada.create_channel("room", "public", 201).await;
    bob.join(id(&room), 200).await;
    let mut socket = bob.connect().await;
    let path = format!("/api/v1/channels/{}/messages", id(&room));
    // So many at once that every server has several connections.
    join_all((0..POSTERS).map(async |number| {
        let form = json!({ "content": format!("{number} of a crowd") });
        ada.at(&world.nodes[number % world.nodes.len()].address)
            .send(Method::POST, &path, Some(&form), 201)
            .await
    }))
    .await;

    let silent = Silent::of(&world).await;
    let asked = Instant::now();
    for (number, node) in world.nodes.iter().enumerate() {
        let form = json!({ "content": format!("over new ways {number}"), "nonce": number.to_string() });
        let ada = ada.at(&node.address);
        wait_until("a server to take a message", async || {
            matches!(ada.call(Method::POST, &path, Some(&form)).await.status, 200 | 201)
        })
        .await;
        socket.events_until(|event| event["d"]["content"] == form["content"]).await;
    }
    println!("{} connections were silent; all went on after {:?}", silent.0.len(), asked.elapsed());
}

/// The record is so slow with a commit that it is given up, and holds it in the end: the same call a second time does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_have_been_done_is_not_done_again() {
    let mut world = World::scaled().await;
    let ada = world.user("ada").await;
    world.postgres().ask(
        "create function hesitate() returns trigger language plpgsql as 'begin perform pg_sleep(45); return null; end';
        create constraint trigger hesitating after insert on channels deferrable initially deferred
            for each row when (new.name = 'vault') execute function hesitate()",
    );
    let create = async |name: &str| {
        let form = json!({ "name": name, "kind": "private" });
        let request = ada.request(Method::POST, "/api/v1/channels").header("Idempotency-Key", name);
        let reply = ada.fetch(request.timeout(Duration::from_mins(1)).json(&form)).await;
        (reply.status, reply.body()["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(create("vault").await, (503, "outcome_unknown".to_owned()));
    let known = async || {
        let page = ada.get("/api/v1/channels/me?limit=100", 200).await;
        items(&page).iter().filter(|it| it["name"] == "vault").count()
    };
    wait_until("the commit to hold", async || known().await == 1).await;
    assert_eq!(create("vault").await, (409, "outcome_unknown".to_owned()));
    assert_eq!(known().await, 1, "done twice");
    assert_eq!(create("attic").await.0, 201);
}

/// Who goes away drops their request wherever it stands, also between the beginning of a moment and its first question.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_given_up_leave_no_moment_behind() {
    let mut world = World::scaled().await;
    let ada = world.user("ada").await;
    let room = ada.create_channel("room", "public", 201).await;
    ada.post(id(&room), "something to read", 201).await;
    let path = format!("/api/v1/channels/{}/messages", id(&room));
    for round in 0..40_u64 {
        join_all((0..POSTERS as u64).map(async |number| {
            let given_up_after = Duration::from_micros(300 * (1 + (round + number) % 16));
            let _ = ada.request(Method::GET, &path).timeout(given_up_after).send().await;
        }))
        .await;
    }
    // What others do at the moment is none of that, so what has done nothing for a while is looked for.
    let question = "select count(*) from pg_stat_activity where application_name = 'confab'
        and state like 'idle in transaction%' and now() - state_change > interval '2 seconds'";
    tokio::time::sleep(Duration::from_secs(3)).await;
    wait_until("all moments to be over", async || world.postgres().ask(question) == ["0"]).await;
    let said = world.postgres().output();
    assert!(!said.contains("idle-in-transaction timeout"), "PostgreSQL had to end one");
    for node in &world.nodes {
        for number in 0..8 {
            let ada = ada.at(&node.address);
            let posted = ada.post(id(&room), &format!("{number} of what comes after"), 201).await;
            let seen = ada.list(id(&room), "limit=1", 200).await;
            assert_eq!(items(&seen)[0]["id"], posted["id"], "read as of another moment");
        }
    }
}

/// PostgreSQL's processes that answer the servers, stopped; not the one that gives the relay its lock, which would have to end
/// for another to take it. They go on with this value, or PostgreSQL could not end.
struct Silent(Vec<String>);

impl Silent {
    /// One that stood still within a commit would keep all others from theirs, which no server can help: tried again until
    /// all were idle.
    async fn of(world: &World) -> Self {
        let question = "select pid from pg_stat_activity where application_name = 'confab'
            and pid not in (select pid from pg_locks where locktype = 'advisory')";
        wait_for("connections that are idle when they are stopped", async || {
            let silent = Self(world.postgres().ask(question));
            if silent.0.len() < 4 {
                return None;
            }
            silent.stop();
            let pids = silent.0.join(",");
            let busy =
                format!("select count(*) from pg_stat_activity where pid in ({pids}) and state <> 'idle'");
            (world.postgres().ask(&busy) == ["0"]).then_some(silent)
        })
        .await
    }

    fn stop(&self) {
        // Some may have ended since the question.
        let _ = std::process::Command::new("kill").arg("-STOP").args(&self.0).status();
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // Some have ended since: their servers gave them up, and they were told so when they went on.
        let _ = std::process::Command::new("kill").arg("-CONT").args(&self.0).status();
    }
}
