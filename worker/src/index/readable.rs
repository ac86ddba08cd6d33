//! What somebody may read, segment by segment. A search looks at nothing else, not even to learn how rare a word is: else the
//! order of one's own messages would tell whether, and how often, a word is said in channels that one may not read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tantivy::index::SegmentId;
use tantivy::query::{
    BitSetDocSet, Bm25StatisticsProvider, ConstScorer, EnableScoring, Explanation, Query, Scorer, Weight,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{BitSet, DocId, DocSet, Score, Searcher, SegmentReader, TERMINATED, Term};

/// Sets of channels whose documents are kept at hand, a bit for each document of the index (docs/limits.md).
const SETS: usize = 64;

/// The documents of each segment. A segment never changes, but for what is deleted from it, which nobody finds.
type Segments = HashMap<SegmentId, Arc<BitSet>>;

/// Documents by the channels that hold them, those that were asked for last at the end.
#[derive(Default)]
pub struct Kept(Mutex<Vec<(Vec<Term>, Arc<Segments>)>>);

/// The documents that one search is confined to.
pub struct Readable<'s> {
    searcher: &'s Searcher,
    segments: Arc<Segments>,
    count: u64,
    /// How many hold a term: each is asked for several times.
    held: Mutex<HashMap<Term, u64>>,
}

/// Finds these documents.
#[derive(Clone, Debug)]
pub struct Within(Arc<Segments>);

impl Kept {
    /// The documents that hold one of the terms in `channels`.
    ///
    /// # Errors
    /// The index's.
    pub fn readable<'s>(
        &self,
        searcher: &'s Searcher,
        mut channels: Vec<Term>,
    ) -> tantivy::Result<Readable<'s>> {
        channels.sort_unstable();
        let known = self.known(&channels).unwrap_or_default();
        let mut segments = Segments::new();
        for reader in searcher.segment_readers() {
            let id = reader.segment_id();
            let documents = match known.get(&id) {
                Some(documents) => documents.clone(),
                None => Arc::new(documents(reader, &channels)?),
            };
            segments.insert(id, documents);
        }
        let segments = Arc::new(segments);
        self.keep(channels, segments.clone());
        let count = segments.values().map(|documents| documents.len() as u64).sum();
        Ok(Readable { searcher, segments, count, held: Mutex::default() })
    }

    fn known(&self, channels: &[Term]) -> Option<Arc<Segments>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|(of, _)| of == channels).map(|(_, segments)| segments.clone())
    }

    fn keep(&self, channels: Vec<Term>, segments: Arc<Segments>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(of, _)| *of != channels);
        all.push((channels, segments));
        let surplus = all.len().saturating_sub(SETS);
        all.drain(..surplus);
    }
}

fn documents(reader: &SegmentReader, channels: &[Term]) -> tantivy::Result<BitSet> {
    let mut documents = BitSet::with_max_value(reader.max_doc());
    for channel in channels {
        let index = reader.inverted_index(channel.field())?;
        let Some(mut held) = index.read_postings(channel, IndexRecordOption::Basic)? else { continue };
        while held.doc() != TERMINATED {
            documents.insert(held.doc());
            held.advance();
        }
    }
    Ok(documents)
}

impl Readable<'_> {
    /// Finds them.
    #[must_use]
    pub fn within(&self) -> Within {
        Within(self.segments.clone())
    }

    fn holding(&self, term: &Term) -> tantivy::Result<u64> {
        let mut count = 0;
        for reader in self.searcher.segment_readers() {
            let Some(documents) = self.segments.get(&reader.segment_id()) else { continue };
            let index = reader.inverted_index(term.field())?;
            if documents.len() == reader.max_doc() as usize {
                count += u64::from(index.doc_freq(term)?);
                continue;
            }
            let Some(mut holding) = index.read_postings(term, IndexRecordOption::Basic)? else { continue };
            while holding.doc() != TERMINATED {
                count += u64::from(documents.contains(holding.doc()));
                holding.advance();
            }
        }
        Ok(count)
    }
}

impl Bm25StatisticsProvider for Readable<'_> {
    /// As many as if these documents were as long as all are.
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        let (all, mut documents) = (self.searcher.total_num_tokens(field)?, 0);
        for reader in self.searcher.segment_readers() {
            documents += u128::from(reader.max_doc());
        }
        let share = u128::from(all) * u128::from(self.count) / documents.max(1);
        Ok(u64::try_from(share).unwrap_or(u64::MAX))
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.count)
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        if let Some(known) = self.held.lock().unwrap_or_else(PoisonError::into_inner).get(term) {
            return Ok(*known);
        }
        let holding = self.holding(term)?;
        self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(term.clone(), holding);
        Ok(holding)
    }
}

impl Query for Within {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl Weight for Within {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        // A segment that nobody looked at holds nothing that may be read.
        let documents = match self.0.get(&reader.segment_id()) {
            Some(documents) => BitSet::clone(documents),
            None => BitSet::with_max_value(reader.max_doc()),
        };
        Ok(Box::new(ConstScorer::new(BitSetDocSet::from(documents), boost)))
    }

    fn explain(&self, _: &SegmentReader, _: DocId) -> tantivy::Result<Explanation> {
        Ok(Explanation::new("may be read", 1.0))
    }
}
