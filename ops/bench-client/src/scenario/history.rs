//! Pages of fifty from anywhere in a long channel, over REST.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use serde_json::json;

use super::posts::{self, BARE_CHANNEL, BARE_FLOOR};
use crate::Result;
use crate::floor::{Kind, pages};
use crate::http::{Connection, request};
use crate::latencies::Latencies;
use crate::person::{self, Person};
use crate::report::{Goal, Row};
use crate::server::Server;
use crate::stage::{Stage, World};
use crate::text::STRIDE;

const READERS: usize = 8;
/// Posters that fill the channel.
const FILLERS: usize = 256;
const FLOOR: &str = "bare pages";

pub async fn measure(stage: &mut Stage) -> Result<()> {
    let world = stage.world().await?;
    let host = world.server.host.clone();
    let channel = person::channel(&host, "history", &world.people).await?;
    let wanted = stage.either(100_000, 5_000);
    let path = person::messages_of(&channel);
    eprintln!("filling a channel with {wanted} messages");
    let mut messages = 0;
    while messages < wanted {
        posts::at_confab(&host, &world.people, &channel, FILLERS, Duration::from_secs(1)).await?;
        messages = person::last_seq(&host, &world.people[0], &channel).await?;
    }
    let lasting = stage.either(Duration::from_secs(10), Duration::from_secs(2));
    let bare_latencies = Latencies::default();
    let bare = {
        let folder = tempfile::tempdir()?;
        tokio::task::block_in_place(|| pages::measure(folder.path(), messages, lasting / 2, &bare_latencies))?
    };
    let (empty, empty_latencies) = empty_pages(&world, &channel, messages, lasting / 2).await?;
    let latencies = Latencies::default();
    let started = Instant::now();
    let cpu_before = world.server.process.cpu_us()?;
    try_join_all((0..READERS).map(|reader| {
        let person = &world.people[reader % world.people.len()];
        read(&host, person, &path, messages, (reader, started + lasting), &latencies)
    }))
    .await?;
    let a_second = latencies.count() as f64 / started.elapsed().as_secs_f64();
    let cpu_us = (world.server.process.cpu_us()? - cpu_before) / latencies.count() as f64;
    let p99_ms = latencies.quantile_ms(0.99);
    stage.report.add(Row {
        scenario: "history",
        what: format!("pages of 50 of {wanted} messages, {READERS} readers"),
        unit: "/s",
        confab: a_second,
        floor: Some((FLOOR, bare)),
        goal: Goal::AtLeast(0.3),
        more: json!({ "p50_ms": latencies.quantile_ms(0.5), "p99_ms": p99_ms, "server_cpu_us": cpu_us,
            "floor_p99_ms": bare_latencies.quantile_ms(0.99) }),
    });
    stage.report.add(Row {
        scenario: "history",
        what: "the same beside pages made before".into(),
        unit: "/s",
        confab: a_second,
        floor: Some((BARE_FLOOR, empty)),
        goal: Goal::None,
        more: json!({ "floor_p99_ms": empty_latencies.quantile_ms(0.99) }),
    });
    stage.report.add(Row {
        scenario: "history",
        what: "p99 of a page".into(),
        unit: "ms",
        confab: p99_ms,
        floor: None,
        goal: Goal::AtMost(10.0),
        more: json!({}),
    });
    stage.give_back(world).await
}

/// How many pages a second the framework hands out when each is the same bytes, made before: those of one page of Confab's.
async fn empty_pages(
    world: &World,
    channel: &str,
    messages: i64,
    lasting: Duration,
) -> Result<(f64, Latencies)> {
    let person = &world.people[0];
    let page = person::page(person, &person::messages_of(channel), messages);
    let page = Connection::open(&world.server.host).await?.exchange(&page).await?;
    let floor = Server::floor(Kind::Poem).await?;
    let body = std::str::from_utf8(&page.body)?;
    let kept = request("PUT", "/page", "", body);
    Connection::open(&floor.host).await?.exchange(&kept).await?.require_success(&kept)?;
    let latencies = Latencies::default();
    let started = Instant::now();
    try_join_all((0..READERS).map(|reader| {
        read(&floor.host, person, BARE_CHANNEL, messages, (reader, started + lasting), &latencies)
    }))
    .await?;
    Ok((latencies.count() as f64 / started.elapsed().as_secs_f64(), latencies))
}

async fn read(
    host: &str,
    person: &Person,
    path: &str,
    messages: i64,
    (reader, end): (usize, Instant),
    latencies: &Latencies,
) -> Result<()> {
    let mut connection = Connection::open(host).await?;
    let mut place = reader as i64 * 7_919;
    while Instant::now() < end {
        place = (place + STRIDE) % messages;
        let bytes = person::page(person, path, place + 2);
        let sent = Instant::now();
        connection.exchange(&bytes).await?.require_success(&bytes)?;
        latencies.add(sent.elapsed(), 1);
    }
    Ok(())
}
