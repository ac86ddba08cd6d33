//! What the log and the bus bring: folded into who hears what, and handed on.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use confab_core::bus::Signal;
use confab_core::policies;
use confab_protocol::event::Audience as Addressee;
use confab_protocol::gateway::PresenceStatus;
use confab_protocol::{ChannelId, Event, EventKind, SessionId, Timestamp, UserId};
use serde_json::json;

use super::audience::Audience;
use super::encoded::Encoded;
use super::present::{Listeners, Present};
use crate::gateway::frames::EventFrame;
use crate::gateway::outbox::{Item, Outbox, SESSION_ENDED};
use crate::gateway::wire::frame;

/// What sockets get to write in, once for so many events of a batch: few wait for nobody, and who does not take their turn is cut
/// off in the end, or the others would wait for them.
const TURN: Duration = Duration::from_millis(1);
const EVENTS_A_TURN: usize = 8;

impl Audience {
    /// Hands a batch on. Where many events come at once, behind a bus or a record that was slow for a moment, those whose queues
    /// grow have their turn between two of them: else all of a channel were closed together, and came back together.
    pub async fn hand_on(&mut self, batch: Vec<(Event, Option<EventFrame>)>) {
        let mut turns = 0;
        for (number, (event, frame)) in batch.into_iter().enumerate() {
            let Some(crowded) = self.dispatch(&event, frame) else { continue };
            // No more than belong to the events so far: one that does not come would have those of all that follow it.
            while turns < (number + 1) / EVENTS_A_TURN && crowded.is_crowded() {
                tokio::time::sleep(TURN).await;
                turns += 1;
            }
        }
    }

    /// Applies what an event changes, then hands it on; a removal is handed on first, so that its victim hears it. Answers with a
    /// socket that would rather have its turn before the next one.
    pub fn dispatch(&mut self, event: &Event, frame: Option<EventFrame>) -> Option<Arc<Outbox>> {
        self.pos = event.pos;
        self.figures.head.store(event.pos, Ordering::Release);
        let subject = UserId(event.ref_id);
        if let (EventKind::MemberJoined, Some(channel), Some(seq)) = (event.kind, event.channel_id, event.seq)
        {
            self.join(channel, seq, subject);
        }
        if event.kind == EventKind::MemberJoined {
            self.recheck_one(subject);
        }
        let mut crowded = None;
        if let Some(frame) = frame {
            let encoded = Encoded::new(event, frame);
            self.hand_out(event, &encoded);
            crowded = encoded.into_crowded();
            if event.kind == EventKind::NewMessage && self.figures.sockets.load(Ordering::Relaxed) > 0 {
                let since = Timestamp::now().0 - event.created_at.0;
                self.figures.delivery.took(Duration::from_millis(since.max(0).unsigned_abs()), false);
            }
        }
        match (event.kind, event.channel_id) {
            (EventKind::MemberLeft, Some(channel)) => {
                self.leave(channel, event.seq, subject);
                self.recheck_one(subject);
                (self.on_change)(event);
            }
            (EventKind::ChannelDeleted, Some(channel)) => {
                for user in self.channels.remove(&channel).iter().flat_map(Listeners::people) {
                    if let Some(present) = self.users.get_mut(&user) {
                        present.channels.remove(&channel);
                    }
                    // It may have been the one where they were more than a guest.
                    self.recheck_one(user);
                }
                // Those too whose list is being read, which may be older than this.
                for user in self.users.iter().filter(|it| it.1.is_arriving()).map(|it| *it.0) {
                    self.recheck_one(user);
                }
                (self.on_change)(event);
            }
            (EventKind::RoleUpdated, _) => self.recheck_one(subject),
            (EventKind::SessionEnded, _) => {
                self.close_session(SessionId(event.ref_id));
                (self.on_change)(event);
            }
            (EventKind::UserUpdated | EventKind::ChannelUpdate | EventKind::PrivacyUpdated, _) => {
                (self.on_change)(event);
            }
            (EventKind::AccessChanged, _) => {
                (self.on_change)(event);
                let is_of_one = event.detail.as_deref() != Some(policies::FOR_EVERYBODY);
                self.recheck(is_of_one.then_some(subject));
            }
            _ => {}
        }
        crowded
    }

    fn join(&mut self, channel: ChannelId, seq: i64, user: UserId) {
        self.dots.forget_around();
        if let Some(channels) = self.lingering.get_mut(&user) {
            channels.push(channel);
        }
        if let Some(present) = self.users.get_mut(&user)
            && present.channels.insert(channel, seq).is_none()
        {
            let listeners = self.channels.entry(channel).or_default();
            present.hearing().for_each(|outbox| listeners.add(outbox, seq));
        }
    }

