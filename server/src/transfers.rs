//! Imports and exports that administrators start in the client: one at a time, followed from any page and any server.
//!
//! How far the newest one has come lies in the store of bytes, beside the archive that an export made; it is written anew every second.
//! A server that stops takes its transfer with it. What it wrote last stays, so everybody sees that it was interrupted: an import
//! goes on when the same archive is sent again, an export is asked for again.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use confab_core::audit::Actor;
use confab_core::{Fault, Result};
use confab_protocol::{Timestamp, UserId};
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::intake::{Received, Temporary};
use crate::progress::Progress;
use crate::state::App;
use crate::storage::Storage;
use crate::{export, import};

/// The largest archive that is taken (docs/limits.md).
pub const IMPORT_BYTES: u64 = 2 << 30;
/// Where the newest transfer is described.
const NEWEST: &str = "transfers/newest.json";
/// How often it says how far it is.
const SAID_EVERY: Duration = Duration::from_secs(1);
/// A transfer that says nothing for so long is over: its server has stopped.
const SILENT_MILLISECONDS: i64 = 30_000;

/// How long the archive of an export can be fetched: messages that are deleted meanwhile are still in it.
const KEPT_MILLISECONDS: i64 = 24 * 3_600_000;

/// In which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "lowercase")]
#[oai(rename_all = "lowercase")]
pub enum TransferKind {
    /// A Slack export comes in.
    Import,
    /// An archive is made.
    Export,
}

/// What has become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "lowercase")]
#[oai(rename_all = "lowercase")]
pub enum TransferStatus {
    /// It goes on.
    Running,
    /// All of it was done.
    Done,
    /// `error` says why not.
    Failed,
    /// Its server stopped meanwhile.
    Interrupted,
}

/// An import or export.
#[derive(Clone, Debug, Serialize, Deserialize, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Transfer {
    /// Which.
    pub id: Uuid,
    /// In which direction.
    pub kind: TransferKind,
    /// What has become of it.
    pub status: TransferStatus,
    /// Everything is read and nothing written.
    pub dry_run: bool,
    /// The name of the archive that was sent.
    pub filename: Option<String>,
    /// Who started it.
    pub started_by_id: UserId,
    /// When.
    pub started_at: Timestamp,
    /// When it last said something; at its end, when that was.
    pub updated_at: Timestamp,
    /// The part that it is at: `reading`, `people` or `messages`.
    pub step: Option<String>,
    /// Of that part.
    pub done: i64,
    /// Of that part; 0 while nobody knows.
    pub total: i64,
    /// What was done, by number and, of an import, what was left out and why.
    pub report: Option<Value>,
    /// Why it failed, for people.
    pub error: Option<String>,
    /// Of the archive that was made, as long as it is there.
    pub size_bytes: Option<i64>,
}

/// Lets one begin at a time here. Other servers see it by what it says.
#[derive(Default)]
pub struct Transfers(tokio::sync::Mutex<()>);

/// The newest transfer, whoever started it; nothing where there never was one.
///
/// # Errors
/// [`Fault::Unavailable`].
pub async fn newest(storage: &Storage) -> Result<Option<Transfer>> {
    let bytes = match storage.read(NEWEST).await {
        Err(Fault::NotFound(_)) => return Ok(None),
        read => read?,
    };
    let mut found: Transfer = serde_json::from_slice(&bytes).map_err(Fault::internal)?;
    let silent = Timestamp::now().0 - found.updated_at.0;
    if found.status == TransferStatus::Running && silent > SILENT_MILLISECONDS {
        found.status = TransferStatus::Interrupted;
    }
    Ok(Some(found))
}

/// Where the archive of an export lies.
#[must_use]
pub fn key_of(id: Uuid) -> String {
    format!("transfers/{}.zip", id.simple())
}

/// Imports what was received, from behind.
///
/// # Errors
/// [`Fault::Conflict`] with code `transfer_running`.
pub async fn import(
    app: &App,
    actor: Actor,
    by: UserId,
    (filename, received): (String, Received),
    dry_run: bool,
) -> Result<Transfer> {
    let begun = begin(app, TransferKind::Import, by, dry_run, Some(filename.clone())).await?;
    let progress = Progress::watched();
    let (inner, said) = (app.clone(), progress.clone());
    let here = tokio::runtime::Handle::current();
    let work = async move {
        let options = import::slack::Options { dry_run, closed_stay: true };
        // On a thread of its own, where unpacking may take its time.
        let done = tokio::task::spawn_blocking(move || {
            let zip = received.bytes.path();
            let report = here.block_on(import::from_slack(&inner.db, &actor, zip, options, &said));
            report.map_err(|fault| named(fault, zip, &filename))
        });
        let report = done.await.map_err(Fault::internal)??;
        Ok::<_, Fault>((serde_json::to_value(report.bounded()).map_err(Fault::internal)?, None))
    };
    tokio::spawn(follow(app.clone(), begun.clone(), progress, work));
    Ok(begun)
}

