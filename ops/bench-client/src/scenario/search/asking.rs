//! How long a search takes, by words and by both, and an answer of quotations: one person, one question after the other.

use std::time::Instant;

use serde_json::{Value, json};

use super::{CHANNELS, Place};
use crate::Result;
use crate::http::{Connection, request};
use crate::latencies::Latencies;
use crate::report::{Goal, Row};
use crate::stage::Stage;

/// Questions that come first and do not count: files are read, caches filled.
const WARMING: u64 = 50;
/// Hits of a page.
const HITS: u32 = 20;

impl Place {
    pub(super) async fn ask(&self, stage: &mut Stage) -> Result<()> {
        let (searches, answers) = stage.either((2_000, 500), (100, 20));
        let by_words = self.searches("keyword", searches).await?;
        let by_both = self.searches("hybrid", searches).await?;
        let answered = self.answers(answers).await?;
        let mut row = |what: &str, latencies: &Latencies, share: f64, most: f64| {
            stage.report.add(Row {
                scenario: "search",
                what: format!("p{:.0} of {what}, {CHANNELS} channels", share * 100.0),
                unit: "ms",
                confab: latencies.quantile_ms(share),
                floor: None,
                goal: Goal::AtMost(most),
                more: json!({ "messages": self.messages, "count": latencies.count(),
                    "p50_ms": latencies.quantile_ms(0.5), "p90_ms": latencies.quantile_ms(0.9) }),
            });
        };
        row("a search by words", &by_words, 0.99, 25.0);
        row("a search by both", &by_both, 0.5, 50.0);
        row("a search by both", &by_both, 0.99, 120.0);
        row("an answer of quotations", &answered, 0.99, 300.0);
        Ok(())
    }

    async fn searches(&self, mode: &str, count: u64) -> Result<Latencies> {
        let mut connection = Connection::open(&self.server.host).await?;
        let (warming, latencies) = (Latencies::default(), Latencies::default());
        let mut hits = 0;
        for number in 0..WARMING.min(count) + count {
            let words = self.corpus.question(number, 2 + number as usize % 4);
            let times = if number < WARMING.min(count) { &warming } else { &latencies };
            hits += self.search(&mut connection, mode, &words, times).await?;
        }
        // One that finds nothing is done at once.
        if hits < count {
            Err(format!("{count} searches by {mode} found {hits} messages").into())
        } else {
            Ok(latencies)
        }
    }

    /// Searches once and answers how much was found.
    pub(super) async fn search(
        &self,
        connection: &mut Connection,
        mode: &str,
        words: &[&str],
        latencies: &Latencies,
    ) -> Result<u64> {
        let sent = Instant::now();
        let found = self.found(connection, mode, words).await?;
        latencies.add(sent.elapsed(), 1);
        Ok(found.len() as u64)
    }

    /// The texts that a search shows.
    pub(super) async fn found(
        &self,
        connection: &mut Connection,
        mode: &str,
        words: &[&str],
    ) -> Result<Vec<Value>> {
        let q = words.join("%20");
        let path = format!("/api/v1/search/messages?mode={mode}&limit={HITS}&q={q}");
        let page = connection.call(&request("GET", &path, &self.people[0].token, "")).await?;
        Ok(page["items"].as_array().cloned().unwrap_or_default())
    }

    async fn answers(&self, count: u64) -> Result<Latencies> {
        let mut connection = Connection::open(&self.server.host).await?;
        let latencies = Latencies::default();
        let mut quotations = 0;
        for number in 0..count {
            let words = self.corpus.question(number + 1_000_000, 4).join(" ");
            let asked = json!({ "content": format!("how do I {words}?") }).to_string();
            let asked = request("POST", "/api/v1/ai/message", &self.people[0].token, &asked);
            let sent = Instant::now();
            let answer = connection.call(&asked).await?;
            latencies.add(sent.elapsed(), 1);
            quotations += answer["citations"].as_array().map_or(0, Vec::len);
        }
        if quotations == 0 { Err("no answer quotes anything".into()) } else { Ok(latencies) }
    }
}
