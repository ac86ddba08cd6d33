//! Uploads in parts: what breaks off goes on where it stopped, at whichever server.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::files::{MOST_BYTES, noise, sha256};
use crate::harness::user::{Reply, assert_problem, id};
use crate::harness::{User, everywhere};

const UPLOADS: &str = "/api/v1/files/uploads";

everywhere! {
    async fn parts_become_a_file(world) {
        let ada = world.user("ada").await;
        let other = ada.at(&world.nodes[world.nodes.len() - 1].address);
        let bytes = noise(20, 9 << 20);
        let form = json!({ "filename": "../long.bin", "size": bytes.len(), "sha256": sha256(&bytes) });
        let begun = ada.send(Method::POST, UPLOADS, Some(&form), 201).await;
        let part_bytes = begun["part_bytes"].as_u64().unwrap() as usize;
        assert_eq!((&begun["offset"], &begun["filename"]), (&json!(0), &json!("long.bin")), "{begun}");
        assert!(begun["expires_at"].is_string() && part_bytes >= 1 << 20);
        assert_eq!(ada.get("/api/v1/users/me/quota", 200).await["used_bytes"], bytes.len(), "it counts at once");

        let first = 3 << 20;
        let answer = part(&ada, &begun, 0, &bytes[..first]).await;
        assert_eq!((answer.status, &answer.body()["offset"]), (200, &json!(first)), "{}", answer.text);
        // The next part reaches another server, as after a failure; a repetition and a hole are told where to go on.
        for offset in [0, first - 1, first + 1] {
            let refused = part(&other, &begun, offset, &bytes[..100]).await;
            assert_eq!((refused.status, &refused.body()["code"]), (409, &json!("wrong_offset")));
            assert_eq!(refused.body()["errors"][0], json!({ "field": "offset", "message": first.to_string() }));
            assert_problem(&refused);
        }
        let path = format!("{UPLOADS}/{}", id(&begun));
        assert_eq!(other.get(&path, 200).await["offset"], first);
        let early = other.send(Method::POST, &format!("{path}/complete"), None, 409).await;
        assert_eq!(early["code"], "incomplete");
        assert_eq!(part(&other, &begun, first, &bytes[first..]).await.status, 200);
        assert_eq!(part(&other, &begun, bytes.len(), b"more").await.status, 400, "more than was announced");

        let file = ada.send(Method::POST, &format!("{path}/complete"), None, 201).await;
        assert_eq!((&file["sha256"], &file["file_size"]), (&json!(sha256(&bytes)), &json!(bytes.len())));
        assert!(other.download(&file).await.bytes == bytes, "the parts were put together wrongly");
        let again = other.send(Method::POST, &format!("{path}/complete"), None, 200).await;
        assert_eq!(again, file, "completing twice makes one file");
        let kept = ada.get("/api/v1/users/me/quota", 200).await;
        assert_eq!((&kept["used_bytes"], &kept["files"]), (&json!(bytes.len()), &json!(1)), "it counts once");
        assert_eq!(part(&ada, &begun, bytes.len(), b"more").await.status, 409);
    }

    async fn what_does_not_fit_is_refused(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        for (name, form, status) in [
            ("empty", json!({ "filename": "a", "size": 0 }), 400),
            ("negative", json!({ "filename": "a", "size": -1 }), 400),
            ("too large", json!({ "filename": "a", "size": MOST_BYTES + 1 }), 413),
            ("beyond numbers", json!({ "filename": "a", "size": i64::MAX }), 413),
            ("no size", json!({ "filename": "a" }), 400),
            ("no name", json!({ "size": 5 }), 400),
            ("a hash that is none", json!({ "filename": "a", "size": 5, "sha256": "abc" }), 400),
            ("a name that is none", json!({ "filename": 5, "size": 5 }), 400),
        ] {
            let reply = ada.call(Method::POST, UPLOADS, Some(&form)).await;
            assert_eq!(reply.status, status, "{name}: {}", reply.text);
            assert_problem(&reply);
        }
        // Other bytes than were announced: they are given up.
        let form = json!({ "filename": "a", "size": 5, "sha256": sha256(b"hello") });
        let wrong = ada.send(Method::POST, UPLOADS, Some(&form), 201).await;
        let path = format!("{UPLOADS}/{}", id(&wrong));
        assert_eq!(part(&ada, &wrong, 0, b"hallo").await.status, 200);
        let refused = ada.send(Method::POST, &format!("{path}/complete"), None, 400).await;
        assert_eq!(refused["errors"][0]["field"], "sha256");
        ada.get(&path, 404).await;

        let begun = ada.send(Method::POST, UPLOADS, Some(&json!({ "filename": "a", "size": 20 })), 201).await;
        let path = format!("{UPLOADS}/{}", id(&begun));
        // Nobody else knows of it.
        bob.get(&path, 404).await;
        bob.send(Method::DELETE, &path, None, 404).await;
        bob.send(Method::POST, &format!("{path}/complete"), None, 404).await;
        assert_eq!(part(&bob, &begun, 0, b"hello").await.status, 404);
        for (name, bytes, status) in [("nothing", &b""[..], 400), ("too much", &[1; 21], 413), ("too little", b"hello", 400)] {
            let reply = part(&ada, &begun, 0, bytes).await;
            assert_eq!(reply.status, status, "{name}: {}", reply.text);
            assert_problem(&reply);
        }
        let request = ada.request(Method::PATCH, &path).header("content-type", "application/octet-stream");
        assert_eq!(ada.fetch(request.body("hello")).await.status, 400, "no offset");
        assert_eq!(ada.get(&path, 200).await["offset"], 0, "what was refused is not kept");
        // Two parts for one place: one gets it.
        let (one, two) = tokio::join!(part(&ada, &begun, 0, &[1; 20]), part(&ada, &begun, 0, &[2; 20]));
        let mut answers = [one.status, two.status];
        answers.sort_unstable();
        assert_eq!(answers, [200, 409]);
        ada.send(Method::DELETE, &path, None, 204).await;
        ada.get(&path, 404).await;
        assert_eq!(ada.get("/api/v1/users/me/quota", 200).await["used_bytes"], 0);

        let small = json!({ "filename": "a", "size": 5 });
        for _ in 0..20 {
            ada.send(Method::POST, UPLOADS, Some(&small), 201).await;
        }
        let refused = ada.send(Method::POST, UPLOADS, Some(&small), 409).await;
        assert_eq!(refused["code"], "too_many_uploads");
        bob.send(Method::POST, UPLOADS, Some(&small), 201).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_gets_no_part_for_a_day_is_gone() {
    let mut world = crate::harness::World::embedded().await;
    let ada = world.user("ada").await;
    let least = 256 << 10;
    let form = json!({ "filename": "a", "size": least + 5 });
    let begun = ada.send(Method::POST, UPLOADS, Some(&form), 201).await;
    assert_eq!(begun["least_part_bytes"], least);
    let refused = part(&ada, &begun, 0, &noise(21, least - 1)).await;
    assert_eq!(
        (refused.status, &refused.body()["errors"][0]["field"]),
        (400, &json!("body")),
        "{}",
        refused.text
    );
    assert_problem(&refused);
    assert_eq!(part(&ada, &begun, 0, &noise(21, least)).await.status, 200);
    world.nodes[0].stop().await;
    let aged = "update file_uploads set expires_at = expires_at - 86400001";
    crate::harness::command::sqlite(&world.nodes[0].data.join("confab.db"), aged);
    world.nodes[0].restart().await;
    let ada = world.user("ada").await;
    ada.get(&format!("{UPLOADS}/{}", id(&begun)), 404).await;
    assert_eq!(part(&ada, &begun, least, b"hello").await.status, 404);
    let other = ada.upload("other.txt", b"other").await;
    ada.send(Method::DELETE, &format!("/api/v1/files/{}", id(&other)), None, 204).await;
    let parts = world.nodes[0].data.join("parts");
    crate::harness::wait_until("the part to be removed", async || {
        crate::harness::files::count_files(&parts) == 0
    })
    .await;
}

async fn part(user: &User, upload: &Value, offset: usize, bytes: &[u8]) -> Reply {
    let request = user
        .request(Method::PATCH, &format!("{UPLOADS}/{}", id(upload)))
        .header("content-type", "application/octet-stream")
        .header("upload-offset", offset.to_string())
        .body(bytes.to_vec());
    user.fetch(request).await
}
