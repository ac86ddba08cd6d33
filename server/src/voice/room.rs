//! Who is in one room, by what all servers say of it.
//!
//! Each server speaks for its own people only, and all compute the same from the same words. So nobody has to ask
//! before they let somebody in: when two servers gave away the last place at once, both see who has to go.

use std::collections::HashMap;

use confab_core::bus::VoicePlace;
use confab_protocol::{ParticipantId, UserId, VoiceParticipant};

/// Those who are in: one place a person, the last one taken; and no more than `limit`, who came first. In the order in
/// which they came.
pub fn merged<'a>(places: impl Iterator<Item = &'a VoicePlace>, limit: usize) -> Vec<VoicePlace> {
    let mut by_person: HashMap<UserId, &VoicePlace> = HashMap::new();
    for place in places {
        let kept = by_person.entry(place.participant.user_id).or_insert(place);
        if rank(place) > rank(kept) {
            *kept = place;
        }
    }
    let mut merged: Vec<VoicePlace> = by_person.into_values().cloned().collect();
    merged.sort_unstable_by_key(rank);
    merged.truncate(limit);
    merged
}

fn rank(place: &VoicePlace) -> (u64, ParticipantId) {
    (place.order, place.participant.participant_id)
}

/// What is different between two looks at a room.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Difference {
    pub came: Vec<VoiceParticipant>,
    pub changed: Vec<VoiceParticipant>,
    pub went: Vec<VoiceParticipant>,
}

impl Difference {
    /// From `before` to `now`.
    pub fn between(before: &[VoicePlace], now: &[VoicePlace]) -> Self {
        let find = |places: &[VoicePlace], id| {
            places.iter().map(|it| &it.participant).find(|it| it.participant_id == id).cloned()
        };
        let mut difference = Self::default();
        for VoicePlace { participant, .. } in now {
            match find(before, participant.participant_id) {
                None => difference.came.push(participant.clone()),
                Some(known) if known != *participant => difference.changed.push(participant.clone()),
                Some(_) => {}
            }
        }
        let is_gone = |it: &&VoicePlace| find(now, it.participant.participant_id).is_none();
        difference.went = before.iter().filter(is_gone).map(|it| it.participant.clone()).collect();
        difference
    }

    /// Nothing is.
    pub fn is_empty(&self) -> bool {
        self.came.is_empty() && self.changed.is_empty() && self.went.is_empty()
    }

    /// Whether nothing changed but who speaks.
    pub fn is_only_speech(&self, before: &[VoicePlace]) -> bool {
        self.came.is_empty()
            && self.went.is_empty()
            && self.changed.iter().all(|now| {
                before
                    .iter()
                    .any(|it| it.participant == VoiceParticipant { speaking: !now.speaking, ..now.clone() })
            })
    }
}

#[cfg(test)]
mod tests {
    use confab_core::bus::VoicePlace;
    use confab_protocol::{ParticipantId, Timestamp, UserId, VoiceParticipant};

    use super::{Difference, merged};

    fn place(order: u64, user: UserId) -> VoicePlace {
        let participant = VoiceParticipant {
            participant_id: ParticipantId::new(),
            user_id: user,
            muted: false,
            deafened: false,
            speaking: false,
            sharing: false,
            joined_at: Timestamp::now(),
        };
        VoicePlace { order, participant }
    }

    #[test]
    fn everybody_has_one_place_and_the_first_ones_stay() {
        let (ada, bob, eve) = (UserId::new(), UserId::new(), UserId::new());
        let (first, second, third) = (place(1, ada), place(2, bob), place(3, eve));
        let again = place(4, ada);
        let all = [again.clone(), third.clone(), first.clone(), second.clone()];
        assert_eq!(merged(all.iter(), 9), [second.clone(), third.clone(), again.clone()], "the newer of two");
        assert_eq!(merged(all.iter(), 2), [second.clone(), third], "who came last finds no room");
        // Two servers that gave away one place at once agree on whose it is.
        let (left, right) = (place(3, eve), place(3, UserId::new()));
        let there = merged([&first, &second, &left, &right].into_iter(), 3);
        assert_eq!(there, merged([&right, &left, &second, &first].into_iter(), 3));
        assert_eq!(there.len(), 3);
    }

    #[test]
    fn what_changed_is_told_and_speech_is_known_as_such() {
        let (ada, bob) = (place(1, UserId::new()), place(2, UserId::new()));
        let mut louder = ada.clone();
        louder.participant.speaking = true;
        let before = [ada.clone()];
        let speech = Difference::between(&before, std::slice::from_ref(&louder));
        assert!(!speech.is_empty() && speech.is_only_speech(&before), "{speech:?}");
        louder.participant.muted = true;
        assert!(!Difference::between(&before, std::slice::from_ref(&louder)).is_only_speech(&before));
        let turn = Difference::between(&before, std::slice::from_ref(&bob));
        assert_eq!((turn.came, turn.went), (vec![bob.participant], vec![ada.participant]));
        assert!(Difference::between(&before, &before).is_empty());
    }
}
