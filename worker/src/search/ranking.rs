//! The order of hits: by words, by meaning, or by both. A part that does not answer is named and done without: somebody who
//! searches while a model is away still finds by words.
//!
//! Hits are judged within their conversations, which are read from the record here: see [`super::conversations`].

use std::collections::{HashMap, HashSet};

use confab_core::assistant::Switches;
use confab_core::messages::{self, Line};
use confab_core::{Db, Fault, Result};
use confab_protocol::MessageId;
use serde::{Deserialize, Serialize};

use super::again::Again;
use super::conversations::{Conversations, REACH};
use super::find::{Found, Wanted, is_prefix};
use super::fusion::{self, DEPTH, Evidence, Lists};
use super::gathered::{Gathered, gathered};
use super::terms::Terms;
use crate::index::Index;
use crate::index::analysis::Analysis;
use crate::index::schema::{FILE, LINK, has_link};
use crate::meaning::{self, Meaning};
use crate::vectors::{MOST_HITS, Near, Nearest};

/// A vector that is farther from the question than this is near to nothing: among a few messages, some are always nearest.
/// Of 24,500 messages of real chat one in 700 is nearer to a question by chance; what a search by meaning finds first gets
/// no better with less, and worse with more.
const LEAST_COSINE: f32 = 0.3;
/// Fewer words are looked up as words unless somebody asks for more: who types one or two wants messages that hold them.
const FEWEST_WORDS: usize = 3;
/// The words of an answer for what did not answer.
const WORDS: &str = "words";
const MEANING: &str = "meaning";
const ORDER: &str = "order";

/// By what messages are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// By their words.
    Keyword,
    /// By what they mean.
    Semantic,
    /// By both.
    Hybrid,
}

impl Mode {
    /// How to answer whoever asks for `asked`.
    pub(super) fn of(asked: Option<Self>, wanted: &Wanted, has_meaning: bool) -> Self {
        // What is quoted must be there word by word; a filter alone has no meaning, nor has the beginning of a word.
        let is_literal = !wanted.phrases.is_empty() || wanted.words.iter().any(|word| is_prefix(word));
        // By time, what is merely near would come before what was meant.
        if wanted.words.is_empty() || is_literal || wanted.is_newest_first {
            return Self::Keyword;
        }
        let is_sentence = wanted.words.len() >= FEWEST_WORDS;
        asked.unwrap_or(if has_meaning && is_sentence { Self::Hybrid } else { Self::Keyword })
    }
}

/// Who is asked.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'p> {
    pub db: &'p Db,
    pub index: &'p Index,
    pub meaning: &'p Meaning,
    /// Where nothing is looked for by its meaning.
    pub switches: &'p Switches,
}

/// What was found, and what could not look.
pub(crate) struct Ranking {
    pub hits: Vec<Gathered>,
    pub unavailable: Vec<String>,
}

/// What the index and the vectors answered.
#[derive(Default)]
struct Hits {
    words: Vec<Found>,
    /// More than count as hits: the cosines of what stands around hits are in it.
    near: Vec<Near>,
    unavailable: Vec<String>,
}

impl Ranking {
    /// Ranks what is nearest, [`DEPTH`] hits of each list at most. `wanted` is left with the words that were looked up.
    ///
    /// # Errors
    /// Those of the index when nothing else could look either; those of the record.
    pub async fn of(asked: Asked<'_>, wanted: &mut Wanted, mode: Mode) -> Result<Self> {
        let question = wanted.words.join(" ");
        let has_words = mode == Mode::Hybrid;
        let terms = if has_words { wanted.words.as_slice() } else { &[] };
        let terms = Terms::of(asked.index, terms).await;
        let is_question = fusion::is_question(&question);
        if let Ok(terms) = &terms {
            wanted.words = terms.telling(asked.index.analysis(), &wanted.words, is_question);
        }
        wanted.name_for_vectors(asked.index).await?;
        let mut hits = Hits::of(asked, wanted, &question, has_words).await?;
        let mut ids: Vec<MessageId> = hits.words.iter().map(|hit| hit.id).collect();
        ids.extend(hits.near().map(|near| near.id));
        let mut seen = HashSet::new();
        ids.retain(|id| seen.insert(*id));
        let lines = messages::around(&mut asked.db.read(), &wanted.channels, &ids, REACH).await?;
        if !asked.switches.people.is_empty() {
            let silent = lines.iter().filter(|line| asked.switches.people.contains(&line.sender_id));
            let silent: HashSet<MessageId> = silent.map(|line| line.id).collect();
            hits.near.retain(|near| !silent.contains(&near.id));
        }
        let (wanted, analysis) = (wanted.clone(), asked.index.analysis().clone());
        let again = Again::of(asked, question).await;
        // Thousands of messages are taken apart: others' calls must not wait for that.
        let judged = tokio::task::spawn_blocking(move || {
            let judge = Judge { hits: &hits, wanted: &wanted, is_question };
            let among = Conversations::of(lines);
            let mut order = judge.order(&among, terms.ok().as_ref(), &analysis);
            let is_ordered = again.is_none_or(|again| again.order(&among, &mut order));
            if !is_ordered {
                hits.unavailable.push(ORDER.to_owned());
            }
            let lines = order.iter().filter_map(|id| among.place(*id)).map(|at| &among.lines[at]);
            Self { hits: gathered(lines), unavailable: hits.unavailable }
        });
        judged.await.map_err(Fault::internal)
    }

    /// As many hits from `at` on, and whether there are more.
    pub fn page(&self, at: usize, count: usize) -> (Vec<Gathered>, bool) {
        let rest = self.hits.get(at..).unwrap_or_default();
        (rest[..rest.len().min(count)].to_vec(), rest.len() > count)
    }
}

