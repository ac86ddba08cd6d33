//! How soon a post is found while 500 a second are posted, and what the index costs those who post.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use super::Place;
use crate::Result;
use crate::http::{Connection, Pool};
use crate::latencies::Latencies;
use crate::person;
use crate::report::{Goal, Row};
use crate::stage::Stage;

const POSTS_A_SECOND: u64 = 500;
/// Between two looks whether a post is found: a search by meaning takes a while itself.
const PAUSE: Duration = Duration::from_millis(20);
/// One that is not found by then is lost.
const PATIENCE: Duration = Duration::from_secs(30);
/// Numbers of posts that come on top, beyond all others.
static NEXT: AtomicU64 = AtomicU64::new(10_000_000);

impl Place {
    /// Posts by the clock and looks for some of it. `bare` is the p99 of a post where no vectors were made. Answers that of
    /// this run.
    pub(super) async fn freshness(&self, stage: &mut Stage, bare: Option<f64>) -> Result<f64> {
        let lasting = stage.either(Duration::from_mins(1), Duration::from_secs(3));
        let (posted, found) = (Latencies::default(), Latencies::default());
        let posted = Arc::new(posted);
        let started = Instant::now();
        let probing = async {
            while started.elapsed() < lasting {
                found.add(self.probe(bare.is_some()).await?, 1);
            }
            Result::Ok(())
        };
        tokio::try_join!(self.load(started, lasting, posted.clone()), probing)?;
        let p99 = posted.quantile_ms(0.99);
        let Some(bare) = bare else { return Ok(p99) };
        for (share, most) in [(0.5, 350.0), (0.99, 1_000.0)] {
            stage.report.add(Row {
                scenario: "search",
                what: format!("p{:.0} from post to found, words and vectors", share * 100.0),
                unit: "ms",
                confab: found.quantile_ms(share),
                floor: None,
                goal: Goal::AtMost(most),
                more: json!({ "posts_a_second": POSTS_A_SECOND, "probes": found.count(), "messages": self.messages }),
            });
        }
        stage.report.add(Row {
            scenario: "search",
            what: format!("p99 of a post at {POSTS_A_SECOND}/s, vectors being made"),
            unit: "ms",
            confab: p99,
            floor: Some(("words alone", bare)),
            goal: Goal::AtMost(1.3),
            more: json!({ "p50_ms": posted.quantile_ms(0.5) }),
        });
        Ok(p99)
    }

    /// Sends each post at its time, whether or not the server keeps up.
    async fn load(&self, started: Instant, lasting: Duration, posted: Arc<Latencies>) -> Result<()> {
        let pool = Arc::new(Pool::new(&self.server.host));
        let mut posts = JoinSet::new();
        let every = Duration::from_secs(1) / POSTS_A_SECOND as u32;
        for at in 0..POSTS_A_SECOND * lasting.as_secs() {
            let due = started + every * at as u32;
            tokio::time::sleep_until(due.into()).await;
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let channel = number as usize % self.channels.len();
            let owner = &self.people[channel / super::CHANNELS];
            let bytes = person::post(owner, &self.channels[channel], &self.corpus.message(number));
            let (pool, posted) = (pool.clone(), posted.clone());
            posts.spawn(async move {
                pool.exchange(&bytes).await?.require_success(&bytes)?;
                posted.add(due.elapsed(), 1);
                Result::Ok(())
            });
        }
        while let Some(post) = posts.join_next().await {
            post??;
        }
        Ok(())
    }

    /// Posts what nobody said before, and looks for it until it is found: by a word that is its own, and where there are
    /// vectors by its meaning too.
    async fn probe(&self, has_vectors: bool) -> Result<Duration> {
        let (mut connection, mut other) =
            (Connection::open(&self.server.host).await?, Connection::open(&self.server.host).await?);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let own = format!("probe{number}");
        let mut words = self.corpus.question(number, 7);
        words.push(&own);
        let asker_channel = number as usize % super::CHANNELS;
        let bytes = person::post(&self.people[0], &self.channels[asker_channel], &words.join(" "));
        let id = connection.call(&bytes).await?["id"].clone();
        let posted = Instant::now();
        let by_words = [own.as_str()];
        let looks = async |connection: &mut Connection, mode: &'static str, words: &[&str]| -> Result<()> {
            while posted.elapsed() < PATIENCE {
                let found = self.found(connection, mode, words).await?;
                if found.iter().any(|hit| hit["message"]["id"] == id) {
                    return Ok(());
                }
                tokio::time::sleep(PAUSE).await;
            }
            Err(format!("{own} is not found by {mode}").into())
        };
        let meaning =
            async { if has_vectors { looks(&mut other, "semantic", &words).await } else { Ok(()) } };
        tokio::try_join!(looks(&mut connection, "keyword", &by_words), meaning)?;
        Ok(posted.elapsed())
    }
}
