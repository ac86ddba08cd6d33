//! Acknowledged posts a second on SQLite: each poster sends its next message when its last one is acknowledged.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use serde_json::json;

use crate::Result;
use crate::floor::Kind;
use crate::http::Connection;
use crate::latencies::Latencies;
use crate::person::{self, Person};
use crate::poster;
use crate::report::{Goal, Row};
use crate::server::Server;
use crate::socket::Socket;
use crate::stage::Stage;
use crate::text::numbered;

const FLOOR: &str = "group commit";
/// What a request costs before anybody is known or anything stored: no server behind this framework can do more over REST.
pub const BARE_FLOOR: &str = "bare request";
/// The floor's channel; nobody is in it.
pub const BARE_CHANNEL: &str = "/channels/0/messages";

/// Posters at once, and the least share of the floor.
const POSTERS: [(usize, f64); 4] = [(1, 0.8), (16, 0.7), (64, 0.7), (512, 0.7)];

/// What some posters achieved.
pub struct Posted {
    pub a_second: f64,
    pub latencies: Latencies,
}

pub async fn measure(stage: &mut Stage) -> Result<()> {
    let world = stage.world().await?;
    let floor = Server::floor(Kind::GroupCommit).await?;
    let bare = Server::floor(Kind::Poem).await?;
    let channel = person::channel(&world.server.host, "posts", &world.people).await?;
    let lasting = stage.either(Duration::from_secs(5), Duration::from_secs(1));
    let most = stage.either(512, 64);
    for (posters, least) in POSTERS.into_iter().filter(|it| it.0 <= most) {
        let (mut ours, mut theirs, mut empty) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..stage.rounds {
            theirs.push(at_floor(&floor.host, posters, lasting).await?);
            ours.push(at_confab(&world.server.host, &world.people, &channel, posters, lasting).await?);
            empty.push(over_rest(&bare.host, &world.people, BARE_CHANNEL, posters, lasting).await?);
        }
        let (ours, theirs, empty) = (middle(ours)?, middle(theirs)?, middle(empty)?);
        let (our_p99, their_p99) = (ours.latencies.quantile_ms(0.99), theirs.latencies.quantile_ms(0.99));
        stage.report.add(Row {
            scenario: "posts",
            what: format!("acknowledged, {posters} posters, SQLite"),
            unit: "/s",
            confab: ours.a_second,
            floor: Some((FLOOR, theirs.a_second)),
            goal: Goal::AtLeast(least),
            more: json!({ "p50_ms": ours.latencies.quantile_ms(0.5), "p99_ms": our_p99, "floor_p99_ms": their_p99 }),
        });
        stage.report.add(Row {
            scenario: "posts",
            what: format!("the same beside empty requests, {posters} posters"),
            unit: "/s",
            confab: ours.a_second,
            floor: Some((BARE_FLOOR, empty.a_second)),
            goal: Goal::None,
            more: json!({ "floor_p99_ms": empty.latencies.quantile_ms(0.99) }),
        });
        if posters == 16 {
            stage.report.add(Row {
                scenario: "posts",
                what: "acknowledged p99, 16 posters, SQLite".into(),
                unit: "ms",
                confab: our_p99,
                floor: Some((FLOOR, their_p99)),
                goal: Goal::AtMost(1.3),
                more: json!({}),
            });
        }
    }
    stage.give_back(world).await
}

/// The run in the middle.
pub fn middle(mut runs: Vec<Posted>) -> Result<Posted> {
    runs.sort_by(|one, other| one.a_second.total_cmp(&other.a_second));
    let at = runs.len() / 2;
    runs.into_iter().nth(at).ok_or_else(|| "nothing was measured".into())
}

/// Lets posters post into a channel of Confab's.
pub async fn at_confab(
    host: &str,
    people: &[Person],
    channel: &str,
    posters: usize,
    lasting: Duration,
) -> Result<Posted> {
    over_rest(host, people, &person::messages_of(channel), posters, lasting).await
}

/// Lets posters post to one channel's path over REST for a while, each over a connection of its own.
async fn over_rest(
    host: &str,
    people: &[Person],
    path: &str,
    posters: usize,
    lasting: Duration,
) -> Result<Posted> {
    let latencies = Latencies::default();
    let mut connections = Vec::with_capacity(posters);
    for at in 0..posters {
        connections.push((Connection::open(host).await?, &people[at % people.len()]));
    }
    let started = Instant::now();
    try_join_all(connections.iter_mut().map(async |(connection, person)| {
        let mut number = 0;
        while started.elapsed() < lasting {
            let bytes = person::post_to(person, path, &numbered(number));
            let sent = Instant::now();
            connection.exchange(&bytes).await?.require_success(&bytes)?;
            latencies.add(sent.elapsed(), 1);
            number += 1;
        }
        Result::Ok(())
    }))
    .await?;
    Ok(Posted { a_second: latencies.count() as f64 / started.elapsed().as_secs_f64(), latencies })
}

async fn at_floor(host: &str, posters: usize, lasting: Duration) -> Result<Posted> {
    let latencies = Latencies::default();
    let mut sockets = Vec::with_capacity(posters);
    for _ in 0..posters {
        let mut socket = Socket::open(host, "/ws").await?;
        socket.hear_first(r#"{"op":"ready""#).await?;
        sockets.push(socket);
    }
    let started = Instant::now();
    try_join_all(sockets.iter_mut().map(async |socket| {
        let mut number = 0;
        while started.elapsed() < lasting {
            let text = poster::send(0, &numbered(number));
            let sent = Instant::now();
            socket.say(&text).await?;
            socket.hear_first(r#"{"op":"ack""#).await?;
            latencies.add(sent.elapsed(), 1);
            number += 1;
        }
        Result::Ok(())
    }))
    .await?;
    Ok(Posted { a_second: latencies.count() as f64 / started.elapsed().as_secs_f64(), latencies })
}
