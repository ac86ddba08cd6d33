//! What happens after a message is in the record: it is indexed, answers are found, plugins run.
//!
//! In reading order: [`startup`] is shared by the programs, [`consumer`] follows the log once for the whole system,
//! [`index`] keeps this process's full-text index up to date with the log, [`embedding`] makes vectors of texts, [`vectors`]
//! keeps them, [`meaning`] keeps those up to date, [`search`] asks, [`assistant`] answers from what it finds, with a
//! [`language_model`] if there is one, [`services`]
//! offers all of it on the bus, and [`plugins`] runs what third parties wrote.
//!
//! Serves no HTTP and no socket; all that it calls are models that an operator named. Everything it keeps on disk
//! can be deleted: it is made again from the record.

pub mod assistant;
mod background;
pub mod consumer;
pub mod embedding;
mod endpoint;
pub mod index;
mod interest;
pub mod language_model;
pub mod meaning;
pub mod plugins;
pub mod search;
pub mod services;
pub mod startup;
pub mod vectors;

use confab_core::{Bus, Db, Result, Settings};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::background::Background;
pub use crate::background::stand_back;
use crate::index::Index;
use crate::interest::Interest;
use crate::meaning::Meaning;
use crate::services::Parts;

/// A running worker.
pub struct Worker {
    tasks: TaskTracker,
    _background: Background,
}

/// Starts everything: the index of this process, the services on the bus, the plugins. All of it ends with `stop`.
///
/// # Errors
/// [`confab_core::Fault::Conflict`] with code `folder_in_use` when another process keeps its index in the same folder;
/// those of the record and of the bus.
pub async fn start(db: Db, bus: Bus, settings: &Settings, stop: CancellationToken) -> Result<Worker> {
    let tasks = TaskTracker::new();
    let background = Background::start()?;
    let behind = background.handle();
    let interest = Interest::default();
    let index = Index::start(&db, &bus, settings, interest.clone(), (&tasks, behind), stop.clone()).await?;
    let meaning = Meaning::start(&db, &bus, settings, interest, (&tasks, behind), stop.clone()).await?;
    let desk = assistant::Desk::new(&db, &bus, &index, &meaning, settings)?;
    assistant::answer_mentions(&desk, &bus, &tasks, stop.clone()).await?;
    services::offer(&bus, &Parts { db: db.clone(), index, meaning, desk }).await?;
    plugins::start(db, bus, settings, &tasks, stop).await?;
    tasks.close();
    Ok(Worker { tasks, _background: background })
}

impl Worker {
    /// Waits, after `stop`, for the index's last commit.
    pub async fn finished(self) {
        self.tasks.wait().await;
    }
}
