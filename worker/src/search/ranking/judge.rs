//! The order of hits, by all that is known of each: its own words and vector, what stands around it, and for a question what
//! was said in the dialogue that it is part of.

use std::collections::{HashMap, HashSet};

use confab_core::messages::Line;
use confab_protocol::MessageId;

use super::{Hits, LEAST_COSINE};
use crate::index::analysis::Analysis;
use crate::index::schema::{FILE, LINK, has_link};
use crate::search::conversations::Conversations;
use crate::search::find::Wanted;
use crate::search::fusion::{self, DEPTH, Evidence, Lists};
use crate::search::terms::Terms;

pub(super) struct Judge<'h> {
    pub hits: &'h Hits,
    pub wanted: &'h Wanted,
    /// Hits whose dialogues were read; none but for a question.
    pub far: &'h [MessageId],
    pub is_question: bool,
}

/// What stands around each place, as places.
struct Around {
    windows: Vec<Vec<usize>>,
    dialogues: Vec<Vec<usize>>,
}

impl Judge<'_> {
    /// The hits in their order. For a question what stands around them too: an answer seldom repeats its words.
    pub fn order(&self, among: &Conversations, terms: Option<&Terms>, analysis: &Analysis) -> Vec<MessageId> {
        let own: HashSet<usize> = self.own().filter_map(|id| among.place(id)).collect();
        let dialogues = self.far.iter().filter_map(|id| among.place(*id)).flat_map(|at| among.dialogue(at));
        let mut places: Vec<usize> = own.iter().flat_map(|at| among.window(*at)).chain(dialogues).collect();
        places.sort_unstable();
        places.dedup();
        let around = Around {
            windows: places.iter().map(|at| among.window(*at)).collect(),
            dialogues: places.iter().map(|at| among.dialogue(*at)).collect(),
        };
        let evidence = self.evidence(among, &places, &around, terms, analysis);
        let of = |value: fn(&Evidence) -> f32| best(among, &places, &evidence, value);
        let lists = Lists {
            words: self.hits.words.iter().map(|hit| hit.id).collect(),
            window_words: of(|it| it.window_words),
            meaning: self.hits.near().map(|near| near.id).collect(),
            window_meaning: of(|it| it.window_meaning),
        };
        let fused = lists.fused();
        // Words say more than a cosine does: where there are any, what is near counts by its rank.
        let is_wordless = self.hits.words.is_empty();
        let scored = places.iter().zip(evidence).filter_map(|(at, evidence)| {
            let line = &among.lines[*at];
            let is_shown = (self.is_question || own.contains(at)) && self.allows(line);
            let score = fused.get(&line.id).copied();
            let is_known =
                score.is_some() || evidence.dialogue_words > 0.0 || evidence.dialogue_meaning >= LEAST_COSINE;
            let support = among.support(&fused, *at);
            let gain = if is_wordless { fusion::by_itself(evidence.meaning) } else { 0.0 };
            let score = if self.is_question {
                Evidence { support, ..evidence }.answers(&line.content)
            } else {
                support.lift(score.unwrap_or_default())
            };
            (is_shown && is_known).then_some((line.id, score + gain))
        });
        fusion::ranked(scored).into_iter().map(|(id, _)| id).collect()
    }

    /// Messages that were found themselves.
    fn own(&self) -> impl Iterator<Item = MessageId> {
        let words = self.hits.words.iter().map(|hit| hit.id);
        words.chain(self.hits.near().map(|near| near.id))
    }

    fn evidence(
        &self,
        among: &Conversations,
        places: &[usize],
        around: &Around,
        terms: Option<&Terms>,
        analysis: &Analysis,
    ) -> Vec<Evidence> {
        let none = || vec![0.0; places.len()];
        let (window_words, dialogue_words) = match terms.filter(|_| !self.hits.words.is_empty()) {
            Some(terms) => {
                let counted: Vec<_> =
                    among.lines.iter().map(|line| terms.counted(analysis, &line.content)).collect();
                (terms.scores(&counted, &around.windows), terms.scores(&counted, &around.dialogues))
            }
            None => (none(), none()),
        };
        let cosines: HashMap<MessageId, f32> =
            self.hits.near.iter().map(|near| (near.id, near.score)).collect();
        let words: HashMap<MessageId, f32> = self.hits.words.iter().map(|hit| (hit.id, hit.score)).collect();
        let of = |known: &HashMap<MessageId, f32>, at: usize| {
            known.get(&among.lines[at].id).copied().unwrap_or(0.0)
        };
        // About the cosine of their mean: unlike messages' mean is as long as the root of their number is small.
        let together = |group: &[usize]| {
            group.iter().map(|at| of(&cosines, *at)).sum::<f32>() / (group.len().max(1) as f32).sqrt()
        };
        let best_words = most(self.hits.words.iter().map(|hit| hit.score));
        let best_window = most(window_words.iter().copied());
        let best_dialogue = most(dialogue_words.iter().copied());
        let judged = places.iter().enumerate().map(|(number, at)| Evidence {
            words: of(&words, *at) / best_words,
            window_words: window_words[number] / best_window,
            dialogue_words: dialogue_words[number] / best_dialogue,
            meaning: of(&cosines, *at),
            window_meaning: together(&around.windows[number]),
            dialogue_meaning: together(&around.dialogues[number]),
            ..Evidence::default()
        });
        judged.collect()
    }

    /// The index and the vectors obey these themselves; what stands around hits is held against them here.
    fn allows(&self, line: &Line) -> bool {
        let wanted = self.wanted;
        let has = |has: &&str| match *has {
            LINK => has_link(&line.content),
            FILE => line.has_attachments,
            // Those that fit were named before.
            _ => wanted.only.is_some(),
        };
        (wanted.senders.is_empty() || wanted.senders.contains(&line.sender_id))
            && wanted.since.is_none_or(|since| line.created_at >= since)
            && wanted.until.is_none_or(|until| line.created_at < until)
            && wanted.has.iter().all(has)
            && wanted.only.as_ref().is_none_or(|only| only.contains(&line.id))
    }
}

/// The greatest, and never zero: others are divided by it.
fn most(scores: impl Iterator<Item = f32>) -> f32 {
    scores.fold(f32::MIN_POSITIVE, f32::max)
}

/// Messages by one kind of evidence, the best first; those without any are left out.
fn best(
    among: &Conversations,
    places: &[usize],
    evidence: &[Evidence],
    value: fn(&Evidence) -> f32,
) -> Vec<MessageId> {
    let scores = places.iter().zip(evidence).map(|(at, evidence)| (among.lines[*at].id, value(evidence)));
    let ranked = fusion::ranked(scores.filter(|(_, score)| *score > 0.0));
    ranked.into_iter().take(DEPTH).map(|(id, _)| id).collect()
}