/// Makes an archive of what `by` may read, from behind.
///
/// # Errors
/// [`Fault::Conflict`] with code `transfer_running`.
pub async fn export(app: &App, actor: Actor, by: UserId, options: export::Options) -> Result<Transfer> {
    let begun = begin(app, TransferKind::Export, by, false, None).await?;
    let progress = Progress::watched();
    let (inner, said, id) = (app.clone(), progress.clone(), begun.id);
    let work = async move {
        let archive = Temporary::new(inner.storage.temporary());
        let report = export::run(&inner.db, &actor, by, options, archive.path(), &said).await?;
        let size = tokio::fs::metadata(archive.path()).await.map_err(crate::storage::disk)?.len();
        inner.storage.put_file(&key_of(id), archive.path()).await?;
        Ok::<_, Fault>((serde_json::to_value(report).map_err(Fault::internal)?, Some(size as i64)))
    };
    tokio::spawn(follow(app.clone(), begun.clone(), progress, work));
    Ok(begun)
}

/// Another one is running.
#[must_use]
pub fn running() -> Fault {
    Fault::conflict("transfer_running", "another import or export is running")
}

async fn begin(
    app: &App,
    kind: TransferKind,
    by: UserId,
    dry_run: bool,
    filename: Option<String>,
) -> Result<Transfer> {
    let _alone = app.transfers.0.lock().await;
    if let Some(before) = newest(&app.storage).await? {
        if before.status == TransferStatus::Running {
            return Err(running());
        }
        // One archive is kept: it may be large, and it is nobody's business for long.
        app.storage.remove(&key_of(before.id)).await?;
    }
    let now = Timestamp::now();
    let begun = Transfer {
        id: confab_protocol::fresh_id(),
        kind,
        status: TransferStatus::Running,
        dry_run,
        filename,
        started_by_id: by,
        started_at: now,
        updated_at: now,
        step: None,
        done: 0,
        total: 0,
        report: None,
        error: None,
        size_bytes: None,
    };
    say(&app.storage, &begun).await?;
    Ok(begun)
}

/// Says how far the work is until it ends, and then how it ended.
async fn follow(
    app: App,
    mut transfer: Transfer,
    progress: Progress,
    work: impl Future<Output = Result<(Value, Option<i64>)>> + Send + 'static,
) {
    // A task of its own, so that a panic in it is told too.
    let mut work = tokio::spawn(work);
    let ended = loop {
        tokio::select! {
            ended = &mut work => break ended.map_err(Fault::internal).and_then(|it| it),
            () = tokio::time::sleep(SAID_EVERY) => {}
        }
        transfer.see(&progress);
        // Taken for interrupted, it may have made room for another, which must not be talked over.
        if is_newest(&app.storage, transfer.id).await
            && let Err(fault) = say(&app.storage, &transfer).await
        {
            tracing::warn!(%fault, "nobody hears how far an import or export is");
        }
    };
    if !is_newest(&app.storage, transfer.id).await {
        // Nobody could fetch its archive.
        if let Err(fault) = app.storage.remove(&key_of(transfer.id)).await {
            tracing::warn!(%fault, "an archive that nobody can fetch stays");
        }
        return;
    }
    transfer.see(&progress);
    match ended {
        Ok((report, size_bytes)) => {
            transfer.status = TransferStatus::Done;
            (transfer.report, transfer.size_bytes) = (Some(report), size_bytes);
        }
        Err(fault) => {
            transfer.status = TransferStatus::Failed;
            transfer.error = Some(match &fault {
                Fault::Internal(source) => {
                    tracing::error!(source, "an import or export failed");
                    "something went wrong on the server; its log knows more".into()
                }
                Fault::Invalid { message, .. } => message.to_string(),
                other => other.to_string(),
            });
        }
    }
    if let Err(fault) = say(&app.storage, &transfer).await {
        tracing::error!(%fault, "nobody hears how an import or export ended");
    }
}

/// Whether no other one has begun since. A store that does not answer says nothing against it.
async fn is_newest(storage: &Storage, id: Uuid) -> bool {
    !matches!(newest(storage).await, Ok(Some(now)) if now.id != id)
}

/// Removes the archive of an export that nobody may fetch any more.
///
/// # Errors
/// [`Fault::Unavailable`].
pub async fn sweep(storage: &Storage) -> Result<()> {
    match newest(storage).await? {
        Some(old) if old.kind == TransferKind::Export && !old.is_kept() && old.size_bytes.is_some() => {
            storage.remove(&key_of(old.id)).await?;
            say(storage, &Transfer { size_bytes: None, ..old }).await
        }
        _ => Ok(()),
    }
}

impl Transfer {
    /// Whether the archive of an export is still there.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        let age = Timestamp::now().0 - self.updated_at.0;
        self.status == TransferStatus::Done && self.size_bytes.is_some() && age < KEPT_MILLISECONDS
    }

    fn see(&mut self, progress: &Progress) {
        self.updated_at = Timestamp::now();
        if let Some((step, done, total)) = progress.state().filter(|(step, ..)| !step.is_empty()) {
            (self.step, self.done, self.total) = (Some(step.to_lowercase()), done as i64, total as i64);
        }
    }
}

async fn say(storage: &Storage, transfer: &Transfer) -> Result<()> {
    storage.put(NEWEST, serde_json::to_vec(transfer).map_err(Fault::internal)?).await
}

/// The file lies under a name of ours, which says nothing to whoever sent it.
fn named(fault: Fault, path: &Path, filename: &str) -> Fault {
    match fault {
        Fault::Invalid { field, message } => {
            Fault::invalid(field, message.replace(&*path.to_string_lossy(), filename))
        }
        other => other,
    }
}
