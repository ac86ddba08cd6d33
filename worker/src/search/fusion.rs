//! One ranking out of four: messages and windows, by words and by meaning.
//!
//! Ranks are added, not scores: those of words and of vectors have no common unit. What stands in a conversation where
//! other messages were found too is lifted, and for a question, what looks like an answer. All numbers were fitted on chat
//! that the figures of search are not measured on; the reasons for each stand in the project's notes on search quality.

mod answer;

use std::collections::HashMap;

use confab_protocol::MessageId;

pub use answer::{Evidence, is_question};

/// How fast a place in a list loses weight.
const K: f32 = 20.0;
/// Of neighbours' support, against what a message has itself.
const SUPPORT: f32 = 0.1;
/// Of a second model's order, against the first. Chosen on the excerpt of `ops/eval`, by all of its days.
const SECOND: f32 = 0.5;
/// The cosine of a message to its question from which on it is what was asked for by what it says itself, not by what was said
/// around it. In real chat few answers are so near.
const NEAR_COSINE: f32 = 0.5;
/// What a score gains for each cosine beyond [`NEAR_COSINE`], where nothing was found by words. To be tuned by `ops/eval`; how it
/// was chosen stands in `docs/quality.md`.
const NEAR_WEIGHT: f32 = 1.0;
/// Messages before and after one that support it.
pub const SUPPORTERS: usize = 6;
/// Hits of each list that count.
pub const DEPTH: usize = 100;

/// What the four lists found, each the best first. A list that is not available is empty: the others rank without it.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    /// Messages by their words.
    pub words: Vec<MessageId>,
    /// Windows by their words, each by the message that it is around.
    pub window_words: Vec<MessageId>,
    /// Messages by their vectors.
    pub meaning: Vec<MessageId>,
    /// Windows by their vectors.
    pub window_meaning: Vec<MessageId>,
}

impl Lists {
    /// What each list says of each message together.
    #[must_use]
    pub fn fused(&self) -> HashMap<MessageId, f32> {
        let weighed = [
            (&self.words, 1.0),
            (&self.window_words, 1.5),
            (&self.meaning, 1.0),
            (&self.window_meaning, 0.7),
        ];
        let mut scores = HashMap::new();
        for (list, weight) in weighed {
            for (rank, id) in (1_u16..).zip(list.iter().take(DEPTH)) {
                *scores.entry(*id).or_insert(0.0) += weight / (K + f32::from(rank));
            }
        }
        scores
    }
}

/// How much the messages around one were found, before it and after it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Support {
    /// Of those before it.
    pub before: f32,
    /// Of those after it.
    pub after: f32,
}

impl Support {
    /// Of the message at `at` among its channel's, of which `ids` holds [`SUPPORTERS`] on each side if there are so many.
    #[must_use]
    pub fn of(scores: &HashMap<MessageId, f32>, ids: &[MessageId], at: usize) -> Self {
        let sum = |ids: &[MessageId]| ids.iter().filter_map(|id| scores.get(id)).sum();
        let (before, rest) = ids.split_at(at.min(ids.len()));
        let after = rest.get(1..).unwrap_or_default();
        Self {
            before: sum(&before[before.len().saturating_sub(SUPPORTERS)..]),
            after: sum(&after[..after.len().min(SUPPORTERS)]),
        }
    }

    /// Both sides.
    #[must_use]
    pub fn all(self) -> f32 {
        self.before + self.after
    }

    /// A message's own score, lifted.
    #[must_use]
    pub fn lift(self, score: f32) -> f32 {
        score + SUPPORT * self.all()
    }
}

/// What a message gains by its own cosine where nothing was found by words: else a conversation in which something like it is said
/// comes before the one message that says it.
#[must_use]
pub fn by_itself(cosine: f32) -> f32 {
    NEAR_WEIGHT * (cosine - NEAR_COSINE).max(0.0)
}

/// The order on which a second model and the first one agree: places in both are added. `near` is what the second one says of
/// those that it read; of others it says nothing, and they stay where they were.
#[must_use]
pub fn agreed(first: &[MessageId], near: &HashMap<MessageId, f32>) -> Vec<MessageId> {
    let places: Vec<usize> = (0..first.len()).filter(|place| near.contains_key(&first[*place])).collect();
    let mut read: Vec<MessageId> = places.iter().map(|place| first[*place]).collect();
    read.sort_by(|one, other| near[other].total_cmp(&near[one]));
    let second: HashMap<MessageId, usize> = read.into_iter().zip(places).collect();
    let share = |place: usize| 1.0 / (K + place as f32 + 1.0);
    let mut scored: Vec<(MessageId, f32)> = (0..)
        .zip(first)
        .map(|(place, id)| (*id, share(place) + SECOND * share(second.get(id).copied().unwrap_or(place))))
        .collect();
    // Stable: among equals the first order stays.
    scored.sort_by(|one, other| other.1.total_cmp(&one.1));
    scored.into_iter().map(|(id, _)| id).collect()
}

