//! Everything is indexed anew, while somebody searches.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{LOOK, Place, is_settled};
use crate::Result;
use crate::http::{Connection, request};
use crate::latencies::Latencies;
use crate::report::{Goal, Row};
use crate::stage::Stage;

/// Between two searches meanwhile.
const PAUSE: Duration = Duration::from_millis(200);

impl Place {
    /// Has all built anew and answers how long that took.
    pub(super) async fn rebuild(&self, stage: &mut Stage, what: &str, least: f64) -> Result<Duration> {
        let (is_over, latencies) = (AtomicBool::new(false), Latencies::default());
        let building = async {
            let took = self.built_anew().await;
            is_over.store(true, Ordering::Relaxed);
            took
        };
        let (took, ()) = tokio::try_join!(building, self.search_meanwhile(&is_over, &latencies))?;
        stage.report.add(Row {
            scenario: "search",
            what: format!("indexed: {what}"),
            unit: "/s",
            confab: self.messages as f64 / took.as_secs_f64(),
            floor: None,
            goal: Goal::AtLeast(least),
            more: json!({ "seconds": took.as_secs_f64(), "searches_meanwhile": latencies.count(),
                "their_p50_ms": latencies.quantile_ms(0.5), "their_p99_ms": latencies.quantile_ms(0.99) }),
        });
        Ok(took)
    }

    async fn built_anew(&self) -> Result<Duration> {
        let mut connection = Connection::open(&self.server.host).await?;
        let origin = |index: &Value| index["origin"].as_i64().unwrap_or(0);
        let before = origin(&self.index(&mut connection).await?);
        let started = Instant::now();
        let asked = request("POST", "/api/v1/admin/reindex", &self.warden.token, "{}");
        connection.exchange(&asked).await?.require_success(&asked)?;
        loop {
            let index = self.index(&mut connection).await?;
            if origin(&index) > before && is_settled(&index) {
                return Ok(started.elapsed());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Each search is answered: one that is not ends the run.
    async fn search_meanwhile(&self, is_over: &AtomicBool, latencies: &Latencies) -> Result<()> {
        let mut connection = Connection::open(&self.server.host).await?;
        let mut number = 0;
        while !is_over.load(Ordering::Relaxed) {
            number += 1;
            let words = self.corpus.question(number, 4);
            self.search(&mut connection, "hybrid", &words, latencies).await?;
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }
}
