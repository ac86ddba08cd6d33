//! How the parts hear of each other: durable events in order, signals that may be lost, questions to the worker.
//!
//! The bus is never the record. In one process it only wakes readers of the log; with NATS it also carries the thin
//! events, and whatever it loses or repeats is noticed by `pos` and read again from SQL.

mod memory;
mod nats;
mod relay;
mod streams;
mod voice;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use confab_protocol::gateway::Presence;
use confab_protocol::{ChannelId, Event, MessageId, UserId};
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::db::Db;
use crate::fault::{Fault, Result};
use crate::log;

pub use streams::{Answers, Listener, StreamService};
pub use voice::{VoicePlace, VoiceWord};

/// Signals waiting for a slow reader; older ones are dropped, which is what signals are for.
const SIGNALS: usize = 4_096;
/// A question to the worker is answered within this time or not at all.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Something that is true for a moment: never stored, may be lost.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum Signal {
    /// Someone is typing.
    Typing {
        /// Where.
        channel_id: ChannelId,
        /// Who.
        user_id: UserId,
        /// In which thread.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent_id: Option<MessageId>,
    },
    /// Someone came, went, or changed their state or their words.
    Presence(Presence),
    /// What a server says of its voice channels.
    Voice(VoiceWord),
    /// Presences may have changed without a word: a server was cut off from the bus, or went before it could say so. The record has
    /// them, and who hears this asks it.
    Unsaid,
}

/// What answers the questions of one service.
pub type Service = Arc<dyn Fn(Bytes) -> BoxFuture<'static, Result<serde_json::Value>> + Send + Sync>;

/// The bus of this process. Cheap to clone.
#[derive(Clone)]
#[allow(clippy::large_enum_variant)] // there is one in a process
pub enum Bus {
    /// Embedded.
    Memory(memory::Memory),
    /// Scaled.
    Nats(nats::Nats),
}

impl Bus {
    /// Connects. In scaled mode the relay starts too: every process offers itself as its leader.
    ///
    /// # Errors
    /// [`Fault::Conflict`] with code `bus_unreachable` when NATS does not answer.
    pub async fn open(settings: &Settings, db: &Db, stop: CancellationToken) -> Result<Self> {
        let Some(url) = &settings.nats_url else {
            return Ok(Self::Memory(memory::Memory::new()));
        };
        let nats = nats::Nats::connect(&url.0, &settings.nats_prefix, db.epoch(), stop.clone()).await?;
        relay::start(db.clone(), nats.clone(), stop);
        Ok(Self::Nats(nats))
    }

    /// Follows the log from behind `pos`, for ever.
    pub async fn tail(&self, db: &Db, pos: i64) -> Tail {
        let source = match self {
            Self::Memory(_) => Source::Memory,
            Self::Nats(nats) => Source::Nats(Box::new(nats.events().await)),
        };
        Tail {
            commits: db.commits(),
            db: db.clone(),
            pos,
            source,
            is_behind: false,
            apart: Duration::ZERO,
            next_at: Instant::now(),
        }
    }

    /// Sends a signal to every server. Loss is allowed.
    pub async fn signal(&self, signal: Signal) {
        match self {
            Self::Memory(memory) => memory.signal(signal),
            Self::Nats(nats) => nats.signal(&signal).await,
        }
    }

    /// The signals of all servers, this one's too.
    #[must_use]
    pub fn signals(&self) -> broadcast::Receiver<Signal> {
        match self {
            Self::Memory(memory) => memory.signals(),
            Self::Nats(nats) => nats.signals(),
        }
    }

    /// Asks a service of the worker.
    ///
    /// # Errors
    /// What the service answers, or [`Fault::Unavailable`] when no worker offers it or none answers in 10 s.
    pub async fn ask<Q: Serialize + Sync, A: DeserializeOwned>(
        &self,
        service: &'static str,
        question: &Q,
    ) -> Result<A> {
        let answer = self.answer(service, question).await?.ok_or(Fault::Unavailable("the worker"))?;
        serde_json::from_value(answer).map_err(Fault::internal)
    }

    /// Asks a service of the worker to do something.
    ///
    /// # Errors
    /// What the service answers; [`Fault::Unavailable`] when no worker offers it; [`Fault::Unconfirmed`] when one took it and
    /// said nothing in 10 s: it may be at it still, and whoever asked anew would have it done twice.
    pub async fn order<Q: Serialize + Sync, A: DeserializeOwned>(
        &self,
        service: &'static str,
        question: &Q,
    ) -> Result<A> {
        let answer = self.answer(service, question).await?.ok_or(Fault::Unconfirmed)?;
        serde_json::from_value(answer).map_err(Fault::internal)
    }

    /// `None`: it was taken, and nobody answered.
    async fn answer<Q: Serialize + Sync>(
        &self,
        service: &'static str,
        question: &Q,
    ) -> Result<Option<serde_json::Value>> {
        let question = Bytes::from(serde_json::to_vec(question).map_err(Fault::internal)?);
        let asked = async {
            match self {
                Self::Memory(memory) => memory.ask(service, question).await.map(Some),
                Self::Nats(nats) => nats.ask(service, question).await,
            }
        };
        tokio::time::timeout(ANSWER_WITHIN, asked).await.unwrap_or(Ok(None))
    }