/// The best first; among equals the newest.
#[must_use]
pub fn ranked(scores: impl IntoIterator<Item = (MessageId, f32)>) -> Vec<(MessageId, f32)> {
    let mut ranked: Vec<(MessageId, f32)> = scores.into_iter().collect();
    ranked.sort_by(|(one, its), (other, others)| others.total_cmp(its).then(other.cmp(one)));
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn ids<const N: usize>(numbers: [u128; N]) -> Vec<MessageId> {
        numbers.iter().map(|number| MessageId(Uuid::from_u128(*number))).collect()
    }

    fn close(one: f32, other: f32) -> bool {
        (one - other).abs() < 1e-6
    }

    #[test]
    fn what_several_lists_find_comes_first() {
        let lists = Lists {
            words: ids([1, 2]),
            window_words: ids([3, 2]),
            meaning: ids([2]),
            window_meaning: ids([4]),
        };
        let fused = lists.fused();
        let score = |number| fused[&ids([number])[0]];
        assert!(close(score(1), 1.0 / 21.0));
        assert!(close(score(2), 1.0 / 22.0 + 1.5 / 22.0 + 1.0 / 21.0));
        assert!(close(score(3), 1.5 / 21.0) && close(score(4), 0.7 / 21.0));
        let order: Vec<MessageId> = ranked(fused).into_iter().map(|(id, _)| id).collect();
        assert_eq!(order, ids([2, 3, 1, 4]));
        let words_only = Lists { words: ids([1, 2]), ..Lists::default() };
        let order: Vec<MessageId> = ranked(words_only.fused()).into_iter().map(|(id, _)| id).collect();
        assert_eq!(order, ids([1, 2]), "the rest may be missing");
    }

    #[test]
    fn two_orders_meet_and_what_was_not_read_keeps_its_place() {
        let first = ids([1, 2, 3, 4]);
        assert_eq!(agreed(&first, &HashMap::new()), first);
        let near = |said: &[(u128, f32)]| said.iter().map(|(id, near)| (ids([*id])[0], *near)).collect();
        assert_eq!(agreed(&first, &near(&[(4, 0.9), (3, 0.8), (2, 0.7), (1, 0.6)])), first);
        assert_eq!(agreed(&first, &near(&[(1, 0.0), (2, 0.9), (3, 0.8), (4, 0.1)])), ids([2, 1, 3, 4]));
        assert_eq!(agreed(&first, &near(&[(2, 0.5), (3, 0.9)])), first);
        assert!(agreed(&[], &HashMap::new()).is_empty());
    }

    #[test]
    fn only_so_many_of_a_list_count() {
        let words = (0..500_u128).map(|number| MessageId(Uuid::from_u128(number))).collect();
        assert_eq!(Lists { words, ..Lists::default() }.fused().len(), DEPTH);
    }

    #[test]
    fn neighbours_support_but_do_not_outweigh() {
        let channel: Vec<MessageId> = (0..20).map(|number| MessageId(Uuid::from_u128(number))).collect();
        let scores: HashMap<MessageId, f32> = [(0, 9.0), (3, 1.0), (9, 4.0), (10, 2.0), (15, 3.0), (16, 9.0)]
            .map(|(at, it)| (channel[at], it))
            .into();
        let support = Support::of(&scores, &channel, 9);
        assert_eq!(support, Support { before: 1.0, after: 5.0 });
        assert!(close(support.lift(4.0), 4.6));
        assert_eq!(Support::of(&scores, &channel[..1], 0), Support::default());
        assert_eq!(Support::of(&scores, &[], 3), Support::default());
    }

    #[test]
    fn what_says_it_by_itself_gains_by_that_alone() {
        assert!(by_itself(0.49) == 0.0 && by_itself(-1.0) == 0.0);
        assert!(by_itself(0.9) > by_itself(0.7) && by_itself(0.7) > 0.0);
        let supported = Support { before: 0.2, after: 0.2 };
        let (near, nearer) = (1.0 / 22.0, 1.0 / 21.0);
        assert!(supported.lift(near) > nearer, "by ranks alone");
        assert!(supported.lift(near) + by_itself(0.45) < nearer + by_itself(0.9));
    }

    #[test]
    fn equals_are_ordered_by_time() {
        let order = ranked(ids([1, 3, 2]).into_iter().map(|id| (id, 1.0)));
        assert_eq!(order.into_iter().map(|(id, _)| id).collect::<Vec<_>>(), ids([3, 2, 1]));
    }
}
