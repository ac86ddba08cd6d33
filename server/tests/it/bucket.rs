//! What differs when files lie in a bucket: it is another program, which may fail, and which several servers share.

use reqwest::Method;
use serde_json::json;

use crate::harness::files::{LIMITS, noise};
use crate::harness::user::{assert_problem, id};
use crate::harness::{Bucket, User, World, confab, wait_until};

const PICTURE: &str = "/api/v1/users/me/profile-picture";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_in_the_bucket_and_leaves_it() {
    let bucket = Bucket::start().await;
    let mut world = World::scaled_with(&[LIMITS, &bucket.settings()].concat()).await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let file = ada.upload("tides.bin", &noise(30, 5_000)).await;
    let picture = ada.upload("dot.png", &crate::thumbnails::png(20, 20)).await;
    let keys = bucket.keys().await;
    assert_eq!(keys.len(), 3, "{keys:?}");
    assert!(keys.iter().all(|key| key.starts_with("confab/files/files/")), "{keys:?}");

    // A person's picture is set at one server and shown by the other.
    set_picture(&ada, 200).await;
    let url =
        bob.get(&format!("/api/v1/users/{}", ada.id), 200).await["picture_url"].as_str().unwrap().to_owned();
    for person in [&ada, &bob] {
        let shown = person.call(Method::GET, &url, None).await;
        assert_eq!((shown.status, shown.header("content-type")), (200, "image/jpeg"));
    }
    ada.send(Method::DELETE, PICTURE, None, 200).await;
    wait_until("the picture to be gone", async || bob.call(Method::GET, &url, None).await.status == 404)
        .await;

    let begun = json!({ "filename": "a", "size": 20 });
    let begun = ada.send(Method::POST, "/api/v1/files/uploads", Some(&begun), 201).await;
    let path = format!("/api/v1/files/uploads/{}", id(&begun));
    let part = ada.request(Method::PATCH, &path).header("upload-offset", "0").body(vec![1; 20]);
    assert_eq!(ada.fetch(part.header("content-type", "application/octet-stream")).await.status, 200);
    assert_eq!(bucket.keys().await.len(), 4);
    ada.send(Method::DELETE, &path, None, 204).await;
    for gone in [&file, &picture] {
        ada.send(Method::DELETE, &format!("/api/v1/files/{}", id(gone)), None, 204).await;
    }
    wait_until("the bucket to be empty", async || bucket.keys().await.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_fails_costs_nothing_but_files() {
    let mut bucket = Bucket::start().await;
    let mut world = World::embedded_with(&[LIMITS, &bucket.settings()].concat()).await;
    let ada = world.user("ada").await;
    let channel = ada.create_channel("harbour", "public", 201).await;
    let file = ada.upload("tides.bin", &noise(31, 5_000)).await;
    bucket.kill();
    let refused = ada.try_upload("other.bin", &noise(32, 5_000)).await;
    assert_eq!(
        (refused.status, refused.body()["code"].as_str()),
        (503, Some("unavailable")),
        "{}",
        refused.text
    );
    assert_problem(&refused);
    let lost = ada.fetch_bytes(&format!("{}/download", id(&file)), &[]).await;
    assert_eq!(lost.status, 503);
    // Equal bytes are there already, as far as anybody knows.
    ada.post(id(&channel), "people go on talking", 201).await;
    assert_eq!(ada.get("/api/v1/users/me/quota", 200).await["files"], 1, "a refused upload left a record");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_cannot_work_stop_the_start() {
    let folder = tempfile::tempdir().unwrap();
    for (settings, said) in [
        (&[("CONFAB_FILES_URL", "ftp://x")][..], "files_url must be"),
        (&[("CONFAB_FILES_URL", "s3://chat"), ("AWS_ENDPOINT_URL", "http://127.0.0.1:1")], "aws_allow_http"),
        (&[("CONFAB_FILES_URL", "s3://chat"), ("AWS_ENDPOINT_URL", "127.0.0.1:1")], "aws_endpoint_url"),
        (&[("CONFAB_FILES_URL", "s3://chat"), ("AWS_ALLOW_HTTP", "maybe")], "aws_allow_http"),
    ] {
        let done = confab(folder.path(), &["config", "check"], settings).await;
        assert_eq!(done.code, 2, "{}", done.said());
        assert!(done.said().contains(said), "{}", done.said());
    }
    let shown = [
        ("CONFAB_FILES_URL", "s3://chat/a"),
        ("AWS_ENDPOINT", "https://store.example.org"),
        ("AWS_SECRET_ACCESS_KEY", "ninety-nine"),
    ];
    let done = confab(folder.path(), &["config", "show"], &shown).await;
    assert!(done.code == 0 && done.said().contains("s3://chat/a"), "{}", done.said());
    assert!(!done.said().contains("ninety-nine"), "a secret was shown");
}

async fn set_picture(user: &User, expected: u16) {
    let request = user.form_request(Method::PUT, PICTURE, b"me.png", &crate::thumbnails::png(40, 40));
    let reply = user.fetch(request).await;
    assert_eq!(reply.status, expected, "{}", reply.text);
}
