//! Who hears what: folded from the log, owned by one task.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use confab_core::bus::Signal;
use confab_protocol::event::Audience as Addressee;
use confab_protocol::{ChannelId, Event, EventKind, SessionId, UserId};
use serde_json::json;
use tokio::sync::{broadcast, mpsc};
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::sync::CancellationToken;

use super::{Command, OnChange, RETURN_SPREAD_MS};
use crate::gateway::outbox::{DRAINING, Item, Outbox, SESSION_ENDED, TOO_MANY};

/// A user who has sockets here.
#[derive(Default)]
struct Present {
    sockets: Vec<Arc<Outbox>>,
    /// Channels and the number since which the user hears them.
    channels: HashMap<ChannelId, i64>,
    /// Numbers of removals seen here: a list read before a removal must not bring it back.
    left: HashMap<ChannelId, i64>,
    /// Sockets that hear already; the others are reading their memberships.
    hearing: Vec<u64>,
}

/// The sockets of this server and what they may hear.
pub(super) struct Audience {
    pos: i64,
    per_user: usize,
    sockets: Arc<AtomicUsize>,
    on_change: OnChange,
    users: HashMap<UserId, Present>,
    /// Present users of each channel.
    channels: HashMap<ChannelId, Vec<UserId>>,
}

impl Audience {
    /// Begins behind position `pos`; `sockets` is kept at the number of signed-in sockets.
    pub fn new(pos: i64, per_user: usize, sockets: Arc<AtomicUsize>, on_change: OnChange) -> Self {
        Self { pos, per_user, sockets, on_change, users: HashMap::new(), channels: HashMap::new() }
    }

