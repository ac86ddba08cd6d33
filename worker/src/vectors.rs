//! Vectors of messages, and which lie nearest to a question's.
//!
//! [`VectorStore`] is what search needs of them; [`embedded`] keeps them in this process's folder, [`qdrant`] in
//! a server that several workers share. Like the index, a store
//! is a cache: what is damaged is emptied and made again from the record. A store holds vectors of one model only.
//!
//! What the asker may see stands inside every search. It is not a filter over what was found: the nearest few would then
//! be others' messages, and their number would tell of them.

pub mod embedded;
pub mod qdrant;

use confab_core::{Fault, Result};
use confab_protocol::{ChannelId, MessageId, UserId};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

pub use embedded::Embedded;
pub use qdrant::Qdrant;

/// Changes of one batch.
pub const MOST_CHANGES: usize = 10_000;
/// Hits of one search.
pub const MOST_HITS: usize = 1_000;
/// Messages that one search may be confined to by name.
pub const MOST_ONLY: usize = 5_000;
/// Of a place, in bytes.
pub const LONGEST_PLACE_BYTES: usize = 1_024;

/// A vector and what it is found by.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The message: a second point of it takes the first one's place.
    pub id: MessageId,
    /// Where it was posted.
    pub channel_id: ChannelId,
    /// Who wrote it.
    pub sender_id: UserId,
    /// When, in milliseconds since 1970.
    pub created_at: i64,
    /// What else it can be found by, a bit each; what they mean is the caller's.
    pub flags: u32,
    /// Of length one. All zeros are nearest to nothing and never found.
    pub vector: Vec<f32>,
}

/// One change of a store.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A point, whether or not an older form is there.
    Put(Point),
    /// A message is gone, and its point with it.
    Remove(MessageId),
    /// A channel is gone: all points in it.
    RemoveChannel(ChannelId),
}

/// What to look for. All conditions must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Nearest {
    /// The question's vector.
    pub vector: Vec<f32>,
    /// What the asker may read. Empty finds nothing: it never means that all may be found.
    pub channels: Vec<ChannelId>,
    /// Who wrote it; empty: anybody.
    pub senders: Vec<UserId>,
    /// From this moment on, in milliseconds since 1970.
    pub since: Option<i64>,
    /// Before this moment.
    pub until: Option<i64>,
    /// Flags that must all be set.
    pub flags: u32,
    /// Set: nothing but these messages, [`MOST_ONLY`] at most; none of them: nothing.
    pub only: Option<Vec<MessageId>>,
    /// Hits wanted, [`MOST_HITS`] at most.
    pub limit: usize,
}

impl Nearest {
    /// Refuses what no store looks for.
    fn check(&self, dimensions: usize) -> Result<()> {
        check_length(&self.vector, dimensions)?;
        if self.limit > MOST_HITS {
            return Err(Fault::invalid("limit", format!("is {MOST_HITS} at most")));
        }
        if self.only.as_ref().is_some_and(|only| only.len() > MOST_ONLY) {
            return Err(Fault::invalid("only", format!("names more than {MOST_ONLY} messages")));
        }
        Ok(())
    }
}

/// Whether a batch can be written, whatever the store.
fn check(changes: &[Change], place: &str, dimensions: usize) -> Result<()> {
    if changes.len() > MOST_CHANGES {
        return Err(Fault::invalid("changes", format!("are more than {MOST_CHANGES}")));
    }
    if place.len() > LONGEST_PLACE_BYTES {
        return Err(Fault::invalid("place", format!("is longer than {LONGEST_PLACE_BYTES} bytes")));
    }
    changes.iter().try_for_each(|change| match change {
        Change::Put(point) => check_length(&point.vector, dimensions),
        Change::Remove(_) | Change::RemoveChannel(_) => Ok(()),
    })
}

fn check_length(vector: &[f32], dimensions: usize) -> Result<()> {
    if vector.len() == dimensions {
        return Ok(());
    }
    Err(Fault::invalid("vector", format!("has {} numbers instead of {dimensions}", vector.len())))
}

/// A hit: to be read from the record before anything of it is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Near {
    /// The message.
    pub id: MessageId,
    /// Cosine, from -1 to 1.
    pub score: f32,
}

/// Where vectors are kept. One task writes; any number search.
pub trait VectorStore: Send + Sync {
    /// Makes changes in their order and notes `place` with them, all or nothing: a search that begins when this has
    /// answered sees them, and [`VectorStore::place`] is `place` even after a kill.
    ///
    /// # Errors
    /// [`confab_core::Fault::Invalid`] for vectors of another length, too many changes or too long a place;
    /// [`confab_core::Fault::Full`] or [`confab_core::Fault::Internal`] when they cannot be kept: then none of them is.
    fn write(&self, changes: Vec<Change>, place: String) -> BoxFuture<'_, Result<()>>;

    /// What the last batch noted; `None` for a store that is new or was emptied.
    fn place(&self) -> BoxFuture<'_, Result<Option<String>>>;

    /// The nearest points, the nearest first, among equals the newest first.
    ///
    /// # Errors
    /// [`confab_core::Fault::Invalid`] for a vector of another length, a limit beyond [`MOST_HITS`] or more names than
    /// [`MOST_ONLY`].
    fn search(&self, wanted: Nearest) -> BoxFuture<'_, Result<Vec<Near>>>;

    /// Points in these channels.
    fn count(&self, channels: Vec<ChannelId>) -> BoxFuture<'_, Result<u64>>;

    /// Forgets everything, the place too.
    fn clear(&self) -> BoxFuture<'_, Result<()>>;

    /// Deletes the stores of other models that lie beside this one and that are ours, as `is_ours` says by the place noted in
    /// them: where several systems share a server, each has its own. Answers their names. A store that lies by itself has none.
    fn drop_others<'s>(
        &'s self,
        _is_ours: &'s (dyn Fn(&str) -> bool + Sync),
    ) -> BoxFuture<'s, Result<Vec<String>>> {
        std::future::ready(Ok(Vec::new())).boxed()
    }
}
