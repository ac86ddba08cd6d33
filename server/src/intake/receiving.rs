//! Bytes on their way in, and whose they are. The record knows what somebody keeps; what they are sending lies on this
//! server's disk and is known here alone. It counts against the same quota: else a hundred uploads at once, each refused
//! at its end, fill the disk.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use confab_core::files::{quota_exceeded, usage};
use confab_core::{Db, Fault, Result};
use confab_protocol::UserId;

/// Uploads of one person that one server receives at once: the ten files of a message, and two more.
pub const AT_ONCE_OF_USER: usize = 12;
/// Uploads of all that one server receives at once.
pub const AT_ONCE: usize = 256;
/// Whoever sends too many at once is told to try again after this long.
const RETRY_AFTER_SECONDS: u64 = 1;

/// What one server is receiving. Cheap to clone.
#[derive(Clone, Default)]
pub struct Receiving(Arc<Mutex<Held>>);

#[derive(Default)]
struct Held {
    uploads: usize,
    of_users: HashMap<UserId, Share>,
}

/// Of one person, as long as they send something.
#[derive(Default)]
struct Share {
    uploads: usize,
    /// Declared or arrived, of all their uploads.
    bytes: u64,
    /// What the record said when their newest upload began, and what was recorded since.
    kept: u64,
}

/// A place for one upload, and the bytes that it holds: given back when this is dropped.
pub struct Receipt {
    receiving: Receiving,
    user: UserId,
    quota: Option<u64>,
    held: u64,
    arrived: u64,
}

impl Receiving {
    /// Takes a place for bytes that the record counts already: a part, or parts that are put together.
    ///
    /// # Errors
    /// [`Fault::RateLimited`] while the user sends [`AT_ONCE_OF_USER`], [`Fault::Busy`] while all send [`AT_ONCE`].
    pub fn enter(&self, user: UserId) -> Result<Receipt> {
        let mut held = self.lock();
        if held.of_users.get(&user).is_some_and(|share| share.uploads >= AT_ONCE_OF_USER) {
            return Err(Fault::RateLimited { retry_after_seconds: RETRY_AFTER_SECONDS });
        }
        if held.uploads >= AT_ONCE {
            return Err(Fault::Busy);
        }
        held.uploads += 1;
        held.of_users.entry(user).or_default().uploads += 1;
        Ok(Receipt { receiving: self.clone(), user, quota: None, held: 0, arrived: 0 })
    }

    /// Takes a place for a file within `quota` bytes of all that the user keeps and sends. `declared` bytes are held at
    /// once, others as they arrive.
    ///
    /// # Errors
    /// Those of [`Receiving::enter`]; [`Fault::TooLarge`] with code `quota_exceeded`.
    pub async fn begin(&self, db: &Db, user: UserId, declared: u64, quota: u64) -> Result<Receipt> {
        let mut receipt = self.enter(user)?;
        receipt.quota = Some(quota);
        let kept = usage(&mut db.read(), user).await?.used_bytes.unsigned_abs();
        if let Some(share) = self.lock().of_users.get_mut(&user) {
            share.kept = kept;
        }
        receipt.hold(declared)?;
        Ok(receipt)
    }

    /// A panic elsewhere leaves counts that are right: nothing panics between two of them.
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Receipt {
    /// Counts bytes that came.
    ///
    /// # Errors
    /// [`Fault::TooLarge`] with code `quota_exceeded`.
    pub fn arrived(&mut self, bytes: u64) -> Result<()> {
        self.arrived += bytes;
        self.hold(self.arrived)
    }

    /// The record counts the file from now on.
    pub fn recorded(&mut self, bytes: u64) {
        if self.quota.is_some()
            && let Some(share) = self.receiving.lock().of_users.get_mut(&self.user)
        {
            share.bytes -= self.held;
            share.kept += bytes;
            self.held = 0;
        }
    }

    fn hold(&mut self, bytes: u64) -> Result<()> {
        let Some(quota) = self.quota.filter(|_| bytes > self.held) else { return Ok(()) };
        let mut held = self.receiving.lock();
        let share = held.of_users.entry(self.user).or_default();
        let more = bytes - self.held;
        if share.kept.saturating_add(share.bytes).saturating_add(more) > quota {
            return Err(quota_exceeded(quota));
        }
        share.bytes += more;
        self.held = bytes;
        Ok(())
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        let mut held = self.receiving.lock();
        held.uploads -= 1;
        let Some(share) = held.of_users.get_mut(&self.user) else { return };
        share.uploads -= 1;
        share.bytes -= self.held;
        if share.uploads == 0 {
            held.of_users.remove(&self.user);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(receiving: &Receiving, user: UserId, declared: u64) -> Result<Receipt> {
        let mut receipt = receiving.enter(user)?;
        receipt.quota = Some(100);
        receipt.hold(declared)?;
        Ok(receipt)
    }

    #[test]
    fn what_comes_counts_until_it_is_kept_or_given_up() {
        let (receiving, ada, bob) = (Receiving::default(), UserId::new(), UserId::new());
        let mut first = begin(&receiving, ada, 60).expect("room");
        assert!(begin(&receiving, ada, 60).is_err(), "two uploads see the same room");
        let mut second = begin(&receiving, ada, 0).expect("an upload of unknown length");
        assert!(second.arrived(40).is_ok() && second.arrived(1).is_err(), "more came than there is room for");
        assert!(begin(&receiving, bob, 100).is_ok(), "another's quota");
        drop(second);
        assert!(first.arrived(60).is_ok(), "what was declared is held already");
        first.recorded(55);
        assert!(begin(&receiving, ada, 46).is_err() && begin(&receiving, ada, 45).is_ok());
        drop(first);
        assert!(
            receiving.lock().of_users.is_empty() && receiving.lock().uploads == 0,
            "something stayed held"
        );
    }

    #[test]
    fn places_are_bounded_for_each_and_for_all() {
        let (receiving, ada) = (Receiving::default(), UserId::new());
        let mut places: Vec<Receipt> =
            (0..AT_ONCE_OF_USER).map(|_| receiving.enter(ada).expect("a place")).collect();
        assert!(matches!(receiving.enter(ada), Err(Fault::RateLimited { .. })));
        while places.len() < AT_ONCE {
            places.push(receiving.enter(UserId::new()).expect("a place"));
        }
        assert!(matches!(receiving.enter(UserId::new()), Err(Fault::Busy)));
        places.pop();
        assert!(receiving.enter(UserId::new()).is_ok());
    }
}
