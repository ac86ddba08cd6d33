//! What is done from behind, by each server: whole channels are told that they were mentioned, browsers are pushed to,
//! mails are sent, presences are kept. What is to be done is in the record, so any server can go on where another was
//! killed, and none does what another has done.

use std::time::Duration;

use confab_core::{Db, FutureExt, Result, broadcasts};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::state::App;
use crate::{digest, presence, push};

/// Without a commit of this process it looks this often: for what another server left, and for what became due.
const EVERY: Duration = Duration::from_secs(2);
/// Between two rounds: under load one look serves many commits.
const APART: Duration = Duration::from_millis(50);

/// When to look: after a commit of this process, or after a while.
pub struct Rounds(watch::Receiver<i64>);

impl Rounds {
    /// The first round is at once.
    #[must_use]
    pub fn new(db: &Db) -> Self {
        let mut commits = db.commits();
        commits.mark_changed();
        Self(commits)
    }

    /// Waits for the next round.
    pub async fn next(&mut self) {
        tokio::time::sleep(APART).await;
        // A closed channel means that the record is closing; the wait then ends by the caller's stop.
        let _ = tokio::time::timeout(EVERY, self.0.changed()).await;
    }
}

/// Starts all of it.
pub fn start(app: &App, stop: &CancellationToken) {
    tokio::spawn(presence::keep(app.clone(), stop.clone()));
    tokio::spawn(tell_channels(app.clone(), stop.clone()));
    tokio::spawn(push::send_all(app.clone(), stop.clone()));
    if app.mail.is_some() {
        tokio::spawn(digest::send_all(app.clone(), stop.clone()));
    }
}

async fn tell_channels(app: App, stop: CancellationToken) {
    let mut rounds = Rounds::new(&app.db);
    while stop.run_until_cancelled(rounds.next()).await.is_some() {
        if let Err(fault) = tell_channel(&app, &stop).await {
            tracing::warn!(%fault, "people of a channel are told a moment later");
        }
    }
}

async fn tell_channel(app: &App, stop: &CancellationToken) -> Result<()> {
    while !stop.is_cancelled() && broadcasts::is_waiting(&mut app.db.read()).await? {
        app.db.write(|tx| broadcasts::step(tx).boxed()).await?;
    }
    Ok(())
}
