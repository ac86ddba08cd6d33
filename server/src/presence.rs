//! Keeps this server's devices in the record, and tells everybody when somebody's dot or words change.
//!
//! The record is what other servers see. What it could not take is tried again; what it lost because this server seemed
//! gone is announced anew. Signals may be lost: then every server compares what it shows with the record.

mod watch;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use confab_core::bus::Signal;
use confab_core::presences::{self, Seen};
use confab_core::{Bus, Db, Fault, FutureExt, Result};
use confab_protocol::UserId;
use confab_protocol::gateway::{Presence, PresenceStatus};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::state::App;
use watch::Watch;

/// Between two looks: four times within the lease, so that one slow write loses nobody.
const TICK: Duration = Duration::from_millis(2_500);
/// Hours of quiet begin and end by the minute; they are looked at every so many ticks.
const QUIET_TICKS: u32 = 6;

/// People whose devices changed are noted together, so long after the first of them: in a storm of arrivals one
/// transaction serves many, and who was gone for a blink was not gone.
const GATHER: Duration = Duration::from_millis(50);
/// People who are looked at when signals were lost; where more are here, the dots of each are right from their next change on.
const MOST_CORRECTED: usize = 20_000;
/// People of one transaction. Messages wait behind it.
const TOGETHER: usize = 32;

/// Somebody with devices here, or who had some a moment ago.
#[derive(Default)]
struct Person {
    /// The number of each socket, and what it says.
    devices: Vec<(u64, PresenceStatus)>,
    /// The record has it as it stands here, or is being told.
    is_noted: bool,
}

impl Person {
    /// What the devices say, each word once: two that say the same show no more than one.
    fn words(&self) -> Vec<PresenceStatus> {
        use PresenceStatus::{Away, Busy, Offline, Online};
        let says = |word: &PresenceStatus| self.devices.iter().any(|it| it.1 == *word);
        [Online, Away, Busy, Offline].into_iter().filter(says).collect()
    }
}

/// The devices of this server.
pub struct Keeper {
    node: Uuid,
    people: Mutex<HashMap<UserId, Person>>,
    changed: Notify,
    /// Nobody knows whether the record began this server's row anew.
    is_unsure: AtomicBool,
    /// The record may have changes that were told to nobody.
    is_unsaid: AtomicBool,
}

impl Default for Keeper {
    fn default() -> Self {
        Self {
            node: confab_protocol::fresh_id(),
            people: Mutex::default(),
            changed: Notify::new(),
            is_unsure: AtomicBool::new(false),
            is_unsaid: AtomicBool::new(false),
        }
    }
}

impl Keeper {
    /// A device came, or says something else of itself. It is noted, and told to all, in a moment.
    pub fn show(&self, user: UserId, device: u64, status: PresenceStatus) {
        self.change(user, |devices| match devices.iter_mut().find(|it| it.0 == device) {
            Some(known) => known.1 = status,
            None => devices.push((device, status)),
        });
    }

    /// A device went.
    pub fn leave(&self, user: UserId, device: u64) {
        self.change(user, |devices| devices.retain(|it| it.0 != device));
    }

