//! Files: what is taken, what becomes of it, who gets it back, and what is left when it is gone.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::files::{MOST_BYTES, count_files, noise, sha256};
use crate::harness::user::{assert_problem, id, items};
use crate::harness::{User, everywhere, on_a_folder, wait_until};

const UNKNOWN: &str = "00000000-0000-7000-8000-000000000000";

everywhere! {
    async fn bytes_come_back_as_they_were(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        // Large enough to be written in pieces.
        let bytes = noise(1, 9 << 20);
        let file = ada.upload("tides.bin", &bytes).await;
        assert_eq!((&file["sha256"], &file["file_size"]), (&json!(sha256(&bytes)), &json!(bytes.len())));
        assert_eq!((&file["file_type"], &file["width"]), (&json!("application/octet-stream"), &Value::Null));
        assert!(file["updated_at"].is_string(), "{file}");
        attach(&ada, id(&channel), &file).await;

        // Bob asks another server.
        let whole = bob.download(&file).await;
        assert!(whole.bytes == bytes, "{} bytes of {}", whole.bytes.len(), bytes.len());
        assert_eq!(whole.header("accept-ranges"), "bytes");
        assert_eq!(whole.header("content-length"), bytes.len().to_string());
        let tag = whole.header("etag").to_owned();
        assert_eq!(tag, format!("\"{}\"", sha256(&bytes)));
        for (name, expected) in [
            ("x-content-type-options", "nosniff"),
            ("cross-origin-resource-policy", "same-origin"),
            ("content-disposition", "attachment; filename=\"tides.bin\"; filename*=UTF-8''tides.bin"),
        ] {
            assert_eq!(whole.header(name), expected, "{name}");
        }
        assert!(whole.header("content-security-policy").starts_with("sandbox"));

        let path = format!("{}/download", id(&file));
        let size = bytes.len();
        for (range, part) in [
            ("bytes=0-0", 0..1),
            ("bytes=100-8388700", 100..8_388_701),
            ("bytes=9437000-", 9_437_000..size),
            ("bytes=-7", size - 7..size),
            ("bytes=9437180-99999999", 9_437_180..size),
        ] {
            let found = bob.fetch_bytes(&path, &[("range", range)]).await;
            assert_eq!(found.status, 206, "{range}");
            assert!(found.bytes == bytes[part.clone()], "{range}: {} bytes", found.bytes.len());
            assert_eq!(found.header("content-range"), format!("bytes {}-{}/{size}", part.start, part.end - 1));
        }
        for range in ["bytes=9437184-", "bytes=-0", "bytes=0-1,3-4"] {
            let found = bob.fetch_bytes(&path, &[("range", range)]).await;
            assert_eq!((found.status, found.header("content-range")), (416, &*format!("bytes */{size}")), "{range}");
        }
        for (headers, status) in [
            ([("range", "bytes=0-9"), ("if-range", tag.as_str())], 206),
            ([("range", "bytes=0-9"), ("if-range", "\"another\"")], 200),
            ([("range", "bytes=9-0"), ("accept", "*/*")], 200),
            ([("range", "bytes=0-9"), ("if-none-match", tag.as_str())], 304),
        ] {
            assert_eq!(bob.fetch_bytes(&path, &headers).await.status, status, "{headers:?}");
        }
    }

    async fn equal_bytes_are_kept_once_and_as_long_as_anybody_shows_them(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let bytes = noise(2, 100_000);
        let (first, second) = (ada.upload("one.bin", &bytes).await, bob.upload("two.bin", &bytes).await);
        assert_eq!(first["sha256"], second["sha256"]);
        delete(&ada, &first, 204).await;
        assert!(bob.download(&second).await.bytes == bytes, "the other file lost its bytes");
        // Uploads of the same bytes while they are being removed: whoever was told 201 has them.
        for round in 0..6 {
            let (gone, came) = tokio::join!(
                async {
                    let file = ada.upload("again.bin", &bytes).await;
                    delete(&ada, &file, 204).await;
                },
                bob.upload("again.bin", &bytes),
            );
            let () = gone;
            assert!(bob.download(&came).await.bytes == bytes, "lost in round {round}");
            delete(&bob, &came, 204).await;
        }
        delete(&bob, &second, 204).await;
        let came = bob.upload("last.bin", &bytes).await;
        assert!(bob.download(&came).await.bytes == bytes);
    }
}

