//! What links lead to: off at first, fetched by the server where it is on, and never from the inside.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::harness::user::{id, items};
use crate::harness::{World, wait_until};

/// A web server that counts its callers and answers by path.
struct Site {
    address: String,
    callers: Arc<AtomicUsize>,
}

impl Site {
    async fn start(inside: Option<&Site>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, callers) = (listener.local_addr().unwrap().to_string(), Arc::new(AtomicUsize::new(0)));
        let (counted, inside) = (callers.clone(), inside.map(|it| it.address.clone()).unwrap_or_default());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let inside = inside.clone();
                tokio::spawn(async move {
                    let mut head = vec![0_u8; 4_096];
                    let read = stream.read(&mut head).await.unwrap_or(0);
                    let head = String::from_utf8_lossy(&head[..read]).into_owned();
                    let path = head.split(' ').nth(1).unwrap_or("/");
                    let _ = stream.write_all(answer(path, &inside).as_bytes()).await;
                });
            }
        });
        Self { address, callers }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn callers(&self) -> usize {
        self.callers.load(Ordering::SeqCst)
    }
}

fn answer(path: &str, inside: &str) -> String {
    let page = |kind: &str, body: &str| {
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let redirect = |to: &str| {
        format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    };
    match path {
        "/tides" => page(
            "text/html",
            "<title>Plain</title><meta property=og:title content='Tide &amp; time'><meta name=description content='When\u{202E} water moves.'>\
            <meta property=og:site_name content=Harbour><meta property=og:image content=http://127.0.0.1/p.png>",
        ),
        "/moved" => redirect("/tides"),
        "/inside" => redirect(&format!("http://{inside}/tides")),
        "/metadata" => redirect("http://169.254.169.254/latest/meta-data/"),
        "/file" => redirect("file:///etc/passwd"),
        "/circle" => redirect("/circle"),
        "/json" => page("application/json", "{\"title\":\"x\"}"),
        _ => page("text/html", "<p>nothing"),
    }
}

async fn previews(world: &World, message: &Value) -> Vec<Value> {
    let admin = world.admin().await;
    admin.read(id(message), 200).await["previews"].as_array().cloned().unwrap_or_default()
}

async fn on(scaled: bool, allowed: &str) -> World {
    let settings = [("CONFAB_LINK_PREVIEWS", "on"), ("CONFAB_EGRESS_ALLOW", allowed)];
    if scaled { World::scaled_with(&settings).await } else { World::embedded_with(&settings).await }
}

async fn links_say_what_they_lead_to(scaled: bool) {
    let inside = Site::start(None).await;
    let site = Site::start(Some(&inside)).await;
    let mut world = on(scaled, &site.address).await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let channel = ada.create_channel("harbour", "public", 201).await;
    bob.join(id(&channel), 200).await;
    let mut socket = bob.connect().await;

    // What must not be fetched, first: it is looked at before the last one, which tells that all were.
    let refused = [
        inside.url("/tides"),
        format!("http://localhost:{}/", inside.address.rsplit(':').next().unwrap()),
        site.url("/inside"),
        site.url("/metadata"),
        site.url("/file"),
        site.url("/circle"),
        site.url("/json"),
        site.url("/nothing"),
        "http://169.254.169.254/".into(),
        "http://[::1]/".into(),
        "http://2130706433/".into(),
        "http://0x7f.1/".into(),
        "http://[::ffff:127.0.0.1]/".into(),
        "http://10.0.0.1/".into(),
        format!("`{}`", site.url("/tides")),
    ];
    let mut silent = Vec::new();
    for text in &refused {
        silent.push(ada.post(id(&channel), text, 201).await);
    }
    let text = format!(
        "{} and {} and {} and {}",
        site.url("/tides"),
        site.url("/moved"),
        site.url("/json"),
        site.url("/tides?4")
    );
    let posted = ada.post(id(&channel), &text, 201).await;
    assert_eq!(posted["previews"], json!([]), "they come a moment later");
    let update = socket.event("message_update").await;
    assert_eq!((&update["d"]["id"], &update["d"]["version"]), (&posted["id"], &posted["version"]));
    let preview = |path: &str| json!({ "url": site.url(path), "title": "Tide & time", "description": "When water moves.", "site_name": "Harbour" });
    assert_eq!(
        update["d"]["previews"],
        json!([preview("/tides"), preview("/moved")]),
        "three are looked at, in their order"
    );
    assert_eq!(bob.read(id(&posted), 200).await["previews"], update["d"]["previews"]);
    assert!(!update.to_string().contains("p.png"), "nothing is loaded from there");

    // Edited, it says what the new links say; deleted, nothing.
    let edited = ada.edit(id(&posted), "no link", 200).await;
    assert_eq!(edited["previews"], json!([]));
    ada.edit(id(&posted), &format!("again {}", site.url("/tides")), 200).await;
    wait_until("the new link's preview", async || previews(&world, &posted).await == [preview("/tides")])
        .await;
    ada.delete(id(&posted), 204).await;
    assert_eq!(bob.read(id(&posted), 200).await["previews"], json!([]));
    let page = bob.list(id(&channel), "limit=100", 200).await;
    assert!(items(&page).iter().all(|it| it["previews"] == json!([])), "{page}");

    for message in &silent {
        assert_eq!(previews(&world, message).await, Vec::<Value>::new(), "{}", message["content"]);
    }
    assert_eq!(inside.callers(), 0, "the inside was reached");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_say_what_they_lead_to_embedded() {
    links_say_what_they_lead_to(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_say_what_they_lead_to_scaled() {
    links_say_what_they_lead_to(true).await;
}

/// Off, and never for bots: their links are not called.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_fetched_unasked() {
    let site = Site::start(None).await;
    let mut off = World::embedded_with(&[("CONFAB_EGRESS_ALLOW", &site.address)]).await;
    let ada = off.user("ada").await;
    let channel = ada.create_channel("harbour", "public", 201).await;
    let posted = ada.post(id(&channel), &site.url("/tides"), 201).await;

    let mut world = on(false, &site.address).await;
    let (eve, admin) = (world.user("eve").await, world.admin().await);
    let room = eve.create_channel("harbour", "public", 201).await;
    let bot = admin
        .send(
            reqwest::Method::POST,
            "/api/v1/auth/users",
            Some(&json!({ "username": "parrot", "is_bot": true })),
            201,
        )
        .await;
    let token = json!({ "name": "t", "scopes": ["read", "write"], "user_id": bot["user"]["id"] });
    let token = admin.send(reqwest::Method::POST, "/api/v1/auth/tokens", Some(&token), 201).await;
    let mut parrot = world.visitor();
    parrot.access_token = token["token"].as_str().unwrap().to_owned();
    parrot.join(id(&room), 200).await;
    let said = parrot.post(id(&room), &format!("[tides]({})", site.url("/tides")), 201).await;
    assert!(said["html"].as_str().unwrap().contains("tides</a><span class=\"host\"> (127.0.0.1"), "{said}");
    // A person's link after it: when that is there, the bot's was passed over.
    let after = eve.post(id(&room), &site.url("/tides"), 201).await;
    wait_until("a person's preview", async || previews(&world, &after).await.len() == 1).await;
    assert_eq!(previews(&world, &said).await, Vec::<Value>::new());
    assert_eq!(previews(&off, &posted).await, Vec::<Value>::new());
    assert_eq!(site.callers(), 1);
}
