//! Files: what is taken, what becomes of it, who gets it back, and what is left when it is gone.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::harness::files::{MOST_BYTES, count_files, noise, sha256};
use crate::harness::user::{assert_problem, id, items};
use crate::harness::{User, World, everywhere, wait_until};

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

/// The stories that need to be told on one store only.
macro_rules! on_a_folder {
    ($(async fn $story:ident($world:ident) $body:block)+) => { $(
        mod $story {
            use super::*;

            async fn story(mut world: World) {
                let $world = &mut world;
                $body
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn embedded() {
                story(World::embedded_with(crate::harness::files::LIMITS).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn scaled() {
                story(World::scaled_with(crate::harness::files::LIMITS).await).await;
            }
        }
    )+ };
}

on_a_folder! {
    async fn what_is_no_upload_is_refused(world) {
        let ada = world.user("ada").await;
        let path = "/api/v1/files/upload";
        let form = "multipart/form-data; boundary=x";
        for (name, kind, body, status) in [
            ("nothing in it", form, "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n\r\n--x--\r\n", 400),
            ("another field", form, "--x\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nhello\r\n--x--\r\n", 400),
            ("no form", form, "hello", 400),
            ("no end", form, "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nhel", 400),
            ("no boundary", "multipart/form-data", "hello", 400),
            ("JSON", "application/json", "{}", 415),
        ] {
            let request = ada.request(Method::POST, path).header("content-type", kind).body(body);
            let reply = ada.fetch(request).await;
            assert_eq!(reply.status, status, "{name}: {}", reply.text);
            assert_problem(&reply);
        }
        // One byte too many, with a length that says so, and without any.
        let large = noise(3, MOST_BYTES + 1);
        let reply = ada.try_upload("large.bin", &large).await;
        assert_eq!((reply.status, reply.body()["code"].as_str()), (413, Some("too_large")), "{}", reply.text);
        let reply = ada.fetch(unmeasured(&ada, &large)).await;
        assert_eq!((reply.status, reply.body()["code"].as_str()), (413, Some("too_large")), "{}", reply.text);
        let reply = ada.fetch(unmeasured(&ada, b"a length is not needed")).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        break_off(&ada).await;

        let kept = ada.get("/api/v1/users/me/quota", 200).await;
        assert_eq!((&kept["files"], &kept["used_bytes"]), (&json!(1), &json!(22)), "a refused upload counts");
        for node in &world.nodes {
            let temporary = node.data.join("temporary");
            wait_until("temporary files to go", async || count_files(&temporary) == 0).await;
        }
    }

    async fn names_lead_nowhere(world) {
        let ada = world.user("ada").await;
        let long = "n".repeat(4_096);
        let cut = "n".repeat(255);
        for (sent, shown) in [
            (&b"..\\..\\x"[..], "x"),
            (b"/etc/passwd", "passwd"),
            (b"CON", "_CON"),
            (b"nul.txt", "_nul.txt"),
            (long.as_bytes(), cut.as_str()),
            ("photo\u{202e}gpj.exe".as_bytes(), "photogpj.exe"),
            (b"a\0b.txt", "ab.txt"),
            (b"a%0d%0aset-cookie: x.txt", "a%0d%0aset-cookie x.txt"),
            ("Gr\u{fc}\u{df}e \u{1f4ce}.pdf".as_bytes(), "Gr\u{fc}\u{df}e \u{1f4ce}.pdf"),
            (b"..", "file"),
            (b"", "file"),
        ] {
            let reply = ada.fetch(ada.upload_request(sent, b"hello")).await;
            assert_eq!(reply.status, 201, "{sent:?}: {}", reply.text);
            let file = reply.body();
            assert_eq!(file["filename"], shown, "{sent:?}");
            let found = ada.download(&file).await;
            let said = found.header("content-disposition");
            assert!(said.starts_with("attachment; filename=\"") && said.contains("filename*=UTF-8''"), "{said}");
            assert_eq!((found.header("set-cookie"), found.bytes.as_slice()), ("", &b"hello"[..]));
        }
        // A line break ends a header: the form is broken, or the name is, but nothing gets through.
        let reply = ada.fetch(ada.upload_request(b"a\r\nX-Evil: 1\r\n.txt", b"hello")).await;
        assert!(matches!(reply.status, 201 | 400), "{} {}", reply.status, reply.text);
        if reply.status == 201 {
            let found = ada.download(&reply.body()).await;
            assert!(found.header("x-evil").is_empty() && found.status == 200);
        }
    }

    async fn bytes_say_what_they_are_and_nothing_runs(world) {
        let ada = world.user("ada").await;
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
        let html = b"<!DOCTYPE html><script>alert(document.cookie)</script>";
        for (name, bytes, stored) in [
            ("fine.png", &b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff"[..], "application/vnd.microsoft.portable-executable"),
            ("image.svg", svg, ""),
            ("page.html", html, "text/html"),
            ("page.png", html, "text/html"),
            ("script.gif", b"GIF89a=1;alert(1)//", "application/octet-stream"),
            ("report.pdf", b"%PDF-1.4\n<html><script>alert(1)</script>", "application/pdf"),
            ("note.txt", b"plain words", "text/plain"),
            ("bytes.txt", b"a\0\x01\x02b", "application/octet-stream"),
            ("links.zip", b"PK\x03\x04\n\0\0\0\0\0link", "application/zip"),
        ] {
            let file = ada.upload(name, bytes).await;
            if !stored.is_empty() {
                assert_eq!(file["file_type"], stored, "{name}");
            }
            assert_eq!((&file["width"], &file["thumbnail_url"]), (&Value::Null, &Value::Null), "{name}");
            for path in ["download", "download?inline=1"] {
                let found = ada.fetch_bytes(&format!("{}/{path}", id(&file)), &[]).await;
                assert_eq!((found.status, found.bytes.as_slice()), (200, bytes), "{name}");
                let said = found.header("content-disposition");
                assert!(said.starts_with("attachment"), "{name} would be shown: {said}");
                let kind = found.header("content-type");
                let runs = ["html", "svg", "xml", "script", "executable"];
                assert!(!runs.iter().any(|word| kind.contains(word)), "{name} is served as {kind}");
                assert!(found.header("content-security-policy").starts_with("sandbox; default-src 'none'"));
                assert_eq!(found.header("x-content-type-options"), "nosniff");
            }
            ada.get(&format!("/api/v1/files/{}/thumbnail", id(&file)), 404).await;
        }
    }

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
        for guess in [UNKNOWN, &vault["id"].as_str().unwrap().to_owned()] {
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

    async fn bytes_that_nobody_shows_leave_the_disk(world) {
        let ada = world.user("ada").await;
        let channel = ada.create_channel("harbour", "public", 201).await;
        let folder = world.files().join("files");
        let (one, two) = (ada.upload("one.bin", &noise(6, 4_000)).await, ada.upload("two.bin", &noise(7, 4_000)).await);
        let picture = ada.upload("dot.png", &crate::thumbnails::png(20, 20)).await;
        assert_eq!(count_files(&folder), 4, "two files, a picture and its thumbnail");
        let message = attach(&ada, id(&channel), &one).await;
        ada.delete(id(&message), 204).await;
        delete(&ada, &two, 204).await;
        wait_until("both to be removed", async || count_files(&folder) == 2).await;
        delete(&ada, &picture, 204).await;
        wait_until("the picture to be removed", async || count_files(&folder) == 0).await;
        if !world.is_scaled() {
            let file = ada.upload("forgotten.bin", &noise(8, 4_000)).await;
            let other = ada.upload("other.bin", &noise(9, 4_000)).await;
            world.nodes[0].stop().await;
            let aged = format!("update files set created_at = created_at - 90000000 where filename = '{}'", file["filename"].as_str().unwrap());
            crate::harness::command::sqlite(&world.nodes[0].data.join("confab.db"), &aged);
            world.nodes[0].restart().await;
            let ada = world.user("ada").await;
            delete(&ada, &other, 204).await;
            wait_until("what nothing used for a day to be removed", async || count_files(&folder) == 0).await;
            ada.get(&format!("/api/v1/files/{}", id(&file)), 410).await;
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

/// An upload in pieces, whose length nobody knows beforehand.
fn unmeasured(user: &User, bytes: &[u8]) -> reqwest::RequestBuilder {
    let head = b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\r\n";
    let whole = [&head[..], bytes, b"\r\n--x--\r\n"].concat();
    let pieces: Vec<_> = whole.chunks(60_000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
    user.request(Method::POST, "/api/v1/files/upload")
        .header("content-type", "multipart/form-data; boundary=x")
        .body(body)
}

/// Declares a thousand bytes, sends a few and goes.
async fn break_off(user: &User) {
    let address = user.address.http().replacen("http://", "", 1);
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST /api/v1/files/upload HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000\r\n\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nhello",
        user.access_token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer);
    let _ = tokio::time::timeout(Duration::from_secs(5), read).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
}
