//! What version 0.2 of the plugins' contract brought, from outside: a reaction that is refused, suggestions, calls out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::harness::user::{User, id, items};
use crate::harness::{World, both, wait_for, wait_until};
use crate::installed_plugins::upload;

/// The tests' own plugin that keeps a stock of things.
const MANIFEST: &str = include_str!("../../../plugins/host/tests/probe.toml");
const COMPONENT: &[u8] = include_bytes!("../../../plugins/host/tests/probe.wasm");
const PLUGIN: &str = "/api/v1/plugins/chat.confab.probe";
const ALL: &str = r#"["messages.post", "storage", "http.fetch", "assistant.tools"]"#;

async fn install(admin: &User, manifest: &str, grants: &str) {
    admin.worker_answers().await;
    let done = upload(admin, Method::POST, "/api/v1/plugins", manifest, COMPONENT, Some(grants)).await;
    assert_eq!(done.status, 201, "{}", done.text);
    wait_until("every server to know its command", async || {
        let listed = admin.call(Method::GET, "/api/v1/commands", None).await;
        listed.status == 200 && items(&listed.body()).iter().any(|it| it["name"] == "stock")
    })
    .await;
}

/// The manifest with another origin.
fn of_origin(origin: &str) -> String {
    let lines = MANIFEST.lines().filter(|line| !line.starts_with("sha256"));
    lines.collect::<Vec<_>>().join("\n").replace("https://stock.example.org", origin)
}

async fn add_bot(ada: &User, admin: &User, channel: &str) {
    let bot_id = admin.get(PLUGIN, 200).await["bot_id"].as_str().unwrap().to_owned();
    ada.add_member(channel, &User { id: bot_id, ..ada.clone() }, 201).await;
}

