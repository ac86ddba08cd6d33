//! Events of the log, brought to one plugin: those that it wants, of channels in which its bot is a member or which it reaches
//! (`confab_core::access::bots`).
//!
//! Which those may be is found for all plugins at once (see `follow`); here each one is looked at again when its time has
//! come, since meanwhile a message may have been deleted or the bot removed. A crash delivers again what was not noted:
//! at least once, in order but for those that failed, which are tried again while those behind them go on. Effects happen
//! once: posts and whispers carry nonces made of the event's position (see [`Occasion`]), reactions and deletions are the same
//! twice. What a plugin adds to its own storage is its own concern: `delivery.sequence` tells it a repetition.

use std::sync::Arc;
use std::time::Duration;

use confab_core::access::bots::hears;
use confab_core::{Db, Fault, Result, cursors, reactions};
use confab_plugin_host as plugin;
use confab_plugin_host::{CallError, Delivery, Host, Level, Permission, Reply};
use confab_protocol::{Event, MessageId};

use super::catalogue::{Catalogue, Loaded};
use super::happening::{Happening, happenings, kind_of};
use super::host::Occasion;
use super::words;
use crate::consumer::{Consumer, Handler};

/// A person waits for the answer to `!roll` when a process died and another takes over.
pub(super) const LEASE: Duration = Duration::from_secs(15);

/// The name under which a plugin's place in the log is kept.
pub(super) fn consumer_name(plugin_id: &str) -> String {
    format!("{}{plugin_id}", cursors::OF_PLUGIN)
}

/// How a plugin's events are followed: after a failure three more tries, then the dead letters.
pub(super) fn consumer(plugin_id: &str) -> Consumer {
    Consumer {
        attempts: 4,
        backoff: [1, 10, 60].map(Duration::from_secs).to_vec(),
        lease: LEASE,
        ..Consumer::new(consumer_name(plugin_id))
    }
}

/// Brings events to one plugin.
pub(super) struct Deliveries {
    pub db: Db,
    pub catalogue: Arc<Catalogue>,
    pub plugin_id: String,
}

impl Handler for Deliveries {
    async fn handle(&self, event: &Event, attempt: u32) -> Result<()> {
        // Events that pass while it is disabled are not kept for it: nobody waits for an answer from last week.
        let Some(loaded) = self.catalogue.get(&self.plugin_id) else { return Ok(()) };
        let Some(kind) = kind_of(event).filter(|kind| concerns(&loaded, *kind, event)) else { return Ok(()) };
        let Some(happening) = happenings(&self.db, &[event]).await?.pop().flatten() else { return Ok(()) };
        if !is_reaction(kind) && !loaded.manifest.wants(&happening.event, &loaded.bot.id.to_string()) {
            return Ok(());
        }
        // Asked anew for each try: meanwhile the bot may have been removed, the channel closed, or the grant taken back.
        if !hears(&mut self.db.read(), loaded.reader(), happening.channel, event.seq).await? {
            return Ok(());
        }
        self.react(&loaded, event, &happening).await?;
        self.tell(&loaded, event, happening, attempt).await
    }
}

impl Deliveries {
    /// Delivers it as an event, if the manifest asks for such.
    async fn tell(
        &self,
        loaded: &Arc<Loaded>,
        event: &Event,
        happening: Happening,
        attempt: u32,
    ) -> Result<()> {
        if !loaded.manifest.wants(&happening.event, &loaded.bot.id.to_string()) {
            return Ok(());
        }
        let occasion = Occasion::event(event.pos);
        let host = self.catalogue.host(loaded, occasion, None);
        let delivery = Delivery {
            sequence: u64::try_from(event.pos).unwrap_or(0),
            attempt,
            at_ms: words::milliseconds(event.created_at),
            event: happening.event,
        };
        done(match self.catalogue.handlers(loaded).await {
            Ok(plugin) => self.catalogue.call(loaded, plugin.on_event(host.granted(), delivery)).await,
            Err(error) => Err(error),
        })
    }

    /// Runs the plugin's own reaction, if it is one. What a bot does starts no plugin, or two could go on for ever. Whose
    /// code another has in the catalogue hears of none: the rules that were looked at when it was put are not this plugin's.
    async fn react(&self, loaded: &Arc<Loaded>, event: &Event, happening: &Happening) -> Result<()> {
        let (reaction, added) = match &happening.event {
            plugin::Event::ReactionAdded(reaction) => (reaction, true),
            plugin::Event::ReactionRemoved(reaction) => (reaction, false),
            _ => return Ok(()),
        };
        if reaction.user.is_bot || loaded.manifest.reaction(&reaction.code).is_none() {
            return Ok(());
        }
        let owner = reactions::owner(&mut self.db.read(), &reaction.code).await?;
        if owner.as_ref() != Some(&loaded.id) {
            return Ok(());
        }
        let occasion = Occasion::reaction(event.pos);
        let host = self.catalogue.host(loaded, occasion, None);
        let called = match self.catalogue.handlers(loaded).await {
            Ok(plugin) => {
                let call = plugin.on_reaction(host.granted(), reaction.clone(), added);
                self.catalogue.call(loaded, call).await
            }
            Err(error) => Err(error),
        };
        match called {
            Ok(Reply::Public(draft)) if loaded.may_reply() => {
                let posted = host.say(happening.channel, Some(MessageId(event.ref_id)), draft).await;
                // Archived, or the bot was removed, while the plugin ran: nothing that another try could mend.
                match posted {
                    Err(fault) if fault.is_retryable() => Err(fault),
                    Err(fault) => {
                        tracing::warn!(plugin = loaded.id, %fault, "a plugin's reply was not posted");
                        Ok(())
                    }
                    Ok(_) => Ok(()),
                }
            }
            Ok(Reply::Whisper(draft)) if loaded.may_reply() => {
                let place = words::place(happening.channel, None);
                if let Err(failure) = Host::whisper(&*host, place, reaction.user.id.clone(), draft).await {
                    self.catalogue.notes().line(&loaded.id, Level::Warn, &format!("whisper: {failure}"));
                }
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(error) => done(Err(error)),
        }
    }
}

impl Loaded {
    /// Whether the bot may post a reply. A plugin that only answers need not ask for `messages.post`; one that asked
    /// and was refused stays silent.
    pub(super) fn may_reply(&self) -> bool {
        let asks = self.manifest.asks();
        !asks.has(Permission::PostMessages) || self.grants.has(Permission::PostMessages)
    }
}

/// What is left to do about a call's outcome: an error means another try.
fn done(outcome: Result<(), CallError>) -> Result<()> {
    match outcome {
        Ok(()) | Err(CallError::NotHandled | CallError::NotGranted(_)) => Ok(()),
        Err(error) => Err(Fault::conflict("plugin_failed", error.to_string())),
    }
}

/// Whether the manifest says anything about such an event: most concern no plugin, and cost one look.
pub(super) fn concerns(loaded: &Loaded, kind: plugin::EventKind, event: &Event) -> bool {
    let manifest = &loaded.manifest;
    manifest.events.iter().any(|filter| filter.kind == kind)
        || is_reaction(kind) && event.detail.as_deref().is_some_and(|code| manifest.reaction(code).is_some())
}

/// Whether it is of a kind that a plugin hears of as an event, as a reaction of its own, or as both.
pub(super) fn is_reaction(kind: plugin::EventKind) -> bool {
    matches!(kind, plugin::EventKind::ReactionAdded | plugin::EventKind::ReactionRemoved)
}
