//! What waits for one socket: bounded by count and by bytes. Whoever does not read is cut off and comes back from the
//! log; the others never wait for them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use confab_protocol::{SessionId, UserId};

/// Frames and bytes that may wait for a peer that takes nothing at the moment, behind those that are being written
/// (docs/limits.md).
const FRAMES: usize = 512;
pub const BYTES: usize = 384 * 1_024;
/// So many times as much may wait, what is being written with it, while the peer takes all it gets: many events come at once behind
/// a bus or a record that was slow for a moment, and the socket's task has not had its turn.
const IN_A_BURST: usize = 3;
/// From this part of [`FRAMES`] and [`BYTES`] on a socket would rather have its turn: what it writes then leaves at once as a rule,
/// where more has to wait until a peer far away has told that the first of it came.
const CROWDED_PART: usize = 2;
/// A queue that has grown larger is given back once it is empty: most sockets are idle most of the time.
const KEPT: usize = 16;

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
    CROWDED = 4012 "too many at once";
    TOO_SLOW = 4013 "too slow";
    TOO_MANY = 4014 "too many connections";
    TOKEN_EXPIRED = 4015 "access token expired";
    NO_ROOM = 4016 "no such voice channel";
    ROOM_FULL = 4017 "the voice channel is full";
    REPLACED = 4018 "joined from elsewhere";
}

/// One thing to send.
#[derive(Debug)]
pub enum Item {
    /// An event with its position, as it goes over the wire.
    Event(i64, Bytes),
    /// What a guest hears only of those whom they may look up: of whom, its position if it is an event, and the frame.
    OfPerson(UserId, Option<i64>, Bytes),
    /// Any other frames, as they go over the wire.
    Frame(Bytes),
    /// What its user may changed: ask again whether it may go on.
    Recheck,
    /// The end.
    Close(Reason),
}

impl Item {
    fn size(&self) -> usize {
        match self {
            Self::Event(_, bytes) | Self::OfPerson(.., bytes) | Self::Frame(bytes) => bytes.len(),
            Self::Recheck | Self::Close(_) => 0,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// It was full once: nothing more is queued, its task closes it.
    Overflowed,
    /// Its task has ended.
    Shut,
}

/// What the socket's task does about what waits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Something else comes first: the greeting, an answer of the record.
    Away,
    /// It writes as soon as it runs.
    Coming,
    /// The peer did not take all of what is being written, and is waited for.
    Stalled,
}

struct Queue {
    items: VecDeque<Item>,
    /// What waits.
    bytes: usize,
    /// What was taken and is being written.
    leaving: usize,
    turn: Turn,
    state: State,
    /// The newest position that was queued.
    heard: i64,
    /// Of the socket's task, while it waits.
    waker: Option<Waker>,
}

impl Queue {
    /// Much waits, and only because its task had no turn yet.
    fn is_crowded(&self) -> bool {
        self.state == State::Open
            && self.turn == Turn::Coming
            && (self.items.len() >= FRAMES / CROWDED_PART || self.bytes + self.leaving > BYTES / CROWDED_PART)
    }

    /// Whether `size` bytes more are too much. For a peer that is waited for, what is being written counts only in all: for who is far
    /// away a burst is on its way for longer than it takes the next event to come.
    fn is_full(&self, size: usize) -> bool {
        let held = self.bytes + self.leaving;
        let (frames, room) = match self.turn {
            Turn::Stalled => (FRAMES, BYTES.saturating_sub(self.bytes)),
            Turn::Away | Turn::Coming => (FRAMES * IN_A_BURST, BYTES * IN_A_BURST),
        };
        // One that is alone has a place whatever its size, or nobody could ever have it.
        self.items.len() >= frames || (held > 0 && (size > room || held + size > BYTES * IN_A_BURST))
    }
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            items: VecDeque::new(),
            bytes: 0,
            leaving: 0,
            turn: Turn::Away,
            state: State::Open,
            heard: i64::MIN,
            waker: None,
        }
    }
}

/// The sending side, shared with the hub.
pub struct Outbox {
    /// The socket's number in this process.
    pub id: u64,
    /// Whose it is.
    pub user_id: UserId,
    /// On which device.
    session_id: Mutex<SessionId>,
    /// Whether its client reads compressed frames.
    pub is_deflated: bool,
    /// It hears no events: the hub knows it so that it ends with its session.
    pub is_deaf: bool,
    /// Its user may not look everybody up; its own task finds out, and until then nobody may.
    is_guest: AtomicBool,
    queue: Mutex<Queue>,
}

/// The receiving side, held by the socket's task.
pub struct Waiting(Arc<Outbox>);

impl Outbox {
    /// A pair for one socket.
    #[must_use]
    pub fn new(id: u64, user_id: UserId, session_id: SessionId, is_deflated: bool) -> (Arc<Self>, Waiting) {
        Self::shared(id, user_id, session_id, is_deflated, false)
    }

    /// A pair for a socket that hears no events.
    #[must_use]
    pub fn deaf(id: u64, user_id: UserId, session_id: SessionId) -> (Arc<Self>, Waiting) {
        Self::shared(id, user_id, session_id, false, true)
    }

