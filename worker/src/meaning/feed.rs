//! What keeps the vectors up to date: reads the record once when there are none, follows the log from there on.

use std::convert::Infallible;
use std::time::Duration;

use confab_core::bus::Tail;
use confab_core::{Bus, Db, assistant, log, messages};
use confab_protocol::{ChannelId, Event, EventKind, Message};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::place::{Place, Progress};
use super::{FIRST, Kept, LAG_GAUGE, batch, change, reach, text};
use crate::embedding::{EmbedError, Purpose};
use crate::index::Subject;
use crate::vectors::Change;

/// Messages read at once while all are read.
const PAGE: u32 = 2_000;
/// How often the lag is measured.
const PULSE: Duration = Duration::from_secs(1);
/// Between two looks at the log: whatever is written for one message serves for all that came meanwhile.
const APART: Duration = Duration::from_millis(50);
/// The same while nobody searches here. Others may: whoever keeps the vectors of several does not hear who asks them.
const UNASKED: Duration = Duration::from_millis(500);
/// A pause after a failure of our own; an endpoint may ask for longer ones.
const PAUSE: Duration = Duration::from_secs(1);
/// No longer pause, whatever an endpoint asks for: an operator may have changed something there.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// Positions that changed nothing are written down after so many pulses.
const IDLE_PULSES: u32 = 5;

/// See the module.
pub(super) struct Feed {
    db: Db,
    bus: Bus,
    meaning: Kept,
    stop: CancellationToken,
    /// What the store notes unless another writes to it, too.
    noted: Option<String>,
}

/// The process stops, or the store is not what it was.
struct Stopped;

impl Feed {
    pub fn new(db: Db, bus: Bus, meaning: Kept, stop: CancellationToken) -> Self {
        Self { db, bus, meaning, stop, noted: None }
    }

    /// Runs until `stop`.
    pub async fn run(mut self) {
        while !self.stop.is_cancelled() {
            // The store may have lost everything under it, or another worker writes to it: then this begins again.
            let Err(Stopped) = self.work().await;
        }
    }

    async fn work(&mut self) -> Result<Infallible, Stopped> {
        let mut place = self.begin().await?;
        loop {
            self.build(&mut place).await?;
            // Ends when all vectors are asked for anew, too.
            place = self.follow(place).await?;
        }
    }

    /// Where to go on.
    async fn begin(&mut self) -> Result<Place, Stopped> {
        loop {
            let noted = self.meaning.store.place().await;
            match (noted, reach(&self.db).await) {
                (Ok(noted), Ok(log)) => {
                    let place = noted.as_deref().map(|text| Place::read(text, self.db.epoch(), &log));
                    self.noted.clone_from(&noted);
                    match place {
                        Some(Ok(place)) => return Ok(place),
                        Some(Err(reason)) => tracing::warn!(%reason, "the vectors are made anew"),
                        None => {}
                    }
                    return self.anew(*log.end()).await;
                }
                (Err(fault), _) | (_, Err(fault)) => {
                    tracing::warn!(%fault, "cannot see how far the vectors are, trying again");
                    self.pause(PAUSE).await?;
                }
            }
        }
    }

    /// Forgets all vectors, unless another worker has begun with that, or more.
    async fn anew(&mut self, head: i64) -> Result<Place, Stopped> {
        loop {
            let store = self.meaning.store.as_ref();
            let done = match store.place().await {
                Ok(noted) if noted != self.noted => return Err(Stopped),
                Ok(_) => store.clear().await,
                Err(fault) => Err(fault),
            };
            let Err(fault) = done else { break };
            tracing::error!(%fault, "the vectors cannot be made anew, trying again");
            // Half of it may be done, and the place goes first.
            if let Ok(None) = store.place().await {
                self.noted = None;
            }
            self.pause(PAUSE).await?;
        }
        self.meaning.lost();
        self.noted = None;
        Ok(Place::new(self.db.epoch(), head, Progress::Building { after: FIRST, head }))
    }

