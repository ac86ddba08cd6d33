//! The bus over NATS: events through a JetStream stream, signals and questions through core subjects.

use std::time::Duration;

use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use async_nats::jetstream::stream::{self, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, Context};
use async_nats::{Client, HeaderMap, RequestErrorKind};
use bytes::Bytes;
use confab_protocol::Event;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::{Semaphore, broadcast};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::wire::Wire;
use super::{SIGNALS, Service, Signal};
use crate::fault::{Fault, Result};

/// A silent stream is checked against the record this often.
const SILENCE: Duration = Duration::from_millis(500);
/// A reader's new place in the stream is there by then, or is tried again later.
const FOLLOWED_WITHIN: Duration = Duration::from_secs(2);
/// What is published at once is acknowledged within this time.
pub(super) const PUBLISH_WITHIN: Duration = Duration::from_secs(3);
/// So often the connection is tried: at the third ping without an answer it is a dead one. With the crate's minute such a line
/// would pass for a good one for three, and everybody would wait for it.
const PING: Duration = Duration::from_secs(5);
/// What may be lost, and a question, wait no longer than this for their way out.
pub(super) const SAID_WITHIN: Duration = Duration::from_secs(1);
/// Questions that one process works on at once.
pub(super) const QUESTIONS: usize = 64;
/// Events that one read takes from the stream.
const TOGETHER: usize = 500;

/// See the module.
#[derive(Clone)]
pub struct Nats {
    pub(super) client: Client,
    context: Context,
    pub(super) prefix: String,
    epoch: Uuid,
    signals: broadcast::Sender<Signal>,
    kicks: broadcast::Sender<()>,
}

impl Nats {
    pub(super) async fn connect(
        url: &str,
        prefix: &str,
        epoch: Uuid,
        stop: CancellationToken,
    ) -> Result<Self> {
        // What stands before the @ is a secret.
        let at = url.rsplit('@').next().unwrap_or(url).trim_start_matches("nats://");
        let client = async_nats::ConnectOptions::new()
            .connection_timeout(Duration::from_secs(3))
            .ping_interval(PING)
            .name("confab")
            .connect(url)
            .await
            .map_err(|error| {
                Fault::conflict("bus_unreachable", format!("cannot reach NATS at {at}: {error}"))
            })?;
        let mut context = jetstream::new(client.clone());
        context.set_timeout(PUBLISH_WITHIN);
        let nats = Self {
            client,
            context,
            prefix: prefix.to_owned(),
            epoch,
            signals: broadcast::channel(SIGNALS).0,
            kicks: broadcast::channel(1).0,
        };
        nats.stream().await.map_err(|error| {
            Fault::conflict(
                "bus_unusable",
                format!("NATS answers, but not as JetStream (start it with -js): {error}"),
            )
        })?;
        nats.listen(stop).await?;
        Ok(nats)
    }

    /// The stream, made when it is missing: someone may wipe JetStream at any time, and nothing is lost by it.
    async fn stream(&self) -> Result<stream::Stream, jetstream::context::CreateStreamError> {
        self.context
            .get_or_create_stream(stream::Config {
                name: format!("{}_events", self.prefix),
                subjects: vec![format!("{}.events", self.prefix)],
                storage: StorageType::File,
                retention: RetentionPolicy::Limits,
                max_age: Duration::from_hours(24),
                max_bytes: 1 << 30,
                duplicate_window: Duration::from_mins(10),
                ..stream::Config::default()
            })
            .await
    }

