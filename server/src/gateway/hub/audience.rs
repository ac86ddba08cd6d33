//! Who hears what: folded from the log, owned by one task.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use confab_core::bus::Signal;
use confab_core::latency::Latencies;
use confab_core::members::Heard;
use confab_protocol::{ChannelId, Event, UserId};
use serde_json::json;
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;

use super::dots::Dots;
use super::present::{Listeners, Present};
use super::{Begun, Command, Hearing, Kept, OnChange, RETURN_SPREAD_MS};
use crate::gateway::frames::EventFrame;
use crate::gateway::outbox::{DRAINING, Item, Outbox, TOO_MANY};
use crate::gateway::wire::frame;

/// Commands that are obeyed between two batches at most.
const ORDERS_A_BATCH: usize = 64;
/// What somebody was greeted with serves their next sockets for so long: whatever no event tells is no older.
const KEPT_FOR: Duration = Duration::from_secs(10);
/// A greeting's state that is larger is not kept.
const KEPT_BYTES: usize = 16 * 1_024;

/// Numbers that others read.
pub(super) struct Figures {
    /// Signed-in sockets.
    pub sockets: Arc<AtomicUsize>,
    /// The newest position.
    pub head: Arc<AtomicI64>,
    /// How long messages took until they waited for their sockets.
    pub delivery: Arc<Latencies>,
    /// Signals that came faster than they were heard.
    pub lost_signals: Arc<AtomicU64>,
}

/// The sockets of this server and what they may hear.
pub(super) struct Audience {
    pub(super) pos: i64,
    per_user: usize,
    pub(super) figures: Figures,
    pub(super) on_change: OnChange,
    /// Nobody is here but at this server, so what is around anybody is known without asking the record.
    knows_everybody: bool,
    is_draining: bool,
    pub(super) users: HashMap<UserId, Present>,
    pub(super) channels: HashMap<ChannelId, Listeners>,
    pub(super) dots: Dots,
    /// Channels of people whose last socket has ended and who are not offline yet: most of them come back at once.
    pub(super) lingering: HashMap<UserId, Vec<ChannelId>>,
    /// People who show without a socket: the record alone knows who may see them.
    pub(super) elsewhere: HashSet<UserId>,
}

impl Audience {
    /// Begins behind the position in `figures`, which are kept up to date from then on.
    pub fn new(figures: Figures, per_user: usize, knows_everybody: bool, on_change: OnChange) -> Self {
        Self {
            pos: figures.head.load(Ordering::Acquire),
            per_user,
            figures,
            on_change,
            knows_everybody,
            is_draining: false,
            users: HashMap::new(),
            channels: HashMap::new(),
            dots: Dots::default(),
            lingering: HashMap::new(),
            elsewhere: HashSet::new(),
        }
    }

