//! How often callers may call (docs/limits.md). Off only for benchmarks and tests, and then loudly.
//!
//! Those of guessing and of mailing (signing in, registering, resets, joining by code) hold across servers and are in SQL: a
//! second server must not be a second try. The others are each server's own.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use confab_core::rate_limits::{self, Quota as Shared};
use confab_core::{Db, Fault, FutureExt, Result, users};
use confab_protocol::{SessionId, UserId};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use uuid::Uuid;

/// One limiter for each kind of call. Keys that were not used for a while are swept by [`Limits::sweep`].
pub struct Limits {
    is_on: bool,
    ticket: DefaultKeyedRateLimiter<SessionId>,
    greet: DefaultKeyedRateLimiter<UserId>,
    write: DefaultKeyedRateLimiter<UserId>,
    send: DefaultKeyedRateLimiter<UserId>,
    search: DefaultKeyedRateLimiter<UserId>,
    react: DefaultKeyedRateLimiter<UserId>,
    ask: DefaultKeyedRateLimiter<UserId>,
    download: DefaultKeyedRateLimiter<UserId>,
    hook: DefaultKeyedRateLimiter<Uuid>,
    deliver: DefaultKeyedRateLimiter<IpAddr>,
}

const SIGN_IN_OF_ADDRESS: Shared = Shared { count: 20, per: Duration::from_mins(5) };
const SIGN_IN_OF_BOTH: Shared = Shared { count: 5, per: Duration::from_mins(5) };
const SIGN_IN_OF_ACCOUNT: Shared = Shared { count: 100, per: Duration::from_mins(5) };
const REGISTER: Shared = Shared { count: 5, per: Duration::from_hours(1) };
const BEGIN_OUTSIDE: Shared = Shared { count: 30, per: Duration::from_mins(5) };
const REFRESH: Shared = Shared { count: 60, per: Duration::from_mins(1) };
const RESET_OF_ADDRESS: Shared = Shared { count: 20, per: Duration::from_hours(1) };
const RESET_OF_ACCOUNT: Shared = Shared { count: 5, per: Duration::from_hours(1) };
const JOIN_BY_CODE_OF_USER: Shared = Shared { count: 10, per: Duration::from_mins(10) };
const JOIN_BY_CODE_OF_ADDRESS: Shared = Shared { count: 30, per: Duration::from_mins(10) };

/// Whose addresses these are: of IPv6 a whole /64 is one house, and its inhabitants choose among 2^64.
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// An account as limits know it.
pub struct Account(String);

impl Account {
    /// The account that a login names, whichever of its names was typed, or what was typed: that may be a password in
    /// the wrong field, and of any length, so only its hash is kept.
    pub async fn named(db: &Db, login: &str) -> Result<Self> {
        let known = users::credentials(&mut db.read(), login).await?;
        Ok(Self(known.map_or_else(
            || confab_core::text::hash(&confab_core::text::key(login))[..32].to_owned(),
            |it| it.user_id.to_string(),
        )))
    }
}

