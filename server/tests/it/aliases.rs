//! The paths of earlier systems' clients: `aliases/paths.tsv` is the whole list, and each of them answers as ours does.

use std::collections::BTreeMap;

use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Error;

use crate::harness::user::{Reply, User, id, items};
use crate::harness::{Socket, World, both, world};

const PATHS: &str = include_str!("aliases/paths.tsv");

/// A line of the list.
struct Row {
    method: &'static str,
    path: &'static str,
    canonical: &'static str,
    expected: &'static str,
}

fn rows() -> Vec<Row> {
    let lines = PATHS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let [method, path, canonical, expected, _source] = cells[..] else {
                panic!("five columns are wanted: {line}")
            };
            Row { method, path, canonical, expected }
        })
        .collect()
}

both! {
    async fn every_path_of_the_sources_answers_as_ours(world) {
        let bob = world.user("bob").await;
        let mut faults = Vec::new();
        for row in rows().iter().filter(|row| row.method != "WS") {
            let theirs = Scene::new(world, &bob).await.call(row, row.path).await;
            let ours = Scene::new(world, &bob).await.call(row, row.canonical).await;
            let (shown, expected) = (answer(&theirs), answer(&ours));
            let is_expected = theirs.status.to_string() == row.expected;
            if shown != expected || !is_expected {
                let Row { method, path, canonical, expected: status } = row;
                faults.push(format!(
                    "{method} {path} (the list says {status}): {shown}\n    {canonical}: {expected}\n    {}",
                    theirs.text
                ));
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    async fn lists_can_be_skipped_into(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        for name in ["a-quay", "b-quay", "c-quay"] {
            ada.create_channel(name, "public", 201).await;
        }
        let room = ada.create_channel("hidden", "private", 201).await;
        for number in 1..=5 {
            ada.post(id(&room), &format!("m{number}"), 201).await;
        }
        let names = async |user: &User, path: &str, field: &str| -> Vec<String> {
            let page = user.get(path, 200).await;
            items(&page).iter().map(|it| it[field].as_str().unwrap_or_default().to_owned()).collect()
        };
        for (path, field) in [("/users", "username"), ("/channels", "name"), ("/channels/me", "name")] {
            let all = names(&ada, &format!("/api/v1{path}?limit=100"), field).await;
            for skip in 0..=all.len() {
                let rest = names(&ada, &format!("{path}?skip={skip}&limit=2"), field).await;
                assert_eq!(rest, all.iter().skip(skip).take(2).cloned().collect::<Vec<_>>(), "{path} {skip}");
            }
            ada.get(&format!("{path}?skip=10000"), 200).await;
            for wrong in ["-1", "10001", "1000000000000", "x"] {
                ada.get(&format!("{path}?skip={wrong}"), 400).await;
            }
        }
        // What is passed over is what may be seen: a hidden channel shifts nothing for others.
        assert_eq!(names(&bob, "/channels?skip=2&limit=1", "name").await, ["c-quay"]);

        let path = format!("/channels/{}/messages", id(&room));
        assert_eq!(names(&ada, &format!("{path}?skip=1&limit=2"), "content").await, ["m3", "m4"]);
        assert!(names(&ada, &format!("{path}?skip=5"), "content").await.is_empty());
        ada.get(&format!("{path}?skip=1&before_seq=3"), 400).await;
        ada.get("/users?skip=1&cursor=WyJhIl0", 400).await;
        bob.get(&format!("{path}?skip=1"), 404).await;
    }

    async fn a_reaction_may_be_named_in_body_or_query(world) {
        let (ada, eve) = (world.user("ada").await, world.user("eve").await);
        let room = ada.create_channel("room", "private", 201).await;
        let message = ada.post(id(&room), "land!", 201).await;
        let path = format!("/api/messages/{}/reactions", id(&message));
        ada.send(Method::POST, &path, Some(&json!({ "emoji": "👋" })), 201).await;
        ada.send(Method::POST, &path, Some(&json!({ "code": "wave" })), 201).await;
        assert_eq!(ada.read(id(&message), 200).await["reactions"][0]["count"], 1);
        ada.send(Method::POST, &path, Some(&json!({})), 400).await;
        ada.send(Method::POST, &path, Some(&json!({ "emoji": "no-such" })), 400).await;
        eve.send(Method::POST, &path, Some(&json!({ "emoji": "👋" })), 404).await;
        ada.send(Method::DELETE, &format!("{path}?emoji=wave"), None, 204).await;
        assert_eq!(ada.read(id(&message), 200).await["reactions"], json!([]));
        ada.send(Method::DELETE, &path, None, 400).await;
        eve.send(Method::DELETE, &format!("{path}?emoji=wave"), None, 404).await;
    }

    async fn sockets_of_the_sources_speak_our_protocol(world) {
        let ada = world.user("ada").await;
        let room = ada.create_channel("room", "public", 201).await;
        for row in rows().iter().filter(|row| row.method == "WS" && row.expected == "101") {
            let path = row.path.replace("{channel}", id(&room)).replace("{token}", &ada.access_token);
            let address = format!("{}{path}", ada.address.http().replacen("http://", "ws://", 1));
            if path.contains("token=") {
                // An address ends up in logs of proxies.
                assert_eq!(refused(&address).await, Some(403), "{path}");
                continue;
            }
            let mut socket = Socket::open_at(&address).await.unwrap_or_else(|error| panic!("{path}: {error}"));
            if path.contains("/voice/") {
                socket.send(&json!({ "op": "identify", "d": { "token": ada.access_token } })).await;
                assert_eq!(socket.closed().await, Some(4016), "{path}: that channel is not for talking");
                continue;
            }
            socket.identify(&ada.access_token).await;
            socket.send(&json!({ "op": "send", "d": { "channel_id": id(&room), "content": path, "nonce": path } })).await;
            assert_eq!(socket.frame("ack").await["d"]["message"]["content"], path);
        }
    }
}

/// An operator may let clients in that can say their token only in the address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_in_the_address_counts_where_the_operator_says_so() {
    let mut world = World::embedded_with(&[("CONFAB_SOCKET_TOKEN_IN_URL", "on")]).await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let room = ada.create_channel("room", "public", 201).await;
    bob.join(id(&room), 200).await;
    let base = ada.address.http().replacen("http://", "ws://", 1);
    let path = format!("{base}/api/ws/{}", id(&room));
    let mut socket = Socket::open_at(&format!("{path}?token={}", ada.access_token)).await.unwrap();
    let ready = socket.frame("ready").await;
    assert_eq!(ready["d"]["user"]["id"], ada.id);
    let posted = bob.post(id(&room), "by the old way", 201).await;
    assert_eq!(socket.event("new_message").await["d"]["id"], posted["id"]);
    let mut socket = Socket::open_at(&format!("{path}?token=no-such-token")).await.unwrap();
    assert_eq!(socket.closed().await, Some(4004));
    // Without one, the first frame says it as ever.
    let mut socket = Socket::open_at(&path).await.unwrap();
    socket.identify(&bob.access_token).await;
    assert!(!world.output().contains(&ada.access_token), "the token is in the log");
}

#[test]
fn the_list_is_whole() {
    let rows = rows();
    assert!(rows.len() > 85, "{} rows", rows.len());
    let mut seen: Vec<(&str, &str)> = rows.iter().map(|row| (row.method, row.path)).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), rows.len(), "a path stands twice");
}

