//! A frame on its way to many sockets.

use std::cell::{Cell, OnceCell};
use std::sync::Arc;

use bytes::Bytes;
use confab_protocol::{Event, EventKind, UserId};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::gateway::frames::EventFrame;
use crate::gateway::outbox::{Item, Outbox};
use crate::gateway::wire::{deflate, frame};

/// An event's frame in the forms in which sockets take it, each made once.
pub struct Encoded {
    whole: Forms,
    /// Whom it is about, where not everybody may know of them.
    person: Option<UserId>,
    departed: Option<(Vec<UserId>, Forms)>,
    /// The last socket with more waiting than it should have, whose task had no turn yet.
    crowded: Cell<Option<Arc<Outbox>>>,
}

struct Forms {
    text: Utf8Bytes,
    plain: OnceCell<Bytes>,
    deflated: OnceCell<Bytes>,
}

impl Encoded {
    /// Of an event.
    pub fn new(event: &Event, frame: EventFrame) -> Self {
        let departed = frame.departed.map(|(people, bare)| (people, Forms::new(bare)));
        let person = (event.kind == EventKind::UserUpdated).then_some(UserId(event.ref_id));
        Self { whole: Forms::new(frame.text), person, departed, crowded: Cell::default() }
    }

    /// Queues it.
    pub fn push(&self, outbox: &Arc<Outbox>, pos: i64) {
        let forms = match &self.departed {
            Some((people, bare)) if people.contains(&outbox.user_id) => bare,
            _ => &self.whole,
        };
        // A full queue closes that socket alone; it comes back and reads the log.
        let bytes = forms.for_socket(outbox);
        let is_crowded = outbox.offer(match self.person {
            Some(person) if outbox.is_guest() => Item::OfPerson(person, Some(pos), bytes),
            _ => Item::Event(pos, bytes),
        });
        if is_crowded {
            self.crowded.set(Some(outbox.clone()));
        }
    }

    /// The last socket that would rather have its turn first.
    pub fn into_crowded(self) -> Option<Arc<Outbox>> {
        self.crowded.into_inner()
    }
}

impl Forms {
    fn new(text: Utf8Bytes) -> Self {
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
}
