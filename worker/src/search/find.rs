//! From what is wanted to a query of the index, built piece by piece: no text of a person is ever parsed by the index.

mod code;
mod filters;
mod marks;

use std::collections::HashSet;
use std::sync::Arc;

use confab_core::{Fault, Result, typos};
use confab_protocol::{ChannelId, MessageId, Timestamp, UserId};
use tantivy::collector::{Count, TopDocs};
use tantivy::columnar::Column;
use tantivy::query::{
    BooleanQuery, BoostQuery, ConstScoreQuery, FuzzyTermQuery, Occur, PhrasePrefixQuery, PhraseQuery, Query,
    TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption, Value};
use tantivy::{DocAddress, DocId, Order as Direction, Score, Searcher, SegmentReader, TantivyDocument, Term};
use uuid::Uuid;

use crate::assistant::is_stopword;
use crate::index::Index;
use crate::index::analysis::{Analysis, Word};
use crate::index::readable::Readable;
use crate::index::schema::Fields;
pub(crate) use marks::Marks;

/// Most words of one question.
pub(crate) const WORDS: usize = 16;
/// A word as it was written counts a little more than one of the same stem.
const AS_WRITTEN: Score = 0.3;
/// What a word such as "how" or "the" counts beside others: of short messages it would else be most of what they hold.
const FILLER: Score = 0.2;
/// A name that is nearly the word comes behind those that hold it.
const NEARLY_SO: Score = 0.1;
/// Words that stand close together count as much again.
const TOGETHER: Score = 1.0;
/// How far apart they may stand for that.
const SLOP: u32 = 2;
/// A run of characters up to this long is one word; a longer one may match in part.
const ONE_WORD_CHARACTERS: usize = 4;
/// Words that one beginning stands for, the first by their letters.
const MOST_ENDINGS: u32 = 200;
/// A message of this moment counts a fifth more than an old one, and the difference fades within a few months.
const RECENCY: Score = 0.2;
const RECENCY_DAYS: Score = 30.0;
const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// What is wanted, in ids. `channels` is never empty: an empty set would mean that nothing may be found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub words: Vec<String>,
    pub phrases: Vec<String>,
    pub channels: Vec<ChannelId>,
    pub senders: Vec<UserId>,
    pub since: Option<i64>,
    pub until: Option<i64>,
    pub has: Vec<&'static str>,
    /// Any of these people must be mentioned.
    pub mentioned: Vec<UserId>,
    /// A mention of everybody in the channel is one of them too.
    pub is_mentioned_with_all: bool,
    /// Set: nothing but these messages.
    pub only: Option<Arc<HashSet<MessageId>>>,
    /// Files are wanted, not messages: a hit's id is the file's.
    pub is_for_files: bool,
    /// By time, and every word must be there: what holds one of them would come before what holds all.
    pub is_newest_first: bool,
}

/// A hit of the index: to be read from the record before anything of it is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub id: MessageId,
    pub score: f32,
}

/// What the index answers.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// The best first; without words the newest first.
    pub hits: Vec<Found>,
    /// There are more behind them.
    pub has_more: bool,
    /// Hits in all, also those before and behind these.
    pub total: u64,
}

type Clause = (Occur, Box<dyn Query>);

/// How many words the index is asked for.
pub(super) fn count<'t>(analysis: &Analysis, texts: impl IntoIterator<Item = &'t String>) -> usize {
    let count = |text: &String| analysis.whole(text).len() + usize::from(!analysis.grams(text).is_empty());
    texts.into_iter().map(count).sum()
}

impl Wanted {
    /// Refuses a question with nothing or too much to look up.
    pub fn check(&self, analysis: &Analysis) -> Result<()> {
        if count(analysis, self.words.iter().chain(&self.phrases)) > WORDS {
            return Err(Fault::invalid("q", format!("has more than {WORDS} words")));
        }
        self.check_filled(analysis)
    }

