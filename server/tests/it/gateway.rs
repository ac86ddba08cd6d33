//! The gateway: every member hears everything once and in order, nobody else hears anything.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::socket::Next;
use crate::harness::user::{User, id, items};
use crate::harness::{Socket, both, shown};

both! {
    async fn a_post_reaches_another_member(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        bob.join(harbour, 200).await;

        let mut socket = Socket::open(&bob.address).await;
        insta::allow_duplicates! {
            insta::assert_json_snapshot!(socket.hello["heartbeat_ms"], @"30000");
        }
        let ready = socket.identify(&bob.access_token).await;
        assert_eq!(ready["user"]["id"], bob.id);
        assert!(ready["channels"].as_array().unwrap().iter().any(|it| it["id"] == harbour));

        let posted = ada.post(harbour, "Ahoy", 201).await;
        let event = socket.event("new_message").await;
        assert_eq!(shown(&event["d"]), shown(&bob.read(id(&posted), 200).await), "the event is the message as REST shows it");
        assert_eq!((&event["d"]["id"], &event["channel_id"], &event["seq"]), (&posted["id"], &channel["id"], &posted["seq"]));

        ada.edit(id(&posted), "Ahoy!", 200).await;
        let event = socket.event("message_update").await;
        assert_eq!(event["d"]["content"], "Ahoy!");
        ada.react(id(&posted), "thumbsup", 204).await;
        let event = socket.event("reaction_added").await;
        assert_eq!((&event["d"]["message_id"], &event["d"]["user_id"]), (&posted["id"], &json!(ada.id)));
        ada.delete(id(&posted), 204).await;
        let event = socket.event("message_delete").await;
        assert_eq!(event["d"]["id"], posted["id"]);
        assert!(!event.to_string().contains("Ahoy"), "a deleted text travels once more: {event}");
    }

    async fn a_message_sent_over_the_socket_is_acknowledged(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        bob.join(id(&channel), 200).await;
        let mut mine = ada.connect().await;
        let mut theirs = bob.connect().await;

        let send = json!({ "op": "send", "d": { "channel_id": id(&channel), "content": "by wire", "nonce": "n1" } });
        mine.send(&send).await;
        let ack = mine.frame("ack").await;
        assert_eq!((&ack["d"]["nonce"], &ack["d"]["message"]["content"]), (&json!("n1"), &json!("by wire")));
        assert_eq!(theirs.event("new_message").await["d"]["id"], ack["d"]["message"]["id"]);
        // The same again, as a client does that saw no answer.
        mine.send(&send).await;
        assert_eq!(mine.frame("ack").await["d"]["message"]["id"], ack["d"]["message"]["id"]);
        assert_eq!(items(&bob.list(id(&channel), "", 200).await).len(), 1);

        for (content, channel) in [("", id(&channel)), ("x", "00000000-0000-7000-8000-000000000000")] {
            mine.send(&json!({ "op": "send", "d": { "channel_id": channel, "content": content, "nonce": "n2" } })).await;
            let refused = loop {
                let frame = mine.next_frame().await;
                if frame["op"] == "error" {
                    break frame;
                }
            };
            assert_eq!(refused["d"]["nonce"], "n2");
            assert!(refused["d"]["code"].is_string() && refused["d"]["message"].is_string(), "{refused}");
        }
        mine.send(&json!({ "op": "heartbeat", "d": { "pos": mine.pos } })).await;
        mine.frame("heartbeat_ack").await;
    }

    async fn typing_is_seen_and_not_kept(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        bob.join(id(&channel), 200).await;
        let mut theirs = bob.connect().await;
        let mut mine = ada.connect().await;
        mine.send(&json!({ "op": "typing", "d": { "channel_id": id(&channel) } })).await;
        let typing = loop {
            let frame = theirs.next_frame().await;
            if frame["op"] == "signal" && frame["t"] == "typing" {
                break frame;
            }
        };
        assert_eq!((&typing["d"]["user_id"], &typing["channel_id"]), (&json!(ada.id), &channel["id"]));
        assert!(typing["pos"].is_null(), "a signal has no place in the log");
    }

    async fn a_resume_brings_exactly_what_was_missed(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        bob.join(harbour, 200).await;
        let secret = ada.create_channel("vault", "private", 201).await;

        let mut socket = bob.connect().await;
        ada.post(harbour, "seen", 201).await;
        socket.event("new_message").await;
        let (epoch, pos) = socket.cut();

        let mut expected: Vec<(String, Value)> = Vec::new();
        for number in 0..5 {
            let posted = ada.post(harbour, &format!("missed {number}"), 201).await;
            ada.post(id(&secret), "not for bob", 201).await;
            expected.push(("new_message".to_owned(), posted["id"].clone()));
        }
        let last = expected[4].1.as_str().unwrap().to_owned();
        ada.react(&last, "thumbsup", 204).await;
        expected.push(("reaction_added".to_owned(), json!(last)));

        // At another node than before, where there is one.
        let other = &world.nodes.last().unwrap().address;
        let mut socket = Socket::open(other).await;
        let (answer, mut events) = socket.resume(&bob.access_token, &epoch, pos).await;
        assert_eq!(answer["op"], "resumed", "{answer}");
        // What has its place in the log by now is replayed; the rest, if the relay is still at it, follows live.
        assert_eq!(answer["d"]["replayed"], events.len());
        ada.post(harbour, "live again", 201).await;
        events.extend(socket.events_until(|event| event["d"]["content"] == "live again").await);
        let live = events.pop().unwrap();
        let came: Vec<(String, Value)> = events
            .iter()
            .filter(|event| event["t"] != "read_updated")
            .map(|event| {
                let subject = if event["d"]["id"].is_string() { &event["d"]["id"] } else { &event["d"]["message_id"] };
                (event["t"].as_str().unwrap().to_owned(), subject.clone())
            })
            .collect();
        assert_eq!(came, expected);

        // A second resume from the end replays nothing.
        let pos = live["pos"].as_i64().unwrap();
        drop(socket);
        let mut socket = Socket::open(other).await;
        let (answer, events) = socket.resume(&bob.access_token, &epoch, pos).await;
        assert_eq!((&answer["d"]["replayed"], events.len()), (&json!(0), 0));
    }

    async fn a_position_that_cannot_be_is_refused(world) {
        let bob = world.user("bob").await;
        let mut socket = bob.connect().await;
        let (epoch, pos) = (socket.epoch.clone(), socket.pos);
        socket.send(&json!({ "op": "heartbeat", "d": { "pos": pos } })).await;
        let foreign = "00000000-0000-4000-8000-000000000000";
        let mut socket = Socket::open(&bob.address).await;
        for (epoch, pos, reason) in [(epoch.as_str(), pos + 1_000_000, "ahead"), (foreign, pos, "epoch"), (foreign, pos, "epoch")] {
            let (answer, events) = socket.resume(&bob.access_token, epoch, pos).await;
            assert_eq!((&answer["op"], &answer["d"]["reason"], events.len()), (&json!("invalid"), &json!(reason), 0));
        }
        // Each has the log looked through.
        socket.send(&json!({ "op": "resume", "d": { "token": bob.access_token, "epoch": foreign, "pos": pos } })).await;
        assert_eq!((socket.frame("invalid").await["d"]["reason"].as_str(), socket.closed().await), (Some("epoch"), Some(4008)));

        let mut socket = Socket::open(&bob.address).await;
        socket.send(&json!({ "op": "resume", "d": { "token": bob.access_token, "epoch": epoch, "pos": -1 } })).await;
        assert_eq!(socket.closed().await, Some(4007));
    }

    async fn a_gap_too_wide_is_never_filled_in_part(world) {
        let (ada, bob, carol) = (world.user("ada").await, world.user("bob").await, world.user("carol").await);
        let channel = ada.create_channel("novel", "public", 201).await;
        bob.join(id(&channel), 200).await;
        let bell = carol.create_channel("bell", "public", 201).await;
        let (epoch, pos) = bob.connect().await.cut();
        // More than 2 MiB, of which the text is half.
        let chapter = "it was a dark and stormy night ".repeat(480);
        for _ in 0..90 {
            ada.post(id(&channel), &chapter, 201).await;
        }
        // All of it is there once it is told of what was said behind it, where nobody hears the rest: whoever did and read
        // nothing would be closed as slow.
        let last = &world.nodes.last().unwrap().address;
        let mut witness = carol.at(last).connect().await;
        until_marker(&carol, &mut witness, id(&bell), &[]).await;
        let mut socket = Socket::open(last).await;
        let (answer, events) = socket.resume(&bob.access_token, &epoch, pos).await;
        assert_eq!((&answer["d"]["reason"], events.len()), (&json!("too_far"), 0), "{answer}");
        // The same socket begins anew, and goes on from there.
        socket.identify(&bob.access_token).await;
        until_marker(&ada, &mut socket, id(&channel), &["stormy"]).await;
    }

    async fn outsiders_hear_nothing(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let square = ada.create_channel("square", "public", 201).await;
        bob.join(id(&square), 200).await;
        let mut socket = Socket::open(&bob.address).await;
        socket.identify(&bob.access_token).await;

        let vault = ada.create_channel("vault", "private", 201).await;
        let secret = ada.post(id(&vault), "the code is quicksilver", 201).await;
        ada.edit(id(&secret), "the code is marmalade", 200).await;
        ada.react(id(&secret), "thumbsup", 204).await;
        // Nor does one hear the talk of a public channel that one has not joined.
        let market = ada.create_channel("market", "public", 201).await;
        ada.post(id(&market), "fish, 3 a piece", 201).await;
        until_marker(&ada, &mut socket, id(&square), &[id(&vault), "quicksilver", "marmalade", "fish"]).await;

        // Invited: heard from now on, and the past is readable. Removed: told so, and silence after.
        ada.add_member(id(&vault), &bob, 201).await;
        let welcome = ada.post(id(&vault), "welcome", 201).await;
        let heard = socket.events_until(|event| event["d"]["id"] == welcome["id"]).await;
        assert!(heard.iter().any(|event| event["t"] == "member_joined" && event["d"]["user"]["id"] == bob.id), "{heard:?}");
        let path = format!("/api/v1/channels/{}/members/{}", id(&vault), bob.id);
        ada.send(reqwest::Method::DELETE, &path, None, 204).await;
        let removal = socket.event("member_left").await;
        assert_eq!(removal["d"]["user_id"], bob.id);
        ada.post(id(&vault), "now that bob is gone", 201).await;
        until_marker(&ada, &mut socket, id(&square), &[id(&vault), "bob is gone"]).await;
    }

    async fn what_is_no_frame_ends_the_connection(world) {
        let bob = world.user("bob").await;
        let deep = format!("{{\"op\":\"heartbeat\",\"d\":{}1{}}}", "[".repeat(500), "]".repeat(500));
        for text in ["{", "[]", "hello", "{\"op\":\"dance\"}", "{\"op\":\"typing\",\"d\":{\"channel_id\":5}}", deep.as_str()] {
            let mut socket = bob.connect().await;
            socket.send_text(text).await;
            assert_eq!(socket.closed().await, Some(4001), "{text}");
        }
        let mut socket = bob.connect().await;
        socket.send_bytes(b"{\"op\":\"heartbeat\"}").await;
        assert_eq!(socket.closed().await, Some(4001), "a binary frame");

        let mut socket = bob.connect().await;
        socket.send(&json!({ "op": "identify", "d": { "token": bob.access_token } })).await;
        assert_eq!(socket.closed().await, Some(4005), "identified twice");

        for token in ["", "nonsense", bob.refresh_token.as_str()] {
            let mut socket = Socket::open(&bob.address).await;
            socket.send(&json!({ "op": "identify", "d": { "token": token } })).await;
            assert_eq!(socket.closed().await, Some(4004), "{token:?}");
        }
    }

    async fn whoever_does_not_say_who_they_are_is_let_go(world) {
        let bob = world.user("bob").await;
        let mut silent = Socket::open(&bob.address).await;
        assert_eq!(silent.closed().await, Some(4003));
    }

    async fn a_browser_page_of_another_site_is_refused(world) {
        let bob = world.user("bob").await;
        for origin in ["https://evil.example", "null", "http://127.0.0.1.evil.example"] {
            assert_eq!(Socket::origin_refused(&bob.address, origin).await, Some(403), "{origin}");
        }
        assert_eq!(Socket::origin_refused(&bob.address, &bob.address.http()).await, None, "our own page");
    }

    async fn a_ticket_opens_one_connection(world) {
        let bob = world.user("bob").await;
        let ticket = bob.send(reqwest::Method::POST, "/api/v1/gateway/ticket", None, 200).await;
        let identify = json!({ "op": "identify", "d": { "ticket": ticket["ticket"] } });
        let mut socket = Socket::open(&bob.address).await;
        socket.send(&identify).await;
        assert_eq!(socket.frame("ready").await["d"]["user"]["id"], bob.id);
        let mut second = Socket::open(&bob.address).await;
        second.send(&identify).await;
        assert_eq!(second.closed().await, Some(4004));
    }

    async fn one_person_has_five_connections(world) {
        let bob = world.user("bob").await;
        let mut open = Vec::new();
        for _ in 0..5 {
            open.push(bob.connect().await);
        }
        let mut sixth = Socket::open(&bob.address).await;
        sixth.send(&json!({ "op": "identify", "d": { "token": bob.access_token } })).await;
        assert_eq!(sixth.closed().await, Some(4014));
    }

    async fn who_reads_nothing_is_closed_and_misses_nothing(world) {
        let (ada, bob, carol) = (world.user("ada").await, world.user("bob").await, world.user("carol").await);
        let channel = ada.create_channel("flood", "public", 201).await;
        let flood = id(&channel);
        bob.join(flood, 200).await;
        let mut socket = bob.connect().await;
        // Behind it on the same server, and no part of it.
        let bell = carol.create_channel("bell", "public", 201).await;
        let mut witness = Socket::open(&bob.address).await;
        witness.identify(&carol.access_token).await;
        // More than the system and the queue hold for who does not read, even of one burst; less than is replayed.
        let long = "all work and no play makes a dull boy ".repeat(400);
        let mut posts = Vec::new();
        for _ in 0..4 {
            posts.extend(join_all((0..15).map(|_| ada.post(flood, &long, 201))).await);
        }
        // All of it has left the queue of his server, or was too much for it.
        carol.post(id(&bell), "all is said", 201).await;
        witness.events_until(|event| event["d"]["content"] == "all is said").await;
        posts.sort_by_key(|it| it["seq"].as_i64());
        let posted: Vec<Value> = posts.iter().map(|it| it["id"].clone()).collect();
        let mut heard = Vec::new();
        let code = loop {
            match socket.next().await {
                Next::Frame(frame) if frame["t"] == "new_message" => heard.push(frame["d"]["id"].clone()),
                Next::Frame(_) => {}
                Next::Closed(code) => break code,
            }
        };
        assert!(heard.len() < posted.len(), "the server kept everything for somebody who reads nothing");
        // Behind half a frame no reason can be said.
        assert!(matches!(code, Some(4013) | None), "{code:?}");
        let metrics = bob.call(Method::GET, "/metrics", None).await.text;
        assert!(metrics.contains("confab_ws_closed_total{code=\"4013\"} 1"), "{metrics}");
        let (epoch, pos) = socket.cut();
        let mut socket = Socket::open(&bob.address).await;
        let (answer, missed) = socket.resume(&bob.access_token, &epoch, pos).await;
        assert_eq!(answer["op"], "resumed", "{answer}");
        let missed = missed.into_iter().filter(|event| event["t"] == "new_message");
        heard.extend(missed.map(|event| event["d"]["id"].clone()));
        // What has its place in the log by now is replayed; the rest, if the relay is still at it, follows live.
        while heard.len() < posted.len() {
            heard.push(socket.event("new_message").await["d"]["id"].clone());
        }
        assert_eq!(heard, posted, "each once and in order");
    }

    async fn a_server_that_stops_sends_its_sockets_elsewhere(world) {
        let bob = world.user("bob").await;
        let mut open = vec![bob.connect().await, bob.connect().await];
        let node = world.nodes.iter_mut().find(|it| it.address.http() == bob.address.http()).unwrap();
        let (code, ()) = tokio::join!(node.stop(), async {
            for socket in &mut open {
                let after = socket.frame("reconnect").await["d"]["after_ms"].as_u64().unwrap();
                assert!(after < 20_000, "{after}");
                assert_eq!(socket.closed().await, Some(4011));
            }
        });
        assert_eq!(code, Some(0));
    }

    async fn a_session_that_ends_closes_its_connection(world) {
        let bob = world.user("bob").await;
        let mut socket = bob.connect().await;
        bob.send(reqwest::Method::POST, "/api/v1/auth/logout", None, 204).await;
        assert_eq!(socket.closed().await, Some(4010));
    }
}

/// Posts into a channel that the listener hears, waits for it, and fails if anything of `hidden` came before: events
/// arrive in order, so what was not heard until then was not sent.
async fn until_marker(poster: &User, socket: &mut Socket, channel: &str, hidden: &[&str]) {
    let marker = poster.post(channel, "marker", 201).await;
    let heard = socket.events_until(|event| event["d"]["id"] == marker["id"]).await;
    for event in &heard {
        let text = event.to_string();
        assert!(!hidden.iter().any(|it| text.contains(it)), "an outsider heard {text}");
    }
}
