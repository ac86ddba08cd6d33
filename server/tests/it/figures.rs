//! What whoever runs the server is told of it in numbers, the list of channels, and what the workspace is called.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{User, id, in_query, items};
use crate::harness::{both, wait_for, wait_until};

const ACTIVITY: &str = "/api/v1/admin/activity";
const CHANNELS: &str = "/api/v1/admin/channels";
const WEBHOOKS: &str = "/api/v1/admin/webhooks";
const WORKSPACE: &str = "/api/v1/admin/workspace";

fn names(page: &Value) -> Vec<&str> {
    items(page).iter().filter_map(|it| it["name"].as_str()).collect()
}

async fn rating(of: &User, conversation: &str, number: i64, is_helpful: Value, expected: u16) {
    let path = format!("/api/v1/ai/conversations/{conversation}/answers/{number}/rating");
    of.send(Method::PUT, &path, Some(&json!({ "is_helpful": is_helpful })), expected).await;
}

async fn rated(admin: &User) -> (i64, i64) {
    let shown = admin.get("/api/v1/admin/assistant", 200).await;
    (shown["helpful_answers"].as_i64().unwrap(), shown["unhelpful_answers"].as_i64().unwrap())
}

both! {
    async fn whoever_watches_is_told_how_much_is_written_and_how_soon_it_arrives(world) {
        let (ada, admin) = (world.user("ada").await, world.admin().await);
        let harbour = ada.create_channel("harbour", "public", 201).await;
        ada.get(ACTIVITY, 403).await;
        let mut socket = ada.connect().await;
        let first = ada.post(id(&harbour), "the ferry leaves at nine", 201).await;
        ada.post(id(&harbour), "and comes back at noon", 201).await;
        socket.event("new_message").await;
        socket.event("new_message").await;
        ada.delete(id(&first), 204).await;

        // A frame leaves before its time is noted.
        let told = wait_for("both to be counted", async || {
            let told = admin.get(ACTIVITY, 200).await;
            (told["delivery_count"].as_i64() >= Some(2)).then_some(told)
        })
        .await;
        assert_eq!(told["message_count"], 1, "what was deleted is not counted: {told}");
        assert_eq!(told["message_count_week_before"], 0);
        let minutes = told["messages_by_minute"].as_array().unwrap();
        let sum: i64 = minutes.iter().filter_map(Value::as_i64).sum();
        assert_eq!((minutes.len(), sum), (360, 1), "{told}");
        let p99 = told["delivery_p99_ms"].as_f64().unwrap();
        assert!(p99 > 0.0 && p99 < 60_000.0, "{told}");

        for since in ["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "yesterday"] {
            admin.get(&format!("{ACTIVITY}?since={}", in_query(since)), 400).await;
        }
    }

    async fn channels_and_webhooks_that_are_not_open_are_counted_and_never_named(world) {
        let (ada, admin) = (world.user("ada").await, world.admin().await);
        let bob = world.user("bob").await;
        for (name, kind) in [("harbour", "public"), ("vault", "private"), ("quay", "voice")] {
            ada.create_channel(name, kind, 201).await;
        }
        ada.send(Method::POST, "/api/v1/channels/direct", Some(&json!({ "user_ids": [bob.id] })), 201).await;
        for path in [CHANNELS, WEBHOOKS] {
            ada.get(path, 403).await;
        }
        let page = admin.get(CHANNELS, 200).await;
        let open = names(&page);
        assert!(open.contains(&"harbour") && open.contains(&"quay") && !open.contains(&"vault"), "{page}");
        assert!(open.is_sorted(), "{page}");
        assert_eq!((&page["private_count"], &page["conversation_count"]), (&json!(1), &json!(1)), "{page}");
        let short = admin.get(&format!("{CHANNELS}?limit=1"), 200).await;
        let next = in_query(short["next_cursor"].as_str().unwrap());
        let rest = admin.get(&format!("{CHANNELS}?limit=100&cursor={next}"), 200).await;
        assert_eq!([names(&short), names(&rest)].concat(), open);

        let mine = ada.channels(200).await;
        for (name, hook) in [("harbour", "Lighthouse"), ("vault", "Strongbox")] {
            let channel = items(&mine).iter().find(|it| it["name"] == name).unwrap();
            let path = format!("/api/v1/channels/{}/webhooks", id(channel));
            ada.send(Method::POST, &path, Some(&json!({ "name": hook })), 201).await;
        }
        let hooks = admin.get(WEBHOOKS, 200).await;
        assert_eq!(names(&hooks), ["Lighthouse"], "{hooks}");
        let hook = &items(&hooks)[0];
        assert_eq!((&hook["channel_name"], &hook["created_by"]), (&json!("harbour"), &json!("ada")));
        assert!(hook.get("url").is_none() && hook.get("last_used_at").is_none(), "{hook}");
    }

    async fn a_superuser_says_what_the_workspace_is_called(world) {
        let (ada, admin) = (world.user("ada").await, world.admin().await);
        let visitor = world.visitor();
        assert_eq!(visitor.get("/api/v1/info", 200).await["name"], "Confab");
        let form = |name: &str| json!({ "name": name });
        ada.send(Method::PUT, WORKSPACE, Some(&form("Ada's")), 403).await;
        for wrong in ["", "   ", &"x".repeat(61), "Har\u{202e}bour"] {
            admin.send(Method::PUT, WORKSPACE, Some(&form(wrong)), 400).await;
        }
        admin.send(Method::PUT, WORKSPACE, Some(&form("  Harbour & Sons ")), 204).await;
        assert_eq!(visitor.get("/api/v1/info", 200).await["name"], "Harbour & Sons");
        let noted = admin.get("/api/v1/admin/audit?action=policy.changed", 200).await;
        assert_eq!(items(&noted)[0]["detail"]["name"], "Harbour & Sons", "{noted}");
    }

    async fn askers_say_whether_an_answer_helped_and_administrators_see_how_many_did(world) {
        let (ada, bob, admin) = (world.user("ada").await, world.user("bob").await, world.admin().await);
        let harbour = ada.create_channel("harbour", "public", 201).await;
        ada.post(id(&harbour), "the ferry leaves at nine", 201).await;
        wait_until("the ferry to be found", async || items(&ada.search("ferry", 200).await).len() == 1).await;
        let answer = ada.ask("when does the ferry leave?", 200).await;
        let (conversation, number) = (answer["conversation_id"].as_str().unwrap(), answer["number"].as_i64().unwrap());
        assert_eq!(number, 1);
        rating(&ada, conversation, number, json!(true), 204).await;
        assert_eq!(rated(&admin).await, (1, 0));
        rating(&ada, conversation, number, json!(false), 204).await;
        assert_eq!(rated(&admin).await, (0, 1), "the last word counts");
        let path = format!("/api/v1/ai/conversations/{conversation}");
        assert_eq!(items(&ada.get(&path, 200).await)[0]["is_helpful"], false);
        rating(&bob, conversation, number, json!(true), 404).await;
        rating(&ada, conversation, 2, json!(true), 404).await;
        rating(&ada, conversation, number, Value::Null, 204).await;
        assert_eq!(rated(&admin).await, (0, 0));
        rating(&ada, conversation, number, json!(true), 204).await;
        ada.send(Method::DELETE, &path, None, 204).await;
        assert_eq!(rated(&admin).await, (0, 0), "it goes with the conversation");
    }

    async fn a_search_says_how_much_it_found_and_puts_the_newest_first(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let (harbour, vault) = (
            ada.create_channel("harbour", "public", 201).await,
            ada.create_channel("vault", "private", 201).await,
        );
        ada.post(id(&harbour), "ferry ferry ferry timetable", 201).await;
        for number in 0..4 {
            ada.post(id(&harbour), &format!("the ferry was late, {number}"), 201).await;
        }
        ada.post(id(&harbour), "the timetable hangs at the quay", 201).await;
        ada.post(id(&vault), "a ferry of gold", 201).await;
        let total = async |user: &User, query: &str| user.get(&format!("/api/v1/search/messages?{query}"), 200).await;
        wait_until("all to be found", async || total(&ada, "q=ferry&limit=2").await["total"] == 6).await;
        assert_eq!(total(&bob, "q=ferry&limit=2").await["total"], 5, "what one may not read is not counted");
        let newest = total(&bob, "q=ferry&limit=2&order=newest").await;
        assert_eq!(newest["total"], 5);
        // By relevance the one that says it three times comes first.
        let first = items(&newest)[0]["message"]["content"].as_str().unwrap();
        assert!(first.starts_with("the ferry was late"), "{newest}");
        let both = total(&bob, "q=ferry%20timetable&order=newest").await;
        assert_eq!(both["total"], 1, "by time, every word must be there: {both}");
        assert_eq!(total(&bob, "q=ferry%20timetable").await["total"], 6);
        bob.get("/api/v1/search/messages?q=ferry&order=loudest", 400).await;
        assert_eq!(total(&bob, "q=nothingness").await["total"], 0);
    }
}
