//! What servers tell each other of their voice channels: who is in them at each, and frames for people at another.
//!
//! Nothing of it is in the record: a server says everything again every few seconds, and what it does not say any more
//! is over.

use confab_protocol::{ChannelId, ParticipantId, VoiceParticipant};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Somebody in a room, and their place in the order of coming.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoicePlace {
    /// Grows with each who comes, over all servers that know of each other: clocks of machines differ.
    pub order: u64,
    /// As others see them.
    pub participant: VoiceParticipant,
}

/// See the module.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "snake_case")]
pub enum VoiceWord {
    /// Everybody whom one server has in one room; nobody, when the last of them went.
    Room {
        /// Which server.
        node: Uuid,
        /// Grows with each word of that server: an older one that comes late is no news.
        number: u64,
        /// Which room.
        channel_id: ChannelId,
        /// All of them.
        places: Vec<VoicePlace>,
    },
    /// A server that just came, or missed something, knows nobody: all say their rooms.
    Ask {
        /// Which server.
        node: Uuid,
    },
    /// A server goes; so does everybody there.
    Gone {
        /// Which server.
        node: Uuid,
    },
    /// A frame for somebody at another server, as they will read it.
    Relay {
        /// Which room.
        channel_id: ChannelId,
        /// For whom.
        to: ParticipantId,
        /// The text of the frame.
        frame: String,
    },
}
