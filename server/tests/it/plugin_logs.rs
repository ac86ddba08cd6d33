//! `confab plugin logs`, beside a running server.

use std::process::{Command, Stdio};
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::harness::command::{clean, confab_program};
use crate::harness::process::{Ending, Process};
use crate::harness::user::{User, id};
use crate::harness::{World, both, confab, wait_for, wait_until};
use crate::installed_plugins::upload;

/// The tests' own plugin, which says something when it panics.
const MANIFEST: &str = include_str!("../../../plugins/host/tests/hostile.toml");
const COMPONENT: &[u8] = include_bytes!("../../../plugins/host/tests/hostile.wasm");
const ID: &str = "chat.confab.hostile";
const LAST_WORDS: &str = "I give up.";

/// `confab plugin logs -f`, for whoever runs the server.
fn following(world: &World) -> Command {
    let settings = world.settings();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (&**name, &**value)).collect();
    let folder = world.nodes[0].data.parent().unwrap();
    let mut command = clean(confab_program(), folder, &settings);
    command.args(["plugin", "logs", "-f", ID]);
    command
}

fn follow(world: &World) -> Process {
    Process::start("confab plugin logs", following(world), Ending::Kill)
}

async fn logs_of(world: &World, id: &str) -> (i32, String) {
    let settings = world.settings();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (&**name, &**value)).collect();
    let folder = world.nodes[0].data.parent().unwrap();
    let done = confab(folder, &["plugin", "logs", id], &settings).await;
    (done.code, done.stdout)
}

async fn code_of(process: &mut Process) -> Option<i32> {
    wait_for("it to end", async || process.exited()).await.code()
}

async fn panics(ada: &User, channel: &str) {
    ada.command(channel, "/misbehave panic", 409).await;
}

both! {
    async fn an_operator_follows_what_a_plugin_says(world) {
        let (admin, ada) = (world.admin().await, world.user("ada").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        admin.worker_answers().await;
        let installed = upload(&admin, Method::POST, "/api/v1/plugins", MANIFEST, COMPONENT, Some("[]")).await;
        assert_eq!(installed.status, 201, "{}", installed.text);
        let path = format!("/api/v1/channels/{harbour}/commands");
        wait_until("every worker to have it", async || {
            ada.call(Method::POST, &path, Some(&json!({ "text": "/misbehave behave" }))).await.status == 200
        }).await;
        assert_eq!(logs_of(world, ID).await, (0, String::new()));
        assert_eq!(logs_of(world, "org.example.none").await.0, 1);

        // What is said from now on, each line once, whoever started first.
        let mut early = follow(world);
        panics(&ada, harbour).await;
        early.line_with(LAST_WORDS).await;
        let mut late = follow(world);
        late.line_with(LAST_WORDS).await;
        panics(&ada, harbour).await;
        for one in [&early, &late] {
            wait_until("all of it to be shown, each line once", async || {
                let (code, said) = logs_of(world, ID).await;
                code == 0 && said.matches(LAST_WORDS).count() >= 2 && one.output() == said.trim_end()
            }).await;
        }

        // Interrupted or asked to stop, it ends in order.
        early.terminate();
        assert_eq!(code_of(&mut early).await, Some(0), "{}", early.output());
        late.interrupt();
        assert_eq!(code_of(&mut late).await, Some(0), "{}", late.output());

        // As it does when nobody reads any more, though nothing else is said.
        let mut command = tokio::process::Command::from(following(world));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.next_line().await.unwrap().is_some());
        drop(lines);
        let ended = tokio::time::timeout(Duration::from_mins(1), child.wait_with_output()).await.unwrap().unwrap();
        let complaint = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!((ended.status.code(), complaint.as_str()), (Some(0), ""));

        // And when the plugin is gone.
        let mut orphan = follow(world);
        orphan.line_with(LAST_WORDS).await;
        admin.send(Method::DELETE, &format!("/api/v1/plugins/{ID}"), None, 204).await;
        assert_eq!(code_of(&mut orphan).await, Some(1), "{}", orphan.output());
    }
}
