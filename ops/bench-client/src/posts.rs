//! Durable posts per second: each poster sends its next message when the last one is acknowledged.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

use crate::Result;
use crate::person::Person;
use crate::report::Measured;

/// Lets all of `people` post into `channel` for a while.
pub async fn measure(people: &[Person], channel: &str, lasting: Duration) -> Result<Measured> {
    let started = Instant::now();
    let latencies =
        try_join_all(people.iter().map(|person| post(person, channel, started + lasting))).await?;
    let took = started.elapsed();
    let latencies: Vec<Duration> = latencies.into_iter().flatten().collect();
    Ok(Measured::of(latencies, took, 0))
}

async fn post(person: &Person, channel: &str, end: Instant) -> Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    loop {
        let sent = Instant::now();
        if sent >= end {
            return Ok(latencies);
        }
        let content =
            format!("message {} of a run, as long as most messages in a channel are", latencies.len());
        person.say(channel, &content).await?;
        latencies.push(sent.elapsed());
    }
}