impl Hits {
    async fn of(asked: Asked<'_>, wanted: &Wanted, question: &str, has_words: bool) -> Result<Self> {
        let mut hits = Self::default();
        if asked.switches.is_off {
            hits.unavailable.push(MEANING.to_owned());
            return hits.with_words(asked, wanted, has_words).await;
        }
        match asked.meaning.nearest(question, confined(wanted, asked.switches)).await {
            Ok(near) => hits.near = near,
            Err(error) => {
                if asked.meaning.is_on() {
                    tracing::warn!(%error, "a search is answered without vectors");
                }
                hits.unavailable.push(MEANING.to_owned());
            }
        }
        hits.with_words(asked, wanted, has_words).await
    }

    async fn with_words(mut self, asked: Asked<'_>, wanted: &Wanted, has_words: bool) -> Result<Self> {
        if has_words {
            match wanted.ask(asked.index, 0, DEPTH).await {
                Ok((found, _)) => self.words = found,
                Err(fault) if self.near.is_empty() => return Err(fault),
                Err(fault) => {
                    tracing::warn!(%fault, "a search is answered without words");
                    self.unavailable.push(WORDS.to_owned());
                }
            }
        }
        Ok(self)
    }

    /// Those near enough to be hits.
    fn near(&self) -> impl Iterator<Item = &Near> {
        self.near.iter().take_while(|near| near.score >= LEAST_COSINE).take(DEPTH)
    }
}

struct Judge<'h> {
    hits: &'h Hits,
    wanted: &'h Wanted,
    is_question: bool,
}

impl Judge<'_> {
    /// The hits in their order. For a question what stands around them too: an answer seldom repeats its words.
    fn order(&self, among: &Conversations, terms: Option<&Terms>, analysis: &Analysis) -> Vec<MessageId> {
        let own: HashSet<usize> = self.own().filter_map(|id| among.place(id)).collect();
        let mut places: Vec<usize> = own.iter().flat_map(|at| among.window(*at)).collect();
        places.sort_unstable();
        places.dedup();
        let windows: Vec<Vec<usize>> = places.iter().map(|at| among.window(*at)).collect();
        let evidence = self.evidence(among, &places, &windows, terms, analysis);
        let of = |value: fn(&Evidence) -> f32| best(among, &places, &evidence, value);
        let lists = Lists {
            words: self.hits.words.iter().map(|hit| hit.id).collect(),
            window_words: of(|it| it.window_words),
            meaning: self.hits.near().map(|near| near.id).collect(),
            window_meaning: of(|it| it.window_meaning),
        };
        let fused = lists.fused();
        let scored = places.iter().zip(evidence).filter_map(|(at, evidence)| {
            let line = &among.lines[*at];
            let is_shown = (self.is_question || own.contains(at)) && self.allows(line);
            let score = fused.get(&line.id).copied().filter(|_| is_shown)?;
            let support = among.support(&fused, *at);
            let score = if self.is_question {
                Evidence { support, ..evidence }.answers(&line.content)
            } else {
                support.lift(score)
            };
            Some((line.id, score))
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
        windows: &[Vec<usize>],
        terms: Option<&Terms>,
        analysis: &Analysis,
    ) -> Vec<Evidence> {
        let window_words = match terms.filter(|_| !self.hits.words.is_empty()) {
            Some(terms) => {
                let counted: Vec<_> =
                    among.lines.iter().map(|line| terms.counted(analysis, &line.content)).collect();
                terms.scores(&counted, windows)
            }
            None => vec![0.0; windows.len()],
        };
        let most = |scores: &mut dyn Iterator<Item = f32>| scores.fold(f32::MIN_POSITIVE, f32::max);
        let (best_window, best_words) =
            (most(&mut window_words.iter().copied()), most(&mut self.hits.words.iter().map(|hit| hit.score)));
        let words: HashMap<MessageId, f32> = self.hits.words.iter().map(|hit| (hit.id, hit.score)).collect();
        let cosines: HashMap<MessageId, f32> =
            self.hits.near.iter().map(|near| (near.id, near.score)).collect();
        let score = |known: &HashMap<MessageId, f32>, at: usize| {
            known.get(&among.lines[at].id).copied().unwrap_or(0.0)
        };
        let judged = places.iter().zip(windows).zip(window_words);
        let judged = judged.map(|((at, window), window_words)| Evidence {
            words: score(&words, *at) / best_words,
            window_words: window_words / best_window,
            meaning: score(&cosines, *at),
            // About the cosine of their mean: unlike messages' mean is as long as the root of their number is small.
            window_meaning: window.iter().map(|at| score(&cosines, *at)).sum::<f32>()
                / (window.len().max(1) as f32).sqrt(),
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

/// The same limits as the words have; the vector is the model's to fill in.
fn confined(wanted: &Wanted, switches: &Switches) -> Nearest {
    let flag = |has: &&str| match *has {
        LINK => meaning::LINK,
        FILE => meaning::FILE,
        // Of what vectors do not know, the messages are named; else nothing must be found rather than everything.
        _ if wanted.only.is_some() => 0,
        _ => u32::MAX,
    };
    Nearest {
        vector: Vec::new(),
        channels: switches.narrow(wanted.channels.clone()),
        senders: wanted.senders.clone(),
        since: wanted.since,
        until: wanted.until,
        flags: wanted.has.iter().map(flag).fold(0, |all, one| all | one),
        only: wanted.only.as_ref().map(|only| only.iter().copied().collect()),
        limit: MOST_HITS,
    }
}
