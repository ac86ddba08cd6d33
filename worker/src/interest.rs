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
/// After so many events the next ones are not waited for: a look takes no more than 500 ([`log::BATCH`]).
const MANY: usize = 200;
/// Between two looks whether all is there.
const LOOK: Duration = Duration::from_millis(5);

/// See the module. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Interest(Arc<watch::Sender<Option<Instant>>>);

impl Default for Interest {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }
}

impl Interest {
    /// Somebody asks. Answers whether nobody did for a while.
    fn shown(&self) -> bool {
        !is_lasting(self.0.send_replace(Some(Instant::now())))
    }

    /// Waits until `at`, or until somebody searches. Cancelling it loses nothing.
    pub async fn or_at(&self, at: Instant) {
        let mut asked = self.0.subscribe();
        tokio::select! {
            () = sleep_until(at) => {}
            // The sender is held here: it does not fail.
            _ = asked.wait_for(|last| is_lasting(*last)) => {}
        }
    }
}

/// When to look at the log again after so many events, while nobody searches.
pub(crate) fn next_look(events: usize, unasked: Duration) -> Instant {
    let now = Instant::now();
    // Where much came, more may wait.
    if events >= MANY { now } else { now + unasked }
}

fn is_lasting(asked: Option<Instant>) -> bool {
    asked.is_some_and(|at| at.elapsed() < LASTING)
}

/// Before a question is answered: tells the index that somebody asks, and has the first wait until it holds what was said
/// before.
pub(crate) async fn asked(db: &Db, index: &Index) {
    if !index.interest().shown() {
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
    let _ = timeout(PATIENCE, caught_up).await;
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
        let ((), is_first) = tokio::join!(interest.or_at(far), async { interest.shown() });
        assert!(is_first);
        interest.or_at(far).await;
        assert!(!interest.shown(), "one of several");
        assert!(!is_lasting(Instant::now().checked_sub(LASTING)), "others did not come");
    }
}
