//! How long a socket may go on: as long as its client says something, and its token is good.

use std::time::{Duration, Instant};

use confab_protocol::Timestamp;

use super::outbox::TOKEN_EXPIRED;
use super::wire::Ended;

/// No frame for so long: the client is gone (docs/limits.md).
const DEAD_AFTER: Duration = Duration::from_secs(75);
/// After its token's end a client may still send `reauth`.
const REAUTH_GRACE: Duration = Duration::from_mins(1);
/// No socket lasts so long.
const FOR_EVER: Duration = Duration::from_hours(365 * 24);

/// See the module.
pub struct Lifetime {
    heard: Instant,
    /// When its token has ended, and the grace after it.
    expires: Instant,
}

impl Lifetime {
    /// Of a socket that has just said who it is, by a token that is good until then.
    pub fn new(token_ends: Timestamp) -> Self {
        Self { heard: Instant::now(), expires: expires(token_ends) }
    }

    /// It said something.
    pub fn hear(&mut self) {
        self.heard = Instant::now();
    }

    /// It said another token.
    pub fn renew(&mut self, token_ends: Timestamp) {
        self.expires = expires(token_ends);
    }

    /// When it is over, unless something is heard.
    pub fn due(&self) -> Instant {
        (self.heard + DEAD_AFTER).min(self.expires)
    }

    /// Why it is over at `now`; `None`: it is not.
    pub fn over(&self, now: Instant) -> Option<Ended> {
        if self.expires <= now {
            Some(Some(TOKEN_EXPIRED))
        } else {
            (self.heard + DEAD_AFTER <= now).then_some(None)
        }
    }
}

/// Fixed once for a token: counted anew at each look, its grace would never be over.
fn expires(token_ends: Timestamp) -> Instant {
    let left = u64::try_from(token_ends.0 - Timestamp::now().0).unwrap_or(0);
    // Some tokens last for ever, which no clock can show.
    Instant::now() + Duration::from_millis(left).min(FOR_EVER) + REAUTH_GRACE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_talks_on_after_their_token_has_ended_is_let_go() {
        let mut life = Lifetime::new(Timestamp(Timestamp::now().0 - 1_000));
        let end = life.due();
        assert!(end <= Instant::now() + REAUTH_GRACE);
        life.hear();
        assert_eq!(life.due(), end, "the grace is counted once");
        assert_eq!(life.over(Instant::now()), None);
        assert_eq!(life.over(end), Some(Some(TOKEN_EXPIRED)));
        life.renew(Timestamp(i64::MAX));
        assert_eq!(life.over(end), None, "another token, for ever");
        assert_eq!(life.over(end + DEAD_AFTER), Some(None), "nothing was heard");
    }
}
