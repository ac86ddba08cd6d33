//! The framework's WebSocket, tuned: buffers of a few KiB, a text for each member, all that waits flushed once.
//!
//! The framework's own type is this crate around the upgraded stream, with texts that it owns; so is this.
//! Also what the framework takes for a request where nobody is known, nothing looked up and nothing stored.

use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use poem::http::{StatusCode, header};
use poem::listener::{Acceptor, TcpAcceptor};
use poem::web::{Data, Json, Path};
use poem::{EndpointExt, Request, Response, Route, Server, get, handler, post, put};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::hall::{Hall, ack};
use crate::Result;

/// Texts of one flush.
const TOGETHER: usize = 64;

/// Serves until the process is killed.
pub async fn serve(listener: TcpListener, hall: Arc<Hall>) -> Result<()> {
    let acceptor = TcpAcceptor::from_tokio(listener)?;
    let route = Route::new()
        .at("/ws", get(open))
        .at("/channels/:channel/messages", post(say).get(page))
        .at("/page", put(keep_page))
        .data(hall)
        .data(Arc::new(Page::default()));
    for address in acceptor.local_addr() {
        if let Some(address) = address.as_socket_addr() {
            println!("floor listening on http://{address}");
        }
    }
    Server::new_with_acceptor(acceptor).run(route).await?;
    Ok(())
}

#[handler]
async fn say(Path(channel): Path<usize>, body: Json<Value>, hall: Data<&Arc<Hall>>) -> Response {
    let content = body.0["content"].as_str().unwrap_or_default();
    hall.publish(channel, content, |text| Bytes::copy_from_slice(text.as_bytes()));
    Response::builder().status(StatusCode::CREATED).content_type("application/json").body(ack().to_string())
}

/// What is answered instead of a page: bytes that were made before.
#[derive(Default)]
struct Page(RwLock<Bytes>);

#[handler]
async fn keep_page(body: Vec<u8>, kept: Data<&Arc<Page>>) -> StatusCode {
    *kept.0.0.write().unwrap_or_else(PoisonError::into_inner) = body.into();
    StatusCode::NO_CONTENT
}

#[handler]
async fn page(kept: Data<&Arc<Page>>) -> Response {
    let bytes = kept.0.0.read().unwrap_or_else(PoisonError::into_inner).clone();
    Response::builder().content_type("application/json").body(bytes)
}

#[handler]
async fn open(request: &Request, hall: Data<&Arc<Hall>>) -> poem::Result<Response> {
    let key = request.header(header::SEC_WEBSOCKET_KEY).unwrap_or_default();
    let accept = derive_accept_key(key.as_bytes());
    let upgrade = request.take_upgrade()?;
    let (query, hall) = (request.uri().query().unwrap_or_default().to_owned(), hall.clone());
    tokio::spawn(async move {
        let Ok(stream) = upgrade.await else { return };
        let config = WebSocketConfig::default().read_buffer_size(4_096).write_buffer_size(16_384);
        let mut stream = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
        let (queue, mut waiting) = mpsc::unbounded_channel();
        hall.join(&query, &queue);
        let _ = queue.send(Bytes::from_static(br#"{"op":"ready"}"#));
        loop {
            tokio::select! {
                Some(first) = waiting.recv() => {
                    let mut next = Some(first);
                    let mut count = 0;
                    while let Some(text) = next.take() {
                        // The framework's message owns its text: one allocation and one copy for each member.
                        let text = String::from_utf8_lossy(&text).into_owned();
                        if stream.feed(Message::text(text)).await.is_err() {
                            return;
                        }
                        count += 1;
                        if count < TOGETHER {
                            next = waiting.try_recv().ok();
                        }
                    }
                    if stream.flush().await.is_err() {
                        return;
                    }
                }
                heard = stream.next() => match heard {
                    Some(Ok(_)) => {}
                    _ => return,
                },
            }
        }
    });
    Ok(Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, accept)
        .finish())
}
