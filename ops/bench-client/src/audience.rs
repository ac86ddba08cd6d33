//! Sockets that listen, and the times that their deliveries took.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::latencies::Latencies;
use crate::socket::Socket;
use crate::text;

/// A client says that it lives this often; the server gives up after 75 s.
const BEAT: Duration = Duration::from_secs(25);
const HEARTBEAT: &str = r#"{"op":"heartbeat","d":{}}"#;

/// Messages that are due by the clock, and what becomes of them.
pub struct Rung {
    /// The number of its first message; numbers never come twice in a run.
    pub first: u64,
    pub count: u64,
    pub start: Instant,
    pub every: Duration,
    pub latencies: Latencies,
    pub bytes: AtomicU64,
    /// Positions that were not above the one before, on the same socket.
    pub disordered: AtomicU64,
}

impl Rung {
    /// When message `number` was to be sent. `None`: it is of an earlier rung.
    pub fn due(&self, number: u64) -> Option<Instant> {
        let place = number.checked_sub(self.first).filter(|place| *place < self.count)?;
        Some(self.start + self.every.mul_f64(place as f64))
    }
}

/// The listeners of one server; their tasks end with this value.
#[derive(Default)]
pub struct Audience {
    rung: Arc<RwLock<Option<Arc<Rung>>>>,
    listeners: JoinSet<()>,
    closed: Arc<AtomicUsize>,
}

impl Audience {
    /// Lets `socket` listen, with a client's heartbeat where the server wants one.
    pub fn add(&mut self, socket: Socket, beats: bool) {
        let (rung, closed) = (self.rung.clone(), self.closed.clone());
        // Spread, as clients that connected at different times are.
        let first_beat = BEAT.mul_f64((self.listeners.len() * 37 % 100) as f64 / 100.0);
        self.listeners.spawn(async move {
            listen(socket, &rung, beats.then_some(first_beat)).await;
            closed.fetch_add(1, Ordering::Relaxed);
        });
    }

    /// Counts for `rung` from now on.
    pub fn begin(&self, rung: &Arc<Rung>) {
        *self.rung.write().unwrap_or_else(PoisonError::into_inner) = Some(rung.clone());
    }

    /// Sockets that the server has closed.
    pub fn closed(&self) -> usize {
        self.closed.load(Ordering::Relaxed)
    }
}

async fn listen(mut socket: Socket, rungs: &RwLock<Option<Arc<Rung>>>, first_beat: Option<Duration>) {
    let mut last_pos = 0;
    let now = tokio::time::Instant::now();
    let mut beats = tokio::time::interval_at(now + first_beat.unwrap_or(BEAT), BEAT);
    loop {
        let is_open = tokio::select! {
            is_open = hear_events(&mut socket, rungs, &mut last_pos) => is_open,
            _ = beats.tick(), if first_beat.is_some() => socket.say(HEARTBEAT).await.is_ok(),
        };
        if !is_open {
            return;
        }
    }
}

/// Hears once. All that came in one read came at the same time.
async fn hear_events(socket: &mut Socket, rungs: &RwLock<Option<Arc<Rung>>>, last_pos: &mut i64) -> bool {
    let mut came: Option<(Instant, Option<Arc<Rung>>)> = None;
    socket
        .hear(|event| {
            let Some((number, pos)) = text::found_in(event) else { return };
            let (now, rung) = came.get_or_insert_with(|| {
                (Instant::now(), rungs.read().unwrap_or_else(PoisonError::into_inner).clone())
            });
            let Some((rung, due)) = rung.as_ref().and_then(|rung| Some((rung, rung.due(number)?))) else {
                return;
            };
            rung.latencies.add(now.saturating_duration_since(due), 1);
            rung.bytes.fetch_add(event.len() as u64, Ordering::Relaxed);
            if pos <= *last_pos {
                rung.disordered.fetch_add(1, Ordering::Relaxed);
            }
            *last_pos = pos;
        })
        .await
        .unwrap_or(false)
}