both! {
    async fn a_plugin_refuses_a_reaction_of_its_own(world) {
        let (admin, ada, bob) = (world.admin().await, world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        bob.join(harbour, 200).await;
        install(&admin, MANIFEST, ALL).await;
        add_bot(&ada, &admin, harbour).await;
        // It has 50 ms for its say; where a busy machine gave it less, the next sale will tell.
        let (offer, refused) = wait_for("the plugin to refuse a second sale", async || {
            let offer = ada.post(harbour, "an anchor, hardly used", 201).await;
            ada.react(id(&offer), "sold", 204).await;
            wait_for("the plugin to note the sale", async || {
                let thread = ada.thread(id(&offer), 200).await;
                items(&thread).iter().any(|it| it["content"] == "Sold to ada.").then_some(())
            }).await;
            let tried = bob.call(Method::PUT, &format!("/api/v1/messages/{}/reactions/sold", id(&offer)), None).await;
            (tried.status != 204).then_some((offer, tried))
        }).await;
        let path = |code: &str| format!("/api/v1/messages/{}/reactions/{code}", id(&offer));
        assert_eq!(refused.status, 409, "{}", refused.text);
        assert_eq!((&refused.body()["code"], refused.text.contains("This is sold already.")), (&json!("reaction_refused"), true), "{}", refused.text);
        // Others' reactions are not the plugin's to refuse, and what was refused stands nowhere.
        bob.react(id(&offer), "thumbsup", 204).await;
        let shown = bob.read(id(&offer), 200).await;
        let sold = shown["reactions"].as_array().unwrap().iter().find(|it| it["code"] == "sold").unwrap();
        assert_eq!(sold["count"], 1, "{shown}");
        ada.send(Method::DELETE, &path("sold"), None, 204).await;
        wait_until("the plugin to have it back", async || {
            bob.call(Method::PUT, &path("sold"), None).await.status == 204
        }).await;
        // One that is switched off refuses nothing.
        admin.send(Method::PUT, &format!("{PLUGIN}/disable"), None, 200).await;
        wait_until("no worker to ask it", async || {
            ada.call(Method::PUT, &path("sold"), None).await.status == 204
        }).await;
    }

    async fn a_plugin_suggests_values_to_whoever_may_speak_there(world) {
        let (admin, ada, bob) = (world.admin().await, world.user("ada").await, world.user("bob").await);
        let vault = ada.create_channel("vault", "private", 201).await;
        install(&admin, MANIFEST, ALL).await;
        let path = |option: &str, typed: &str| {
            format!("/api/v1/channels/{}/commands/complete?command=stock&option={option}&typed={typed}", id(&vault))
        };
        let values = |page: &Value| items(page).iter().map(|it| it["value"].clone()).collect::<Vec<_>>();
        // The first one also starts it, and may be late for that; then nothing is suggested.
        wait_until("its suggestions", async || {
            values(&ada.get(&path("thing", "an"), 200).await) == ["anchors", "anvils"]
        }).await;
        assert_eq!(values(&ada.get(&path("thing", "zz"), 200).await), Vec::<Value>::new());
        // Where nothing completes there is nothing to suggest.
        assert_eq!(values(&ada.get(&path("colour", "an"), 200).await), Vec::<Value>::new());
        let long = ada.get(&path(&"thing".repeat(13), "an"), 400).await;
        assert_eq!(long["errors"][0]["field"], "option", "{long}");
        bob.get(&path("thing", "an"), 404).await;
    }

    async fn a_plugin_calls_out_only_where_that_was_granted_and_never_inside(world) {
        let (admin, ada) = (world.admin().await, world.user("ada").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let inside = format!("http://{}", listener.local_addr().unwrap());
        let callers = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&callers);
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        install(&admin, &of_origin(&inside), r#"["messages.post", "storage", "assistant.tools"]"#).await;
        let secret = json!({ "settings": { "token": "a secret of the stock" } });
        admin.send(Method::PUT, &format!("{PLUGIN}/config"), Some(&secret), 200).await;
        let denied = ada.command(harbour, "/stock anchors", 200).await;
        assert!(denied["content"].as_str().unwrap().contains("not permitted: http.fetch"), "{denied}");
        wait_until("the denial to be in the audit log", async || {
            let page = admin.get("/api/v1/admin/audit?action=plugin.denied", 200).await;
            items(&page).iter().any(|it| it["detail"]["permission"] == "http.fetch")
        }).await;

        let grants = json!({ "grants": ["messages.post", "http.fetch"] });
        admin.send(Method::PUT, &format!("{PLUGIN}/grants"), Some(&grants), 200).await;
        // The origin was granted, and leads inside: the server's one way out does not go there.
        let refused = wait_for("the grant to hold", async || {
            let answer = ada.command(harbour, "/stock anchors", 200).await;
            (!answer["content"].as_str().unwrap_or_default().contains("not permitted")).then_some(answer)
        }).await;
        assert!(refused["content"].as_str().unwrap().contains("not available now"), "{refused}");
        assert_eq!(callers.load(Ordering::SeqCst), 0, "somebody connected to an inside address");
        let shown = admin.get(PLUGIN, 200).await;
        assert!(!shown.to_string().contains("a secret of the stock"), "{shown}");
    }
}

/// Where an operator lets calls go to one address inside, the call arrives there with the secret, which nobody else sees.
async fn a_granted_call_arrives(scaled: bool) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (heard, mut calls) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0_u8; 4096];
            let read = stream.read(&mut request).await.unwrap_or(0);
            drop(heard.send(String::from_utf8_lossy(&request[..read]).into_owned()));
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n12";
            drop(stream.write_all(answer.as_bytes()).await);
        }
    });
    let settings = [("CONFAB_EGRESS_ALLOW", address.as_str())];
    let mut world =
        if scaled { World::scaled_with(&settings).await } else { World::embedded_with(&settings).await };
    let (admin, ada) = (world.admin().await, world.user("ada").await);
    let channel = ada.create_channel("harbour", "public", 201).await;
    install(&admin, &of_origin(&format!("http://{address}")), ALL).await;
    let secret = json!({ "settings": { "token": "a secret of the stock" } });
    admin.send(Method::PUT, &format!("{PLUGIN}/config"), Some(&secret), 200).await;
    let answer = wait_for("the secret to be known to every worker", async || {
        let answer = ada.command(id(&channel), "/stock anchors", 200).await;
        (answer["content"] == "200: 12").then_some(answer)
    })
    .await;
    assert_eq!(answer["outcome"], "whisper", "{answer}");
    let call = calls.recv().await.unwrap();
    assert!(call.starts_with("GET /level?of=anchors HTTP/1.1\r\n"), "{call}");
    assert!(call.contains("authorization: Bearer a secret of the stock\r\n"), "{call}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_granted_call_arrives_embedded() {
    a_granted_call_arrives(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_granted_call_arrives_scaled() {
    a_granted_call_arrives(true).await;
}