    fn leave(&mut self, channel: ChannelId, seq: Option<i64>, user: UserId) {
        self.dots.forget_around();
        if let Some(channels) = self.lingering.get_mut(&user) {
            channels.retain(|it| *it != channel);
        }
        let Some(present) = self.users.get_mut(&user) else { return };
        present.channels.remove(&channel);
        present.left.insert(channel, seq.unwrap_or(i64::MAX));
        if self.channels.get_mut(&channel).is_some_and(|listeners| !listeners.remove(user)) {
            self.channels.remove(&channel);
        }
    }

    fn hand_out(&self, event: &Event, frame: &Encoded) {
        match event.audience() {
            Addressee::Channel(channel) => {
                let seq = event.seq.unwrap_or(i64::MAX);
                for outbox in self.channels.get(&channel).into_iter().flat_map(|it| it.of(seq)) {
                    frame.push(outbox, event.pos);
                }
                // Whoever was removed while their list was being read is in no audience any more, but must know it.
                let subject = UserId(event.ref_id);
                if event.kind == EventKind::MemberLeft
                    && let Some(present) = self.users.get(&subject)
                    && !present.channels.contains_key(&channel)
                {
                    present.hearing().for_each(|outbox| frame.push(outbox, event.pos));
                }
            }
            Addressee::User(user) => {
                let sockets = self.users.get(&user).into_iter().flat_map(Present::hearing);
                sockets.for_each(|outbox| frame.push(outbox, event.pos));
            }
            Addressee::Everyone => {
                let sockets = self.users.values().flat_map(Present::hearing);
                sockets.for_each(|outbox| frame.push(outbox, event.pos));
            }
            Addressee::Servers => {}
        }
    }

    fn close_session(&self, session: SessionId) {
        for (outbox, _) in self.users.values().flat_map(|present| &present.sockets) {
            if outbox.session_id() == session {
                outbox.push(Item::Close(SESSION_ENDED));
            }
        }
    }

    /// Of one user, who may be connected elsewhere or not at all, or of everybody when a role or a policy changed.
    fn recheck(&mut self, subject: Option<UserId>) {
        for (_, present) in self.users.iter_mut().filter(|it| subject.is_none_or(|one| *it.0 == one)) {
            present.kept = None;
            present.sockets.iter().for_each(|(outbox, _)| outbox.push(Item::Recheck));
        }
    }

    /// Whoever came, went or was given another role may be a guest now, or none any more.
    fn recheck_one(&self, subject: UserId) {
        // Those too that are greeted now: who they are may have been asked a moment before.
        for (outbox, _) in self.users.get(&subject).into_iter().flat_map(|present| &present.sockets) {
            // Until that is known they are: a socket that opens meanwhile goes by this one.
            outbox.set_guest(true);
            outbox.push(Item::Recheck);
        }
    }

    /// Typing goes only to those who hear the channel. Presence goes to everyone here: names and dots are no secret
    /// among people who can all look each other up. What guests may know of it their own sockets ask.
    pub fn signal(&mut self, signal: Signal) {
        match signal {
            Signal::Typing { channel_id, user_id, parent_id } => {
                let mut d = json!({ "user_id": user_id });
                if let Some(parent) = parent_id {
                    d["parent_id"] = json!(parent);
                }
                let text = json!({ "op": "signal", "t": "typing", "channel_id": channel_id, "d": d });
                let frame = frame::text(text.to_string().as_bytes());
                for outbox in self.channels.get(&channel_id).into_iter().flat_map(|it| it.but(user_id)) {
                    outbox.push_signal(frame.clone());
                }
            }
            Signal::Presence(presence) => self.dots.change(presence),
            // For servers; what people are told comes by `whisper`.
            Signal::Voice(_) => {}
            Signal::Unsaid => {
                self.figures.lost_signals.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Something that may be lost, for those who hear a channel.
    pub fn whisper(&self, channel: ChannelId, frame: &Bytes) {
        for outbox in self.channels.get(&channel).into_iter().flat_map(Listeners::sockets) {
            outbox.push_signal(frame.clone());
        }
    }

    pub fn tell_dots(&mut self) {
        let told = self.dots.tell(self.figures.sockets.load(Ordering::Relaxed), |presence| {
            let user = presence.user_id;
            if presence.status == PresenceStatus::Offline {
                self.lingering.remove(&user);
                self.elsewhere.remove(&user);
            } else if !self.users.contains_key(&user) && !self.lingering.contains_key(&user) {
                self.elsewhere.insert(user);
            }
        });
        for outbox in self.users.values().flat_map(Present::hearing) {
            if outbox.is_guest() {
                told.each.iter().for_each(|(user, frame)| outbox.push_signal_of(*user, frame.clone()));
            } else {
                outbox.push_signal(told.frames.clone());
            }
        }
    }
}
