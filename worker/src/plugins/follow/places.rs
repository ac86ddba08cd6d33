//! How far each plugin has come, and which process brings it events: rows of the record, one for each plugin, that are
//! taken, renewed, written and given back for all of them together.
//!
//! A lease belongs to a plugin and not to a process: during an upgrade a worker has components that others do not. Where a
//! plugin did something, that is noted soon; a plugin that only let events pass is noted when its lease is renewed, and
//! looks at them again after a crash.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use confab_core::{FutureExt as _, Result, cursors, log};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::lane::Lane;
use super::{Follower, Table, beginning};
use crate::consumer::{NOTE_AFTER, RECORD_PAUSE, wait_until};
use crate::plugins::deliver::{LEASE, consumer_name};

/// How often leases are renewed, and places that are free looked for.
const RENEW_AFTER: Duration = Duration::from_secs(5);

impl Follower {
    /// Takes the places that are free when this process begins, and so says where the reader begins.
    pub(super) async fn take_first(self: &Arc<Self>, head: i64) -> Result<()> {
        let _alone = self.moving.lock().await;
        let wanted = self.wanted();
        let taken = self.hold(&wanted).await?;
        let places: Vec<i64> = taken.iter().map(|(_, pos)| *pos).collect();
        self.table().frontier = beginning(head, &places);
        self.settle(&wanted, taken);
        Ok(())
    }

