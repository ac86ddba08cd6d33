//! Bringing in what people wrote elsewhere.
//!
//! Every import is one command that can be stopped anywhere and run again: what is in is remembered with it, in the
//! same transaction.

use std::path::Path;

use confab_core::audit::{self, Action, Actor};
use confab_core::{Db, FutureExt as _, Result};
use serde_json::json;

use crate::progress::Progress;

pub(crate) mod names;
pub mod slack;

/// Imports a Slack export for `actor`, and notes it: what the command line and the administration do.
///
/// # Errors
/// Those of [`slack::look`] and [`slack::bring`].
pub async fn from_slack(
    db: &Db,
    actor: &Actor,
    zip: &Path,
    options: slack::Options,
    progress: &Progress,
) -> Result<slack::Report> {
    let looked = slack::look(zip, options, progress).await?;
    // Before anything of it is here: one that ends half way has brought in that half.
    if !options.dry_run {
        note(db, actor, "slack").await?;
    }
    slack::bring(db, looked, options, progress, slack::BATCH).await
}

/// Puts on record that somebody brings in data, and of what.
///
/// # Errors
/// Those of the record.
pub async fn note(db: &Db, actor: &Actor, from: &str) -> Result<()> {
    let (actor, detail) = (actor.clone(), json!({ "from": from }));
    db.write(move |tx| {
        async move { audit::note(tx, &actor, Action::DataImported, None, detail).await }.boxed()
    })
    .await
}
