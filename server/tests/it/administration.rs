//! What whoever watches over the server can have done again: the search index, and what a consumer gave up on.

use reqwest::Method;
use serde_json::json;

use crate::harness::command::sqlite;
use crate::harness::user::{User, id, items};
use crate::harness::{Node, World, both, confab, wait_until};

const REINDEX: &str = "/api/v1/admin/reindex";
const DEAD_LETTERS: &str = "/api/v1/admin/dead-letters";
/// The id of a letter, as it stands in paths and in SQLite.
const LETTER: &str = "0198c0de-0000-7000-8000-000000000001";
const LETTER_IN_SQLITE: &str = "x'0198c0de000070008000000000000001'";

async fn retry(user: &User, letter: &str, expected: u16) -> serde_json::Value {
    user.send(Method::POST, &format!("{DEAD_LETTERS}/{letter}/retry"), None, expected).await
}

/// Where the log was when the index that answers was begun; `None` while another is being built.
async fn origin(admin: &User) -> Option<i64> {
    let stats = admin.get("/api/v1/admin/stats", 200).await;
    let index = &stats["index"];
    if let Some(building) = index["building"].as_object() {
        assert!(building["done"].as_u64() <= building["total"].as_u64(), "{stats}");
        return None;
    }
    index["origin"].as_i64()
}

async fn found(user: &User, count: usize) {
    let what = format!("{} to find {count}", user.name);
    wait_until(&what, async || items(&user.search("gull", 200).await).len() == count).await;
}

/// How often the audit log tells of an action.
async fn noted(admin: &User, action: &str) -> usize {
    let page = admin.get(&format!("/api/v1/admin/audit?limit=100&action={action}"), 200).await;
    items(&page).len()
}

async fn reindexed_by_command(world: &mut World) {
    let settings = world.settings();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (&**name, &**value)).collect();
    let folder = world.nodes[0].data.parent().unwrap().to_owned();
    if !world.is_scaled() {
        let refused = confab(&folder, &["reindex"], &settings).await;
        assert_eq!(refused.code, 4, "the folder belongs to the running server: {}", refused.said());
        world.nodes[0].stop().await;
    }
    let done = confab(&folder, &["--json", "reindex"], &settings).await;
    let when = if world.is_scaled() { "now" } else { "at_start" };
    assert_eq!((done.code, done.json()), (0, json!({ "reindex": when })), "{}", done.said());
    if !world.is_scaled() {
        assert!(!world.nodes[0].data.join("index").exists());
        world.nodes[0].restart().await;
    }
}

both! {
    async fn the_index_is_built_anew_while_it_answers(world) {
        let (ada, admin) = (world.user("ada").await, world.admin().await);
        let harbour = ada.create_channel("harbour", "public", 201).await;
        for number in 0..5 {
            ada.post(id(&harbour), &format!("gull number {number}"), 201).await;
        }
        found(&ada, 5).await;
        let before = origin(&admin).await.unwrap();

        world.visitor().send(Method::POST, REINDEX, None, 401).await;
        ada.send(Method::POST, REINDEX, None, 403).await;
        assert_eq!(noted(&admin, "index.rebuilt").await, 0);
        let mut socket = ada.connect().await;
        admin.send(Method::POST, REINDEX, None, 202).await;
        ada.post(id(&harbour), "gull that came meanwhile", 201).await;
        // Clients hear nothing of it: the next thing is the message.
        let heard = socket.events_until(|event| event["t"] == "new_message").await;
        assert_eq!(heard.len(), 1, "{heard:?}");
        wait_until("a new index", async || {
            let hits = items(&ada.search("gull", 200).await).len();
            assert!(matches!(hits, 5 | 6), "{hits} of 5 messages are found meanwhile");
            origin(&admin).await.is_some_and(|now| now > before)
        })
        .await;
        found(&ada, 6).await;
        assert_eq!(noted(&admin, "index.rebuilt").await, 1);

        let before = origin(&admin).await.unwrap();
        reindexed_by_command(world).await;
        let (ada, admin) = (world.user("ada").await, world.admin().await);
        wait_until("another new index", async || origin(&admin).await.is_some_and(|now| now > before)).await;
        found(&ada, 6).await;
        assert_eq!(noted(&admin, "index.rebuilt").await, 2);
    }

    async fn a_retry_needs_a_letter_and_a_watcher(world) {
        let (ada, admin) = (world.user("ada").await, world.admin().await);
        retry(&world.visitor(), LETTER, 401).await;
        retry(&ada, LETTER, 403).await;
        assert_eq!(retry(&admin, LETTER, 404).await["code"], "not_found");
        assert_eq!(noted(&admin, "dead_letter.retried").await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_is_retried_once() {
    let mut world = World::embedded().await;
    let ada = world.user("ada").await;
    let harbour = ada.create_channel("harbour", "public", 201).await;
    ada.post(id(&harbour), "gull", 201).await;
    found(&ada, 1).await;
    // As the index leaves one: no message makes it fail on purpose.
    let node: &mut Node = &mut world.nodes[0];
    node.stop().await;
    let buried = format!(
        "insert into dead_letters (id, consumer, pos, kind, error, attempts, created_at, retried_at)
        select {LETTER_IN_SQLITE}, 'index', max(pos), 'new_message', 'ill', 3, 1, null from events where kind = 'new_message'"
    );
    sqlite(&node.data.join("confab.db"), &buried);
    node.restart().await;

    let (ada, admin) = (world.user("ada").await, world.admin().await);
    assert_eq!(items(&admin.get(DEAD_LETTERS, 200).await)[0]["id"], LETTER);
    retry(&ada, LETTER, 403).await;
    retry(&admin, LETTER, 202).await;
    assert_eq!(retry(&admin, LETTER, 409).await["code"], "already_retried");
    assert_eq!(admin.get(DEAD_LETTERS, 200).await["items"], json!([]));
    assert_eq!(noted(&admin, "dead_letter.retried").await, 1);
    wait_until("the index to have handled it", async || {
        admin.get("/api/v1/admin/stats", 200).await["index"]["lag"] == 0
    })
    .await;
    found(&ada, 1).await;
    assert_eq!(admin.get(DEAD_LETTERS, 200).await["items"], json!([]));
}
