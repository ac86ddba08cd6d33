//! The connection under a request, for the one kind of request that goes on after its answer.
//!
//! What the framework hands over on an upgrade is the connection inside six layers: a lock, a timer with a task of its own, a
//! buffer to rewind. A socket lives for hours and is written to thousands of times, so it takes the connection itself.

use std::collections::HashMap;
use std::io::{ErrorKind, IoSlice, Result};
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, ready};

use poem::Request;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

/// Both ends of a connection: no two open ones are alike.
type Ends = (SocketAddr, SocketAddr);

static OPEN: LazyLock<Mutex<HashMap<Ends, Weak<Line>>>> = LazyLock::new(Mutex::default);

/// A connection and the place that it takes.
pub struct Line {
    stream: TcpStream,
    ends: Option<Ends>,
    _place: OwnedSemaphorePermit,
}

/// Half a line, as the framework reads and writes it.
pub struct Held(Arc<Line>);

impl Line {
    /// Takes an accepted connection; [`Line::under`] finds it as long as it is open.
    pub fn open(stream: TcpStream, place: OwnedSemaphorePermit) -> Held {
        let ends = stream.local_addr().and_then(|local| Ok((local, stream.peer_addr()?))).ok();
        // Whatever is written here is whole. By itself the system keeps an event back until the one before it is confirmed
        // (RFC 896), and who only listens confirms 40 ms late.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "the system may keep small writes back");
        }
        let line = Arc::new(Self { stream, ends, _place: place });
        if let Some(ends) = ends {
            with_open(|open| open.insert(ends, Arc::downgrade(&line)));
        }
        Held(line)
    }

    /// The connection that a test took.
    #[cfg(test)]
    pub fn of(held: &Held) -> Arc<Self> {
        held.0.clone()
    }

    /// The connection on which a request came.
    #[must_use]
    pub fn under(request: &Request) -> Option<Arc<Self>> {
        let ends = (*request.local_addr().as_socket_addr()?, *request.remote_addr().as_socket_addr()?);
        with_open(|open| open.get(&ends).and_then(Weak::upgrade))
    }

    /// Bounds what the system keeps for a peer that does not read; by itself it would take up to 4 MiB.
    pub fn bound_unsent(&self, bytes: usize) {
        if let Err(error) = SockRef::from(&self.stream).set_send_buffer_size(bytes) {
            tracing::debug!(%error, "the system chooses its own buffer");
        }
    }

    /// Reads what is there, or waits for it. One reader at a time.
    pub fn poll_read(&self, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        loop {
            ready!(self.stream.poll_read_ready(context))?;
            match self.stream.try_read_buf(into) {
                Ok(_) => return Poll::Ready(Ok(())),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Writes as much of `parts` as the system takes now; `WouldBlock` when that is nothing.
    pub fn try_write(&self, parts: &[IoSlice<'_>]) -> Result<usize> {
        self.stream.try_write_vectored(parts)
    }

    /// Waits until some more may be written.
    pub async fn writable(&self) -> Result<()> {
        self.stream.writable().await
    }

    /// Says that nothing more will be written.
    pub fn finish(&self) {
        // A peer that has gone has nothing to be told.
        let _ = SockRef::from(&self.stream).shutdown(Shutdown::Write);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(ends) = self.ends {
            with_open(|open| {
                // The ends of one that was reset may be another's by now, which could open no socket without them.
                if open.get(&ends).is_some_and(|it| std::ptr::eq(it.as_ptr(), self)) {
                    open.remove(&ends);
                }
            });
        }
    }
}

fn with_open<T>(work: impl FnOnce(&mut HashMap<Ends, Weak<Line>>) -> T) -> T {
    work(&mut OPEN.lock().unwrap_or_else(PoisonError::into_inner))
}

impl AsyncRead for Held {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        self.0.poll_read(context, into)
    }
}

impl AsyncWrite for Held {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
        self.0.finish();
        Poll::Ready(Ok(()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        loop {
            ready!(self.0.stream.poll_write_ready(context))?;
            match self.0.try_write(parts) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                done => return Poll::Ready(done),
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn what_is_written_leaves_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let (_client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let place = Arc::new(Semaphore::new(1)).acquire_owned().await.expect("a place");
        let held = Line::open(accepted.expect("a connection").0, place);
        assert!(held.0.stream.nodelay().expect("known"));
    }
}
