//! The web client's files, in the binary.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{LazyLock, Mutex, PoisonError};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use poem::http::{StatusCode, header};
use poem::{Body, Request, Response, handler};
use rust_embed::RustEmbed;

mod lean;
mod version;

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

/// A year, and not asked about before.
const LASTING: &str = "public, max-age=31536000, immutable";
/// Files smaller than this travel in one packet either way.
const SMALLEST_PACKED_BYTES: usize = 1_000;
/// More than the client has files. A debug build, whose files change while it runs, begins anew there.
const MOST_PACKED: usize = 1_000;

/// What was compressed already, by the hash of what it was. Only files of the binary come here, so nothing of a person is
/// beside something that a stranger chose, which is how lengths of compressed answers give secrets away.
static PACKED: LazyLock<Mutex<HashMap<[u8; 32], Bytes>>> = LazyLock::new(Mutex::default);

/// One script policy for every page: no inline script, no other host. Only the named policies may make markup or the
/// address of a script from a text: that of messages, whose HTML is ours, and that of the service worker.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; \
    require-trusted-types-for 'script'; trusted-types confab-message confab-worker";

/// The page; the client's own router reads the path.
#[handler]
pub fn page() -> Response {
    match Assets::get("index.html") {
        Some(file) => {
            let text = version::named(&String::from_utf8_lossy(&file.data), &version::current::<Assets>());
            Response::builder()
                .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
                .header(header::CACHE_CONTROL, "no-cache")
                .header("content-security-policy", POLICY)
                .body(text)
        }
        None => StatusCode::NOT_FOUND.into(),
    }
}

/// A file of the client. Under the name of this version browsers keep it and never ask again; otherwise an entity tag tells them that theirs is good.
#[handler]
pub fn asset(request: &Request) -> Response {
    let path = request.raw_path_param("path").unwrap_or_default();
    match version::split(path) {
        Some((asked, path)) => file(request, path, asked == version::current::<Assets>()),
        None => file(request, path, false),
    }
}

/// The client's service worker. It stands at the root, since its folder is what it may care for.
#[handler]
pub fn service_worker(request: &Request) -> Response {
    file(request, "sw.js", false)
}

/// `is_lasting`: what stands there under this address never changes.
fn file(request: &Request, path: &str, is_lasting: bool) -> Response {
    let Some(file) = Assets::get(path).filter(|_| is_served(path)) else {
        return StatusCode::NOT_FOUND.into();
    };
    let hash = file.metadata.sha256_hash();
    let packed = (takes_gzip(request) && is_text(path) && file.data.len() >= SMALLEST_PACKED_BYTES)
        .then(|| packed(path, hash, &file.data))
        .flatten();
    // The two are different bytes, so they have different tags.
    let suffix = if packed.is_some() { "-gzip" } else { "" };
    let tag = format!("\"{}{suffix}\"", confab_core::text::hex(&hash[..16]));
    let known = request.header(header::IF_NONE_MATCH).is_some_and(|sent| sent == tag);
    let response = Response::builder()
        .header(header::ETAG, tag)
        .header(header::CACHE_CONTROL, if is_lasting { LASTING } else { "no-cache" })
        .header(header::VARY, "accept-encoding")
        .header("x-content-type-options", "nosniff");
    if known {
        return response.status(StatusCode::NOT_MODIFIED).finish();
    }
    let response = response.header(header::CONTENT_TYPE, content_type(path));
    match packed {
        Some(bytes) => response.header(header::CONTENT_ENCODING, "gzip").body(Body::from(bytes)),
        None => response.body(Body::from(file.data.into_owned())),
    }
}

/// Whether the browser takes it so. A weight of zero means that it does not.
fn takes_gzip(request: &Request) -> bool {
    request.header(header::ACCEPT_ENCODING).is_some_and(|encodings| {
        encodings.split(',').any(|encoding| {
            let mut parts = encoding.split(';').map(str::trim);
            parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"))
                && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
    })
}

/// Fonts and pictures are compressed by what they are.
fn is_text(path: &str) -> bool {
    matches!(path.rsplit('.').next(), Some("js" | "mjs" | "css" | "svg" | "json" | "webmanifest"))
}

/// The file without its comments, compressed, which is done once. Nothing where that fails: then it goes as it is.
fn packed(path: &str, hash: [u8; 32], data: &[u8]) -> Option<Bytes> {
    if let Some(known) = PACKED.lock().unwrap_or_else(PoisonError::into_inner).get(&hash) {
        return Some(known.clone());
    }
    let ours = matches!(path.rsplit('.').next(), Some("js" | "css")) && !path.starts_with("vendor/");
    let text = if ours { std::str::from_utf8(data).ok() } else { None };
    let lean = text.map(|text| lean::lean(path, text));
    let mut encoder = GzEncoder::new(Vec::with_capacity(data.len() / 2), Compression::best());
    encoder.write_all(lean.as_deref().map_or(data, str::as_bytes)).ok()?;
    let bytes = Bytes::from(encoder.finish().ok()?);
    let mut all = PACKED.lock().unwrap_or_else(PoisonError::into_inner);
    if all.len() >= MOST_PACKED {
        all.clear();
    }
    all.insert(hash, bytes.clone());
    Some(bytes)
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
