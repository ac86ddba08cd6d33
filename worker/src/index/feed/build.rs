//! Reading the whole record into an index that is empty.

use confab_core::messages;
use confab_protocol::{Message, MessageId};
use tokio::time::{Instant, sleep};

use super::flow::{BETWEEN_IN_BULK, Flow, UNCOMMITTED};
use super::{Feed, PAUSE, Until};
use crate::index::store::Progress;
use crate::index::writer::{Change, Ended};

/// Messages read at once.
const PAGE: u32 = 2_000;

impl Feed {
    /// Reads every message. Those posted meanwhile come again with the log, which is followed from where it was when
    /// this began.
    pub(super) async fn build(
        &mut self,
        flow: &mut Flow,
        mut after: MessageId,
        head: i64,
    ) -> Result<(), Ended> {
        let began = Instant::now();
        // Only for show, so it may fail.
        let total = messages::count(&mut self.db.read()).await.unwrap_or(0);
        self.index.building().begin(self.index.documents(), total.unsigned_abs());
        // One that was begun before may hold what comes now: a merge publishes the segments of a commit whose last step failed,
        // with the position of the commit before.
        let is_empty = self.index.documents() == 0;
        let change: fn(Box<Message>) -> Change = if is_empty { Change::Add } else { Change::Put };
        while !self.stop.is_cancelled() {
            let page = match messages::all_after(&mut self.db.read(), after, PAGE).await {
                Ok(page) => page,
                Err(fault) => {
                    tracing::warn!(%fault, "cannot read messages to index, trying again");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            let is_last = page.len() < PAGE as usize;
            after = page.last().map_or(after, |message| message.id);
            self.index.building().add(page.len() as u64);
            let changes = page.into_iter().map(|message| change(Box::new(message))).collect();
            self.apply(flow, changes).await?;
            if is_last {
                flow.progress = Progress::Following { applied: head };
                self.commit(flow).await?;
                self.settle(flow).await?;
                if self.until == Until::Stopped {
                    self.index.building().end();
                }
                let documents = self.index.documents();
                tracing::info!(documents, took = ?began.elapsed(), "the search index is built");
                return Ok(());
            }
            flow.progress = Progress::Building { after, head };
            if flow.uncommitted >= UNCOMMITTED || flow.first.elapsed() >= BETWEEN_IN_BULK {
                self.commit(flow).await?;
            }
        }
        Ok(())
    }
}
