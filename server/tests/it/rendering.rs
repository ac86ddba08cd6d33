//! A message's text as everybody sees it: made once on the server, the same on every path, inert.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::command::sqlite;
use crate::harness::user::{User, id, items};
use crate::harness::{Node, both, wait_until};

fn html(message: &Value) -> &str {
    message["html"].as_str().unwrap_or_default()
}

both! {
    async fn a_text_is_shown_alike_on_every_path(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        ada.create_channel("secrets", "private", 201).await;
        bob.join(id(&channel), 200).await;
        let mut socket = bob.connect().await;

        let text = "**Hi** @bob, see #harbour and #secrets :tada:\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- [x] done\n\n```rust\nlet x = 1 < 2; // @bob\n```";
        let posted = ada.post(id(&channel), text, 201).await;
        let shown = html(&posted);
        for part in [
            "<p dir=\"auto\"><strong>Hi</strong> <span class=\"mention\" data-user-id=\"",
            &format!("data-user-id=\"{}\">@bob</span>", bob.id),
            &format!("<a href=\"/channels/{0}\" class=\"channel-link\" data-channel-id=\"{0}\"", id(&channel)),
            "and #secrets 🎉</p>",
            "<th dir=\"auto\">a</th>",
            "<li class=\"task\" dir=\"auto\"><input type=\"checkbox\" disabled=\"\" checked=\"\"> done</li>",
            "<code class=\"language-rust\">let x = 1 &lt; 2; // @bob\n</code>",
        ] {
            assert!(shown.contains(part), "{part} is not in {shown}");
        }
        assert_eq!(posted["mentions"], json!([bob.id]));
        assert_eq!(posted["content"], text);
        let event = socket.event("new_message").await;
        assert_eq!(html(&event["d"]), shown);
        assert_eq!(html(&bob.read(id(&posted), 200).await), shown);
        let page = bob.list(id(&channel), "", 200).await;
        assert_eq!(html(items(&page).last().unwrap()), shown);

        let edited = ada.edit(id(&posted), "now `plain`", 200).await;
        assert_eq!(html(&edited), "<p dir=\"auto\">now <code>plain</code></p>");
        assert_eq!(html(&socket.event("message_update").await["d"]), html(&edited));
        ada.delete(id(&posted), 204).await;
        let gone = bob.read(id(&posted), 200).await;
        assert!(gone.get("html").is_none(), "{gone}");
        assert!(!bob.list(id(&channel), "", 200).await.to_string().contains("now <code>"));
    }

    async fn hostile_texts_are_inert_and_quick(world) {
        let ada = world.user("ada").await;
        let channel = ada.create_channel("harbour", "public", 201).await;
        for text in [
            "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg><style><img src=x onerror=alert(1)></style></svg>",
            "[x](javascript:alert(1)) [y](data:text/html,x) <a href=\"javascript:alert(1)\">z</a>", "<p style=\"position:fixed\">x</p>",
            "<math><mtext><table><mglyph><style><img src onerror=alert(1)>", "![x](https://e.org/p.png \"onerror=alert(1)\")",
        ] {
            let posted = ada.post(id(&channel), text, 201).await;
            let shown = html(&posted);
            // Inside a tag: what is escaped is only text.
            let tags: Vec<&str> = shown.split('<').skip(1).filter_map(|it| it.split('>').next()).collect();
            for bad in ["script", "img", "svg", "math", "style", "javascript", "data:", "onerror"] {
                assert!(!tags.iter().any(|tag| tag.contains(bad)), "{text} became {shown}");
            }
        }
        let link = ada.post(id(&channel), "[pay\u{200B}pal](https://pay\u{200B}pal.example/) \u{202E}gpj", 201).await;
        let expected = "<p dir=\"auto\"><a href=\"https://paypal.example/\" target=\"_blank\" dir=\"auto\" rel=\"noopener noreferrer nofollow\">paypal</a> gpj</p>";
        assert_eq!(html(&link), expected);

        let wide = format!("{}\n{}\n{}", "|".repeat(5_000), "|-".repeat(2_500), "|\n".repeat(2_900));
        for text in [">".repeat(5_000), "> ".repeat(5_000), "[".repeat(5_000), "*a_".repeat(5_000), "&".repeat(16_000), wide] {
            let posted = ada.post(id(&channel), &text, 201).await;
            let (shown, nested) = (html(&posted), html(&posted).matches("<blockquote").count());
            assert!(!shown.is_empty() && shown.len() < 256 * 1_024 && nested <= 32, "{} bytes, {nested} deep", shown.len());
        }
        ada.post(id(&channel), &">".repeat(16_001), 400).await;
        ada.post(id(&channel), "a\0b", 400).await;
    }
}

/// What an import brings is stored without HTML: it is rendered when it is read, and kept a moment later.
#[tokio::test]
async fn an_older_message_is_rendered_when_read_and_then_kept() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut node = Node::start(&data, &crate::harness::world::common()).await;
    let ada = User::enter("ada", &node.address).await;
    let channel = ada.create_channel("harbour", "public", 201).await;
    let posted = ada.post(id(&channel), "**old** @ada", 201).await;
    let deleted = ada.post(id(&channel), "gone", 201).await;
    ada.delete(id(&deleted), 204).await;
    node.stop().await;
    let record = data.join("confab.db");
    sqlite(&record, "update messages set html = null");
    node.restart().await;

    let expected = html(&posted).to_owned();
    assert_eq!(html(&ada.read(id(&posted), 200).await), expected);
    wait_until("the message to be kept as HTML", async || {
        sqlite(&record, "select count(*) from messages where html is null and deleted_at is null").trim()
            == "0"
    })
    .await;
    assert_eq!(html(&ada.read(id(&posted), 200).await), expected);
    assert_eq!(sqlite(&record, "select count(*) from messages where html is not null").trim(), "1");
    assert!(
        ada.call(Method::GET, &format!("/api/v1/messages/{}", id(&deleted)), None)
            .await
            .body()
            .get("html")
            .is_none()
    );
}
