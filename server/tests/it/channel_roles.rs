//! Roles in a channel: who gives which, and that somebody always owns it.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{User, id, items};
use crate::harness::{Socket, both, wait_until};

/// Bob is a guest where ada is, and carol is not there.
async fn guests_hear_of_nobody_else(room: &str, ada: &User, bob: &User, carol: &User) {
    let changes = async |name: &str| {
        for user in [carol, ada] {
            let status = json!({ "status": "busy", "text": format!("{name} of {}", user.id) });
            user.send(Method::PUT, "/api/v1/users/me/status", Some(&status), 200).await;
            user.send(Method::PUT, "/api/v1/users/me", Some(&json!({ "full_name": name })), 200).await;
        }
    };
    let is_of = |event: &Value, user: &User| event["t"] == "user_updated" && event["d"]["id"] == user.id;
    let mut socket = bob.connect().await;
    let (_carols, _adas) = (carol.connect().await, ada.connect().await);
    changes("First").await;
    let mut heard = String::new();
    loop {
        let frame = socket.next_frame().await;
        heard.push_str(&frame.to_string());
        if is_of(&frame, ada) {
            break;
        }
    }
    assert!(!heard.contains(&carol.id), "{heard}");

    let (epoch, pos) = socket.cut();
    changes("Second").await;
    let mut socket = Socket::open(&bob.address).await;
    let (_, missed) = socket.resume(&bob.access_token, &epoch, pos).await;
    let mut heard = json!(missed).to_string();
    if !missed.iter().any(|event| is_of(event, ada)) {
        heard.push_str(&json!(socket.events_until(|event| is_of(event, ada)).await).to_string());
    }
    assert!(!heard.contains(&carol.id), "{heard}");

    give(ada, room, bob, "member", 200).await;
    changes("Third").await;
    let heard = socket.events_until(|event| is_of(event, ada)).await;
    assert!(heard.iter().any(|event| is_of(event, carol)), "no guest any more: {heard:?}");
}

/// Gives a role; answers the problem's code, or nothing.
async fn give(by: &User, channel: &str, user: &User, role: &str, expected: u16) -> Value {
    let path = format!("/api/v1/channels/{channel}/roles/{}", user.id);
    by.send(Method::PUT, &path, Some(&json!({ "role": role })), expected).await
}

async fn role(user: &User, channel: &str) -> Value {
    user.get(&format!("/api/v1/channels/{channel}/role"), 200).await["role"].clone()
}

async fn names(by: &User, channel: &str, query: &str) -> Vec<String> {
    let page = by.get(&format!("/api/v1/channels/{channel}/members?limit=100{query}"), 200).await;
    items(&page).iter().map(|it| it["user"]["username"].as_str().unwrap().to_owned()).collect()
}

