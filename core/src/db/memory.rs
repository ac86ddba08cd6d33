//! What the only writer of SQLite knows without asking.
//!
//! Kept right by SQLite itself, which calls for every row that is written: whoever adds a statement need not know of this.
//! Tables in which a row is written are forgotten whole.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use confab_protocol::{ChannelId, Message, UserId};

use super::sqlite::Connection;
use crate::fault::Result;
use crate::messages::Standing;

/// Most standings that are kept; with one more all go.
const STANDINGS: usize = 50_000;

/// A row was written by which somebody may stand differently in a channel.
const STANDING: u8 = 1;
/// A row was written by which a message may look different.
const LOOK: u8 = 2;

/// See the module.
pub(crate) struct Memory {
    touched: Arc<AtomicU8>,
    standings: HashMap<(UserId, ChannelId), Arc<Standing>>,
    /// Channels in which nobody posts together with others. That never changes.
    apart: HashSet<ChannelId>,
    /// Those that the running transaction stored.
    pub messages: Vec<Arc<Message>>,
    looks_changed: bool,
}

fn meaning(table: &str, is_new: bool) -> u8 {
    match table {
        "users" => STANDING | LOOK,
        "memberships" | "keywords" | "attention" | "drafts" => STANDING,
        "channels" | "message_reactions" => LOOK,
        "messages" if !is_new => LOOK,
        _ => 0,
    }
}

impl Memory {
    /// An empty one, from now on told of what `connection` writes.
    pub fn watching(connection: &mut Connection) -> Result<Self> {
        let touched = Arc::new(AtomicU8::new(0));
        let told = touched.clone();
        connection.watch(move |table, is_new| {
            let meaning = meaning(table, is_new);
            if meaning != 0 {
                told.fetch_or(meaning, Ordering::Relaxed);
            }
        })?;
        Ok(Self {
            touched,
            standings: HashMap::new(),
            apart: HashSet::new(),
            messages: Vec::new(),
            looks_changed: false,
        })
    }

    /// Forgets what may be wrong after the writes since this was called last.
    pub fn catch_up(&mut self) {
        let touched = self.touched.swap(0, Ordering::Relaxed);
        if touched & STANDING != 0 {
            self.standings.clear();
        }
        if touched & LOOK != 0 {
            self.looks_changed = true;
            self.messages.clear();
        }
    }

    /// The writes since [`Self::catch_up`] changed nothing of what is kept here.
    pub fn nothing_changed(&self) {
        self.touched.store(0, Ordering::Relaxed);
    }

    /// Something was taken back: what was read meanwhile may never have been.
    pub fn forget(&mut self) {
        self.standings.clear();
        self.messages.clear();
        self.looks_changed = true;
    }

    /// Whether messages may look different since this was asked last.
    pub fn took_looks_changed(&mut self) -> bool {
        std::mem::take(&mut self.looks_changed)
    }

    /// How somebody stands in a channel, if it is known.
    pub fn standing(&self, user: UserId, channel: ChannelId) -> Option<Arc<Standing>> {
        self.standings.get(&(user, channel)).cloned()
    }

    pub fn keep_standing(&mut self, user: UserId, channel: ChannelId, standing: Arc<Standing>) {
        if self.standings.len() >= STANDINGS {
            self.standings.clear();
        }
        self.standings.insert((user, channel), standing);
    }

    pub fn is_apart(&self, channel: ChannelId) -> bool {
        self.apart.contains(&channel)
    }

    pub fn set_apart(&mut self, channel: ChannelId) {
        if self.apart.len() >= STANDINGS {
            self.apart.clear();
        }
        self.apart.insert(channel);
    }
}
