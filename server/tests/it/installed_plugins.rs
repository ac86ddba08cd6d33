//! Plugins that an administrator installs: what they ask for, what they are granted, what becomes of an update.

use futures_util::StreamExt;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::harness::user::{Reply, User, id, items};
use crate::harness::{both, confab, wait_for, wait_until};

/// The tests' own plugin, built for the second version of the contract.
const MANIFEST: &str = include_str!("../../../plugins/host/tests/hostile.toml");
const COMPONENT: &[u8] = include_bytes!("../../../plugins/host/tests/hostile.wasm");
const PLUGIN: &str = "/api/v1/plugins/chat.confab.hostile";

/// As an author writes it: the hash is the component's.
fn manifest(asks: &str, version: &str) -> String {
    let lines = MANIFEST.lines().filter(|line| !line.starts_with("sha256"));
    let text = lines.collect::<Vec<_>>().join("\n");
    text.replace(r#"permissions = ["messages.post", "storage"]"#, asks).replace("0.1.0", version)
}

pub async fn upload(
    user: &User,
    method: Method,
    path: &str,
    manifest: &str,
    component: &[u8],
    grants: Option<&str>,
) -> Reply {
    let mut form = Form::new().text("manifest", manifest.to_owned());
    if let Some(grants) = grants {
        form = form.text("grants", grants.to_owned());
    }
    let form = form.part("component", Part::bytes(component.to_vec()).file_name("hostile.wasm"));
    let kind = format!("multipart/form-data; boundary={}", form.boundary());
    let (mut stream, mut body) = (form.into_stream(), Vec::new());
    while let Some(part) = stream.next().await {
        body.extend_from_slice(&part.unwrap());
    }
    user.fetch(user.request(method, path).header("content-type", kind).body(body)).await
}

async fn misbehave(user: &User, channel: &str, how: &str, expected: u16) -> Value {
    user.command(channel, &format!("/misbehave {how}"), expected).await
}

both! {
    async fn a_plugin_is_installed_granted_and_updated(world) {
        let (admin, ada) = (world.admin().await, world.user("ada").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        admin.worker_answers().await;
        let both_asked = r#"permissions = ["messages.post", "storage"]"#;
        let first = manifest(both_asked, "0.1.0");
        let plugins = "/api/v1/plugins";
        // Nobody else, no nonsense, nothing that nobody decided.
        assert_eq!(upload(&ada, Method::POST, plugins, &first, COMPONENT, Some("[]")).await.status, 403);
        assert_eq!(upload(&admin, Method::POST, plugins, &first, b"GIF89a", Some("[]")).await.status, 400);
        assert_eq!(upload(&admin, Method::POST, plugins, "[plugin]", COMPONENT, Some("[]")).await.status, 400);
        assert_eq!(upload(&admin, Method::POST, plugins, &first, COMPONENT, None).await.status, 400);
        let more = r#"["messages.read"]"#;
        assert_eq!(upload(&admin, Method::POST, plugins, &first, COMPONENT, Some(more)).await.status, 400);
        assert_eq!(upload(&admin, Method::PUT, PLUGIN, &first, COMPONENT, Some("[]")).await.status, 404);
        let damaged = [COMPONENT, b"more"].concat();
        assert_eq!(upload(&admin, Method::POST, plugins, &first, &damaged, Some("[]")).await.status, 400);
        let looked = upload(&admin, Method::POST, "/api/v1/plugins/check", &first, COMPONENT, None).await;
        assert_eq!((looked.status, &looked.body()["is_known"]), (200, &json!(false)), "{}", looked.text);

        let only_storage = r#"["storage", "events.message-posted"]"#;
        let installed = upload(&admin, Method::POST, plugins, &first, COMPONENT, Some(only_storage)).await;
        assert_eq!(installed.status, 201, "{}", installed.text);
        assert_eq!(installed.body()["grants"], json!(["storage", "events.message-posted"]), "{}", installed.text);
        let path = format!("/api/v1/channels/{harbour}/commands");
        wait_until("every worker to have it", async || {
            ada.call(Method::POST, &path, Some(&json!({ "text": "/misbehave behave" }))).await.status == 200
        }).await;
        let kept = misbehave(&ada, harbour, "keep", 200).await;
        assert_eq!(kept["outcome"], "silent", "{kept}");
        let denied = misbehave(&ada, harbour, "post", 200).await;
        assert!(denied["content"].as_str().unwrap().contains("not permitted"), "{denied}");
        assert!(items(&ada.list(harbour, "", 200).await).iter().all(|it| it["is_bot"] != true));
        wait_until("the denial to be in the audit log", async || {
            let page = admin.get("/api/v1/admin/audit?action=plugin.denied", 200).await;
            items(&page).iter().any(|it| it["detail"]["permission"] == "messages.post")
        }).await;

        // An update that asks for no more goes through; what was not granted stays so.
        let second = upload(&admin, Method::PUT, PLUGIN, &manifest(both_asked, "0.2.0"), COMPONENT, None).await;
        assert_eq!(second.status, 200, "{}", second.text);
        assert_eq!((&second.body()["version"], &second.body()["grants"]), (&json!("0.2.0"), &json!(["storage", "events.message-posted"])));
        // One that asks for more waits, and the old one goes on.
        let greedy = r#"permissions = ["messages.post", "storage", "channels.create"]"#;
        let third = upload(&admin, Method::POST, plugins, &manifest(greedy, "0.3.0"), COMPONENT, None).await;
        let third = (third.status, third.body());
        assert_eq!((third.0, &third.1["version"], &third.1["waiting"]["version"]), (201, &json!("0.2.0"), &json!("0.3.0")));
        assert_eq!(third.1["waiting"]["asks_newly"][0]["name"], "channels.create");
        misbehave(&ada, harbour, "keep", 200).await;
        let grants = json!({ "grants": ["storage", "messages.post"], "accept_update": true });
        ada.send(Method::PUT, &format!("{PLUGIN}/grants"), Some(&grants), 403).await;
        let accepted = admin.send(Method::PUT, &format!("{PLUGIN}/grants"), Some(&grants), 200).await;
        assert_eq!((&accepted["version"], accepted.get("waiting")), (&json!("0.3.0"), None), "{accepted}");
        admin.send(Method::PUT, &format!("{PLUGIN}/grants"), Some(&grants), 409).await;
        wait_for("the new grants to hold", async || {
            let answer = misbehave(&ada, harbour, "post", 200).await;
            (answer["outcome"] == "silent").then_some(())
        }).await;
    }

    async fn a_plugin_is_set_stopped_by_its_failures_and_removed(world) {
        let (admin, ada) = (world.admin().await, world.user("ada").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        admin.worker_answers().await;
        let all = r#"["storage", "messages.post", "events.message-posted"]"#;
        let text = manifest(r#"permissions = ["messages.post", "storage"]"#, "0.1.0");
        let installed = upload(&admin, Method::POST, "/api/v1/plugins", &text, COMPONENT, Some(all)).await;
        assert_eq!(installed.status, 201, "{}", installed.text);
        // One that the plugin refuses switches it off, with its reason.
        let unknown = json!({ "settings": { "colour": "red" } });
        admin.send(Method::PUT, &format!("{PLUGIN}/config"), Some(&unknown), 400).await;
        let refused = json!({ "settings": { "mood": "refusing" } });
        let off = admin.send(Method::PUT, &format!("{PLUGIN}/config"), Some(&refused), 200).await;
        assert_eq!(off["enabled"], json!(false), "{off}");
        assert!(off["disabled_reason"].as_str().unwrap().contains("I do not like these settings"), "{off}");
        wait_until("no worker to run it", async || {
            ada.call(Method::POST, &format!("/api/v1/channels/{harbour}/commands"), Some(&json!({ "text": "/misbehave keep" }))).await.status == 404
        }).await;
        let fine = json!({ "settings": { "mood": null } });
        admin.send(Method::PUT, &format!("{PLUGIN}/config"), Some(&fine), 200).await;
        let on = admin.send(Method::PUT, &format!("{PLUGIN}/enable"), None, 200).await;
        assert_eq!(on["enabled"], json!(true), "{on}");
        // Five failures are too many: it is stopped everywhere, and the log says why.
        wait_until("it to be stopped", async || {
            ada.call(Method::POST, &format!("/api/v1/channels/{harbour}/commands"), Some(&json!({ "text": "/misbehave panic" }))).await;
            admin.get(PLUGIN, 200).await["enabled"] == json!(false)
        }).await;
        let shown = admin.get(PLUGIN, 200).await;
        assert!(shown["disabled_reason"].as_str().unwrap().contains("failed 5 times"), "{shown}");
        wait_until("the panic to be in its log", async || {
            let log = admin.get(&format!("{PLUGIN}/logs"), 200).await;
            items(&log).iter().any(|it| it["content"].as_str().unwrap().contains("I give up."))
        }).await;
        ada.get(&format!("{PLUGIN}/logs"), 403).await;

        admin.send(Method::DELETE, PLUGIN, None, 204).await;
        admin.get(PLUGIN, 404).await;
        admin.send(Method::DELETE, "/api/v1/plugins/chat.confab.dice", None, 409).await;
        let page = admin.get("/api/v1/admin/audit?action=plugin.removed", 200).await;
        assert_eq!(items(&page).len(), 1, "{page}");
    }
}

#[tokio::test]
async fn an_operator_installs_switches_and_removes_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let run = async |arguments: &[&str]| {
        let arguments = [&["--data-dir", "data", "--json"][..], arguments].concat();
        confab(folder.path(), &arguments, &[]).await
    };
    assert_eq!(run(&["migrate", "up"]).await.code, 0);
    let project = folder.path().join("hostile");
    std::fs::create_dir(&project).unwrap();
    let text = manifest(r#"permissions = ["messages.post", "storage"]"#, "0.1.0");
    std::fs::write(project.join("plugin.toml"), text.replace("chat.confab.hostile", "org.example.hostile"))
        .unwrap();
    std::fs::write(project.join("hostile.wasm"), COMPONENT).unwrap();

    let too_much = run(&["plugin", "install", "hostile", "--grant", "storage,http.fetch"]).await;
    assert!(too_much.code != 0 && too_much.stderr.contains("http.fetch"), "{}", too_much.said());
    let installed = run(&["plugin", "install", "hostile", "--grant", "storage"]).await;
    assert_eq!(installed.code, 0, "{}", installed.said());
    let id = "org.example.hostile";
    for (verb, enabled) in [("disable", false), ("enable", true)] {
        assert_eq!(run(&["plugin", verb, id]).await.code, 0);
        let listed = run(&["plugin", "list"]).await.json();
        let plugin = &listed["items"][0];
        assert_eq!((&plugin["id"], &plugin["enabled"]), (&json!(id), &json!(enabled)), "{listed}");
        assert_eq!(plugin["grants"], json!(["storage"]), "{listed}");
    }
    let log = run(&["plugin", "logs", id]).await;
    assert_eq!((log.code, log.stdout.as_str()), (0, ""), "it has never run: {}", log.said());
    for unknown in [["plugin", "logs", "org.example.none"], ["plugin", "enable", "org.example.none"]] {
        assert_eq!(run(&unknown).await.code, 1);
    }
    assert_eq!(run(&["plugin", "remove", id]).await.code, 0);
    assert_eq!(run(&["plugin", "list"]).await.json()["items"], json!([]));
    assert_eq!(run(&["plugin", "remove", id]).await.code, 1);
}
