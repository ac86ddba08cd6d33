//! What the run knows of the servers' clocks, and so which tokens a server may refuse.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::person::Shown;

/// Servers forgive each other's clocks 30 s (docs/limits.md); a little less is due to nobody's reading at the same moment.
const FORGIVEN: i64 = 25;
/// An answer that comes this soon after a clock was turned may have been made before.
const ON_ITS_WAY: Duration = Duration::from_secs(10);

/// See the module. By the numbers of the servers; one that is not named goes with the machine.
#[derive(Default)]
pub struct Clocks(Mutex<Vec<Hand>>);

/// Where a clock stands, in seconds ahead of the machine's.
#[derive(Clone, Copy, Default)]
struct Hand {
    now: i64,
    before: i64,
    turned: Option<Instant>,
}

/// What a token says of its time.
#[derive(Deserialize)]
struct Claims {
    iat: i64,
    exp: i64,
}

impl Clocks {
    /// A server's clock is turned to so many seconds ahead.
    pub fn turned(&self, server: usize, seconds: i64) {
        let mut hands = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if hands.len() <= server {
            hands.resize(server + 1, Hand::default());
        }
        let before = hands[server].now;
        hands[server] = Hand { now: seconds, before, turned: Some(Instant::now()) };
    }

    /// A server's clock stood so many seconds ahead from its start.
    pub fn stands(&self, server: usize, seconds: i64) {
        self.turned(server, seconds);
        self.turned(server, seconds);
    }

    /// How many seconds ahead a server's clock is.
    pub fn ahead(&self, server: usize) -> i64 {
        let hands = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hands.get(server).map_or(0, |hand| hand.now)
    }

    /// Whether a server was right to take a token for one of the future, or for one that has expired.
    pub fn excuse(&self, shown: &Shown) -> bool {
        let machine = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs() as i64);
        let hands = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hand = hands.get(shown.server).copied().unwrap_or_default();
        let is_recent = hand.turned.is_some_and(|at| at.elapsed() < ON_ITS_WAY);
        let Some(claims) = claims(&shown.token) else { return false };
        let is_out = |ahead: i64| {
            let clock = machine + ahead;
            claims.iat > clock + FORGIVEN || clock > claims.exp - FORGIVEN
        };
        is_out(hand.now) || (is_recent && is_out(hand.before)) || shown.ahead.is_some_and(is_out)
    }
}

fn claims(token: &str) -> Option<Claims> {
    let payload = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(server: usize, issued: i64) -> Shown {
        let machine = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
        let claims = format!(r#"{{"iat":{},"exp":{}}}"#, machine + issued, machine + issued + 1_800);
        let token = format!("head.{}.signature", BASE64_URL_SAFE_NO_PAD.encode(claims));
        Shown { server, token: token.into(), ahead: None }
    }

    #[test]
    fn only_clocks_excuse_a_refusal() {
        let clocks = Clocks::default();
        assert!(!clocks.excuse(&shown(0, 0)));
        assert!(!clocks.excuse(&Shown { token: "no token".into(), ..shown(0, 0) }));
        assert!(clocks.excuse(&shown(0, -1_790)), "as good as expired");
        assert!(
            clocks.excuse(&Shown { ahead: Some(600), ..shown(0, -1_500) }),
            "it was, when the socket was greeted"
        );
        clocks.stands(1, 300);
        assert!(clocks.excuse(&shown(0, 300)), "of a server that is ahead");
        assert!(!clocks.excuse(&shown(1, 300)), "at that server itself");
        clocks.turned(0, -600);
        assert!(clocks.excuse(&shown(0, 0)), "the clock was put back");
        clocks.turned(0, 0);
        assert!(clocks.excuse(&shown(0, 0)), "the answer may have been on its way");
    }
}
