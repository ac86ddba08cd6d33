//! One run, from its seed to its line.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use crate::Result;
use crate::arguments::Arguments;
use crate::board::Board;
use crate::chaos::Chaos;
use crate::checker::{self, Tally};
use crate::evidence::{Evidence, Heard, Search};
use crate::findings::Kind;
use crate::harvest;
use crate::journal::Journal;
use crate::launcher::Installation;
use crate::noise;
use crate::people::{OWNER, People};
use crate::progress::Progress;
use crate::reader::SILENCE;
use crate::report::{self, Ending};
use crate::schedule::{self, Step, Targets};
use crate::tried::Tried;

/// After the storm, revocations are measured for so long at most, or for so long each and as long as its sockets may live. That is
/// many times what they take: a run that could not measure them fails.
const CALM_AT_MOST: Duration = Duration::from_mins(2);
const A_REVOCATION: Duration = Duration::from_secs(4);
/// Listeners have everything within this time after the last message, or the checker finds what they lack.
const CAUGHT_UP_WITHIN: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// What a process of ours may have at any time, however long the storm is: four times what a million messages were seen to take,
/// and more connections than all people of a run have.
const RESIDENT_KIB: u64 = 768 << 10;
const OPEN_FILES: u64 = 1_024;
/// A client that obeys `after_ms` (20 s at most; a run has no time and obeys one) is somewhere else by then.
const MOVED_WITHIN_MS: f64 = 25_000.0;

/// Runs as `arguments` ask and prints the line. Answers whether every promise was kept.
pub async fn run(arguments: Arguments) -> Result<bool> {
    let seed = arguments.seed.unwrap_or_else(rand::random);
    // First of all, so that a run that ends badly can be had again.
    eprintln!("confab-torture --mode {:?} --seed {seed}", arguments.mode);
    let started = Instant::now();
    let board = Arc::new(Board::default());
    let progress = Progress::new(arguments.messages);
    progress.begin("starting");
    let installation = Installation::start(&arguments).await?;
    let targets = Targets { mode: arguments.mode, has_small_disk: installation.disk.is_some() };
    let storm = schedule::draw(seed, targets, arguments.kills, arguments.messages);
    let chaos = Chaos::new(installation, board.clone(), progress.clone());
    let mut run = Run {
        arguments,
        seed,
        storm,
        chaos,
        board,
        progress,
        tally: Tally::default(),
        written_for: Duration::ZERO,
    };
    let done = tokio::select! {
        done = run.whole() => done,
        interrupted = interrupted() => return Err(interrupted.err().unwrap_or_else(|| "interrupted".into())),
    };
    run.tell(started, done).await
}

