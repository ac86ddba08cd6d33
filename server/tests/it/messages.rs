//! Messages: posted once, paged, changed by their author only.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{contents, id, items};
use crate::harness::{both, shown};

both! {
    async fn a_message_is_posted_once(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        bob.join(harbour, 200).await;

        let form = json!({ "content": "**Ahoy** @bob", "nonce": "first-try" });
        let posted = ada.post_form(harbour, &form, 201).await;
        insta::allow_duplicates! {
            insta::assert_json_snapshot!(shown(&posted), @r#"
            {
              "blocks": [],
              "channel_id": "[id 1]",
              "content": "**Ahoy** @bob",
              "created_at": "[time]",
              "files": [],
              "has_attachments": false,
              "html": "<p dir=\"auto\"><strong>Ahoy</strong> <span class=\"mention\" data-user-id=\"[id 2]\">@bob</span></p>",
              "id": "[id 3]",
              "is_bot": false,
              "mentions": [
                "[id 2]"
              ],
              "nonce": "first-try",
              "participants": [],
              "previews": [],
              "reactions": [],
              "reply_count": 0,
              "sender": {
                "id": "[id 4]",
                "is_bot": false,
                "username": "ada"
              },
              "sender_id": "[id 4]",
              "seq": 4,
              "updated_at": "[time]",
              "url": "/channels/[id 1]?seq=4",
              "version": 1
            }
            "#);
        }
        assert_eq!(posted["mentions"], json!([bob.id]));

        // The answer was lost and the client asks again: the same message, not a second one.
        let again = ada.post_form(harbour, &form, 200).await;
        assert_eq!(again["id"], posted["id"]);
        // A nonce belongs to its author: another's is another message.
        let other = bob.post_form(harbour, &form, 201).await;
        assert_ne!(other["id"], posted["id"]);
        ada.post_form(harbour, &json!({ "content": "another text", "nonce": "first-try" }), 409).await;
        let mut elsewhere = form.clone();
        elsewhere["parent_id"] = other["id"].clone();
        ada.post_form(harbour, &elsewhere, 409).await;
        let (one, two) = (ada.upload("one.bin", &[1; 9]).await, ada.upload("two.bin", &[2; 9]).await);
        let with = |file: &Value| json!({ "content": "", "nonce": "with-file", "file_ids": [file["id"]] });
        let carried = ada.post_form(harbour, &with(&one), 201).await;
        assert_eq!(ada.post_form(harbour, &with(&one), 200).await["id"], carried["id"]);
        ada.post_form(harbour, &with(&two), 409).await;
        ada.delete(id(&carried), 204).await;
        assert_eq!(contents(&bob.list(harbour, "", 200).await), ["**Ahoy** @bob", "**Ahoy** @bob", ""]);
    }

    async fn a_nonce_raced_from_ten_places_makes_one_message(world) {
        let ada = world.user("ada").await;
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel).to_owned();
        let addresses: Vec<_> = world.nodes.iter().map(|node| node.address.clone()).collect();
        let tries = (0..10).map(|at| {
            let (ada, harbour) = (ada.at(&addresses[at % addresses.len()]), harbour.clone());
            tokio::spawn(async move {
                let path = format!("/api/v1/channels/{harbour}/messages");
                ada.call(Method::POST, &path, Some(&json!({ "content": "once", "nonce": "race" }))).await
            })
        });
        let mut statuses = Vec::new();
        let mut ids = Vec::new();
        for attempt in tries.collect::<Vec<_>>() {
            let reply = attempt.await.unwrap();
            statuses.push(reply.status);
            ids.push(reply.body()["id"].clone());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 200, 200, 201]);
        ids.dedup();
        assert_eq!(ids.len(), 1);
        assert_eq!(items(&ada.list(&harbour, "", 200).await).len(), 1);
    }

    async fn pages_lead_both_ways(world) {
        let ada = world.user("ada").await;
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        let mut seqs = Vec::new();
        for number in 0..7 {
            seqs.push(ada.post(harbour, &format!("m{number}"), 201).await["seq"].as_i64().unwrap());
        }
        assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1), "the sequence has holes: {seqs:?}");

        let newest = ada.list(harbour, "limit=3", 200).await;
        assert_eq!((contents(&newest), &newest["has_more"]), (vec!["m4", "m5", "m6"], &json!(true)));
        let before = ada.list(harbour, &format!("limit=3&before_seq={}", seqs[4]), 200).await;
        assert_eq!(contents(&before), ["m1", "m2", "m3"]);
        let first = ada.list(harbour, &format!("limit=3&before_seq={}", seqs[1]), 200).await;
        assert_eq!((contents(&first), &first["has_more"]), (vec!["m0"], &json!(false)));
        let after = ada.list(harbour, &format!("limit=3&after_seq={}", seqs[4]), 200).await;
        assert_eq!((contents(&after), &after["has_more"]), (vec!["m5", "m6"], &json!(false)));
        let around = ada.list(harbour, &format!("limit=3&around_seq={}", seqs[3]), 200).await;
        assert_eq!(contents(&around), ["m2", "m3", "m4"]);
        assert_eq!((&around["has_before"], &around["has_after"]), (&json!(true), &json!(true)));
        // Around a number that no message has, at both ends and beyond, and one that stands alone.
        for (query, expected, older, newer) in [
            ("limit=3&around_seq=0".to_owned(), vec!["m0", "m1"], false, true),
            (format!("limit=4&around_seq={}", seqs[0]), vec!["m0", "m1"], false, true),
            (format!("limit=1&around_seq={}", seqs[3]), vec!["m3"], true, true),
            (format!("limit=4&around_seq={}", seqs[6]), vec!["m4", "m5", "m6"], true, false),
            (format!("limit=4&around_seq={}", seqs[6] + 1), vec!["m5", "m6"], true, false),
            (format!("limit=4&around_seq={}", i64::MAX), vec!["m5", "m6"], true, false),
            (format!("limit=9&after_seq={}", seqs[0] - 1), vec!["m0", "m1", "m2", "m3", "m4", "m5", "m6"], false, false),
            (format!("limit=2&before_seq={}", seqs[6] + 1), vec!["m5", "m6"], true, false),
        ] {
            let page = ada.list(harbour, &query, 200).await;
            assert_eq!(contents(&page), expected, "{query}");
            assert_eq!((&page["has_before"], &page["has_after"]), (&json!(older), &json!(newer)), "{query}");
        }

        for query in ["limit=0", "limit=-1", "limit=101", "limit=x", "before_seq=-1", "before_seq=x", "before_seq=3&after_seq=2"] {
            let reply = ada.call(Method::GET, &format!("/api/v1/channels/{harbour}/messages?{query}"), None).await;
            assert_eq!(reply.status, 400, "{query}: {}", reply.text);
        }
    }

    async fn only_the_author_changes_a_message(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        bob.join(harbour, 200).await;
        let posted = bob.post(harbour, "teh tide", 201).await;

        let carol = world.user("carol").await;
        carol.join(harbour, 200).await;
        carol.edit(id(&posted), "mine now", 403).await;
        carol.delete(id(&posted), 403).await;

        let edited = bob.edit(id(&posted), "the tide", 200).await;
        assert_eq!((&edited["content"], &edited["seq"]), (&json!("the tide"), &posted["seq"]));
        assert!(edited["edited_at"].is_string());
        assert_ne!(edited["version"], posted["version"]);
        let stale = json!({ "content": "too late", "version": posted["version"] });
        bob.send(Method::PUT, &format!("/api/v1/messages/{}", id(&posted)), Some(&stale), 409).await;
        bob.edit(id(&posted), "  ", 400).await;
        assert_eq!(carol.read(id(&posted), 200).await["content"], "the tide");

        bob.delete(id(&posted), 204).await;
        bob.edit(id(&posted), "back?", 410).await;
        let page = carol.list(harbour, "", 200).await;
        assert!(!page.to_string().contains("the tide"), "a deleted text is still shown: {page}");
        let left = carol.call(Method::GET, &format!("/api/v1/messages/{}", id(&posted)), None).await;
        assert!(!left.text.contains("the tide"), "{}", left.text);
    }

    async fn replies_stand_in_their_thread(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        bob.join(harbour, 200).await;
        let root = ada.post(harbour, "who has the key?", 201).await;
        bob.reply(harbour, id(&root), "I do", 201).await;
        let second = ada.reply(harbour, id(&root), "thanks", 201).await;
        assert_eq!(second["parent_id"], root["id"]);

        let thread = bob.thread(id(&root), 200).await;
        assert_eq!(contents(&thread), ["who has the key?", "I do", "thanks"]);
        assert_eq!(bob.read(id(&root), 200).await["reply_count"], 2);

        let elsewhere = ada.create_channel("elsewhere", "public", 201).await;
        let unknown = "00000000-0000-7000-8000-000000000000";
        for (channel, parent) in [(id(&elsewhere), id(&root)), (harbour, unknown), (harbour, "not an id")] {
            let form = json!({ "content": "lost", "parent_id": parent });
            let path = format!("/api/v1/channels/{channel}/messages");
            let reply = ada.call(Method::POST, &path, Some(&form)).await;
            assert!(matches!(reply.status, 400 | 404), "{parent}: {} {}", reply.status, reply.text);
        }
    }

    async fn reactions_are_counted_per_person(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        bob.join(id(&channel), 200).await;
        let posted = ada.post(id(&channel), "land!", 201).await;
        let message = id(&posted);

        bob.react(message, "thumbsup", 204).await;
        bob.react(message, "thumbsup", 204).await;
        ada.react(message, "thumbsup", 204).await;
        let reactions = ada.read(message, 200).await["reactions"].clone();
        assert_eq!(items(&json!({ "items": reactions })).len(), 1, "{reactions}");
        assert_eq!(reactions[0]["count"], 2);
        let who: Vec<&Value> = reactions[0]["user_ids"].as_array().unwrap().iter().collect();
        assert!(who.contains(&&json!(ada.id)) && who.contains(&&json!(bob.id)), "{reactions}");

        let path = format!("/api/v1/messages/{message}/reactions/thumbsup");
        bob.send(Method::DELETE, &path, None, 204).await;
        assert_eq!(ada.read(message, 200).await["reactions"][0]["count"], 1);
        ada.send(Method::DELETE, &path, None, 204).await;
        assert_eq!(ada.read(message, 200).await["reactions"], json!([]));
        ada.react(message, "no-such-reaction", 400).await;
    }

    async fn a_file_travels_with_its_message(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("vault", "private", 201).await;
        let part = reqwest::multipart::Part::bytes(b"tide tables".to_vec()).file_name("../tides.txt");
        let form = reqwest::multipart::Form::new().part("file", part);
        let reply = ada.fetch(ada.request(Method::POST, "/api/v1/files/upload").multipart(form)).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        let file = reply.body();
        assert_eq!((&file["filename"], &file["file_size"]), (&json!("tides.txt"), &json!(11)));

        let posted = ada.post_form(id(&channel), &json!({ "content": "see", "file_ids": [file["id"]] }), 201).await;
        assert_eq!((&posted["has_attachments"], &posted["files"][0]["id"]), (&json!(true), &file["id"]));
        let path = format!("/api/v1/files/{}/download", id(&file));
        let download = ada.fetch(ada.request(Method::GET, &path)).await;
        assert_eq!((download.status, download.text.as_str()), (200, "tide tables"));
        assert!(download.header("content-disposition").starts_with("attachment"), "a browser would show it");
        assert_eq!(download.header("x-content-type-options"), "nosniff");
        bob.get(&path, 404).await;
        bob.get(&format!("/api/v1/files/{}", id(&file)), 404).await;
    }
}
