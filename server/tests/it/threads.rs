//! Threads: what a root says of its answers, who follows, and what is unread in them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{User, contents, id, items};
use crate::harness::{both, next_millisecond, shown, wait_until};

const MINE: &str = "/api/v1/users/me/threads";

async fn set_following(user: &User, message: &str, following: bool, expected: u16) {
    let method = if following { Method::PUT } else { Method::DELETE };
    user.send(method, &format!("/api/v1/messages/{message}/follow"), None, expected).await;
}

async fn read_to(user: &User, message: &str, seq: &Value, expected: u16) {
    let path = format!("/api/v1/messages/{message}/thread/read");
    user.send(Method::PUT, &path, Some(&json!({ "seq": seq })), expected).await;
}

/// Following, unread, mentions: what the list and the thread itself say.
async fn state(user: &User, root: &str) -> (bool, i64, i64) {
    let thread = user.thread(root, 200).await;
    let seen = (
        thread["following"].as_bool().unwrap(),
        thread["unread_count"].as_i64().unwrap(),
        thread["mention_count"].as_i64().unwrap(),
    );
    let mine = user.get(MINE, 200).await;
    let listed = items(&mine).iter().find(|it| it["message"]["id"] == root);
    assert_eq!(listed.is_some(), seen.0, "{mine}");
    if let Some(listed) = listed {
        assert_eq!(
            (listed["unread_count"].as_i64(), listed["mention_count"].as_i64()),
            (Some(seen.1), Some(seen.2))
        );
    }
    seen
}

async fn told_of_threads(user: &User) -> usize {
    let page = user.get("/api/v1/users/me/notifications", 200).await;
    items(&page).iter().filter(|it| it["kind"] == "thread_reply").count()
}