both! {
    async fn roles_are_given_from_above(world) {
        let (ada, bob, carol, dan) =
            (world.user("ada").await, world.user("bob").await, world.user("carol").await, world.user("dan").await);
        let (eve, room) = (world.user("eve").await, ada.create_channel("room", "public", 201).await);
        let room = id(&room);
        for user in [&bob, &carol, &dan] {
            user.join(room, 200).await;
        }
        assert_eq!(role(&eve, room).await, Value::Null, "who reads without being a member has no role");
        let path = format!("/api/v1/channels/{room}/roles/{}", bob.id);
        for wrong in [json!({ "role": "emperor" }), json!({}), json!({ "role": 7 })] {
            ada.send(Method::PUT, &path, Some(&wrong), 400).await;
        }

        let mut socket = carol.connect().await;
        let made = give(&ada, room, &bob, "admin", 200).await;
        assert_eq!((&made["role"], &made["user"]["username"]), (&json!("admin"), &json!("bob")));
        let event = socket.event("role_updated").await;
        assert_eq!((&event["d"]["user_id"], &event["d"]["role"]), (&json!(bob.id), &json!("admin")));
        assert_eq!(role(&bob, room).await, "admin");

        // Admins make guests and members of those below them, and nothing more.
        give(&bob, room, &dan, "guest", 200).await;
        give(&bob, room, &dan, "member", 200).await;
        assert_eq!(give(&bob, room, &dan, "admin", 403).await["code"], "role_too_low");
        give(&bob, room, &dan, "owner", 403).await;
        give(&bob, room, &bob, "owner", 403).await;
        give(&bob, room, &ada, "member", 403).await;
        give(&ada, room, &carol, "admin", 200).await;
        assert_eq!(give(&bob, room, &carol, "member", 403).await["code"], "role_too_low", "admins are peers");
        bob.send(Method::DELETE, &format!("/api/v1/channels/{room}/members/{}", carol.id), None, 403).await;
        give(&dan, room, &carol, "guest", 403).await;
        give(&dan, room, &dan, "admin", 403).await;
        give(&eve, room, &eve, "owner", 403).await;
        give(&ada, room, &eve, "admin", 404).await;
        give(&bob, room, &bob, "member", 200).await;
        give(&bob, room, &dan, "guest", 403).await;

        // Owners are peers too: nobody lowers another, each steps down alone.
        give(&ada, room, &carol, "owner", 200).await;
        give(&carol, room, &ada, "member", 403).await;
        carol.send(Method::DELETE, &format!("/api/v1/channels/{room}/members/{}", ada.id), None, 403).await;
        assert_eq!(ada.get(&format!("/api/v1/channels/{room}"), 200).await["owner_id"], ada.id);
        give(&ada, room, &ada, "admin", 200).await;
        assert_eq!(ada.get(&format!("/api/v1/channels/{room}"), 200).await["owner_id"], carol.id, "the owner follows");
        assert_eq!(give(&carol, room, &carol, "member", 409).await["code"], "last_owner");
        let before = socket.pos;
        give(&carol, room, &carol, "owner", 200).await;
        // Nothing changed: nobody hears of it, and no number is missing.
        let posted = ada.post(room, "still here", 201).await;
        let heard = socket.events_until(|event| event["d"]["id"] == posted["id"]).await;
        let repeated: Vec<&Value> =
            heard.iter().filter(|it| it["t"] == "role_updated" && it["d"]["role"] == "owner").collect();
        assert_eq!((repeated.len(), before > 0), (1, true), "{heard:?}");

        assert_eq!(names(&ada, room, "").await, ["carol", "ada", "bob", "dan"], "in order of role, then of name");
        dan.send(Method::PUT, "/api/v1/auth/me", Some(&json!({ "username": "adam" })), 200).await;
        assert_eq!(names(&ada, room, "").await, ["carol", "ada", "adam", "bob"], "a new name has another place");
        assert_eq!(names(&ada, room, "&q=AD").await, ["ada", "adam"]);
        assert!(names(&ada, room, "&q=eve").await.is_empty(), "who is no member is not among the members");
        let page = ada.get(&format!("/api/v1/channels/{room}/members?limit=3"), 200).await;
        let rest = format!("&cursor={}", page["next_cursor"].as_str().unwrap());
        assert_eq!(names(&ada, room, &rest).await, ["bob"]);
        for wrong in ["limit=0", "limit=101", "limit=-1", "cursor=nonsense"] {
            ada.get(&format!("/api/v1/channels/{room}/members?{wrong}"), 400).await;
        }
    }

    async fn an_owner_hands_over_and_leaves(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let vault = ada.create_channel("vault", "private", 201).await;
        let vault = id(&vault);
        bob.get(&format!("/api/v1/channels/{vault}/role"), 404).await;
        give(&bob, vault, &bob, "owner", 404).await;
        ada.add_member(vault, &bob, 201).await;
        let leave = format!("/api/v1/channels/{vault}/leave");
        assert_eq!(ada.send(Method::POST, &leave, None, 409).await["code"], "last_owner");
        give(&ada, vault, &bob, "owner", 200).await;
        ada.leave(vault, 204).await;
        let seen = bob.get(&format!("/api/v1/channels/{vault}"), 200).await;
        assert_eq!((&seen["owner_id"], &seen["role"], &seen["member_count"]), (&json!(bob.id), &json!("owner"), &json!(1)));
        ada.get(&format!("/api/v1/channels/{vault}"), 404).await;

        // Who cannot come cannot own.
        let admin = world.admin().await;
        let carol = world.user("carol").await;
        bob.add_member(vault, &carol, 201).await;
        admin.send(Method::PUT, &format!("/api/v1/auth/users/{}/disable", carol.id), None, 200).await;
        assert_eq!(give(&bob, vault, &carol, "owner", 409).await["code"], "cannot_own");
        give(&bob, vault, &carol, "guest", 200).await;

        let direct = json!({ "user_ids": [ada.id] });
        let direct = bob.send(Method::POST, "/api/v1/channels/direct", Some(&direct), 201).await;
        assert_eq!(give(&bob, id(&direct), &ada, "guest", 409).await["code"], "no_roles_here");
        assert_eq!(role(&ada, id(&direct)).await, "member");
    }

    async fn two_owners_who_leave_at_once_leave_one(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        for round in 0..10 {
            let room = ada.create_channel(&format!("room {round}"), "public", 201).await;
            let room = id(&room);
            bob.join(room, 200).await;
            give(&ada, room, &bob, "owner", 200).await;
            let leave = format!("/api/v1/channels/{room}/leave");
            let down = format!("/api/v1/channels/{room}/roles/{}", bob.id);
            let member = json!({ "role": "member" });
            let (one, other) = if round % 2 == 0 {
                tokio::join!(ada.call(Method::POST, &leave, None), bob.call(Method::POST, &leave, None))
            } else {
                tokio::join!(ada.call(Method::POST, &leave, None), bob.call(Method::PUT, &down, Some(&member)))
            };
            let statuses = [one.status, other.status];
            assert!(statuses.contains(&409) && statuses.iter().any(|it| *it < 300), "round {round}: {} {}", one.text, other.text);
            let stays = if one.status == 409 { &ada } else { &bob };
            assert_eq!(role(stays, room).await, "owner", "round {round}");
            assert_eq!(stays.get(&format!("/api/v1/channels/{room}"), 200).await["owner_id"], stays.id);
        }
    }

    /// The channels of a fresh server have no owner until a superuser names one.
    async fn a_channel_without_an_owner_is_given_one(world) {
        let (ada, bob, admin) = (world.user("ada").await, world.user("bob").await, world.admin().await);
        let found = ada.get("/api/v1/channels?q=general", 200).await;
        let general = id(&items(&found)[0]).to_owned();
        let topic = json!({ "topic": "mine" });
        ada.send(Method::PUT, &format!("/api/v1/channels/{general}"), Some(&topic), 403).await;
        give(&ada, &general, &ada, "owner", 403).await;
        give(&admin, &general, &ada, "admin", 403).await;
        give(&admin, &general, &ada, "owner", 200).await;
        assert_eq!(ada.send(Method::PUT, &format!("/api/v1/channels/{general}"), Some(&topic), 200).await["owner_id"], ada.id);
        give(&admin, &general, &bob, "owner", 403).await;
        // Of what is private a superuser knows nothing.
        let vault = ada.create_channel("vault", "private", 201).await;
        give(&admin, id(&vault), &ada, "owner", 404).await;
    }

    async fn a_guest_reads_and_writes_and_brings_nobody(world) {
        let (ada, bob, carol) = (world.user("ada").await, world.user("bob").await, world.user("carol").await);
        let room = ada.create_channel("room", "public", 201).await;
        let room = id(&room);
        bob.join(room, 200).await;
        bob.add_member(room, &carol, 201).await;
        ada.send(Method::DELETE, &format!("/api/v1/channels/{room}/members/{}", carol.id), None, 204).await;
        give(&ada, room, &bob, "guest", 200).await;
        bob.post(room, "may I?", 201).await;
        assert_eq!(names(&bob, room, "").await, ["ada", "bob"]);
        bob.add_member(room, &carol, 403).await;
        bob.send(Method::POST, &format!("/api/v1/channels/{room}/invite"), Some(&json!({})), 403).await;
        bob.get(&format!("/api/v1/channels/{room}/invitations"), 403).await;
        bob.send(Method::PUT, &format!("/api/v1/channels/{room}"), Some(&json!({ "topic": "mine" })), 403).await;

        // Whoever is nowhere more than a guest looks up the people of their channels, and nobody else.
        let people = async |query: &str| {
            let page = bob.get(&format!("/api/v1/users?{query}"), 200).await;
            items(&page).iter().map(|it| it["username"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert!(people("").await.contains(&"carol".to_owned()), "a member of the channels of all sees all");
        for channel in items(&bob.get("/api/v1/channels/me", 200).await) {
            if channel["role"] == "member" {
                bob.leave(id(channel), 204).await;
            }
        }
        assert_eq!(people("").await, ["ada", "bob"]);
        assert_eq!(people("q=AD").await, ["ada"]);
        assert!(people("q=carol").await.is_empty());
        bob.get(&format!("/api/v1/users/{}", ada.id), 200).await;
        for path in ["", "/profile", "/status"] {
            bob.get(&format!("/api/v1/users/{}{path}", carol.id), 404).await;
        }
        // Nor by passing over people, nor by writing to somebody.
        assert_eq!(people("skip=1").await, ["bob"]);
        assert!(people("q=carol&skip=1").await.is_empty() && people("skip=2").await.is_empty());
        // Nor by mistyping a name: whom a guest does not know nothing is near to.
        for (q, near) in [("from:adda", json!(["from:ada"])), ("from:carlo", Value::Null), ("mentions:carrol", Value::Null)] {
            let found = bob.get(&format!("/api/v1/search/messages?q={q}"), 200).await;
            assert_eq!(found["names"][0]["near"], near, "{q}: {found}");
        }
        let write_to = async |other: &str| {
            let people = json!({ "user_ids": [other] });
            bob.call(Method::POST, "/api/v1/channels/direct", Some(&people)).await
        };
        assert_eq!(write_to(&ada.id).await.status, 201);
        let (stranger, nobody) = (write_to(&carol.id).await, write_to("01890000-0000-7000-8000-000000000000").await);
        assert_eq!((stranger.status, stranger.body()["detail"].clone()), (400, nobody.body()["detail"].clone()));
        guests_hear_of_nobody_else(room, &ada, &bob, &carol).await;
    }

    async fn a_deleted_channel_binds_nobody(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let (carol, dan) = (world.user("carol").await, world.user("dan").await);
        let (room, den) = (ada.create_channel("room", "private", 201).await, ada.create_channel("den", "private", 201).await);
        for (channel, other) in [(&room, &bob), (&den, &bob), (&den, &dan)] {
            ada.add_member(id(channel), other, 201).await;
        }
        give(&ada, id(&room), &bob, "guest", 200).await;
        for channel in items(&bob.get("/api/v1/channels/me", 200).await) {
            if ![&room["id"], &den["id"]].contains(&&channel["id"]) {
                bob.leave(id(channel), 204).await;
            }
        }
        // In the den bob is more than a guest, and looks everybody up.
        for other in [&carol, &dan] {
            bob.get(&format!("/api/v1/users/{}", other.id), 200).await;
        }
        let (_dans, _adas) = (dan.connect().await, ada.connect().await);
        let mut socket = bob.connect().await;
        let shown = |ready: &Value, user: &User| ready["presences"].to_string().contains(&user.id);
        wait_until("dan to show around bob", async || {
            let ready = Socket::open(&bob.address).await.identify(&bob.access_token).await;
            shown(&ready, &dan)
        })
        .await;
        ada.send(Method::DELETE, &format!("/api/v1/channels/{}", id(&den)), None, 204).await;
        for other in [&carol, &dan] {
            bob.get(&format!("/api/v1/users/{}", other.id), 404).await;
        }
        socket.events_until(|event| event["t"] == "channel_deleted").await;
        let (epoch, pos) = socket.cut();
        // Nobody shows by a channel that is gone, to a socket that begins anew or to one that comes back.
        let mut anew = Socket::open(&bob.address).await;
        let ready = anew.identify(&bob.access_token).await;
        assert!(shown(&ready, &ada) && !shown(&ready, &dan), "{ready}");
        let mut socket = Socket::open(&bob.address).await;
        let (resumed, _) = socket.resume(&bob.access_token, &epoch, pos).await;
        assert!(shown(&resumed["d"], &ada) && !shown(&resumed["d"], &dan), "{resumed}");
        for user in [&carol, &dan, &ada] {
            user.send(Method::PUT, "/api/v1/users/me", Some(&json!({ "full_name": "Renamed" })), 200).await;
        }
        let heard = socket.events_until(|event| event["t"] == "user_updated" && event["d"]["id"] == ada.id).await;
        let heard = json!(heard).to_string();
        assert!(!heard.contains(&carol.id) && !heard.contains(&dan.id), "{heard}");
        guests_hear_of_nobody_else(id(&room), &ada, &bob, &carol).await;
    }

    async fn a_guest_whose_only_channel_is_deleted_stays_one(world) {
        let (ada, bob, carol) = (world.user("ada").await, world.user("bob").await, world.user("carol").await);
        let room = ada.create_channel("room", "private", 201).await;
        ada.add_member(id(&room), &bob, 201).await;
        give(&ada, id(&room), &bob, "guest", 200).await;
        for channel in items(&bob.get("/api/v1/channels/me", 200).await) {
            if channel["id"] != room["id"] {
                bob.leave(id(channel), 204).await;
            }
        }
        let mut socket = bob.connect().await;
        ada.send(Method::DELETE, &format!("/api/v1/channels/{}", id(&room)), None, 204).await;
        socket.events_until(|event| event["t"] == "channel_deleted").await;
        for other in [&ada, &carol] {
            bob.get(&format!("/api/v1/users/{}", other.id), 404).await;
        }
        carol.send(Method::PUT, "/api/v1/users/me", Some(&json!({ "full_name": "Renamed" })), 200).await;
        bob.send(Method::PUT, "/api/v1/users/me", Some(&json!({ "full_name": "Renamed" })), 200).await;
        let heard = socket.events_until(|event| event["t"] == "user_updated" && event["d"]["id"] == bob.id).await;
        assert!(!json!(heard).to_string().contains(&carol.id), "{heard:?}");
    }

    async fn whoever_left_as_a_guest_comes_back_as_one(world) {
        let (ada, bob, carol) = (world.user("ada").await, world.user("bob").await, world.user("carol").await);
        let room = ada.create_channel("room", "public", 201).await;
        let room = id(&room);
        for user in [&bob, &carol] {
            user.join(room, 200).await;
        }
        give(&ada, room, &bob, "guest", 200).await;
        bob.leave(room, 204).await;
        bob.join(room, 200).await;
        assert_eq!(role(&bob, room).await, "guest");
        bob.leave(room, 204).await;
        carol.add_member(room, &bob, 201).await;
        assert_eq!(role(&bob, room).await, "guest", "a member makes no member of a guest");
        // Those in charge do.
        give(&ada, room, &bob, "member", 200).await;
        bob.leave(room, 204).await;
        bob.join(room, 200).await;
        assert_eq!(role(&bob, room).await, "member");
    }

    async fn many_are_brought_in_at_once(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let people = [world.user("carol").await, world.user("dan").await, world.user("eve").await];
        let vault = ada.create_channel("vault", "private", 201).await;
        let path = format!("/api/v1/channels/{}/members", id(&vault));
        let ids: Vec<&str> = people.iter().map(|it| it.id.as_str()).collect();
        let form = json!({ "user_ids": ids });
        bob.send(Method::POST, &path, Some(&form), 404).await;
        let all = [&ada; 4];
        let replies = join_all(all.iter().map(|ada| ada.call(Method::POST, &path, Some(&form)))).await;
        let mut statuses: Vec<u16> = replies.iter().map(|it| it.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 200, 201], "added once");
        assert_eq!(ada.get(&format!("/api/v1/channels/{}", id(&vault)), 200).await["member_count"], 4);
        let again = ada.send(Method::POST, &path, Some(&json!({ "user_ids": [people[0].id, bob.id] })), 201).await;
        assert_eq!(again["added"], json!([bob.id]));
        people[0].send(Method::POST, &path, Some(&form), 403).await;

        // All or none: one who does not exist keeps the others out as well.
        let nobody = "00000000-0000-7000-8000-000000000000";
        let room = ada.create_channel("room", "public", 201).await;
        let path = format!("/api/v1/channels/{}/members", id(&room));
        let many: Vec<String> = (0..101).map(|number| format!("00000000-0000-7000-8000-{number:012}")).collect();
        for wrong in [
            json!({ "user_ids": [bob.id, nobody] }), json!({ "user_ids": [] }), json!({ "user_ids": many }), json!({}),
            json!({ "user_id": bob.id, "user_ids": [bob.id] }), json!({ "user_ids": "all" }), json!({ "user_id": nobody }),
        ] {
            ada.send(Method::POST, &path, Some(&wrong), 400).await;
        }
        assert_eq!(ada.get(&format!("/api/v1/channels/{}", id(&room)), 200).await["member_count"], 1);
        let direct = ada.send(Method::POST, "/api/v1/channels/direct", Some(&json!({ "user_ids": [bob.id] })), 201).await;
        ada.add_member(id(&direct), &people[0], 409).await;
        let group = json!({ "user_ids": [bob.id, people[0].id] });
        let group = ada.send(Method::POST, "/api/v1/channels/direct", Some(&group), 201).await;
        ada.add_member(id(&group), &people[1], 409).await;
        ada.send(Method::POST, &format!("/api/v1/channels/{}/archive", id(&room)), None, 200).await;
        ada.add_member(id(&room), &bob, 409).await;
    }
}