    /// Keeps the places until it is stopped.
    pub(super) async fn keep(self: &Arc<Self>) {
        // Those of the beginning were taken a moment ago.
        let mut until = Instant::now() + (LEASE.saturating_sub(RENEW_AFTER));
        let (mut renew_at, mut note_at) = (Instant::now() + RENEW_AFTER, None);
        while !self.stop.is_cancelled() {
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = sleep_until(renew_at) => {}
                () = self.changed.notified() => {}
                () = self.finished.notified(), if note_at.is_none() => {
                    note_at = Some(Instant::now() + NOTE_AFTER);
                    continue;
                }
                () = wait_until(note_at) => {
                    note_at = None;
                    // What took longer than the lease is done by others.
                    let _ = timeout_at(until, self.note()).await;
                    continue;
                }
            }
            let begun = Instant::now();
            // Not beyond the lease while there is one.
            let limit = if begun < until { until } else { begun + RENEW_AFTER };
            match timeout_at(limit, self.renew()).await {
                Ok(Ok(())) => (until, renew_at) = (begun + LEASE, Instant::now() + RENEW_AFTER),
                failed => {
                    let fault = failed.ok().and_then(Result::err);
                    tracing::warn!(?fault, "cannot renew the plugins' places in the log, trying again");
                    if Instant::now() >= until {
                        self.lose_all();
                    }
                    renew_at = Instant::now() + RECORD_PAUSE;
                }
            }
        }
    }

    /// Renews what is held, notes how far it has come, and takes what is free.
    pub(super) async fn renew(self: &Arc<Self>) -> Result<()> {
        let _alone = self.moving.lock().await;
        let wanted = self.wanted();
        let held = self.hold(&wanted).await?;
        self.settle(&wanted, held);
        Ok(())
    }

    /// Every plugin that could be worked for, with how far it has come where it is.
    fn wanted(&self) -> Vec<(String, i64)> {
        let table = self.table();
        let leaving = |id: &String| table.lanes.get(id).is_some_and(|it| it.is_ending());
        let finished = |id: &String| table.lanes.get(id).map_or(0, |it| it.finished_to(table.frontier));
        let wanted = table.wanted.iter().filter(|id| !leaving(id));
        wanted.map(|id| (consumer_name(id), finished(id))).collect()
    }

    async fn hold(&self, wanted: &[(String, i64)]) -> Result<Vec<(String, i64)>> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let head = log::head(&mut self.db.read()).await?;
        let (wanted, holder) = (wanted.to_vec(), self.holder);
        self.db
            .write(move |tx| async move { cursors::hold_all(tx, &wanted, holder, head, LEASE).await }.boxed())
            .await
    }

    /// Opens lanes for what is held now, and ends those whose places others have.
    fn settle(self: &Arc<Self>, wanted: &[(String, i64)], held: Vec<(String, i64)>) {
        let mut table = self.table();
        for lane in table.lanes.values() {
            match held.iter().find(|(name, _)| name == lane.name()) {
                // Nobody but its holder moves a place: others had it while this process stood still, and worked up to there.
                Some((name, pos)) if wanted.iter().any(|(it, reached)| it == name && reached < pos) => {
                    tracing::warn!(
                        plugin = lane.plugin_id,
                        "another process has brought the plugin its events meanwhile"
                    );
                    lane.lost.cancel();
                }
                Some((_, pos)) => lane.noted(*pos),
                None if wanted.iter().any(|(name, _)| name == lane.name()) => {
                    tracing::warn!(
                        plugin = lane.plugin_id,
                        "another process has taken the plugin's place in the log"
                    );
                    lane.lost.cancel();
                }
                None => {}
            }
        }
        for (name, pos) in held {
            if let Some(id) = name.strip_prefix(cursors::OF_PLUGIN)
                && !table.lanes.contains_key(id)
            {
                self.open(&mut table, id, pos);
            }
        }
    }

    fn open(self: &Arc<Self>, table: &mut Table, plugin_id: &str, pos: i64) {
        let lane = Arc::new(Lane::new(plugin_id, pos, table.frontier, self.stop.child_token()));
        Arc::make_mut(&mut table.lanes).insert(plugin_id.to_owned(), Arc::clone(&lane));
        let follower = Arc::clone(self);
        self.tasks.spawn(async move {
            // A lane that ended unseen would keep its place, and nobody would bring the plugin anything.
            if AssertUnwindSafe(lane.run(&follower)).catch_unwind().await.is_err() {
                tracing::error!(
                    plugin = lane.plugin_id,
                    "bringing events to a plugin panicked, beginning again"
                );
                tokio::time::sleep(RECORD_PAUSE).await;
            }
            follower.leave(&lane).await;
        });
    }

    /// Writes down how far those have come that did something.
    async fn note(&self) {
        let unnoted: Vec<(Arc<Lane>, i64)> = {
            let table = self.table();
            let done = |lane: &Arc<Lane>| Some((Arc::clone(lane), lane.take_unnoted(table.frontier)?));
            table.lanes.values().filter_map(done).collect()
        };
        if unnoted.is_empty() {
            return;
        }
        let rows: Vec<(String, i64)> = unnoted.iter().map(|(it, pos)| (it.name().to_owned(), *pos)).collect();
        let holder = self.holder;
        let written = self
            .db
            .write(move |tx| async move { cursors::advance_all(tx, holder, &rows).await }.boxed())
            .await;
        match written {
            Ok(written) => {
                for (lane, pos) in unnoted {
                    if written.iter().any(|name| name == lane.name()) {
                        lane.noted(pos);
                    } else {
                        lane.lost.cancel();
                    }
                }
            }
            // The next renewal writes it.
            Err(fault) => tracing::warn!(%fault, "cannot note how far plugins have come"),
        }
    }

    /// The lease is over and could not be renewed: others may have begun.
    fn lose_all(&self) {
        for lane in self.table().lanes.values() {
            lane.lost.cancel();
        }
    }

    /// Forgets a lane that has ended. Whoever may go on with it begins where it stopped.
    async fn leave(&self, lane: &Arc<Lane>) {
        if self.stop.is_cancelled() {
            // All are left together.
            return;
        }
        let _alone = self.moving.lock().await;
        if !lane.lost.is_cancelled() {
            self.give_back(std::slice::from_ref(lane)).await;
        }
        Arc::make_mut(&mut self.table().lanes).remove(&lane.plugin_id);
        self.changed.notify_one();
    }

    /// Gives all places back when the process stops.
    pub(super) async fn leave_all(&self) {
        let _alone = self.moving.lock().await;
        let lanes = std::mem::take(&mut self.table().lanes);
        let held: Vec<Arc<Lane>> = lanes.values().filter(|it| !it.lost.is_cancelled()).cloned().collect();
        self.give_back(&held).await;
    }

    async fn give_back(&self, lanes: &[Arc<Lane>]) {
        if lanes.is_empty() {
            return;
        }
        let frontier = self.table().frontier;
        let rows: Vec<(String, i64)> =
            lanes.iter().map(|it| (it.name().to_owned(), it.finished_to(frontier))).collect();
        let holder = self.holder;
        let left = self.db.write(move |tx| {
            async move {
                cursors::advance_all(tx, holder, &rows).await?;
                let names: Vec<String> = rows.into_iter().map(|(name, _)| name).collect();
                cursors::release_all(tx, holder, &names).await
            }
            .boxed()
        });
        if let Err(fault) = left.await {
            tracing::warn!(%fault, "left plugins without noting their places in the log");
        }
    }
}
