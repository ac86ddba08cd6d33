//! One room: the sockets of this server, what other servers said of theirs, and what follows from both.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use confab_core::bus::VoicePlace;
use confab_protocol::voice::{ParticipantLeft, VoiceServerFrame};
use confab_protocol::{ParticipantId, VoiceParticipant};
use tokio_tungstenite::tungstenite::Utf8Bytes;
use uuid::Uuid;

use crate::gateway::outbox::{Item, Outbox, REPLACED, ROOM_FULL};
use crate::voice::room::{Difference, merged};

/// Those who look at the channel are told this long after something changed, and of what changed meanwhile with it.
const TELL_AFTER: Duration = Duration::from_millis(250);
/// The same when nothing changed but who speaks.
const TELL_SPEECH_AFTER: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Default)]
pub(super) struct Room {
    pub sockets: Vec<Attached>,
    /// What other servers said last.
    pub elsewhere: HashMap<Uuid, Elsewhere>,
    /// As those who are in were told.
    pub shown: Vec<VoicePlace>,
    pub tell_at: Option<Instant>,
    /// As other servers were told of the sockets here.
    pub said: Vec<VoicePlace>,
}

/// A socket here, and the place of its person, once they joined.
pub(super) struct Attached {
    pub outbox: Arc<Outbox>,
    pub place: Option<VoicePlace>,
}

/// What another server said.
pub(super) struct Elsewhere {
    pub number: u64,
    pub seen: Instant,
    pub places: Vec<VoicePlace>,
}

impl Room {
    pub fn here(&self) -> impl Iterator<Item = &VoicePlace> {
        self.sockets.iter().filter_map(|it| it.place.as_ref())
    }

    pub fn places(&self) -> impl Iterator<Item = &VoicePlace> {
        self.here().chain(self.elsewhere.values().flat_map(|it| &it.places))
    }

    /// Other servers have not heard how it is here.
    pub fn is_unsaid(&self) -> bool {
        !self.here().eq(&self.said)
    }

    pub fn participants(&self) -> Vec<VoiceParticipant> {
        self.shown.iter().map(|it| it.participant.clone()).collect()
    }

    pub fn socket_of(&self, participant: ParticipantId) -> Option<&Arc<Outbox>> {
        let is_theirs = |it: &&Attached| {
            it.place.as_ref().is_some_and(|place| place.participant.participant_id == participant)
        };
        self.sockets.iter().find(is_theirs).map(|it| &it.outbox)
    }

    /// Works out who is in, sends away whoever is not any more, and tells those who are. Answers how soon the others are
    /// to be told, if anything changed.
    pub fn settle(&mut self, limit: usize) -> Option<Duration> {
        let now = merged(self.places(), limit);
        for attached in &mut self.sockets {
            let Some(place) = &attached.place else { continue };
            let mine = &place.participant;
            if now.iter().any(|it| it.participant.participant_id == mine.participant_id) {
                continue;
            }
            let is_replaced = now.iter().any(|it| it.participant.user_id == mine.user_id);
            attached.outbox.push(Item::Close(if is_replaced { REPLACED } else { ROOM_FULL }));
            attached.place = None;
        }
        let difference = Difference::between(&self.shown, &now);
        if difference.is_empty() {
            return None;
        }
        let wait = if difference.is_only_speech(&self.shown) { TELL_SPEECH_AFTER } else { TELL_AFTER };
        self.shown = now;
        for it in &difference.went {
            let (participant_id, user_id) = (it.participant_id, it.user_id);
            let left = VoiceServerFrame::ParticipantLeft(ParticipantLeft { participant_id, user_id });
            self.tell(&difference.came, &left);
        }
        for it in &difference.came {
            self.tell(&difference.came, &VoiceServerFrame::ParticipantJoined(it.clone()));
        }
        for it in &difference.changed {
            self.tell(&difference.came, &VoiceServerFrame::ParticipantUpdated(it.clone()));
        }
        Some(wait)
    }

    /// Everybody in the room here, but those who came just now: what they find is told by `joined`.
    fn tell(&self, came: &[VoiceParticipant], frame: &VoiceServerFrame) {
        let Ok(text) = serde_json::to_string(frame) else { return };
        let text = Utf8Bytes::from(text);
        let has_come =
            |place: &VoicePlace| came.iter().any(|it| it.participant_id == place.participant.participant_id);
        for attached in self.sockets.iter().filter(|it| it.place.as_ref().is_some_and(|it| !has_come(it))) {
            attached.outbox.push(Item::Frame(text.clone()));
        }
    }
}
