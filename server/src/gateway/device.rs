//! What one socket says of its person: here, away, typing somewhere.

use std::time::{Duration, Instant};

use confab_core::bus::Signal;
use confab_core::{access, messages, sessions};
use confab_protocol::gateway::{PresenceStatus, Typing};
use confab_protocol::{ChannelId, MessageId, SessionId, Timestamp, UserId};

use crate::state::App;

/// Typing in one place is told this often; clients repeat it while it goes on (docs/limits.md).
const TYPING_EVERY: Duration = Duration::from_secs(3);
/// Places of one socket in that time; more are no person's typing.
const PLACES: usize = 16;

/// One device. What it shows is in the record until [`Device::leave`].
pub struct Device {
    /// The number of its socket.
    id: u64,
    user: UserId,
    session: SessionId,
    /// What its client said last.
    said: PresenceStatus,
    /// Since when nothing was done, where it shows as away for that.
    idle_since: Option<Timestamp>,
    active: Instant,
    typed: Vec<(ChannelId, Option<MessageId>, Instant)>,
}

impl Device {
    /// Somebody is here.
    pub fn arrive(app: &App, id: u64, user: UserId, session: SessionId) -> Self {
        let device = Self {
            id,
            user,
            session,
            said: PresenceStatus::Online,
            idle_since: None,
            active: Instant::now(),
            typed: Vec::new(),
        };
        device.show(app);
        device
    }

    /// They went.
    pub fn leave(&self, app: &App) {
        app.presences.leave(self.user, self.id);
    }

    /// The client says how they are.
    pub fn say(&mut self, app: &App, status: PresenceStatus) {
        (self.said, self.idle_since, self.active) = (status, None, Instant::now());
        self.show(app);
    }

    /// They did something: who was away is here again.
    pub fn act(&mut self, app: &App) {
        self.active = Instant::now();
        let was_away = self.idle_since.take().is_some() || self.said == PresenceStatus::Away;
        if was_away {
            self.said = PresenceStatus::Online;
            self.show(app);
        }
    }

    /// When it is time to look whether they are away; `None`: it is known.
    pub fn idle_at(&self, app: &App) -> Option<Instant> {
        let is_awake = self.said == PresenceStatus::Online && self.idle_since.is_none();
        is_awake.then(|| self.active + app.settings.away_after)
    }

    /// Nothing came over this socket for a while. Whoever reads over REST with the same session is here all the same.
    pub async fn grow_idle(&mut self, app: &App) {
        let used = sessions::last_used(&mut app.db.read(), self.session).await;
        let unused = Timestamp::now().0 - used.map_or(0, |at| at.0);
        let unused = Duration::from_millis(u64::try_from(unused).unwrap_or(0));
        if let (true, Some(active)) = (unused < app.settings.away_after, Instant::now().checked_sub(unused)) {
            self.active = active;
            return;
        }
        self.idle_since = Some(Timestamp::now());
        self.show(app);
    }

    /// A heartbeat is nothing that a person does; but their session may have been used meanwhile.
    pub async fn beat(&mut self, app: &App) {
        let Some(since) = self.idle_since else { return };
        let used = sessions::last_used(&mut app.db.read(), self.session).await;
        if used.is_ok_and(|used| used > since) {
            self.act(app);
        }
    }

    fn show(&self, app: &App) {
        let status = if self.idle_since.is_some() { PresenceStatus::Away } else { self.said };
        app.presences.show(self.user, self.id, status);
    }

    /// They type: told to those who hear the channel, and dropped where it may not be said.
    pub async fn typing(&mut self, app: &App, typing: Typing) {
        let Typing { channel_id, parent_id } = typing;
        if !self.may_type(channel_id, parent_id) {
            return;
        }
        let user_id = self.user;
        let admitted = access::admit(&mut app.db.read(), user_id, channel_id).await;
        if !admitted.is_ok_and(|it| it.role().is_some() && !it.is_archived()) {
            return;
        }
        let parent_id = match parent_id {
            None => None,
            Some(parent) => match messages::find(&mut app.db.read(), user_id, parent).await {
                // A message of another channel would tell people here of what stands there.
                Ok((_, message)) if message.channel_id == channel_id && message.deleted_at.is_none() => {
                    Some(message.parent_id.unwrap_or(message.id))
                }
                _ => return,
            },
        };
        app.bus.signal(Signal::Typing { channel_id, user_id, parent_id }).await;
    }

    fn may_type(&mut self, channel: ChannelId, parent: Option<MessageId>) -> bool {
        self.typed.retain(|it| it.2.elapsed() < TYPING_EVERY);
        let is_known = self.typed.iter().any(|it| (it.0, it.1) == (channel, parent));
        if is_known || self.typed.len() >= PLACES {
            return false;
        }
        self.typed.push((channel, parent, Instant::now()));
        true
    }
}
