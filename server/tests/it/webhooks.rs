//! Incoming webhooks: programs write into a channel in Slack's words, by an address that is a secret.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{Reply, User, assert_problem, id, items};
use crate::harness::{World, both};

async fn make(by: &User, channel: &str, name: &str, expected: u16) -> Value {
    let form = json!({ "name": name });
    by.send(Method::POST, &format!("/api/v1/channels/{channel}/webhooks"), Some(&form), expected).await
}

/// The path of an address, since a server's public address is not where a test finds it.
fn path(made: &Value) -> String {
    let url = made["url"].as_str().unwrap();
    url[url.find("/hooks/").unwrap()..].to_owned()
}

async fn say(program: &User, path: &str, body: &Value) -> Reply {
    program.call(Method::POST, path, Some(body)).await
}

async fn newest(user: &User, channel: &str) -> Value {
    items(&user.list(channel, "", 200).await).last().cloned().unwrap_or_default()
}

both! {
    async fn a_program_writes_in_slacks_words(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let harbour = ada.create_channel("harbour", "private", 201).await;
        let harbour = id(&harbour);
        ada.add_member(harbour, &bob, 201).await;
        let made = make(&ada, harbour, "Lighthouse", 201).await;
        let (hook, program) = (path(&made), world.visitor());
        let mut socket = bob.connect().await;

        let said = say(&program, &hook, &json!({ "text": "*lamp* is <https://e.org/lamp|lit>, @bob", "channel": "#elsewhere" })).await;
        assert_eq!((said.status, said.text.as_str()), (200, "ok"));
        let event = socket.event("new_message").await;
        let message = newest(&bob, harbour).await;
        assert_eq!(event["d"]["id"], message["id"]);
        assert_eq!(message["content"], "**lamp** is [lit](https://e.org/lamp), @bob");
        assert_eq!((&message["is_bot"], &message["sender"]["full_name"]), (&json!(true), &json!("Lighthouse")));
        assert_eq!(message["mentions"], json!([bob.id]), "{message}");
        assert!(message["html"].as_str().unwrap().contains("href=\"https://e.org/lamp\""), "{message}");

        // As a form, and with a name of its own: that stands in the text, and never above it.
        let form = [("payload", json!({ "text": "again", "username": "ada", "icon_emoji": ":anchor:" }).to_string())];
        let said = program.fetch(program.request(Method::POST, &hook).form(&form)).await;
        assert_eq!((said.status, said.text.as_str()), (200, "ok"));
        let message = newest(&ada, harbour).await;
        assert_eq!(message["content"], ":anchor: **ada**  \nagain");
        assert_eq!(message["sender"]["full_name"], "Lighthouse");

        // Whoever asks for JSON can answer in the thread afterwards.
        let ask = program.request(Method::POST, &hook).header("accept", "application/json");
        let told = program.fetch(ask.json(&json!({ "attachments": [{ "color": "danger", "title": "Storm", "fields": [{ "title": "force", "value": 9 }] }] }))).await.body();
        let storm = newest(&ada, harbour).await;
        assert_eq!((&told["ok"], &told["ts"]), (&json!(true), &storm["id"]));
        assert!(storm["content"].as_str().unwrap().contains("**force** 9"), "{storm}");
        say(&program, &hook, &json!({ "text": "over", "thread_ts": told["ts"] })).await;
        let thread = ada.thread(id(&storm), 200).await;
        assert_eq!(items(&thread).last().unwrap()["content"], "over");

        // A program calls nobody together: it would, every second.
        say(&program, &hook, &json!({ "text": "<!channel> fire" })).await;
        let message = newest(&ada, harbour).await;
        assert!(message["mentions_all"].is_null(), "{message}");
        assert_eq!(message["content"], "@channel fire");
    }

    async fn a_program_that_asks_again_with_its_key_writes_once(world) {
        let ada = world.user("ada").await;
        let harbour = ada.create_channel("harbour", "private", 201).await;
        let made = make(&ada, id(&harbour), "Lighthouse", 201).await;
        let (hook, program) = (path(&made), world.visitor());
        let say_with = async |key: &str, text: &str| {
            let ask = program.request(Method::POST, &hook).header("accept", "application/json");
            program.fetch(ask.header("idempotency-key", key).json(&json!({ "text": text }))).await
        };
        let first = say_with("alert-1", "the lamp is out").await.body();
        let (again, twice) = tokio::join!(say_with("alert-1", "the lamp is out"), say_with("alert-1", "the lamp is out"));
        assert_eq!((&again.body()["ts"], &twice.body()["ts"]), (&first["ts"], &first["ts"]));
        let other = say_with("alert-1", "the lamp is lit").await;
        assert_problem(&other);
        assert_eq!((other.status, other.body()["code"].as_str()), (409, Some("nonce_reused")));
        for bad in ["", &"x".repeat(256), "schlüssel"] {
            let refused = say_with(bad, "the lamp is out").await;
            assert_problem(&refused);
            assert_eq!(refused.status, 400, "{bad}");
            assert_eq!(refused.body()["errors"][0]["field"], "Idempotency-Key");
        }
        say_with("alert-2", "the lamp is out").await;
        let said = ada.list(id(&harbour), "", 200).await;
        let said: Vec<&Value> = items(&said).iter().map(|it| &it["content"]).collect();
        assert_eq!(said, ["the lamp is out", "the lamp is out"], "one for each key");
        assert!(!ada.list(id(&harbour), "", 200).await.to_string().contains("alert-"), "what a program calls its calls is its own");
    }

    async fn who_manages_the_channel_manages_its_webhooks(world) {
        let (ada, bob, eve) = (world.user("ada").await, world.user("bob").await, world.user("eve").await);
        let (room, vault) = (ada.create_channel("room", "public", 201).await, ada.create_channel("vault", "private", 201).await);
        let (room, vault) = (id(&room), id(&vault));
        bob.join(room, 200).await;
        assert_eq!(make(&bob, room, "Mine", 403).await["code"], "role_too_low");
        make(&eve, room, "Mine", 403).await;
        make(&eve, vault, "Mine", 404).await;
        for name in ["", " ", "two\nlines", &"x".repeat(81)] {
            make(&ada, room, name, 400).await;
        }
        let direct = ada.send(Method::POST, "/api/v1/channels/direct", Some(&json!({ "user_ids": [bob.id] })), 201).await;
        assert_eq!(make(&ada, id(&direct), "Mine", 409).await["code"], "conversation_is_fixed");

        let made = make(&ada, room, "Crane 🏗", 201).await;
        let list = format!("/api/v1/channels/{room}/webhooks");
        bob.get(&list, 403).await;
        eve.get(&format!("/api/v1/channels/{vault}/webhooks"), 404).await;
        let listed = ada.get(&list, 200).await;
        assert_eq!((items(&listed).len(), &items(&listed)[0]["name"]), (1, &json!("Crane 🏗")));
        assert!(items(&listed)[0]["last_used_at"].is_null() && !listed.to_string().contains("/hooks/"), "shown once: {listed}");
        let (program, old) = (world.visitor(), path(&made));
        assert_eq!(say(&program, &old, &json!({ "text": "up" })).await.status, 200);
        assert!(items(&ada.get(&list, 200).await)[0]["last_used_at"].is_string());

        let one = format!("{list}/{}", id(&made));
        for (who, expected) in [(&bob, 403), (&eve, 403)] {
            who.send(Method::POST, &format!("{one}/rotate"), None, expected).await;
            who.send(Method::DELETE, &one, None, expected).await;
        }
        // Another channel's is none here.
        ada.send(Method::DELETE, &format!("/api/v1/channels/{vault}/webhooks/{}", id(&made)), None, 404).await;
        let renewed = ada.send(Method::POST, &format!("{one}/rotate"), None, 200).await;
        assert_eq!(say(&program, &old, &json!({ "text": "old" })).await.status, 404);
        assert_eq!(say(&program, &path(&renewed), &json!({ "text": "new" })).await.status, 200);

        ada.send(Method::DELETE, &one, None, 204).await;
        assert_eq!(say(&program, &path(&renewed), &json!({ "text": "gone" })).await.status, 404);
        let members = ada.get(&format!("/api/v1/channels/{room}/members"), 200).await;
        assert!(!members.to_string().contains("Crane"), "{members}");
        assert_eq!(newest(&bob, room).await["sender"]["full_name"], "Crane 🏗", "what it wrote stays");

        let admin = world.admin().await;
        let log = admin.get("/api/v1/admin/audit?limit=100", 200).await;
        for action in ["webhook.created", "webhook.rotated", "webhook.deleted"] {
            assert_eq!(items(&log).iter().filter(|it| it["action"] == action).count(), 1, "{action}");
        }
        assert!(!log.to_string().contains(&old["/hooks/".len()..]), "the log holds no secrets");
    }

    async fn superusers_care_for_webhooks_of_open_channels_alone(world) {
        let (ada, eve, admin) = (world.user("ada").await, world.user("eve").await, world.admin().await);
        let found = ada.get("/api/v1/channels?q=general", 200).await;
        let general = id(&items(&found)[0]).to_owned();
        let (quay, vault) = (ada.create_channel("quay", "public", 201).await, ada.create_channel("vault", "private", 201).await);
        let (quay, vault) = (id(&quay), id(&vault));
        eve.join(quay, 200).await;
        for open in [&general, quay] {
            assert_eq!(make(&eve, open, "Mine", 403).await["status"], 403);
            let list = format!("/api/v1/channels/{open}/webhooks");
            let made = make(&admin, open, "Lighthouse", 201).await;
            assert_eq!(made["created_by_id"], admin.id);
            assert_eq!(say(&world.visitor(), &path(&made), &json!({ "text": "lit" })).await.status, 200);
            assert_eq!(newest(&ada, open).await["content"], "lit");
            assert_eq!(items(&admin.get(&list, 200).await).len(), 1);
            eve.get(&list, 403).await;
            let one = format!("{list}/{}", id(&made));
            eve.send(Method::POST, &format!("{one}/rotate"), None, 403).await;
            admin.send(Method::POST, &format!("{one}/rotate"), None, 200).await;
            eve.send(Method::DELETE, &one, None, 403).await;
            admin.send(Method::DELETE, &one, None, 204).await;
        }
        // A token that may not administer is no superuser's.
        let scopes = json!({ "name": "ci", "scopes": ["read", "write"] });
        let token = admin.send(Method::POST, "/api/v1/auth/tokens", Some(&scopes), 201).await;
        let program = admin.signed_in("admin", &json!({ "access_token": token["token"], "user": { "id": admin.id } }));
        make(&program, quay, "Mine", 403).await;

        // A private channel is not there for them, and one whose glass they broke they read, no more.
        let hidden = make(&ada, vault, "Bell", 201).await;
        let list = format!("/api/v1/channels/{vault}/webhooks");
        make(&admin, vault, "Mine", 404).await;
        admin.get(&list, 404).await;
        let access = json!({ "channel_id": vault, "reason": "a complaint about it" });
        admin.send(Method::POST, "/api/v1/admin/break-glass", Some(&access), 201).await;
        assert_eq!(make(&admin, vault, "Mine", 403).await["code"], "not_a_member");
        admin.get(&list, 403).await;
        let one = format!("{list}/{}", id(&hidden));
        admin.send(Method::POST, &format!("{one}/rotate"), None, 403).await;
        admin.send(Method::DELETE, &one, None, 403).await;
    }

    async fn what_posts_to_slacks_path_posts_here(world) {
        let ada = world.user("ada").await;
        let room = ada.create_channel("room", "public", 201).await;
        let room = id(&room);
        let (hook, program) = (path(&make(&ada, room, "CI", 201).await), world.visitor());
        let secret = &hook["/hooks/".len()..];
        for (number, names) in ["T000/B000/", "T000/B000/C000/", "", "hooks/plugins/"].into_iter().enumerate() {
            let slack = format!("/services/{names}{secret}");
            let said = say(&program, &slack, &json!({ "text": format!("build {number}") })).await;
            assert_eq!((said.status, said.text.as_str()), (200, "ok"), "{slack}");
            assert_eq!(newest(&ada, room).await["content"], format!("build {number}"));
            // What is wrong is said in the same words, and never with the secret.
            let reply = say(&program, &slack, &json!({})).await;
            assert_eq!((reply.status, &reply.body()["errors"][0]["field"]), (400, &json!("text")));
            assert_problem(&reply);
            assert!(!reply.text.contains(secret), "{}", reply.text);
        }
        assert_eq!(program.call(Method::GET, &format!("/services/T000/B000/{secret}"), None).await.status, 405);
        for wrong in ["T000/B000/no-such-secret", &format!("{secret}/B000/X"), "T000/B000/"] {
            let reply = say(&program, &format!("/services/{wrong}"), &json!({ "text": "knock" })).await;
            assert_eq!(reply.status, 404, "{wrong}");
            assert!(!reply.text.contains("no-such-secret") && !reply.text.contains(secret), "{}", reply.text);
        }
    }

    async fn what_cannot_be_posted_is_refused_and_says_why(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("room", "public", 201).await;
        let room = id(&room);
        let (made, program) = (make(&ada, room, "CI", 201).await, world.visitor());
        let hook = path(&made);
        for (body, field) in [
            (json!({}), "text"), (json!({ "text": "  " }), "text"), (json!({ "text": 7 }), "text"), (json!({ "attachments": "x" }), "attachments"),
            (json!({ "blocks": vec![json!({}); 51] }), "blocks"), (json!([]), "body"),
        ] {
            let reply = say(&program, &hook, &body).await;
            assert_eq!(reply.status, 400, "{}", reply.text);
            assert_problem(&reply);
            assert_eq!(reply.body()["errors"][0]["field"], field, "{}", reply.text);
            assert!(!reply.text.contains(&hook["/hooks/".len()..]), "no answer repeats the secret: {}", reply.text);
        }
        let broken = program.request(Method::POST, &hook).header("content-type", "application/json").body("{");
        assert_eq!(program.fetch(broken).await.status, 400);
        let large = json!({ "text": "x".repeat(300 * 1_024) });
        assert_eq!(say(&program, &hook, &large).await.status, 413);
        // More than a message holds is cut: half an alert is better than none.
        assert_eq!(say(&program, &hook, &json!({ "text": "x".repeat(20_000) })).await.status, 200);
        for path in ["/hooks/no-such-secret", &format!("/hooks/{}", "x".repeat(500)), "/hooks/"] {
            assert_eq!(say(&program, path, &json!({ "text": "knock" })).await.status, 404, "{path}");
        }
        assert_eq!(program.call(Method::GET, &hook, None).await.status, 405);

        // Its bot was shown out: the webhook is where its bot is.
        ada.send(Method::DELETE, &format!("/api/v1/channels/{room}/members/{}", made["bot_id"].as_str().unwrap()), None, 204).await;
        let reply = say(&program, &hook, &json!({ "text": "let me in" })).await;
        assert_eq!((reply.status, &reply.body()["code"]), (403, &json!("not_a_member")));

        let attic = ada.create_channel("attic", "public", 201).await;
        let into_attic = path(&make(&ada, id(&attic), "CI", 201).await);
        ada.send(Method::POST, &format!("/api/v1/channels/{}/archive", id(&attic)), None, 200).await;
        let reply = say(&program, &into_attic, &json!({ "text": "dust" })).await;
        assert_eq!((reply.status, &reply.body()["code"]), (409, &json!("channel_archived")));
        make(&ada, id(&attic), "more", 409).await;
        ada.send(Method::DELETE, &format!("/api/v1/channels/{}", id(&attic)), None, 204).await;
        assert_eq!(say(&program, &into_attic, &json!({ "text": "gone" })).await.status, 404);

        // Worth what the account of whoever is responsible is worth; another admin takes it over by renewing it.
        let shared = ada.create_channel("shared", "public", 201).await;
        let shared = id(&shared);
        let of_ada = make(&ada, shared, "CI", 201).await;
        bob.join(shared, 200).await;
        ada.send(Method::PUT, &format!("/api/v1/channels/{shared}/roles/{}", bob.id), Some(&json!({ "role": "admin" })), 200).await;
        let admin = world.admin().await;
        admin.send(Method::PUT, &format!("/api/v1/auth/users/{}/disable", ada.id), None, 200).await;
        let reply = say(&program, &path(&of_ada), &json!({ "text": "still here?" })).await;
        assert_eq!((reply.status, &reply.body()["code"]), (403, &json!("webhook_rests")));
        let renewed = bob.send(Method::POST, &format!("/api/v1/channels/{shared}/webhooks/{}/rotate", id(&of_ada)), None, 200).await;
        assert_eq!(say(&program, &path(&renewed), &json!({ "text": "still here" })).await.status, 200);
        for number in 1..20 {
            make(&bob, shared, &format!("hook {number}"), 201).await;
        }
        assert_eq!(make(&bob, shared, "one more", 409).await["code"], "too_many_webhooks");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_posts_too_often_waits_and_another_does_not() {
    let mut world = World::embedded_with(&[("CONFAB_RATE_LIMITS", "on")]).await;
    let ada = world.user("ada").await;
    let room = ada.create_channel("room", "public", 201).await;
    let room = id(&room);
    let (first, second) =
        (path(&make(&ada, room, "one", 201).await), path(&make(&ada, room, "two", 201).await));
    let program = world.visitor();
    let mut refused = None;
    for number in 0..60 {
        // Both of its addresses count alike.
        let address =
            if number % 2 == 0 { first.clone() } else { first.replace("/hooks/", "/services/T0/B0/") };
        let reply = say(&program, &address, &json!({ "text": format!("tick {number}") })).await;
        if reply.status != 200 {
            refused = Some((number, reply));
            break;
        }
    }
    let (number, reply) = refused.expect("a limit");
    assert!(number >= 30, "thirty at once are fine, not only {number}");
    assert_eq!(reply.status, 429);
    assert!(reply.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0));
    assert_eq!(say(&program, &second, &json!({ "text": "hello" })).await.status, 200);
}
