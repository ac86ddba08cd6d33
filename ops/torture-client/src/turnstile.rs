//! What keeps people out, as far as can be said for certain.

use std::sync::atomic::{AtomicU64, Ordering};

/// Whether somebody is outside of a room for certain: odd means yes, and every change makes another number. Whoever reads
/// the same odd number before a request and after its answer was outside all the while.
#[derive(Debug)]
pub struct Turnstile(AtomicU64);

impl Turnstile {
    /// Somebody who was never let in.
    pub fn outside() -> Self {
        Self(AtomicU64::new(1))
    }

    /// `None`: not outside for certain.
    pub fn outside_since(&self) -> Option<u64> {
        let number = self.0.load(Ordering::SeqCst);
        (number % 2 == 1).then_some(number)
    }

    /// Before somebody is let in, and once they are out again for certain.
    pub fn turn(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_is_outside_all_the_while_counts() {
        let turnstile = Turnstile::outside();
        let before = turnstile.outside_since();
        assert!(before.is_some());
        turnstile.turn();
        assert!(turnstile.outside_since().is_none());
        turnstile.turn();
        assert!(turnstile.outside_since().is_some());
        assert_ne!(turnstile.outside_since(), before, "they were inside meanwhile");
    }
}
