//! What was said around messages that were found: enough of each to judge a conversation by, nothing to show it with.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use confab_protocol::{ChannelId, MessageId, UserId};
use uuid::Uuid;

use crate::db::{Read, fetch_rows, run, run_in};
use crate::fault::{Fault, Result};

/// Found messages whose threads are read: each takes two statements of its own.
const THREADS: usize = 32;
/// Messages that are asked about at once.
const MOST_ASKED: usize = 500;
/// Neighbours on each side.
const FARTHEST: i64 = 32;

const PLACES: &str =
    "select m.id, m.channel_id, m.number from messages m where m.deleted_at is null and m.id in";
const ASKED: &str = "with asked (channel_id, number) as (";
/// Each number by itself: of ranges that differ from row to row PostgreSQL reads whole channels.
const BESIDE: &str = ") select m.id, m.channel_id, m.seq, m.number, m.parent_id, m.reply_count, m.sender_id, m.content,
    m.has_attachments, m.created_at from asked a join messages m on m.channel_id = a.channel_id and m.number = a.number
    where m.deleted_at is null";
const REPLIES_BEFORE: &str = "select m.id, m.channel_id, m.seq, m.number, m.parent_id, m.reply_count, m.sender_id, m.content,
    m.has_attachments, m.created_at from messages m where m.parent_id = $1 and m.seq < $2 and m.deleted_at is null
    order by m.seq desc limit $3";
const REPLIES_FROM: &str = "select m.id, m.channel_id, m.seq, m.number, m.parent_id, m.reply_count, m.sender_id, m.content,
    m.has_attachments, m.created_at from messages m where m.parent_id = $1 and m.seq >= $2 and m.deleted_at is null
    order by m.seq limit $3";
const ROOTS: &str =
    "select m.id, m.channel_id, m.seq, m.number, m.parent_id, m.reply_count, m.sender_id, m.content,
    m.has_attachments, m.created_at from messages m where m.deleted_at is null and m.id in";

/// A message among others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which.
    pub id: MessageId,
    /// Where it was posted.
    pub channel_id: ChannelId,
    /// Its number among the channel's messages, without holes.
    pub number: i64,
    /// The thread that it stands in: its root's id, which is its own for a root.
    pub thread: Option<MessageId>,
    /// The root that it answers.
    pub parent_id: Option<MessageId>,
    /// Who wrote it.
    pub sender_id: UserId,
    /// As it is now.
    pub content: String,
    /// It carries a file.
    pub has_attachments: bool,
    /// When, in milliseconds since 1970.
    pub created_at: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    channel_id: Uuid,
    seq: i64,
    number: i64,
    parent_id: Option<Uuid>,
    reply_count: i64,
    sender_id: Uuid,
    content: String,
    has_attachments: bool,
    created_at: i64,
}

impl Row {
    fn thread(&self) -> Option<Uuid> {
        self.parent_id.or((self.reply_count > 0).then_some(self.id))
    }

    fn line(self) -> Line {
        Line {
            thread: self.thread().map(MessageId),
            id: MessageId(self.id),
            channel_id: ChannelId(self.channel_id),
            number: self.number,
            parent_id: self.parent_id.map(MessageId),
            sender_id: UserId(self.sender_id),
            content: self.content,
            has_attachments: self.has_attachments,
            created_at: self.created_at,
        }
    }
}

/// The messages `ids` with up to `reach` neighbours on each side in their channels, and as many in their threads, each
/// once, by channel and then ascending. What is deleted or stands outside `channels`, which the caller has been shown by
/// [`crate::access`], is not there. Of more than 32 messages in threads, only the first ones' threads are read.
///
/// # Errors
/// [`Fault::Internal`] for more than 500 ids or a reach beyond 32.
pub async fn around(
    on: &mut impl Read,
    channels: &[ChannelId],
    ids: &[MessageId],
    reach: i64,
) -> Result<Vec<Line>> {
    if ids.len() > MOST_ASKED || !(0..=FARTHEST).contains(&reach) {
        return Err(Fault::internal("too many messages, or too much around them"));
    }
    let asked: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let allowed: HashSet<Uuid> = channels.iter().map(|id| id.0).collect();
    let places: Vec<(Uuid, Uuid, i64)> = run_in!(on, (Uuid, Uuid, i64), PLACES, &asked, "")?;
    // Deleted ones have their numbers still, so a neighbour may be missing; nothing reaches into another channel.
    let beside: BTreeSet<(Uuid, i64)> = places
        .into_iter()
        .filter(|(_, channel, _)| allowed.contains(channel))
        .flat_map(|(_, channel, number)| (number - reach..=number + reach).map(move |it| (channel, it)))
        .collect();
    let beside: Vec<(Uuid, i64)> = beside.into_iter().collect();
    let mut found: Vec<Row> =
        fetch_rows!(on, Row, ASKED, beside, |place, line| place.push_bind(line.0).push_bind(line.1), BESIDE);
    let wanted: HashSet<Uuid> = asked.iter().copied().collect();
    let in_threads = found.iter().filter(|row| wanted.contains(&row.id));
    let mut in_threads: Vec<(Uuid, i64, Uuid)> =
        in_threads.filter_map(|row| Some((row.thread()?, row.seq, row.id))).collect();
    // In the order asked, so that the best ones' threads are read.
    in_threads.sort_by_key(|(.., id)| asked.iter().position(|it| it == id));
    in_threads.dedup();
    in_threads.truncate(THREADS);
    for (root, seq, _) in &in_threads {
        for (text, count) in [(REPLIES_BEFORE, reach), (REPLIES_FROM, reach + 1)] {
            let replies: Vec<Row> =
                run!(on, sqlx::query_as(text).bind(root).bind(seq).bind(count), fetch_all)?;
            found.extend(replies);
        }
    }
    let known: HashSet<Uuid> = found.iter().map(|row| row.id).collect();
    let mut roots: Vec<Uuid> = in_threads.iter().map(|(root, ..)| *root).collect();
    roots.retain(|root| !known.contains(root));
    found.extend(run_in!(on, Row, ROOTS, &roots, "")?);
    let lines: BTreeMap<(Uuid, i64), Line> = found
        .into_iter()
        .filter(|row| allowed.contains(&row.channel_id))
        .map(|row| ((row.channel_id, row.number), row.line()))
        .collect();
    Ok(lines.into_values().collect())
}
