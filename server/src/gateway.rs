//! The sockets: `GET /ws`, JSON frames, events in order and each once.
//!
//! One task encodes what the log brings ([`frames`]), one hands each frame to the sockets that may have it ([`hub`]),
//! one serves each socket: [`socket`] until it is greeted behind the [`door`], [`live`] from then on. The bytes of a
//! frame are made once and shared, down to the one write in which all that waits for a socket leaves ([`wire`]).

mod asking;
mod device;
pub mod door;
pub mod frames;
pub(crate) mod greet;
pub(crate) mod hub;
pub(crate) mod lifetime;
mod live;
pub(crate) mod outbox;
mod ready;
mod resume;
mod sending;
mod socket;
pub(crate) mod strangers;
pub(crate) mod wire;

use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::Poll;

use poem::http::{StatusCode, header};
use poem::web::Data;
use poem::{Request, Response, handler};
use tokio::io::{AsyncRead, ReadBuf};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

pub use hub::{Hub, OnChange};
pub use strangers::all_have_left;

use crate::http::context::Context;
use crate::http::line::Line;
use crate::http::origin;
use crate::state::App;
use outbox::TOO_MANY;
use strangers::Counted;
use wire::{Ended, Wire, deflate};

/// Largest frame of a client, and largest message of several (docs/limits.md).
const FRAME_BYTES: usize = 16 * 1_024;
/// Clients may say so much before they know that they may; it is more than the framework reads ahead.
const EARLY_BYTES: usize = 64 * 1_024;

/// The value of `token` in a query; tokens need no escapes.
fn token_in(query: &str) -> Option<String> {
    query.split('&').find_map(|pair| pair.strip_prefix("token=")).map(str::to_owned)
}

/// Opens a socket.
#[handler]
pub async fn open(request: &Request, app: Data<&App>) -> poem::Result<Response> {
    accept(request, &app, FRAME_BYTES, socket::serve)
}

/// Accepts a socket whose frames have at most `frame_bytes`, and has it served.
///
/// # Errors
/// What is no WebSocket, comes from a foreign page, or says its token in the address.
pub(crate) fn accept<Served: Future<Output = (Wire, Ended)> + Send>(
    request: &Request,
    app: &App,
    frame_bytes: usize,
    serve: impl FnOnce(App, Wire, IpAddr, Option<String>) -> Served + Send + 'static,
) -> poem::Result<Response> {
    let is_upgrade =
        request.header(header::UPGRADE).is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
    let key = request.header(header::SEC_WEBSOCKET_KEY).map(|key| derive_accept_key(key.as_bytes()));
    let (Some(accept), true) = (key, is_upgrade) else {
        return Err(poem::Error::from_string("this path speaks WebSocket", StatusCode::BAD_REQUEST));
    };
    if request.header(header::SEC_WEBSOCKET_VERSION) != Some("13") {
        return Err(poem::Error::from_string("WebSocket version 13 is spoken here", StatusCode::BAD_REQUEST));
    }
    // A foreign page could open a socket with whatever the browser adds by itself (ASVS 4.4.2).
    if !origin::is_allowed(request, app) {
        return Err(poem::Error::from_string("this page may not open a socket here", StatusCode::FORBIDDEN));
    }
    if app.hub.is_draining() || door::is_crowded() {
        return Ok(come_back());
    }
    // Addresses end up in logs of proxies: unless the operator allows it, a token is said in the first frame.
    let token = token_in(request.uri().query().unwrap_or_default());
    if token.is_some() && !app.settings.socket_token_in_url {
        let text = "a token belongs into the first frame, not into the address";
        return Err(poem::Error::from_string(text, StatusCode::FORBIDDEN));
    }
    let Some(line) = Line::under(request) else {
        return Err(poem::Error::from_string(
            "no socket over such a connection",
            StatusCode::NOT_IMPLEMENTED,
        ));
    };
    let extensions = request.headers().get_all(header::SEC_WEBSOCKET_EXTENSIONS);
    let is_deflated = extensions.iter().filter_map(|it| it.to_str().ok()).any(deflate::is_offered);
    let upgrade = request.take_upgrade().map_err(|_| {
        // So a proxy that speaks HTTP/1.0 to its servers.
        poem::Error::from_string("this path speaks WebSocket, over HTTP/1.1", StatusCode::BAD_REQUEST)
    })?;
    let (app, context) = (app.clone(), Context::current());
    tokio::spawn(async move {
        let Ok(mut upgraded) = upgrade.await else { return };
        let early = early(&mut upgraded).await;
        // Its layers go, the connection stays.
        drop(upgraded);
        let wire = Wire::new(line, early, is_deflated, frame_bytes);
        let (place, sockets) = Counted::one_more();
        let (mut wire, ended) = if sockets > app.settings.sockets_total {
            (wire, Some(TOO_MANY))
        } else {
            serve(app, wire, context.address, token).await
        };
        if let Some(reason) = ended {
            metrics::counter!("confab_ws_closed_total", "code" => reason.code.to_string()).increment(1);
        }
        wire.close(ended).await;
        drop(place);
        wire.linger().await;
    });
    let mut response = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, accept);
    if is_deflated {
        response = response.header(header::SEC_WEBSOCKET_EXTENSIONS, deflate::AGREED);
    }
    Ok(response.finish())
}

/// What the client said before its answer, and the framework has read already.
async fn early(upgraded: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut early = Vec::new();
    poll_fn(|context| {
        let mut some = [0; 4_096];
        loop {
            let mut into = ReadBuf::new(&mut some);
            let read = Pin::new(&mut *upgraded).poll_read(context, &mut into);
            let is_over = !matches!(read, Poll::Ready(Ok(()))) || into.filled().is_empty();
            early.extend_from_slice(into.filled());
            if is_over || early.len() > EARLY_BYTES {
                return Poll::Ready(());
            }
        }
    })
    .await;
    early
}

/// This server is going away, or has too much to do: another one, or later.
fn come_back() -> Response {
    let seconds = door::return_ms().div_ceil(1_000);
    Response::builder()
        .status(StatusCode::SERVICE_UNAVAILABLE)
        .header(header::RETRY_AFTER, seconds)
        .body("come back later")
}