    async fn listen(&self, stop: CancellationToken) -> Result<()> {
        let unreachable =
            |error: async_nats::SubscribeError| Fault::conflict("bus_unreachable", error.to_string());
        let mut signals =
            self.client.subscribe(format!("{}.signals", self.prefix)).await.map_err(unreachable)?;
        let mut kicks = self.client.subscribe(format!("{}.kick", self.prefix)).await.map_err(unreachable)?;
        let (to_signals, to_kicks) = (self.signals.clone(), self.kicks.clone());
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    Some(message) = signals.next() => {
                        if let Ok(signal) = serde_json::from_slice(&message.payload) {
                            let _ = to_signals.send(signal);
                        }
                    }
                    Some(_) = kicks.next() => { let _ = to_kicks.send(()); }
                    else => return,
                }
            }
        });
        Ok(())
    }

    pub(super) fn connection_count(&self) -> u64 {
        self.client.statistics().connects.load(std::sync::atomic::Ordering::Relaxed)
    }

    pub(super) fn is_connected(&self) -> bool {
        self.client.connection_state() == async_nats::connection::State::Connected
    }

    /// Tells the relay, wherever it is, that events wait. May be lost: the relay also polls.
    pub(super) async fn kick(&self) {
        self.say("kick", Bytes::new()).await;
    }

    pub(super) fn kicks(&self) -> broadcast::Receiver<()> {
        self.kicks.subscribe()
    }

    pub(super) async fn signal(&self, signal: &Signal) {
        if let Ok(payload) = serde_json::to_vec(signal) {
            self.say("signals", payload.into()).await;
        }
    }

    /// Says what may be lost. Without a connection the client's queue fills and is waited on: sockets whose people type would hear
    /// nothing until NATS is back.
    async fn say(&self, subject: &str, payload: Bytes) {
        if self.is_connected() {
            let said = self.client.publish(format!("{}.{subject}", self.prefix), payload);
            let _ = tokio::time::timeout(SAID_WITHIN, said).await;
        }
    }

    pub(super) fn signals(&self) -> broadcast::Receiver<Signal> {
        self.signals.subscribe()
    }

    /// Publishes in order and waits for all acknowledgements. A repeated one is dropped by its message id. All of it within one
    /// time: a bus that answers each a little late would keep the relay from everything else.
    pub(super) async fn publish(&self, events: &[Event]) -> Result<()> {
        // Without a connection it would wait all that time, and nothing would be stamped meanwhile.
        if !self.is_connected() {
            return Err(Fault::Unavailable("NATS"));
        }
        tokio::time::timeout(PUBLISH_WITHIN, self.publish_all(events)).await.map_err(refused)?
    }

    async fn publish_all(&self, events: &[Event]) -> Result<()> {
        let mut waiting = Vec::with_capacity(events.len());
        for event in events {
            let mut headers = HeaderMap::new();
            headers.insert(async_nats::header::NATS_MESSAGE_ID, format!("{}:{}", self.epoch, event.pos));
            let payload = serde_json::to_vec(event).map_err(Fault::internal)?;
            let sent =
                self.context.publish_with_headers(format!("{}.events", self.prefix), headers, payload.into());
            waiting.push(sent.await.map_err(refused)?);
        }
        for acknowledgement in waiting {
            if let Err(error) = acknowledgement.into_future().await {
                tracing::debug!(%error, "JetStream did not acknowledge");
                // The stream may have been wiped: make it again, the relay repeats from the record.
                let _ = self.stream().await;
                return Err(Fault::Unavailable("NATS"));
            }
        }
        Ok(())
    }

    /// Whether JetStream answers within so long. One that stands still keeps its connection, and whatever is published into it takes
    /// its time.
    pub(super) async fn is_well(&self, within: Duration) -> bool {
        self.is_connected()
            && tokio::time::timeout(within, self.stream()).await.is_ok_and(|stream| stream.is_ok())
    }

    pub(super) async fn events(&self) -> Events {
        let messages = tokio::time::timeout(FOLLOWED_WITHIN, self.follow()).await.ok().flatten();
        Events { messages, nats: self.clone() }
    }

    /// Whether it is of this installation: another one under the same prefix has the same positions, and other events there.
    fn is_ours(&self, message: &jetstream::Message) -> bool {
        let id =
            message.headers.as_ref().and_then(|headers| headers.get(async_nats::header::NATS_MESSAGE_ID));
        let epoch = id.and_then(|id| id.as_str().split_once(':')).and_then(|(epoch, _)| epoch.parse().ok());
        epoch == Some(self.epoch)
    }

    async fn follow(&self) -> Option<pull::Ordered> {
        let stream = self.stream().await.ok()?;
        let config =
            pull::OrderedConfig { deliver_policy: DeliverPolicy::New, ..pull::OrderedConfig::default() };
        stream.create_consumer(config).await.ok()?.messages().await.ok()
    }

    /// `None`: it may have been taken, and no answer came.
    pub(super) async fn ask(
        &self,
        service: &'static str,
        question: Bytes,
    ) -> Result<Option<serde_json::Value>> {
        if !self.is_connected() {
            return Err(Fault::Unavailable("NATS"));
        }
        let answer = match self.client.request(format!("{}.ask.{service}", self.prefix), question).await {
            Ok(answer) => answer,
            Err(error) if matches!(error.kind(), RequestErrorKind::TimedOut | RequestErrorKind::Other) => {
                return Ok(None);
            }
            Err(_) => return Err(Fault::Unavailable("the worker")),
        };
        let wire: Wire = serde_json::from_slice(&answer.payload).map_err(Fault::internal)?;
        wire.into_result().map(Some)
    }

    pub(super) async fn serve(&self, service: &'static str, answer: Service) -> Result<()> {
        let mut questions = self
            .client
            .queue_subscribe(format!("{}.ask.{service}", self.prefix), "workers".into())
            .await
            .map_err(|error| Fault::conflict("bus_unreachable", error.to_string()))?;
        let client = self.client.clone();
        let places = std::sync::Arc::new(Semaphore::new(QUESTIONS));
        tokio::spawn(async move {
            while let Some(question) = questions.next().await {
                let Some(reply) = question.reply else { continue };
                let Ok(place) = places.clone().acquire_owned().await else { return };
                let (answer, client) = (answer.clone(), client.clone());
                tokio::spawn(async move {
                    let wire = Wire::from(answer(question.payload).await);
                    if let Ok(payload) = serde_json::to_vec(&wire) {
                        let _ = client.publish(reply, payload.into()).await;
                    }
                    drop(place);
                });
            }
        });
        Ok(())
    }
}

