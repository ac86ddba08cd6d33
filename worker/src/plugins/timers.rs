//! Timers of plugins: each worker looks for what is due, and the row decides who calls the plugin.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use confab_core::plugins::timers::{self, TRIES, Timer};
use confab_core::{Db, FutureExt as _, Result};
use confab_plugin_host::{CallError, Level, Tick};
use confab_protocol::Timestamp;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::catalogue::Catalogue;
use super::host::Occasion;

/// Looks again after this time at the latest: another worker may have set a timer, or died with one.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Timers that are called at the same time.
const AT_ONCE: u32 = 8;
/// A call has 10 s; whoever holds longer has died.
const HOLD_MS: i64 = 20_000;
/// Before another try.
const BACKOFF: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(10), Duration::from_mins(1)];

/// Fires what is due until `stop`.
pub(super) async fn run(db: Db, catalogue: Arc<Catalogue>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let wait = fire_all(&db, &catalogue).await.unwrap_or_else(|fault| {
            tracing::warn!(%fault, "timers of plugins wait a moment longer");
            LONGEST_WAIT
        });
        tokio::select! {
            () = stop.cancelled() => {}
            () = catalogue.sooner().notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Fires what is due and answers for how long nothing will be.
async fn fire_all(db: &Db, catalogue: &Arc<Catalogue>) -> Result<Duration> {
    loop {
        let due = timers::due(&mut db.read(), AT_ONCE).await?;
        let mut calls = JoinSet::new();
        for timer in due {
            let held = timer.clone();
            if db.write(move |tx| async move { timers::hold(tx, &held, HOLD_MS).await }.boxed()).await? {
                let (db, catalogue) = (db.clone(), Arc::clone(catalogue));
                calls.spawn(async move { fire(&db, &catalogue, timer).await });
            }
        }
        if calls.is_empty() {
            let next = timers::next_at(&mut db.read()).await?;
            let wait = next.map(|at| u64::try_from(at.0 - Timestamp::now().0).unwrap_or(0));
            return Ok(wait.map_or(LONGEST_WAIT, Duration::from_millis).min(LONGEST_WAIT));
        }
        while let Some(fired) = calls.join_next().await {
            match fired {
                Ok(Ok(())) => {}
                Ok(Err(fault)) => tracing::warn!(%fault, "a timer of a plugin fires again"),
                Err(error) => tracing::error!(%error, "a timer of a plugin broke off"),
            }
        }
    }
}

async fn fire(db: &Db, catalogue: &Arc<Catalogue>, timer: Timer) -> Result<()> {
    let attempt = u32::try_from(timer.attempts + 1).unwrap_or(u32::MAX);
    let Some(loaded) = catalogue.get(&timer.plugin_id) else {
        // Enabled by the record and not here yet: another worker has its component, or this one soon will.
        let at = Timestamp::now().plus(BACKOFF[0]);
        return db.write(move |tx| async move { timers::not_tried(tx, &timer, at).await }.boxed()).await;
    };
    let tick = Tick {
        name: timer.name.clone(),
        payload: STANDARD.decode(&timer.payload).unwrap_or_default(),
        due_ms: u64::try_from(timer.due_at).unwrap_or(0),
        attempt,
    };
    let host = catalogue.host(&loaded, Occasion::timer(&timer.name, timer.due_at), None);
    let called = match catalogue.handlers(&loaded).await {
        Ok(plugin) => catalogue.call(&loaded, plugin.on_timer(host.granted(), tick)).await,
        Err(error) => Err(error),
    };
    let error = match called {
        Ok(()) | Err(CallError::NotHandled | CallError::NotGranted(_)) => None,
        Err(error) => Some(error),
    };
    if let Some(error) = &error {
        let text = format!("timer {}: {error} (try {attempt})", timer.name);
        catalogue.notes().line(&loaded.id, Level::Warn, &text);
    }
    let again = error.is_some() && i64::from(attempt) < TRIES;
    db.write(move |tx| {
        async move {
            if again {
                let wait = BACKOFF[(attempt as usize - 1).min(BACKOFF.len() - 1)];
                timers::later(tx, &timer, Timestamp::now().plus(wait)).await
            } else {
                timers::fired(tx, &timer).await
            }
        }
        .boxed()
    })
    .await
}