    /// Refuses a question with nothing to look up. Of many words the most telling ones can be chosen later.
    pub fn check_filled(&self, analysis: &Analysis) -> Result<()> {
        if count(analysis, self.words.iter().chain(&self.phrases)) == 0 && !self.has_filters() {
            return Err(Fault::invalid("q", "holds no word to look for"));
        }
        Ok(())
    }

    /// Up to `count` hits from `at` on.
    ///
    /// # Errors
    /// Those of [`Index::ask`].
    pub async fn ask(&self, index: &Index, at: usize, count: usize) -> Result<Answer> {
        let is_of_none = self.only.as_ref().is_some_and(|only| only.is_empty());
        if self.channels.is_empty() || count == 0 || is_of_none {
            return Ok(Answer::default());
        }
        let fields = self.fields(index);
        let (clauses, has_words) = self.clauses(fields, index.analysis());
        let now = Timestamp::now().0;
        let found = index.ask(fields.of_channels(&self.channels), move |searcher, readable| {
            let query = confined(readable, clauses);
            let top = TopDocs::with_limit(count).and_offset(at);
            // Counted on the way: each hit is looked at in any case, and by a second search each would be twice.
            let (hits, total): (Vec<(Score, DocAddress)>, usize) = if has_words {
                let best = top.tweak_score(move |segment: &SegmentReader| rank(segment, now));
                let counted = (best, Count);
                let (found, total) = searcher.search_with_statistics_provider(&query, &counted, readable)?;
                (found.into_iter().map(|((score, _), address)| (score, address)).collect(), total)
            } else {
                let newest = top.order_by_fast_field::<i64>("created_at", Direction::Desc);
                let (found, total) = searcher.search(&query, &(newest, Count))?;
                (found.into_iter().map(|(_, address)| (0.0, address)).collect(), total)
            };
            let has_more = total > at + hits.len();
            let hits = hits.into_iter().map(|(score, address)| read_hit(searcher, fields, score, address));
            Ok(Answer { hits: hits.collect::<tantivy::Result<_>>()?, has_more, total: total as u64 })
        });
        found.await
    }

    /// Hits in all, for those who want none of them.
    ///
    /// # Errors
    /// Those of [`Index::ask`].
    pub async fn count(&self, index: &Index) -> Result<u64> {
        if self.channels.is_empty() || self.only.as_ref().is_some_and(|only| only.is_empty()) {
            return Ok(0);
        }
        let fields = self.fields(index);
        let (clauses, _) = self.clauses(fields, index.analysis());
        let count = index.ask(fields.of_channels(&self.channels), move |searcher, readable| {
            searcher.search(&confined(readable, clauses), &Count)
        });
        Ok(count.await? as u64)
    }

    fn fields(&self, index: &Index) -> Fields {
        if self.is_for_files { index.fields().of_files() } else { index.fields() }
    }

    /// What must hold but for the channels, and whether it ranks.
    fn clauses(&self, fields: Fields, analysis: &Analysis) -> (Vec<Clause>, bool) {
        let mut clauses = self.filters(fields);
        let before = clauses.len();
        for phrase in &self.phrases {
            clauses.extend(phrase_clauses(fields, analysis, phrase));
        }
        let is_phrased = clauses.len() > before;
        if self.is_newest_first {
            clauses.extend(self.words.iter().filter_map(|word| self.required(fields, analysis, word)));
            return (clauses, false);
        }
        let mut words = word_clauses(fields, analysis, &self.words);
        if self.is_for_files {
            words.extend(mistyped(fields.file_name(), analysis, &self.words));
        }
        let has_words = !words.is_empty();
        if has_words {
            let occur = if is_phrased { Occur::Should } else { Occur::Must };
            clauses.push((occur, Box::new(BooleanQuery::new(words))));
        }
        (clauses, is_phrased || has_words)
    }

    /// This word, in any of its forms.
    fn required(&self, fields: Fields, analysis: &Analysis, word: &String) -> Option<Clause> {
        let word = std::slice::from_ref(word);
        let mut forms = word_clauses(fields, analysis, word);
        if self.is_for_files {
            forms.extend(mistyped(fields.file_name(), analysis, word));
        }
        (!forms.is_empty()).then(|| -> Clause { (Occur::Must, Box::new(BooleanQuery::new(forms))) })
    }
}

