//! Whether anybody searches in this process.
//!
//! A commit of the index costs as much for one message as for a hundred, and those who post pay for it with the processor
//! and the disk. So while nobody asks, what is said is taken in larger portions, and whoever asks first waits until all
//! is there that was said before.

use std::sync::Arc;
use std::time::Duration;

use confab_core::{Db, log};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::index::Index;

/// So long after a question others are expected.
const LASTING: Duration = Duration::from_secs(10);
/// Who asks first waits this long at most: an index that is far behind says so in its answer.
const PATIENCE: Duration = Duration::from_millis(300);
/// After so many events the next ones are not waited for. Less than a look may take: 500 of the record, and of NATS what one
/// poll of a task gives, which tokio bounds at 128.
const MANY: usize = 64;
/// Between two looks whether all is there.
const LOOK: Duration = Duration::from_millis(5);

/// See the module. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Interest(Arc<watch::Sender<Option<Shown>>>);

#[derive(Clone, Copy)]
struct Shown {
    /// Since when somebody asks again and again.
    since: Instant,
    last: Instant,
}

impl Default for Interest {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }
}

impl Interest {
    /// Somebody asks. Answers for how long people have done so, of which the first begins.
    fn shown(&self) -> Duration {
        let now = Instant::now();
        let mut since = now;
        self.0.send_modify(|shown| {
            since = shown.filter(|it| is_lasting(Some(*it))).map_or(now, |it| it.since);
            *shown = Some(Shown { since, last: now });
        });
        now - since
    }

    /// Waits until `at`, or until somebody searches. Cancelling it loses nothing.
    pub async fn or_at(&self, at: Instant) {
        let mut asked = self.0.subscribe();
        tokio::select! {
            () = sleep_until(at) => {}
            // The sender is held here: it does not fail.
            _ = asked.wait_for(|shown| is_lasting(*shown)) => {}
        }
    }
}

/// When to look at the log again after so many events, while nobody searches.
pub(crate) fn next_look(events: usize, unasked: Duration) -> Instant {
    let now = Instant::now();
    // Where much came, more may wait.
    if events >= MANY { now } else { now + unasked }
}

fn is_lasting(shown: Option<Shown>) -> bool {
    shown.is_some_and(|it| it.last.elapsed() < LASTING)
}

/// Before a question is answered: tells the index that somebody asks, and has the first, and who comes right behind them, wait
/// until it holds what was said before.
pub(crate) async fn asked(db: &Db, index: &Index) {
    let left = PATIENCE.saturating_sub(index.interest().shown());
    if left.is_zero() {
        return;
    }
    // Without the record nothing is answered anyway.
    let Ok(head) = log::head(&mut db.read()).await else { return };
    let caught_up = async {
        while index.applied() < head {
            sleep(LOOK).await;
        }
    };
    // What is missing after that, the answer says.
    let _ = timeout(left, caught_up).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_who_asks_after_a_while_is_first_and_nobody_waits_for_the_portion_then() {
        let interest = Interest::default();
        let far = Instant::now() + Duration::from_hours(1);
        interest.or_at(Instant::now()).await;
        let waiting = async { timeout(Duration::from_millis(50), interest.or_at(far)).await.is_err() };
        assert!(waiting.await, "nobody asked");
        let ((), first) = tokio::join!(interest.or_at(far), async { interest.shown() });
        assert_eq!(first, Duration::ZERO);
        interest.or_at(far).await;
        assert!(interest.shown() > Duration::ZERO, "one of several");
        let last = Instant::now().checked_sub(LASTING).expect("a clock that is old enough");
        assert!(!is_lasting(Some(Shown { since: last, last })), "others did not come");
    }

    #[test]
    fn a_look_that_tokio_cut_short_is_followed_by_another() {
        let hour = Duration::from_hours(1);
        assert!(next_look(125, hour) <= Instant::now(), "NATS gives no more at once");
        assert!(next_look(3, hour) > Instant::now());
    }
}
