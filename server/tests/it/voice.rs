//! Talking aloud: who is in a voice channel, and how browsers there find each other, over however many servers.

mod hostile;
mod room;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{User, id, items};
use crate::harness::{World, both, wait_for, wait_until};
use room::{Seat, enter, knock, knows, room_path};

both! {
    async fn three_people_find_each_other_and_the_server_says_who_speaks(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let (eve, zoe) = (world.user("eve").await, world.user("zoe").await);
        let room = ada.create_channel("standup", "voice", 201).await;
        let text = ada.create_channel("text", "public", 201).await;
        bob.join(id(&room), 200).await;
        eve.join(id(&room), 200).await;
        zoe.join(id(&text), 200).await;
        let (mut onlooker, mut outsider) = (eve.connect().await, zoe.connect().await);

        let mut hers = enter(&ada, &room).await;
        assert_eq!(hers.present.len(), 1, "{:?}", hers.present);
        // Another server hears of her a moment later.
        knows(&bob, &hers).await;
        let mut his = enter(&bob, &room).await;
        let order: Vec<&str> = his.present.iter().map(|it| it["user_id"].as_str().unwrap()).collect();
        assert_eq!(order, [&ada.id, &bob.id], "whoever came first");
        let came = hers.frame("participant_joined").await;
        assert_eq!((&came["participant_id"], &came["user_id"]), (&json!(his.id), &json!(bob.id)));

        // Whoever comes offers. The sender is who they are, whatever they say.
        let offer = json!({ "to": hers.id, "sdp": "v=0 his", "from": hers.id, "user_id": ada.id });
        his.say("offer", offer).await;
        assert_eq!(hers.frame("offer").await, json!({ "from": his.id, "sdp": "v=0 his" }));
        hers.say("answer", json!({ "to": his.id, "sdp": "v=0 hers", "from": "nobody" })).await;
        assert_eq!(his.frame("answer").await, json!({ "from": hers.id, "sdp": "v=0 hers" }));
        let found = json!([{ "candidate": "candidate:1 1 udp 1 10.0.0.1 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0 }]);
        his.say("candidate", json!({ "to": hers.id, "candidates": found })).await;
        assert_eq!(hers.frame("candidate").await, json!({ "from": his.id, "candidates": found }));

        let mut theirs = enter(&eve, &room).await;
        assert_eq!(theirs.present.len(), 3);
        for other in [&mut hers, &mut his] {
            assert_eq!(other.frame("participant_joined").await["user_id"], eve.id);
            theirs.say("offer", json!({ "to": other.id, "sdp": "v=0 theirs" })).await;
            assert_eq!(other.frame("offer").await["from"], theirs.id);
        }

        // What one does shows to all others; nobody speaks with a microphone that is off.
        hers.say("speaking", json!({ "speaking": true })).await;
        his.updated(&hers.id, "speaking", true).await;
        hers.say("mute", json!({ "muted": true })).await;
        assert_eq!(his.updated(&hers.id, "muted", true).await["speaking"], false);
        hers.say("speaking", json!({ "speaking": true })).await;
        hers.say("deafen", json!({ "deafened": true })).await;
        assert_eq!(theirs.updated(&hers.id, "deafened", true).await["speaking"], false);
        his.say("share", json!({ "sharing": true })).await;
        theirs.updated(&his.id, "sharing", true).await;

        // Those who hear the channel are told, and whoever may see it may ask.
        let told = onlooker.signal("voice", |d| d["participants"].as_array().is_some_and(|it| it.len() == 3 && it[1]["sharing"] == true)).await;
        assert_eq!(told["channel_id"], room["id"], "{told}");
        let shown = wait_for("zoe's server to know it", async || {
            let shown = zoe.get(&room_path(&room), 200).await;
            (shown["participants"] == told["d"]["participants"]).then_some(shown)
        })
        .await;
        assert_eq!(shown["participants_limit"], 12);
        let rooms = zoe.get("/api/v1/voice", 200).await;
        assert_eq!(items(&rooms), [shown], "{rooms}");

        // Leaving twice is leaving once; a connection that ends is leaving too.
        his.say("leave", json!({})).await;
        his.frame("left").await;
        his.say("leave", json!({})).await;
        his.frame("left").await;
        assert_eq!(hers.frame("participant_left").await, json!({ "participant_id": his.id, "user_id": bob.id }));
        his.say("mute", json!({ "muted": true })).await;
        assert_eq!(his.frame("error").await["code"], "not_joined");
        drop(theirs);
        assert_eq!(hers.frame("participant_left").await["user_id"], eve.id);
        wait_until("his server to know that he would find ada alone", async || {
            bob.get(&room_path(&room), 200).await["participants"].as_array().unwrap().len() == 1
        })
        .await;
        // Whoever comes again is another participant.
        his.say("join", json!({})).await;
        let again = his.frame("joined").await;
        assert_ne!(again["participant_id"], his.id);
        assert_eq!(again["participants"].as_array().unwrap().len(), 2, "{again}");
        drop((hers, his));
        onlooker.signal("voice", |d| d["participants"] == json!([])).await;
        wait_until("all servers to know that nobody is in", async || {
            items(&bob.get("/api/v1/voice", 200).await).is_empty()
        })
        .await;
        // Zoe heard the text channel only.
        ada.post(id(&text), "after all of it", 201).await;
        loop {
            let frame = outsider.next_frame().await;
            assert_ne!(frame["t"], "voice", "{frame}");
            if frame["t"] == "new_message" {
                break;
            }
        }
    }

    async fn whoever_may_not_be_there_any_more_goes_at_once(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let elsewhere = bob.at(&world.nodes[0].address);
        let room = ada.create_channel("standup", "voice", 201).await;
        let mut hers = enter(&ada, &room).await;

        // Removed, by two servers at once; those who only look on are closed too.
        bob.join(id(&room), 200).await;
        let mut his = enter(&bob, &room).await;
        let mut idle = knock(&elsewhere, &room).await;
        assert_eq!(idle.frame("ready").await["d"]["channel_id"], room["id"]);
        let path = format!("/api/v1/channels/{}/members/{}", id(&room), bob.id);
        ada.send(Method::DELETE, &path, None, 204).await;
        assert_eq!(his.socket.frame_or_error("error").await["d"]["code"], "not_a_member");
        assert_eq!(his.socket.closed().await, Some(4016));
        assert_eq!(idle.closed().await, Some(4016));
        assert_eq!(hers.frame("participant_joined").await["participant_id"], his.id);
        assert_eq!(hers.frame("participant_left").await["participant_id"], his.id);

        // They left the channel themselves.
        bob.join(id(&room), 200).await;
        let mut his = enter(&bob, &room).await;
        bob.leave(id(&room), 204).await;
        assert_eq!(his.socket.closed().await, Some(4016));

        // The session ended; another one of the same person goes on.
        bob.join(id(&room), 200).await;
        let again = User::log_in("bob", &crate::harness::user::password_of("bob"), &bob.address).await;
        let mut his = enter(&again, &room).await;
        let path = format!("/api/v1/auth/sessions/{}", his.session);
        bob.send(Method::DELETE, &path, None, 204).await;
        assert_eq!(his.socket.closed().await, Some(4010));
        let mut his = enter(&bob, &room).await;

        // Archived: nobody talks there. Deleted: nobody knows it.
        let archive = format!("/api/v1/channels/{}/archive", id(&room));
        ada.send(Method::POST, &archive, None, 200).await;
        assert_eq!(hers.socket.frame_or_error("error").await["d"]["code"], "channel_archived");
        for seat in [&mut hers, &mut his] {
            assert_eq!(seat.socket.closed().await, Some(4016));
        }
        let unarchive = format!("/api/v1/channels/{}/unarchive", id(&room));
        ada.send(Method::POST, &unarchive, None, 200).await;
        let mut hers = enter(&ada, &room).await;
        let mut his = enter(&bob, &room).await;
        ada.send(Method::DELETE, &format!("/api/v1/channels/{}", id(&room)), None, 204).await;
        for seat in [&mut hers, &mut his] {
            assert_eq!(seat.socket.frame_or_error("error").await["d"]["code"], "not_found");
            assert_eq!(seat.socket.closed().await, Some(4016));
        }

        // The account is disabled.
        let other = ada.create_channel("lounge", "voice", 201).await;
        bob.join(id(&other), 200).await;
        let mut his = enter(&bob, &other).await;
        let admin = world.admin().await;
        admin.send(Method::PUT, &format!("/api/v1/auth/users/{}/disable", bob.id), None, 200).await;
        assert_eq!(his.socket.closed().await, Some(4010));
        wait_until("nobody to be in", async || {
            items(&ada.get("/api/v1/voice", 200).await).is_empty()
        })
        .await;
    }

    async fn who_comes_again_takes_their_own_place(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("standup", "voice", 201).await;
        bob.join(id(&room), 200).await;
        let mut his = enter(&bob, &room).await;
        let mut first = enter(&ada, &room).await;
        assert_eq!(his.frame("participant_joined").await["participant_id"], first.id);
        // At the other server, where there is one.
        let elsewhere = ada.at(&world.nodes[world.nodes.len() - 1].address);
        wait_until("that server to know her", async || {
            items(&elsewhere.get("/api/v1/voice", 200).await).first().is_some_and(|it| it["participants"].as_array().unwrap().len() == 2)
        })
        .await;
        let second = enter(&elsewhere, &room).await;
        assert_eq!(second.present.len(), 2, "{:?}", second.present);
        assert_eq!(first.socket.closed().await, Some(4018));
        assert_eq!(his.frame("participant_left").await["participant_id"], first.id);
        assert_eq!(his.frame("participant_joined").await["participant_id"], second.id);
        let shown = bob.get(&room_path(&room), 200).await["participants"].clone();
        assert_eq!(shown.as_array().unwrap().len(), 2, "{shown}");
        // Joining twice over one socket changes nothing.
        let mut second = second;
        second.say("join", json!({ "muted": true })).await;
        let again = second.frame("joined").await;
        assert_eq!((&again["participant_id"], &again["participants"][1]["muted"]), (&json!(second.id), &json!(false)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_room_takes_nobody_and_relays_have_credentials() {
    let settings = [
        ("CONFAB_VOICE_PARTICIPANTS", "2"),
        ("CONFAB_ICE_SERVERS", "stun:stun.example.org, turn:turn.example.org?transport=udp"),
        ("CONFAB_TURN_SECRET", "north"),
    ];
    for is_scaled in [false, true] {
        let mut world = if is_scaled {
            World::scaled_with(&settings).await
        } else {
            World::embedded_with(&settings).await
        };
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let eve = world.user("eve").await;
        let room = ada.create_channel("standup", "voice", 201).await;
        bob.join(id(&room), 200).await;
        eve.join(id(&room), 200).await;
        let mut hers = enter(&ada, &room).await;
        let his = enter(&bob, &room).await;
        hers.frame("participant_joined").await;
        assert_eq!(hers.ice[0], json!({ "urls": ["stun:stun.example.org"] }));
        let name = hers.ice[1]["username"].as_str().unwrap();
        assert!(name.ends_with(&ada.id) && hers.ice[1]["credential"].is_string(), "{:?}", hers.ice);
        assert_eq!(hers.ice[1]["urls"], json!(["turn:turn.example.org?transport=udp"]));

        let mut late = knock(&eve, &room).await;
        late.frame("ready").await;
        late.send(&json!({ "op": "join" })).await;
        assert_eq!(late.frame_or_error("error").await["d"]["code"], "voice_full");
        assert_eq!(late.closed().await, Some(4017));
        // Those who were there did not notice; a place that is free again is taken.
        drop(his);
        assert_eq!(hers.frame("participant_left").await["user_id"], bob.id);
        assert_eq!(enter(&eve, &room).await.present.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_of_a_server_that_dies_are_out() {
    let mut world = World::scaled().await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let room = ada.create_channel("standup", "voice", 201).await;
    bob.join(id(&room), 200).await;
    let mut onlooker = bob.connect().await;
    let mut hers = enter(&ada, &room).await;
    knows(&bob, &hers).await;
    let mut his = enter(&bob, &room).await;
    hers.frame("participant_joined").await;
    world.nodes[0].kill();
    assert_eq!(his.frame("participant_left").await, json!({ "participant_id": hers.id, "user_id": ada.id }));
    onlooker.signal("voice", |d| d["participants"].as_array().is_some_and(|it| it.len() == 1)).await;

    // One that starts knows at once who is in elsewhere; one that goes sends its people to others.
    world.nodes[0].restart().await;
    wait_until("the server to know who is in", async || {
        items(&ada.get("/api/v1/voice", 200).await)
            .first()
            .is_some_and(|it| it["participants"][0]["user_id"] == bob.id)
    })
    .await;
    let mut hers = enter(&ada, &room).await;
    his.frame("participant_joined").await;
    world.nodes[1].stop().await;
    let reconnect = his.frame("reconnect").await;
    assert!(reconnect["after_ms"].is_u64(), "{reconnect}");
    assert_eq!(his.socket.closed().await, Some(4011));
    assert_eq!(hers.frame("participant_left").await["user_id"], bob.id);
}

/// What stands in all who are in, as one of them sees it.
fn whose(seat: &Seat) -> Vec<&Value> {
    seat.present.iter().map(|it| &it["user_id"]).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stood_still_comes_back_with_its_people() {
    let mut world = World::scaled().await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let room = ada.create_channel("standup", "voice", 201).await;
    bob.join(id(&room), 200).await;
    let hers = enter(&ada, &room).await;
    knows(&bob, &hers).await;
    let mut his = enter(&bob, &room).await;
    assert_eq!(whose(&his), [&json!(ada.id), &json!(bob.id)]);
    world.nodes[0].freeze();
    his.frame("participant_left").await;
    world.nodes[0].thaw();
    let back = his.frame("participant_joined").await;
    assert_eq!((&back["participant_id"], &back["user_id"]), (&json!(hers.id), &json!(ada.id)));
}