/// The channels stand inside the query: filtering hits afterwards would tell by counts and times what is hidden.
fn confined(readable: &Readable<'_>, mut clauses: Vec<Clause>) -> BooleanQuery {
    clauses.insert(0, filter(readable.within()));
    BooleanQuery::new(clauses)
}

fn filter(query: impl Query) -> Clause {
    (Occur::Must, Box::new(ConstScoreQuery::new(Box::new(query), 0.0)))
}

fn term(term: Term) -> TermQuery {
    TermQuery::new(term, IndexRecordOption::WithFreqs)
}

fn is_pair(gram: &Word) -> bool {
    gram.text.chars().count() == 2
}

/// Every part of a phrase must be there, word by word as written.
fn phrase_clauses(fields: Fields, analysis: &Analysis, phrase: &str) -> Vec<Clause> {
    let words = adjacent(fields.exact, &analysis.whole(phrase), 0);
    let runs =
        runs(&analysis.grams(phrase)).into_iter().filter_map(|run| run_query(fields.grams, &run, true));
    words.into_iter().chain(runs).map(|query| (Occur::Must, query)).collect()
}

/// At least one word must be there; more are better, all together best.
fn word_clauses(fields: Fields, analysis: &Analysis, words: &[String]) -> Vec<Clause> {
    let mut clauses: Vec<Clause> = Vec::new();
    let mut stems: Vec<Word> = Vec::new();
    let mut seen = HashSet::new();
    let fills =
        |word: &String| word.is_ascii() && analysis.whole(word).iter().all(|it| is_stopword(&it.text));
    let has_telling = words.iter().any(|word| !fills(word));
    for word in words {
        let is_filler = has_telling && fills(word);
        for run in runs(&analysis.grams(word)) {
            clauses.extend(run_query(fields.grams, &run, false).map(|query| (Occur::Should, query)));
        }
        if is_prefix(word) {
            clauses
                .extend(beginning(fields.exact, &analysis.whole(word)).map(|query| (Occur::Should, query)));
            continue;
        }
        let (parts, whole): (Vec<Word>, Vec<Word>) =
            analysis.stemmed(word).into_iter().partition(|stem| stem.is_part);
        for parts in code::names(&parts) {
            clauses.extend(code::forms(fields.body, parts).map(|query| (Occur::Should, query)));
        }
        for stem in whole {
            if seen.insert(stem.text.clone()) {
                let query = term(Term::from_field_text(fields.body, &stem.text));
                let weight = if is_filler { FILLER } else { 1.0 };
                clauses.push((Occur::Should, Box::new(BoostQuery::new(Box::new(query), weight))));
            }
            stems.push(Word { position: stems.len(), ..stem });
        }
        for exact in analysis.whole(word).into_iter().filter(|_| !is_filler) {
            let as_written = term(Term::from_field_text(fields.exact, &exact.text));
            clauses.push((Occur::Should, Box::new(BoostQuery::new(Box::new(as_written), AS_WRITTEN))));
        }
    }
    if seen.len() > 1 {
        let all = seen.iter().map(|stem| -> Clause {
            (Occur::Must, Box::new(term(Term::from_field_text(fields.body, stem))))
        });
        clauses.push((Occur::Should, Box::new(BooleanQuery::new(all.collect()))));
        if let Some(close) = adjacent(fields.body, &stems, SLOP) {
            clauses.push((Occur::Should, Box::new(BoostQuery::new(close, TOGETHER))));
        }
    }
    clauses
}

/// What is named nearly so. Of names alone: among all words of all texts there always is another one near.
fn mistyped(names: Field, analysis: &Analysis, words: &[String]) -> Vec<Clause> {
    let words = words.iter().filter(|word| !is_prefix(word)).flat_map(|word| analysis.whole(word));
    let near = |word: Word| -> Option<Clause> {
        let typos = typos::forgiven(word.text.chars().count());
        let term = Term::from_field_text(names, &word.text);
        // Two letters in the wrong order are one typo. All that is near counts the same, whatever names there are.
        let query = FuzzyTermQuery::new(term, typos as u8, true);
        (typos > 0)
            .then(|| -> Clause { (Occur::Should, Box::new(BoostQuery::new(Box::new(query), NEARLY_SO))) })
    };
    words.filter_map(near).collect()
}

