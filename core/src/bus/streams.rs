//! Answers that come in pieces, such as a text while it is written. Whoever asked may go at any time, and then the one who
//! answers is told to stop: nobody works for somebody who is gone.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

use super::nats::{Nats, QUESTIONS, SAID_WITHIN};
use super::wire::Wire;
use crate::fault::{Fault, Result};

/// Pieces that wait for a slow asker; then the one who answers waits too.
const WAITING: usize = 64;
/// Between two pieces: whoever answers has shorter limits of their own, so this is a worker that died.
const SILENCE: Duration = Duration::from_secs(20);

/// What NATS says where nobody offers a service.
const NO_RESPONDERS: u16 = 503;

/// What answers the questions of one service in pieces.
pub type StreamService = Arc<dyn Fn(Bytes, Listener) -> BoxFuture<'static, ()> + Send + Sync>;

/// Whom the pieces are for.
#[derive(Clone)]
pub struct Listener(mpsc::Sender<Wire>);

impl Listener {
    /// Gives a piece, or a fault, which is the last. Answers whether somebody still listens.
    pub async fn say(&self, piece: Result<Value>) -> bool {
        self.0.send(Wire::from(piece)).await.is_ok()
    }

    /// Ends when nobody listens any more.
    pub async fn gone(&self) {
        self.0.closed().await;
    }
}

/// The pieces as they come. Dropping it stops the one who answers.
pub struct Answers {
    from: mpsc::Receiver<Wire>,
    /// Ends with this value.
    _relay: Option<Relay>,
}

/// A task that ends with what holds it.
struct Relay(tokio::task::JoinHandle<()>);

impl Drop for Relay {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Answers {
    /// The next piece; `None`: that was all.
    pub async fn next(&mut self) -> Option<Result<Value>> {
        match timeout(SILENCE, self.from.recv()).await {
            Ok(piece) => piece.map(Wire::into_result),
            Err(_) => Some(Err(Fault::Unavailable("the worker"))),
        }
    }
}

pub(super) fn pair() -> (Listener, Answers) {
    let (to, from) = mpsc::channel(WAITING);
    (Listener(to), Answers { from, _relay: None })
}

/// A piece on its way through NATS.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    Piece(Wire),
    End,
}

/// Where the one who answers hears that the asker is gone.
fn stop_of(inbox: &str) -> String {
    format!("{inbox}.stop")
}

/// Says that the asker is gone, however that came.
struct Farewell {
    client: async_nats::Client,
    inbox: String,
}

impl Drop for Farewell {
    fn drop(&mut self) {
        let (client, subject) = (self.client.clone(), stop_of(&self.inbox));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                // Lost at worst: an answer has limits of its own.
                let _ = client.publish(subject, Bytes::new()).await;
            });
        }
    }
}

impl Nats {
    pub(super) async fn ask_for_pieces(&self, service: &'static str, question: Bytes) -> Result<Answers> {
        // Its queue would be waited on, and whoever asked over a socket would hear nothing else meanwhile.
        if !self.is_connected() {
            return Err(Fault::Unavailable("the worker"));
        }
        let inbox = self.client.new_inbox();
        let subject = format!("{}.ask.{service}", self.prefix);
        let asked = async {
            let parts = self.client.subscribe(inbox.clone()).await.ok()?;
            self.client.publish_with_reply(subject, inbox.clone(), question).await.ok()?;
            Some(parts)
        };
        // A line that is dead and not known to be takes nothing once its queue is full.
        let asked = timeout(SAID_WITHIN, asked).await.ok().flatten();
        let mut parts = asked.ok_or(Fault::Unavailable("the worker"))?;
        let farewell = Farewell { client: self.client.clone(), inbox };
        let (to, from) = mpsc::channel(WAITING);
        let relay = Relay(tokio::spawn(async move {
            let _farewell = farewell;
            while let Some(message) = parts.next().await {
                // Nobody offers the service: NATS says so at once.
                let is_refused = message.status.is_some_and(|it| it.as_u16() == NO_RESPONDERS);
                let part = if is_refused { None } else { serde_json::from_slice(&message.payload).ok() };
                let wire = match part {
                    Some(Part::End) => return,
                    Some(Part::Piece(wire)) => wire,
                    None => Wire::from(Err(Fault::Unavailable("the worker"))),
                };
                if to.send(wire).await.is_err() {
                    return;
                }
            }
        }));
        Ok(Answers { from, _relay: Some(relay) })
    }

    pub(super) async fn serve_pieces(&self, service: &'static str, answer: StreamService) -> Result<()> {
        let mut questions = self
            .client
            .queue_subscribe(format!("{}.ask.{service}", self.prefix), "workers".into())
            .await
            .map_err(|error| Fault::conflict("bus_unreachable", error.to_string()))?;
        let client = self.client.clone();
        let places = Arc::new(Semaphore::new(QUESTIONS));
        tokio::spawn(async move {
            while let Some(question) = questions.next().await {
                let Some(reply) = question.reply else { continue };
                let Ok(place) = places.clone().acquire_owned().await else { return };
                let (answer, client) = (answer.clone(), client.clone());
                tokio::spawn(async move {
                    answer_in_pieces(&client, reply.as_str(), question.payload, &answer).await;
                    drop(place);
                });
            }
        });
        Ok(())
    }
}

async fn answer_in_pieces(client: &async_nats::Client, inbox: &str, question: Bytes, answer: &StreamService) {
    let (to, mut from) = mpsc::channel(WAITING);
    let Ok(mut stop) = client.subscribe(stop_of(inbox)).await else { return };
    let work = tokio::spawn(answer(question, Listener(to)));
    loop {
        let wire = tokio::select! {
            wire = from.recv() => wire,
            _ = stop.next() => break,
        };
        let is_last = wire.is_none();
        let part = wire.map_or(Part::End, Part::Piece);
        let Ok(payload) = serde_json::to_vec(&part) else { break };
        if client.publish(inbox.to_owned(), payload.into()).await.is_err() || is_last {
            break;
        }
    }
    // Its listener is gone with `from`; whatever it still waits for is given up.
    work.abort();
}