/// Waits until everybody listens: who was in a room and out of it again before their first `ready` is told of none of it,
/// and nothing in what they heard would say so.
async fn all_hear(board: &Board, listeners: usize) -> Result<()> {
    let began = Instant::now();
    while (board.ears.get() as usize) < listeners {
        if began.elapsed() > CAUGHT_UP_WITHIN {
            return Err("not everybody was greeted by the gateway".into());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// Waits for whoever wants it to end: what it started must not live on.
async fn interrupted() -> Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
        _ = terminated.recv() => Ok(()),
    }
}

struct Run {
    arguments: Arguments,
    seed: u64,
    storm: Vec<Step>,
    chaos: Chaos,
    board: Arc<Board>,
    progress: Progress,
    tally: Tally,
    written_for: Duration,
}

impl Run {
    async fn whole(&mut self) -> Result<()> {
        let board = self.board.clone();
        let mut rng = StdRng::seed_from_u64(self.seed);
        let mut people = People::gather(&self.arguments, &self.chaos.installation.servers, &board).await?;
        let journal_path = self.chaos.installation.folder().join("journal.jsonl");
        let journal = Arc::new(Journal::create(&journal_path)?);
        people.listen(&mut rng, &board);
        all_hear(&board, people.listening.len()).await?;
        people.begin(&mut rng, &journal, &board);
        if let Some(bus) = &self.chaos.installation.aside {
            people.busy.spawn(noise::repeat(bus.address(), StdRng::seed_from_u64(self.seed), board.clone()));
        }

        self.progress.begin("storm");
        let stormed = self.storm(&mut people.busy).await;
        board.stop.cancel();
        // Everybody brings what they began to its end, whatever became of the storm.
        if stormed.is_err() {
            people.busy.shutdown().await;
        }
        let mut ended = Ok(());
        while let Some(done) = people.busy.join_next().await {
            ended = ended.and(done?);
        }
        stormed.and(ended)?;
        let journal = Arc::into_inner(journal).ok_or("somebody still holds the journal")?;
        journal.close().await?;

        self.progress.begin("settling");
        caught_up(&people).await?;
        board.hush.cancel();
        let readers = listened(&mut people.listening).await?;
        self.moved();
        self.chaos.measure();
        self.grown();
        // What is read now comes from disk, not from what some process still holds in its memory.
        for server in &mut self.chaos.installation.servers {
            server.kill(Duration::ZERO).await?;
        }
        self.progress.begin("reading");
        let lines = Journal::read(&journal_path)?;
        let record = harvest::record(&people, &board).await?;
        let searches = harvest::searches(&people, &lines, &board).await?;
        harvest::index::is_as_the_record(&people.admin, &board).await?;
        let called = harvest::called(&people.owner).await?;
        self.progress.begin("checking");
        let call = format!("@{OWNER}");
        let evidence = Evidence { journal: lines, readers, record, searches, called, call };
        self.tally = checker::check(&evidence, &board.findings);
        self.tried(&evidence.searches);
        if !board.findings.is_clean() || self.arguments.keep {
            evidence.leave(&self.chaos.installation.folder().join("evidence"))?;
        }
        Ok(())
    }

    /// Faults until they are all done, then calm until enough is measured.
    async fn storm(&mut self, busy: &mut JoinSet<Result<()>>) -> Result<()> {
        let began = Instant::now();
        let give_up = self.arguments.duration.map(|seconds| began + Duration::from_secs(seconds));
        let board = self.board.clone();
        let (chaos, arguments) = (&mut self.chaos, &self.arguments);
        let storm = &self.storm;
        let raging = async {
            chaos.rage(storm, give_up).await?;
            chaos.acknowledged(arguments.messages, give_up).await?;
            let calm = Instant::now();
            let each = A_REVOCATION + Duration::from_millis(arguments.revoked_within_ms);
            let at_most = CALM_AT_MOST.max(each * arguments.revocations);
            while board.revoked.count() < arguments.revocations as usize && calm.elapsed() < at_most {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            Ok(())
        };
        let done = tokio::select! {
            done = raging => done,
            // They stop when they are told to, and not before.
            Some(done) = busy.join_next() => done?.and(Err("somebody stopped by themselves".into())),
        };
        self.written_for = began.elapsed();
        self.measured();
        done
    }

    fn measured(&self) {
        let (count, wanted) = (self.board.revoked.count(), self.arguments.revocations as usize);
        let promised = self.arguments.revoked_within_ms as f64;
        if let Some(p99) = self.board.revoked.quantile_ms(0.99).filter(|p99| *p99 > promised) {
            self.board
                .note(Kind::Unrevoked, format!("sockets of ended sessions lived {p99} ms (p99 of {count})"));
        }
        if count < wanted {
            let text = format!("only {count} of {wanted} revocations could be measured without a fault");
            self.board.note(Kind::Stuck, text);
        }
    }

    /// What was never done was never right: it counts as a run that stood still.
    fn tried(&self, searches: &[Search]) {
        let (mode, board, tally) = (self.arguments.mode, &*self.board, self.tally);
        let tried = Tried { mode, board, faults: &self.chaos.happened, tally, searches };
        for missing in tried.missing() {
            self.board.note(Kind::Stuck, missing);
        }
    }

    /// Whoever was sent elsewhere by a server that goes was there soon. It may have had nobody; whoever never arrives counts at the end.
    fn moved(&self) {
        if let Some(p99) = self.board.moved.quantile_ms(0.99).filter(|p99| *p99 > MOVED_WITHIN_MS) {
            let text = format!("listeners of a server that went had nothing for {p99} ms");
            self.board.note(Kind::Stuck, text);
        }
    }

    fn grown(&self) {
        let (resident, files) = self.chaos.largest;
        if resident > RESIDENT_KIB || files > OPEN_FILES {
            let text = format!("a process of ours has {resident} KiB and {files} open files");
            self.board.note(Kind::Grown, text);
        }
    }

    /// Prints what was found.
    async fn tell(mut self, started: Instant, done: Result<()>) -> Result<bool> {
        for crash in self.chaos.installation.crashes() {
            self.board.note(Kind::Crashed, crash);
        }
        let broken_off = done.err().map(|error| error.to_string());
        let ending = Ending {
            seed: self.seed,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            tally: self.tally,
            faults: self.chaos.happened,
            written_for: self.written_for,
            took: started.elapsed(),
            resident_kib: self.chaos.largest.0,
            open_files: self.chaos.largest.1,
            broken_off,
        };
        self.progress.end();
        let is_clean = self.board.findings.is_clean() && ending.broken_off.is_none();
        for example in self.board.findings.examples() {
            eprintln!("{example}");
        }
        if let Some(why) = &ending.broken_off {
            eprintln!("broken off: {why}");
        }
        if !is_clean || self.arguments.keep {
            let folder = self.chaos.installation.keep();
            eprintln!("journal, logs and record are in {}", folder.display());
        }
        let line = report::line(&self.arguments, &self.board, &ending);
        println!("{line}");
        if let Some(history) = &self.arguments.save {
            let mut history = OpenOptions::new().create(true).append(true).open(history)?;
            writeln!(history, "{line}")?;
        }
        Ok(is_clean)
    }
}

/// Waits until those who are always there have heard everything.
async fn caught_up(people: &People) -> Result<()> {
    let started = Instant::now();
    for room in people.rooms.iter() {
        let channel = people.owner.get(&format!("channels/{}", room.id)).await?;
        let last_seq = channel["last_seq"].as_i64().unwrap_or(0);
        let members = people.reached.len() - usize::from(room.secret.is_some());
        for reached in &people.reached[..members] {
            let is_there = || {
                let reached = reached.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                reached.get(&room.id).is_some_and(|seq| *seq >= last_seq)
            };
            while !is_there() && started.elapsed() < CAUGHT_UP_WITHIN {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }
    // Victims hear of their last removal at about the same time; whose line had died without a word finds out after a while, comes
    // back for it, and needs longer.
    tokio::time::sleep(SILENCE + Duration::from_secs(5)).await;
    Ok(())
}

async fn listened(listening: &mut JoinSet<Result<Heard>>) -> Result<Vec<Heard>> {
    let mut readers = Vec::new();
    while let Some(heard) = listening.join_next().await {
        readers.push(heard??);
    }
    Ok(readers)
}
