//! The order of hits: by words, by meaning, or by both. A part that does not answer is named and done without: somebody who
//! searches while a model is away still finds by words.
//!
//! Hits are judged within their conversations, which are read from the record here: see [`super::conversations`].

mod judge;

use std::collections::{HashMap, HashSet};

use confab_core::assistant::Switches;
use confab_core::messages::{self, Line};
use confab_core::{Db, Fault, Result, text, users};
use confab_protocol::{MessageId, UserId};
use serde::{Deserialize, Serialize};

use super::again::Again;
use super::conversations::{Conversations, REACH};
use super::dialogues::{self, Addressed};
use super::find::{Found, Wanted, is_prefix};
use super::fusion::{self, DEPTH, Lists};
use super::gathered::{Gathered, gathered};
use super::terms::Terms;
use crate::index::Index;
use crate::index::schema::{FILE, LINK};
use crate::meaning::{self, Meaning};
use crate::vectors::{MOST_HITS, Near, Nearest};

/// A vector that is farther from the question than this is near to nothing: among a few messages, some are always nearest.
/// Of 24,500 messages of real chat one in 700 is nearer to a question by chance; what a search by meaning finds first gets
/// no better with less, and worse with more.
const LEAST_COSINE: f32 = 0.3;
/// Hits of a question around which is read what was said to whom. Of more, answers are found no better: what is around them is
/// as like the question by chance.
const MOST_DIALOGUES: usize = 24;
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
        let mut terms = Terms::of(asked.index, &wanted.channels, terms).await;
        let is_question = fusion::is_question(&question);
        if let Ok(terms) = &mut terms {
            wanted.words = terms.telling(asked.index.analysis(), &wanted.words, is_question);
            terms.keep(asked.index.analysis(), &wanted.words);
        }
        wanted.name_for_vectors(asked.index).await?;
        let mut hits = Hits::of(asked, wanted, &question, has_words).await?;
        let ids = hits.ids();
        let (far, near) = ids.split_at(if is_question { ids.len().min(MOST_DIALOGUES) } else { 0 });
        let lines = around(asked.db, wanted, far, near).await?;
        let names = if is_question { names(asked.db, &lines).await? } else { HashMap::new() };
        if !asked.switches.people.is_empty() {
            let silent = lines.iter().filter(|line| asked.switches.people.contains(&line.sender_id));
            let silent: HashSet<MessageId> = silent.map(|line| line.id).collect();
            hits.near.retain(|near| !silent.contains(&near.id));
        }
        let (wanted, analysis, far) = (wanted.clone(), asked.index.analysis().clone(), far.to_vec());
        let again = Again::of(asked, question).await;
        // Thousands of messages are taken apart: others' calls must not wait for that.
        let judged = tokio::task::spawn_blocking(move || {
            let addressed = is_question.then(|| Addressed::of(&lines, &names));
            let among = Conversations::of(lines, addressed);
            let judge = judge::Judge { hits: &hits, wanted: &wanted, far: &far, is_question };
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
                Ok(found) => self.words = found.hits,
                Err(fault) if self.near.is_empty() => return Err(fault),
                Err(fault) => {
                    tracing::warn!(%fault, "a search is answered without words");
                    self.unavailable.push(WORDS.to_owned());
                }
            }
        }
        Ok(self)
    }

    /// Messages that were found themselves, the best first.
    fn ids(&self) -> Vec<MessageId> {
        let words = self.words.iter().map(|hit| hit.id).collect();
        let meaning = self.near().map(|near| near.id).collect();
        let found = Lists { words, meaning, ..Lists::default() };
        fusion::ranked(found.fused()).into_iter().map(|(id, _)| id).collect()
    }

    /// Those near enough to be hits.
    fn near(&self) -> impl Iterator<Item = &Near> {
        self.near.iter().take_while(|near| near.score >= LEAST_COSINE).take(DEPTH)
    }
}

/// What stands around hits, each message once, by channel and number: much of it around those in `far`, of which it is asked
/// who talks with whom.
async fn around(db: &Db, wanted: &Wanted, far: &[MessageId], near: &[MessageId]) -> Result<Vec<Line>> {
    let mut lines = messages::around(&mut db.read(), &wanted.channels, near, REACH).await?;
    if !far.is_empty() {
        lines.extend(messages::around(&mut db.read(), &wanted.channels, far, dialogues::REACH).await?);
        lines.sort_by_key(|line| (line.channel_id, line.number));
        lines.dedup_by_key(|line| line.id);
    }
    Ok(lines)
}

/// What those who wrote `lines` are called, folded.
async fn names(db: &Db, lines: &[Line]) -> Result<HashMap<String, UserId>> {
    let senders: HashSet<UserId> = lines.iter().map(|line| line.sender_id).collect();
    let senders: Vec<UserId> = senders.into_iter().collect();
    let people = users::refs(&mut db.read(), &senders).await?;
    let full = people.iter().filter_map(|user| Some((text::key(user.full_name.as_deref()?), user.id)));
    // Behind the others: who is called so as a user is meant, whoever else calls themselves so.
    let by_user_name = people.iter().map(|user| (text::key(&user.username), user.id));
    Ok(full.chain(by_user_name).collect())
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
