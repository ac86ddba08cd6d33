//! The words in files: found soon by those who may read them, and read by a process that can do no harm.

use std::io::{Cursor, Write as _};

use reqwest::Method;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::harness::user::{id, in_query, items};
use crate::harness::{User, everywhere, wait_until};

everywhere! {
    async fn files_are_found_by_name_and_by_words(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let harbour = ada.create_channel("harbour", "public", 201).await;
        let vault = ada.create_channel("vault", "private", 201).await;
        let word = document("<w:p><w:r><w:t>the lighthouse &amp; its keeper</w:t></w:r></w:p>");
        for (name, bytes, words) in [
            ("tide-tables_2026.txt", "high water at the marigold pier, 灯台の時刻表".as_bytes().to_vec(), "marigold"),
            ("minutes.docx", word, "lighthouse"),
            ("charter.pdf", pdf("Petunia quay charter"), "petunia"),
        ] {
            let file = ada.upload(name, &bytes).await;
            attach(&ada, id(&harbour), &file).await;
            found(&ada, words, &[name]).await;
            found(&bob, words, &[name]).await;
        }
        for (q, names) in [
            ("灯台", &["tide-tables_2026.txt"][..]),
            ("tide 2026", &["tide-tables_2026.txt"]),
            ("\"its keeper\"", &["minutes.docx"]),
            ("from:ada in:harbour petunia", &["charter.pdf"]),
            ("from:bob petunia", &[]),
            ("zeppelin", &[]),
        ] {
            found(&ada, q, names).await;
        }
        let page = search(&ada, "lighthouse").await;
        let hit = &items(&page)[0];
        assert!(hit["snippet"].as_str().unwrap().contains("<mark>lighthouse</mark> &amp; its keeper"), "{hit}");
        assert_eq!(hit["channel"]["id"], harbour["id"]);
        assert!(hit["file"]["message_id"].is_string());
        // Messages and files are asked for apart.
        assert_eq!(items(&ada.search("lighthouse", 200).await).len(), 0, "a file's words are no message");

        // Not a hit, not a count, for anybody outside; for members, as long as it is there.
        let secret = ada.upload("quicksilver.txt", b"the combination is quicksilver").await;
        let message = attach(&ada, id(&vault), &secret).await;
        found(&ada, "quicksilver", &["quicksilver.txt"]).await;
        let nothing = search(&bob, "quicksilver").await;
        assert_eq!((&nothing["items"], &nothing["next_cursor"]), (&json!([]), &Value::Null));
        ada.add_member(id(&vault), &bob, 201).await;
        found(&bob, "quicksilver", &["quicksilver.txt"]).await;
        ada.send(Method::DELETE, &format!("/api/v1/channels/{}/members/{}", id(&vault), bob.id), None, 204).await;
        found(&bob, "quicksilver", &[]).await;
        let other = ada.upload("again.txt", b"the combination is quicksilver").await;
        attach(&ada, id(&vault), &other).await;
        found(&ada, "quicksilver", &["again.txt", "quicksilver.txt"]).await;
        ada.delete(id(&message), 204).await;
        found(&ada, "quicksilver", &["again.txt"]).await;
        ada.send(Method::DELETE, &format!("/api/v1/files/{}", id(&other)), None, 204).await;
        found(&ada, "quicksilver", &[]).await;
    }
}

