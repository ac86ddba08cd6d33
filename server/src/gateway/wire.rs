//! Frames on the wire: read with their limits, written with a deadline.
//!
//! Written by us and not by a library, since that copies each frame into a buffer of each socket and keeps as much for
//! each to read into. Here an idle socket holds no buffer at all, and what waits for one leaves as it lies, in one write.

pub mod deflate;
pub mod frame;

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{ErrorKind, IoSlice};
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::ReadBuf;

use super::outbox::{BAD_FRAME, INTERNAL, RATE_LIMITED, Reason, TOO_LARGE, TOO_SLOW};
use crate::http::line::Line;
use frame::Kind;

/// Why a socket ends: a reason to tell the peer, or the peer went.
pub type Ended = Option<Reason>;

/// A peer that takes nothing for so long is cut off.
const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// What the system keeps for a peer that does not read, and as much again for its own notes. Distant clients get that much in
/// each round trip.
const UNSENT_BYTES: usize = 128 * 1_024;
/// Frames without text, such as pings, between two with text.
const OTHER_FRAMES: u32 = 240;
/// Deeper JSON is refused before it is read.
const DEPTH: usize = 32;
/// Parts of one write.
const PARTS: usize = 64;
const READ_BYTES: usize = 16 * 1_024;

thread_local! {
    /// What is read is read here, whichever socket it comes from.
    static READ: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// One peer's frames.
pub struct Wire {
    line: Arc<Line>,
    /// Whether frames may be compressed.
    pub is_deflated: bool,
    /// Bytes of the largest frame of the peer, and of its largest message of several.
    largest: usize,
    /// The beginning of a frame whose end has not come.
    part: Vec<u8>,
    /// A message whose last frame has not come, and whether it is compressed.
    message: Option<(bool, Vec<u8>)>,
    others: u32,
    /// A frame was begun and not written to its end.
    is_torn: bool,
    /// All of a write is done within this time, however often the peer takes a little.
    whole_within: Option<Duration>,
}

/// What a peer said.
#[derive(Debug)]
pub enum Heard<Frame> {
    /// A frame of the protocol.
    Frame(Frame),
    /// It asks for these bytes back.
    Ping(Vec<u8>),
}

impl Wire {
    /// Takes a connection over, of which `part` was read already.
    pub fn new(line: Arc<Line>, part: Vec<u8>, is_deflated: bool, largest: usize) -> Self {
        line.bound_unsent(UNSENT_BYTES);
        Self {
            line,
            is_deflated,
            largest,
            part,
            message: None,
            others: 0,
            is_torn: false,
            whole_within: None,
        }
    }

    /// Cuts a peer off that does not take a whole write within this time: what ends this socket waits behind it.
    pub fn hurry(&mut self, whole_within: Duration) {
        self.whole_within = Some(whole_within);
    }

    /// The next frame. Dropping this while it waits loses nothing.
    pub async fn hear<Frame: DeserializeOwned>(&mut self) -> Result<Heard<Frame>, Ended> {
        loop {
            if let Some(heard) = self.take()? {
                return Ok(heard);
            }
            self.read().await?;
        }
    }

    /// The next frame of the protocol; who asks for an answer gets it meanwhile.
    pub async fn hear_frame<Frame: DeserializeOwned>(&mut self) -> Result<Frame, Ended> {
        loop {
            match self.hear().await? {
                Heard::Frame(frame) => return Ok(frame),
                Heard::Ping(payload) => self.pong(&payload).await?,
            }
        }
    }

    /// Answers a ping.
    pub async fn pong(&mut self, payload: &[u8]) -> Result<(), Ended> {
        self.write(&mut [frame::control(Kind::Pong, payload)]).await
    }

    fn take<Frame: DeserializeOwned>(&mut self) -> Result<Option<Heard<Frame>>, Ended> {
        while let Some(received) =
            frame::take(&mut self.part, self.is_deflated, self.largest).map_err(Some)?
        {
            if self.part.is_empty() {
                self.part = Vec::new();
            }
            let (is_deflated, payload) = match received.kind {
                Kind::Close => return Err(None),
                Kind::Ping | Kind::Pong => {
                    self.others += 1;
                    // A flood of nothing else is no client.
                    if self.others > OTHER_FRAMES {
                        return Err(Some(RATE_LIMITED));
                    }
                    if received.kind == Kind::Ping {
                        return Ok(Some(Heard::Ping(received.payload)));
                    }
                    continue;
                }
                Kind::Binary => return Err(Some(BAD_FRAME)),
                Kind::Text if self.message.is_some() => return Err(Some(BAD_FRAME)),
                Kind::Text => (received.is_deflated, received.payload),
                Kind::Continuation => {
                    let (is_deflated, mut all) = self.message.take().ok_or(Some(BAD_FRAME))?;
                    all.extend_from_slice(&received.payload);
                    (is_deflated, all)
                }
            };
            if payload.len() > self.largest {
                return Err(Some(TOO_LARGE));
            }
            if !received.is_final {
                // Frames of nothing would go on for ever too.
                self.others += 1;
                if self.others > OTHER_FRAMES {
                    return Err(Some(RATE_LIMITED));
                }
                self.message = Some((is_deflated, payload));
                continue;
            }
            self.others = 0;
            let text =
                if is_deflated { deflate::inflate(payload, self.largest).map_err(Some)? } else { payload };
            return parse(&text).map(|frame| Some(Heard::Frame(frame))).map_err(Some);
        }
        Ok(None)
    }

    async fn read(&mut self) -> Result<(), Ended> {
        let Self { line, part, .. } = self;
        poll_fn(|context| {
            READ.with_borrow_mut(|buffer| {
                let mut into = ReadBuf::new(buffer);
                let read = ready!(line.poll_read(context, &mut into));
                part.extend_from_slice(into.filled());
                let has_gone = read.is_err() || into.filled().is_empty();
                Poll::Ready(if has_gone { Err(None) } else { Ok(()) })
            })
        })
        .await
    }

    /// Sends a frame of the server's own.
    pub async fn say(&mut self, frame: &impl Serialize) -> Result<(), Ended> {
        let text = serde_json::to_vec(frame).map_err(|_| Some(INTERNAL))?;
        self.write(&mut [self.packed(&text)]).await
    }

    /// A text as this peer takes it.
    pub fn packed(&self, text: &[u8]) -> Bytes {
        if self.is_deflated
            && text.len() >= deflate::WORTH_IT
            && let Some(payload) = deflate::deflate(text)
        {
            return frame::deflated(&payload);
        }
        frame::text(text)
    }

    /// Writes all of `parts`, which may be frames or pieces of them, as they lie. A peer that takes nothing must not hold this task: it comes back and
    /// resumes.
    pub async fn write(&mut self, mut parts: &mut [Bytes]) -> Result<(), Ended> {
        let last = self.whole_within.map(|within| Instant::now() + within);
        loop {
            while parts.first().is_some_and(Bytes::is_empty) {
                parts = &mut parts[1..];
            }
            if parts.is_empty() {
                self.is_torn = false;
                return Ok(());
            }
            let written = {
                let mut slices = [IoSlice::new(&[]); PARTS];
                for (slice, part) in slices.iter_mut().zip(parts.iter()) {
                    *slice = IoSlice::new(part);
                }
                self.line.try_write(&slices[..parts.len().min(PARTS)])
            };
            match written {
                Ok(written) => {
                    self.is_torn = true;
                    pass(parts, written);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let within = last.map_or(WRITE_WITHIN, |at| at.saturating_duration_since(Instant::now()));
                    if within.is_zero() {
                        return Err(Some(TOO_SLOW));
                    }
                    match tokio::time::timeout(within, self.line.writable()).await {
                        Ok(Ok(())) => {}
                        Ok(Err(_)) => return Err(None),
                        Err(_) => return Err(Some(TOO_SLOW)),
                    }
                }
                Err(_) => return Err(None),
            }
        }
    }

    /// Says that it ends, and why where there is a reason. Behind half a frame the peer would take that for the rest of it.
    pub async fn close(&mut self, reason: Ended) {
        if self.is_torn {
            return self.line.finish();
        }
        let last = reason.map_or_else(|| frame::control(Kind::Close, &[]), frame::close);
        if self.write(&mut [last]).await.is_ok() {
            self.line.finish();
        }
    }

    /// Waits a moment until the peer has closed too, or half of all ends would be unclean.
    pub async fn linger(mut self) {
        let _ = tokio::time::timeout(Duration::from_secs(2), async {
            while self.read().await.is_ok() {
                self.part = Vec::new();
            }
        })
        .await;
    }
}

/// Takes `written` bytes off the beginning.
fn pass(parts: &mut [Bytes], mut written: usize) {
    for part in parts {
        let taken = written.min(part.len());
        bytes::Buf::advance(part, taken);
        written -= taken;
        if written == 0 {
            return;
        }
    }
}

fn parse<Frame: DeserializeOwned>(text: &[u8]) -> Result<Frame, Reason> {
    if depth(text) > DEPTH {
        return Err(BAD_FRAME);
    }
    let text = std::str::from_utf8(text).map_err(|_| BAD_FRAME)?;
    serde_json::from_str(text).map_err(|error| {
        tracing::debug!(%error, "a frame that cannot be read");
        BAD_FRAME
    })
}

/// How deep arrays and objects are nested, without reading them: the parser recurses.
fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_counted_outside_of_texts() {
        assert_eq!(depth(br#"{"op":"send","d":{"content":"[[[[\"{{"}}"#), 2);
        assert_eq!(depth("[".repeat(1_000).as_bytes()), 1_000);
    }

    #[test]
    fn what_was_written_is_passed_over() {
        let mut parts = [Bytes::from_static(b"ab"), Bytes::from_static(b"cde"), Bytes::from_static(b"f")];
        pass(&mut parts, 3);
        assert_eq!(parts, [&b""[..], b"de", b"f"]);
        pass(&mut parts, 3);
        assert!(parts.iter().all(Bytes::is_empty));
    }

    #[tokio::test]
    async fn who_takes_a_little_again_and_again_is_cut_off_where_it_hurries() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let places = Arc::new(tokio::sync::Semaphore::new(1));
        let held = Line::open(stream, places.acquire_owned().await.unwrap());
        let mut wire = Wire::new(Line::of(&held), Vec::new(), false, 1_024);
        wire.hurry(Duration::from_millis(500));
        let drip = async {
            let mut taken = vec![0; 64 * 1_024];
            loop {
                tokio::time::sleep(Duration::from_millis(50)).await;
                let _ = peer.try_read(&mut taken);
            }
        };
        let mut parts = [Bytes::from(vec![0; 64 << 20])];
        tokio::select! {
            written = wire.write(&mut parts) => assert_eq!(written, Err(Some(TOO_SLOW))),
            () = drip => {}
        }
    }
}