both! {
    async fn a_root_says_who_answered_and_when(world) {
        let mut people = Vec::new();
        for name in ["ada", "bob", "cyd", "dan", "eva", "fay", "gus"] {
            people.push(world.user(name).await);
        }
        let ada = &people[0];
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        for other in &people[1..] {
            other.join(harbour, 200).await;
        }
        let root = ada.post(harbour, "who sails?", 201).await;
        assert_eq!((&root["participants"], root.get("last_reply_at")), (&json!([]), None));
        let mut replies = Vec::new();
        for other in &people[1..] {
            replies.push(other.reply(harbour, id(&root), "I", 201).await);
        }
        people[1].reply(harbour, id(&replies[3]), "and again", 201).await;
        let seen = ada.read(id(&root), 200).await;
        let first_five: Vec<&str> = people[1..6].iter().map(|it| it.id.as_str()).collect();
        assert_eq!((&seen["reply_count"], &seen["participants"]), (&json!(7), &json!(first_five)));

        // Whose answer is gone is named no more; everybody hears the root as it is now.
        let mut socket = ada.connect().await;
        people[2].delete(id(&replies[1]), 204).await;
        let events = socket.events_until(|event| event["t"] == "message_update").await;
        let events: Vec<Value> = events.into_iter().filter(|event| event["t"].as_str().unwrap().starts_with("message_")).collect();
        assert_eq!(events[0]["t"], "message_delete");
        assert_eq!(events[0]["seq"].as_i64().map(|seq| seq + 1), events[1]["seq"].as_i64());
        let after = ada.read(id(&root), 200).await;
        assert_eq!(shown(&events[1]["d"]), shown(&after));
        let left: Vec<&str> = [1, 3, 4, 5, 6].iter().map(|at: &usize| people[*at].id.as_str()).collect();
        assert_eq!((&after["reply_count"], &after["participants"]), (&json!(6), &json!(left)));
        assert_eq!(after["last_reply_at"], seen["last_reply_at"]);

        let page = ada.get(&format!("/api/v1/messages/{}/thread?limit=2", id(&root)), 200).await;
        assert_eq!((items(&page).len(), &page["has_more"]), (3, &json!(true)), "the root and two answers");
        let last = items(&page)[2]["seq"].as_i64().unwrap();
        let rest = ada.get(&format!("/api/v1/messages/{}/thread?after_seq={last}", id(&root)), 200).await;
        assert_eq!((items(&rest).len(), &rest["has_more"]), (6, &json!(false)));
        let newest = ada.get(&format!("/api/v1/messages/{}/thread?limit=2&before_seq={}", id(&root), (1_i64 << 53) - 1), 200).await;
        assert_eq!((items(&newest).len(), &newest["has_more"]), (3, &json!(true)));
        assert_eq!(items(&newest)[1..], items(&rest)[5 - 1..], "the root, and the newest two, ascending");
        let first = items(&newest)[1]["seq"].as_i64().unwrap();
        let earlier = ada.get(&format!("/api/v1/messages/{}/thread?before_seq={first}", id(&root)), 200).await;
        assert_eq!((items(&earlier).len(), &earlier["has_more"]), (6, &json!(false)));
        for query in ["limit=0", "limit=101", "after_seq=-1", "after_seq=x", "before_seq=-1", "before_seq=9&after_seq=1"] {
            ada.get(&format!("/api/v1/messages/{}/thread?{query}", id(&root)), 400).await;
        }
        // One answer left, then none.
        for reply in items(&rest)[1..].iter().chain(&items(&page)[1..]) {
            let author = people.iter().find(|it| reply["sender_id"] == it.id.as_str()).unwrap();
            let status = if reply["deleted_at"].is_string() { 410 } else { 204 };
            author.delete(id(reply), status).await;
        }
        let bare = ada.read(id(&root), 200).await;
        assert_eq!((&bare["reply_count"], &bare["participants"], bare.get("last_reply_at")), (&json!(0), &json!([]), None));
    }

    async fn who_takes_part_follows(world) {
        let (ada, bob, cyd) = (world.user("ada").await, world.user("bob").await, world.user("cyd").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        for other in [&bob, &cyd] {
            other.join(harbour, 200).await;
        }
        let root = ada.post(harbour, "who has the key?", 201).await;
        let root_id = id(&root);
        let mut socket = ada.connect().await;
        assert_eq!(state(&ada, root_id).await, (false, 0, 0), "nobody answered yet");
        let first = bob.reply(harbour, root_id, "ask @cyd", 201).await;
        let told = socket.event("thread_updated").await;
        let before = first["seq"].as_i64().unwrap() - 1;
        assert_eq!(told["d"], json!({ "message_id": root["id"], "channel_id": channel["id"], "following": true, "read_seq": before }));
        assert_eq!(state(&ada, root_id).await, (true, 1, 0));
        assert_eq!(state(&bob, root_id).await, (true, 0, 0), "his own words are read");
        assert_eq!(state(&cyd, root_id).await, (true, 1, 1), "mentioned");
        assert_eq!(cyd.get("/api/v1/users/me/unread", 200).await["unread_threads"], 1);

        let second = bob.reply(harbour, root_id, "or wait", 201).await;
        assert_eq!(state(&ada, root_id).await.1, 2);
        read_to(&ada, id(&second), &first["seq"], 204).await;
        assert_eq!(socket.event("thread_updated").await["d"]["read_seq"], first["seq"]);
        assert_eq!(state(&ada, root_id).await.1, 1);
        read_to(&ada, root_id, &json!(0), 204).await;
        assert_eq!(state(&ada, root_id).await.1, 1, "never backwards");
        for bad in [json!(-1), json!(1_000_000), json!("x"), Value::Null] {
            read_to(&ada, root_id, &bad, 400).await;
        }

        // Who follows no more is told of nothing, until they take part again.
        let before = told_of_threads(&ada).await;
        set_following(&ada, root_id, false, 204).await;
        assert_eq!(socket.event("thread_updated").await["d"]["following"], false);
        bob.reply(harbour, root_id, "found it", 201).await;
        assert_eq!((told_of_threads(&ada).await, state(&ada, root_id).await.0), (before, false));
        ada.reply(harbour, root_id, "thanks", 201).await;
        assert_eq!(state(&ada, root_id).await, (true, 0, 0));
        bob.reply(harbour, root_id, "any time", 201).await;
        assert_eq!(told_of_threads(&ada).await, before + 1);

        // Who only reads may follow too, by any message of the thread.
        let eve = world.user("eve").await;
        eve.join(harbour, 200).await;
        set_following(&eve, id(&second), true, 204).await;
        set_following(&eve, root_id, true, 204).await;
        assert_eq!(state(&eve, root_id).await, (true, 0, 0));
        bob.reply(harbour, root_id, "one more", 201).await;
        assert_eq!((told_of_threads(&eve).await, state(&eve, root_id).await.1), (1, 1));
        set_following(&eve, "00000000-0000-7000-8000-000000000000", true, 404).await;
    }

    async fn followed_threads_come_the_most_active_first(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        bob.join(harbour, 200).await;
        let mut roots = Vec::new();
        for text in ["first", "second", "third"] {
            let root = ada.post(harbour, text, 201).await;
            bob.reply(harbour, id(&root), "aye", 201).await;
            roots.push(root);
        }
        next_millisecond().await;
        bob.reply(harbour, id(&roots[0]), "and more", 201).await;
        let names = |page: &Value| -> Vec<String> {
            items(page).iter().map(|it| it["message"]["content"].as_str().unwrap().to_owned()).collect()
        };
        let all = ada.get(MINE, 200).await;
        assert_eq!(names(&all), ["first", "third", "second"]);
        assert_eq!((&items(&all)[0]["unread_count"], &items(&all)[0]["channel_id"]), (&json!(2), &channel["id"]));
        let half = ada.get(&format!("{MINE}?limit=2"), 200).await;
        let rest = ada.get(&format!("{MINE}?limit=2&cursor={}", half["next_cursor"].as_str().unwrap()), 200).await;
        assert_eq!((names(&half), names(&rest)), (vec!["first".into(), "third".into()], vec!["second".into()]));
        for query in ["limit=0", "limit=101", "cursor=x"] {
            ada.get(&format!("{MINE}?{query}"), 400).await;
        }
    }

    async fn a_thread_of_a_private_channel_ends_with_membership(world) {
        let (ada, bob, eve) = (world.user("ada").await, world.user("bob").await, world.user("eve").await);
        let vault = ada.create_channel("vault", "private", 201).await;
        ada.add_member(id(&vault), &bob, 201).await;
        let root = ada.post(id(&vault), "the canary", 201).await;
        bob.reply(id(&vault), id(&root), "sings", 201).await;
        for following in [true, false] {
            set_following(&eve, id(&root), following, 404).await;
        }
        read_to(&eve, id(&root), &json!(1), 404).await;
        assert_eq!(items(&bob.get(MINE, 200).await).len(), 1);

        ada.send(Method::DELETE, &format!("/api/v1/channels/{}/members/{}", id(&vault), bob.id), None, 204).await;
        wait_until("bob to be out", async || bob.call(Method::GET, &format!("/api/v1/messages/{}", id(&root)), None).await.status == 404).await;
        let told = told_of_threads(&bob).await;
        ada.reply(id(&vault), id(&root), "still", 201).await;
        let page = bob.get(MINE, 200).await;
        assert!(!page.to_string().contains("canary") && items(&page).is_empty(), "{page}");
        assert_eq!(told_of_threads(&bob).await, told);
        assert_eq!(bob.get("/api/v1/users/me/unread", 200).await["unread_threads"], 0);
        read_to(&bob, id(&root), &json!(1), 404).await;
        assert_eq!(contents(&ada.thread(id(&root), 200).await), ["the canary", "sings", "still"]);
    }
}
