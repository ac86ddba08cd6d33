//! HTTP as a load needs it: one kept connection, one request after the other, nothing copied twice. The client shares the
//! cores with the server, so what a comfortable client costs would be measured too.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Result;

/// An answer longer than this is none that a benchmark asked for.
const LONGEST_BYTES: usize = 16 << 20;

/// One connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// One answer.
pub struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Connection {
    /// Connects to `host`, such as `127.0.0.1:40123`.
    pub async fn open(host: &str) -> Result<Self> {
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4_096) })
    }

    /// Sends a whole request, made by [`request`], and reads its answer.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Reply> {
        self.stream.write_all(request).await?;
        loop {
            if let Some((status, start, end)) = complete(&self.buffer)? {
                let body = self.buffer[start..end].to_vec();
                self.buffer.drain(..end);
                return Ok(Reply { status, body });
            }
            if self.buffer.len() > LONGEST_BYTES {
                return Err("an answer without end".into());
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed a connection that waits for an answer".into());
            }
        }
    }

    /// The same for an answer that must be a success, read as JSON.
    pub async fn call(&mut self, request: &[u8]) -> Result<Value> {
        let reply = self.exchange(request).await?;
        reply.require_success(request)?;
        Ok(serde_json::from_slice(&reply.body)?)
    }
}

impl Reply {
    /// Fails with what the server said.
    pub fn require_success(&self, request: &[u8]) -> Result<()> {
        if (200..300).contains(&self.status) {
            return Ok(());
        }
        let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let (line, said) = (String::from_utf8_lossy(line), String::from_utf8_lossy(&self.body));
        Err(format!("{line} answered {}: {said}", self.status).into())
    }
}

/// A request in bytes. An empty `token` is left out, as is an empty `body`.
pub fn request(method: &str, path: &str, token: &str, body: &str) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: bench\r\n");
    if !token.is_empty() {
        text.push_str("authorization: Bearer ");
        text.push_str(token);
        text.push_str("\r\n");
    }
    if !body.is_empty() || method != "GET" {
        text.push_str("content-type: application/json\r\ncontent-length: ");
        text.push_str(&body.len().to_string());
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

/// Status, beginning and end of the body once all of it is there.
fn complete(buffer: &[u8]) -> Result<Option<(u16, usize, usize)>> {
    let Some(head) = memchr::memmem::find(buffer, b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&buffer[..head])?;
    let mut lines = text.split("\r\n");
    let status: u16 = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().parse()?;
    let length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map(|(_, value)| value.trim().parse::<usize>())
        .transpose()?;
    let length = match length {
        Some(length) => length,
        None if status == 204 => 0,
        None => return Err(format!("an answer without a length: {text}").into()),
    };
    let end = head + 4 + length;
    Ok((buffer.len() >= end).then_some((status, head + 4, end)))
}

/// Connections that nobody uses at the moment; one more is opened when there is none.
pub struct Pool {
    host: String,
    free: Mutex<Vec<Connection>>,
}

impl Pool {
    /// An empty one.
    pub fn new(host: &str) -> Self {
        Self { host: host.to_owned(), free: Mutex::default() }
    }

    /// Sends a request over a connection that is free; one on which something failed is not used again.
    pub async fn exchange(&self, request: &[u8]) -> Result<Reply> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = match free {
            Some(connection) => connection,
            None => Connection::open(&self.host).await?,
        };
        let reply = connection.exchange(request).await?;
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        Ok(reply)
    }
}

#[test]
fn an_answer_is_complete_with_its_last_byte() {
    let whole = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1";
    assert_eq!(complete(whole).ok(), Some(Some((201, 43, 45))));
    assert_eq!(complete(&whole[..44]).ok(), Some(None));
    assert_eq!(complete(&whole[..20]).ok(), Some(None));
    assert!(complete(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
}
