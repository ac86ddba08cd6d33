//! A gateway client that keeps its cursor as a real one does, and checks at each event what the gateway promises.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::node::Address;
use super::wait::DEADLINE;

/// Between two beats of a client that is signed in. The server lets go of whoever says nothing for 75 s, which a long
/// story on a busy machine takes.
const BEAT: Duration = Duration::from_secs(20);
/// A wait for one frame among others ends, or a story would go on as long as others come.
const LONGEST: Duration = Duration::from_mins(3);

type Line = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// One connection.
pub struct Socket {
    stream: SplitStream<Line>,
    sink: Arc<Mutex<SplitSink<Line, Message>>>,
    heart: Heart,
    pub hello: Value,
    pub epoch: String,
    pub pos: i64,
}

/// What came next.
#[derive(Debug)]
pub enum Next {
    Frame(Value),
    /// The connection ended, with its close code where one was said.
    Closed(Option<u16>),
}

impl Socket {
    /// Connects and reads `hello`.
    pub async fn open(address: &Address) -> Self {
        Self::try_open(address)
            .await
            .unwrap_or_else(|error| panic!("no gateway at {}: {error}", address.gateway()))
    }

    /// The same, where the server may be gone.
    pub async fn try_open(address: &Address) -> Result<Self, Error> {
        Self::open_at(&address.gateway()).await
    }

    /// The same at a whole address, such as `ws://127.0.0.1:8000/ws/chat`.
    pub async fn open_at(address: &str) -> Result<Self, Error> {
        let (stream, _) = connect_async(address).await?;
        let (sink, stream) = stream.split();
        let (sink, heart) = (Arc::new(Mutex::new(sink)), Heart::default());
        let mut socket = Self { stream, sink, heart, hello: Value::Null, epoch: String::new(), pos: 0 };
        match socket.next().await {
            Next::Frame(hello) if hello["op"] == "hello" => {
                hello["d"]["epoch"].as_str().unwrap_or_default().clone_into(&mut socket.epoch);
                socket.hello = hello["d"].clone();
                Ok(socket)
            }
            Next::Frame(other) => panic!("the gateway did not say hello but {other}"),
            Next::Closed(_) => Err(Error::ConnectionClosed),
        }
    }

    /// Tries the handshake with an `Origin` header and returns the refusing status, if it was refused.
    pub async fn origin_refused(address: &Address, origin: &str) -> Option<u16> {
        let mut request = address.gateway().into_client_request().expect("an address of ours");
        request.headers_mut().insert("origin", origin.parse().expect("an origin is a header value"));
        match connect_async(request).await {
            Err(Error::Http(response)) => Some(response.status().as_u16()),
            Err(error) => panic!("the handshake failed otherwise: {error}"),
            Ok(_) => None,
        }
    }

    /// The code with which a new connection is closed before anything is said; `None` when it is greeted.
    pub async fn turned_away(address: &Address) -> Option<u16> {
        let (mut stream, _) = connect_async(address.gateway()).await.expect("the handshake comes first");
        match stream.next().await.expect("a frame").expect("a sound one") {
            Message::Close(close) => Some(close.expect("a reason").code.into()),
            _ => None,
        }
    }

    /// Identifies and returns `ready`'s content.
    pub async fn identify(&mut self, token: &str) -> Value {
        self.send(&json!({ "op": "identify", "d": { "token": token } })).await;
        let ready = self.frame("ready").await["d"].clone();
        ready["epoch"].as_str().expect("ready holds the epoch").clone_into(&mut self.epoch);
        self.pos = ready["pos"].as_i64().expect("ready holds the position");
        ready
    }

    /// Asks for everything after the cursor, and returns the first frame of another kind than an event: `resumed` or
    /// `invalid`, and the events that came before it.
    pub async fn resume(&mut self, token: &str, epoch: &str, pos: i64) -> (Value, Vec<Value>) {
        self.send(&json!({ "op": "resume", "d": { "token": token, "epoch": epoch, "pos": pos } })).await;
        epoch.clone_into(&mut self.epoch);
        self.pos = pos;
        let mut missed = Vec::new();
        loop {
            let frame = self.next_frame().await;
            match frame["op"].as_str() {
                Some("event") => missed.push(frame),
                Some("resumed" | "invalid") => return (frame, missed),
                _ => {}
            }
        }
    }

