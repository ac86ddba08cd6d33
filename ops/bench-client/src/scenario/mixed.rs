//! Many channels of different liveliness at once.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::json;

use crate::Result;
use crate::floor::Kind;
use crate::open_loop::{Load, Outcome, Target, median, run};
use crate::person::{self, Person};
use crate::report::{Goal, Row};
use crate::server::Server;
use crate::stage::{Stage, World};

const CHANNELS: usize = 200;
const MEMBERS: usize = 20;
const QUICK_CHANNELS: usize = 50;
const QUICK_MEMBERS: usize = 10;

pub async fn measure(stage: &mut Stage) -> Result<()> {
    let world = stage.world().await?;
    let (channels, members) = stage.either((CHANNELS, MEMBERS), (QUICK_CHANNELS, QUICK_MEMBERS));
    let rate = stage.either(40_000.0, 5_000.0);
    let load = Load {
        posts_a_second: rate / members as f64,
        lasting: stage.either(Duration::from_secs(8), Duration::from_secs(2)),
        channel_of: stage.either(zipf::<CHANNELS>, zipf::<QUICK_CHANNELS>),
    };
    let places = places(world.people.len(), channels, members);
    let rooms = rooms(&world, &places, channels).await?;
    let floors = [Server::floor(Kind::Coalescing).await?, Server::floor(Kind::GroupCommit).await?];
    let targets = [
        Target::floor(Kind::Coalescing, &floors[0], &places).await?,
        Target::floor(Kind::GroupCommit, &floors[1], &places).await?,
        Target::confab(&world.server, &world.people, &places, rooms).await?,
    ];
    let mut found: [Vec<Outcome>; 3] = Default::default();
    for _ in 0..stage.rounds {
        for (target, outcomes) in targets.iter().zip(&mut found) {
            outcomes.push(run(target, load).await?);
        }
    }
    let [coalescing, group_commit, ours] = found.map(median);
    let (Some(coalescing), Some(group_commit), Some(ours)) = (coalescing, group_commit, ours) else {
        return Err("nothing was measured".into());
    };
    let more = json!({ "deliveries_a_second": ours.deliveries_a_second, "p50_ms": ours.p50_ms, "cpu_us": ours.cpu_us,
        "missing": ours.missing, "disordered": ours.disordered, "refused": ours.refused });
    for (floor, theirs, goal) in
        [("coalescing", &coalescing, Goal::AtMost(1.5)), ("group commit", &group_commit, Goal::None)]
    {
        stage.report.add(Row {
            scenario: "mixed",
            what: format!("p99 at {rate}/s, {channels} channels x {members}"),
            unit: "ms",
            confab: ours.p99_ms,
            floor: Some((floor, theirs.p99_ms)),
            goal,
            more: more.clone(),
        });
    }
    drop(targets);
    stage.give_back(world).await
}

/// The channels of each of `people`: every channel has its members, and every person about as many channels.
fn places(people: usize, channels: usize, members: usize) -> Vec<Vec<usize>> {
    let mut places = vec![Vec::new(); people];
    for channel in 0..channels {
        for member in 0..members {
            places[(channel * members + member) % people].push(channel);
        }
    }
    places
}

/// The same channels in Confab, with their members.
async fn rooms(world: &World, places: &[Vec<usize>], channels: usize) -> Result<Vec<(String, Vec<Person>)>> {
    stream::iter(0..channels)
        .map(async |channel| {
            let members: Vec<Person> = world
                .people
                .iter()
                .zip(places)
                .filter(|(_, channels)| channels.contains(&channel))
                .map(|(person, _)| person.clone())
                .collect();
            let id = person::channel(&world.server.host, &format!("room-{channel}"), &members).await?;
            Ok((id, members))
        })
        .buffered(2)
        .try_collect()
        .await
}

/// The channel of a message: the second is half as lively as the first, the third a third. The same in every run.
fn zipf<const COUNT: usize>(number: u64) -> usize {
    let all: f64 = (1..=COUNT).map(|rank| 1.0 / rank as f64).sum();
    // The golden ratio's multiples lie evenly, without the clusters of chance.
    let mut left = (number as f64 * 0.618_033_988_749_895).fract() * all;
    for rank in 1..COUNT {
        left -= 1.0 / rank as f64;
        if left < 0.0 {
            return rank - 1;
        }
    }
    COUNT - 1
}

#[test]
fn the_first_channel_is_twice_as_lively_as_the_second() {
    let mut counts = [0_u32; QUICK_CHANNELS];
    for number in 0..10_000 {
        counts[zipf::<QUICK_CHANNELS>(number)] += 1;
    }
    assert!(counts[0].abs_diff(2 * counts[1]) < 50, "{counts:?}");
    assert!(counts[QUICK_CHANNELS - 1] > 0);
}

#[test]
fn every_channel_has_its_members() {
    let places = places(1_000, CHANNELS, MEMBERS);
    assert!(places.iter().all(|channels| channels.len() == 4));
    assert_eq!(places.iter().filter(|channels| channels.contains(&7)).count(), MEMBERS);
}
