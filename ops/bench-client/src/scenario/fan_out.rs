//! Messages to all members of one channel: a ladder of loads, climbed by Confab and the floors side by side.

use std::time::Duration;

use serde_json::{Value, json};

use crate::Result;
use crate::floor::Kind;
use crate::open_loop::{Load, Outcome, Target, median, run};
use crate::person;
use crate::report::{Goal, Row};
use crate::server::Server;
use crate::stage::Stage;

/// Deliveries a second of each rung. So high that each server falls: where two stand at the end, their order is chance.
const LADDER: [f64; 14] = [
    10_000.0,
    25_000.0,
    50_000.0,
    100_000.0,
    150_000.0,
    200_000.0,
    250_000.0,
    300_000.0,
    400_000.0,
    600_000.0,
    800_000.0,
    1_000_000.0,
    1_500_000.0,
    2_000_000.0,
];
const QUICK_LADDER: [f64; 3] = [10_000.0, 25_000.0, 50_000.0];
/// Measured several times, and of all servers even where they have failed: figures are asked for at these.
const FIXED: [f64; 3] = [10_000.0, 25_000.0, 100_000.0];
/// One bad moment of the machine is no ceiling: a rung that fails is tried again, and so is the one above it.
const TRIES: u64 = 3;
const RUNGS_FALLEN: usize = 2;
/// A rung is held when all arrives and 99 of 100 within this time.
const HELD_WITHIN_MS: f64 = 100.0;
/// Posters among the members.
const POSTERS: usize = 64;

const COALESCING: usize = 0;
const GROUP_COMMIT: usize = 1;
const POEM: usize = 2;
const CONFAB: usize = 3;

pub async fn measure(stage: &mut Stage) -> Result<()> {
    for members in stage.either(vec![1_000, 100], vec![100]) {
        let world = stage.world().await?;
        let floors = [
            Server::floor(Kind::Coalescing).await?,
            Server::floor(Kind::GroupCommit).await?,
            Server::floor(Kind::Poem).await?,
        ];
        let listeners = &world.people[..members];
        let channel = person::channel(&world.server.host, &format!("square-{members}"), listeners).await?;
        let places = vec![vec![0]; members];
        let posters = listeners[..POSTERS.min(members)].to_vec();
        let targets = [
            Target::floor(Kind::Coalescing, &floors[0], &places).await?,
            Target::floor(Kind::GroupCommit, &floors[1], &places).await?,
            Target::floor(Kind::Poem, &floors[2], &places).await?,
            Target::confab(&world.server, listeners, &places, vec![(channel, posters)]).await?,
        ];
        let climbs = climb(stage, &targets, members).await?;
        report(stage, &climbs, members);
        drop(targets);
        stage.give_back(world).await?;
    }
    Ok(())
}

/// What one server did on the ladder.
#[derive(Default)]
struct Climb {
    /// Rungs in a row that it did not hold.
    fallen: usize,
    /// Deliveries a second of the highest rung that it held.
    highest: f64,
    fixed: Vec<(f64, Outcome)>,
}

impl Climb {
    fn at(&self, rate: f64) -> Option<&Outcome> {
        self.fixed.iter().find(|it| it.0.total_cmp(&rate).is_eq()).map(|it| &it.1)
    }
}

