//! The rooms that this server knows of, and its own sockets in them.
//!
//! A lock is held for a few comparisons, never while anything is waited for: what is to be sent is queued.

mod elsewhere;
mod held;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use confab_core::bus::{VoicePlace, VoiceWord};
use confab_protocol::voice::Join;
use confab_protocol::{
    ChannelId, Event, EventKind, ParticipantId, Timestamp, UserId, VoiceParticipant, VoiceRoom,
};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use uuid::Uuid;

use super::room::merged;
use crate::gateway::outbox::{Item, Outbox};
use crate::gateway::wire::frame;
use held::{Attached, Room};

/// See the module.
pub struct Rooms {
    node: Uuid,
    limit: usize,
    known: Mutex<Known>,
    news: Notify,
}

#[derive(Default)]
struct Known {
    rooms: HashMap<ChannelId, Room>,
    /// Of the last word that this server said.
    number: u64,
    /// When the first of the rooms that changed is told.
    tell_at: Option<Instant>,
}

/// Where a frame for somebody goes.
pub enum Target {
    /// To a socket of this server.
    Here(Arc<Outbox>),
    /// To another server.
    Elsewhere,
    /// They are not in the room.
    Nobody,
}

impl Rooms {
    /// No rooms yet; `limit` people find room in each.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { node: confab_protocol::fresh_id(), limit, known: Mutex::default(), news: Notify::new() }
    }

    /// This server.
    pub fn node(&self) -> Uuid {
        self.node
    }

    /// Something is to be told or said.
    pub fn news(&self) -> Notified<'_> {
        self.news.notified()
    }

    fn with<T>(&self, work: impl FnOnce(&mut Known) -> T) -> T {
        work(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A socket came to a channel: from now on it hears when its person may not be there any more.
    pub fn attach(&self, channel: ChannelId, outbox: Arc<Outbox>) {
        self.with(|known| {
            known.rooms.entry(channel).or_default().sockets.push(Attached { outbox, place: None });
        });
    }

    /// It went, and its person with it.
    pub fn detach(&self, channel: ChannelId, socket: u64) {
        self.change_room(channel, |room| room.sockets.retain(|it| it.outbox.id != socket));
    }

    /// Lets the person of a socket in; whoever is in already stays as they are. `None`: the room is full.
    pub fn join(
        &self,
        channel: ChannelId,
        socket: u64,
        join: Join,
    ) -> Option<(ParticipantId, Vec<VoiceParticipant>)> {
        self.change_room(channel, |room| {
            let order = room.places().map(|it| it.order).max().unwrap_or(0) + 1;
            let at = room.sockets.iter().position(|it| it.outbox.id == socket)?;
            let attached = &mut room.sockets[at];
            let was_in = attached.place.is_some();
            let place = attached.place.get_or_insert_with(|| VoicePlace {
                order,
                participant: VoiceParticipant {
                    participant_id: ParticipantId::new(),
                    user_id: attached.outbox.user_id,
                    muted: join.muted,
                    deafened: join.deafened,
                    speaking: false,
                    sharing: false,
                    joined_at: Timestamp::now(),
                },
            });
            let mine = place.participant.participant_id;
            let present = merged(room.places(), self.limit);
            if !was_in && !present.iter().any(|it| it.participant.participant_id == mine) {
                room.sockets[at].place = None;
                return None;
            }
            Some((mine, present.into_iter().map(|it| it.participant).collect()))
        })
    }

    /// Takes the person of a socket out; the socket stays.
    pub fn leave(&self, channel: ChannelId, socket: u64) {
        self.change_room(channel, |room| {
            if let Some(attached) = room.sockets.iter_mut().find(|it| it.outbox.id == socket) {
                attached.place = None;
            }
        });
    }

    /// Changes how the person of a socket shows. `false`: they are not in.
    pub fn change(
        &self,
        channel: ChannelId,
        socket: u64,
        change: impl FnOnce(&mut VoiceParticipant),
    ) -> bool {
        self.change_room(channel, |room| {
            let attached = room.sockets.iter_mut().find(|it| it.outbox.id == socket);
            let Some(place) = attached.and_then(|it| it.place.as_mut()) else { return false };
            change(&mut place.participant);
            // Nobody hears them: whatever their client says.
            place.participant.speaking &= !place.participant.muted;
            true
        })
    }

    /// Who the person of a socket is in the room, and where somebody is whom they name. `None`: they are not in.
    pub fn target(
        &self,
        channel: ChannelId,
        socket: u64,
        to: ParticipantId,
    ) -> Option<(ParticipantId, Target)> {
        self.with(|known| {
            let room = known.rooms.get(&channel)?;
            let from = room.sockets.iter().find(|it| it.outbox.id == socket)?.place.as_ref()?;
            let from = from.participant.participant_id;
            let is_in = to != from && room.shown.iter().any(|it| it.participant.participant_id == to);
            let target = match room.socket_of(to) {
                _ if !is_in => Target::Nobody,
                Some(outbox) => Target::Here(outbox.clone()),
                None => Target::Elsewhere,
            };
            Some((from, target))
        })
    }

    /// Hands on what another server has for somebody here.
    pub fn deliver(&self, channel: ChannelId, to: ParticipantId, frame: &str) {
        self.with(|known| {
            if let Some(outbox) = known.rooms.get(&channel).and_then(|room| room.socket_of(to)) {
                outbox.push(Item::Frame(frame::text(frame.as_bytes())));
            }
        });
    }

    /// Who may be in a channel changed, perhaps: its sockets here ask again.
    pub fn heed(&self, event: &Event) {
        let Some(channel) = event.channel_id else { return };
        let subject = (event.kind == EventKind::MemberLeft).then_some(UserId(event.ref_id));
        self.with(|known| {
            let sockets = known.rooms.get(&channel).into_iter().flat_map(|room| &room.sockets);
            for attached in sockets.filter(|it| subject.is_none_or(|user| user == it.outbox.user_id)) {
                attached.outbox.push(Item::Recheck);
            }
        });
    }

    /// When the next room is to be told to those who look at its channel.
    pub fn tell_at(&self) -> Option<Instant> {
        self.with(|known| known.tell_at)
    }

    /// The rooms that are to be told now.
    pub fn due(&self) -> Vec<(ChannelId, Vec<VoiceParticipant>)> {
        let now = Instant::now();
        self.with(|known| {
            let mut due = Vec::new();
            for (channel, room) in &mut known.rooms {
                if room.tell_at.is_some_and(|at| at <= now) {
                    room.tell_at = None;
                    due.push((*channel, room.participants()));
                }
            }
            known.tell_at = known.rooms.values().filter_map(|room| room.tell_at).min();
            for (channel, _) in &due {
                known.tidy(*channel);
            }
            due
        })
    }

    /// Who is in a channel.
    pub fn room(&self, channel: ChannelId) -> VoiceRoom {
        let participants =
            self.with(|known| known.rooms.get(&channel).map(Room::participants).unwrap_or_default());
        VoiceRoom { channel_id: channel, participants, participants_limit: self.limit as u32 }
    }

    /// Channels in which somebody is.
    pub fn occupied(&self) -> Vec<ChannelId> {
        self.with(|known| {
            let rooms = known.rooms.iter().filter(|(_, room)| !room.shown.is_empty());
            rooms.map(|(channel, _)| *channel).collect()
        })
    }

    /// Every change of a room: what follows from it is told to those who are in, and remembered for the others.
    fn change_room<T>(&self, channel: ChannelId, change: impl FnOnce(&mut Room) -> T) -> T {
        self.with(|known| {
            let room = known.rooms.entry(channel).or_default();
            let answer = change(room);
            if let Some(wait) = room.settle(self.limit) {
                let at = Instant::now() + wait;
                room.tell_at = Some(room.tell_at.map_or(at, |known| known.min(at)));
                known.tell_at = known.tell_at.into_iter().chain(room.tell_at).min();
                self.news.notify_one();
            }
            known.tidy(channel);
            answer
        })
    }
}

impl Known {
    fn word(&mut self, node: Uuid, channel: ChannelId) -> VoiceWord {
        self.number += 1;
        let mut places = Vec::new();
        if let Some(room) = self.rooms.get_mut(&channel) {
            places.extend(room.here().cloned());
            places.clone_into(&mut room.said);
        }
        VoiceWord::Room { node, number: self.number, channel_id: channel, places }
    }

    /// An empty room is none.
    fn tidy(&mut self, channel: ChannelId) {
        let is_over = self.rooms.get(&channel).is_some_and(|room| {
            room.sockets.is_empty()
                && room.elsewhere.is_empty()
                && room.shown.is_empty()
                && room.tell_at.is_none()
                && room.said.is_empty()
        });
        if is_over {
            self.rooms.remove(&channel);
        }
    }
}
