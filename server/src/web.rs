//! The web client's files, in the binary.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use poem::http::{StatusCode, header};
use poem::{Body, Request, Response, handler};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

mod bundle;
mod lean;
mod module;
mod version;

use bundle::Bundle;

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
/// What is fetched before a channel is drawn, beside the page itself and fonts.
const FIRST: [&str; 4] = [bundle::SCRIPT, bundle::STYLE, "icons.svg", "logo.svg"];
/// The client of one version, made ready when it is first asked for.
struct Client {
    /// What its addresses carry.
    name: String,
    bundle: Bundle,
    /// What was sent already, by its path and whether it was asked for under a version's name. Only files of the binary come here, so
    /// nothing of a person is beside something that a stranger chose, which is how lengths of compressed answers give secrets away.
    ready: Mutex<HashMap<(bool, String), Arc<Ready>>>,
}

/// A file as it leaves.
struct Ready {
    bytes: Bytes,
    packed: Option<Bytes>,
    /// Without its quotes: the two are different bytes, so what is packed has a suffix.
    tag: String,
}

static CLIENT: Mutex<Option<Arc<Client>>> = Mutex::new(None);

/// One script policy for every page: no inline script, no other host. Only the named policies may make markup or the
/// address of a script from a text: that of messages, whose HTML is ours, and that of the service worker.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; \
    require-trusted-types-for 'script'; trusted-types confab-message confab-worker";

/// Makes ready what every visit begins with, so that the first one does not wait for it. Blocking; `stand_back` is called before the part that
/// nobody waits for. While files change under the server that is done when they are asked for.
pub fn prepare(stand_back: impl FnOnce()) {
    if cfg!(debug_assertions) {
        return;
    }
    let client = client();
    let first: Vec<_> = FIRST.iter().filter_map(|path| Some((*path, ready(&client, path, true)?))).collect();
    stand_back();
    for (path, ready) in first {
        if let (Some(_), Some(packed)) = (&ready.packed, packed_tightly(&ready.bytes)) {
            let tight = Ready { bytes: ready.bytes.clone(), packed: Some(packed), tag: ready.tag.clone() };
            client.keep((true, path.to_owned()), tight);
        }
    }
}

impl Client {
    fn keep(&self, key: (bool, String), ready: Ready) -> Arc<Ready> {
        let ready = Arc::new(ready);
        self.ready.lock().unwrap_or_else(PoisonError::into_inner).insert(key, ready.clone());
        ready
    }
}

/// The page; the client's own router reads the path.
#[handler]
pub fn page() -> Response {
    let client = client();
    Response::builder()
        .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-cache")
        .header("content-security-policy", POLICY)
        .body(version::named(&client.bundle.page, &client.name))
}

/// A file of the client. Under the name of this version browsers keep it and never ask again; otherwise an entity tag tells them that theirs is good.
#[handler]
pub fn asset(request: &Request) -> Response {
    let path = request.raw_path_param("path").unwrap_or_default();
    let client = client();
    match version::split(path) {
        Some((asked, path)) => file(request, path, &client, true, asked == client.name),
        None => file(request, path, &client, false, false),
    }
}

/// The client's service worker. It stands at the root, since its folder is what it may care for.
#[handler]
pub fn service_worker(request: &Request) -> Response {
    file(request, "sw.js", &client(), false, false)
}

/// The client as it stands.
fn client() -> Arc<Client> {
    let name = version::current::<Assets>();
    let mut known = CLIENT.lock().unwrap_or_else(PoisonError::into_inner);
    match &*known {
        Some(client) if client.name == name => client.clone(),
        _ => {
            let client = Arc::new(Client { name, bundle: Bundle::of::<Assets>(), ready: Mutex::default() });
            *known = Some(client.clone());
            client
        }
    }
}

/// `is_versioned`: of the page as it runs, whose modules take from its bundle; otherwise the file as it was written. `is_lasting`: what stands there
/// under this address never changes.
fn file(request: &Request, path: &str, client: &Client, is_versioned: bool, is_lasting: bool) -> Response {
    let Some(ready) = ready(client, path, is_versioned) else {
        return StatusCode::NOT_FOUND.into();
    };
    let packed = ready.packed.as_ref().filter(|_| takes_gzip(request));
    let suffix = if packed.is_some() { "-gzip" } else { "" };
    let tag = format!("\"{}{suffix}\"", ready.tag);
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
        Some(bytes) => {
            response.header(header::CONTENT_ENCODING, "gzip").body(Body::from_bytes(bytes.clone()))
        }
        None => response.body(Body::from_bytes(ready.bytes.clone())),
    }
}

/// A file made ready, which is done once. There are as many as the client has files, twice at most.
fn ready(client: &Client, path: &str, is_versioned: bool) -> Option<Arc<Ready>> {
    let key = (is_versioned, path.to_owned());
    if let Some(known) = client.ready.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return Some(known.clone());
    }
    let bytes = content(client, path, is_versioned)?;
    let is_worth_it = is_text(path) && bytes.len() >= SMALLEST_PACKED_BYTES;
    // Nobody makes it ready beforehand while files change.
    let is_tight = cfg!(debug_assertions) && is_versioned && FIRST.contains(&path);
    let pack = if is_tight { packed_tightly } else { packed };
    let packed = is_worth_it.then(|| pack(&bytes)).flatten();
    let tag = confab_core::text::hex(&Sha256::digest(&bytes)[..16]);
    Some(client.keep(key, Ready { bytes, packed, tag }))
}

/// Nothing where there is no such file.
fn content(client: &Client, path: &str, is_versioned: bool) -> Option<Bytes> {
    match path {
        bundle::SCRIPT if is_versioned => return Some(Bytes::from(client.bundle.script.clone())),
        bundle::STYLE if is_versioned => return Some(Bytes::from(client.bundle.style.clone())),
        _ => {}
    }
    let file = Assets::get(path).filter(|_| is_served(path))?;
    let text = std::str::from_utf8(&file.data).ok();
    match (path.rsplit('.').next(), text) {
        (Some("js"), Some(text)) if is_versioned && client.bundle.reads(path) => {
            Some(Bytes::from(client.bundle.later(path, text)))
        }
        (Some("css"), Some(text)) if is_versioned => Some(Bytes::from(lean::lean(text))),
        _ => Some(match file.data {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => Bytes::from(bytes),
        }),
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

/// Nothing where it fails: then it goes as it is.
fn packed(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::best());
    encoder.write_all(bytes).ok()?;
    Some(Bytes::from(encoder.finish().ok()?))
}

/// The same a few parts in a hundred smaller, for a good part of a second of work: never while somebody waits.
fn packed_tightly(bytes: &[u8]) -> Option<Bytes> {
    let mut packed = Vec::with_capacity(bytes.len() / 2);
    zopfli::compress(zopfli::Options::default(), zopfli::Format::Gzip, bytes, &mut packed).ok()?;
    Some(Bytes::from(packed))
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
