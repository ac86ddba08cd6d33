//! What is noted of plugins as they run: lines of their logs, and what was denied to them. Gathered here, since whoever
//! notes something must not wait for the record, and written together.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use confab_core::plugins::administration;
use confab_core::plugins::logs::{self, Line};
use confab_core::{Db, FutureExt as _, Result};
use confab_plugin_host::{Level, Permission};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Lines that wait; the oldest give way, and the log says how many.
const WAITING: usize = 2_000;
/// Denials that wait: a pair of plugin and permission each.
const PAIRS: usize = 256;
/// Lines that come within this time are written together.
const LINES_APART: Duration = Duration::from_millis(300);
/// A plugin that asks for ever for what it may not have is an entry of the audit log each time this has passed.
const DENIALS_APART: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Default)]
pub(super) struct Notes {
    waiting: Mutex<Waiting>,
    more: Notify,
}

#[derive(Default)]
struct Waiting {
    lines: VecDeque<Line>,
    dropped: u64,
    denied: HashMap<(String, Permission), u64>,
}

impl Notes {
    /// A line of a plugin's log. Control characters become spaces: a line break could pass for a line of another.
    pub(super) fn line(&self, plugin: &str, level: Level, text: &str) {
        let text: String = text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect();
        match level {
            Level::Debug => tracing::debug!(plugin, "{text}"),
            Level::Info => tracing::info!(plugin, "{text}"),
            Level::Warn => tracing::warn!(plugin, "{text}"),
            Level::Error => tracing::error!(plugin, "{text}"),
        }
        let mut waiting = self.waiting();
        if waiting.lines.len() >= WAITING {
            waiting.lines.pop_front();
            waiting.dropped += 1;
        }
        waiting.lines.push_back(Line::new(plugin, word(level), text));
        drop(waiting);
        self.more.notify_one();
    }

    /// Something that a plugin asked for and was not granted.
    pub(super) fn denied(&self, plugin: &str, permission: Permission) {
        metrics::counter!("confab_plugin_denied_total", "plugin" => plugin.to_owned()).increment(1);
        let mut waiting = self.waiting();
        let key = (plugin.to_owned(), permission);
        if waiting.denied.len() < PAIRS || waiting.denied.contains_key(&key) {
            *waiting.denied.entry(key).or_default() += 1;
        }
        drop(waiting);
        self.more.notify_one();
    }

    /// Writes what comes until `stop`, and what is left then.
    pub(super) async fn write(&self, db: Db, stop: CancellationToken) {
        let mut denials_at = tokio::time::Instant::now();
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.more.notified() => tokio::time::sleep(LINES_APART).await,
                () = tokio::time::sleep_until(denials_at), if !self.waiting().denied.is_empty() => {}
            }
            self.write_lines(&db).await;
            if tokio::time::Instant::now() >= denials_at {
                self.write_denials(&db).await;
                denials_at = tokio::time::Instant::now() + DENIALS_APART;
            }
        }
        self.write_lines(&db).await;
        self.write_denials(&db).await;
    }

    async fn write_lines(&self, db: &Db) {
        let (mut lines, dropped) = {
            let mut waiting = self.waiting();
            (Vec::from(std::mem::take(&mut waiting.lines)), std::mem::take(&mut waiting.dropped))
        };
        if let Some(first) = lines.first().filter(|_| dropped > 0) {
            let text = format!("{dropped} lines of plugins came faster than they could be kept");
            lines.push(Line::new(&first.plugin_id, word(Level::Warn), text));
        }
        for part in lines.chunks(200) {
            let part = part.to_vec();
            let written: Result<()> =
                db.write(move |tx| async move { logs::add(tx, &part).await }.boxed()).await;
            if let Err(fault) = written {
                tracing::debug!(%fault, "lines of plugins are lost");
            }
        }
    }

    async fn write_denials(&self, db: &Db) {
        let denied = std::mem::take(&mut self.waiting().denied);
        for ((plugin, permission), times) in denied {
            let name = permission.to_string();
            let noted: Result<()> = db
                .write({
                    let (plugin, name) = (plugin.clone(), name.clone());
                    move |tx| async move { administration::denied(tx, &plugin, &name, times).await }.boxed()
                })
                .await;
            if let Err(fault) = noted {
                tracing::error!(plugin, name, times, %fault, "cannot note what was denied to a plugin");
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    }
}
