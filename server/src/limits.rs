//! How often callers may call (docs/limits.md). Off only for benchmarks and tests, and then loudly.

use std::net::IpAddr;
use std::num::NonZeroU32;

use confab_core::{Fault, Result};
use confab_protocol::UserId;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// One limiter for each kind of call. Keys that were not used for a while are swept by [`Limits::sweep`].
pub struct Limits {
    is_on: bool,
    account: DefaultKeyedRateLimiter<(String, IpAddr)>,
    account_anywhere: DefaultKeyedRateLimiter<String>,
    address: DefaultKeyedRateLimiter<IpAddr>,
    register: DefaultKeyedRateLimiter<IpAddr>,
    write: DefaultKeyedRateLimiter<UserId>,
    send: DefaultKeyedRateLimiter<UserId>,
    search: DefaultKeyedRateLimiter<UserId>,
    ask: DefaultKeyedRateLimiter<UserId>,
}

fn every(count: u32, seconds: u64, burst: u32) -> Quota {
    let period = std::time::Duration::from_millis(seconds * 1_000 / u64::from(count.max(1)));
    let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
    Quota::with_period(period).unwrap_or(Quota::per_second(NonZeroU32::MIN)).allow_burst(burst)
}

impl Limits {
    /// The limits of docs/limits.md, or none.
    #[must_use]
    pub fn new(is_on: bool) -> Self {
        if !is_on {
            tracing::warn!("rate limits are off: do not serve people like this");
        }
        Self {
            is_on,
            account: RateLimiter::keyed(every(5, 300, 5)),
            account_anywhere: RateLimiter::keyed(every(100, 300, 100)),
            write: RateLimiter::keyed(every(10, 1, 30)),
            address: RateLimiter::keyed(every(20, 300, 20)),
            register: RateLimiter::keyed(every(5, 3_600, 5)),
            send: RateLimiter::keyed(every(5, 1, 20)),
            search: RateLimiter::keyed(every(30, 60, 30)),
            ask: RateLimiter::keyed(every(10, 60, 10)),
        }
    }

    /// Trying to sign in counts against the address, and against the account from that address: a stranger who guesses
    /// locks out themselves, not the account's owner. Many addresses together are slowed down for one account too.
    pub fn sign_in(&self, login: &str, address: IpAddr) -> Result<()> {
        self.check(&self.address, &address)?;
        let key = confab_core::text::key(login);
        self.check(&self.account, &(key.clone(), address))?;
        self.check(&self.account_anywhere, &key)
    }

    /// Whatever changes something.
    pub fn write(&self, user: UserId) -> Result<()> {
        self.check(&self.write, &user)
    }

    /// Making accounts.
    pub fn register(&self, address: IpAddr) -> Result<()> {
        self.check(&self.register, &address)
    }

    /// Posting, by REST and gateway alike.
    pub fn send(&self, user: UserId) -> Result<()> {
        self.check(&self.send, &user)
    }

    /// Searching.
    pub fn search(&self, user: UserId) -> Result<()> {
        self.check(&self.search, &user)
    }

    /// Asking the assistant.
    pub fn ask(&self, user: UserId) -> Result<()> {
        self.check(&self.ask, &user)
    }

    /// Whether limits hold.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.is_on
    }

    /// Forgets keys that are as good as new, so that the tables stay as small as the present traffic.
    pub fn sweep(&self) {
        self.account.retain_recent();
        self.account_anywhere.retain_recent();
        self.write.retain_recent();
        self.address.retain_recent();
        self.register.retain_recent();
        self.send.retain_recent();
        self.search.retain_recent();
        self.ask.retain_recent();
    }

    fn check<K: std::hash::Hash + Eq + Clone>(
        &self,
        limiter: &DefaultKeyedRateLimiter<K>,
        key: &K,
    ) -> Result<()> {
        if !self.is_on {
            return Ok(());
        }
        limiter.check_key(key).map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            Fault::RateLimited { retry_after_seconds: wait.as_secs() + 1 }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixth_try_waits_and_another_account_does_not() {
        let limits = Limits::new(true);
        let address = IpAddr::from([192, 0, 2, 1]);
        for _ in 0..5 {
            assert!(limits.sign_in("ada", address).is_ok());
        }
        assert!(matches!(limits.sign_in("ADA", address), Err(Fault::RateLimited { .. })));
        assert!(limits.sign_in("bob", address).is_ok());
        let elsewhere = IpAddr::from([192, 0, 2, 2]);
        assert!(limits.sign_in("ada", elsewhere).is_ok(), "the owner of the account is somewhere else");
        assert!(Limits::new(false).sign_in("ada", address).is_ok());
    }
}