    /// Serves until `stop`.
    pub async fn run(
        mut self,
        mut orders: mpsc::Receiver<Command>,
        mut batches: mpsc::Receiver<Vec<(Event, Option<EventFrame>)>>,
        mut signals: broadcast::Receiver<Signal>,
        stop: CancellationToken,
    ) {
        let mut dots = tokio::time::interval(Dots::pause(0));
        dots.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(command) = orders.recv() => self.obey(command),
                Some(batch) = batches.recv() => {
                    self.hand_on(batch).await;
                    // A batch may take its time, and many come behind each other: who comes back is greeted meanwhile.
                    for command in std::iter::from_fn(|| orders.try_recv().ok()).take(ORDERS_A_BATCH) {
                        self.obey(command);
                    }
                }
                signal = signals.recv() => match signal {
                    Ok(signal) => self.signal(signal),
                    Err(broadcast::error::RecvError::Lagged(lost)) => {
                        tracing::warn!(lost, "signals were lost: the record is asked who is here from now on");
                        self.knows_everybody = false;
                        self.figures.lost_signals.fetch_add(lost, Ordering::Relaxed);
                    }
                    Err(broadcast::error::RecvError::Closed) => return,
                },
                _ = dots.tick(), if self.dots.has_news() => {
                    self.tell_dots();
                    dots.reset_after(Dots::pause(self.figures.sockets.load(Ordering::Relaxed)));
                }
                () = stop.cancelled() => return,
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Begin(outbox, answer) => {
                let begun = self.begin(&outbox);
                let _ = answer.send(begun);
            }
            Command::Listen(id, user, heard, answer) => {
                if let Some(hearing) = self.listen(id, user, &heard) {
                    let _ = answer.send(hearing);
                }
            }
            Command::Keep(id, user, kept) => self.keep(id, user, kept),
            Command::End(id, user, answer) => {
                self.end(id, user);
                let _ = answer.send(!self.users.contains_key(&user));
            }
            Command::Whisper(channel, frame) => self.whisper(channel, &frame),
            Command::BeginCorrection(answer) => {
                self.dots.begin_correction();
                let _ = answer.send(());
            }
            Command::Correct(all) => {
                self.dots.correct(all);
                // At a start nobody hears it, and who comes next should not wait behind it.
                while self.dots.has_news() && self.figures.sockets.load(Ordering::Relaxed) == 0 {
                    self.tell_dots();
                }
            }
            Command::Drain => {
                self.is_draining = true;
                for (outbox, _) in self.users.values().flat_map(|present| &present.sockets) {
                    send_away(outbox);
                }
            }
        }
    }

    fn begin(&mut self, outbox: &Arc<Outbox>) -> Begun {
        if self.is_draining {
            send_away(outbox);
            return Begun::Refused;
        }
        let present = self.users.entry(outbox.user_id).or_default();
        if present.sockets.len() >= self.per_user {
            outbox.push(Item::Close(TOO_MANY));
            return Begun::Refused;
        }
        self.figures.sockets.fetch_add(1, Ordering::Relaxed);
        let hears = !outbox.is_deaf && present.hearing().next().is_some();
        present.sockets.push((outbox.clone(), hears));
        if !hears {
            return Begun::New;
        }
        let is_guest = present.hearing().any(|it| it.id != outbox.id && it.is_guest());
        outbox.set_guest(is_guest);
        if is_guest {
            outbox.push(Item::Recheck);
        }
        // What this user hears is known, to this very position.
        for (channel, from_seq) in &present.channels {
            self.channels.entry(*channel).or_default().add(outbox, *from_seq);
        }
        let kept = present.kept.as_ref().filter(|(id, kept)| {
            let reader = present.hearing().find(|it| it.id == *id);
            kept.at.elapsed() < KEPT_FOR && reader.is_some_and(|it| it.is_quiet_since(kept.pos))
        });
        let kept = kept.map(|it| it.1.clone());
        if kept.is_none() {
            present.kept = None;
        }
        Begun::Hears(self.hearing(outbox.user_id), kept)
    }

    fn listen(&mut self, id: u64, user: UserId, list: &Heard) -> Option<Hearing> {
        let present = self.users.get_mut(&user)?;
        present.has_deleted |= list.has_deleted;
        let mut listed = Vec::new();
        for (channel, from_seq) in &list.channels {
            if present.left.get(channel).is_some_and(|left| left >= from_seq) {
                continue;
            }
            // The list may be newer than what was heard of here, and other sockets of the user are in the middle of that:
            // they go on with what they hear until the log says otherwise.
            if !present.channels.contains_key(channel) {
                present.channels.insert(*channel, *from_seq);
                for outbox in present.hearing() {
                    self.channels.entry(*channel).or_default().add(outbox, *from_seq);
                }
            }
            listed.push((*channel, *from_seq));
        }
        let (outbox, hears) = present.sockets.iter_mut().find(|it| it.0.id == id)?;
        if !std::mem::replace(hears, true) {
            for (channel, known) in &present.channels {
                let from_seq = listed.iter().find(|it| it.0 == *channel).map_or(*known, |it| it.1);
                self.channels.entry(*channel).or_default().add(outbox, from_seq.max(*known));
            }
        }
        self.lingering.remove(&user);
        if self.elsewhere.remove(&user) {
            self.dots.forget_around();
        }
        Some(self.hearing(user))
    }

    fn hearing(&mut self, user: UserId) -> Hearing {
        let has_deleted = self.users.get(&user).is_some_and(|it| it.has_deleted);
        let is_known = self.knows_everybody && self.elsewhere.is_empty() && !has_deleted;
        let presences = is_known.then(|| {
            let mine = self.users.get(&user).into_iter().flat_map(|it| it.channels.keys()).copied();
            let mine: Vec<ChannelId> = mine.collect();
            let here = mine.iter().filter_map(|it| self.channels.get(it)).flat_map(Listeners::people);
            let lingering = self.lingering.iter().filter(|it| it.1.iter().any(|of| mine.contains(of)));
            self.dots.around(mine.clone(), here.chain(lingering.map(|it| *it.0)))
        });
        Hearing { pos: self.pos, presences }
    }

    fn keep(&mut self, id: u64, user: UserId, kept: Kept) {
        if let Some(present) = self.users.get_mut(&user)
            && kept.state.len() <= KEPT_BYTES
        {
            present.kept = Some((id, Arc::new(kept)));
        }
    }

    fn end(&mut self, id: u64, user: UserId) {
        let Some(present) = self.users.get_mut(&user) else { return };
        let Some(at) = present.sockets.iter().position(|it| it.0.id == id) else { return };
        let (outbox, hears) = present.sockets.remove(at);
        outbox.shut();
        self.figures.sockets.fetch_sub(1, Ordering::Relaxed);
        if present.kept.as_ref().is_some_and(|it| it.0 == id) {
            present.kept = None;
        }
        if hears {
            for channel in present.channels.keys() {
                end_one(&mut self.channels, *channel);
            }
        }
        if present.sockets.is_empty()
            && let Some(present) = self.users.remove(&user)
            && self.dots.shows(user)
        {
            self.lingering.insert(user, present.channels.into_keys().collect());
        }
    }
}

/// To another server, each after a while of its own.
fn send_away(outbox: &Outbox) {
    let after_ms = rand::random_range(0..RETURN_SPREAD_MS);
    let text = json!({ "op": "reconnect", "d": { "after_ms": after_ms } }).to_string();
    outbox.push(Item::Frame(frame::text(text.as_bytes())));
    outbox.push(Item::Close(DRAINING));
}

fn end_one(channels: &mut HashMap<ChannelId, Listeners>, channel: ChannelId) {
    if channels.get_mut(&channel).is_some_and(|listeners| !listeners.end_one()) {
        channels.remove(&channel);
    }
}

#[cfg(test)]
mod tests;
