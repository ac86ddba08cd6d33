//! The way of one plugin's events: what waits for it, what is tried again, and how far it has come.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use confab_core::{Result, log};
use confab_protocol::Event;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::sieve::Sieve;
use super::{Follower, Lanes};
use crate::consumer::{self, Backlog, Consumer, Due, Ended};
use crate::plugins::deliver::{self, Deliveries};

/// Events that wait for a plugin in memory (docs/limits.md). The others it reads from the log when it has come so far.
pub(super) const WAITING: usize = 256;

/// See the module.
pub(super) struct Lane {
    pub plugin_id: String,
    consumer: Consumer,
    state: Mutex<State>,
    /// Something came in.
    wake: Notify,
    /// It ends in order: a call in progress is waited for a while.
    pub stop: CancellationToken,
    /// Another process has its place: what it does from now on would be done twice.
    pub lost: CancellationToken,
}

struct State {
    backlog: Backlog,
    /// It reads the log by itself, and takes nothing of what is given out.
    is_behind: bool,
    /// The position that stands in the record.
    noted: i64,
}

/// What a lane does next.
enum Step {
    Handle(Due),
    /// Read the log behind this position.
    CatchUp(i64),
    /// Nothing until then, or until something comes.
    Wait(Option<Instant>),
}

impl Lane {
    /// One whose place is `pos`. What was given out up to `frontier` it has to read by itself.
    pub(super) fn new(plugin_id: &str, pos: i64, frontier: i64, stop: CancellationToken) -> Self {
        let state = State { backlog: Backlog::new(pos), is_behind: pos < frontier, noted: pos };
        Self {
            plugin_id: plugin_id.to_owned(),
            consumer: deliver::consumer(plugin_id),
            state: Mutex::new(state),
            wake: Notify::new(),
            stop,
            lost: CancellationToken::new(),
        }
    }

    /// The name of its place in the record.
    pub(super) fn name(&self) -> &str {
        &self.consumer.name
    }

    /// Whether it is about to go.
    pub(super) fn is_ending(&self) -> bool {
        self.stop.is_cancelled() || self.lost.is_cancelled()
    }

    /// Gives it an event, unless it has it or reads by itself: events come in order, and none that it wants is left out.
    pub(super) fn offer(&self, event: &Event) {
        let mut state = self.state();
        if state.is_behind || event.pos <= state.backlog.read_to() {
            return;
        }
        if state.backlog.waiting() >= WAITING {
            state.is_behind = true;
            return;
        }
        state.backlog.take(vec![event.clone()], event.pos);
        drop(state);
        self.wake.notify_one();
    }

    /// Up to where everything is done, when the log was given out up to `frontier`.
    pub(super) fn finished_to(&self, frontier: i64) -> i64 {
        let mut state = self.state();
        if !state.is_behind {
            // What it was not given is not for it.
            state.backlog.pass(frontier);
        }
        state.backlog.finished_to()
    }

    /// The same, if it has done something that was not asked for yet. Those who only let events pass are noted seldom.
    pub(super) fn take_unnoted(&self, frontier: i64) -> Option<i64> {
        let pos = self.finished_to(frontier);
        let mut state = self.state();
        let has_done = state.backlog.note_at(consumer::NOTE_AFTER).is_some();
        state.backlog.noted();
        (has_done && pos > state.noted).then_some(pos)
    }

    /// This position stands in the record now.
    pub(super) fn noted(&self, pos: i64) {
        let mut state = self.state();
        state.noted = state.noted.max(pos);
    }

    /// Handles what comes until it is stopped or its place is lost.
    pub(super) async fn run(self: &Arc<Self>, follower: &Follower) {
        tokio::select! {
            () = self.lost.cancelled() => {}
            () = self.work(follower) => {}
        }
    }

    async fn work(self: &Arc<Self>, follower: &Follower) {
        let (db, catalogue) = (follower.db.clone(), Arc::clone(&follower.catalogue));
        let handler = Deliveries { db, catalogue, plugin_id: self.plugin_id.clone() };
        while !self.stop.is_cancelled() {
            match self.next() {
                Step::Handle(due) => {
                    let pos = due.event.pos;
                    match self.consumer.attempt(&follower.db, &handler, due, &self.stop).await {
                        Ended::Done => {
                            self.state().backlog.done(pos);
                            follower.finished.notify_one();
                        }
                        Ended::Again(failed) => self.state().backlog.set_aside(failed),
                        Ended::Stopped => return,
                    }
                }
                Step::CatchUp(from) => self.catch_up(follower, from).await,
                Step::Wait(until) => tokio::select! {
                    () = self.stop.cancelled() => {}
                    () = self.wake.notified() => {}
                    () = consumer::wait_until(until) => {}
                },
            }
        }
    }

