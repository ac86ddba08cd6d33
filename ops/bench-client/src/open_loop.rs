//! Messages sent by the clock, whether or not the server keeps up. A closed loop would wait for a slow answer and so leave
//! out the very messages that suffer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::Result;
use crate::audience::{Audience, Rung};
use crate::floor::Kind;
use crate::http::Pool;
use crate::latencies::Latencies;
use crate::person::{self, Person};
use crate::poster::Poster;
use crate::server::Server;
use crate::socket::Socket;

/// How long deliveries are waited for after the last message was due.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two rungs: stragglers arrive, logs are checkpointed.
const REST: Duration = Duration::from_millis(500);

/// A server, those who listen to it, and the way to post.
pub struct Target<'a> {
    pub name: &'static str,
    pub server: &'a Server,
    pub audience: Audience,
    pub poster: Arc<Poster>,
    /// Listeners of each channel.
    pub members: Vec<u64>,
}

impl<'a> Target<'a> {
    /// A floor; `places` are the channels of each listener.
    pub async fn floor(kind: Kind, server: &'a Server, places: &[Vec<usize>]) -> Result<Self> {
        let mut audience = Audience::default();
        for channels in places {
            let numbers: Vec<String> = channels.iter().map(ToString::to_string).collect();
            let mut socket =
                Socket::open(&server.host, &format!("/ws?channels={}", numbers.join(","))).await?;
            socket.hear_first(r#"{"op":"ready""#).await?;
            audience.add(socket, false);
        }
        let (name, poster) = match kind {
            Kind::Coalescing => ("coalescing", Poster::sockets(&server.host).await?),
            Kind::GroupCommit => ("group commit", Poster::sockets(&server.host).await?),
            Kind::Poem => ("poem tuned", Poster::Rest(Pool::new(&server.host))),
        };
        Ok(Self { name, server, audience, poster: Arc::new(poster), members: members(places) })
    }

    /// Confab; `places` are the channels of each of `listeners`, by their place in `channels`.
    pub async fn confab(
        server: &'a Server,
        listeners: &[Person],
        places: &[Vec<usize>],
        channels: Vec<(String, Vec<Person>)>,
    ) -> Result<Self> {
        let mut audience = Audience::default();
        for person in listeners {
            audience.add(person::connect(&server.host, person).await?, true);
        }
        let poster = Arc::new(Poster::Confab { pool: Pool::new(&server.host), channels });
        Ok(Self { name: "confab", server, audience, poster, members: members(places) })
    }
}

/// How many listeners each channel has.
fn members(places: &[Vec<usize>]) -> Vec<u64> {
    let mut members = Vec::new();
    for channel in places.iter().flatten() {
        if members.len() <= *channel {
            members.resize(channel + 1, 0);
        }
        members[*channel] += 1;
    }
    members
}

/// How much is posted.
#[derive(Clone, Copy)]
pub struct Load {
    pub posts_a_second: f64,
    pub lasting: Duration,
    /// Chooses the channel of a message by its number.
    pub channel_of: fn(u64) -> usize,
}

impl Load {
    /// For one channel of `members`.
    pub fn of_one_channel(deliveries_a_second: f64, members: usize, lasting: Duration) -> Self {
        Self { posts_a_second: deliveries_a_second / members as f64, lasting, channel_of: |_| 0 }
    }
}

/// What came of it.
pub struct Outcome {
    pub deliveries_a_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// Processor time of the server for each delivery.
    pub cpu_us: f64,
    pub missing: u64,
    pub disordered: u64,
    pub refused: u64,
    /// Length of an event as it arrived.
    pub bytes: f64,
}

static NEXT_NUMBER: AtomicU64 = AtomicU64::new(1);

/// Posts at `target` and waits until everything is delivered, or some time after.
pub async fn run(target: &Target<'_>, load: Load) -> Result<Outcome> {
    let count = (load.posts_a_second * load.lasting.as_secs_f64()).round().max(1.0) as u64;
    let first = NEXT_NUMBER.fetch_add(count, Ordering::Relaxed);
    let rung = Arc::new(Rung {
        first,
        count,
        start: Instant::now() + Duration::from_millis(100),
        every: Duration::from_secs_f64(1.0 / load.posts_a_second),
        latencies: Latencies::default(),
        bytes: AtomicU64::new(0),
        disordered: AtomicU64::new(0),
    });
    let expected: u64 = (first..first + count).map(|number| target.members[(load.channel_of)(number)]).sum();
    target.audience.begin(&rung);
    let cpu_before = target.server.process.cpu_us()?;
    let refused = post_all(target, &rung, load).await;
    let end = rung.start + load.lasting + PATIENCE;
    while rung.latencies.count() < expected && Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let took = rung.start.elapsed().max(load.lasting);
    let cpu_us = target.server.process.cpu_us()? - cpu_before;
    tokio::time::sleep(REST).await;
    let delivered = rung.latencies.count();
    Ok(Outcome {
        deliveries_a_second: delivered as f64 / took.as_secs_f64(),
        p50_ms: rung.latencies.quantile_ms(0.50),
        p99_ms: rung.latencies.quantile_ms(0.99),
        cpu_us: cpu_us / delivered as f64,
        missing: expected.saturating_sub(delivered),
        disordered: rung.disordered.load(Ordering::Relaxed),
        refused,
        bytes: rung.bytes.load(Ordering::Relaxed) as f64 / delivered as f64,
    })
}

/// Sends each message at its time in a task of its own; answers how many were refused.
async fn post_all(target: &Target<'_>, rung: &Rung, load: Load) -> u64 {
    let mut posts = JoinSet::new();
    for number in rung.first..rung.first + rung.count {
        let Some(due) = rung.due(number) else { break };
        if due > Instant::now() {
            tokio::time::sleep_until(due.into()).await;
        }
        let (poster, channel) = (target.poster.clone(), (load.channel_of)(number));
        posts.spawn(async move { poster.post(number, channel).await });
    }
    let mut refused = 0;
    while let Some(posted) = posts.join_next().await {
        if let Ok(Err(error)) = posted {
            if refused == 0 {
                eprintln!("{}: {error}", target.name);
            }
            refused += 1;
        }
    }
    refused
}

/// The outcome in the middle of several, by its p99.
pub fn median(mut outcomes: Vec<Outcome>) -> Option<Outcome> {
    outcomes.sort_by(|one, other| one.p99_ms.total_cmp(&other.p99_ms));
    let middle = outcomes.len() / 2;
    outcomes.into_iter().nth(middle)
}
