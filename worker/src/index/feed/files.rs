//! The files of messages, indexed with them.

use std::collections::HashMap;

use confab_core::files;
use confab_protocol::{ChannelId, File, FileId};
use tokio::time::sleep;

use super::flow::Flow;
use super::{Feed, PAUSE};
use crate::index::schema::FileWords;
use crate::index::writer::{Change, Ended};

/// Files whose words are in memory at once: each has up to 200 KB of them.
const AT_ONCE: usize = 16;

impl Feed {
    /// Applies changes of messages, and adds the files of those that are there now.
    pub(super) async fn apply(&self, flow: &mut Flow, changes: Vec<Change>) -> Result<(), Ended> {
        let carried: Vec<(File, ChannelId)> = changes
            .iter()
            .filter_map(|change| match change {
                Change::Add(message) | Change::Put(message) => Some(message),
                _ => None,
            })
            .flat_map(|message| message.files.iter().map(|file| (file.clone(), message.channel_id)))
            .collect();
        if carried.is_empty() {
            return flow.apply(changes).await;
        }
        // Channels that are gone come last: they take the files with them.
        let (channels, messages): (Vec<Change>, Vec<Change>) =
            changes.into_iter().partition(|change| matches!(change, Change::RemoveChannel(_)));
        flow.apply(messages).await?;
        for part in carried.chunks(AT_ONCE) {
            let texts = self.texts(part).await;
            let words = part.iter().map(|(file, channel_id)| {
                let text = texts.get(&file.id).cloned().unwrap_or_default();
                Change::AddFile(Box::new(FileWords { file: file.clone(), channel_id: *channel_id, text }))
            });
            flow.apply(words.collect()).await?;
        }
        if channels.is_empty() { Ok(()) } else { flow.apply(channels).await }
    }

    /// What was read out of them so far: when there is more, an event says so.
    async fn texts(&self, of: &[(File, ChannelId)]) -> HashMap<FileId, String> {
        let ids: Vec<FileId> = of.iter().map(|(file, _)| file.id).collect();
        loop {
            match files::texts(&mut self.db.read(), &ids).await {
                Ok(texts) => return texts,
                Err(fault) if fault.is_retryable() && !self.stop.is_cancelled() => {
                    tracing::warn!(%fault, "cannot read the words of files to index, trying again");
                    sleep(PAUSE).await;
                }
                Err(fault) => {
                    tracing::error!(%fault, "files are indexed by their names only");
                    return HashMap::new();
                }
            }
        }
    }
}