fn refused(error: impl std::fmt::Display) -> Fault {
    tracing::debug!(%error, "publishing to NATS");
    Fault::Unavailable("NATS")
}

/// What the stream has next.
pub enum Next {
    /// Dense from the asked position on.
    Events(Vec<Event>),
    /// A gap, a silence or a failure: the record knows.
    ReadTheLog,
}

/// One reader's place in the stream.
pub struct Events {
    nats: Nats,
    messages: Option<pull::Ordered>,
}

impl Events {
    /// Waits for what follows `pos`. Cancelling it loses nothing: a gap is read again from the record.
    pub async fn after(&mut self, pos: i64) -> Next {
        let Some(messages) = &mut self.messages else {
            tokio::time::sleep(SILENCE).await;
            if self.nats.is_connected() {
                // It may be gone again by now, and its client's queue full: that is waited on without a bound.
                let following = tokio::time::timeout(FOLLOWED_WITHIN, self.nats.follow()).await;
                self.messages = following.ok().flatten();
            }
            return Next::ReadTheLog;
        };
        let mut events: Vec<Event> = Vec::new();
        // Of all that comes: old events, one after the other, are a silence too.
        let silent_at = tokio::time::Instant::now() + SILENCE;
        loop {
            let message = if events.is_empty() {
                match tokio::time::timeout_at(silent_at, messages.next()).await {
                    Ok(message) => message,
                    Err(_) => return Next::ReadTheLog,
                }
            } else {
                match messages.next().now_or_never() {
                    Some(message) => message,
                    None => return Next::Events(events),
                }
            };
            let message = message.and_then(Result::ok);
            if message.as_ref().is_some_and(|message| !self.nats.is_ours(message)) {
                continue;
            }
            let event: Option<Event> =
                message.and_then(|message| serde_json::from_slice(&message.payload).ok());
            let Some(event) = event else {
                // The consumer broke, or spoke of a kind that this version does not know.
                self.messages = None;
                return if events.is_empty() { Next::ReadTheLog } else { Next::Events(events) };
            };
            let expected = events.last().map_or(pos, |last| last.pos) + 1;
            if event.pos == expected {
                events.push(event);
                if events.len() >= TOGETHER {
                    return Next::Events(events);
                }
            } else if event.pos > expected {
                return if events.is_empty() { Next::ReadTheLog } else { Next::Events(events) };
            }
        }
    }
}
