//! The hub: follows the log, knows which sockets may hear which channel, and hands them frames.
//!
//! One task owns all of it, so nothing is locked while frames go out. Who may hear a channel is folded from the same
//! log: a membership event takes effect before the next position is considered.

mod audience;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use confab_core::{Bus, Db, log};
use confab_protocol::{ChannelId, Event, UserId};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::sync::CancellationToken;

use audience::Audience;

use super::frames;
use super::outbox::Outbox;

/// Encoded batches that may wait for the hub.
const BATCHES: usize = 16;
const COMMANDS: usize = 4_096;
/// Sockets that come back after a drain spread over this time.
const RETURN_SPREAD_MS: u64 = 20_000;

/// What the hub tells others: a session or a user changed, or who may be in a channel.
pub type OnChange = Box<dyn Fn(&Event) + Send>;

enum Command {
    /// A socket begins: from now on changes of its user's memberships are noted.
    Begin(Arc<Outbox>, oneshot::Sender<bool>),
    /// Its memberships as the record has them; answers the position from which it hears everything.
    Listen(u64, UserId, Vec<(ChannelId, i64)>, oneshot::Sender<i64>),
    /// It is gone; answers whether it was the user's last.
    End(u64, UserId, oneshot::Sender<bool>),
    /// Something that may be lost, for those who hear a channel.
    Whisper(ChannelId, Utf8Bytes),
    /// All are to go elsewhere.
    Drain,
}

/// The way to the hub's task. Cheap to clone.
#[derive(Clone)]
pub struct Hub {
    commands: mpsc::Sender<Command>,
    next_id: Arc<AtomicU64>,
    sockets: Arc<AtomicUsize>,
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
        tokio::spawn(follow(db, bus, head, to, stop.clone()));
        let audience = Audience::new(head, per_user, sockets.clone(), on_change);
        tokio::spawn(audience.run(orders, batches, signals, stop));
        Ok(Self { commands, next_id: Arc::default(), sockets, draining: Arc::default() })
    }

    /// A number for a new socket.
    pub fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Announces a socket. `false`: its user has too many.
    pub async fn begin(&self, outbox: Arc<Outbox>) -> bool {
        let (answer, answered) = oneshot::channel();
        let sent = self.commands.send(Command::Begin(outbox, answer)).await;
        sent.is_ok() && answered.await.unwrap_or(false)
    }

    /// Lets it hear. Everything after the answered position will be queued.
    pub async fn listen(&self, id: u64, user: UserId, memberships: Vec<(ChannelId, i64)>) -> Option<i64> {
        let (answer, answered) = oneshot::channel();
        self.commands.send(Command::Listen(id, user, memberships, answer)).await.ok()?;
        answered.await.ok()
    }

    /// Forgets a socket. Answers whether it was its user's last one here.
    pub async fn end(&self, id: u64, user: UserId) -> bool {
        let (answer, answered) = oneshot::channel();
        let sent = self.commands.send(Command::End(id, user, answer)).await;
        sent.is_ok() && answered.await.unwrap_or(false)
    }

    /// Tells those who hear a channel something that may be lost.
    pub async fn whisper(&self, channel: ChannelId, frame: Utf8Bytes) {
        let _ = self.commands.send(Command::Whisper(channel, frame)).await;
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

    /// Signed-in sockets of this server.
    #[must_use]
    pub fn socket_count(&self) -> usize {
        self.sockets.load(Ordering::Relaxed)
    }
}

/// Reads the log and encodes it, ahead of the hub by a few batches.
async fn follow(
    db: Db,
    bus: Bus,
    head: i64,
    to: mpsc::Sender<Vec<(Event, Option<Utf8Bytes>)>>,
    stop: CancellationToken,
) {
    let mut tail = bus.tail(&db, head).await;
    while let Some(events) = stop.run_until_cancelled(tail.next()).await {
        // Skipping a batch would be a hole in every socket: try until the record answers.
        let frames = loop {
            match frames::encode(&db, &events).await {
                Ok(frames) => break frames,
                Err(fault) => {
                    tracing::warn!(%fault, "cannot read what events name, trying again");
                    if stop
                        .run_until_cancelled(tokio::time::sleep(Duration::from_millis(250)))
                        .await
                        .is_none()
                    {
                        return;
                    }
                }
            }
        };
        if to.send(events.into_iter().zip(frames).collect()).await.is_err() {
            return;
        }
    }
}
