//! How long a message takes to every member: open loop, so a server that falls behind is seen to.
//!
//! Latency counts from the moment the message was due by the clock, not from when it was really sent. A closed loop would
//! wait for the slow answer and so leave out the very messages that suffer.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::Result;
use crate::person::Person;
use crate::report::Measured;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// How long after the last message a listener goes on waiting for stragglers.
const PATIENCE: Duration = Duration::from_secs(10);

/// The clock that says when each message is due.
#[derive(Clone, Copy)]
struct Schedule {
    start: Instant,
    every: Duration,
    count: u32,
}

impl Schedule {
    fn due(&self, number: u32) -> Instant {
        self.start + self.every * number
    }
}

/// Posts `rate` messages a second into `channel` while all of `members` listen.
pub async fn measure(members: &[Person], channel: &str, rate: u64, lasting: Duration) -> Result<Measured> {
    let mut sockets = Vec::with_capacity(members.len());
    for member in members {
        sockets.push(connect(member).await?);
    }
    let count = u32::try_from(rate * lasting.as_secs())?;
    let every = Duration::from_secs_f64(1.0 / rate as f64);
    let schedule = Schedule { start: Instant::now() + Duration::from_millis(200), every, count };

    let listeners: Vec<_> =
        sockets.into_iter().map(|socket| tokio::spawn(listen(socket, schedule))).collect();
    try_join_all(
        (0..count).map(|number| post(&members[number as usize % members.len()], channel, schedule, number)),
    )
    .await?;
    let mut latencies = Vec::new();
    for listener in listeners {
        latencies.extend(listener.await??);
    }
    let expected = members.len() * count as usize;
    let missing = expected - latencies.len();
    Ok(Measured::of(latencies, schedule.start.elapsed(), missing))
}

async fn connect(member: &Person) -> Result<Socket> {
    let address = format!("{}/ws", member.address.replacen("http://", "ws://", 1));
    let (mut socket, _) = connect_async(address).await?;
    let identify = json!({ "op": "identify", "d": { "token": member.token } });
    socket.send(Message::text(identify.to_string())).await?;
    while let Some(message) = socket.next().await {
        if let Message::Text(text) = message?
            && serde_json::from_str::<Value>(&text)?["op"] == "ready"
        {
            return Ok(socket);
        }
    }
    Err("the gateway closed before it said ready".into())
}

async fn post(person: &Person, channel: &str, schedule: Schedule, number: u32) -> Result<()> {
    tokio::time::sleep_until(schedule.due(number).into()).await;
    person.say(channel, &format!("#{number} to everyone")).await?;
    Ok(())
}

/// Latencies of what one member hears. Stops when everything came, or some time after the last was due.
async fn listen(mut socket: Socket, schedule: Schedule) -> Result<Vec<Duration>> {
    let end = tokio::time::Instant::from(schedule.due(schedule.count) + PATIENCE);
    let mut latencies = Vec::with_capacity(schedule.count as usize);
    while latencies.len() < schedule.count as usize {
        let Ok(message) = tokio::time::timeout_at(end, socket.next()).await else { break };
        let Some(message) = message else { return Err("the gateway closed during the fan-out".into()) };
        if let Message::Text(text) = message?
            && let Some(number) = number_in(&text)
        {
            latencies.push(schedule.due(number).elapsed());
        }
    }
    Ok(latencies)
}

/// The message's number, found without decoding the frame: the listeners share the machine with the server.
fn number_in(frame: &str) -> Option<u32> {
    if !frame.contains("\"new_message\"") {
        return None;
    }
    let (_, rest) = frame.split_once("\"content\":\"#")?;
    rest.split_once(' ')?.0.parse().ok()
}
