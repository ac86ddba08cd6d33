//! How many pictures are decoded at once: as many as there are cores, since each may take 160 MB and seconds of a core;
//! and of one person at most half of them, so that a hundred pictures of one leave room for another's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use confab_core::{Fault, Result};
use confab_protocol::UserId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// See the module.
pub struct PicturePlaces {
    all: Arc<Semaphore>,
    of_each: usize,
    /// Of those who decode or wait now.
    of_users: Mutex<HashMap<UserId, Arc<Semaphore>>>,
}

/// One picture may be decoded while this is held.
pub struct Place {
    _of_all: OwnedSemaphorePermit,
    _of_user: OwnedSemaphorePermit,
}

impl PicturePlaces {
    /// So many places.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(places.max(1))),
            of_each: (places / 2).max(1),
            of_users: Mutex::default(),
        }
    }

    /// Waits for a place. Everyone waits in their own line first, so in the common one nobody has more than their share
    /// of the places either.
    ///
    /// # Errors
    /// [`Fault::Busy`] when there is none `within` this time.
    pub async fn take(&self, user: UserId, within: Duration) -> Result<Place> {
        let own = self.line_of(user);
        let taken = async {
            let of_user = own.acquire_owned().await.map_err(Fault::internal)?;
            let of_all = self.all.clone().acquire_owned().await.map_err(Fault::internal)?;
            Ok(Place { _of_all: of_all, _of_user: of_user })
        };
        tokio::time::timeout(within, taken).await.map_err(|_| Fault::Busy)?
    }

    fn line_of(&self, user: UserId) -> Arc<Semaphore> {
        let mut of_users = self.of_users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = of_users.get(&user) {
            return own.clone();
        }
        // Whoever neither holds a place nor waits for one is forgotten.
        of_users.retain(|_, own| Arc::strong_count(own) > 1);
        of_users.entry(user).or_insert_with(|| Arc::new(Semaphore::new(self.of_each))).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_person_leaves_places_to_others() {
        let (places, ada, bob, carol) = (PicturePlaces::new(4), UserId::new(), UserId::new(), UserId::new());
        let now = Duration::ZERO;
        let (first, _second) =
            (places.take(ada, now).await.expect("one"), places.take(ada, now).await.expect("two"));
        assert!(matches!(places.take(ada, now).await, Err(Fault::Busy)), "more than a share");
        let _third = places.take(bob, now).await.expect("another's");
        let _fourth = places.take(bob, now).await.expect("another's");
        assert!(matches!(places.take(carol, now).await, Err(Fault::Busy)), "more than all");
        drop(first);
        let _fifth = places.take(carol, now).await.expect("a place is free");
        assert!(PicturePlaces::new(1).take(ada, now).await.is_ok(), "one core is enough");
    }
}
