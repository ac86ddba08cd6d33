//! The demo: the same seed tells the same story.

use std::path::Path;

use serde_json::Value;

use crate::harness::user::{User, id, items};
use crate::harness::world::{ADMIN, ADMIN_PASSWORD, common};
use crate::harness::{Node, confab};

const SIZE: [&str; 6] = ["--users", "6", "--channels", "4", "--messages", "300"];

#[tokio::test]
async fn one_seed_tells_one_story() {
    let first = story("1").await;
    assert_eq!(first, story("1").await, "the same seed told two stories");
    assert_ne!(first, story("2").await, "another seed told the same story");
    let messages: usize = first.iter().map(|(_, messages)| messages.len()).sum();
    assert!(messages >= 300, "only {messages} messages");
    assert!(first.len() >= 4, "only {} channels", first.len());
}

/// A demo made in an empty folder, as the API shows it: channels with their messages (who said what), sorted by name.
async fn story(seed: &str) -> Vec<(String, Vec<(String, String)>)> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let place = data.display().to_string();
    let mut arguments = vec!["demo", "--seed", seed, "--data-dir", &place, "--json"];
    arguments.extend(SIZE);
    let made = confab(folder.path(), &arguments, &[]).await;
    assert_eq!(made.code, 0, "{}", made.said());
    made.json();
    told(&data).await
}

async fn told(data: &Path) -> Vec<(String, Vec<(String, String)>)> {
    let mut settings = common();
    // The demo may have made an administrator of its own; then these say nothing.
    settings.extend([("CONFAB_PUBLIC_URL", "http://localhost")]);
    let node = Node::start(data, &settings).await;
    let reader = reader(&node).await;
    let mut channels = Vec::new();
    for channel in items(&reader.channels(200).await) {
        channels
            .push((channel["name"].as_str().unwrap_or("").to_owned(), messages(&reader, id(channel)).await));
    }
    channels.sort();
    channels
}

/// The administrator where the demo left the place free, else somebody new: public channels are open to both.
async fn reader(node: &Node) -> User {
    let visitor = User::visitor(&node.address);
    let form = serde_json::json!({ "username": ADMIN, "password": ADMIN_PASSWORD });
    let reply = visitor.call(reqwest::Method::POST, "/api/v1/auth/login", Some(&form)).await;
    if reply.status == 200 {
        visitor.signed_in(ADMIN, &reply.body())
    } else {
        User::enter("reader", &node.address).await
    }
}

async fn messages(reader: &User, channel: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let mut all = Vec::new();
    let mut after = 0;
    loop {
        let page = reader.list(channel, &format!("after_seq={after}&limit=100"), 200).await;
        all.extend(items(&page).iter().map(|it| (text(&it["sender"]["username"]), text(&it["content"]))));
        let Some(last) = items(&page).last().and_then(|it| it["seq"].as_i64()) else { return all };
        after = last;
    }
}
