//! A frame on its way to many sockets.

use std::cell::OnceCell;

use bytes::Bytes;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::gateway::outbox::{Item, Outbox};
use crate::gateway::wire::{deflate, frame};

/// A frame in the forms in which sockets take it, each made once.
pub struct Encoded {
    text: Utf8Bytes,
    plain: OnceCell<Bytes>,
    deflated: OnceCell<Bytes>,
}

impl Encoded {
    /// Of an event's text.
    pub fn new(text: Utf8Bytes) -> Self {
        Self { text, plain: OnceCell::new(), deflated: OnceCell::new() }
    }

    fn for_socket(&self, outbox: &Outbox) -> Bytes {
        let plain = || self.plain.get_or_init(|| frame::text(self.text.as_bytes())).clone();
        if !outbox.is_deflated || self.text.len() < deflate::WORTH_IT {
            return plain();
        }
        let deflated = self.deflated.get_or_init(|| {
            deflate::deflate(self.text.as_bytes()).map_or_else(plain, |payload| frame::deflated(&payload))
        });
        deflated.clone()
    }

    /// Queues it.
    pub fn push(&self, outbox: &Outbox, pos: i64) {
        // A full queue closes that socket alone; it comes back and reads the log.
        outbox.push(Item::Event(pos, self.for_socket(outbox)));
    }
}
