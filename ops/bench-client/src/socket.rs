//! A WebSocket that reads frames where they lie: a thousand listeners share the cores with the server.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use crate::Result;

const READ_BYTES: usize = 64 * 1_024;
const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;

thread_local! {
    /// What is read is read here, whichever socket it comes from: ten thousand sockets need ten thousand times nothing.
    static READ: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// One open socket.
pub struct Socket {
    stream: TcpStream,
    /// The beginning of a frame whose end has not come.
    part: Vec<u8>,
}

impl Socket {
    /// Opens `path` on `host`, such as `127.0.0.1:40123`.
    pub async fn open(host: &str, path: &str) -> Result<Self> {
        let mut stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut read = Vec::with_capacity(1_024);
        loop {
            if let Some(end) = memchr::memmem::find(&read, b"\r\n\r\n") {
                if !read.starts_with(b"HTTP/1.1 101") {
                    return Err(format!("no socket: {}", String::from_utf8_lossy(&read)).into());
                }
                return Ok(Self { stream, part: read.split_off(end + 4) });
            }
            if stream.read_buf(&mut read).await? == 0 {
                return Err("the server closed instead of opening a socket".into());
            }
        }
    }

    /// Sends a text.
    pub async fn say(&mut self, text: &str) -> Result<()> {
        self.stream.write_all(&masked(text)).await?;
        Ok(())
    }

    /// Waits for texts and hands each to `heed`, some or none at a time. `false`: the server has closed.
    pub async fn hear(&mut self, mut heed: impl FnMut(&[u8])) -> Result<bool> {
        if !self.part.is_empty() {
            let (used, closed) = frames(&self.part, &mut heed);
            self.part.drain(..used);
            if closed {
                return Ok(false);
            }
            if used > 0 {
                return Ok(true);
            }
        }
        let Self { stream, part } = self;
        poll_fn(|context| {
            READ.with_borrow_mut(|buffer| {
                let mut into = ReadBuf::new(buffer);
                ready!(Pin::new(&mut *stream).poll_read(context, &mut into))?;
                let read = into.filled();
                if read.is_empty() {
                    return Poll::Ready(Ok(false));
                }
                let closed = if part.is_empty() {
                    let (used, closed) = frames(read, &mut heed);
                    part.extend_from_slice(&read[used..]);
                    closed
                } else {
                    part.extend_from_slice(read);
                    let (used, closed) = frames(part, &mut heed);
                    part.drain(..used);
                    closed
                };
                Poll::Ready(Ok(!closed))
            })
        })
        .await
    }

    /// Waits for a text that begins with `start`.
    pub async fn hear_first(&mut self, start: &str) -> Result<()> {
        let mut found = false;
        while !found {
            let open = self.hear(|text| found |= text.starts_with(start.as_bytes())).await?;
            if !open && !found {
                return Err(format!("the server closed before it said {start}").into());
            }
        }
        Ok(())
    }
}

/// A client's text frame. The mask is zero, which the protocol allows and which leaves the text as it is.
pub fn masked(text: &str) -> Vec<u8> {
    let mut frame = vec![0x80 | TEXT];
    match text.len() {
        short @ ..126 => frame.push(0x80 | short as u8),
        long => {
            frame.push(0x80 | 0x7e);
            frame.extend_from_slice(&(long as u16).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(text.as_bytes());
    frame
}

/// Hands out the whole texts in `bytes`; answers how many bytes they were, and whether the server said that it closes.
fn frames(bytes: &[u8], heed: &mut impl FnMut(&[u8])) -> (usize, bool) {
    let mut at = 0;
    while let [first, second, rest @ ..] = &bytes[at..] {
        let (length, start) = match (second & 0x7f, rest) {
            (126, [high, low, ..]) => (usize::from(u16::from_be_bytes([*high, *low])), 4),
            (127, [.., _]) if rest.len() >= 8 => {
                let mut number = [0; 8];
                number.copy_from_slice(&rest[..8]);
                (u64::from_be_bytes(number) as usize, 10)
            }
            (126 | 127, _) => break,
            (short, _) => (usize::from(short), 2),
        };
        let Some(text) = bytes.get(at + start..at + start + length) else { break };
        match first & 0xf {
            TEXT => heed(text),
            CLOSE => return (at, true),
            _ => {}
        }
        at += start + length;
    }
    (at, false)
}

#[test]
fn frames_are_found_whole_and_in_order() {
    let mut bytes = vec![0x81, 2, b'a', b'b', 0x81, 126, 0, 200];
    bytes.extend([b'c'; 200]);
    bytes.extend([0x81, 3, b'd']);
    let mut found = Vec::new();
    assert_eq!(frames(&bytes, &mut |text| found.push(text.len())), (208, false));
    assert_eq!(found, [2, 200]);
    assert_eq!(frames(&[0x88, 0], &mut |_| {}), (0, true));
}
