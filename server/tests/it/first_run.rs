//! The first minute in an empty folder, and the sentences said when a start is refused.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;

use crate::harness::command::{Outcome, sqlite};
use crate::harness::user::items;
use crate::harness::{Node, User, World, confab};

const PASSWORD: &str = "a first and lasting secret";

#[tokio::test]
async fn an_empty_folder_becomes_a_server_for_whoever_holds_the_link() {
    let folder = folder();
    let data = folder.path().join("data");
    // With limits on, the fifth wrong guess would be the last of the hour.
    let mut node = Node::start(&data, &[("CONFAB_RATE_LIMITS", "off")]).await;
    let line = node.line_with("Set up: http://").await;
    let (address, token) =
        line.split_once("/setup#").expect("the token stands in the fragment, which no log keeps");
    assert!(address.ends_with(&node.address.http()), "{line}");
    let token = token.split_whitespace().next().unwrap().to_owned();

    let visitor = User::visitor(&node.address);
    assert_eq!(visitor.get("/api/v1/info", 200).await["setup_required"], true);
    let form = |token: &str| json!({ "token": token, "username": "ada", "email": "ada@example.org", "password": PASSWORD });
    for wrong in ["", "guess", &format!("{token}x")] {
        let reply = visitor.call(Method::POST, "/api/v1/setup", Some(&form(wrong))).await;
        assert!(matches!(reply.status, 400 | 404), "{wrong:?}: {}", reply.text);
    }
    // Nobody slips in beside the link.
    let register = json!({ "username": "eve", "email": "eve@example.org", "password": PASSWORD });
    visitor.send(Method::POST, "/api/v1/auth/register", Some(&register), 403).await;

    let mut first = form(&token);
    first["workspace_name"] = json!("Harbour & Sons");
    let made = visitor.send(Method::POST, "/api/v1/setup", Some(&first), 201).await;
    assert_eq!(visitor.get("/api/v1/info", 200).await["name"], "Harbour & Sons");
    let ada = visitor.signed_in("ada", &made);
    assert_eq!(made["user"]["is_superuser"], true);
    visitor.send(Method::POST, "/api/v1/setup", Some(&form(&token)), 404).await;
    assert_eq!(visitor.get("/api/v1/info", 200).await["setup_required"], false);

    let channels = ada.channels(200).await;
    let mut names: Vec<&str> = items(&channels).iter().map(|it| it["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["general", "random"]);

    // An invitation lets one person in.
    let invitation =
        ada.send(Method::POST, "/api/v1/auth/invitations", Some(&json!({ "max_uses": 1 })), 201).await;
    assert!(invitation["url"].as_str().unwrap().contains("/register#"), "{invitation}");
    let invited = |name: &str| {
        json!({
            "username": name, "email": format!("{name}@example.org"), "password": PASSWORD, "invitation": invitation["token"],
        })
    };
    let bob = visitor.send(Method::POST, "/api/v1/auth/register", Some(&invited("bob")), 201).await;
    let bob = visitor.signed_in("bob", &bob);
    let second = visitor.call(Method::POST, "/api/v1/auth/register", Some(&invited("carol"))).await;
    assert!(matches!(second.status, 403 | 404 | 410), "{}", second.text);
    bob.send(Method::POST, "/api/v1/auth/invitations", Some(&json!({})), 403).await;

    assert_private(&data);
    node.restart().await;
    ada.get("/api/v1/auth/me", 200).await;
    assert!(!node.output().contains("Set up:"), "a server that has its administrator prints no link");
    assert!(
        !node.output().contains(PASSWORD) && !node.output().contains(&ada.access_token),
        "a secret is in the log"
    );
    assert_eq!(node.stop().await, Some(0), "{}", node.output());
}

#[tokio::test]
async fn a_folder_belongs_to_one_process() {
    let folder = folder();
    let data = folder.path().join("data");
    let node = Node::start(&data, &[]).await;
    let second = serve(folder.path(), &data, &[]).await;
    refused(&second, "in use by another confab");
    drop(node);
}

#[tokio::test]
async fn a_misspelt_setting_is_named() {
    let folder = folder();
    fs::write(folder.path().join("confab.toml"), "listn = \"127.0.0.1:0\"\n").unwrap();
    let outcome = serve(folder.path(), &folder.path().join("data"), &[("CONFAB_REGISTRATON", "open")]).await;
    refused(&outcome, "listn");
    refused(&outcome, "CONFAB_REGISTRATON");
    assert!(!folder.path().join("data").exists(), "a refused start left something behind");
    fs::remove_file(folder.path().join("confab.toml")).unwrap();

    let weak = serve(folder.path(), &folder.path().join("data"), &[("SECRET_KEY", "your-secret-key")]).await;
    refused(&weak, "secret_key");
    let unknown = confab(folder.path(), &["sreve"], &[]).await;
    assert_eq!(unknown.code, 2, "{}", unknown.said());
    let shown =
        confab(folder.path(), &["config", "show", "--json"], &[("CONFAB_LISTEN", "127.0.0.1:9")]).await;
    assert!(
        shown.code == 0 && shown.stdout.contains("127.0.0.1:9") && shown.stdout.contains("CONFAB_LISTEN"),
        "{}",
        shown.said()
    );
    let version = confab(folder.path(), &["version", "--json"], &[]).await;
    assert_eq!(version.json()["version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn what_does_not_answer_is_named() {
    let world = World::scaled().await;
    let settings = world.settings();
    let database =
        &settings.iter().find(|(name, _)| name == "DATABASE_URL").expect("a scaled world has one").1;
    let nats = &settings.iter().find(|(name, _)| name == "NATS_URL").expect("a scaled world has one").1;
    let folder = folder();
    let data = folder.path().join("data");
    let (_held, closed) = crate::harness::closed_port();
    let closed = closed.to_string();

    let url = format!("postgres://confab:hunter2@{closed}/confab");
    let outcome = serve(folder.path(), &data, &[("DATABASE_URL", &url), ("NATS_URL", nats)]).await;
    assert_eq!(outcome.code, 3, "{}", outcome.said());
    assert!(outcome.stderr.contains("PostgreSQL") && outcome.stderr.contains(&closed), "{}", outcome.said());
    assert!(!outcome.said().contains("hunter2"), "the password of the database is shown");

    let outcome =
        serve(folder.path(), &data, &[("DATABASE_URL", database), ("NATS_URL", &format!("nats://{closed}"))])
            .await;
    assert_eq!(outcome.code, 3, "{}", outcome.said());
    assert!(outcome.stderr.contains("NATS") && outcome.stderr.contains(&closed), "{}", outcome.said());
}

#[tokio::test]
async fn pending_migrations_are_a_decision_in_a_cluster() {
    let world = World::scaled().await;
    let settings = world.settings();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (&**name, &**value)).collect();
    let folder = folder();
    let status = confab(folder.path(), &["migrate", "status", "--json"], &settings).await;
    assert_eq!(status.code, 0, "{}", status.said());
    let down = confab(folder.path(), &["migrate", "down", "1"], &settings).await;
    assert_eq!(down.code, 0, "{}", down.said());
    let outcome = serve(folder.path(), &folder.path().join("data"), &settings).await;
    refused(&outcome, "confab migrate up");
    let up = confab(folder.path(), &["migrate", "up"], &settings).await;
    assert_eq!(up.code, 0, "{}", up.said());
}

#[tokio::test]
async fn a_record_of_a_newer_confab_is_left_alone() {
    let folder = folder();
    let data = folder.path().join("data");
    used_once(&data).await;
    let database = data.join("confab.db");
    sqlite(
        &database,
        "insert into _sqlx_migrations select 9999, 'later', installed_on, success, checksum, 0 from _sqlx_migrations limit 1",
    );
    let outcome = serve(folder.path(), &data, &[]).await;
    refused(&outcome, "newer Confab");
    sqlite(&database, "delete from _sqlx_migrations where version = 9999");
    used_once(&data).await;
}

#[tokio::test]
async fn a_damaged_record_is_left_alone() {
    let folder = folder();
    let data = folder.path().join("data");
    used_once(&data).await;
    let database = data.join("confab.db");
    sqlite(&database, "pragma wal_checkpoint(truncate)");
    let mut bytes = fs::read(&database).unwrap();
    for byte in bytes.iter_mut().skip(4_096).take(81_920) {
        *byte ^= 0x5a;
    }
    fs::write(&database, &bytes).unwrap();
    refused(&serve(folder.path(), &data, &[]).await, "damaged");
    fs::write(&database, b"this is no database, it is a letter to whom it may concern").unwrap();
    refused(&serve(folder.path(), &data, &[]).await, "damaged");
    assert_eq!(fs::read(&database).unwrap().len(), 58, "the file was changed");
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Starts a server on `data` and ends it politely.
async fn used_once(data: &Path) {
    let mut node = Node::start(data, &[]).await;
    assert_eq!(node.stop().await, Some(0), "{}", node.output());
}

async fn serve(folder: &Path, data: &Path, settings: &[(&str, &str)]) -> Outcome {
    let data = data.display().to_string();
    confab(folder, &["serve", "--listen", "127.0.0.1:0", "--data-dir", &data], settings).await
}

/// A start that was refused: not 0, and one clear sentence instead of a trace.
fn refused(outcome: &Outcome, words: &str) {
    assert!(matches!(outcome.code, 1..=4), "exit code {}: {}", outcome.code, outcome.said());
    assert!(outcome.stderr.contains(words), "{words:?} was not said: {}", outcome.said());
    assert!(
        !outcome.said().contains("panicked") && !outcome.said().contains("stack backtrace"),
        "{}",
        outcome.said()
    );
}

/// The folder is its owner's alone, and so is every file with a secret in it.
fn assert_private(data: &Path) {
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(data), 0o700);
    let mut secrets = 0;
    for entry in fs::read_dir(data).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.contains("key") || name.contains("secret") {
            assert_eq!(mode(&entry.path()), 0o600, "{name}");
            secrets += 1;
        }
    }
    assert!(secrets > 0, "no file with a secret found in the data folder");
}
