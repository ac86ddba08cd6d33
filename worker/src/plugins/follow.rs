//! Follows the log once for all plugins of this process, however many there are.
//!
//! One reader looks at each event once, finds for whom it is ([`sieve`]) and puts it into the lanes of those plugins
//! ([`lane`]): a task and a bounded queue each, so a slow or failing plugin holds up nobody else. Whose queue is full reads
//! the log by itself until it has caught up: what waits for it waits in the log, not in memory. How far each plugin has come
//! is held and written down for all of them together ([`places`]): an event that is for none of them writes nothing.

mod lane;
mod places;
mod sieve;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use confab_core::bus::Tail;
use confab_core::{Bus, Db, Result, log};
use confab_protocol::{Event, EventKind};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::catalogue::{Catalogue, Standing};
use super::reactions;
use crate::consumer::{self, RECORD_PAUSE};
use lane::Lane;
use sieve::Sieve;

/// Under load what comes within this time is looked at together; what comes alone is looked at at once.
const APART: Duration = Duration::from_millis(10);

/// The lanes by their plugins' ids.
type Lanes = BTreeMap<String, Arc<Lane>>;

/// See the module.
pub(super) struct Follower {
    db: Db,
    bus: Bus,
    catalogue: Arc<Catalogue>,
    /// Who holds the plugins' places for this process.
    holder: Uuid,
    table: Mutex<Table>,
    /// One at a time: places that are being left must not be held meanwhile.
    moving: tokio::sync::Mutex<()>,
    /// A lane has finished an event.
    finished: Notify,
    /// There are plugins to take, or none where one was.
    changed: Notify,
    /// Those of the lanes.
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// Who is given what, and how far that has come.
#[derive(Default)]
struct Table {
    /// Up to here the log was given out.
    frontier: i64,
    /// Of the plugins that this process brings events to. Another map whenever one comes or goes.
    lanes: Arc<Lanes>,
    /// Plugins that it could bring events to.
    wanted: BTreeSet<String>,
    /// Changes of what is installed that are not behind this position of the log are loaded.
    loaded_to: i64,
}

impl Follower {
    /// Takes the places that are free. Every change of what is installed that is behind `head` in the log is heeded.
    ///
    /// # Errors
    /// Those of the record.
    pub(super) async fn begin(
        db: &Db,
        bus: &Bus,
        catalogue: &Arc<Catalogue>,
        head: i64,
        stop: CancellationToken,
    ) -> Result<Arc<Self>> {
        let follower = Arc::new(Self {
            db: db.clone(),
            bus: bus.clone(),
            catalogue: Arc::clone(catalogue),
            holder: consumer::holder_of(db),
            table: Mutex::default(),
            moving: tokio::sync::Mutex::default(),
            finished: Notify::new(),
            changed: Notify::new(),
            tasks: TaskTracker::new(),
            stop,
        });
        follower.reload().await?;
        follower.take_first(head).await?;
        Ok(follower)
    }

    /// Brings events to plugins until it is stopped.
    pub(super) async fn run(self: Arc<Self>) {
        let frontier = self.table().frontier;
        let tail = self.bus.tail(&self.db, frontier).await.unhurried(APART);
        tokio::join!(self.keep(), self.read(tail));
        self.tasks.close();
        self.tasks.wait().await;
        self.leave_all().await;
    }

    async fn read(&self, mut tail: Tail) {
        let mut sieve = Sieve::default();
        loop {
            let events = tokio::select! {
                () = self.stop.cancelled() => return,
                events = tail.next() => events,
            };
            // What changes who is installed counts for what follows it.
            for part in events.split_inclusive(|event| event.kind == EventKind::PluginChanged) {
                if !self.give_out(&mut sieve, part).await || !self.heed(part).await {
                    return;
                }
            }
            // What a newer server wrote between is for nobody here.
            self.table().frontier = tail.pos();
        }
    }

    /// Puts events into the lanes of those whom they concern. Answers false when the process stops.
    async fn give_out(&self, sieve: &mut Sieve, events: &[Event]) -> bool {
        let Some(last) = events.last() else { return true };
        loop {
            let lanes = Arc::clone(&self.table().lanes);
            match sieve.sift(&self.db, &self.catalogue, &lanes, events).await {
                Ok(given) => {
                    let mut table = self.table();
                    // Who came meanwhile was not thought of.
                    if Arc::ptr_eq(&table.lanes, &lanes) {
                        for (lane, at) in given {
                            lane.offer(&events[at]);
                        }
                        table.frontier = last.pos;
                        return true;
                    }
                }
                Err(fault) => {
                    tracing::warn!(%fault, "cannot find out which plugins events are for, trying again");
                    if !self.pause().await {
                        return false;
                    }
                }
            }
        }
    }

    /// Loads anew if a plugin was installed, upgraded, enabled or disabled, here or in another process. Answers false when
    /// this process stops.
    async fn heed(&self, events: &[Event]) -> bool {
        let loaded_to = self.table().loaded_to;
        if events.last().is_none_or(|it| it.kind != EventKind::PluginChanged || it.pos <= loaded_to) {
            return true;
        }
        while let Err(fault) = self.reload().await {
            tracing::warn!(%fault, "cannot read which plugins are installed, trying again");
            if !self.pause().await {
                return false;
            }
        }
        true
    }

    /// A disabled plugin's place in the log moves on; that of a component which only another version of this program
    /// has is left to the workers of that version.
    async fn reload(&self) -> Result<()> {
        let head = log::head(&mut self.db.read()).await?;
        // Whoever installed it may have been no worker: the command line knows no catalogue of reactions.
        reactions::register_all(&self.db).await?;
        let standings = self.catalogue.reload().await?;
        let here = standings.into_iter().filter(|(_, standing)| *standing != Standing::Unknown);
        let mut table = self.table();
        table.wanted = here.map(|(id, _)| id).collect();
        table.loaded_to = head;
        for lane in table.lanes.values().filter(|it| !table.wanted.contains(&it.plugin_id)) {
            lane.stop.cancel();
        }
        drop(table);
        self.changed.notify_one();
        Ok(())
    }

    /// Answers false when the process stops.
    async fn pause(&self) -> bool {
        tokio::select! {
            () = self.stop.cancelled() => false,
            () = tokio::time::sleep(RECORD_PAUSE) => true,
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the reader begins: not behind `head`, and before the places of all but those that are so far behind that they
/// catch up by themselves.
fn beginning(head: i64, places: &[i64]) -> i64 {
    let furthest = places.iter().max().copied().unwrap_or(head);
    let near = places.iter().filter(|pos| **pos + log::BATCH >= furthest);
    near.min().copied().unwrap_or(head).min(head)
}

#[cfg(test)]
mod tests {
    use super::beginning;

    #[test]
    fn the_reader_begins_before_all_but_those_that_are_far_behind() {
        assert_eq!(beginning(90, &[]), 90);
        assert_eq!(beginning(90, &[80, 85, 90]), 80);
        assert_eq!(beginning(90, &[95]), 90, "no change of what is installed is missed");
        assert_eq!(beginning(10_000, &[20, 9_800, 9_990]), 9_800);
    }
}
