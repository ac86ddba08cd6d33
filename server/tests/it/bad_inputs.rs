//! Inputs that no honest client sends: each is refused with a problem document, and none is a server error.

use reqwest::Method;
use serde_json::json;

use crate::harness::both;
use crate::harness::user::{assert_problem, id, items};

const UNKNOWN: &str = "00000000-0000-7000-8000-000000000000";

both! {
    async fn messages_that_are_none(world) {
        let ada = world.user("ada").await;
        let channel = ada.create_channel("harbour", "public", 201).await;
        let path = format!("/api/v1/channels/{}/messages", id(&channel));
        let longest = "é".repeat(16_000);
        let table = [
            ("empty", json!({ "content": "" })),
            ("spaces only", json!({ "content": " \t\n " })),
            ("one character too many", json!({ "content": "é".repeat(16_001) })),
            ("NUL", json!({ "content": "a\u{0}b" })),
            ("no content", json!({})),
            ("a number", json!({ "content": 5 })),
            ("a truth value", json!({ "content": true })),
            ("null", json!({ "content": null })),
            ("a list", json!(["content"])),
            ("a parent that is no id", json!({ "content": "x", "parent_id": "x" })),
            ("a parent of the wrong type", json!({ "content": "x", "parent_id": 7 })),
            ("files of the wrong type", json!({ "content": "x", "file_ids": "x" })),
            ("a file that is not there", json!({ "content": "x", "file_ids": [UNKNOWN] })),
            ("an endless nonce", json!({ "content": "x", "nonce": "n".repeat(10_000) })),
        ];
        for (name, body) in table {
            let reply = ada.call(Method::POST, &path, Some(&body)).await;
            assert_eq!(reply.status, 400, "{name}: {}", reply.text);
            assert_problem(&reply);
        }
        let taken = ada.post(id(&channel), &longest, 201).await;
        assert_eq!(taken["content"], longest, "16,000 characters are allowed, whatever bytes they take");
        assert_eq!(items(&ada.list(id(&channel), "", 200).await).len(), 1, "a refused message left something");
    }

    async fn ids_that_are_none(world) {
        let ada = world.user("ada").await;
        let long = "9".repeat(2_000);
        for bad in [UNKNOWN, "x", "-1", "9223372036854775808", "..%2f..%2fetc", "%00", "%ff", long.as_str()] {
            for path in ["channels/ID", "channels/ID/messages", "channels/ID/members", "messages/ID", "messages/ID/thread", "users/ID", "files/ID"] {
                let path = format!("/api/v1/{}", path.replace("ID", bad));
                let reply = ada.call(Method::GET, &path, None).await;
                assert!(matches!(reply.status, 400 | 404), "{path}: {} {}", reply.status, reply.text);
                assert_problem(&reply);
            }
        }
    }

    async fn bodies_that_are_none(world) {
        let ada = world.user("ada").await;
        let channel = ada.create_channel("harbour", "public", 201).await;
        let path = format!("/api/v1/channels/{}/messages", id(&channel));
        let json_type = "application/json";
        let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
        for (name, kind, body, expected) in [
            ("nothing", json_type, String::new(), 400),
            ("cut off", json_type, "{\"content\": \"a".to_owned(), 400),
            ("two values", json_type, "{} {}".to_owned(), 400),
            ("deep nesting", json_type, deep, 400),
            ("another type", "text/plain", "hello".to_owned(), 415),
            ("too large", json_type, format!("{{\"content\":\"{}\"}}", "x".repeat(400 * 1024)), 413),
        ] {
            let request = ada.request(Method::POST, &path).header("content-type", kind).body(body);
            let reply = ada.fetch(request).await;
            assert_eq!(reply.status, expected, "{name}: {}", reply.text);
            assert_problem(&reply);
        }
        let invalid = ada.request(Method::POST, &path).header("content-type", json_type).body(b"{\"content\":\"\xff\"}".to_vec());
        assert_eq!(ada.fetch(invalid).await.status, 400, "text that is not UTF-8");
    }

    async fn routes_that_are_none(world) {
        let ada = world.user("ada").await;
        for path in ["/api/v1/nothing", "/api/v1/", "/api/v1/channels/me/x/y/z"] {
            let reply = ada.call(Method::GET, path, None).await;
            assert_eq!(reply.status, 404, "{path}: {}", reply.text);
            assert_problem(&reply);
        }
        for (method, path, allowed) in [
            (Method::DELETE, "/api/v1/channels", "GET"),
            (Method::PATCH, "/api/v1/auth/login", "POST"),
            (Method::PUT, "/health", "GET"),
        ] {
            let reply = ada.call(method.clone(), path, None).await;
            assert_eq!(reply.status, 405, "{method} {path}: {}", reply.text);
            assert_problem(&reply);
            assert!(reply.header("allow").contains(allowed), "{method} {path}: Allow: {:?}", reply.header("allow"));
        }
    }
}
