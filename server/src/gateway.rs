//! The sockets: `GET /ws`, JSON frames, events in order and each once.
//!
//! One task encodes what the log brings ([`frames`]), one hands each frame to the sockets that may have it ([`hub`]),
//! one serves each socket ([`socket`]). The bytes of a frame are made once and shared: poem's own WebSocket would copy
//! them for every member, so only its upgrade is used.

mod device;
pub mod frames;
pub(crate) mod greet;
mod hub;
pub(crate) mod outbox;
mod resume;
mod socket;
pub(crate) mod strangers;
pub(crate) mod wire;

use std::net::IpAddr;

use poem::http::{StatusCode, header};
use poem::web::Data;
use poem::{Request, Response, Upgraded, handler};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

pub use hub::{Hub, OnChange};

use crate::http::context::Context;
use crate::http::origin;
use crate::state::App;

/// Largest frame of a client (docs/limits.md).
const FRAME_BYTES: usize = 16 * 1_024;

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
pub(crate) fn accept<Served: Future<Output = ()> + Send>(
    request: &Request,
    app: &App,
    frame_bytes: usize,
    serve: impl FnOnce(App, WebSocketStream<Upgraded>, IpAddr, Option<String>) -> Served + Send + 'static,
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
    if app.hub.is_draining() {
        return Err(poem::Error::from_status(StatusCode::SERVICE_UNAVAILABLE));
    }
    // Addresses end up in logs of proxies: unless the operator allows it, a token is said in the first frame.
    let token = token_in(request.uri().query().unwrap_or_default());
    if token.is_some() && !app.settings.socket_token_in_url {
        let text = "a token belongs into the first frame, not into the address";
        return Err(poem::Error::from_string(text, StatusCode::FORBIDDEN));
    }
    let upgrade = request.take_upgrade()?;
    let (app, context) = (app.clone(), Context::current());
    tokio::spawn(async move {
        let Ok(stream) = upgrade.await else { return };
        // The crate's own defaults would take 128 KiB at once for each socket, and read messages of 64 MiB.
        let config = WebSocketConfig::default()
            .read_buffer_size(4 * 1_024)
            .write_buffer_size(16 * 1_024)
            .max_write_buffer_size(2 * 1_024 * 1_024)
            .max_message_size(Some(frame_bytes))
            .max_frame_size(Some(frame_bytes));
        let stream = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
        serve(app, stream, context.address, token).await;
    });
    Ok(Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, accept)
        .finish())
}
