//! `confab audit`.

use clap::Subcommand;
use confab_core::{Fault, Result, Settings, audit};

use super::{Common, open_record, refused, say};
use crate::progress::Progress;

#[derive(Subcommand)]
pub enum Audit {
    /// Compute the chain of hashes again; exit code 1 when a row was changed, removed or inserted
    Verify {
        /// NUMBER:HASH of an earlier check, to see that nothing since then was cut off
        #[arg(long, value_name = "NUMBER:HASH")]
        expect: Option<String>,
    },
}

pub async fn run(which: &Audit, common: &Common, settings: &Settings) -> Result<()> {
    let Audit::Verify { expect } = which;
    let expected = expect.as_deref().map(parse).transpose()?;
    let db = open_record(settings).await?;
    let progress = if common.json { Progress::hidden() } else { Progress::visible() };
    progress.begin("Audit log", audit::count(&mut db.read()).await?.unsigned_abs());
    let found =
        audit::verify(&mut db.read(), expected.as_ref(), |rows| progress.add(rows.unsigned_abs())).await;
    progress.end();
    db.close().await;
    let found = found?;
    say(common, &serde_json::to_value(&found).unwrap_or_default(), || {
        if found.ok {
            format!("the audit log is whole: {} rows; head {}:{}", found.count, found.count, found.head)
        } else {
            let reason = found.reason.as_deref().unwrap_or("it does not hold");
            format!("the audit log is BROKEN at row {}: {reason}", found.broken_at.unwrap_or(0))
        }
    });
    if found.ok { Ok(()) } else { Err(refused("audit_broken", "the audit log does not hold".into())) }
}

fn parse(text: &str) -> Result<(i64, String)> {
    let parts = text.split_once(':').and_then(|(number, hash)| Some((number.parse().ok()?, hash.to_owned())));
    parts.ok_or_else(|| Fault::invalid("expect", "is NUMBER:HASH, as an earlier check printed it"))
}