    fn change(&self, user: UserId, change: impl FnOnce(&mut Vec<(u64, PresenceStatus)>)) {
        let is_news = self.with(|people| {
            let person = people.entry(user).or_insert_with(|| Person { is_noted: true, ..Person::default() });
            let before = person.words();
            change(&mut person.devices);
            let is_news = person.words() != before;
            if is_news {
                person.is_noted = false;
            }
            is_news
        });
        if is_news {
            self.changed.notify_one();
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut HashMap<UserId, Person>) -> T) -> T {
        work(&mut self.people.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Brings the record to what stands here. What it does not take is left for the next tick.
    async fn note(&self, db: &Db, bus: &Bus) {
        let mut left: Vec<UserId> =
            self.with(|people| people.iter().filter(|it| !it.1.is_noted).map(|it| *it.0).collect());
        while !left.is_empty() {
            let some = left.split_off(left.len().saturating_sub(TOGETHER));
            if self.note_some(db, bus, &some).await.is_err() {
                // One that cannot be noted must not keep the others from it.
                for person in some {
                    if let Err(fault) = self.note_some(db, bus, &[person]).await {
                        tracing::debug!(%fault, "a presence was not noted yet");
                    }
                }
            }
        }
    }

    async fn note_some(&self, db: &Db, bus: &Bus, some: &[UserId]) -> Result<()> {
        let said: Vec<(UserId, Vec<PresenceStatus>)> = self.with(|people| {
            let mut said = Vec::with_capacity(some.len());
            for user in some {
                if let Some(person) = people.get_mut(user) {
                    person.is_noted = true;
                    said.push((*user, person.words()));
                }
            }
            said
        });
        let node = self.node;
        let noted = db.write(move |tx| async move { presences::note(tx, node, said).await }.boxed()).await;
        self.with(|people| {
            for user in some {
                if let (Err(_), Some(person)) = (&noted, people.get_mut(user)) {
                    person.is_noted = false;
                } else if people.get(user).is_some_and(|it| it.is_noted && it.devices.is_empty()) {
                    people.remove(user);
                }
            }
        });
        self.heed(noted.as_ref().map(|it| it.0));
        tell(bus, noted?.1).await;
        Ok(())
    }

    /// What the record answered: whether it knew this server.
    fn heed(&self, is_known: std::result::Result<bool, &Fault>) {
        match is_known {
            // It may have begun the server's row anew, and whoever comes next is told that it was known. What it changed is no news
            // any more when it is noted again.
            Err(Fault::Unconfirmed) => {
                self.is_unsure.store(true, Ordering::Relaxed);
                self.is_unsaid.store(true, Ordering::Relaxed);
            }
            Err(_) => {}
            Ok(is_known) => {
                if self.is_unsure.swap(false, Ordering::Relaxed) || !is_known {
                    self.forget_notes();
                }
            }
        }
    }

    /// Renews this server's row.
    async fn renew(&self, db: &Db) -> Result<()> {
        let node = self.node;
        let renewed = db.write(move |tx| async move { presences::renew(tx, node).await }.boxed()).await;
        self.heed(renewed.as_ref().copied());
        renewed.map(|_| ())
    }

    /// Somebody thought this server gone and took its devices away: all of them are noted again.
    fn forget_notes(&self) {
        self.with(|people| people.values_mut().for_each(|it| it.is_noted = false));
        self.changed.notify_one();
    }
}

/// Tells every server what shows now.
pub async fn tell(bus: &Bus, news: impl IntoIterator<Item = Presence>) {
    for presence in news {
        bus.signal(Signal::Presence(presence)).await;
    }
}

/// Keeps presences until `stop`.
pub async fn keep(app: App, stop: CancellationToken) {
    let (mut ticks, mut watch) = (0_u32, Watch::default());
    // Nothing was heard yet of whoever is at other servers: a record that nobody else writes to need not be asked.
    let mut losses = app.db.is_embedded().then(|| losses_of(&app));
    // Zero: what the process before this one could not say any more is unsaid, too.
    let mut connections = 0;
    let mut next = tokio::time::interval(TICK);
    next.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let is_tick = tokio::select! {
            () = stop.cancelled() => break,
            _ = next.tick() => true,
            () = app.presences.changed.notified() => false,
        };
        if !is_tick {
            tokio::time::sleep(GATHER).await;
            app.presences.note(&app.db, &app.bus).await;
            continue;
        }
        ticks = ticks.wrapping_add(1);
        if let Err(fault) = tick(&app, ticks, &mut watch).await {
            tracing::debug!(%fault, "presences are kept a moment later");
            if matches!(fault, Fault::Unconfirmed) {
                app.presences.is_unsaid.store(true, Ordering::Relaxed);
            }
        }
        if !app.bus.is_connected() {
            continue;
        }
        let was_unsaid = app.presences.is_unsaid.swap(false, Ordering::Relaxed);
        if was_unsaid || connections != app.bus.connection_count() {
            connections = app.bus.connection_count();
            app.bus.signal(Signal::Unsaid).await;
        }
        let now = Some(losses_of(&app));
        if now != losses && correct(&app).await.is_ok() {
            losses = now;
        }
    }
    let node = app.presences.node;
    // Its sockets have gone one by one; what is left others take at once.
    let retired = app.db.write(move |tx| async move { presences::retire(tx, node).await }.boxed()).await;
    if let Err(fault) = retired {
        tracing::debug!(%fault, "others will notice that this server is gone");
    }
}

/// Takes the devices of a server that is gone away, some at a time. Of many that takes longer than a lease: this server goes on
/// saying that it is not gone itself, and who comes and goes here.
async fn take_over(app: &App, gone: Seen) -> Result<()> {
    let mut left = Some(gone);
    while let Some(gone) = left.take() {
        let taken =
            app.db.write(move |tx| async move { presences::take_over(tx, gone).await }.boxed()).await?;
        if let Some((changed, rest)) = taken {
            left = Some(rest);
            tell(&app.bus, changed).await;
            app.presences.renew(&app.db).await?;
            app.presences.note(&app.db, &app.bus).await;
        }
    }
    // What it noted last it may not have said any more.
    app.presences.is_unsaid.store(true, Ordering::Relaxed);
    Ok(())
}

/// Another number whenever signals may have been lost on their way to this server.
fn losses_of(app: &App) -> u64 {
    app.bus.connection_count() + app.hub.lost_signals()
}

/// Whoever came or went while this server heard nothing would show as before until they change again.
async fn correct(app: &App) -> Result<()> {
    app.hub.begin_correction().await;
    let read = presences::all_shown(&mut app.db.read(), MOST_CORRECTED).await;
    let (all, done) = match read {
        Ok(all) => (all, Ok(())),
        Err(fault) => (None, Err(fault)),
    };
    // Also where it could not be read: nobody need remember who changed since.
    app.hub.correct_dots(all).await;
    done
}

async fn tick(app: &App, ticks: u32, watch: &mut Watch) -> Result<()> {
    let node = app.presences.node;
    if !app.db.is_embedded() {
        app.presences.renew(&app.db).await?;
        let rows = presences::nodes(&mut app.db.read()).await?;
        for gone in watch.look(rows, node) {
            take_over(app, gone).await?;
        }
    }
    app.presences.note(&app.db, &app.bus).await;
    if presences::has_expired(&mut app.db.read()).await? {
        let expired = app.db.write(|tx| presences::expire(tx).boxed()).await?;
        tell(&app.bus, expired).await;
    }
    if ticks.is_multiple_of(QUIET_TICKS) {
        for user in presences::stale(&mut app.db.read(), node).await? {
            let news =
                app.db.write(move |tx| async move { presences::refresh(tx, user).await }.boxed()).await?;
            tell(&app.bus, news).await;
        }
    }
    Ok(())
}
