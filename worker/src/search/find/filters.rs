//! What a hit must be, whatever its words say: where it stands, who wrote it, when, what it holds, whom it mentions.

use std::ops::Bound;
use std::sync::Arc;

use confab_core::Result;
use tantivy::Term;
use tantivy::query::{BooleanQuery, Occur, RangeQuery, TermSetQuery};

use super::{Clause, Wanted, filter, term};
use crate::index::Index;
use crate::index::schema::{EVERYONE, FILE, Fields, LINK};
use crate::vectors::MOST_ONLY;

impl Wanted {
    /// More is asked for than where to look.
    pub(super) fn has_filters(&self) -> bool {
        !self.senders.is_empty()
            || !self.has.is_empty()
            || !self.mentioned.is_empty()
            || self.only.is_some()
            || self.since.is_some()
            || self.until.is_some()
    }

    /// Each of these must hold, beside the channel.
    pub(super) fn filters(&self, fields: Fields) -> Vec<Clause> {
        let mut clauses = Vec::new();
        if !self.senders.is_empty() {
            clauses.push(filter(TermSetQuery::new(self.senders.iter().map(|id| fields.of_sender(*id)))));
        }
        for has in &self.has {
            clauses.push(filter(term(Term::from_field_text(fields.has, has))));
        }
        if !self.mentioned.is_empty() {
            let by_name = TermSetQuery::new(self.mentioned.iter().map(|id| fields.of_mentioned(*id)));
            let mut either: Vec<Clause> = vec![(Occur::Should, Box::new(by_name))];
            if self.is_mentioned_with_all {
                either.push((Occur::Should, Box::new(term(Term::from_field_text(fields.has, EVERYONE)))));
            }
            clauses.push(filter(BooleanQuery::new(either)));
        }
        if let Some(only) = &self.only {
            clauses.push(filter(TermSetQuery::new(only.iter().map(|id| fields.of_message(*id)))));
        }
        if self.since.is_some() || self.until.is_some() {
            let bound = |at: i64| Term::from_field_i64(fields.created_at, at);
            let from = self.since.map_or(Bound::Unbounded, |at| Bound::Included(bound(at)));
            let to = self.until.map_or(Bound::Unbounded, |at| Bound::Excluded(bound(at)));
            clauses.push(filter(RangeQuery::new(from, to)));
        }
        clauses
    }

    /// Vectors know who, where, when, links and files, which never change without the text. All else changes while the text
    /// stays, and to make a vector anew for each reaction would be paid for: for those filters the messages that fit are
    /// named to them, the newest of many.
    ///
    /// # Errors
    /// Those of [`Index::ask`].
    pub async fn name_for_vectors(&mut self, index: &Index) -> Result<()> {
        let is_known = self.mentioned.is_empty() && self.has.iter().all(|has| [LINK, FILE].contains(has));
        if is_known {
            return Ok(());
        }
        let fitting = Self { words: Vec::new(), phrases: Vec::new(), ..self.clone() };
        let found = fitting.ask(index, 0, MOST_ONLY).await?;
        self.only = Some(Arc::new(found.hits.into_iter().map(|hit| hit.id).collect()));
        Ok(())
    }
}
