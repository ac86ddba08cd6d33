//! One raw connection: an upgrade, frames in, the queue out in one vectored write.

use std::io::IoSlice;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::committer::Committer;
use super::hall::{Hall, ack, framed, post_in};
use crate::Result;

/// Frames of one write.
const TOGETHER: usize = 64;
const READ_BYTES: usize = 4 * 1_024;

/// Serves one client to its end.
pub async fn serve(mut stream: TcpStream, hall: &Hall, committer: Option<&Committer>) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut read = Vec::with_capacity(READ_BYTES);
    let head = loop {
        if let Some(end) = memchr::memmem::find(&read, b"\r\n\r\n") {
            break String::from_utf8(read.drain(..end + 4).collect())?;
        }
        if stream.read_buf(&mut read).await? == 0 {
            return Ok(());
        }
    };
    let path = head.split(' ').nth(1).unwrap_or_default();
    let key = head.lines().find_map(|line| line.strip_prefix("sec-websocket-key: ")).unwrap_or_default();
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: {}\r\n\r\n",
        derive_accept_key(key.as_bytes())
    );
    stream.write_all(answer.as_bytes()).await?;
    let (queue, mut waiting) = mpsc::unbounded_channel();
    hall.join(path, &queue);
    let _ = queue.send(framed(r#"{"op":"ready"}"#));
    loop {
        tokio::select! {
            Some(first) = waiting.recv() => write_all(&mut stream, first, &mut waiting).await?,
            count = stream.read_buf(&mut read) => {
                if count? == 0 {
                    return Ok(());
                }
                while let Some((text, used)) = frame(&read) {
                    heed(&text, hall, committer, &queue);
                    read.drain(..used);
                }
            }
        }
    }
}

fn heed(text: &[u8], hall: &Hall, committer: Option<&Committer>, queue: &UnboundedSender<Bytes>) {
    let Some((channel, content)) = post_in(text) else { return };
    if let Some(committer) = committer {
        committer.post(channel, content, queue.clone());
        return;
    }
    hall.publish(channel, &content, framed);
    let _ = queue.send(framed(&ack().to_string()));
}

async fn write_all(
    stream: &mut TcpStream,
    first: Bytes,
    waiting: &mut UnboundedReceiver<Bytes>,
) -> Result<()> {
    let mut frames = vec![first];
    while frames.len() < TOGETHER
        && let Ok(next) = waiting.try_recv()
    {
        frames.push(next);
    }
    let mut slices: Vec<IoSlice<'_>> = frames.iter().map(|frame| IoSlice::new(frame)).collect();
    let mut left = &mut slices[..];
    while !left.is_empty() {
        let written = stream.write_vectored(left).await?;
        IoSlice::advance_slices(&mut left, written);
    }
    Ok(())
}

/// The first whole frame of a client whose mask is zero, and how many bytes it took.
fn frame(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (length, head) = match bytes.get(1)? & 0x7f {
        126 => (usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?])), 8),
        short => (usize::from(short), 6),
    };
    let text = bytes.get(head..head + length)?;
    Some((text.to_vec(), head + length))
}
