//! Sockets that are open, and those of them that have not said who they are.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::limits::network_of;

/// Sockets of one address that have not said who they are (docs/limits.md).
const STRANGERS_OF_ADDRESS: usize = 20;
/// Between two looks whether all have gone.
const LOOK: Duration = Duration::from_millis(20);

/// Someone who has not said who they are. Few of them come from one address at a time, or one machine could hold all
/// places of this server for ten seconds each, over and over.
pub struct Stranger {
    address: IpAddr,
    is_counted: AtomicBool,
}

static STRANGERS: Mutex<BTreeMap<IpAddr, usize>> = Mutex::new(BTreeMap::new());

impl Stranger {
    /// Counts one more; `None` when the address, or its house, has too many.
    pub fn admit(address: IpAddr, is_limited: bool) -> Option<Self> {
        let address = network_of(address);
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

static OPEN: AtomicUsize = AtomicUsize::new(0);

/// One of the open sockets, as long as it is held.
pub struct Counted;

impl Counted {
    /// Counts one more; answers how many there are with it.
    pub fn one_more() -> (Self, usize) {
        (Self, OPEN.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Waits until every socket has been told why it ends, but no longer than `within`.
pub async fn all_have_left(within: Duration) {
    let left = async {
        while OPEN.load(Ordering::Relaxed) > 0 {
            tokio::time::sleep(LOOK).await;
        }
    };
    if tokio::time::timeout(within, left).await.is_err() {
        tracing::info!(sockets = OPEN.load(Ordering::Relaxed), "some sockets are cut: they read nothing");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_house_counts_as_one() {
        let address = |text: String| text.parse::<IpAddr>().unwrap();
        let house: Vec<Stranger> = (0..STRANGERS_OF_ADDRESS)
            .map(|number| Stranger::admit(address(format!("2001:db8:1:2::{number:x}")), true).unwrap())
            .collect();
        assert!(Stranger::admit(address("2001:db8:1:2:ffff::1".into()), true).is_none());
        for other in ["2001:db8:1:3::1", "203.0.113.7"] {
            assert!(Stranger::admit(address(other.into()), true).is_some(), "{other}");
        }
        house[0].settle();
        assert!(Stranger::admit(address("2001:db8:1:2:ffff::1".into()), true).is_some());
    }
}
