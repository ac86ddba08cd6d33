//! The web client's files, in the binary.

use poem::http::{StatusCode, header};
use poem::{Body, Request, Response, handler};
use rust_embed::RustEmbed;

/// Every file under `web/`. In debug builds they are read from disk.
#[derive(RustEmbed)]
#[folder = "web/"]
struct Assets;

/// Whether a file is part of the client: its tests and notes are not served.
fn is_served(path: &str) -> bool {
    !path.starts_with(['.', '/'])
        && !path.contains("//")
        && !path.contains("/.")
        && !path.starts_with("tests/")
        && path.rsplit('.').next() != Some("md")
        && !matches!(path, "index.html" | "package.json")
}

/// One script policy for every page: no inline script, no other host. Only the named policies may make markup or the
/// address of a script from a text: that of messages, whose HTML is ours, and that of the service worker.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; \
    require-trusted-types-for 'script'; trusted-types confab-message confab-worker";

/// The page; the client's own router reads the path.
#[handler]
pub fn page() -> Response {
    match Assets::get("index.html") {
        Some(file) => Response::builder()
            .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
            .header(header::CACHE_CONTROL, "no-cache")
            .header("content-security-policy", POLICY)
            .body(file.data.into_owned()),
        None => StatusCode::NOT_FOUND.into(),
    }
}

/// A file of the client, with an entity tag so that browsers ask only once.
#[handler]
pub fn asset(request: &Request) -> Response {
    file(request, request.raw_path_param("path").unwrap_or_default())
}

/// The client's service worker. It stands at the root, since its folder is what it may care for.
#[handler]
pub fn service_worker(request: &Request) -> Response {
    file(request, "sw.js")
}

fn file(request: &Request, path: &str) -> Response {
    let Some(file) = Assets::get(path).filter(|_| is_served(path)) else {
        return StatusCode::NOT_FOUND.into();
    };
    let tag = format!("\"{}\"", confab_core::text::hex(&file.metadata.sha256_hash()[..16]));
    let known = request.header(header::IF_NONE_MATCH).is_some_and(|sent| sent == tag);
    let response = Response::builder()
        .header(header::ETAG, tag)
        .header(header::CACHE_CONTROL, "no-cache")
        .header("x-content-type-options", "nosniff");
    if known {
        return response.status(StatusCode::NOT_MODIFIED).finish();
    }
    response.header(header::CONTENT_TYPE, content_type(path)).body(Body::from(file.data.into_owned()))
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("png") => "image/png",
        Some("json" | "webmanifest") => "application/json",
        _ => "application/octet-stream",
    }
}
