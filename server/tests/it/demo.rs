//! The demo: the same seed tells the same story.

use serde_json::{Value, json};

use crate::harness::user::{User, id, items};
use crate::harness::{Node, confab};

const SIZE: [&str; 6] = ["--users", "6", "--channels", "4", "--messages", "300"];

/// What a demo is: the command's report, and channels with their messages (who said what), sorted by name.
type Story = (Value, Vec<(String, Vec<(String, String)>)>);

#[tokio::test]
async fn one_seed_tells_one_story() {
    let first = story("1").await;
    assert_eq!(first, story("1").await, "the same seed told two stories");
    assert_ne!(first.1, story("2").await.1, "another seed told the same story");

    let (report, channels) = &first;
    assert_eq!((&report["messages"], &report["channels"]), (&json!(300), &json!(4)), "{report}");
    let shown: usize = channels.iter().map(|(_, messages)| messages.len()).sum();
    assert!((200..=300).contains(&shown), "one person reads {shown} of 300 messages");
}

/// A demo made in an empty folder, as the person sees it whom the command names.
async fn story(seed: &str) -> Story {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let place = data.display().to_string();
    let mut arguments = vec!["demo", "--seed", seed, "--data-dir", &place, "--json"];
    arguments.extend(SIZE);
    let made = confab(folder.path(), &arguments, &[]).await;
    assert_eq!(made.code, 0, "{}", made.said());
    let mut report = made.json();
    report.as_object_mut().expect("a report").remove("seconds");

    let node = Node::start(&data, &[("CONFAB_RATE_LIMITS", "off")]).await;
    let text = |name: &str| report[name].as_str().unwrap_or_default().to_owned();
    let reader = User::log_in(&text("username"), &text("password"), &node.address).await;
    let mut channels = Vec::new();
    for channel in items(&reader.channels(200).await) {
        channels
            .push((channel["name"].as_str().unwrap_or("").to_owned(), messages(&reader, id(channel)).await));
    }
    channels.sort();
    (report, channels)
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
