//! One member of a large channel reads nothing: what the others notice, and what it costs.
//!
//! The system's own buffers would take all that comes in a few seconds, so the member is in a second channel too, where
//! long texts fill them. It gets these with its eyes open as well, to compare with.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinHandle;

use crate::Result;
use crate::http::Connection;
use crate::open_loop::{Load, Outcome, Target, median, run};
use crate::person::{self, Person};
use crate::report::{Goal, Row};
use crate::server::Server;
use crate::socket::Socket;
use crate::stage::Stage;

/// Long texts: so large, and so often.
const LONG_BYTES: usize = 15_000;
const LONG_EVERY: Duration = Duration::from_millis(25);
/// They come for so long before the others are looked at.
const BEFORE: Duration = Duration::from_secs(8);
const POSTERS: usize = 64;

struct Seen {
    outcome: Outcome,
    /// The server's peak, less what it held before the member came.
    grown_kib: f64,
}

pub async fn measure(stage: &mut Stage) -> Result<()> {
    let world = stage.world().await?;
    let host = &world.server.host;
    let members = world.people.len();
    let square = person::channel(host, "square", &world.people).await?;
    let (slow, others) = world.people.split_last().ok_or("nobody is there")?;
    let side = [others[0].clone(), slow.clone()];
    let side_channel = person::channel(host, "side", &side).await?;
    let places = vec![vec![0]; others.len()];
    let posters = others[..POSTERS.min(others.len())].to_vec();
    let target = Target::confab(&world.server, others, &places, vec![(square, posters)]).await?;
    let lasting = stage.either(Duration::from_secs(8), Duration::from_secs(2));
    let load = Load::of_one_channel(stage.either(25_000.0, 5_000.0), members, lasting);
    let before = stage.either(BEFORE, BEFORE / 4);

    let (mut awake, mut asleep) = (Vec::new(), Vec::new());
    for round in 0..=stage.rounds {
        for reads in [true, false] {
            let held_kib = world.server.process.resident_kib()?;
            let writer = LongTexts::start(host, &side[0], &side_channel).await?;
            let socket = person::connect(host, slow).await?;
            let member = Member::start(socket, reads);
            tokio::time::sleep(before).await;
            let seen = watched(&world.server, &target, load, held_kib).await?;
            // The first round warms the server up: what it takes then it would take anyway.
            if round > 0 {
                (if reads { &mut awake } else { &mut asleep }).push(seen);
            }
            member.leave();
            writer.stop().await;
        }
    }
    let extra_kib = asleep.iter().zip(&awake).map(|(it, other)| it.grown_kib - other.grown_kib);
    let mut extra_kib: Vec<f64> = extra_kib.collect();
    extra_kib.sort_by(f64::total_cmp);
    let extra_kib = extra_kib[extra_kib.len() / 2];
    let awake = median(awake.into_iter().map(|it| it.outcome).collect()).ok_or("nothing was measured")?;
    let asleep = median(asleep.into_iter().map(|it| it.outcome).collect()).ok_or("nothing was measured")?;
    stage.report.add(Row {
        scenario: "slow",
        what: format!("p99 of the others, 1 of {members} reads nothing"),
        unit: "ms",
        confab: asleep.p99_ms,
        floor: Some(("it reads", awake.p99_ms)),
        goal: Goal::AtMost(1.2),
        more: json!({ "missing": asleep.missing, "disordered": asleep.disordered }),
    });
    stage.report.add(Row {
        scenario: "slow",
        what: "memory of the one that reads nothing".into(),
        unit: "KiB",
        confab: extra_kib,
        floor: None,
        goal: Goal::AtMost(512.0),
        more: json!({}),
    });
    drop(target);
    stage.give_back(world).await
}

/// Measures the others while looking at the server's memory.
async fn watched(server: &Server, target: &Target<'_>, load: Load, held_kib: f64) -> Result<Seen> {
    let mut peak_kib = held_kib;
    let measured = run(target, load);
    tokio::pin!(measured);
    loop {
        tokio::select! {
            outcome = &mut measured => return Ok(Seen { outcome: outcome?, grown_kib: peak_kib - held_kib }),
            () = tokio::time::sleep(Duration::from_millis(100)) => {
                peak_kib = peak_kib.max(server.process.resident_kib()?);
            }
        }
    }
}

/// The member: with a task that reads, or with a socket that nobody reads.
struct Member(std::result::Result<JoinHandle<()>, Socket>);

impl Member {
    fn start(mut socket: Socket, reads: bool) -> Self {
        if !reads {
            return Self(Err(socket));
        }
        Self(Ok(tokio::spawn(async move { while socket.hear(|_| {}).await.unwrap_or(false) {} })))
    }

    fn leave(self) {
        if let Ok(task) = self.0 {
            task.abort();
        }
    }
}

/// Long texts into the second channel, until they are stopped.
struct LongTexts {
    stop: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl LongTexts {
    async fn start(host: &str, person: &Person, channel: &str) -> Result<Self> {
        let mut connection = Connection::open(host).await?;
        let bytes = person::post(person, channel, &"long ".repeat(LONG_BYTES / 5));
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            let mut due = Instant::now();
            while !stopped.load(Ordering::Relaxed) {
                due += LONG_EVERY;
                tokio::time::sleep_until(due.into()).await;
                if let Err(error) =
                    connection.exchange(&bytes).await.and_then(|it| it.require_success(&bytes))
                {
                    eprintln!("a long text was not taken: {error}");
                    return;
                }
            }
        });
        Ok(Self { stop, task })
    }

    async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.task.await;
    }
}
