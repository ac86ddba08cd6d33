//! What a form puts around its file: boundaries, headers, other fields. The parser keeps a part's headers in memory until
//! they end, and skips fields that nobody asked for, however long either is; here they are counted first.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

use crate::intake::DISCARDED_BYTES;

/// Bytes that may stand before the file (docs/limits.md).
pub const MOST_BYTES: u64 = 64 << 10;
/// After so many bytes the parser is made to look at what it has: it would read on as long as bytes are there, past the
/// place where the file begins, and hold all of it.
const PIECE_BYTES: u64 = 16 << 10;

/// What the form knows of its stream.
#[derive(Clone, Default)]
pub struct Envelope(Arc<Marks>);

#[derive(Default)]
struct Marks {
    is_open: AtomicBool,
    is_too_large: AtomicBool,
}

impl Envelope {
    /// The file is found: from here on its receiver counts.
    pub fn open(&self) {
        self.0.is_open.store(true, Ordering::Release);
    }

    /// Whether the stream ended because more than [`MOST_BYTES`] came before the file.
    pub fn is_too_large(&self) -> bool {
        self.0.is_too_large.load(Ordering::Acquire)
    }

    /// A stream that shows nothing of what is too large, and then ends with an error.
    pub fn around<R: AsyncRead + Unpin>(&self, inner: R) -> Counted<R> {
        Counted { inner, envelope: self.clone(), came: 0, of_piece: 0 }
    }
}

/// See [`Envelope::around`].
pub struct Counted<R> {
    inner: R,
    envelope: Envelope,
    came: u64,
    of_piece: u64,
}

impl<R: AsyncRead + Unpin> AsyncRead for Counted<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        loop {
            if self.of_piece >= PIECE_BYTES {
                self.of_piece = 0;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            let before = into.filled().len();
            ready!(Pin::new(&mut self.inner).poll_read(context, into))?;
            let read = (into.filled().len() - before) as u64;
            self.of_piece += read;
            if self.envelope.0.is_open.load(Ordering::Acquire) {
                return Poll::Ready(Ok(()));
            }
            self.came += read;
            if self.came <= MOST_BYTES {
                return Poll::Ready(Ok(()));
            }
            self.envelope.0.is_too_large.store(true, Ordering::Release);
            // Its sender is to hear why, see `DISCARDED_BYTES`.
            if read == 0 || self.came > DISCARDED_BYTES {
                return Poll::Ready(Err(std::io::Error::other("too much before the file")));
            }
            into.set_filled(before);
        }
    }
}
