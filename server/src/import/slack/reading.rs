//! The thread that unpacks and parses days while others are stored.

use confab_core::{Fault, Result};
use tokio::sync::mpsc;

use super::archive::{Archive, Entry};
use super::shapes::{SlackMessage, each, repaired};
use super::survey::MESSAGES_A_DAY;

/// Reads all days, in order. Answers how many characters were no characters.
pub(super) fn days(
    archive: &Archive,
    days: &[Entry],
    size: usize,
    to: &mpsc::Sender<Vec<SlackMessage>>,
) -> Result<u64> {
    // Nobody waits for the rest: the other side has said why.
    let gone = || Fault::Internal("the import has ended".into());
    let mut removed = 0;
    let mut batch = Vec::with_capacity(size);
    for day in days {
        let (bytes, halves) = repaired(archive.bytes(day)?);
        removed += halves;
        each(day, &bytes, MESSAGES_A_DAY, |message: SlackMessage| {
            batch.push(message);
            if batch.len() < size {
                return Ok(());
            }
            to.blocking_send(std::mem::replace(&mut batch, Vec::with_capacity(size))).map_err(|_| gone())
        })?;
    }
    if batch.is_empty() { Ok(removed) } else { to.blocking_send(batch).map(|()| removed).map_err(|_| gone()) }
}
