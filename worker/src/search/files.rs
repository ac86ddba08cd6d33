//! Searching files: by their names and by the words that were read out of them, in the channels that the asker may read.

use confab_core::{Db, Fault, Result, access, channels, files, log};
use confab_protocol::{ChannelId, FileId, PAGE_LIMIT};

use super::names::{self, Meant};
use super::question::Parsed;
use super::{Order, ROUNDS, cursor};
use crate::index::Index;
use crate::services::{self, FileHit, FileSearchAnswer, Search};

/// Answers a search for files.
///
/// # Errors
/// [`Fault::Invalid`] in `q`, `cursor` or `limit`.
pub async fn search(db: &Db, index: &Index, asked: Search) -> Result<FileSearchAnswer> {
    if asked.limit == 0 || asked.limit > PAGE_LIMIT {
        return Err(Fault::invalid("limit", format!("is 1 to {PAGE_LIMIT}")));
    }
    let parsed = Parsed::read(&asked.q)?;
    if parsed.is_for_messages() {
        let text =
            "has:, is: and mentions: are for messages; files know from:, in:, before:, after: and during:";
        return Err(Fault::invalid("q", text));
    }
    let mut at = cursor::read(asked.cursor.as_deref())?;
    let from = at;
    let applied = index.applied();
    let visible = access::visible_channels(&mut db.read(), asked.user_id).await?;
    let Meant { wanted, names } = names::read(db, asked.user_id, parsed, &visible).await?;
    let Some(mut wanted) = wanted else {
        return Ok(FileSearchAnswer { names, ..FileSearchAnswer::default() });
    };
    wanted.is_for_files = true;
    wanted.is_newest_first = asked.order == Order::Newest;
    wanted.check(index.analysis())?;
    let limit = asked.limit as usize;
    let mut items: Vec<FileHit> = Vec::with_capacity(limit);
    let (mut more, mut total) = (true, 0);
    for _ in 0..ROUNDS {
        let count = (limit - items.len()).min(cursor::DEEPEST - at);
        if count == 0 || !more {
            break;
        }
        let found = wanted.ask(index, at, count).await?;
        at += found.hits.len();
        (more, total) = (found.has_more, found.total);
        let ids: Vec<FileId> = found.hits.iter().map(|hit| FileId(hit.id.0)).collect();
        let readable = files::readable(&mut db.read(), &wanted.channels, &ids).await?;
        let of: Vec<ChannelId> = readable.iter().map(|(_, channel, _)| *channel).collect();
        let seen = channels::views(&mut db.read(), asked.user_id, &of).await?;
        let (mut shown, mut texts) = (Vec::new(), Vec::new());
        for (file, channel, text) in readable {
            let Some(channel) = seen.get(&channel).cloned() else { continue };
            texts.push(if text.is_empty() { file.filename.clone() } else { text });
            shown.push((file, channel));
        }
        for ((file, channel), snippet) in shown.into_iter().zip(wanted.snippets(index, texts).await?) {
            let score = services::score_of_place(from + items.len());
            items.push(FileHit { file, channel, snippet, score });
        }
    }
    let next_cursor = (more && at < cursor::DEEPEST).then(|| cursor::write(at));
    let partial = log::head(&mut db.read()).await? > applied;
    let is_all = from == 0 && next_cursor.is_none();
    let total = if is_all { items.len() as u64 } else { total };
    Ok(FileSearchAnswer { items, next_cursor, partial, names, total })
}
