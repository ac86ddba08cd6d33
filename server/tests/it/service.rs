//! What operators and other programs see: health, metrics, the API document, headers.

use reqwest::Method;
use serde_json::json;

use crate::harness::user::User;
use crate::harness::{World, both, shown, wait_until};

both! {
    async fn an_operator_sees_how_it_is(world) {
        let visitor = world.visitor();
        for node in &world.nodes {
            let visitor = visitor.at(&node.address);
            assert_eq!(visitor.get("/health", 200).await["status"], "ok");
            // A record that stood still for a moment is told of.
            wait_until("all of it to answer", async || {
                visitor.call(Method::GET, "/ready", None).await.status == 200
            })
            .await;
            let database = visitor.get("/db-test", 200).await;
            let engine = if world.is_scaled() { "postgres" } else { "sqlite" };
            assert!(database["engine"].as_str().unwrap().to_lowercase().contains(engine), "{database}");
            let latency = database["latency_ms"].as_f64().unwrap();
            assert!((0.0..5_000.0).contains(&latency));
        }

        let ada = world.user("ada").await;
        ada.channels(200).await;
        let metrics = ada.call(Method::GET, "/metrics", None).await;
        assert_eq!(metrics.status, 200);
        for name in ["confab_http_requests_total", "confab_http_request_duration_seconds", "confab_ws_connections"] {
            assert!(metrics.text.contains(&format!("# HELP {name} ")), "{name} has no help:\n{}", metrics.text);
        }
        assert!(!metrics.text.contains(&ada.id), "a metric is named after a person: it would grow without bound");

        let info = visitor.get("/api/v1/info", 200).await;
        assert_eq!(info["mode"], if world.is_scaled() { "scaled" } else { "embedded" });
        assert_eq!((info["setup_required"].as_bool(), info["registration"].as_str()), (Some(false), Some("open")));

        let admin = world.admin().await;
        let stats = admin.get("/api/v1/admin/stats", 200).await;
        assert!(stats["index"]["lag"].as_i64().is_some(), "{stats}");
        assert!(stats["index"]["lag_ms"].as_i64().is_some_and(|it| it >= 0), "{stats}");
        ada.get("/api/v1/admin/dead-letters", 403).await;
        assert_eq!(admin.get("/api/v1/admin/dead-letters", 200).await["items"], serde_json::json!([]));
    }

    async fn the_api_describes_itself(world) {
        let visitor = world.visitor();
        let document = visitor.get("/openapi.json", 200).await;
        assert_eq!(document["openapi"], "3.0.0");
        for path in [
            "/auth/register", "/auth/login", "/auth/refresh", "/auth/logout", "/auth/me", "/users", "/users/{id}", "/channels",
            "/channels/me", "/channels/{id}", "/channels/{id}/join", "/channels/{id}/members", "/channels/{id}/messages",
            "/channels/direct", "/messages/{id}", "/messages/{id}/thread", "/messages/{id}/reactions/{code}", "/files/upload",
            "/search/messages", "/ai/message", "/ai/context", "/commands", "/channels/{id}/commands", "/plugins", "/gateway/ticket",
        ] {
            let known = document["paths"].as_object().unwrap();
            let found = known.keys().any(|key| fits(key, path));
            assert!(found, "{path} is not in the API document");
        }
        let docs = visitor.call(Method::GET, "/docs", None).await;
        assert_eq!(docs.status, 200);
        assert!(docs.header("content-type").starts_with("text/html"));
    }

    async fn files_of_the_client_are_compressed_for_those_who_take_it(world) {
        let visitor = world.visitor();
        let path = "/assets/js/app.js";
        let plain = visitor.fetch(visitor.request(Method::GET, path)).await;
        assert_eq!((plain.status, plain.header("content-encoding"), plain.header("vary")), (200, "", "accept-encoding"));
        let packed = visitor.fetch(visitor.request(Method::GET, path).header("accept-encoding", "br, gzip;q=0.8")).await;
        assert_eq!((packed.status, packed.header("content-encoding")), (200, "gzip"));
        assert_ne!(packed.header("etag"), plain.header("etag"));
        let known = visitor.request(Method::GET, path).header("accept-encoding", "gzip").header("if-none-match", packed.header("etag"));
        assert_eq!(visitor.fetch(known).await.status, 304);
        for unwilling in ["gzip;q=0, br", "identity"] {
            let reply = visitor.fetch(visitor.request(Method::GET, path).header("accept-encoding", unwilling)).await;
            assert_eq!((reply.header("content-encoding"), reply.text == plain.text), ("", true), "{unwilling}");
        }
        let font = visitor.fetch(visitor.request(Method::GET, "/assets/vendor/inter-latin.woff2").header("accept-encoding", "gzip")).await;
        assert_eq!((font.status, font.header("content-encoding")), (200, ""));
    }

    async fn files_of_the_client_are_asked_for_once(world) {
        let visitor = world.visitor();
        let page = visitor.fetch(visitor.request(Method::GET, "/").header("accept", "text/html")).await;
        assert_eq!(page.header("cache-control"), "no-cache");
        let (_, rest) = page.text.split_once("src=\"/assets/").expect("the page has a script");
        let script = rest.split('"').next().unwrap_or_default();
        assert!(script.starts_with("v-") && script.ends_with("/first.js"), "{script}");
        let named = visitor.fetch(visitor.request(Method::GET, &format!("/assets/{script}"))).await;
        assert_eq!((named.status, named.header("cache-control")), (200, "public, max-age=31536000, immutable"));
        // What another version's page asks for is answered, and not kept; what is no file of the client is not there.
        let older = visitor.fetch(visitor.request(Method::GET, "/assets/v-0000000000000000/first.js")).await;
        assert_eq!((older.status, older.header("cache-control"), older.text == named.text), (200, "no-cache", true));
        for path in ["/assets/v-0000000000000000/tests/words.test.mjs", "/assets/v-0000000000000000/package.json", "/assets/v-0000000000000000/"] {
            assert_eq!(visitor.fetch(visitor.request(Method::GET, path)).await.status, 404, "{path}");
        }
    }

    async fn a_page_is_served_with_its_guards(world) {
        let visitor = world.visitor();
        for path in ["/", "/login", "/setup", "/register", "/channels/00000000-0000-7000-8000-000000000000?seq=3", "/search?q=x"] {
            let page = visitor.fetch(visitor.request(Method::GET, path).header("accept", "text/html")).await;
            assert_eq!((page.status, page.text.contains("<!doctype html")), (200, true), "{path}");
            let policy = page.header("content-security-policy");
            for part in ["default-src 'self'", "frame-ancestors 'none'", "object-src 'none'", "base-uri 'none'"] {
                assert!(policy.contains(part), "{path}: {part} is not in {policy:?}");
            }
            assert!(!policy.contains("unsafe-inline") && !policy.contains("unsafe-eval"), "{path}: {policy}");
            assert_eq!(page.header("x-content-type-options"), "nosniff");
            assert_eq!(page.header("referrer-policy"), "no-referrer");
            assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
        }
        let ada = world.user("ada").await;
        let reply = ada.call(Method::GET, "/api/v1/channels", None).await;
        assert_eq!(reply.header("cache-control"), "no-store");
        assert!(!reply.header("x-request-id").is_empty());
        let refused = visitor.get("/api/v1/channels", 401).await;
        insta::allow_duplicates! {
            insta::assert_json_snapshot!(shown(&refused), @r#"
            {
              "code": "unauthenticated",
              "detail": "sign in first",
              "errors": [],
              "instance": "/api/v1/channels",
              "request_id": "[request id]",
              "status": 401,
              "title": "Unauthorized",
              "type": "about:blank"
            }
            "#);
        }
    }
}

#[tokio::test]
async fn only_named_origins_may_call() {
    let world = World::embedded_with(&[("CONFAB_ALLOWED_ORIGINS", "https://app.example.org")]).await;
    let visitor = world.visitor();
    let allowed = preflight(&visitor, "https://app.example.org").await;
    assert_eq!(allowed.as_deref(), Some("https://app.example.org"));
    for origin in
        ["https://evil.example", "https://app.example.org.evil.example", "http://app.example.org", "null"]
    {
        assert_eq!(preflight(&visitor, origin).await, None, "{origin}");
    }
    // Not UTF-8: must be refused, not bring the request down.
    let raw = reqwest::header::HeaderValue::from_bytes(b"https://\xff.example").unwrap();
    let reply = visitor.fetch(visitor.request(Method::GET, "/api/v1/info").header("origin", raw)).await;
    assert!(reply.status < 500, "{} {}", reply.status, reply.text);
    assert_eq!(reply.header("access-control-allow-origin"), "");
}

async fn preflight(visitor: &User, origin: &str) -> Option<String> {
    let request = visitor
        .request(Method::OPTIONS, "/api/v1/channels")
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type");
    let reply = visitor.fetch(request).await;
    Some(reply.header("access-control-allow-origin").to_owned()).filter(|it| !it.is_empty())
}

/// Whether two path templates are the same but for the names of their parameters and the base.
fn fits(known: &str, wanted: &str) -> bool {
    let known = known.strip_prefix("/api/v1").unwrap_or(known);
    let plain = |path: &str| -> Vec<String> {
        path.split('/')
            .map(|part| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() })
            .collect()
    };
    plain(known) == plain(wanted)
}

/// Whoever asks whether a server is ready waits for a second, as a rule; search keeps no server from its work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_worker_leaves_the_servers_ready() {
    let world = World::scaled().await;
    world.freeze_worker();
    let ready = world.visitor().get("/ready", 200).await;
    assert_eq!((&ready["status"], &ready["search"]), (&json!("ready"), &json!("does not answer")), "{ready}");
}
