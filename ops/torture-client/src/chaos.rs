//! Makes the faults of the schedule happen, one after the other, and sees to it that the server comes back from each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Result;
use crate::board::Board;
use crate::findings::Kind;
use crate::launcher::Installation;
use crate::progress::Progress;
use crate::proxy::{Proxy, Weather};
use crate::schedule::{Fault, Step};

/// After a fault somebody is acknowledged something within this time, or the server is stuck.
const RECOVERS_WITHIN: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Without a server that stands still the others go on within this time (connections that hold a lock and say nothing are
/// ended after 10 s), and then this much is acknowledged, and heard, before it may go on too.
const GOES_ON_WITHIN: Duration = Duration::from_mins(1);
const GOES_ON: u64 = 50;

/// See the module.
pub struct Chaos {
    pub installation: Installation,
    board: Arc<Board>,
    progress: Progress,
    /// How often each kind of fault happened.
    pub happened: BTreeMap<&'static str, u64>,
    /// The most memory (KiB) and the most open files that a process of ours was seen with.
    pub largest: (u64, u64),
}

impl Chaos {
    /// Takes over an installation.
    pub fn new(installation: Installation, board: Arc<Board>, progress: Progress) -> Self {
        // Several servers go by the record's clock, which nobody turns: then their own excuse nothing.
        if installation.postgres.is_none() {
            for (at, tamper) in installation.tampers.iter().enumerate() {
                board.clocks.stands(at, tamper.home);
            }
        }
        Self { installation, board, progress, happened: BTreeMap::new(), largest: (0, 0) }
    }

    /// Brings the whole storm about. `give_up` ends it early.
    pub async fn rage(&mut self, storm: &[Step], give_up: Option<Instant>) -> Result<()> {
        for step in storm {
            if !self.acknowledged(step.after, give_up).await? {
                return Ok(());
            }
            self.measure();
            self.board.trouble();
            let what = self.bring_about(&step.fault).await;
            self.board.relief();
            let what = what?;
            *self.happened.entry(step.fault.as_str()).or_default() += 1;
            let took = self.recovered().await?;
            self.progress.say(&format!(
                "{:>8} acknowledged; {what}; back after {} ms",
                self.board.posts.get(),
                took.as_millis()
            ));
        }
        Ok(())
    }

    /// Looks how large the processes are: most of them will not see the end.
    pub fn measure(&mut self) {
        let (memory, files) = self.installation.size();
        self.largest = (self.largest.0.max(memory), self.largest.1.max(files));
    }

    /// Waits for so many acknowledged messages. `false`: time is up.
    pub async fn acknowledged(&self, count: u64, give_up: Option<Instant>) -> Result<bool> {
        let (mut last, mut since) = (self.board.posts.get(), Instant::now());
        loop {
            let now = self.board.posts.get();
            self.progress.at(now);
            if now >= count {
                return Ok(true);
            }
            if self.board.stop.is_cancelled() || give_up.is_some_and(|at| Instant::now() > at) {
                return Ok(false);
            }
            if now > last {
                (last, since) = (now, Instant::now());
            }
            if since.elapsed() > RECOVERS_WITHIN {
                return Err(
                    self.stuck(&format!("nothing was acknowledged for {RECOVERS_WITHIN:?} without a fault"))
                );
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn recovered(&self) -> Result<Duration> {
        let (before, started) = (self.board.posts.get(), Instant::now());
        while self.board.posts.get() == before {
            // Writers that gave up have told why.
            if self.board.stop.is_cancelled() || started.elapsed() > RECOVERS_WITHIN {
                return Err(self.stuck("nothing was acknowledged after a fault"));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        self.board.recovered.add(started.elapsed());
        Ok(started.elapsed())
    }

    fn stuck(&self, what: &str) -> Box<dyn std::error::Error + Send + Sync> {
        self.board.note(Kind::Stuck, what);
        what.into()
    }

    /// Answers what it was, for people.
    async fn bring_about(&mut self, fault: &Fault) -> Result<String> {
        let here = &mut self.installation;
        let servers = here.servers.len();
        match *fault {
            Fault::Kill { server, down } => {
                let server = &mut here.servers[server % servers];
                server.kill(down).await?;
                Ok(format!("killed {}", server.name))
            }
            Fault::Drain { server, down } => {
                let server = &mut here.servers[server % servers];
                server.drain(down).await?;
                Ok(format!("replaced {}", server.name))
            }
            Fault::KillWorker { down } => {
                if let Some(worker) = &mut here.worker {
                    worker.kill(down).await?;
                }
                Ok("killed the worker".to_owned())
            }
            Fault::Pause { process, time } => {
                let at = process % (servers + usize::from(here.worker.is_some()));
                here.signal(at, "-STOP");
                tokio::time::sleep(time).await;
                let name = here.signal(at, "-CONT");
                Ok(format!("stopped {name} for {} ms", time.as_millis()))
            }
            Fault::Freeze => {
                let at = here.relaying().await?;
                here.signal(at, "-STOP");
                let went_on = went_on(&self.board).await;
                let name = here.signal(at, "-CONT");
                match went_on {
                    Some(took) => {
                        Ok(format!("froze {name}, the others went on after {} ms", took.as_millis()))
                    }
                    None => Err(self.stuck(&format!("{name} stood still, and the others with it"))),
                }
            }
            Fault::Clock { process, seconds, time } => {
                let at = process % here.tampers.len();
                let goes_by_it = here.postgres.is_none();
                let tamper = here.tamper(at)?;
                // Known before it is so: nobody may be refused by a clock that nobody knows of.
                if goes_by_it {
                    self.board.clocks.turned(at, tamper.home + seconds);
                }
                tamper.turn_clock(seconds)?;
                tokio::time::sleep(time).await;
                if goes_by_it {
                    self.board.clocks.turned(at, tamper.home);
                }
                tamper.turn_clock(0)?;
                Ok(format!("turned the clock of {} by {seconds} s for {} ms", tamper.name, time.as_millis()))
            }
            Fault::Network { link, weather, time } => {
                let links = links(here);
                let link = &links[link % links.len()];
                link.set(weather);
                tokio::time::sleep(time).await;
                link.set(Weather::Clear);
                Ok(format!("{weather:?} on {} for {} ms", link.name, time.as_millis()))
            }
            Fault::Postgres { how, down } => {
                if let Some(postgres) = &mut here.postgres {
                    postgres.restart(how, down).await?;
                }
                Ok(format!("restarted PostgreSQL ({how:?})"))
            }
            Fault::Nats { wipe, down } => {
                if let Some(nats) = &mut here.nats {
                    nats.restart(wipe, down).await?;
                }
                Ok(format!("killed NATS{}", if wipe { " and wiped its store" } else { "" }))
            }
            Fault::BrokenDisk { server, time } => {
                let tamper = here.tamper(server % servers)?;
                tamper.break_disk(true)?;
                tokio::time::sleep(time).await;
                tamper.break_disk(false)?;
                Ok(format!("had the disk of {} answer EIO for {} ms", tamper.name, time.as_millis()))
            }
            Fault::FullDisk { time } => {
                if let Some(disk) = &here.disk {
                    disk.fill()?;
                    tokio::time::sleep(time).await;
                    disk.free()?;
                }
                Ok(format!("filled the disk for {} ms", time.as_millis()))
            }
        }
    }
}

/// Waits until things are acknowledged and heard again, and answers how long that took; `None`: too long.
async fn went_on(board: &Board) -> Option<Duration> {
    let started = Instant::now();
    for counter in [&board.posts, &board.heard] {
        let wanted = counter.get() + GOES_ON;
        while counter.get() < wanted {
            if started.elapsed() > GOES_ON_WITHIN {
                return None;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
    Some(started.elapsed())
}

/// Every wire that has weather.
fn links(installation: &Installation) -> Vec<Arc<Proxy>> {
    let doors =
        installation.servers.iter().flat_map(|it| [it.doors.writers.clone(), it.doors.readers.clone()]);
    doors.chain(installation.behind.iter().cloned()).collect()
}
