//! What waits for one socket: bounded by count and by bytes. Whoever does not read is cut off and comes back from the
//! log; the others never wait for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use confab_protocol::{SessionId, UserId};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Frames and bytes that may wait (docs/limits.md).
const FRAMES: usize = 512;
const BYTES: usize = 1 << 20;

/// Why a socket is closed: the code, and what the client should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// See docs/gateway.md.
    pub code: u16,
    /// For people who read logs.
    pub text: &'static str,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal $text:literal;)*) => {
        $($(#[$doc])* pub const $name: Reason = Reason { code: $code, text: $text };)*
    };
}
reasons! {
    INTERNAL = 4000 "internal";
    BAD_FRAME = 4001 "bad frame";
    TOO_LARGE = 1009 "frame too large";
    IDENTIFY_TIMEOUT = 4003 "identify within 10 s";
    NOT_AUTHENTICATED = 4004 "authentication failed";
    IDENTIFIED_TWICE = 4005 "identified already";
    BAD_POSITION = 4007 "no such position";
    RATE_LIMITED = 4008 "too many frames";
    SESSION_ENDED = 4010 "session ended";
    DRAINING = 4011 "server is going away";
    TOO_SLOW = 4013 "too slow";
    TOO_MANY = 4014 "too many connections";
    TOKEN_EXPIRED = 4015 "access token expired";
    NO_ROOM = 4016 "no such voice channel";
    ROOM_FULL = 4017 "the voice channel is full";
    REPLACED = 4018 "joined from elsewhere";
}

/// One thing to send.
pub enum Item {
    /// An event with its position.
    Event(i64, Utf8Bytes),
    /// Anything else.
    Frame(Utf8Bytes),
    /// What its user may changed: ask again whether it may go on.
    Recheck,
    /// The end.
    Close(Reason),
}

/// The sending side, shared with the hub.
pub struct Outbox {
    /// The socket's number in this process.
    pub id: u64,
    /// Whose it is.
    pub user_id: UserId,
    /// On which device.
    pub session_id: SessionId,
    to: mpsc::Sender<Item>,
    bytes: AtomicUsize,
    closing: AtomicBool,
    /// Set when the queue was full: nothing more is queued, the writer closes.
    overflowed: Arc<tokio::sync::Notify>,
}

/// The receiving side, held by the socket's task.
pub struct Waiting {
    from: mpsc::Receiver<Item>,
    outbox: Arc<Outbox>,
}

impl Outbox {
    /// A pair for one socket.
    #[must_use]
    pub fn new(id: u64, user_id: UserId, session_id: SessionId) -> (Arc<Self>, Waiting) {
        let (to, from) = mpsc::channel(FRAMES);
        let outbox = Arc::new(Self {
            id,
            user_id,
            session_id,
            to,
            bytes: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
            overflowed: Arc::default(),
        });
        (outbox.clone(), Waiting { from, outbox })
    }

    /// Queues without ever waiting. When the queue is full the socket's own task closes it and tells the hub.
    pub fn push(&self, item: Item) {
        if self.closing.load(Ordering::Relaxed) {
            return;
        }
        let size = match &item {
            Item::Event(_, text) | Item::Frame(text) => text.len(),
            Item::Recheck | Item::Close(_) => 0,
        };
        let waiting = self.bytes.fetch_add(size, Ordering::Relaxed) + size;
        if waiting <= BYTES && self.to.try_send(item).is_ok() {
            return;
        }
        self.closing.store(true, Ordering::Relaxed);
        self.overflowed.notify_one();
    }

    /// Queues what may be lost: a signal never closes a slow socket.
    pub fn push_signal(&self, text: Utf8Bytes) {
        if self.to.capacity() > FRAMES / 2 {
            self.push(Item::Frame(text));
        }
    }
}

impl Waiting {
    /// The next item; a socket whose queue overflowed is told to close at once.
    pub async fn next(&mut self) -> Item {
        let overflowed = self.outbox.overflowed.clone();
        tokio::select! {
            biased;
            () = overflowed.notified() => Item::Close(TOO_SLOW),
            item = self.from.recv() => self.taken(item.unwrap_or(Item::Close(INTERNAL))),
        }
    }

    /// One more that waits already.
    pub fn try_next(&mut self) -> Option<Item> {
        let item = self.from.try_recv().ok()?;
        Some(self.taken(item))
    }

    fn taken(&self, item: Item) -> Item {
        if let Item::Event(_, text) | Item::Frame(text) = &item {
            self.outbox.bytes.fetch_sub(text.len(), Ordering::Relaxed);
        }
        item
    }
}