fn sign_in_keys(Account(account): &Account, address: IpAddr) -> [(String, Shared); 3] {
    let network = network_of(address);
    [
        (format!("sign_in:{network}"), SIGN_IN_OF_ADDRESS),
        (format!("sign_in:{network}:{account}"), SIGN_IN_OF_BOTH),
        (format!("sign_in:{account}"), SIGN_IN_OF_ACCOUNT),
    ]
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
            ticket: RateLimiter::keyed(every(10, 60, 10)),
            greet: RateLimiter::keyed(every(60, 60, 20)),
            write: RateLimiter::keyed(every(10, 1, 30)),
            send: RateLimiter::keyed(every(5, 1, 20)),
            search: RateLimiter::keyed(every(30, 60, 30)),
            react: RateLimiter::keyed(every(5, 1, 5)),
            ask: RateLimiter::keyed(every(10, 60, 10)),
            download: RateLimiter::keyed(every(20, 1, 100)),
            hook: RateLimiter::keyed(every(60, 60, 30)),
            deliver: RateLimiter::keyed(every(120, 60, 60)),
        }
    }

    /// Trying to sign in counts against the address, and against the account from that address: a stranger who guesses
    /// locks out themselves, not the account's owner. Many addresses together are slowed down for one account too.
    pub async fn sign_in(&self, db: &Db, account: &Account, address: IpAddr) -> Result<()> {
        self.take(db, sign_in_keys(account, address).into()).await
    }

    /// The right password: it was no guess, and earlier wrong ones from this address count no more.
    pub async fn signed_in(&self, db: &Db, account: &Account, address: IpAddr) -> Result<()> {
        if !self.is_on {
            return Ok(());
        }
        let [of_address, of_both, of_account] = sign_in_keys(account, address);
        db.write(move |tx| {
            async move {
                rate_limits::give_back(tx, &of_address.0, of_address.1).await?;
                rate_limits::forget(tx, &of_both.0).await?;
                rate_limits::give_back(tx, &of_account.0, of_account.1).await
            }
            .boxed()
        })
        .await
    }

    /// Makes an account by `work`. A form that is not right makes none, and counts for none.
    pub async fn registering<T>(
        &self,
        db: &Db,
        address: IpAddr,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let key = format!("register:{}", network_of(address));
        self.take(db, vec![(key.clone(), REGISTER)]).await?;
        let done = work.await;
        if self.is_on && matches!(done, Err(Fault::Invalid { .. })) {
            db.write(move |tx| async move { rate_limits::give_back(tx, &key, REGISTER).await }.boxed())
                .await?;
        }
        done
    }

    /// Going to the outside issuer.
    pub async fn begin_outside(&self, db: &Db, address: IpAddr) -> Result<()> {
        self.take(db, vec![(format!("outside:{}", network_of(address)), BEGIN_OUTSIDE)]).await
    }

    /// Renewing tokens.
    pub async fn refresh(&self, db: &Db, address: IpAddr) -> Result<()> {
        self.take(db, vec![(format!("refresh:{}", network_of(address)), REFRESH)]).await
    }

    /// Asking for a link to choose a new password, and using one, where no account is named.
    pub async fn reset(&self, db: &Db, account: Option<&Account>, address: IpAddr) -> Result<()> {
        let mut keys = vec![(format!("reset:{}", network_of(address)), RESET_OF_ADDRESS)];
        if let Some(Account(account)) = account {
            keys.push((format!("reset:{account}"), RESET_OF_ACCOUNT));
        }
        self.take(db, keys).await
    }

    /// Joining a channel by a code: all of them count, or a right one would make room for more guesses.
    pub async fn join_by_code(&self, db: &Db, user: UserId, address: IpAddr) -> Result<()> {
        let of_address = (format!("join:{}", network_of(address)), JOIN_BY_CODE_OF_ADDRESS);
        self.take(db, vec![of_address, (format!("join:{user}"), JOIN_BY_CODE_OF_USER)]).await
    }

    async fn take(&self, db: &Db, keys: Vec<(String, Shared)>) -> Result<()> {
        if !self.is_on {
            return Ok(());
        }
        db.write(move |tx| {
            async move {
                for (key, quota) in keys {
                    rate_limits::take(tx, &key, quota).await?;
                }
                Ok(())
            }
            .boxed()
        })
        .await
    }

    /// Tickets for sockets.
    pub fn ticket(&self, session: SessionId) -> Result<()> {
        self.check(&self.ticket, &session)
    }

    /// Being greeted on the gateway, the dearest thing that there is to read.
    pub fn greet(&self, user: UserId) -> Result<()> {
        self.check(&self.greet, &user)
    }

    /// Whatever changes something.
    pub fn write(&self, user: UserId) -> Result<()> {
        self.check(&self.write, &user)
    }

    /// Posting, by REST and gateway alike.
    pub fn send(&self, user: UserId) -> Result<()> {
        self.check(&self.send, &user)
    }

    /// Reacting, and taking reactions back.
    pub fn react(&self, user: UserId) -> Result<()> {
        self.check(&self.react, &user)
    }

    /// Searching.
    pub fn search(&self, user: UserId) -> Result<()> {
        self.check(&self.search, &user)
    }

    /// Asking the assistant.
    pub fn ask(&self, user: UserId) -> Result<()> {
        self.check(&self.ask, &user)
    }

    /// Reading bytes of a file: each range is a call to the store.
    pub fn download(&self, user: UserId) -> Result<()> {
        self.check(&self.download, &user)
    }

    /// Writing by one webhook.
    pub fn hook(&self, webhook: Uuid) -> Result<()> {
        self.check(&self.hook, &webhook)
    }

    /// Calling a plugin from another program.
    pub fn deliver(&self, address: IpAddr) -> Result<()> {
        self.check(&self.deliver, &network_of(address))
    }

    /// Whether limits hold.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.is_on
    }

    /// Forgets keys that are as good as new, so that the tables stay as small as the present traffic.
    pub fn sweep(&self) {
        self.ticket.retain_recent();
        self.greet.retain_recent();
        self.write.retain_recent();
        self.send.retain_recent();
        self.search.retain_recent();
        self.react.retain_recent();
        self.ask.retain_recent();
        self.download.retain_recent();
        self.hook.retain_recent();
        self.deliver.retain_recent();
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
    fn a_house_has_one_network() {
        let network = |text: &str| network_of(text.parse().expect("an address")).to_string();
        assert_eq!(network("2001:db8:1:2:aaaa::1"), network("2001:db8:1:2:bbbb::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1");
    }

    #[test]
    fn whoever_posts_too_fast_waits_and_another_does_not() {
        let limits = Limits::new(true);
        let (ada, bob) = (UserId::new(), UserId::new());
        for _ in 0..20 {
            assert!(limits.send(ada).is_ok());
        }
        assert!(matches!(limits.send(ada), Err(Fault::RateLimited { .. })));
        assert!(limits.send(bob).is_ok());
        assert!(Limits::new(false).send(ada).is_ok());
    }
}
