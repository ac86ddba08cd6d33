//! What has its time: scheduled messages, reminders, and messages that are older than they may be.
//!
//! One task in each server. Servers share the record and may all try: the row of what is due decides which of them does
//! it, so that it happens once, also when the one that began dies.

use std::time::Duration;

use confab_core::{FutureExt, Result, reminders, retention, scheduled_messages};
use confab_protocol::{ChannelId, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::state::App;

/// Looks again after this time at the latest: another server may have been told of something sooner, and died.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// After a failure of the record.
const REST: Duration = Duration::from_secs(1);
/// Handled before the record is asked again.
const BATCH: u32 = 50;
/// Between two looks for messages that are too old (docs/limits.md).
const BETWEEN_EXPIRIES: Duration = Duration::from_mins(10);
/// Between two batches of deletions: people's own writes go first, and sockets keep up with the events (docs/limits.md).
const BREATH: Duration = Duration::from_millis(250);

/// Wakes the task of this server.
#[derive(Default)]
pub struct Due {
    sooner: Notify,
    rules: Notify,
}

impl Due {
    /// Something may be due sooner than it was.
    pub fn wake(&self) {
        self.sooner.notify_one();
    }

    /// It was chosen anew how long messages are kept, or a channel was deleted with all of them.
    pub fn expire(&self) {
        self.rules.notify_one();
    }
}

/// Does what is due until `stop`. What is under way then ends first.
pub async fn run(app: App, stop: CancellationToken) {
    tokio::join!(deliver(&app, &stop), expire(&app, &stop));
}

async fn deliver(app: &App, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        let wait = deliver_all(app, stop).await.unwrap_or_else(|fault| {
            tracing::warn!(%fault, "what is due waits a moment longer");
            REST
        });
        tokio::select! {
            () = stop.cancelled() => {}
            () = app.due.sooner.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Does all that is due, and answers for how long nothing will be.
async fn deliver_all(app: &App, stop: &CancellationToken) -> Result<Duration> {
    loop {
        let due = scheduled_messages::due(&mut app.db.read(), BATCH).await?;
        for id in &due {
            if stop.is_cancelled() {
                return Ok(Duration::ZERO);
            }
            let sent = scheduled_messages::send_due(&app.db, *id).await?;
            metrics::counter!("confab_messages_posted_total").increment(u64::from(sent));
        }
        let next_reminder = reminders::next_at(&mut app.db.read()).await?;
        if next_reminder.is_some_and(|at| at <= Timestamp::now()) {
            app.db.write(|tx| async move { reminders::fire(tx, BATCH).await }.boxed()).await?;
            continue;
        }
        if (due.len() as u64) < u64::from(BATCH) {
            let next = scheduled_messages::next_at(&mut app.db.read()).await?;
            return Ok(until(next.into_iter().chain(next_reminder).min()));
        }
    }
}

fn until(next: Option<Timestamp>) -> Duration {
    let Some(next) = next else { return LONGEST_WAIT };
    let wait = u64::try_from(next.0 - Timestamp::now().0).unwrap_or(0);
    Duration::from_millis(wait).min(LONGEST_WAIT)
}

async fn expire(app: &App, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(fault) = expire_all(app, stop).await {
            tracing::warn!(%fault, "messages that are too old stay a while longer");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = app.due.rules.notified() => {}
            () = tokio::time::sleep(BETWEEN_EXPIRIES) => {}
        }
    }
}

/// Deletes all that is too old, a bounded batch at a time.
async fn expire_all(app: &App, stop: &CancellationToken) -> Result<()> {
    for channel in retention::deleted_channels(&mut app.db.read()).await? {
        expire_channel(app, channel, stop).await?;
    }
    let mut after = Some(ChannelId(Uuid::nil()));
    while let Some(from) = after {
        let (channels, next) = retention::overdue(&mut app.db.read(), from).await?;
        for channel in channels {
            expire_channel(app, channel, stop).await?;
        }
        after = next.filter(|_| !stop.is_cancelled());
    }
    Ok(())
}

async fn expire_channel(app: &App, channel: ChannelId, stop: &CancellationToken) -> Result<()> {
    while !stop.is_cancelled() && expire_some(app, channel).await? == retention::BATCH {
        tokio::time::sleep(BREATH).await;
    }
    Ok(())
}

async fn expire_some(app: &App, channel: ChannelId) -> Result<usize> {
    app.db.write(move |tx| async move { retention::expire(tx, channel).await }.boxed()).await
}
