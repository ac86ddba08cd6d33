//! Building a new index beside the one that answers, and putting it in its place.
//!
//! The new one is made by a feed of its own, in a folder of its own, until it has caught up with the log. The request is
//! remembered by that folder and by the origin of what is made there, so it is obeyed once, however often the log or the
//! process is begun anew. Requests that come while one is being obeyed are met by the same new index.

use std::time::Duration;

use tokio::task::JoinHandle;

use super::{Feed, Until};
use crate::index::store;

/// Waits for the new index, for ever when none is on its way; answers whether it is whole. Cancelling it loses nothing.
pub(super) async fn ended(next: &mut Option<JoinHandle<bool>>) -> bool {
    let Some(task) = next else { return std::future::pending().await };
    let outcome = task.await;
    *next = None;
    outcome.unwrap_or_else(|error| {
        tracing::error!(%error, "the new search index was given up; the next start tries again");
        false
    })
}

impl Feed {
    /// Goes on with a new index that an earlier process began.
    pub(super) async fn resume_replacement(&mut self) {
        if tokio::fs::try_exists(store::beside(&self.folder)).await.unwrap_or(false) {
            tracing::info!("going on to build the new search index");
            self.begin_replacement();
        }
    }

    /// The log, at `asked`, asks for a new index; this one's reading began at `origin`.
    pub(super) async fn replacement_asked(&mut self, asked: i64, origin: i64) {
        if self.until == Until::CaughtUp || asked <= origin.max(self.asked) {
            return;
        }
        self.asked = asked;
        if self.next.is_some() {
            return;
        }
        // Before the position passes the request, or a crash now would forget it.
        if let Err(error) = tokio::fs::create_dir_all(store::beside(&self.folder)).await {
            tracing::error!(%error, "cannot make a folder for the new search index, trying again");
        }
        tracing::info!(asked, "a new search index is built");
        self.begin_replacement();
    }

    /// Not `async`: a feed that awaited another feed would have a type without end.
    fn begin_replacement(&mut self) {
        let mut feed = Self::new(
            self.db.clone(),
            self.bus.clone(),
            store::beside(&self.folder),
            self.index.clone(),
            self.stop.clone(),
        );
        feed.until = Until::CaughtUp;
        self.next = Some(tokio::spawn(feed.build_new()));
    }

    async fn build_new(mut self) -> bool {
        let Some(store) = self.reopen(Duration::ZERO).await else { return false };
        self.index = self.index.beside(&store);
        self.work_on(store).await
    }

    /// Puts the new index into this one's folder, where no writer is at work now. Searches go on in the old one's files,
    /// which stay on the disk as long as they are open.
    pub(super) async fn take_place(&self) {
        let folder = self.folder.clone();
        match tokio::task::spawn_blocking(move || store::replace(&folder)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the new search index cannot take its place"),
            Err(error) => tracing::error!(%error, "the new search index cannot take its place"),
        }
    }
}
