//! How far an index is, as its worker says.

use serde::{Deserialize, Serialize};

use crate::index::Progress;
use crate::meaning;

/// How far the index of one worker is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IndexState {
    /// Events not yet indexed.
    pub lag: i64,
    /// For how many milliseconds the oldest of them waits; 0 where none does.
    #[serde(default)]
    pub lag_ms: i64,
    /// The newest event indexed.
    pub applied: i64,
    /// The newest event.
    pub head: i64,
    /// Messages and files in the index.
    pub documents: u64,
    /// The newest event when this index was begun: it grows with each reindexing.
    #[serde(default)]
    pub origin: i64,
    /// Events whose messages have no vectors yet.
    #[serde(default)]
    pub vectors_lag: i64,
    /// The models of search by meaning, and how far their vectors are; not set where it is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vectors: Option<meaning::State>,
    /// Set while a new index is being built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub building: Option<Progress>,
}
