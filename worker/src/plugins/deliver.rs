//! Events of the log, brought to one plugin: those that it wants, of channels in which its bot is a member.
//!
//! Each plugin follows the log with a cursor of its own, so a slow or failing one holds up nobody else, and what waits
//! for it waits in the log, not in memory: there is no queue that could fill up or be lost. The cursor passes an event
//! when the plugin's handler has returned, so a crash delivers the unfinished ones again: at least once, in order but
//! for those that failed, which are tried again while those behind them go on. Effects happen once: posts carry nonces
//! made of the event's position (see [`Occasion`]), reactions and deletions are the same twice. What a plugin adds to
//! its own storage is its own concern: `delivery.sequence` tells it a repetition.

use std::sync::Arc;
use std::time::Duration;

use confab_core::{Db, Fault, Result, access, cursors, messages, users};
use confab_plugin_host as plugin;
use confab_plugin_host::{CallError, Delivery, Host, Level, Permission, Reply};
use confab_protocol::{ChannelId, Event, EventKind, MessageId, UserId};

use super::catalogue::{Catalogue, Loaded};
use super::host::Occasion;
use super::words;
use crate::consumer::{Consumer, Handler};

/// A message that was this much older than the event that announces it was imported: its time for an answer is over.
const HISTORY: Duration = Duration::from_mins(5);

/// The name under which a plugin's place in the log is kept.
pub(super) fn consumer_name(plugin_id: &str) -> String {
    format!("{}{plugin_id}", cursors::OF_PLUGIN)
}

/// How a plugin's events are followed: after a failure three more tries, then the dead letters.
pub(super) fn consumer(plugin_id: &str) -> Consumer {
    Consumer {
        attempts: 4,
        backoff: [1, 10, 60].map(Duration::from_secs).to_vec(),
        // A person waits for the answer to `!roll` when a process died and another takes over.
        lease: Duration::from_secs(15),
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
        if !concerns(&loaded, event) {
            return Ok(());
        }
        let Some(happening) = Happening::of(&self.db, event).await? else { return Ok(()) };
        // Before the record is asked who may know: almost every message concerns no plugin.
        let is_reaction =
            matches!(&happening.event, plugin::Event::ReactionAdded(_) | plugin::Event::ReactionRemoved(_));
        if !is_reaction && !loaded.manifest.wants(&happening.event, &loaded.bot.id.to_string()) {
            return Ok(());
        }
        if !self.may_know(&loaded, event, happening.channel).await? {
            return Ok(());
        }
        self.react(&loaded, event, &happening).await?;
        self.tell(&loaded, event, happening, attempt).await
    }
}

impl Deliveries {
    /// Asked anew for each try: the bot may have been removed meanwhile. It hears of nothing from before it came.
    async fn may_know(&self, loaded: &Loaded, event: &Event, channel: ChannelId) -> Result<bool> {
        match access::admit(&mut self.db.read(), loaded.bot.id, channel).await {
            Ok(bot) => Ok(bot.role().is_some() && event.seq.is_none_or(|seq| seq >= bot.from_seq())),
            Err(Fault::NotFound(_)) => Ok(false),
            Err(fault) => Err(fault),
        }
    }

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
        let occasion = Occasion::event(event.pos, event.channel_id.zip(event.seq));
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