    /// Reads every message. Those posted meanwhile come again with the log, which is followed from where it was when this
    /// began.
    async fn build(&mut self, place: &mut Place) -> Result<(), Stopped> {
        if let Progress::Building { .. } = place.progress {
            // Only for show, so it may fail; after a restart it begins with what is left.
            let total = messages::count(&mut self.db.read()).await.unwrap_or(0);
            self.meaning.building.begin(0, total.unsigned_abs());
        }
        while let Progress::Building { after, head } = place.progress {
            let page = match messages::all_after(&mut self.db.read(), after, PAGE).await {
                Ok(page) => page,
                Err(fault) => {
                    tracing::warn!(%fault, "cannot read messages to make vectors of, trying again");
                    self.pause(PAUSE).await?;
                    continue;
                }
            };
            place.progress = match page.last() {
                Some(last) if page.len() == PAGE as usize => Progress::Building { after: last.id, head },
                _ => Progress::Following { applied: head },
            };
            let read = page.len() as u64;
            let changes = self.embed(page).await?;
            self.write(changes, *place).await?;
            self.meaning.building.add(read);
        }
        self.meaning.building.end();
        Ok(())
    }

    /// Follows the log. Answers where to begin when all is asked for anew.
    async fn follow(&mut self, mut place: Place) -> Result<Place, Stopped> {
        let Progress::Following { applied } = place.progress else { return Ok(place) };
        self.meaning.reached(applied);
        let mut tail: Tail = self.bus.tail(&self.db, applied).await.unhurried(APART);
        let mut pulse = tokio::time::interval(PULSE);
        let (mut written, mut idle, mut look_at) = (applied, 0, Instant::now());
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return Err(Stopped),
                events = async { self.meaning.interest.or_at(look_at).await; tail.next().await } => {
                    look_at = crate::interest::next_look(events.len(), UNASKED);
                    let asked = events.iter().rfind(|event| event.kind == EventKind::ReindexRequested);
                    if let Some(asked) = asked.filter(|event| event.pos > place.origin) {
                        return self.anew(asked.pos).await;
                    }
                    place.progress = Progress::Following { applied: tail.pos() };
                    let changes = self.changes(&events).await?;
                    if !changes.is_empty() {
                        self.write(changes, place).await?;
                        (written, idle) = (tail.pos(), 0);
                    }
                    self.meaning.reached(tail.pos());
                }
                _ = pulse.tick() => {
                    idle += 1;
                    self.measure().await;
                    if idle >= IDLE_PULSES && tail.pos() > written {
                        self.write(Vec::new(), place).await?;
                        (written, idle) = (tail.pos(), 0);
                    }
                }
            }
        }
    }

    async fn measure(&self) {
        if let Ok(head) = log::head(&mut self.db.read()).await {
            metrics::gauge!(LAG_GAUGE).set((head - self.meaning.applied()).max(0) as f64);
        }
    }

    /// The changes that events ask for, in their order: what is gone after what is put, as the index has them.
    async fn changes(&self, events: &[Event]) -> Result<Vec<Change>, Stopped> {
        let (mut put, mut gone): (Vec<Message>, Vec<Change>) = (Vec::new(), Vec::new());
        for subject in crate::index::subjects(&self.db, events).await {
            match subject {
                Subject::Message(message) => put.push(*message),
                Subject::Gone(id) => gone.push(Change::Remove(id)),
                Subject::ChannelGone(id) => gone.push(Change::RemoveChannel(id)),
            }
        }
        let mut changes = self.embed(put).await?;
        let tuned: Vec<ChannelId> = (events.iter())
            .filter(|event| event.kind == EventKind::ChannelUpdate)
            .filter_map(|event| event.channel_id)
            .collect();
        if !tuned.is_empty() {
            let off = self.switches().await?.channels;
            changes.extend(tuned.into_iter().filter(|it| off.contains(it)).map(Change::RemoveChannel));
        }
        changes.extend(gone);
        Ok(changes)
    }

    /// Messages with their vectors.
    async fn embed(&self, messages: Vec<Message>) -> Result<Vec<Change>, Stopped> {
        let mut changes = Vec::with_capacity(messages.len());
        let switches = self.switches().await?;
        let (say_something, silent): (Vec<Message>, Vec<Message>) =
            messages.into_iter().partition(|message| {
                text(message).is_some() && switches.allow(message.channel_id, message.sender_id)
            });
        // One that was edited until nothing is left, or was written before no model may read it, may have had a vector.
        changes.extend(silent.iter().map(|message| change(message, None)));
        for part in say_something.chunks(self.meaning.embedder.most_texts().max(1)) {
            let vectors = self.vectors(part).await?;
            changes.extend(part.iter().zip(vectors).map(|(message, vector)| change(message, vector)));
        }
        Ok(changes)
    }

    /// Whose messages no model may read. Nothing is given to one before that is known.
    async fn switches(&self) -> Result<assistant::Switches, Stopped> {
        loop {
            match assistant::switches(&mut self.db.read()).await {
                Ok(switches) => return Ok(switches),
                Err(fault) => {
                    tracing::warn!(%fault, "cannot read where the assistant is off, trying again");
                    self.pause(PAUSE).await?;
                }
            }
        }
    }

    /// A vector for each, or none for what the model refuses for good. Waits as long as there is no model to be had.
    async fn vectors(&self, part: &[Message]) -> Result<Vec<Option<Vec<f32>>>, Stopped> {
        match self.try_vectors(part).await? {
            Ok(vectors) => return Ok(vectors.into_iter().map(Some).collect()),
            Err(reason) if part.len() == 1 => {
                tracing::warn!(message = %part[0].id, %reason, "a message is found by its words only");
                return Ok(vec![None]);
            }
            Err(_) => {}
        }
        // One of them is at fault: each by itself, so that the others are not lost with it.
        let mut vectors = Vec::with_capacity(part.len());
        for message in part {
            match self.try_vectors(std::slice::from_ref(message)).await? {
                Ok(found) => vectors.push(found.into_iter().next()),
                Err(reason) => {
                    tracing::warn!(message = %message.id, %reason, "a message is found by its words only");
                    vectors.push(None);
                }
            }
        }
        Ok(vectors)
    }

    /// The inner error: the model refuses for good.
    async fn try_vectors(&self, part: &[Message]) -> Result<Result<Vec<Vec<f32>>, String>, Stopped> {
        loop {
            let texts = part.iter().map(|message| text(message).unwrap_or_default().to_owned()).collect();
            let embedded = tokio::select! {
                () = self.stop.cancelled() => return Err(Stopped),
                embedded = self.meaning.embedder.embed(texts, Purpose::Passage) => embedded,
            };
            let wait = match embedded {
                Ok(vectors) => return Ok(Ok(vectors)),
                Err(EmbedError::Permanent(reason)) => return Ok(Err(reason)),
                Err(EmbedError::Retryable { after, reason }) => {
                    tracing::warn!(%reason, "no vectors for now, trying again");
                    after.clamp(PAUSE, LONGEST_PAUSE)
                }
                Err(error @ EmbedError::Misconfigured(_)) => {
                    tracing::error!(%error, "search by meaning stands still");
                    LONGEST_PAUSE
                }
            };
            self.pause(wait).await?;
        }
    }

    async fn write(&mut self, changes: Vec<Change>, place: Place) -> Result<(), Stopped> {
        let place = place.write();
        loop {
            let store = self.meaning.store.as_ref();
            match batch::write(store, self.noted.as_deref(), changes.clone(), &place).await {
                Ok(true) => {
                    self.noted = Some(place);
                    return Ok(());
                }
                // Another worker has taken over, or somebody deleted the store.
                Ok(false) => return Err(Stopped),
                Err(fault) => tracing::error!(%fault, "vectors cannot be kept, trying again"),
            }
            self.pause(PAUSE).await?;
        }
    }

    async fn pause(&self, time: Duration) -> Result<(), Stopped> {
        tokio::select! {
            () = self.stop.cancelled() => Err(Stopped),
            () = sleep(time) => Ok(()),
        }
    }
}