    pub async fn send(&mut self, frame: &Value) {
        self.send_text(&frame.to_string()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.sink.lock().await.send(Message::text(text)).await.expect("the gateway takes a frame");
    }

    /// Sends what the server may refuse by ending the connection.
    pub async fn try_send(&mut self, frame: &Value) -> Result<(), Error> {
        self.sink.lock().await.send(Message::text(frame.to_string())).await
    }

    /// Sends any frame again and again, until the server has had enough or all are sent.
    pub async fn flood(&mut self, frame: &Message, times: usize) {
        for _ in 0..times {
            if self.sink.lock().await.send(frame.clone()).await.is_err() {
                return;
            }
        }
    }

    pub async fn send_bytes(&mut self, bytes: &'static [u8]) {
        self.sink.lock().await.send(Message::binary(bytes)).await.expect("the gateway takes a frame");
    }

    /// The next frame or the end, within the deadline.
    pub async fn next(&mut self) -> Next {
        self.next_by(Instant::now() + DEADLINE).await
    }

    async fn next_by(&mut self, end: Instant) -> Next {
        // Answers to its own beats come for ever, and are none to what is waited for.
        let end = end.min(Instant::now() + DEADLINE);
        loop {
            let next = timeout_at(end, self.stream.next())
                .await
                .unwrap_or_else(|_| panic!("the gateway did not say what was waited for"));
            match next {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(text.as_str())
                        .unwrap_or_else(|error| panic!("a frame is not JSON ({error}): {text}"));
                    self.follow(&frame);
                    match frame["op"].as_str() {
                        Some("heartbeat_ack") if self.heart.was_own() => continue,
                        Some("ready" | "resumed") => self.heart.start(&self.sink),
                        _ => {}
                    }
                    return Next::Frame(frame);
                }
                Some(Ok(Message::Close(close))) => return Next::Closed(close.map(|close| close.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Next::Closed(None),
            }
        }
    }

    /// A frame that is here or comes within `wait`.
    pub async fn within(&mut self, wait: Duration) -> Option<Value> {
        let next = tokio::time::timeout(wait, self.next_frame()).await;
        next.ok()
    }

    /// The next frame; the end of the connection fails the test.
    pub async fn next_frame(&mut self) -> Value {
        self.next_frame_by(Instant::now() + DEADLINE).await
    }

    async fn next_frame_by(&mut self, end: Instant) -> Value {
        match self.next_by(end).await {
            Next::Frame(frame) => frame,
            Next::Closed(code) => panic!("the gateway closed with {code:?}"),
        }
    }

    /// The next frame with this op; events and signals on the way are passed over.
    pub async fn frame(&mut self, op: &str) -> Value {
        let end = Instant::now() + LONGEST;
        loop {
            let frame = self.next_frame_by(end).await;
            if frame["op"] == op {
                return frame;
            }
            assert_ne!(frame["op"], "error", "the gateway refused: {frame}");
        }
    }

    /// The same, where a refusal is no fault.
    pub async fn frame_or_error(&mut self, op: &str) -> Value {
        let end = Instant::now() + LONGEST;
        loop {
            let frame = self.next_frame_by(end).await;
            if frame["op"] == op {
                return frame;
            }
        }
    }

    /// The next event of this name, passing over others.
    pub async fn event(&mut self, name: &str) -> Value {
        self.events_until(|event| event["t"] == name).await.pop().expect("the last one is the one asked for")
    }

    /// All events up to and with the first that `last` holds for.
    pub async fn events_until(&mut self, mut last: impl FnMut(&Value) -> bool) -> Vec<Value> {
        let (mut events, end) = (Vec::new(), Instant::now() + LONGEST);
        loop {
            let frame = self.next_frame_by(end).await;
            if frame["op"] == "event" {
                let done = last(&frame);
                events.push(frame);
                if done {
                    return events;
                }
            }
        }
    }

    /// The next signal of this name that `wanted` holds for; everything else is passed over.
    pub async fn signal(&mut self, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + LONGEST;
        loop {
            let frame = self.next_frame_by(end).await;
            if frame["op"] == "signal" && frame["t"] == name && wanted(&frame["d"]) {
                assert!(frame["pos"].is_null(), "a signal has no place in the log: {frame}");
                return frame;
            }
        }
    }

    /// The close code, whatever frames come before it.
    pub async fn closed(&mut self) -> Option<u16> {
        let end = Instant::now() + LONGEST;
        loop {
            if let Next::Closed(code) = self.next_by(end).await {
                return code;
            }
        }
    }

    /// Ends the connection as a client that goes away does: without a word.
    pub fn cut(self) -> (String, i64) {
        (self.epoch, self.pos)
    }

    /// Positions only ever rise: an event at or below the cursor would be a second delivery or a reordering.
    fn follow(&mut self, frame: &Value) {
        if frame["op"] != "event" {
            return;
        }
        let pos = frame["pos"].as_i64().unwrap_or_else(|| panic!("an event without a position: {frame}"));
        assert!(pos > self.pos, "event {pos} came after {}: {frame}", self.pos);
        self.pos = pos;
    }
}

/// Beats as long as the socket is there; what answers it is not the story's.
#[derive(Default)]
struct Heart {
    task: Option<JoinHandle<()>>,
    beats: Arc<AtomicUsize>,
}

impl Heart {
    fn start(&mut self, sink: &Arc<Mutex<SplitSink<Line, Message>>>) {
        let (sink, beats) = (Arc::clone(sink), Arc::clone(&self.beats));
        let task = tokio::spawn(async move {
            loop {
                tokio::time::sleep(BEAT).await;
                let mut sink = sink.lock().await;
                beats.fetch_add(1, Ordering::SeqCst);
                let beat = json!({ "op": "heartbeat", "d": { "pos": 0 } });
                if sink.send(Message::text(beat.to_string())).await.is_err() {
                    return;
                }
            }
        });
        if let Some(former) = self.task.replace(task) {
            former.abort();
        }
    }

    /// Whether an answer is to a beat of this heart, which it counts.
    fn was_own(&self) -> bool {
        self.beats.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |beats| beats.checked_sub(1)).is_ok()
    }
}

impl Drop for Heart {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}