/// The refusing status of a handshake.
async fn refused(address: &str) -> Option<u16> {
    match connect_async(address).await {
        Err(Error::Http(response)) => Some(response.status().as_u16()),
        Err(error) => panic!("the handshake failed otherwise: {error}"),
        Ok(_) => None,
    }
}

/// What of an answer must be the same: status, kind and the names and types of its fields.
fn answer(reply: &Reply) -> String {
    let kind = reply.header("content-type");
    let shape =
        if kind.contains("json") && !reply.text.is_empty() { shape(&reply.body()) } else { Value::Null };
    format!("{} {kind} {shape}", reply.status)
}

fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(name, field)| (name.clone(), shape(field))).collect(),
        Value::Array(items) => items.first().map(shape).into_iter().collect(),
        Value::String(_) => json!("text"),
        Value::Number(_) => json!("number"),
        Value::Bool(_) => json!("bool"),
        Value::Null => Value::Null,
    }
}

/// Fresh things for one call: two calls of the same operation must find the same situation.
struct Scene<'a> {
    admin: User,
    bob: &'a User,
    things: BTreeMap<&'static str, String>,
}

impl<'a> Scene<'a> {
    async fn new(world: &World, bob: &'a User) -> Self {
        Self { admin: world.admin().await, bob, things: BTreeMap::new() }
    }

    async fn call(&mut self, row: &Row, path: &str) -> Reply {
        const NAMES: [&str; 8] = ["me", "channel", "own", "message", "file", "other", "role", "session"];
        let mut path = path.replace("{member}", &self.bob.id);
        let mut body = body(row).map(str::to_owned);
        for name in NAMES {
            let (open, text) = (format!("{{{name}}}"), body.clone().unwrap_or_default());
            if path.contains(&open) || text.contains(&open) {
                let thing = Box::pin(self.thing(name)).await;
                path = path.replace(&open, &thing);
                body = body.map(|it| it.replace(&open, &thing));
            }
        }
        let method = Method::from_bytes(row.method.as_bytes()).expect("a method");
        let request = self.admin.request(method, &path);
        self.admin.fetch(self.with_body(request, body.as_deref())).await
    }

