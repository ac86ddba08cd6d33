//! An empty server: how soon it listens, and what it holds when it has settled.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Result;
use crate::report::{Goal, Row};
use crate::server::Server;
use crate::stage::Stage;

/// What starts lazily has started by then, if anything starts by itself.
const SETTLE: Duration = Duration::from_secs(5);

pub async fn measure(stage: &mut Stage) -> Result<()> {
    let asked = Instant::now();
    let server = Server::unconfigured(&stage.confab).await?;
    let first_ms = asked.elapsed().as_secs_f64() * 1_000.0;
    tokio::time::sleep(stage.either(SETTLE, SETTLE / 5)).await;
    let resident = server.process.resident_kib()? / 1_024.0;
    let mut row = |what: &str, unit, confab, goal| {
        stage.report.add(Row {
            scenario: "start",
            what: what.into(),
            unit,
            confab,
            floor: None,
            goal,
            more: Value::Null,
        });
    };
    row("listening after the first start", "ms", first_ms, Goal::AtMost(300.0));
    row("resident, no user", "MiB", resident, Goal::AtMost(40.0));
    // Its end is not part of it: a start on data that is there already.
    let stopped = server.stop().await?;
    let asked = Instant::now();
    let server = stopped.launch().await?;
    let again_ms = asked.elapsed().as_secs_f64() * 1_000.0;
    row("listening after a later start", "ms", again_ms, Goal::AtMost(300.0));
    server.process.end().await
}
