//! Uploads that no honest client sends: refused, or taken as some bytes that nothing runs.

use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::Sender;
use tokio::task::JoinHandle;

use crate::harness::files::{MOST_BYTES, count_files, noise};
use crate::harness::user::{assert_problem, id};
use crate::harness::{User, on_a_folder, wait_until};

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
        // A line break ends a header, and a NUL may stand in none: such a form is broken.
        for name in [&b"a\0b.txt"[..], b"a\r\nX-Evil: 1\r\n.txt"] {
            let reply = ada.fetch(ada.upload_request(name, b"hello")).await;
            assert_eq!(reply.status, 400, "{name:?}: {}", reply.text);
            assert_problem(&reply);
        }
        let form = json!({ "filename": "a\r\nX-Evil: 1\0.txt", "size": 5 });
        let begun = ada.send(Method::POST, "/api/v1/files/uploads", Some(&form), 201).await;
        assert_eq!(begun["filename"], "aX-Evil 1.txt");
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

    async fn an_upload_ends_with_its_session(world) {
        let ada = world.user("ada").await;
        let (pieces, sent) = hold(&ada).await;
        // It is being received: the token was good when it began.
        let temporary: Vec<_> = world.nodes.iter().map(|node| node.data.join("temporary")).collect();
        wait_until("the upload to begin", async || temporary.iter().any(|it| count_files(it) > 0)).await;
        ada.send(Method::POST, "/api/v1/auth/logout-all", None, 204).await;
        pieces.send(b" world\r\n--x--\r\n".to_vec()).await.unwrap();
        drop(pieces);
        assert_eq!(sent.await.unwrap().0, 401, "a file came from somebody who was signed out");
        let ada = world.user("ada").await;
        assert_eq!(ada.get("/api/v1/users/me/quota", 200).await["files"], 0);
    }

    async fn what_is_being_received_counts_against_the_quota(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let (mut held, piece) = (Vec::new(), noise(11, 1 << 20));
        for _ in 0..3 {
            let (pieces, sent) = hold(&ada).await;
            for _ in 0..9 {
                pieces.send(piece.clone()).await.unwrap();
            }
            held.push((pieces, sent));
        }
        let temporary: Vec<_> = world.nodes.iter().map(|node| node.data.join("temporary")).collect();
        let received = || temporary.iter().map(|it| count_bytes(it)).sum::<u64>();
        wait_until("24 MiB to arrive", async || received() >= 24 << 20).await;
        // Six of thirty MiB are left, whether the length is declared or not.
        let bytes = noise(12, 7 << 20);
        for request in [ada.upload_request(b"more.bin", &bytes), unmeasured(&ada, &bytes)] {
            let refused = ada.fetch(request).await;
            assert_eq!((refused.status, refused.body()["code"].as_str()), (413, Some("quota_exceeded")), "{}", refused.text);
            assert_problem(&refused);
        }
        bob.upload("theirs.bin", &bytes).await;
        // What breaks off counts no more.
        for (pieces, sent) in held {
            drop(pieces);
            assert_eq!(sent.await.unwrap().0, 400);
        }
        ada.upload("more.bin", &bytes).await;
    }

    async fn a_person_sends_so_many_files_at_once(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let mut held = Vec::new();
        for _ in 0..12 {
            held.push(hold(&ada).await);
        }
        let temporary: Vec<_> = world.nodes.iter().map(|node| node.data.join("temporary")).collect();
        let received = || temporary.iter().map(|it| count_files(it)).sum::<usize>();
        wait_until("twelve uploads to begin", async || received() == 12).await;
        let refused = ada.try_upload("13.txt", b"hello").await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, "1"), "{}", refused.text);
        assert_problem(&refused);
        let begun = json!({ "filename": "13.txt", "size": 5 });
        let begun = ada.send(Method::POST, "/api/v1/files/uploads", Some(&begun), 201).await;
        let part = ada.request(Method::PATCH, &format!("/api/v1/files/uploads/{}", id(&begun)));
        let part = part.header("content-type", "application/octet-stream").header("upload-offset", "0");
        assert_eq!(ada.fetch(part.body("hello")).await.status, 429, "parts take places too");
        bob.upload("theirs.txt", b"hello").await;
        let (pieces, sent) = held.remove(0);
        pieces.send(b" world\r\n--x--\r\n".to_vec()).await.unwrap();
        drop(pieces);
        assert_eq!(sent.await.unwrap().0, 201);
        ada.upload("13.txt", b"hello").await;
    }

    async fn what_stands_before_the_file_is_bounded(world) {
        let ada = world.user("ada").await;
        let field = |bytes: usize| format!("--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\n{}\r\n", "n".repeat(bytes));
        let file = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nhello\r\n--x--\r\n";
        for (name, before, status, code) in [
            ("ten small fields", field(5).repeat(10), 201, None),
            ("eleven", field(5).repeat(11), 400, Some("invalid")),
            ("a long one", field(60_000), 201, None),
            ("too long a one", field(66_000), 413, Some("form_too_large")),
            ("some megabytes", field(3 << 20), 413, Some("form_too_large")),
            ("long ones together", field(20_000).repeat(4), 413, Some("form_too_large")),
            ("headers without an end", format!("--x\r\nContent-Disposition: {}", "h".repeat(70_000)), 413, Some("form_too_large")),
        ] {
            let request = ada.request(Method::POST, "/api/v1/files/upload");
            let request = request.header("content-type", "multipart/form-data; boundary=x").body(before + file);
            let reply = ada.fetch(request).await;
            assert_eq!(reply.status, status, "{name}: {}", reply.text);
            if code.is_some() {
                assert_problem(&reply);
                assert_eq!(reply.body()["code"].as_str(), code, "{name}");
            }
        }
    }
}

/// Who sends a few bytes and then nothing holds a place for half a minute and no longer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_brings_too_little_ends() {
    let mut world = crate::harness::World::embedded().await;
    let ada = world.user("ada").await;
    let (pieces, sent) = hold(&ada).await;
    let (status, text) = sent.await.unwrap();
    assert_eq!(status, 408, "{text}");
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["code"], "too_slow");
    drop(pieces);
    assert_eq!(count_files(&world.nodes[0].data.join("temporary")), 0, "something of it is left");
    ada.upload("again.txt", b"hello").await;
}

/// An upload that has sent `hello` and waits for more pieces; it ends with the sender, and with it comes the answer.
async fn hold(user: &User) -> (Sender<Vec<u8>>, JoinHandle<(u16, String)>) {
    let (pieces, waiting) = tokio::sync::mpsc::channel::<Vec<u8>>(4);
    let body = futures_util::stream::unfold(waiting, |mut waiting| async move {
        waiting.recv().await.map(|piece| (Ok::<_, std::io::Error>(piece), waiting))
    });
    let request = user
        .request(Method::POST, "/api/v1/files/upload")
        .header("content-type", "multipart/form-data; boundary=x")
        .timeout(Duration::from_mins(2))
        .body(reqwest::Body::wrap_stream(body));
    let sent = tokio::spawn(async move {
        let answer = request.send().await.unwrap();
        let ends = answer.headers().get("connection").is_some_and(|it| it == "close");
        assert_eq!(
            ends,
            !answer.status().is_success(),
            "whose bytes are not waited for is told that the connection ends"
        );
        (answer.status().as_u16(), answer.text().await.unwrap())
    });
    let head = b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nhello";
    pieces.send(head.to_vec()).await.unwrap();
    (pieces, sent)
}

fn count_bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.flatten().filter_map(|entry| entry.metadata().ok()).map(|it| it.len()).sum()
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