on_a_folder! {
    async fn a_file_is_for_those_who_may_read_its_message(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let vault = ada.create_channel("vault", "private", 201).await;
        let file = ada.upload("plan.txt", b"the plan").await;
        let (about, path) = (format!("/api/v1/files/{}", id(&file)), format!("/api/v1/files/{}/download", id(&file)));
        for path in [&about, &path] {
            ada.get_status(path, 200).await;
            bob.get_status(path, 404).await;
            world.visitor().get_status(path, 401).await;
        }
        let message = attach(&ada, id(&vault), &file).await;
        bob.get_status(&path, 404).await;
        delete(&bob, &file, 404).await;
        ada.add_member(id(&vault), &bob, 201).await;
        for path in [&about, &path] {
            bob.get_status(path, 200).await;
        }
        delete(&bob, &file, 403).await;
        ada.send(Method::DELETE, &format!("/api/v1/channels/{}/members/{}", id(&vault), bob.id), None, 204).await;
        for path in [&about, &path] {
            bob.get_status(path, 404).await;
            ada.get_status(path, 200).await;
        }
        ada.delete(id(&message), 204).await;
        for path in [&about, &path] {
            ada.get_status(path, 410).await;
            bob.get_status(path, 404).await;
        }
        for guess in [UNKNOWN, vault["id"].as_str().unwrap()] {
            ada.get_status(&format!("/api/v1/files/{guess}/download"), 404).await;
        }
    }

    async fn a_deleted_file_leaves_its_message(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        bob.join(id(&channel), 200).await;
        let (kept, gone) = (ada.upload("kept.txt", b"kept").await, ada.upload("gone.txt", b"gone").await);
        let form = json!({ "content": "two", "file_ids": [kept["id"], gone["id"]] });
        let message = ada.post_form(id(&channel), &form, 201).await;
        let mut socket = bob.connect().await;
        delete(&ada, &gone, 204).await;
        let event = socket.event("message_update").await;
        let shown = bob.read(id(&message), 200).await;
        assert_eq!(shown["files"].as_array().unwrap().len(), 1, "{shown}");
        assert_eq!((&shown["files"][0]["id"], &shown["content"]), (&kept["id"], &json!("two")));
        assert_eq!(event["d"]["files"], shown["files"], "the event shows what REST shows");
        assert!(shown["edited_at"].is_null(), "nobody edited it");
        for path in ["", "/download"] {
            bob.get_status(&format!("/api/v1/files/{}{path}", id(&gone)), 410).await;
        }
        delete(&ada, &gone, 410).await;
        delete(&ada, &kept, 204).await;
        let shown = bob.read(id(&message), 200).await;
        assert_eq!((&shown["files"], &shown["has_attachments"]), (&json!([]), &json!(false)));
    }

    async fn what_is_ones_own_is_taken_back_from_an_archived_channel_too(world) {
        let (ada, bob, eve) = (world.user("ada").await, world.user("bob").await, world.user("eve").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let place = format!("/api/v1/channels/{}", id(&channel));
        bob.join(id(&channel), 200).await;
        let (one, two) = (bob.upload("one.txt", b"one").await, bob.upload("two.txt", b"two").await);
        let form = json!({ "content": "two", "file_ids": [one["id"], two["id"]] });
        let carrier = bob.post_form(id(&channel), &form, 201).await;
        let root = bob.post(id(&channel), "a word too many", 201).await;
        let answer = ada.post_form(id(&channel), &json!({ "content": "indeed", "parent_id": root["id"] }), 201).await;
        ada.send(Method::POST, &format!("{place}/archive"), None, 200).await;
        let mut socket = ada.connect().await;

        let edited = bob.call(Method::PUT, &format!("/api/v1/messages/{}", id(&root)), Some(&json!({ "content": "x" }))).await;
        assert_eq!((edited.status, &edited.body()["code"]), (409, &json!("channel_archived")), "{}", edited.text);
        bob.post(id(&channel), "one more", 409).await;
        bob.react(id(&root), "tada", 409).await;
        bob.delete(id(&answer), 403).await;
        eve.delete(id(&answer), 403).await;
        delete(&ada, &one, 403).await;

        delete(&bob, &one, 204).await;
        let shown = socket.event("message_update").await;
        assert_eq!(shown["d"]["files"].as_array().unwrap().len(), 1, "{shown}");
        bob.get_status(&format!("/api/v1/files/{}/download", id(&one)), 410).await;
        bob.delete(id(&root), 204).await;
        assert_eq!(socket.event("message_delete").await["d"]["id"], root["id"]);
        // A moderator's right stays what it is.
        ada.delete(id(&carrier), 204).await;
        bob.get_status(&format!("/api/v1/files/{}", id(&two)), 410).await;
        bob.send(Method::POST, &format!("{place}/leave"), None, 204).await;
        bob.delete(id(&carrier), 410).await;
        assert!(ada.get(&place, 200).await["archived_at"].is_string());
    }

    async fn a_message_takes_ten_files_of_its_own_author(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        bob.join(id(&channel), 200).await;
        let mut ids = Vec::new();
        for number in 0..11 {
            ids.push(ada.upload("part.txt", format!("part {number}").as_bytes()).await["id"].clone());
        }
        let theirs = bob.upload("theirs.txt", b"theirs").await;
        for (name, files) in [
            ("eleven", json!(ids)),
            ("one twice", json!([ids[0], ids[0]])),
            ("another's", json!([theirs["id"]])),
            ("unknown", json!([UNKNOWN])),
        ] {
            let refused = ada.post_form(id(&channel), &json!({ "content": "x", "file_ids": files }), 400).await;
            assert_eq!(refused["errors"][0]["field"], "file_ids", "{name}");
        }
        let posted = ada.post_form(id(&channel), &json!({ "content": "", "file_ids": ids[..10] }), 201).await;
        assert_eq!(posted["files"].as_array().unwrap().len(), 10);
        ada.post_form(id(&channel), &json!({ "content": "again", "file_ids": [ids[3]] }), 400).await;
        assert_eq!(items(&ada.list(id(&channel), "", 200).await).len(), 1, "a refused message left something");
    }

    async fn a_person_keeps_as_much_as_the_quota_allows(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let bytes = noise(4, MOST_BYTES - 1_000);
        let first = ada.upload("1.bin", &bytes).await;
        for name in ["2.bin", "3.bin"] {
            ada.upload(name, &bytes).await;
        }
        let kept = ada.get("/api/v1/users/me/quota", 200).await;
        assert_eq!(kept, json!({ "used_bytes": 3 * bytes.len(), "quota_bytes": 31_457_280, "files": 3 }));
        let refused = ada.try_upload("4.bin", &bytes).await;
        assert_eq!((refused.status, refused.body()["code"].as_str()), (413, Some("quota_exceeded")), "{}", refused.text);
        assert_problem(&refused);
        let begun = json!({ "filename": "4.bin", "size": 5_000 });
        let refused = ada.send(Method::POST, "/api/v1/files/uploads", Some(&begun), 413).await;
        assert_eq!(refused["code"], "quota_exceeded");
        bob.upload("theirs.bin", &bytes).await;
        delete(&ada, &first, 204).await;
        ada.upload("4.bin", &bytes).await;
        // Two at once see the same room; one of them gets it.
        let both = noise(5, 2_000);
        let (one, two) = tokio::join!(ada.try_upload("5.bin", &both), ada.try_upload("6.bin", &both));
        let mut answers = [one.status, two.status];
        answers.sort_unstable();
        assert_eq!(answers, [201, 413]);
    }

    async fn one_lists_what_one_keeps(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        bob.upload("theirs.txt", b"theirs").await;
        let mut names = Vec::new();
        for number in 0..5 {
            let name = format!("{number}.txt");
            let file = ada.upload(&name, name.as_bytes()).await;
            if number == 2 {
                delete(&ada, &file, 204).await;
            } else {
                names.insert(0, name);
            }
        }
        let (mut shown, mut path) = (Vec::new(), "/api/v1/users/me/files?limit=2".to_owned());
        loop {
            let page = ada.get(&path, 200).await;
            shown.extend(items(&page).iter().map(|it| it["filename"].as_str().unwrap().to_owned()));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/api/v1/users/me/files?limit=2&cursor={cursor}");
        }
        assert_eq!(shown, names);
        for bad in ["limit=0", "limit=101", "cursor=forged"] {
            ada.get(&format!("/api/v1/users/me/files?{bad}"), 400).await;
        }
        world.visitor().get("/api/v1/users/me/files", 401).await;
        world.visitor().get("/api/v1/users/me/quota", 401).await;
    }

    async fn bytes_that_nobody_shows_leave_the_disk(world) {
        let ada = world.user("ada").await;
        let channel = ada.create_channel("harbour", "public", 201).await;
        let folder = world.files().join("files");
        // The bytes of the first are those of another file too, and stay with it: that must not hold up the others.
        let twin = ada.upload("twin.bin", &noise(5, 4_000)).await;
        delete(&ada, &ada.upload("same.bin", &noise(5, 4_000)).await, 204).await;
        let (one, two) = (ada.upload("one.bin", &noise(6, 4_000)).await, ada.upload("two.bin", &noise(7, 4_000)).await);
        let picture = ada.upload("dot.png", &crate::thumbnails::png(20, 20)).await;
        assert_eq!(count_files(&folder), 5, "three files, a picture and its thumbnail");
        let message = attach(&ada, id(&channel), &one).await;
        ada.delete(id(&message), 204).await;
        delete(&ada, &two, 204).await;
        wait_until("both to be removed", async || count_files(&folder) == 3).await;
        delete(&ada, &twin, 204).await;
        delete(&ada, &picture, 204).await;
        wait_until("the picture to be removed", async || count_files(&folder) == 0).await;
        if !world.is_scaled() {
            let file = ada.upload("forgotten.bin", &noise(8, 4_000)).await;
            let other = ada.upload("other.bin", &noise(9, 4_000)).await;
            let held = ada.upload("held.bin", &noise(10, 4_000)).await;
            let draft = json!({ "content": "later", "file_ids": [held["id"]] });
            let place = format!("/api/v1/channels/{}/draft", id(&channel));
            ada.send(Method::PUT, &place, Some(&draft), 200).await;
            world.nodes[0].stop().await;
            let aged = "update files set created_at = created_at - 90000000 where filename in ('forgotten.bin', 'held.bin')";
            crate::harness::command::sqlite(&world.nodes[0].data.join("confab.db"), aged);
            world.nodes[0].restart().await;
            let ada = world.user("ada").await;
            delete(&ada, &other, 204).await;
            wait_until("what nothing used for a day to be removed", async || count_files(&folder) == 1).await;
            ada.get(&format!("/api/v1/files/{}", id(&file)), 410).await;
            // A draft is to carry it: not forgotten.
            ada.get(&format!("/api/v1/files/{}", id(&held)), 200).await;
        }
    }
}

impl User {
    async fn get_status(&self, path: &str, expected: u16) {
        let reply = self.call(Method::GET, path, None).await;
        assert_eq!(reply.status, expected, "{}: {path}: {}", self.name, reply.text);
        if expected >= 400 {
            assert_problem(&reply);
        }
    }
}

async fn attach(user: &User, channel: &str, file: &Value) -> Value {
    user.post_form(channel, &json!({ "content": "see", "file_ids": [file["id"]] }), 201).await
}

async fn delete(user: &User, file: &Value, expected: u16) {
    user.send(Method::DELETE, &format!("/api/v1/files/{}", id(file)), None, expected).await;
}
