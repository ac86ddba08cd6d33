//! A user who has sockets here, and who hears each channel.

use std::collections::HashMap;
use std::sync::Arc;

use confab_protocol::{ChannelId, UserId};

use super::Kept;
use crate::gateway::outbox::Outbox;

/// See the module.
#[derive(Default)]
pub struct Present {
    /// Their sockets, and whether each hears already; the others are reading their memberships.
    pub sockets: Vec<(Arc<Outbox>, bool)>,
    /// Channels and the number since which the user hears them.
    pub channels: HashMap<ChannelId, i64>,
    /// Numbers of removals seen here: a list read before a removal must not bring it back.
    pub left: HashMap<ChannelId, i64>,
    /// Among the channels are deleted ones: who shows by them is not known here.
    pub has_deleted: bool,
    /// What the socket of this number was greeted with.
    pub kept: Option<(u64, Arc<Kept>)>,
}

impl Present {
    /// Whether one of the sockets does not hear yet.
    pub fn is_arriving(&self) -> bool {
        self.sockets.iter().any(|it| !it.1)
    }

    /// The sockets that hear.
    pub fn hearing(&self) -> impl Iterator<Item = &Arc<Outbox>> {
        self.sockets.iter().filter(|it| it.1).map(|it| &it.0)
    }
}

/// One socket in one channel.
struct Listener {
    from_seq: i64,
    user: UserId,
    outbox: Arc<Outbox>,
}

/// The sockets that hear one channel, in one piece: a message passes over all of them.
#[derive(Default)]
pub struct Listeners {
    all: Vec<Listener>,
    /// Of which so many have ended: they are taken out together, since each time costs a pass over all.
    ended: usize,
}

impl Listeners {
    /// Lets a socket hear from `from_seq` on; what it heard before of the channel is past.
    pub fn add(&mut self, outbox: &Arc<Outbox>, from_seq: i64) {
        self.all.push(Listener { from_seq, user: outbox.user_id, outbox: outbox.clone() });
    }

    /// Whoever hears number `seq`.
    pub fn of(&self, seq: i64) -> impl Iterator<Item = &Arc<Outbox>> {
        self.all.iter().filter(move |it| it.from_seq <= seq).map(|it| &it.outbox)
    }

    /// All who hear, but for one person's sockets.
    pub fn but(&self, user: UserId) -> impl Iterator<Item = &Arc<Outbox>> {
        self.all.iter().filter(move |it| it.user != user).map(|it| &it.outbox)
    }

    /// All who hear.
    pub fn sockets(&self) -> impl Iterator<Item = &Arc<Outbox>> {
        self.all.iter().map(|it| &it.outbox)
    }

    /// The people, once for each of their sockets.
    pub fn people(&self) -> impl Iterator<Item = UserId> {
        self.all.iter().map(|it| it.user)
    }

    /// A person hears it no more, from this moment. `false`: nobody is left.
    pub fn remove(&mut self, user: UserId) -> bool {
        self.all.retain(|it| it.user != user);
        !self.all.is_empty()
    }

    /// One of the sockets has ended, and its queue is shut. `false`: nobody is left.
    pub fn end_one(&mut self) -> bool {
        self.ended += 1;
        if self.ended * 4 >= self.all.len() {
            self.all.retain(|it| !it.outbox.is_shut());
            self.ended = 0;
            if self.all.capacity() > self.all.len() * 4 {
                self.all.shrink_to_fit();
            }
        }
        !self.all.is_empty()
    }
}