    /// Serves until `stop`.
    pub async fn run(
        mut self,
        mut orders: mpsc::Receiver<Command>,
        mut batches: mpsc::Receiver<Vec<(Event, Option<Utf8Bytes>)>>,
        mut signals: broadcast::Receiver<Signal>,
        stop: CancellationToken,
    ) {
        loop {
            tokio::select! {
                Some(command) = orders.recv() => self.obey(command),
                Some(batch) = batches.recv() => {
                    for (event, frame) in batch {
                        self.dispatch(&event, frame);
                    }
                }
                signal = signals.recv() => match signal {
                    Ok(signal) => self.signal(&signal),
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return,
                },
                () = stop.cancelled() => return,
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Begin(outbox, answer) => {
                let present = self.users.entry(outbox.user_id).or_default();
                let has_place = present.sockets.len() < self.per_user;
                if has_place {
                    present.sockets.push(outbox.clone());
                    self.sockets.fetch_add(1, Ordering::Relaxed);
                } else {
                    outbox.push(Item::Close(TOO_MANY));
                }
                let _ = answer.send(has_place);
            }
            Command::Listen(id, user, memberships, answer) => {
                self.listen(id, user, &memberships);
                let _ = answer.send(self.pos);
            }
            Command::End(id, user, answer) => {
                self.end(id, user);
                let _ = answer.send(!self.users.contains_key(&user));
            }
            Command::Whisper(channel, frame) => self.whisper(channel, &frame),
            Command::Drain => {
                for outbox in self.users.values().flat_map(|present| &present.sockets) {
                    let after_ms = rand::random_range(0..RETURN_SPREAD_MS);
                    let frame = json!({ "op": "reconnect", "d": { "after_ms": after_ms } });
                    outbox.push(Item::Frame(frame.to_string().into()));
                    outbox.push(Item::Close(DRAINING));
                }
            }
        }
    }

    fn listen(&mut self, id: u64, user: UserId, memberships: &[(ChannelId, i64)]) {
        let Some(present) = self.users.get_mut(&user) else { return };
        present.hearing.push(id);
        for (channel, from_seq) in memberships {
            if present.left.get(channel).is_some_and(|left| left >= from_seq) {
                continue;
            }
            if present.channels.insert(*channel, *from_seq).is_none() {
                self.channels.entry(*channel).or_default().push(user);
            }
        }
    }

    fn end(&mut self, id: u64, user: UserId) {
        let Some(present) = self.users.get_mut(&user) else { return };
        let before = present.sockets.len();
        present.sockets.retain(|outbox| outbox.id != id);
        present.hearing.retain(|hearing| *hearing != id);
        self.sockets.fetch_sub(before - present.sockets.len(), Ordering::Relaxed);
        if !present.sockets.is_empty() {
            return;
        }
        let channels: Vec<ChannelId> = present.channels.keys().copied().collect();
        self.users.remove(&user);
        for channel in channels {
            self.forget(channel, user);
        }
    }

    fn forget(&mut self, channel: ChannelId, user: UserId) {
        if let Some(users) = self.channels.get_mut(&channel) {
            users.retain(|it| *it != user);
            if users.is_empty() {
                self.channels.remove(&channel);
            }
        }
    }

    /// Applies what an event changes, then hands it on; a removal is handed on first, so that its victim hears it.
    fn dispatch(&mut self, event: &Event, frame: Option<Utf8Bytes>) {
        self.pos = event.pos;
        let subject = UserId(event.ref_id);
        if let (EventKind::MemberJoined, Some(channel), Some(seq)) = (event.kind, event.channel_id, event.seq)
            && let Some(present) = self.users.get_mut(&subject)
            && present.channels.insert(channel, seq).is_none()
        {
            self.channels.entry(channel).or_default().push(subject);
        }
        if let Some(frame) = frame {
            self.hand_out(event, &frame);
        }
        match (event.kind, event.channel_id) {
            (EventKind::MemberLeft, Some(channel)) => {
                if let Some(present) = self.users.get_mut(&subject) {
                    present.channels.remove(&channel);
                    present.left.insert(channel, event.seq.unwrap_or(i64::MAX));
                    self.forget(channel, subject);
                }
                (self.on_change)(event);
            }
            (EventKind::ChannelDeleted, Some(channel)) => {
                for user in self.channels.remove(&channel).unwrap_or_default() {
                    if let Some(present) = self.users.get_mut(&user) {
                        present.channels.remove(&channel);
                    }
                }
                (self.on_change)(event);
            }
            (EventKind::SessionEnded, _) => {
                self.close_session(SessionId(event.ref_id));
                (self.on_change)(event);
            }
            (EventKind::UserUpdated | EventKind::ChannelUpdate | EventKind::PrivacyUpdated, _) => {
                (self.on_change)(event);
            }
            (EventKind::AccessChanged, _) => {
                (self.on_change)(event);
                self.recheck(subject);
            }
            _ => {}
        }
    }

    fn hand_out(&mut self, event: &Event, frame: &Utf8Bytes) {
        match event.audience() {
            Addressee::Channel(channel) => {
                let seq = event.seq.unwrap_or(i64::MAX);
                for user in self.channels.get(&channel).into_iter().flatten() {
                    if let Some(present) = self.users.get(user)
                        && present.channels.get(&channel).is_some_and(|from| *from <= seq)
                    {
                        present.send(event.pos, frame);
                    }
                }
                // Whoever was removed while their list was being read is in no audience any more, but must know it.
                let subject = UserId(event.ref_id);
                if event.kind == EventKind::MemberLeft
                    && let Some(present) = self.users.get(&subject)
                    && !present.channels.contains_key(&channel)
                {
                    present.send(event.pos, frame);
                }
            }
            Addressee::User(user) => {
                if let Some(present) = self.users.get(&user) {
                    present.send(event.pos, frame);
                }
            }
            Addressee::Everyone => {
                for present in self.users.values() {
                    present.send(event.pos, frame);
                }
            }
            Addressee::Servers => {}
        }
    }

    fn close_session(&mut self, session: SessionId) {
        for outbox in self.users.values().flat_map(|present| &present.sockets) {
            if outbox.session_id == session {
                outbox.push(Item::Close(SESSION_ENDED));
            }
        }
    }

    /// Of one user, or of everybody when a role or a policy changed.
    fn recheck(&self, subject: UserId) {
        let one = self.users.get(&subject);
        let all = self.users.values().filter(|_| one.is_none());
        for outbox in one.into_iter().chain(all).flat_map(|present| &present.sockets) {
            outbox.push(Item::Recheck);
        }
    }

    /// Typing goes only to those who hear the channel. Presence goes to everyone here: names and dots are no secret
    /// among people who can all look each other up.
    fn signal(&mut self, signal: &Signal) {
        match signal {
            Signal::Typing { channel_id, user_id, parent_id } => {
                let mut d = json!({ "user_id": user_id });
                if let Some(parent) = parent_id {
                    d["parent_id"] = json!(parent);
                }
                let frame = json!({ "op": "signal", "t": "typing", "channel_id": channel_id, "d": d });
                let frame = Utf8Bytes::from(frame.to_string());
                for user in self.channels.get(channel_id).into_iter().flatten().filter(|it| *it != user_id) {
                    self.users.get(user).into_iter().for_each(|present| present.whisper(&frame));
                }
            }
            Signal::Presence(presence) => {
                let frame = json!({ "op": "signal", "t": "presence", "d": presence });
                let frame = Utf8Bytes::from(frame.to_string());
                for present in self.users.values() {
                    present.whisper(&frame);
                }
            }
            // For servers; what people are told comes by `whisper`.
            Signal::Voice(_) => {}
        }
    }

    /// Something that may be lost, for those who hear a channel.
    fn whisper(&self, channel: ChannelId, frame: &Utf8Bytes) {
        for user in self.channels.get(&channel).into_iter().flatten() {
            self.users.get(user).into_iter().for_each(|present| present.whisper(frame));
        }
    }
}

impl Present {
    fn send(&self, pos: i64, frame: &Utf8Bytes) {
        for outbox in self.sockets.iter().filter(|outbox| self.hearing.contains(&outbox.id)) {
            // A full queue closes that socket alone; it comes back and reads the log.
            outbox.push(Item::Event(pos, frame.clone()));
        }
    }

    fn whisper(&self, frame: &Utf8Bytes) {
        for outbox in self.sockets.iter().filter(|outbox| self.hearing.contains(&outbox.id)) {
            outbox.push_signal(frame.clone());
        }
    }
}
