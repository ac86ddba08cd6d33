//! What this server says to the others, and what it takes from their words.

use std::time::Instant;

use confab_core::bus::{VoicePlace, VoiceWord};
use confab_core::presences::LEASE;
use confab_protocol::ChannelId;
use uuid::Uuid;

use super::Rooms;
use super::held::{Elsewhere, Room};

impl Rooms {
    /// What another server says of a room.
    pub fn hear(&self, node: Uuid, number: u64, channel: ChannelId, places: Vec<VoicePlace>) {
        let is_known = self.with(|known| known.rooms.contains_key(&channel));
        if node == self.node || (!is_known && places.is_empty()) {
            return;
        }
        self.change_room(channel, |room| {
            let seen = Instant::now();
            match room.elsewhere.get_mut(&node) {
                Some(known) if known.number > number => {}
                Some(known) => *known = Elsewhere { number, seen, places },
                None => {
                    room.elsewhere.insert(node, Elsewhere { number, seen, places });
                }
            }
        });
    }

    /// A server went, with everybody there.
    pub fn forget(&self, gone: Uuid) {
        if gone != self.node {
            self.drop_elsewhere(|node, _| node == gone);
        }
    }

    /// Forgets servers that have said nothing for too long: they are dead, or cannot be reached, and so are their people.
    pub fn expire(&self) {
        self.drop_elsewhere(|_, it| it.seen.elapsed() > LEASE);
    }

    fn drop_elsewhere(&self, is_over: impl Fn(Uuid, &Elsewhere) -> bool) {
        let channels: Vec<ChannelId> = self.with(|known| {
            let has_one = |room: &Room| room.elsewhere.iter().any(|(node, it)| is_over(*node, it));
            known.rooms.iter().filter(|(_, room)| has_one(room)).map(|(channel, _)| *channel).collect()
        });
        for channel in channels {
            self.change_room(channel, |room| room.elsewhere.retain(|node, it| !is_over(*node, it)));
        }
    }

    /// How a room is here, for the other servers.
    pub fn word(&self, channel: ChannelId) -> VoiceWord {
        self.with(|known| known.word(self.node, channel))
    }

    /// The same for rooms of which they have not heard, or for all where somebody is.
    pub fn words(&self, all: bool) -> Vec<VoiceWord> {
        self.with(|known| {
            let is_wanted = |room: &Room| room.is_unsaid() || (all && room.here().next().is_some());
            let rooms = known.rooms.iter().filter(|(_, room)| is_wanted(room));
            let channels: Vec<ChannelId> = rooms.map(|(channel, _)| *channel).collect();
            let words = channels.iter().map(|channel| known.word(self.node, *channel)).collect();
            for channel in channels {
                known.tidy(channel);
            }
            words
        })
    }
}
