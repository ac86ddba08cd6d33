//! Pages of history per second, at places spread over the whole channel.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

use crate::Result;
use crate::person::Person;
use crate::report::Measured;

/// Lets all of `people` read pages of `channel` for a while.
pub async fn measure(people: &[Person], channel: &str, lasting: Duration) -> Result<Measured> {
    let newest = people[0].page(channel, i64::MAX).await?;
    let last_seq = newest["items"]
        .as_array()
        .and_then(|items| items.last())
        .and_then(|item| item["seq"].as_i64())
        .ok_or("the channel has no messages to read")?;
    let started = Instant::now();
    let readers = people
        .iter()
        .enumerate()
        .map(|(at, person)| read(person, channel, last_seq, at as i64, started + lasting));
    let latencies = try_join_all(readers).await?;
    Ok(Measured::of(latencies.into_iter().flatten().collect(), started.elapsed(), 0))
}

async fn read(
    person: &Person,
    channel: &str,
    last_seq: i64,
    reader: i64,
    end: Instant,
) -> Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    // A fixed step that shares no divisor with common page sizes: every reader walks the whole channel, the same each run.
    let mut place = reader * 7_919;
    loop {
        let sent = Instant::now();
        if sent >= end {
            return Ok(latencies);
        }
        place = (place + 104_729) % last_seq;
        person.page(channel, place + 2).await?;
        latencies.push(sent.elapsed());
    }
}
