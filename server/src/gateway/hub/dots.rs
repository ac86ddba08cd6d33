//! Who shows as what: told in batches, and known for who comes next.
//!
//! What changes within a pause leaves as one write a socket. A change that was told to all is in the state that the next
//! socket is greeted with, and one that was not yet told will be told to it: nothing falls between.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use confab_protocol::gateway::{Presence, PresenceStatus};
use confab_protocol::{ChannelId, Timestamp, UserId};
use serde_json::json;

use crate::gateway::wire::frame;

/// Dots in a `ready` frame; the first screen shows fewer (docs/limits.md).
const AROUND: usize = 500;
/// Dots that are told to a socket at a time, and to all sockets together in a second: ten thousand people who come back at once
/// would be a hundred million frames. The rest waits for the next time, each person once.
const TOLD: usize = 500;
const TOLD_TO_ALL: f64 = 1_000_000.0;
/// However many sockets there are: else news of a crowd would never end.
const FEWEST_TOLD: usize = 16;
/// Between two times. Each time is a write to each socket, so a crowd is told of less often, and of more at once.
const SHORTEST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
const WRITES_A_SECOND: f64 = 10_000.0;
/// Sets of channels for which the greeting's dots are kept, until the next change.
const SETS: usize = 256;

/// Dots on their way to the sockets.
pub struct Told {
    /// All frames behind each other.
    pub frames: Bytes,
    /// The same one by one, and of whom each is.
    pub each: Vec<(UserId, Bytes)>,
}

/// See the module.
#[derive(Default)]
pub struct Dots {
    /// Everybody who is not offline.
    shown: HashMap<UserId, Presence>,
    /// What is to be told, in the order in which people changed first.
    changed: BTreeMap<u64, UserId>,
    waiting: HashMap<UserId, (u64, Presence)>,
    count: u64,
    /// For people of the same channels: the same dots, as JSON without brackets.
    around: HashMap<Vec<ChannelId>, Bytes>,
    /// Who changed while the record is asked who shows.
    changed_since: Option<HashSet<UserId>>,
}

impl Dots {
    /// Somebody's dot or words changed.
    pub fn change(&mut self, presence: Presence) {
        let user = presence.user_id;
        if let Some(changed) = &mut self.changed_since {
            changed.insert(user);
        }
        if let Some((_, waiting)) = self.waiting.get_mut(&user) {
            *waiting = presence;
            return;
        }
        self.count += 1;
        self.changed.insert(self.count, user);
        self.waiting.insert(user, (self.count, presence));
    }

    /// The record is about to be asked who shows, since news were lost: what is heard from here on is newer than its answer.
    pub fn begin_correction(&mut self) {
        self.changed_since = Some(HashSet::new());
    }

    /// What the record says of all who are not offline: whoever shows otherwise, or is about to, is told anew. `None`: they are too
    /// many, and stay as they are.
    pub fn correct(&mut self, all: Option<Vec<Presence>>) {
        let (Some(newer), Some(all)) = (self.changed_since.take(), all) else { return };
        let around: HashSet<UserId> = all.iter().map(|presence| presence.user_id).collect();
        let known = self.shown.keys().chain(self.waiting.keys());
        let gone: HashSet<UserId> =
            known.filter(|user| !around.contains(user) && !newer.contains(user)).copied().collect();
        for user_id in gone {
            self.change(Presence { user_id, status: PresenceStatus::Offline, text: None, expires_at: None });
        }
        for presence in all {
            let user = presence.user_id;
            let known = self.waiting.get(&user).map(|it| &it.1).or_else(|| self.shown.get(&user));
            if !newer.contains(&user) && known != Some(&presence) {
                self.change(presence);
            }
        }
    }

    /// Whether something is to be told.
    pub fn has_news(&self) -> bool {
        !self.changed.is_empty()
    }

    /// How long after one time the next one is.
    pub fn pause(sockets: usize) -> Duration {
        Duration::from_secs_f64(sockets as f64 / WRITES_A_SECOND).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
    }

    /// Whether somebody is known not to be offline.
    pub fn shows(&self, user: UserId) -> bool {
        self.shown.contains_key(&user)
    }

    /// Who may see whom has changed.
    pub fn forget_around(&mut self) {
        self.around.clear();
    }

    /// What is to be told to all who hear now; `each` is called with everybody of whom it is. From here on it is known.
    pub fn tell(&mut self, sockets: usize, mut each: impl FnMut(&Presence)) -> Told {
        let most = TOLD_TO_ALL * Self::pause(sockets).as_secs_f64() / sockets.max(1) as f64;
        let most = (most as usize).clamp(FEWEST_TOLD, TOLD);
        let (mut frames, mut places) = (Vec::new(), Vec::new());
        for _ in 0..most {
            let Some((_, user)) = self.changed.pop_first() else { break };
            let Some((_, presence)) = self.waiting.remove(&user) else { continue };
            let text = json!({ "op": "signal", "t": "presence", "d": presence }).to_string();
            let begin = frames.len();
            frames.extend_from_slice(&frame::text(text.as_bytes()));
            places.push((user, begin..frames.len()));
            each(&presence);
            if presence.status == PresenceStatus::Offline {
                self.shown.remove(&user);
            } else {
                self.shown.insert(user, presence);
            }
        }
        self.around.clear();
        let frames = Bytes::from(frames);
        let each = places.into_iter().map(|(user, place)| (user, frames.slice(place))).collect();
        Told { frames, each }
    }