/// Words in their order; a single one is just a word.
fn adjacent(field: Field, words: &[Word], slop: u32) -> Option<Box<dyn Query>> {
    let first = words.first()?;
    let places: Vec<(usize, Term)> = words
        .iter()
        .map(|word| (word.position - first.position, Term::from_field_text(field, &word.text)))
        .collect();
    if places.len() == 1 {
        return places.into_iter().next().map(|(_, only)| -> Box<dyn Query> { Box::new(term(only)) });
    }
    Some(Box::new(PhraseQuery::new_with_offset_and_slop(places, slop)))
}

/// A word that goes on somehow: `ferr*`. In `rm -rf /*` nothing does.
pub(super) fn is_prefix(word: &str) -> bool {
    word.ends_with('*') && word.contains(char::is_alphanumeric)
}

/// Words in their order, the last of which goes on.
fn beginning(field: Field, words: &[Word]) -> Option<Box<dyn Query>> {
    let terms = words.iter().map(|word| Term::from_field_text(field, &word.text));
    let places: Vec<(usize, Term)> = words.iter().map(|word| word.position).zip(terms).collect();
    if places.is_empty() {
        return None;
    }
    let mut query = PhrasePrefixQuery::new_with_offset(places);
    query.set_max_expansions(MOST_ENDINGS);
    Some(Box::new(query))
}

/// Grams by run of characters that stand together.
fn runs(grams: &[Word]) -> Vec<Vec<Word>> {
    let mut runs: Vec<Vec<Word>> = Vec::new();
    for gram in grams {
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|last| gram.position <= last.position + 1) => {
                run.push(gram.clone());
            }
            _ => runs.push(vec![gram.clone()]),
        }
    }
    runs
}

fn run_query(field: Field, run: &[Word], is_phrase: bool) -> Option<Box<dyn Query>> {
    let pairs: Vec<Word> = run.iter().filter(|gram| is_pair(gram)).cloned().collect();
    if pairs.is_empty() {
        return adjacent(field, run, 0);
    }
    if is_phrase || pairs.len() < ONE_WORD_CHARACTERS {
        return adjacent(field, &pairs, 0);
    }
    // A whole sentence without spaces: more than half of its pairs.
    let least = pairs.len().div_ceil(2);
    let clauses = pairs
        .iter()
        .map(|pair| -> Clause { (Occur::Should, Box::new(term(Term::from_field_text(field, &pair.text)))) });
    Some(Box::new(BooleanQuery::with_minimum_required_clauses(clauses.collect(), least)))
}

/// The order of hits: by score, newer ones a little higher, and of equals the newer first. Age counts in whole days, or
/// the second page of a search would be cut from another order than the first.
fn rank(segment: &SegmentReader, now: i64) -> impl Fn(DocId, Score) -> (Score, i64) + use<> {
    let times: Option<Column<i64>> = segment.fast_fields().i64("created_at").ok();
    move |document, score| {
        let written = times.as_ref().and_then(|times| times.first(document)).unwrap_or(0);
        let days = (now.div_euclid(DAY_MS) - written.div_euclid(DAY_MS)).max(0) as Score;
        (score * (1.0 + RECENCY * (-days / RECENCY_DAYS).exp()), written)
    }
}

fn read_hit(
    searcher: &Searcher,
    fields: Fields,
    score: Score,
    address: DocAddress,
) -> tantivy::Result<Found> {
    let document: TantivyDocument = searcher.doc(address)?;
    let id = document.get_first(fields.message).and_then(|value| value.as_bytes());
    let id = id.and_then(|bytes| Uuid::from_slice(bytes).ok());
    let id = id.ok_or_else(|| tantivy::TantivyError::InternalError("a document without its id".into()))?;
    Ok(Found { id: MessageId(id), score })
}
