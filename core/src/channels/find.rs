//! The directory: channels that a user may read, found by words of their names and descriptions.

use confab_protocol::{Channel, ChannelId, UserId};
use uuid::Uuid;

use super::{list, near, words};
use crate::access;
use crate::db::{Read, run};
use crate::fault::Result;

// The longest word leads through the index; the others are asked of what it found. Page first, columns after.
const FIND: &str = "select c.id, found.rank from
    (select channel_id, min(rank) as rank from channel_words where word >= $2 and word < $3 group by channel_id) found
    cross join channels c where c.id = found.channel_id and c.deleted_at is null
    and (c.name_key is not null or exists (select 1 from memberships m where m.channel_id = c.id and m.user_id = $1 and m.to_seq is null))
    and exists (select 1 from channel_words w where w.channel_id = c.id and w.word >= $4 and w.word < $5)
    and exists (select 1 from channel_words w where w.channel_id = c.id and w.word >= $6 and w.word < $7)
    and exists (select 1 from channel_words w where w.channel_id = c.id and w.word >= $8 and w.word < $9)
    and (found.rank, c.name, c.id) > ($10, $11, $12) order by found.rank, c.name, c.id limit $13";

/// Behind all that fits: a name that was mistyped.
const NEARLY: i64 = 4;

/// A channel and how well it fits: 0 best.
#[derive(Clone, Debug)]
pub struct Found {
    /// As the user sees it.
    pub channel: Channel,
    /// 0: its name begins with the question; 1: a word of the name; 2: it stands inside one; 3: in the description; 4: the name
    /// is nearly so.
    pub rank: i64,
}

impl Found {
    /// Between 0 and 1; 1 fits best.
    #[must_use]
    pub fn score(&self) -> f64 {
        1.0 / (1 + self.rank) as f64
    }
}

/// Where a page of found channels begins: behind this rank, name and channel.
pub type After = (i64, String, ChannelId);

/// A page of the channels that `user` may read and `q` fits, the best first. Every word of `q` must be there, as the
/// beginning of a word, or inside one of the name. Where none fits at all, those whose names are near to `q`.
///
/// # Errors
/// [`crate::Fault::Invalid`] in `q` for one that is too long.
pub async fn find(
    on: &mut impl Read,
    user: UserId,
    q: &str,
    after: Option<After>,
    limit: u32,
) -> Result<Vec<Found>> {
    let mut ranges = words::question(q)?;
    if ranges.is_empty() {
        return Ok(Vec::new());
    }
    ranges.resize(words::WORDS, words::any_word());
    let is_first = after.is_none();
    let (rank, name, id) = after.unwrap_or((-1, String::new(), ChannelId(Uuid::nil())));
    if rank == NEARLY {
        return nearly(on, user, q, Some(id), limit).await;
    }
    let rows: Vec<(Uuid, i64)> = run!(
        on,
        sqlx::query_as(FIND)
            .bind(user.0)
            .bind(ranges[0].0.clone())
            .bind(ranges[0].1.clone())
            .bind(ranges[1].0.clone())
            .bind(ranges[1].1.clone())
            .bind(ranges[2].0.clone())
            .bind(ranges[2].1.clone())
            .bind(ranges[3].0.clone())
            .bind(ranges[3].1.clone())
            .bind(rank)
            .bind(name.clone())
            .bind(id.0)
            .bind(i64::from(limit)),
        fetch_all
    )?;
    if rows.is_empty() && is_first {
        return nearly(on, user, q, None, limit).await;
    }
    shown(on, user, rows).await
}

/// Channels whose names are near to `q`, the nearest first, behind `after`.
async fn nearly(
    on: &mut impl Read,
    user: UserId,
    q: &str,
    after: Option<ChannelId>,
    limit: u32,
) -> Result<Vec<Found>> {
    let visible = access::visible_channels(on, user).await?;
    let near = near(on, user, &visible, &[q.trim().to_owned()]).await?;
    let ids: Vec<ChannelId> = near.of.into_iter().flatten().map(|(id, _)| id).collect();
    // Behind one that is gone meanwhile there is nothing: from the beginning, a reader would go round and round.
    let behind = |after: ChannelId| ids.iter().position(|id| *id == after).map_or(ids.len(), |at| at + 1);
    let from = after.map_or(0, behind);
    let rows = ids[from..].iter().take(limit as usize).map(|id| (id.0, NEARLY)).collect();
    shown(on, user, rows).await
}

/// Channels as `user` sees them, in the order in which they were found.
async fn shown(on: &mut impl Read, user: UserId, rows: Vec<(Uuid, i64)>) -> Result<Vec<Found>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.0).collect();
    let mut channels = list::of_ids(on, user, &ids).await?;
    let mut page = Vec::with_capacity(rows.len());
    for (id, rank) in rows {
        if let Some(at) = channels.iter().position(|channel| channel.id.0 == id) {
            page.push(Found { channel: channels.swap_remove(at), rank });
        }
    }
    Ok(page)
}
