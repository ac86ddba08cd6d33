//! Whose a plugin is: signed by its author, checked wherever it is looked at, and told to administrators.

use std::path::Path;

use futures_util::StreamExt;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::harness::user::{Reply, User};
use crate::harness::{World, both, confab};

/// The tests' own plugin.
const MANIFEST: &str = include_str!("../../../plugins/host/tests/hostile.toml");
const COMPONENT: &[u8] = include_bytes!("../../../plugins/host/tests/hostile.wasm");
const PLUGINS: &str = "/api/v1/plugins";
const PLUGIN: &str = "/api/v1/plugins/chat.confab.hostile";
const GRANTS: &str = r#"["storage"]"#;

fn manifest(version: &str) -> String {
    let lines = MANIFEST.lines().filter(|line| !line.starts_with("sha256"));
    lines.collect::<Vec<_>>().join("\n").replace("0.1.0", version)
}

/// Makes a key; answers its fingerprint.
async fn keygen(folder: &Path, name: &str) -> String {
    let made = confab(folder, &["--json", "plugin", "keygen", name], &[]).await;
    assert_eq!(made.code, 0, "{}", made.said());
    made.json()["key"].as_str().unwrap().to_owned()
}

/// What `confab plugin sign` writes for this version.
async fn sign(folder: &Path, key: &str, version: &str) -> String {
    let project = folder.join(format!("{version}-by-{key}"));
    std::fs::create_dir_all(&project).unwrap();
    std::fs::write(project.join("plugin.toml"), manifest(version)).unwrap();
    std::fs::write(project.join("hostile.wasm"), COMPONENT).unwrap();
    let signed = confab(folder, &["plugin", "sign", project.to_str().unwrap(), "--key", key], &[]).await;
    assert_eq!(signed.code, 0, "{}", signed.said());
    std::fs::read_to_string(project.join("plugin.sig")).unwrap()
}

async fn upload(
    by: &User,
    method: Method,
    path: &str,
    version: &str,
    signature: Option<&str>,
    grants: Option<&str>,
) -> Reply {
    // As a browser sends a text: its lines end otherwise.
    let mut form = Form::new().text("manifest", manifest(version).replace('\n', "\r\n"));
    for (name, text) in [("signature", signature), ("grants", grants)] {
        if let Some(text) = text {
            form = form.text(name, text.to_owned());
        }
    }
    let form = form.part("component", Part::bytes(COMPONENT).file_name("hostile.wasm"));
    let kind = format!("multipart/form-data; boundary={}", form.boundary());
    let (mut stream, mut body) = (form.into_stream(), Vec::new());
    while let Some(part) = stream.next().await {
        body.extend_from_slice(&part.unwrap());
    }
    by.fetch(by.request(method, path).header("content-type", kind).body(body)).await
}

async fn update(by: &User, version: &str, signature: Option<&str>) -> Value {
    let reply = upload(by, Method::PUT, PLUGIN, version, signature, None).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.body()
}