    fn next(&self) -> Step {
        let mut state = self.state();
        if let Some(due) = state.backlog.next(Instant::now()) {
            return Step::Handle(due);
        }
        if state.is_behind && !state.backlog.is_full() {
            return Step::CatchUp(state.backlog.read_to());
        }
        Step::Wait(state.backlog.next_retry())
    }

    /// Reads on by itself. Where the reader of all has come so far too, it goes with the others again.
    async fn catch_up(self: &Arc<Self>, follower: &Follower, from: i64) {
        let (events, reached) = match self.read_after(follower, from).await {
            Ok(found) => found,
            Err(fault) => {
                tracing::warn!(plugin = self.plugin_id, %fault, "cannot read what a plugin is behind with, trying again");
                (Vec::new(), from)
            }
        };
        let is_level = {
            // The table first: nothing is given out between the look at it and the change.
            let table = follower.table();
            let mut state = self.state();
            state.backlog.take(events, reached);
            state.is_behind = reached < table.frontier;
            !state.is_behind
        };
        if reached == from && !is_level {
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = tokio::time::sleep(consumer::RECORD_PAUSE) => {}
            }
        }
    }

    /// What is for it in the next part of the log, and how far that part goes.
    async fn read_after(self: &Arc<Self>, follower: &Follower, from: i64) -> Result<(Vec<Event>, i64)> {
        let page = log::after(&mut follower.db.read(), from, log::BATCH).await?;
        let alone = Arc::new(Lanes::from([(self.plugin_id.clone(), Arc::clone(self))]));
        let mut sieve = Sieve::default();
        let given = sieve.sift(&follower.db, &follower.catalogue, &alone, &page.events).await?;
        Ok((given.into_iter().map(|(_, at)| page.events[at].clone()).collect(), page.reached))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use confab_protocol::{EventId, EventKind, Timestamp};
    use uuid::Uuid;

    use super::*;

    fn event(pos: i64) -> Event {
        Event {
            id: EventId::new(),
            pos,
            kind: EventKind::NewMessage,
            channel_id: None,
            seq: None,
            user_id: None,
            ref_id: Uuid::nil(),
            actor_id: None,
            detail: None,
            created_at: Timestamp(0),
        }
    }

    fn lane(pos: i64, frontier: i64) -> Lane {
        Lane::new("org.example.one", pos, frontier, CancellationToken::new())
    }

    fn takes(lane: &Lane) -> i64 {
        match lane.next() {
            Step::Handle(due) => due.event.pos,
            Step::CatchUp(from) => -from,
            Step::Wait(_) => 0,
        }
    }

    #[test]
    fn what_is_not_for_it_passes_and_what_is_open_does_not() {
        let lane = lane(5, 5);
        assert_eq!((lane.finished_to(9), lane.take_unnoted(9)), (9, None), "it has done nothing");
        lane.offer(&event(12));
        assert_eq!(lane.finished_to(20), 11);
        assert_eq!(takes(&lane), 12);
        assert_eq!(lane.finished_to(20), 11, "it is being handled");
        lane.state().backlog.done(12);
        assert_eq!((lane.take_unnoted(20), lane.take_unnoted(20)), (Some(20), None));
        lane.offer(&event(15));
        assert_eq!(takes(&lane), 0, "it had that one");
    }

    #[test]
    fn a_lane_takes_so_many_and_reads_the_others_by_itself() {
        let lane = lane(0, 0);
        let most = WAITING as i64;
        for pos in 1..=most + 50 {
            lane.offer(&event(pos));
        }
        assert_eq!(lane.state().backlog.waiting(), WAITING);
        for pos in 1..=most {
            assert_eq!(takes(&lane), pos);
            lane.state().backlog.done(pos);
        }
        assert_eq!(takes(&lane), -most, "it goes on where it was left");
        assert_eq!(lane.finished_to(most + 50), most, "what it was not given is not done");
        lane.offer(&event(most + 51));
        assert_eq!(takes(&lane), -most, "in order");
    }

    #[test]
    fn who_begins_behind_the_others_reads_by_itself() {
        assert_eq!(takes(&lane(3, 10)), -3);
        assert_eq!(takes(&lane(10, 10)), 0);
        assert_eq!(lane(12, 10).finished_to(10), 12);
    }
}