crate::harness::both! {
    async fn hostile_documents_harm_nobody(world) {
        let ada = world.user("ada").await;
        let harbour = ada.create_channel("harbour", "public", 201).await;
        let bomb = document(&format!("<w:p><w:t>{}</w:t></w:p>", " ".repeat(100 << 20)));
        assert!(bomb.len() < 1 << 20);
        let entities = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'>]><w:t>&b;</w:t>";
        let deep = document(&format!("{}<w:t>deep</w:t>", "<w:p>".repeat(200_000)));
        let long = format!("begin {} end", "x".repeat(3 << 20));
        for (name, bytes) in [
            ("bomb.docx", bomb),
            ("entities.docx", document(entities)),
            ("deep.docx", deep),
            ("broken.docx", b"PK\x03\x04\x14\0\x06\0word/document.xml".to_vec()),
            ("damaged.pdf", b"%PDF-1.7\n1 0 obj << /Type /Catalog /Pages 1 0 R >> endobj trailer << /Root 1 0 R >>".to_vec()),
            ("long.txt", long.into_bytes()),
            ("none.txt", vec![b' '; 1_000]),
        ] {
            let file = ada.upload(name, &bytes).await;
            attach(&ada, id(&harbour), &file).await;
            // Its name is enough to find it.
            found(&ada, name.split('.').next().unwrap(), &[name]).await;
        }
        // Whoever comes after them is read.
        let carol = world.user("carol").await;
        carol.join(id(&harbour), 200).await;
        let file = carol.upload("after.txt", b"the petunia blooms").await;
        attach(&carol, id(&harbour), &file).await;
        found(&ada, "petunia", &["after.txt"]).await;
        found(&ada, "begin", &["long.txt"]).await;
    }

    async fn questions_that_are_none(world) {
        let ada = world.user("ada").await;
        for q in ["", " ", "has:link", "before:tomorrow", "!!!", &"x".repeat(300)] {
            ada.get(&format!("/api/v1/search/files?q={}", in_query(q)), 400).await;
        }
        ada.get("/api/v1/search/files", 400).await;
        ada.get("/api/v1/search/files?q=x&limit=0", 400).await;
        ada.get("/api/v1/search/files?q=x&limit=101", 400).await;
        ada.get("/api/v1/search/files?q=x&cursor=forged", 400).await;
        world.visitor().get("/api/v1/search/files?q=x", 401).await;
        let harbour = ada.create_channel("harbour", "public", 201).await;
        for number in 0..3 {
            let file = ada.upload(&format!("ferry-{number}.txt"), format!("number {number}").as_bytes()).await;
            attach(&ada, id(&harbour), &file).await;
        }
        found(&ada, "ferry", &["ferry-0.txt", "ferry-1.txt", "ferry-2.txt"]).await;
        // A name may be mistyped; among the words of texts something is always near.
        found(&ada, "fery", &["ferry-0.txt", "ferry-1.txt", "ferry-2.txt"]).await;
        found(&ada, "nubmer", &[]).await;
        let first = ada.get("/api/v1/search/files?q=ferry&limit=2", 200).await;
        assert_eq!(items(&first).len(), 2);
        let cursor = first["next_cursor"].as_str().unwrap();
        let second = ada.get(&format!("/api/v1/search/files?q=ferry&limit=2&cursor={cursor}"), 200).await;
        assert_eq!((items(&second).len(), &second["next_cursor"]), (1, &Value::Null));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everyone_has_so_much_reading_in_an_hour() {
    let mut world = crate::harness::World::embedded().await;
    let ada = world.user("ada").await;
    let harbour = ada.create_channel("harbour", "public", 201).await;
    let file = ada.upload("first.txt", b"the marigold blooms").await;
    attach(&ada, id(&harbour), &file).await;
    found(&ada, "marigold", &["first.txt"]).await;
    let alter = async |world: &mut crate::harness::World, statement: &str| {
        world.nodes[0].stop().await;
        crate::harness::command::sqlite(&world.nodes[0].data.join("confab.db"), statement);
        world.nodes[0].restart().await;
    };
    alter(&mut world, "update reading_turns set spent_ms = 300000").await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    bob.join(id(&harbour), 200).await;
    let waiting = ada.upload("waiting.txt", b"the hyacinth blooms").await;
    attach(&ada, id(&harbour), &waiting).await;
    // Another's document, and equal bytes that another brings, are read meanwhile; hers is not found by them either.
    for (name, words) in [("theirs.txt", "the petunia blooms"), ("equal.txt", "the hyacinth blooms")] {
        let file = bob.upload(name, words.as_bytes()).await;
        attach(&bob, id(&harbour), &file).await;
    }
    found(&bob, "petunia", &["theirs.txt"]).await;
    found(&bob, "hyacinth", &["equal.txt"]).await;
    found(&ada, "waiting", &["waiting.txt"]).await;
    let hour = "update reading_turns set hour_began_at = hour_began_at - 3600000, due_at = due_at - 3600000";
    alter(&mut world, hour).await;
    let bob = world.user("bob").await;
    found(&bob, "hyacinth", &["equal.txt", "waiting.txt"]).await;
}

async fn attach(user: &User, channel: &str, file: &Value) -> Value {
    user.post_form(channel, &json!({ "content": "see", "file_ids": [file["id"]] }), 201).await
}

async fn search(user: &User, q: &str) -> Value {
    user.get(&format!("/api/v1/search/files?q={}", in_query(q)), 200).await
}

/// Waits until exactly these are found.
async fn found(user: &User, q: &str, names: &[&str]) {
    wait_until(&format!("{} to find {names:?} by {q}", user.name), async || {
        let page = search(user, q).await;
        let mut shown: Vec<&str> =
            items(&page).iter().map(|hit| hit["file"]["filename"].as_str().unwrap()).collect();
        shown.sort_unstable();
        shown == names
    })
    .await;
}

/// A document as office programs write it.
fn document(body: &str) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [
        (
            "[Content_Types].xml",
            "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>",
        ),
        ("_rels/.rels", "<Relationships/>"),
        ("word/document.xml", &format!("<w:document><w:body>{body}</w:body></w:document>")),
    ] {
        archive.start_file(name, SimpleFileOptions::default()).unwrap();
        archive.write_all(content.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// One page with one line.
fn pdf(line: &str) -> Vec<u8> {
    let text = format!("BT /F1 12 Tf 20 100 Td ({line}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{text}\nendstream", text.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    let mut bytes = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in (1..).zip(&objects) {
        places.push(bytes.len());
        bytes.extend_from_slice(format!("{number} 0 obj\n{object}\nendobj\n").as_bytes());
    }
    let start = bytes.len();
    bytes.extend_from_slice(b"xref\n0 6\n0000000000 65535 f \n");
    for place in places {
        bytes.extend_from_slice(format!("{place:010} 00000 n \n").as_bytes());
    }
    bytes.extend_from_slice(
        format!("trailer << /Size 6 /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n").as_bytes(),
    );
    bytes
}