    fn shared(
        id: u64,
        user_id: UserId,
        session_id: SessionId,
        is_deflated: bool,
        is_deaf: bool,
    ) -> (Arc<Self>, Waiting) {
        let is_guest = AtomicBool::new(true);
        let outbox = Arc::new(Self {
            id,
            user_id,
            session_id: Mutex::new(session_id),
            is_deflated,
            is_deaf,
            is_guest,
            queue: Mutex::default(),
        });
        (outbox.clone(), Waiting(outbox))
    }

    /// The session with which it ends.
    pub fn session_id(&self) -> SessionId {
        *self.session_id.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It goes on with another session of its user, and ends with that one from here on.
    pub fn go_on_with(&self, session: SessionId) {
        *self.session_id.lock().unwrap_or_else(PoisonError::into_inner) = session;
    }

    /// Whether its user hears only of those whom they may look up.
    pub fn is_guest(&self) -> bool {
        self.is_guest.load(Ordering::Acquire)
    }

    /// What is known of that now.
    pub fn set_guest(&self, is_guest: bool) {
        self.is_guest.store(is_guest, Ordering::Release);
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues without ever waiting. When the queue is full the socket's own task closes it and tells the hub.
    pub fn push(&self, item: Item) {
        self.offer(item);
    }

    /// The same; answers whether it [is crowded](Self::is_crowded) now.
    pub fn offer(&self, item: Item) -> bool {
        let mut queue = self.queue();
        if queue.state != State::Open {
            return false;
        }
        // It asks when its turn comes, so one that waits asks for both.
        if matches!(item, Item::Recheck) && queue.items.iter().any(|it| matches!(it, Item::Recheck)) {
            return false;
        }
        let size = item.size();
        if queue.is_full(size) {
            queue.state = State::Overflowed;
            queue.items = VecDeque::new();
        } else {
            if let Item::Event(pos, _) | Item::OfPerson(_, Some(pos), _) = &item {
                queue.heard = *pos;
            }
            queue.bytes += size;
            queue.items.push_back(item);
        }
        let (waker, is_crowded) = (queue.waker.take(), queue.is_crowded());
        drop(queue);
        if let Some(waker) = waker {
            waker.wake();
        }
        is_crowded
    }

    /// Whether so much waits that it would rather be written first, only because its task had no turn.
    pub fn is_crowded(&self) -> bool {
        self.queue().is_crowded()
    }

    /// Queues what may be lost: a signal never closes a slow socket.
    pub fn push_signal(&self, frames: Bytes) {
        self.push_if_there_is_room(Item::Frame(frames));
    }

    /// The same for what a guest may hear only of some.
    pub fn push_signal_of(&self, user: UserId, frame: Bytes) {
        self.push_if_there_is_room(Item::OfPerson(user, None, frame));
    }

    fn push_if_there_is_room(&self, item: Item) {
        let has_room = {
            let queue = self.queue();
            queue.items.len() < FRAMES / 2 && queue.bytes + queue.leaving + item.size() < BYTES / 2
        };
        if has_room {
            self.push(item);
        }
    }

    /// Whether it is open and was told of nothing that came after `pos`.
    pub fn is_quiet_since(&self, pos: i64) -> bool {
        let queue = self.queue();
        queue.state == State::Open && queue.heard <= pos
    }

    /// Its task has ended: whoever still holds it holds nothing of what waited.
    pub fn shut(&self) {
        let mut queue = self.queue();
        (queue.state, queue.items, queue.waker) = (State::Shut, VecDeque::new(), None);
    }

    /// Whether its task has ended.
    pub fn is_shut(&self) -> bool {
        self.queue().state == State::Shut
    }
}

impl Waiting {
    /// The socket's number in this process.
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// The sending side.
    pub fn outbox(&self) -> &Outbox {
        &self.0
    }

    /// Ready when something waits; a socket whose queue overflowed is told to close.
    pub fn poll(&self, context: &Context<'_>) -> Poll<()> {
        let mut queue = self.0.queue();
        queue.turn = Turn::Coming;
        if queue.state == State::Overflowed || !queue.items.is_empty() {
            return Poll::Ready(());
        }
        if !queue.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            queue.waker = Some(context.waker().clone());
        }
        Poll::Pending
    }

    /// Takes all that waits into `taken`, which is empty. `Err`: the queue overflowed.
    ///
    /// Its bytes count until [`Waiting::wrote`] says that they left.
    pub fn take(&self, taken: &mut VecDeque<Item>) -> Result<(), Reason> {
        let mut queue = self.0.queue();
        if queue.state == State::Overflowed {
            return Err(TOO_SLOW);
        }
        std::mem::swap(&mut queue.items, taken);
        queue.leaving += std::mem::take(&mut queue.bytes);
        Ok(())
    }

    /// The peer does not take all of what was taken, and is waited for.
    pub fn stalled(&self) {
        self.0.queue().turn = Turn::Stalled;
    }

    /// Its task waits for something else than the peer.
    pub fn away(&self) {
        self.0.queue().turn = Turn::Away;
    }

    /// What was taken has left but for `rest`.
    pub fn left(&self, rest: &VecDeque<Item>) {
        self.0.queue().leaving = rest.iter().map(Item::size).sum();
    }

    /// All that was taken has left; `taken` is what it was taken into.
    pub fn wrote(&self, taken: &mut VecDeque<Item>) {
        if taken.capacity() > KEPT {
            *taken = VecDeque::new();
        }
        let mut queue = self.0.queue();
        queue.leaving = 0;
        queue.turn = Turn::Coming;
    }
}

#[cfg(test)]
mod tests;