    fn with_body(&self, request: RequestBuilder, body: Option<&str>) -> RequestBuilder {
        let file =
            |bytes: Vec<u8>, name: &'static str| Form::new().part("file", Part::bytes(bytes).file_name(name));
        match body {
            None => request,
            Some("@text") => request.multipart(file(b"tide table".to_vec(), "tides.txt")),
            Some("@picture") => request.multipart(file(picture(), "boat.png")),
            Some(json) => {
                let json = json
                    .replace("{new}", &confab_protocol::fresh_id().simple().to_string())
                    .replace("{password}", world::ADMIN_PASSWORD)
                    .replace("{refresh}", &self.admin.refresh_token)
                    .replace("{bob}", &self.bob.id);
                request.header("content-type", "application/json").body(json)
            }
        }
    }

    async fn thing(&mut self, name: &'static str) -> String {
        if let Some(known) = self.things.get(name) {
            return known.clone();
        }
        let (admin, bob, new) =
            (self.admin.clone(), self.bob, confab_protocol::fresh_id().simple().to_string());
        let made = match name {
            "me" => admin.id.clone(),
            "channel" => {
                let channel = admin.create_channel(&format!("quay {new}"), "public", 201).await;
                bob.join(id(&channel), 200).await;
                admin.post(id(&channel), "high tide", 201).await;
                admin.post(id(&channel), "low tide", 201).await;
                id(&channel).to_owned()
            }
            "own" => {
                let channel = bob.create_channel(&format!("quay {new}"), "public", 201).await;
                admin.join(id(&channel), 200).await;
                id(&channel).to_owned()
            }
            "message" => {
                let channel = Box::pin(self.thing("channel")).await;
                let message = admin.post(&channel, "slack water", 201).await;
                admin.react(id(&message), "wave", 204).await;
                id(&message).to_owned()
            }
            "file" => {
                let request = admin.request(Method::POST, "/api/v1/files/upload");
                let reply = admin.fetch(self.with_body(request, Some("@text"))).await;
                id(&reply.body()).to_owned()
            }
            "other" => {
                let form = json!({ "username": format!("other-{new}") });
                id(&admin.send(Method::POST, "/api/v1/auth/users", Some(&form), 201).await["user"]).to_owned()
            }
            "role" => {
                let form = json!({ "name": format!("role-{new}"), "permissions": [] });
                id(&admin.send(Method::POST, "/api/v1/auth/roles", Some(&form), 201).await).to_owned()
            }
            _ => {
                let other = User::log_in(world::ADMIN, world::ADMIN_PASSWORD, &admin.address).await;
                let sessions = other.get("/api/v1/auth/sessions", 200).await;
                let own = items(&sessions).iter().find(|it| it["is_current"] == true);
                id(own.unwrap_or(&items(&sessions)[0])).to_owned()
            }
        };
        self.things.insert(name, made.clone());
        made
    }
}

/// What goes with a row's call, by its canonical operation.
fn body(row: &Row) -> Option<&'static str> {
    let path = row.canonical.trim_start_matches("/api/v1");
    Some(match (row.method, path) {
        ("POST", "/auth/register") => {
            r#"{"username":"new-{new}","email":"{new}@example.org","password":"gulls of {new}"}"#
        }
        ("POST", "/auth/login") => r#"{"username":"warden","password":"{password}"}"#,
        ("POST", "/auth/refresh") => r#"{"refresh_token":"{refresh}"}"#,
        ("PUT", "/auth/me" | "/users/me" | "/users/{me}/profile") => r#"{"bio":"Keeps keys"}"#,
        ("PUT", "/auth/me/password") => r#"{"current_password":"{password}","new_password":"{password}"}"#,
        ("POST", "/auth/users") => r#"{"username":"made-{new}","email":"{new}@example.org"}"#,
        ("PUT", "/auth/users/{other}/roles") => r#"{"role_ids":["{role}"]}"#,
        ("POST", "/auth/roles") => r#"{"name":"made-{new}","permissions":[]}"#,
        ("PUT", "/users/me/status") => r#"{"status":"busy"}"#,
        ("PUT", "/users/me/profile-picture") => "@picture",
        ("POST", "/channels") => r#"{"name":"made {new}","description":"Boats"}"#,
        ("PUT", "/channels/{channel}") => r#"{"topic":"Tides"}"#,
        ("POST", "/channels/{channel}/members") => r#"{"user_id":"{other}"}"#,
        ("PUT", "/channels/{channel}/privacy") => r#"{"is_private":true}"#,
        ("PUT", "/channels/{channel}/roles/{member}") => r#"{"role":"admin"}"#,
        ("POST", "/channels/{channel}/messages") => r#"{"content":"ahoy"}"#,
        ("PUT", "/messages/{message}" | "/channels/{channel}/messages/{message}") => r#"{"content":"ebb"}"#,
        ("POST", "/messages/{message}/reactions") => r#"{"emoji":"👋"}"#,
        ("POST", "/files/upload") => "@text",
        ("POST", "/ai/message") => r#"{"content":"when is high tide?"}"#,
        _ => return None,
    })
}

fn picture() -> Vec<u8> {
    let mut png = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(1, 1).write_to(&mut png, image::ImageFormat::Png).expect("a picture");
    png.into_inner()
}
