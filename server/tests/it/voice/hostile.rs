//! What a voice channel's sockets refuse, beside what they allow.

use reqwest::Method;
use serde_json::{Value, json};

use super::room::{address_of, enter, knock, knows, room_path};
use crate::harness::user::{User, id};
use crate::harness::{Socket, World, both};

const NOBODY: &str = "01900000-0000-7000-8000-000000000000";

async fn refused(user: &User, channel: &Value, code: &str) {
    let mut socket = knock(user, channel).await;
    let error = socket.frame_or_error("error").await;
    assert_eq!(error["d"]["code"], code, "{error}");
    assert_eq!(socket.closed().await, Some(4016));
}

both! {
    async fn only_members_of_a_voice_channel_come_in(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("standup", "voice", 201).await;
        let secret = ada.create_channel("secret", "private", 201).await;
        let text = ada.create_channel("text", "public", 201).await;
        let nothing = json!({ "id": confab_protocol::fresh_id() });

        // What is private is answered as what is not there, and so is what is not for talking.
        for (user, channel) in [(&bob, &secret), (&bob, &nothing), (&bob, &text), (&ada, &text), (&ada, &secret)] {
            refused(user, channel, "not_found").await;
            user.get(&room_path(channel), 404).await;
        }
        let hidden = bob.call(Method::GET, &room_path(&secret), None).await.body();
        let missing = bob.call(Method::GET, &room_path(&nothing), None).await.body();
        assert_eq!((&hidden["code"], &hidden["detail"]), (&missing["code"], &missing["detail"]));
        // The channel is open: bob sees who is in, and has to join it to come in himself.
        bob.get(&room_path(&room), 200).await;
        refused(&bob, &room, "not_a_member").await;
        bob.join(id(&room), 200).await;
        let hers = enter(&ada, &room).await;
        knows(&bob, &hers).await;
        let mut his = enter(&bob, &room).await;

        // Nobody of that name in this room, though in another one.
        let other = ada.create_channel("lounge", "voice", 201).await;
        let there = enter(&ada, &other).await;
        for to in [NOBODY, &there.id, &his.id.clone(), &ada.id] {
            his.say("offer", json!({ "to": to, "sdp": "v=0" })).await;
            assert_eq!(his.frame("error").await["code"], "not_found");
        }
        his.say("offer", json!({ "to": hers.id, "sdp": "v=0" })).await;

        // Before joining nothing is passed on.
        let mut idle = knock(&ada, &room).await;
        idle.frame("ready").await;
        idle.send(&json!({ "op": "offer", "d": { "to": his.id, "sdp": "v=0" } })).await;
        assert_eq!(idle.frame_or_error("error").await["d"]["code"], "not_joined");
        idle.send(&json!({ "op": "heartbeat" })).await;
        idle.frame("heartbeat_ack").await;

        // A token that may not write does not talk.
        let body = json!({ "name": "reader", "scopes": ["read"] });
        let token = ada.send(Method::POST, "/api/v1/auth/tokens", Some(&body), 201).await;
        let mut reader = Socket::open_at(&address_of(&ada, id(&room))).await.unwrap();
        reader.send(&json!({ "op": "identify", "d": { "token": token["token"] } })).await;
        reader.frame("ready").await;
        reader.send(&json!({ "op": "join" })).await;
        assert_eq!(reader.frame_or_error("error").await["d"]["code"], "scope_missing");
    }

    async fn sockets_are_signed_in_as_the_gateways_are(world) {
        let ada = world.user("ada").await;
        let room = ada.create_channel("standup", "voice", 201).await;
        let address = address_of(&ada, id(&room));
        let at = |path: String| format!("{}{path}", ada.address.http().replacen("http://", "ws://", 1));

        // A ticket works once; the other names of the path are the same place.
        let ticket = ada.send(Method::POST, "/api/v1/gateway/ticket", None, 200).await;
        let identify = json!({ "op": "identify", "d": { "ticket": ticket["ticket"] } });
        let mut socket = Socket::open_at(&at(format!("/api/v1/ws/voice/{}", id(&room)))).await.unwrap();
        socket.send(&identify).await;
        socket.frame("ready").await;
        socket.send(&json!({ "op": "reauth", "d": { "token": ada.access_token } })).await;
        socket.send(&json!({ "op": "join" })).await;
        socket.frame("joined").await;
        let mut again = Socket::open_at(&address).await.unwrap();
        again.send(&identify).await;
        assert_eq!(again.closed().await, Some(4004));

        for (frame, code) in [
            (json!({ "op": "identify", "d": { "token": "nothing" } }), 4004),
            (json!({ "op": "join" }), 4004),
            (json!({ "op": "shout" }), 4001),
        ] {
            let mut socket = Socket::open_at(&address).await.unwrap();
            socket.send(&frame).await;
            assert_eq!(socket.closed().await, Some(code), "{frame}");
        }
        let twice = json!({ "op": "identify", "d": { "token": ada.access_token } });
        let wrong = json!({ "op": "reauth", "d": { "token": "nothing" } });
        for (frame, code) in [(twice, 4005), (wrong, 4004)] {
            let mut seat = enter(&ada, &room).await;
            seat.socket.send(&frame).await;
            assert_eq!(seat.socket.closed().await, Some(code), "{frame}");
        }
        drop(socket);

        // A foreign page, a token in the address, no WebSocket, no id.
        let path = format!("/ws/voice/{}", id(&room));
        let handshake = |path: &str, origin: &str| {
            ada.request(Method::GET, path)
                .header("connection", "Upgrade")
                .header("upgrade", "websocket")
                .header("sec-websocket-version", "13")
                .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
                .header("origin", origin)
        };
        let own = ada.address.http();
        for (request, status) in [
            (handshake(&path, "https://evil.example"), 403),
            (handshake(&format!("{path}?token=abc"), &own), 403),
            (handshake("/ws/voice/everywhere", &own), 404),
            (ada.request(Method::GET, &path), 400),
        ] {
            assert_eq!(ada.fetch(request).await.status, status);
        }
    }

    async fn descriptions_are_those_of_a_browser(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("standup", "voice", 201).await;
        bob.join(id(&room), 200).await;
        let mut hers = enter(&ada, &room).await;
        let long = |bytes: usize| "a".repeat(bytes);
        for frame in [
            json!({ "op": "offer", "d": { "to": hers.id, "sdp": long(33_000) } }),
            json!({ "op": "answer", "d": { "to": hers.id, "sdp": long(1 << 20) } }),
            json!({ "op": "candidate", "d": { "to": hers.id, "candidates": [{ "candidate": long(2_000) }] } }),
            json!({ "op": "candidate", "d": { "to": hers.id, "candidates": [{ "candidate": "", "sdpMid": long(2_000) }] } }),
            json!({ "op": "offer", "d": { "to": "everybody", "sdp": "" } }),
            json!({ "op": "mute" }),
        ] {
            let mut his = enter(&bob, &room).await;
            let came = hers.frame("participant_joined").await;
            // The server may end while a large frame is on its way.
            let _ = his.socket.try_send(&frame).await;
            assert_eq!(his.socket.closed().await, Some(4001));
            assert_eq!(hers.frame("participant_left").await["participant_id"], came["participant_id"]);
        }
        // What a browser makes of a screen and a voice passes.
        let mut his = enter(&bob, &room).await;
        hers.frame("participant_joined").await;
        his.say("offer", json!({ "to": hers.id, "sdp": long(32_000) })).await;
        assert_eq!(hers.frame("offer").await["sdp"], long(32_000));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_are_closed() {
    let world = World::embedded_with(&[("CONFAB_RATE_LIMITS", "on")]).await;
    let ada = world.admin().await;
    let room = ada.create_channel("standup", "voice", 201).await;
    let frames = |to: &str| {
        let candidates = vec![json!({ "candidate": "candidate:1" }); 100];
        [
            (json!({ "op": "candidate", "d": { "to": to, "candidates": candidates } }), 100),
            (json!({ "op": "candidate", "d": { "to": to, "candidates": [{ "candidate": "c" }] } }), 10_000),
            (json!({ "op": "speaking", "d": { "speaking": true } }), 200),
            (json!({ "op": "heartbeat" }), 200),
        ]
    };
    for (frame, count) in frames(NOBODY) {
        let mut hers = enter(&ada, &room).await;
        for _ in 0..count {
            if hers.socket.try_send(&frame).await.is_err() {
                break;
            }
        }
        assert_eq!(hers.socket.closed().await, Some(4008), "{frame}");
    }
    // Half of it is what somebody needs who comes into a full room.
    let mut hers = enter(&ada, &room).await;
    for _ in 0..50 {
        hers.say("heartbeat", json!({})).await;
        hers.frame("heartbeat_ack").await;
    }
}