    /// Who of `people` is here, those of the same channels. `people` is asked only when it is not known already.
    pub fn around(&mut self, mut channels: Vec<ChannelId>, people: impl Iterator<Item = UserId>) -> Bytes {
        channels.sort_unstable();
        if let Some(known) = self.around.get(&channels) {
            return known.clone();
        }
        let mut seen = HashSet::new();
        let mut text = String::new();
        let now = Timestamp::now();
        for user in people {
            let Some(presence) = self.shown.get(&user) else { continue };
            if !seen.insert(user) {
                continue;
            }
            if seen.len() > 1 {
                text.push(',');
            }
            let is_over = presence.expires_at.is_some_and(|at| at <= now);
            // Words whose time is over are gone before that is told.
            let said = if is_over {
                json!(Presence { text: None, expires_at: None, ..presence.clone() })
            } else {
                json!(presence)
            };
            let _ = write!(text, "{said}");
            if seen.len() >= AROUND {
                break;
            }
        }
        let text = Bytes::from(text);
        if self.around.len() < SETS {
            self.around.insert(channels, text.clone());
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shows(user: UserId, status: PresenceStatus) -> Presence {
        Presence { user_id: user, status, text: None, expires_at: None }
    }

    #[test]
    fn a_change_is_told_once_and_known_from_then_on() {
        let (mut dots, ada, room) = (Dots::default(), UserId::new(), ChannelId::new());
        let around = |dots: &mut Dots| dots.around(vec![room], [ada, ada].into_iter());
        dots.change(shows(ada, PresenceStatus::Online));
        dots.change(shows(ada, PresenceStatus::Busy));
        assert!(around(&mut dots).is_empty(), "it will be told");
        let told = dots.tell(1, |_| {});
        assert_eq!(String::from_utf8_lossy(&told.frames).matches("signal").count(), 1);
        assert!(!dots.has_news());
        let known = around(&mut dots);
        assert_eq!(String::from_utf8_lossy(&known).matches("busy").count(), 1, "{known:?}");
        dots.change(shows(ada, PresenceStatus::Offline));
        dots.tell(1, |_| {});
        assert!(around(&mut dots).is_empty());
    }

    #[test]
    fn what_was_lost_is_told_when_the_record_says_it() {
        let mut dots = Dots::default();
        let [ada, bob, eve, rex, zoe] = std::array::from_fn(|_| UserId::new());
        for user in [ada, bob, eve] {
            dots.change(shows(user, PresenceStatus::Online));
        }
        dots.tell(1, |_| {});
        // Heard of, and not told yet: what came behind it was lost.
        dots.change(shows(ada, PresenceStatus::Offline));
        dots.change(shows(zoe, PresenceStatus::Online));
        dots.begin_correction();
        // Heard while the record was asked, so newer than what it said.
        dots.change(shows(eve, PresenceStatus::Offline));
        dots.correct(Some(vec![
            shows(ada, PresenceStatus::Online),
            shows(eve, PresenceStatus::Online),
            shows(rex, PresenceStatus::Away),
        ]));
        let mut told = Vec::new();
        dots.tell(1, |presence| told.push((presence.user_id, presence.status)));
        let news = [
            (ada, PresenceStatus::Online),
            (zoe, PresenceStatus::Offline),
            (eve, PresenceStatus::Offline),
            (bob, PresenceStatus::Offline),
            (rex, PresenceStatus::Away),
        ];
        assert_eq!(told, news);
        dots.correct(Some(Vec::new()));
        assert!(!dots.has_news(), "nobody asked");
    }

    #[test]
    fn a_crowd_is_told_of_in_parts() {
        let mut dots = Dots::default();
        for _ in 0..600 {
            dots.change(shows(UserId::new(), PresenceStatus::Online));
        }
        let mut times = 0;
        while dots.has_news() {
            dots.tell(if times < 3 { 2_500 } else { 10_000 }, |_| {});
            times += 1;
        }
        assert_eq!(times, 6);
    }

    #[test]
    fn a_crowd_is_told_less_often() {
        let pauses = [0, 2_500, 10_000, 1_000_000].map(Dots::pause);
        assert_eq!(pauses, [SHORTEST_PAUSE, SHORTEST_PAUSE, Duration::from_secs(1), LONGEST_PAUSE]);
    }
}