    /// Asks a service that answers in pieces. It stops working when what is answered here is dropped.
    ///
    /// # Errors
    /// [`Fault::Unavailable`] when the bus is not reachable; what the service says comes with the pieces.
    pub async fn ask_for_pieces<Q: Serialize + Sync>(
        &self,
        service: &'static str,
        question: &Q,
    ) -> Result<Answers> {
        let question = Bytes::from(serde_json::to_vec(question).map_err(Fault::internal)?);
        match self {
            Self::Memory(memory) => memory.ask_for_pieces(service, question),
            Self::Nats(nats) => nats.ask_for_pieces(service, question).await,
        }
    }

    /// Offers a service that answers in pieces; of several workers one answers each question.
    pub async fn serve_pieces(&self, service: &'static str, answer: StreamService) -> Result<()> {
        match self {
            Self::Memory(memory) => {
                memory.serve_pieces(service, answer);
                Ok(())
            }
            Self::Nats(nats) => nats.serve_pieces(service, answer).await,
        }
    }

    /// Offers a service; of several workers one answers each question.
    pub async fn serve(&self, service: &'static str, answer: Service) -> Result<()> {
        match self {
            Self::Memory(memory) => {
                memory.serve(service, answer);
                Ok(())
            }
            Self::Nats(nats) => nats.serve(service, answer).await,
        }
    }

    /// How often the bus was reached anew: signals may have been lost each time. Zero where it is this process itself.
    #[must_use]
    pub fn connection_count(&self) -> u64 {
        match self {
            Self::Memory(_) => 0,
            Self::Nats(nats) => nats.connection_count(),
        }
    }

    /// Whether the bus can be reached now.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        match self {
            Self::Memory(_) => true,
            Self::Nats(nats) => nats.is_connected(),
        }
    }
}

enum Source {
    Memory,
    Nats(Box<nats::Events>),
}

/// The log from one position on: dense, in order, each event once.
pub struct Tail {
    db: Db,
    pos: i64,
    commits: tokio::sync::watch::Receiver<i64>,
    source: Source,
    /// The record had a whole batch, so it has more: asking a bus that is silent would bring it only after a while.
    is_behind: bool,
    apart: Duration,
    next_at: Instant,
}

impl Tail {
    /// The last position given out.
    #[must_use]
    pub fn pos(&self) -> i64 {
        self.pos
    }

    /// The same for a reader whom nobody waits for: what comes within `apart` of the last answer comes together. Under
    /// load one look serves many commits.
    #[must_use]
    pub fn unhurried(mut self, apart: Duration) -> Self {
        self.apart = apart;
        self
    }

    /// Waits for what comes next. Never answers nothing; cancelling it loses nothing.
    pub async fn next(&mut self) -> Vec<Event> {
        if !self.apart.is_zero() {
            tokio::time::sleep_until(self.next_at).await;
        }
        let events = self.found().await;
        self.next_at = Instant::now() + self.apart;
        events
    }

    async fn found(&mut self) -> Vec<Event> {
        loop {
            let events = match &mut self.source {
                Source::Nats(_) if self.is_behind => self.read().await.unwrap_or_default(),
                Source::Memory => {
                    self.commits.mark_unchanged();
                    let before = self.pos;
                    let found = self.read().await;
                    match found {
                        Some(events) if events.is_empty() && self.pos == before => {
                            if self.commits.changed().await.is_err() {
                                std::future::pending::<()>().await;
                            }
                            events
                        }
                        found => found.unwrap_or_default(),
                    }
                }
                Source::Nats(events) => match events.after(self.pos).await {
                    nats::Next::Events(found) => {
                        self.pos = found.last().map_or(self.pos, |event| event.pos);
                        found
                    }
                    nats::Next::ReadTheLog => self.read().await.unwrap_or_default(),
                },
            };
            if !events.is_empty() {
                return events;
            }
        }
    }

    /// `None`: the record did not answer, and a while has passed.
    async fn read(&mut self) -> Option<Vec<Event>> {
        // The log in memory only saves the way: it holds nothing that SQL does not.
        if let Some(events) = self.db.recent.after(self.pos, log::BATCH) {
            self.pos = events.last().map_or(self.pos, |event| event.pos);
            return Some(events);
        }
        match log::after(&mut self.db.read(), self.pos, log::BATCH).await {
            Ok(page) => {
                self.is_behind = page.reached - self.pos >= log::BATCH;
                self.pos = page.reached;
                Some(page.events)
            }
            Err(fault) => {
                tracing::warn!(%fault, "cannot read the log, trying again");
                tokio::time::sleep(Duration::from_millis(500)).await;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn who_was_heard_and_is_silent_may_have_done_it() {
        let bus = Bus::Memory(memory::Memory::new());
        bus.serve("mute", Arc::new(|_| std::future::pending().boxed())).await.expect("offered");
        let code = |told: Result<serde_json::Value>| told.expect_err("no answer").code();
        let (asked, ordered, nobody) =
            tokio::join!(bus.ask("mute", &()), bus.order("mute", &()), bus.order("nobody", &()));
        assert_eq!(
            (code(asked), code(ordered), code(nobody)),
            ("unavailable", "outcome_unknown", "unavailable")
        );
    }
}
