//! Sockets that are open, and those of them that have not said who they are.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Sockets of one address that have not said who they are (docs/limits.md).
const STRANGERS_OF_ADDRESS: usize = 20;

/// Someone who has not said who they are. Few of them come from one address at a time, or one machine could hold all
/// places of this server for ten seconds each, over and over.
pub struct Stranger {
    address: IpAddr,
    is_counted: AtomicBool,
}

static STRANGERS: Mutex<BTreeMap<IpAddr, usize>> = Mutex::new(BTreeMap::new());

impl Stranger {
    /// Counts one more; `None` when the address has too many.
    pub fn admit(address: IpAddr, is_limited: bool) -> Option<Self> {
        let mut strangers = STRANGERS.lock().unwrap_or_else(PoisonError::into_inner);
        let count = strangers.entry(address).or_default();
        if is_limited && *count >= STRANGERS_OF_ADDRESS {
            return None;
        }
        *count += 1;
        Some(Self { address, is_counted: AtomicBool::new(true) })
    }

    /// They have said who they are, or gone: counted no more.
    pub fn settle(&self) {
        if !self.is_counted.swap(false, Ordering::Relaxed) {
            return;
        }
        let mut strangers = STRANGERS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = strangers.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                strangers.remove(&self.address);
            }
        }
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.settle();
    }
}

/// One of the open sockets, as long as it is held.
pub struct Counted(&'static AtomicU64);

impl Counted {
    /// Counts one more.
    pub fn one_more(of: &'static AtomicU64) -> Self {
        of.fetch_add(1, Ordering::Relaxed);
        Self(of)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
