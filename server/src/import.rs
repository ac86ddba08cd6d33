//! Bringing in what people wrote elsewhere.
//!
//! Every import is one command that can be stopped anywhere and run again: what is in is remembered with it, in the
//! same transaction.

use std::path::Path;

use confab_core::audit::{self, Action, Actor};
use confab_core::{Db, Fault, FutureExt as _, Result};
use serde_json::json;

use crate::progress::Progress;

pub(crate) mod names;
pub mod slack;

/// Imports a Slack export for `actor`, and notes it: what the command line and the administration do.
///
/// # Errors
/// Those of [`slack::run`].
pub async fn from_slack(
    db: &Db,
    actor: &Actor,
    zip: &Path,
    options: slack::Options,
    progress: &Progress,
) -> Result<slack::Report> {
    let report = slack::run(db, zip, options, progress).await;
    // One that failed half way has brought in that half; of a refused archive nothing came.
    if !options.dry_run && !matches!(report, Err(Fault::Invalid { .. })) {
        let actor = actor.clone();
        let detail = json!({ "from": "slack" });
        db.write(move |tx| {
            async move { audit::note(tx, &actor, Action::DataImported, None, detail).await }.boxed()
        })
        .await?;
    }
    report
}