async fn climb(stage: &Stage, targets: &[Target<'_>; 4], members: usize) -> Result<[Climb; 4]> {
    let mut climbs: [Climb; 4] = std::array::from_fn(|_| Climb::default());
    let lasting = stage.either(Duration::from_secs(5), Duration::from_secs(1));
    let ladder = stage.either(&LADDER[..], &QUICK_LADDER[..]);
    for &rate in ladder {
        let load = Load::of_one_channel(rate, members, lasting);
        let is_fixed = FIXED.iter().any(|it| it.total_cmp(&rate).is_eq());
        let mut found: [Vec<Outcome>; 4] = Default::default();
        // By turns, so that a busy minute of the machine is everybody's.
        for turn in 0..stage.rounds.max(TRIES) {
            for (at, target) in targets.iter().enumerate() {
                let is_counted = is_fixed && turn < stage.rounds;
                let is_tried = climbs[at].fallen < RUNGS_FALLEN && !found[at].iter().any(is_held);
                if is_counted || is_tried {
                    found[at].push(told(target, rate, run(target, load).await?));
                }
            }
        }
        for (at, outcomes) in found.into_iter().enumerate() {
            let climb = &mut climbs[at];
            if outcomes.iter().any(is_held) && targets[at].audience.closed() == 0 {
                // The load, not what arrived in these five seconds: two who hold the same rung are equal.
                (climb.highest, climb.fallen) = (climb.highest.max(rate), 0);
            } else {
                climb.fallen += 1;
            }
            if is_fixed && let Some(outcome) = median(outcomes) {
                climb.fixed.push((rate, outcome));
            }
        }
    }
    Ok(climbs)
}

fn is_held(outcome: &Outcome) -> bool {
    outcome.missing == 0 && outcome.refused == 0 && outcome.p99_ms < HELD_WITHIN_MS
}

fn told(target: &Target<'_>, rate: f64, it: Outcome) -> Outcome {
    eprintln!(
        "{:<13} {rate:>8} wanted {:>8.0}/s  p50 {:>7.1}  p99 {:>7.1} ms  {:>5.1} us CPU  missing {}  disordered {}  closed {}",
        target.name,
        it.deliveries_a_second,
        it.p50_ms,
        it.p99_ms,
        it.cpu_us,
        it.missing,
        it.disordered,
        target.audience.closed(),
    );
    it
}

fn report(stage: &mut Stage, climbs: &[Climb; 4], members: usize) {
    // The numbers are asked of a channel of a thousand; a smaller one is there to be looked at.
    let asked = |goal| if members >= 1_000 { goal } else { Goal::None };
    let mut row = |what: String, unit, confab, floor, goal, more| {
        stage.report.add(Row {
            scenario: "fanout",
            what,
            unit,
            confab,
            floor: Some(floor),
            goal: asked(goal),
            more,
        });
    };
    let [coalescing, group_commit, poem, confab] =
        [COALESCING, GROUP_COMMIT, POEM, CONFAB].map(|at| &climbs[at]);
    let what = format!("deliveries at p99 < 100 ms, {members} members");
    let more = json!({ "poem_tuned": poem.highest });
    row(what.clone(), "/s", confab.highest, ("coalescing", coalescing.highest), Goal::AtLeast(0.5), more);
    row(what, "/s", confab.highest, ("group commit", group_commit.highest), Goal::AtLeast(1.0), json!({}));
    for rate in FIXED {
        if let (Some(ours), Some(theirs)) = (confab.at(rate), group_commit.at(rate))
            && rate < 100_000.0
        {
            let what = format!("p99 at {rate}/s, {members} members");
            let more = json!({ "outcome": outcome(ours), "floor": outcome(theirs) });
            row(what, "ms", ours.p99_ms, ("group commit", theirs.p99_ms), Goal::AtMost(1.2), more);
        }
        if let (Some(ours), Some(theirs)) = (confab.at(rate), poem.at(rate))
            && rate > 10_000.0
        {
            let what = format!("server CPU a delivery at {rate}/s, {members} members");
            let more = json!({ "outcome": outcome(ours), "floor": outcome(theirs) });
            row(what, "us", ours.cpu_us, ("poem tuned", theirs.cpu_us), Goal::AtMost(1.2), more);
        }
    }
}

fn outcome(it: &Outcome) -> Value {
    json!({ "deliveries_a_second": it.deliveries_a_second, "p50_ms": it.p50_ms, "p99_ms": it.p99_ms,
        "cpu_us": it.cpu_us, "missing": it.missing, "disordered": it.disordered, "refused": it.refused,
        "event_bytes": it.bytes })
}
