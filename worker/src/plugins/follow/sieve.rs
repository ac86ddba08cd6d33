//! For which plugins an event is, found for all of them at once: by its kind, by the channels that they reach, and by what
//! their manifests say of what happened, which is looked up once. What passes is looked at again when it is delivered, so
//! a lane may get too much and never too little.

use std::collections::{BTreeMap, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use confab_core::access::bots::{Reach, kind_of as kind_of_channel};
use confab_core::{Db, FutureExt as _, Result, cursors, plugins};
use confab_plugin_host as plugin;
use confab_protocol::{ChannelId, Event, EventKind};

use super::Lanes;
use super::lane::Lane;
use crate::plugins::catalogue::{Catalogue, Loaded};
use crate::plugins::deliver::{concerns, is_reaction};
use crate::plugins::happening::{Happening, happenings, kind_of};

/// Channels of which it is remembered who reaches them.
const CHANNELS: usize = 4_096;

type Callable = BTreeMap<String, Arc<Loaded>>;

/// A plugin that hears of events.
struct Subscriber {
    loaded: Arc<Loaded>,
    lane: Arc<Lane>,
    bot_id: String,
    /// Which channels it hears of beside those of its bot.
    reach: Reach,
}

/// See the module.
#[derive(Default)]
pub(super) struct Sieve {
    /// What it was made of: another map means other subscribers.
    made_of: Option<(Arc<Callable>, Arc<Lanes>)>,
    subscribers: Vec<Subscriber>,
    by_kind: HashMap<plugin::EventKind, Vec<usize>>,
    /// Whether each subscriber hears of a channel: its bot is there, or it reaches so far. Forgotten when the log says that
    /// somebody came or went, or that the channel opened or closed.
    hearing: HashMap<ChannelId, Vec<bool>>,
}

/// An event that may concern somebody, by its place among those that are sifted.
struct Candidate {
    at: usize,
    kind: plugin::EventKind,
    subscribers: Vec<usize>,
}

impl Sieve {
    /// Which of the events, by their places, go into which of the lanes: in their order.
    ///
    /// # Errors
    /// When the record does not answer; what is wrong with an event is found by those whom it may concern.
    pub(super) async fn sift(
        &mut self,
        db: &Db,
        catalogue: &Catalogue,
        lanes: &Arc<Lanes>,
        events: &[Event],
    ) -> Result<Vec<(Arc<Lane>, usize)>> {
        let sifted = AssertUnwindSafe(self.look_through(db, catalogue, lanes, events)).catch_unwind().await;
        sifted.unwrap_or_else(|_| {
            tracing::error!("finding out which plugins events are for panicked: each gets all of them");
            *self = Self::default();
            let told = events.iter().enumerate().filter(|(_, event)| kind_of(event).is_some());
            // Each looks again when it is brought one, where a panic costs that event and no other.
            Ok(told.flat_map(|(at, _)| lanes.values().map(move |lane| (Arc::clone(lane), at))).collect())
        })
    }

    async fn look_through(
        &mut self,
        db: &Db,
        catalogue: &Catalogue,
        lanes: &Arc<Lanes>,
        events: &[Event],
    ) -> Result<Vec<(Arc<Lane>, usize)>> {
        self.know(&catalogue.all(), lanes);
        for event in events {
            let changes = [EventKind::MemberJoined, EventKind::MemberLeft, EventKind::PrivacyUpdated];
            if let Some(channel) = event.channel_id.filter(|_| changes.contains(&event.kind)) {
                self.hearing.remove(&channel);
            }
        }
        let mut given = retries(lanes, events);
        let candidates = self.candidates(db, events).await?;
        let asked: Vec<&Event> = candidates.iter().map(|it| &events[it.at]).collect();
        match happenings(db, &asked).await {
            Ok(happened) => {
                for (candidate, happening) in candidates.iter().zip(&happened) {
                    self.give(candidate, happening.as_ref(), &mut given);
                }
            }
            Err(fault) if fault.is_retryable() => return Err(fault),
            Err(fault) => {
                tracing::error!(%fault, "cannot look up what happened: all plugins that hear of such do it by themselves");
                for candidate in &candidates {
                    given.extend(candidate.subscribers.iter().map(|it| (self.lane(*it), candidate.at)));
                }
            }
        }
        given.sort_by_key(|(_, at)| *at);
        Ok(given)
    }

    fn know(&mut self, loaded: &Arc<Callable>, lanes: &Arc<Lanes>) {
        let same = |of: &(Arc<Callable>, Arc<Lanes>)| Arc::ptr_eq(&of.0, loaded) && Arc::ptr_eq(&of.1, lanes);
        if self.made_of.as_ref().is_some_and(same) {
            return;
        }
        let hearing = lanes.iter().filter_map(|(id, lane)| Some((loaded.get(id)?, lane)));
        self.subscribers = hearing
            .map(|(loaded, lane)| Subscriber {
                loaded: Arc::clone(loaded),
                lane: Arc::clone(lane),
                bot_id: loaded.bot.id.to_string(),
                reach: loaded.reader().reach,
            })
            .collect();
        self.by_kind.clear();
        for (number, subscriber) in self.subscribers.iter().enumerate() {
            let manifest = &subscriber.loaded.manifest;
            let own = [plugin::EventKind::ReactionAdded, plugin::EventKind::ReactionRemoved];
            let own = own.into_iter().filter(|_| !manifest.reactions.is_empty());
            for kind in manifest.events.iter().map(|filter| filter.kind).chain(own) {
                let hearing = self.by_kind.entry(kind).or_default();
                if hearing.last() != Some(&number) {
                    hearing.push(number);
                }
            }
        }
        self.hearing.clear();
        self.made_of = Some((Arc::clone(loaded), Arc::clone(lanes)));
    }

    /// Those for which somebody has a filter who hears of the channel.
    async fn candidates(&mut self, db: &Db, events: &[Event]) -> Result<Vec<Candidate>> {
        let mut found = Vec::new();
        for (at, event) in events.iter().enumerate() {
            let Some((kind, channel)) = kind_of(event).zip(event.channel_id) else { continue };
            if !self.by_kind.contains_key(&kind) {
                continue;
            }
            match self.look_into(db, channel).await {
                // What cannot be read of one channel must not stop all plugins: they look again by themselves.
                Err(fault) if !fault.is_retryable() => {
                    tracing::error!(%fault, "cannot read which plugins hear of a channel");
                }
                looked => looked?,
            }
            let Some(hearing) = self.by_kind.get(&kind) else { continue };
            let known = self.hearing.get(&channel);
            let hears = |it: &usize| {
                known.is_none_or(|hears| hears[*it])
                    && (!is_reaction(kind) || concerns(&self.subscribers[*it].loaded, kind, event))
            };
            let subscribers: Vec<usize> = hearing.iter().copied().filter(hears).collect();
            if !subscribers.is_empty() {
                found.push(Candidate { at, kind, subscribers });
            }
        }
        Ok(found)
    }

    /// Finds out who hears of a channel. Read after what the events say was written, so nobody is missed. What the channel is for
    /// is asked only where somebody reaches beyond the channels of its bot.
    async fn look_into(&mut self, db: &Db, channel: ChannelId) -> Result<()> {
        if self.hearing.contains_key(&channel) {
            return Ok(());
        }
        let mut on = db.read();
        let bots = plugins::bots_in(&mut on, channel).await?;
        let reaches = self.subscribers.iter().any(|it| it.reach != Reach::Joined);
        let kind = if reaches { kind_of_channel(&mut on, channel).await? } else { None };
        if self.hearing.len() >= CHANNELS {
            self.hearing.clear();
        }
        let hears = |it: &Subscriber| {
            bots.contains(&it.loaded.bot.id) || kind.is_some_and(|kind| it.reach.covers(kind))
        };
        self.hearing.insert(channel, self.subscribers.iter().map(hears).collect());
        Ok(())
    }

    /// Gives it to those whose manifests want it as it is now.
    fn give(
        &self,
        candidate: &Candidate,
        happening: Option<&Happening>,
        given: &mut Vec<(Arc<Lane>, usize)>,
    ) {
        let Some(happening) = happening else { return };
        let wanting = candidate.subscribers.iter().filter(|it| {
            let Subscriber { loaded, bot_id, .. } = &self.subscribers[**it];
            // A reaction of its own is told to a plugin in another way too.
            is_reaction(candidate.kind) || loaded.manifest.wants(&happening.event, bot_id)
        });
        given.extend(wanting.map(|it| (self.lane(*it), candidate.at)));
    }

    fn lane(&self, number: usize) -> Arc<Lane> {
        Arc::clone(&self.subscribers[number].lane)
    }
}

/// What administrators ask to be tried again, for the plugins that failed at it.
fn retries(lanes: &Lanes, events: &[Event]) -> Vec<(Arc<Lane>, usize)> {
    let asked = |event: &Event| {
        let (consumer, _) = event.detail.as_deref()?.rsplit_once(' ')?;
        lanes.get(consumer.strip_prefix(cursors::OF_PLUGIN)?).cloned()
    };
    let of_retries = events.iter().enumerate().filter(|(_, event)| event.kind == EventKind::RetryRequested);
    of_retries.filter_map(|(at, event)| Some((asked(event)?, at))).collect()
}
