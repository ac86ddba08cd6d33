//! One try of one event, and what follows from how it ended.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use confab_core::{Db, Fault, FutureExt as _, Result, cursors};
use confab_protocol::Event;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::backlog::{Due, Failed};
use super::{Consumer, Handler, RECORD_PAUSE};

/// A call in progress gets this long to end when the process stops.
const GRACE: Duration = Duration::from_secs(5);

/// How a try ended.
pub(crate) enum Ended {
    /// The event is handled, or buried, or nothing was to be done about it.
    Done,
    /// It is tried again.
    Again(Failed),
    /// The process stops. Neither done nor failed: the next holder begins with it.
    Stopped,
}

impl Consumer {
    /// Hands an event to the handler, or what the event asks to be tried again. After its last try it is buried.
    pub(crate) async fn attempt<H: Handler>(
        &self,
        db: &Db,
        handler: &H,
        due: Due,
        stop: &CancellationToken,
    ) -> Ended {
        let subject = match cursors::subject(&mut db.read(), &due.event, &self.name).await {
            Ok(Some(subject)) => subject.into_owned(),
            Ok(None) => return Ended::Done,
            Err(fault) => {
                let unread = due.event.clone();
                return self.failed(db, due, unread, fault).await;
            }
        };
        let call = AssertUnwindSafe(handler.handle(&subject, due.attempt)).catch_unwind();
        let stopped = async {
            stop.cancelled().await;
            sleep(GRACE).await;
        };
        let outcome = tokio::select! {
            outcome = timeout(self.deadline, call) => outcome,
            () = stopped => return Ended::Stopped,
        };
        let fault = match outcome {
            Ok(Ok(Ok(()))) => return Ended::Done,
            Ok(Ok(Err(fault))) => fault,
            Ok(Err(_)) => Fault::Internal("the handler panicked".into()),
            Err(_) => Fault::Internal(format!("took longer than {:?}", self.deadline)),
        };
        self.failed(db, due, subject, fault).await
    }

    /// `subject` is what is buried: of a retry the event that it asked for.
    async fn failed(&self, db: &Db, due: Due, subject: Event, fault: Fault) -> Ended {
        let Due { event, attempt } = due;
        // The record being away is nobody's fault: counting it would bury every event of an outage.
        let next = if fault.is_retryable() { attempt } else { attempt + 1 };
        if next <= self.attempts {
            tracing::debug!(consumer = %self.name, pos = event.pos, attempt, %fault, "an event failed");
            let at = Instant::now() + self.wait_before(next.max(2));
            return Ended::Again(Failed { at, event, attempt: next });
        }
        tracing::error!(consumer = %self.name, pos = subject.pos, kind = subject.kind.as_str(), %fault,
            "giving up on an event, it is among the dead letters now");
        match self.bury(db, &subject, &fault, attempt).await {
            Ok(()) => Ended::Done,
            Err(unwritten) => {
                tracing::warn!(consumer = %self.name, fault = %unwritten, "cannot write the dead letter, trying the event once more");
                Ended::Again(Failed { at: Instant::now() + RECORD_PAUSE, event, attempt })
            }
        }
    }

    async fn bury(&self, db: &Db, event: &Event, fault: &Fault, attempts: u32) -> Result<()> {
        let (name, event, error) = (self.name.clone(), event.clone(), fault.to_string());
        db.write(move |tx| async move { cursors::bury(tx, &name, &event, &error, attempts).await }.boxed())
            .await
    }

    /// The wait before a try.
    fn wait_before(&self, attempt: u32) -> Duration {
        let at = (attempt as usize).saturating_sub(2);
        self.backoff.get(at).or(self.backoff.last()).copied().unwrap_or(RECORD_PAUSE)
    }
}
