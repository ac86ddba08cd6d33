//! Connections: how many, and how long one may take to say what it wants.
//!
//! A client that opens connections and sends half a request on each would hold them all; the framework knows no limit
//! for either.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use poem::listener::Acceptor;
use poem::web::{LocalAddr, RemoteAddr};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Sleep, sleep};

use super::line::{Held, Line};

/// The first request's head must be complete within this time.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// Connections beside the sockets that the settings allow.
const REQUESTS: usize = 1_024;
/// File descriptors for everything that is no connection: record, index, uploads.
const OTHER_FILES: u64 = 256;
/// After the system refused a connection, for want of descriptors, asking again at once would only burn a core.
const AFTER_REFUSAL: Duration = Duration::from_millis(100);

/// An acceptor that bounds what it accepts.
pub struct Patient<A> {
    inner: A,
    places: Arc<Semaphore>,
}

impl<A> Patient<A> {
    /// Raises the process's limit of open files as far as it goes, and accepts no more than fit below it.
    pub fn new(inner: A, sockets: usize) -> Self {
        let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1_024);
        let most = usize::try_from(files.saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX);
        let wanted = sockets.saturating_add(REQUESTS);
        if wanted > most {
            tracing::warn!(
                files,
                connections = most,
                "the limit of open files is low: raise it, or lower sockets_total"
            );
        }
        Self { inner, places: Arc::new(Semaphore::new(wanted.min(most).max(16))) }
    }
}

impl<A: Acceptor<Io = TcpStream>> Acceptor for Patient<A> {
    type Io = Bounded<Held>;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.inner.local_addr()
    }

    async fn accept(&mut self) -> Result<(Self::Io, LocalAddr, RemoteAddr, poem::http::uri::Scheme)> {
        // A place first: further clients wait in the system's own queue, which costs us nothing.
        let place = self.places.clone().acquire_owned().await.map_err(Error::other)?;
        match self.inner.accept().await {
            Ok((io, local, remote, scheme)) => {
                let head = Some(Head { deadline: Box::pin(sleep(HEAD_WITHIN)), matched: 0 });
                // This connection's own end, where the listener's may be every address of the machine.
                let local = io.local_addr().map_or(local, |address| LocalAddr(address.into()));
                Ok((Bounded { io: Line::open(io, place), head }, local, remote, scheme))
            }
            Err(error) => {
                sleep(AFTER_REFUSAL).await;
                Err(error)
            }
        }
    }
}

/// What is known of an unfinished head: how much of its end was seen.
struct Head {
    deadline: Pin<Box<Sleep>>,
    matched: usize,
}

const END: &[u8; 4] = b"\r\n\r\n";

impl Head {
    /// Whether the head ended within these bytes.
    fn ends_in(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            self.matched = match (*byte == END[self.matched], *byte) {
                (true, _) => self.matched + 1,
                (false, b'\r') => 1,
                (false, _) => 0,
            };
            if self.matched == END.len() {
                return true;
            }
        }
        false
    }
}

/// A connection with a deadline for its first head.
pub struct Bounded<T> {
    io: T,
    head: Option<Head>,
}

impl<T: AsyncRead + Unpin> AsyncRead for Bounded<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let before = into.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(context, into);
        let Some(head) = &mut self.head else { return polled };
        if polled.is_pending() {
            ready!(head.deadline.as_mut().poll(context));
            return Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "no whole request in time")));
        }
        if head.ends_in(&into.filled()[before..]) {
            self.head = None;
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Bounded<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    /// Short, as the test waits for it in earnest.
    const WITHIN: Duration = Duration::from_millis(50);

    fn bounded() -> (tokio::io::DuplexStream, Bounded<tokio::io::DuplexStream>) {
        let (client, io) = duplex(1_024);
        let head = Some(Head { deadline: Box::pin(sleep(WITHIN)), matched: 0 });
        (client, Bounded { io, head })
    }

    #[tokio::test]
    async fn half_a_request_ends_and_a_whole_one_may_stay() {
        let (mut client, mut server) = bounded();
        client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").await.expect("written");
        let mut all = Vec::new();
        let error = server.read_to_end(&mut all).await.expect_err("too slow");
        assert_eq!(error.kind(), ErrorKind::TimedOut);

        let (mut client, mut server) = bounded();
        client.write_all(b"GET / HTTP/1.1\r\nHost: x\r").await.expect("written");
        client.write_all(b"\n\r\n").await.expect("written");
        let mut part = [0; 64];
        while server.head.is_some() {
            assert_ne!(server.read(&mut part).await.expect("read"), 0);
        }
        let waited = tokio::time::timeout(WITHIN * 3, server.read(&mut part)).await;
        assert!(waited.is_err(), "an idle connection is somebody else's business");
    }
}
