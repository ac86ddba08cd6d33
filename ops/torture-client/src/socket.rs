//! One connection to the gateway.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::Result;

/// A connection and its `hello` take no longer, or the other side is as good as gone.
const OPEN_WITHIN: Duration = Duration::from_secs(5);

/// What comes next.
pub enum Next {
    /// A frame's text.
    Frame(Utf8Bytes),
    /// The end, with the server's code when it gave one.
    Closed(Option<u16>),
}

/// An open socket.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    /// Connects through a door (`http://…`) and waits for `hello`.
    pub async fn open(door: &str) -> Result<Self> {
        let address = format!("{}/ws", door.replacen("http://", "ws://", 1));
        let opened = tokio::time::timeout(OPEN_WITHIN, async {
            let (stream, _) = connect_async(address).await?;
            let mut socket = Self { stream };
            match socket.next().await {
                Next::Frame(_) => Ok(socket),
                Next::Closed(code) => Err(format!("closed with {code:?} instead of hello").into()),
            }
        });
        opened.await?
    }

    /// Says who one is and waits for `ready`; `None` when that does not come.
    pub async fn identify(&mut self, token: &str) -> Option<Value> {
        self.send(&json!({ "op": "identify", "d": { "token": token } })).await.ok()?;
        loop {
            let next = tokio::time::timeout(OPEN_WITHIN, self.next()).await.ok()?;
            let Next::Frame(text) = next else { return None };
            let frame: Value = serde_json::from_str(&text).ok()?;
            if frame["op"] == "ready" {
                return Some(frame);
            }
        }
    }

    /// Says something.
    pub async fn send(&mut self, frame: &Value) -> Result<()> {
        Ok(self.stream.send(Message::text(frame.to_string())).await?)
    }

    /// The next frame, or the end. Dropping this early loses nothing.
    pub async fn next(&mut self) -> Next {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Next::Frame(text),
                Some(Ok(Message::Close(close))) => return Next::Closed(close.map(|it| it.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Next::Closed(None),
            }
        }
    }
}
