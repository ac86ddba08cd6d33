//! The demo: the same seed tells the same story.

use reqwest::Method;
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

#[tokio::test]
async fn a_new_workspace_can_begin_with_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut node = Node::start(&folder.path().join("data"), &[("CONFAB_RATE_LIMITS", "off")]).await;
    let line = node.line_with("Set up: http://").await;
    let token = line.split_once("/setup#").expect("a link").1.split_whitespace().next().unwrap_or_default();
    let visitor = User::visitor(&node.address);
    let form = json!({ "token": token, "username": "ada", "email": "ada@example.org", "password": "a first and lasting secret" });
    let ada = visitor.send(Method::POST, "/api/v1/setup", Some(&form), 201).await;
    let ada = visitor.signed_in("ada", &ada);
    // Asked for twice at once, there is one.
    let ask = || ada.call(Method::POST, "/api/v1/admin/demo", None);
    let (one, other) = tokio::join!(ask(), ask());
    let (made, refused) = if one.status == 201 { (one, other) } else { (other, one) };
    assert_eq!((made.status, refused.status), (201, 409), "{} {}", made.text, refused.text);
    let read = |text: &str| serde_json::from_str::<Value>(text).expect("a JSON text");
    let (made, refused) = (read(&made.text), read(&refused.text));
    assert!(
        ["demo_exists", "workspace_in_use"].contains(&refused["code"].as_str().unwrap_or_default()),
        "{refused}"
    );
    assert_eq!((&made["message_count"], &made["channel_count"]), (&json!(600), &json!(6)), "{made}");

    let channels = ada.channels(200).await;
    let mine: Vec<&Value> = items(&channels).iter().filter(|it| it["role"].is_string()).collect();
    assert!(mine.len() >= 8, "those of everybody, and those of the demo: {channels}");
    assert!(mine.iter().any(|it| it["message_count"].as_i64() > Some(20)), "{channels}");
    let users = ada.get("/api/v1/users?limit=100", 200).await;
    for user in items(&users).iter().filter(|it| it["username"] != "ada").take(5) {
        let form = json!({ "username": user["username"], "password": "confab-demo" });
        visitor.send(Method::POST, "/api/v1/auth/login", Some(&form), 401).await;
    }
    let noted = ada.get("/api/v1/admin/audit?action=data.imported", 200).await;
    assert_eq!(items(&noted)[0]["detail"], json!({ "from": "demo" }), "{noted}");
    // The others are here now.
    let again = ada.send(Method::POST, "/api/v1/admin/demo", None, 409).await;
    assert_eq!(again["code"], "workspace_in_use");
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
