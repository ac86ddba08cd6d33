//! A full disk: refused in clear words, nothing acknowledged is lost, and it goes on when there is room again.

use std::process::Command;

use reqwest::Method;
use serde_json::json;

use crate::harness::command::{clean, confab_program};
use crate::harness::node::Address;
use crate::harness::process::{Ending, Process};
use crate::harness::user::{contents, id, items};
use crate::harness::{User, wait_until};

/// A disk of 32 MiB in a mount namespace of the server's own, 16 MiB of it taken by a file that the test can remove.
const DISK: &str = "mkdir -p data && mount -t tmpfs -o size=32m tmpfs data && head -c 16777216 /dev/zero > data/ballast \
    && exec \"$0\" serve --listen 127.0.0.1:0 --data-dir data";

#[tokio::test]
async fn nothing_acknowledged_is_lost_and_room_heals() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [("CONFAB_RATE_LIMITS", "off"), ("CONFAB_REGISTRATION", "open")];
    let plain = clean(confab_program(), folder.path(), &settings);
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", DISK]).arg(confab_program());
    command.env_clear().current_dir(folder.path());
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut server = Process::start("confab serve on a small disk", command, Ending::Kill);
    let address = Address::in_line(&server.line_with("listening on http://").await);
    let ada = User::enter("ada", &address).await;
    let room = ada.create_channel("room", "public", 201).await;

    let text = "x".repeat(15_000);
    let mut kept = Vec::new();
    let refused = loop {
        let content = format!("{} {text}", kept.len());
        let path = format!("/api/v1/channels/{}/messages", id(&room));
        let reply = ada.call(Method::POST, &path, Some(&json!({ "content": content }))).await;
        match reply.status {
            201 => kept.push(content),
            _ => break reply,
        }
        assert!(kept.len() < 5_000, "the disk never filled");
    };
    assert!(matches!(refused.status, 507 | 503), "{} {}", refused.status, refused.text);
    assert!(refused.text.contains("disk") || refused.text.contains("database"), "{}", refused.text);
    ada.get("/health", 200).await;
    let newest = ada.list(id(&room), "limit=1", 200).await;
    assert_eq!(
        contents(&newest),
        [kept.last().unwrap().as_str()],
        "reading goes on, and the last acknowledged is there"
    );

    let data = folder.path().join("data");
    let inside = format!("/proc/{}/root{}/ballast", server.id(), data.display());
    std::fs::remove_file(inside).unwrap();
    wait_until("the server to take messages again", async || {
        let path = format!("/api/v1/channels/{}/messages", id(&room));
        ada.call(Method::POST, &path, Some(&json!({ "content": "room again" }))).await.status == 201
    })
    .await;
    let mut seen = Vec::new();
    let mut after = 0;
    loop {
        let page = ada.list(id(&room), &format!("limit=100&after_seq={after}"), 200).await;
        let Some(last) = items(&page).last() else { break };
        after = last["seq"].as_i64().unwrap();
        seen.extend(contents(&page).into_iter().map(str::to_owned));
    }
    kept.push("room again".to_owned());
    assert_eq!(seen, kept, "every acknowledged message is there, once, in order, and no other");
}
