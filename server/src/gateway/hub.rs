//! The hub: follows the log, knows which sockets may hear which channel, and hands them frames.
//!
//! One task owns all of it, so nothing is locked while frames go out. Who may hear a channel is folded from the same
//! log: a membership event takes effect before the next position is considered.

mod audience;
mod dispatch;
mod dots;
mod encoded;
mod follow;
mod present;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use confab_core::latency::{Latencies, Summary};
use confab_core::members::Heard;
use confab_core::sessions::Method;
use confab_core::{Bus, Db, log};
use confab_protocol::gateway::Presence;
use confab_protocol::{ChannelId, Event, UserId};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use audience::{Audience, Figures};

use super::outbox::Outbox;

/// Encoded batches that may wait for the hub.
const BATCHES: usize = 16;
const COMMANDS: usize = 4_096;
/// How long messages take is known of the last hour.
const DELIVERY_SLOT: Duration = Duration::from_mins(10);
const DELIVERY_SLOTS: u64 = 6;
/// Sockets that come back after a drain spread over this time.
const RETURN_SPREAD_MS: u64 = 20_000;

/// What the hub tells others: a session or a user changed, or who may be in a channel.
pub type OnChange = Box<dyn Fn(&Event) + Send>;

/// What a socket is told when it begins.
pub enum Begun {
    /// It is refused, and was told why.
    Refused,
    /// From now on changes of its user's memberships are noted, for [`Hub::listen`].
    New,
    /// Its user hears here already: so does this socket. With what its user's last socket was greeted with, if nothing of
    /// that has changed since.
    Hears(Hearing, Option<Arc<Kept>>),
}

/// A socket that hears.
pub struct Hearing {
    /// Everything after this position will be queued.
    pub pos: i64,
    /// Who is here of those around, as JSON without brackets. `None`: other servers know.
    pub presences: Option<Bytes>,
}

/// What a person's socket was greeted with, for their next ones.
pub struct Kept {
    /// It is at least as new as this position.
    pub pos: i64,
    /// How the session began.
    pub method: Method,
    /// The account and the channels, as JSON without brackets.
    pub state: Bytes,
    /// When it was read.
    pub at: Instant,
}

enum Command {
    Begin(Arc<Outbox>, oneshot::Sender<Begun>),
    /// Its memberships as the record has them.
    Listen(u64, UserId, Heard, oneshot::Sender<Hearing>),
    /// What it was greeted with.
    Keep(u64, UserId, Kept),
    /// It is gone; answers whether it was the user's last one.
    End(u64, UserId, oneshot::Sender<bool>),
    /// Something that may be lost, for those who hear a channel.
    Whisper(ChannelId, Bytes),
    /// The record is about to be asked who shows as what.
    BeginCorrection(oneshot::Sender<()>),
    /// All who are not offline, as the record has them; `None`: they are too many to be asked for.
    Correct(Option<Vec<Presence>>),
    /// All are to go elsewhere.
    Drain,
}

/// The way to the hub's task. Cheap to clone.
#[derive(Clone)]
pub struct Hub {
    commands: mpsc::Sender<Command>,
    next_id: Arc<AtomicU64>,
    sockets: Arc<AtomicUsize>,
    head: Arc<AtomicI64>,
    delivery: Arc<Latencies>,
    lost_signals: Arc<AtomicU64>,
    draining: Arc<AtomicBool>,
}

impl Hub {
    /// Starts following the log from its present end.
    pub async fn start(
        db: Db,
        bus: Bus,
        per_user: usize,
        on_change: OnChange,
        stop: CancellationToken,
    ) -> confab_core::Result<Self> {
        let head = log::head(&mut db.read()).await?;
        let (commands, orders) = mpsc::channel(COMMANDS);
        let sockets = Arc::new(AtomicUsize::new(0));
        let (to, batches) = mpsc::channel(BATCHES);
        let signals = bus.signals();
        let knows_everybody = db.is_embedded();
        tokio::spawn(follow::follow(db, bus, head, to, stop.clone()));
        let head = Arc::new(AtomicI64::new(head));
        let delivery = Arc::new(Latencies::new(DELIVERY_SLOT, DELIVERY_SLOTS));
        let lost_signals = Arc::new(AtomicU64::new(0));
        let figures = Figures {
            sockets: sockets.clone(),
            head: head.clone(),
            delivery: delivery.clone(),
            lost_signals: lost_signals.clone(),
        };
        let audience = Audience::new(figures, per_user, knows_everybody, on_change);
        tokio::spawn(audience.run(orders, batches, signals, stop));
        let (next_id, draining) = Default::default();
        Ok(Self { commands, next_id, sockets, head, delivery, lost_signals, draining })
    }

    /// A number for a new socket.
    pub fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Announces a socket.
    pub async fn begin(&self, outbox: Arc<Outbox>) -> Begun {
        let (answer, answered) = oneshot::channel();
        if self.commands.send(Command::Begin(outbox, answer)).await.is_err() {
            return Begun::Refused;
        }
        answered.await.unwrap_or(Begun::Refused)
    }

    /// Lets it hear, by its memberships as the record has them.
    pub async fn listen(&self, id: u64, user: UserId, heard: Heard) -> Option<Hearing> {
        let (answer, answered) = oneshot::channel();
        self.commands.send(Command::Listen(id, user, heard, answer)).await.ok()?;
        answered.await.ok()
    }

    /// Keeps what a hearing socket was greeted with, as long as it is true and the socket is there.
    pub async fn keep(&self, id: u64, user: UserId, kept: Kept) {
        let _ = self.commands.send(Command::Keep(id, user, kept)).await;
    }

    /// Forgets a socket. Answers whether it was its user's last one here.
    pub async fn end(&self, id: u64, user: UserId) -> bool {
        let (answer, answered) = oneshot::channel();
        let sent = self.commands.send(Command::End(id, user, answer)).await;
        sent.is_ok() && answered.await.unwrap_or(false)
    }

    /// Tells those who hear a channel something that may be lost.
    pub async fn whisper(&self, channel: ChannelId, frame: Bytes) {
        let _ = self.commands.send(Command::Whisper(channel, frame)).await;
    }

    /// Signals that were lost on their way to the sockets of this server.
    #[must_use]
    pub fn lost_signals(&self) -> u64 {
        self.lost_signals.load(Ordering::Relaxed)
    }

    /// Says that the record is about to be asked for [`Hub::correct_dots`]: from its answer on what is heard counts as newer.
    pub async fn begin_correction(&self) {
        let (answer, begun) = oneshot::channel();
        let _ = self.commands.send(Command::BeginCorrection(answer)).await;
        let _ = begun.await;
    }

    /// Tells the sockets of whoever shows otherwise than the record says: `all` who are not offline. `None`: they are too many.
    pub async fn correct_dots(&self, all: Option<Vec<Presence>>) {
        let _ = self.commands.send(Command::Correct(all)).await;
    }

    /// Sends everyone elsewhere; no new socket is opened.
    pub async fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
        let _ = self.commands.send(Command::Drain).await;
    }

    /// Whether this server is going away.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// The newest position that this server has heard of.
    #[must_use]
    pub fn head(&self) -> i64 {
        self.head.load(Ordering::Acquire)
    }

    /// How long messages of the last hour took from their being stamped until they waited for the sockets of this server,
    /// which are written to at once.
    #[must_use]
    pub fn delivery(&self) -> Summary {
        self.delivery.summary()
    }

    /// Signed-in sockets of this server.
    #[must_use]
    pub fn socket_count(&self) -> usize {
        self.sockets.load(Ordering::Relaxed)
    }
}