    /// Runs the plugin's own reaction, if it is one. What a bot does starts no plugin, or two could go on for ever.
    async fn react(&self, loaded: &Arc<Loaded>, event: &Event, happening: &Happening) -> Result<()> {
        let (reaction, added) = match &happening.event {
            plugin::Event::ReactionAdded(reaction) => (reaction, true),
            plugin::Event::ReactionRemoved(reaction) => (reaction, false),
            _ => return Ok(()),
        };
        if reaction.user.is_bot || loaded.manifest.reaction(&reaction.code).is_none() {
            return Ok(());
        }
        let occasion = Occasion::reaction(event.pos, event.channel_id.zip(event.seq));
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

/// Whether the manifest says anything about such events: most concern no plugin, and cost one look.
fn concerns(loaded: &Loaded, event: &Event) -> bool {
    use plugin::EventKind as K;
    let kind = match event.kind {
        EventKind::NewMessage => K::MessagePosted,
        // With a detail only what stands beside the text changed: answers, what was forwarded, previews, files.
        EventKind::MessageUpdate if event.detail.is_some() => return false,
        EventKind::MessageUpdate => K::MessageEdited,
        EventKind::MessageDelete => K::MessageDeleted,
        EventKind::ReactionAdded => K::ReactionAdded,
        EventKind::ReactionRemoved => K::ReactionRemoved,
        EventKind::MemberJoined => K::MemberJoined,
        EventKind::MemberLeft => K::MemberLeft,
        EventKind::ChannelCreated => K::ChannelCreated,
        _ => return false,
    };
    let manifest = &loaded.manifest;
    let is_reaction = matches!(kind, K::ReactionAdded | K::ReactionRemoved);
    event.user_id.is_none()
        && (manifest.events.iter().any(|filter| filter.kind == kind)
            || is_reaction && event.detail.as_deref().is_some_and(|code| manifest.reaction(code).is_some()))
}

/// An event with what it is about, as it is now.
struct Happening {
    channel: ChannelId,
    event: plugin::Event,
}

impl Happening {
    /// `None`: what it is about is gone, so nobody is told of it any more.
    async fn of(db: &Db, event: &Event) -> Result<Option<Self>> {
        let Some(channel) = event.channel_id else { return Ok(None) };
        let happened = match event.kind {
            EventKind::NewMessage | EventKind::MessageUpdate => message_event(db, event).await?,
            EventKind::MessageDelete => {
                let root = find(db, event).await?.and_then(|it| it.parent_id);
                let place = words::place(channel, root);
                Some(plugin::Event::MessageDeleted { message_id: event.ref_id.to_string(), place })
            }
            EventKind::ReactionAdded | EventKind::ReactionRemoved => reaction_event(db, event).await?,
            EventKind::MemberJoined | EventKind::MemberLeft => {
                let user = user(db, UserId(event.ref_id)).await?;
                let membership =
                    user.map(|user| plugin::Membership { place: words::place(channel, None), user });
                membership.map(if event.kind == EventKind::MemberJoined {
                    plugin::Event::MemberJoined
                } else {
                    plugin::Event::MemberLeft
                })
            }
            EventKind::ChannelCreated => Some(plugin::Event::ChannelCreated(words::place(channel, None))),
            _ => None,
        };
        Ok(happened.map(|event| Self { channel, event }))
    }
}

async fn find(db: &Db, event: &Event) -> Result<Option<confab_protocol::Message>> {
    let id = MessageId(event.ref_id);
    Ok(messages::shown(db, &[id]).await?.remove(&id).map(Arc::unwrap_or_clone))
}

async fn user(db: &Db, id: UserId) -> Result<Option<plugin::User>> {
    Ok(users::refs(&mut db.read(), &[id]).await?.first().map(words::user))
}

async fn message_event(db: &Db, event: &Event) -> Result<Option<plugin::Event>> {
    let message = find(db, event).await?.filter(|it| it.deleted_at.is_none());
    Ok(message.and_then(|it| {
        let told = words::message(&it);
        if event.kind == EventKind::MessageUpdate {
            return Some(plugin::Event::MessageEdited(told));
        }
        (it.created_at.plus(HISTORY) >= event.created_at).then_some(plugin::Event::MessagePosted(told))
    }))
}

async fn reaction_event(db: &Db, event: &Event) -> Result<Option<plugin::Event>> {
    let (Some(actor), Some(code)) = (event.actor_id, event.detail.clone()) else { return Ok(None) };
    let message = find(db, event).await?.filter(|it| it.deleted_at.is_none());
    let (Some(message), Some(user)) = (message, user(db, actor).await?) else { return Ok(None) };
    let place = words::place(message.channel_id, message.parent_id);
    let reaction = plugin::Reaction { message_id: message.id.to_string(), place, user, code };
    Ok(Some(if event.kind == EventKind::ReactionAdded {
        plugin::Event::ReactionAdded(reaction)
    } else {
        plugin::Event::ReactionRemoved(reaction)
    }))
}