both! {
    async fn an_update_by_another_hand_waits(world) {
        let (admin, folder) = (world.admin().await, tempfile::tempdir().unwrap());
        let folder = folder.path();
        admin.worker_answers().await;
        let (mine, other) = (keygen(folder, "mine.pem").await, keygen(folder, "other.pem").await);
        assert_ne!(mine, other);
        let check = format!("{PLUGINS}/check");
        let looked = upload(&admin, Method::POST, &check, "0.1.0", None, None).await;
        assert_eq!((looked.status, &looked.body()["signature"]), (200, &json!({ "state": "unsigned" })), "{}", looked.text);
        let first = sign(folder, "mine.pem", "0.1.0").await;
        let looked = upload(&admin, Method::POST, &check, "0.1.0", Some(&first), None).await;
        assert_eq!((looked.status, &looked.body()["signature"]), (200, &json!({ "state": "signed", "key": mine })), "{}", looked.text);
        // A signature of something else, and what is none.
        for path in [check.as_str(), PLUGINS] {
            let wrong = upload(&admin, Method::POST, path, "0.1.1", Some(&first), Some(GRANTS)).await;
            assert_eq!((wrong.status, &wrong.body()["code"]), (403, &json!("wrong_signature")), "{}", wrong.text);
            let none = upload(&admin, Method::POST, path, "0.1.0", Some("[signature]\nkey = \"AAAA\"\n"), Some(GRANTS)).await;
            assert_eq!((none.status, &none.body()["errors"][0]["field"]), (400, &json!("signature")), "{}", none.text);
        }
        admin.get(PLUGIN, 404).await;

        let installed = upload(&admin, Method::POST, PLUGINS, "0.1.0", Some(&first), Some(GRANTS)).await;
        assert_eq!((installed.status, &installed.body()["signature"]["key"]), (201, &json!(mine)), "{}", installed.text);
        // By the same hand an update goes through; by another, or by none, it waits.
        let second = update(&admin, "0.2.0", Some(&sign(folder, "mine.pem", "0.2.0").await)).await;
        assert_eq!((&second["version"], &second["signature"]["key"]), (&json!("0.2.0"), &json!(mine)), "{second}");
        let unsigned = update(&admin, "0.3.0", None).await;
        let waiting = &unsigned["waiting"];
        assert_eq!((&unsigned["version"], &waiting["version"]), (&json!("0.2.0"), &json!("0.3.0")), "{unsigned}");
        assert_eq!((&waiting["changes_signer"], &waiting["asks_newly"]), (&json!(true), &json!([])), "{waiting}");
        assert_eq!(waiting["signature"], json!({ "state": "unsigned" }), "{waiting}");
        let by_other = update(&admin, "0.4.0", Some(&sign(folder, "other.pem", "0.4.0").await)).await;
        assert_eq!((&by_other["version"], &by_other["waiting"]["signature"]["key"]), (&json!("0.2.0"), &json!(other)), "{by_other}");
        let accepted = json!({ "grants": ["storage"], "accept_update": true });
        let accepted = admin.send(Method::PUT, &format!("{PLUGIN}/grants"), Some(&accepted), 200).await;
        assert_eq!((&accepted["version"], &accepted["signature"]["key"]), (&json!("0.4.0"), &json!(other)), "{accepted}");
        assert!(accepted.get("waiting").is_none(), "{accepted}");

        let listed = admin.get(PLUGINS, 200).await;
        let dice = crate::harness::user::items(&listed).iter().find(|it| it["id"] == "chat.confab.dice").cloned().unwrap();
        assert_eq!(dice["signature"], json!({ "state": "unsigned" }), "what comes with Confab needs none");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_trusts_keys_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let trusted = keygen(folder, "trusted.pem").await;
    keygen(folder, "other.pem").await;
    let world = World::embedded_with(&[("CONFAB_PLUGIN_TRUSTED_KEYS", &trusted)]).await;
    let admin = world.admin().await;
    admin.worker_answers().await;
    let by_other = sign(folder, "other.pem", "0.1.0").await;
    for (signature, expected) in [(None, 403), (Some(by_other.as_str()), 403)] {
        for path in [format!("{PLUGINS}/check"), PLUGINS.to_owned()] {
            let reply = upload(&admin, Method::POST, &path, "0.1.0", signature, Some(GRANTS)).await;
            assert_eq!(
                (reply.status, &reply.body()["code"]),
                (expected, &json!("untrusted_plugin")),
                "{}",
                reply.text
            );
        }
    }
    let signed = sign(folder, "trusted.pem", "0.1.0").await;
    let reply = upload(&admin, Method::POST, PLUGINS, "0.1.0", Some(&signed), Some(GRANTS)).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    // What comes with Confab is trusted as Confab is.
    assert_eq!(admin.get("/api/v1/plugins/chat.confab.dice", 200).await["enabled"], json!(true));
}

#[tokio::test]
async fn an_author_signs_and_the_command_line_says_whose_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let run = async |arguments: &[&str]| confab(folder.path(), arguments, &[]).await;
    let key = keygen(folder.path(), "mine.pem").await;
    // Ids of Confab's own change with its versions, and no other way.
    let manifest = |version| manifest(version).replace("chat.confab.hostile", "org.example.hostile");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = folder.path().join("mine.pem").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "nobody else reads it");
    }
    let again = run(&["plugin", "keygen", "mine.pem"]).await;
    assert_eq!(again.code, 1, "nothing is overwritten: {}", again.said());

    let project = folder.path().join("hostile");
    std::fs::create_dir(&project).unwrap();
    std::fs::write(project.join("plugin.toml"), manifest("0.1.0")).unwrap();
    std::fs::write(project.join("hostile.wasm"), COMPONENT).unwrap();
    let unsigned = run(&["--json", "plugin", "check", "hostile"]).await;
    assert_eq!(unsigned.json()["signature"]["state"], "unsigned", "{}", unsigned.said());
    assert_eq!(run(&["plugin", "sign", "hostile", "--key", "hostile/plugin.toml"]).await.code, 2);
    // A file of the folder names it too.
    assert_eq!(run(&["plugin", "sign", "hostile/plugin.toml", "--key", "mine.pem"]).await.code, 0);
    let signed = run(&["plugin", "check", "hostile"]).await;
    assert!(signed.stdout.contains(&format!("signed by {key}")), "{}", signed.said());

    let data = ["--data-dir", "data"];
    let with = |rest: &[&'static str]| [&data[..], rest].concat();
    assert_eq!(run(&with(&["migrate", "up"])).await.code, 0);
    let installed = run(&with(&["plugin", "install", "hostile", "--grant", "all"])).await;
    assert_eq!(installed.code, 0, "{}", installed.said());
    let list = run(&with(&["plugin", "list"])).await;
    assert!(list.stdout.contains(&key), "{}", list.said());

    // Built anew, and not signed anew.
    std::fs::write(project.join("plugin.toml"), manifest("0.2.0")).unwrap();
    let stale = run(&with(&["plugin", "install", "hostile", "--grant", "all"])).await;
    assert!(stale.code != 0 && stale.stderr.contains("signature"), "{}", stale.said());
    std::fs::remove_file(project.join("plugin.sig")).unwrap();
    let other = run(&with(&["plugin", "install", "hostile", "--grant", "all"])).await;
    assert!(other.code != 0 && other.stderr.contains("--new-signer"), "{}", other.said());
    let taken = run(&with(&["plugin", "install", "hostile", "--grant", "all", "--new-signer"])).await;
    assert_eq!(taken.code, 0, "{}", taken.said());
    let list = run(&with(&["--json", "plugin", "list"])).await;
    assert_eq!(list.json()["items"][0]["signature"]["state"], "unsigned", "{}", list.said());
}
