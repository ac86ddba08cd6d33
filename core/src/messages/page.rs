//! Pages of a channel and of a thread, always ascending by `seq`.

use confab_protocol::{Message, MessageId, UserId};
use uuid::Uuid;

use super::view::{COLUMNS, MessageRow, find, of_rows};
use crate::access::Admitted;
use crate::db::{Read, run};
use crate::fault::{Fault, Result};
use crate::reactions;

const BEFORE: &str = "where m.channel_id = $1 and m.seq < $2 order by m.seq desc limit $3";
const AFTER: &str = "where m.channel_id = $1 and m.seq > $2 order by m.seq limit $3";
const REPLIES: &str = "where m.parent_id = $1 and m.seq > $2 order by m.seq limit $3";
const REPLIES_BEFORE: &str = "where m.parent_id = $1 and m.seq < $2 order by m.seq desc limit $3";
const ANY_BEFORE: &str = "select 1 from messages where channel_id = $1 and seq <= $2 limit 1";
const ANY_AFTER: &str = "select 1 from messages where channel_id = $1 and seq >= $2 limit 1";
const NTH_NEWEST: &str = "select seq from messages where channel_id = $1 order by seq desc limit 1 offset $2";
const ALL_AFTER: &str = "where m.channel_id = $1 and m.seq > $2 and m.seq < $3 order by m.seq";

/// From which side a page is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The newest.
    Newest,
    /// Those before a number.
    Before(i64),
    /// Those after a number.
    After(i64),
    /// Half before, half from a number on.
    Around(i64),
}

/// A page and whether more lies beyond it.
pub struct Page {
    /// Ascending by `seq`.
    pub messages: Vec<Message>,
    /// Older ones exist.
    pub has_before: bool,
    /// Newer ones exist.
    pub has_after: bool,
}

/// A page of the channel that `admitted` opens.
pub async fn page(on: &mut impl Read, admitted: &Admitted, side: Side, limit: u32) -> Result<Page> {
    let limit = i64::from(limit);
    let channel = admitted.channel_id().0;
    let (before, after) = match side {
        Side::Newest => (Some((i64::MAX, limit)), None),
        Side::Before(seq) => (Some((seq, limit)), None),
        Side::After(seq) => (None, Some((seq, limit))),
        Side::Around(seq) => (Some((seq, limit / 2)), Some((seq.saturating_sub(1), limit - limit / 2))),
    };
    // One more than asked tells whether more is there.
    let (mut older, mut newer): (Vec<MessageRow>, Vec<MessageRow>) = (Vec::new(), Vec::new());
    if let Some((seq, count)) = before {
        let text = format!("{COLUMNS} {BEFORE}");
        older = run!(
            on,
            sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(channel).bind(seq).bind(count + 1),
            fetch_all
        )?;
    }
    if let Some((seq, count)) = after {
        let text = format!("{COLUMNS} {AFTER}");
        newer = run!(
            on,
            sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(channel).bind(seq).bind(count + 1),
            fetch_all
        )?;
    }
    // What lies on the side that was not read, is asked for: other events have numbers too, so none follow from numbers.
    let has_before = match before {
        Some((_, count)) => cut(&mut older, count),
        None => any(on, ANY_BEFORE, channel, after.map_or(0, |(seq, _)| seq)).await?,
    };
    let has_after = match (after, side) {
        (Some((_, count)), _) => cut(&mut newer, count),
        (None, Side::Before(seq)) => any(on, ANY_AFTER, channel, seq).await?,
        (None, _) => false,
    };
    older.reverse();
    older.extend(newer);
    let mut messages = of_rows(on, older).await?;
    reactions::mark_own(on, admitted.user_id(), &mut messages).await?;
    Ok(Page { messages, has_before, has_after })
}

async fn any(on: &mut impl Read, text: &'static str, channel: Uuid, seq: i64) -> Result<bool> {
    let found: Option<i32> = run!(on, sqlx::query_scalar(text).bind(channel).bind(seq), fetch_optional)?;
    Ok(found.is_some())
}

/// The number of the `number`th newest message, counted from one: what stands before it is a page that passes over so
/// many. Zero when there are fewer.
pub async fn nth_newest(on: &mut impl Read, admitted: &Admitted, number: i64) -> Result<i64> {
    let channel = admitted.channel_id().0;
    let seq: Option<i64> =
        run!(on, sqlx::query_scalar(NTH_NEWEST).bind(channel).bind(number - 1), fetch_optional)?;
    Ok(seq.unwrap_or(0))
}

fn cut(rows: &mut Vec<MessageRow>, count: i64) -> bool {
    let more = rows.len() as i64 > count;
    rows.truncate(usize::try_from(count).unwrap_or(0));
    more
}

/// From which side a page of replies is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replies {
    /// The earliest after a number.
    After(i64),
    /// The latest before a number.
    Before(i64),
}

/// A thread: its root and a page of its replies, ascending.
pub async fn thread(
    on: &mut impl Read,
    user: UserId,
    id: MessageId,
    side: Replies,
    limit: u32,
) -> Result<Vec<Message>> {
    let (_, asked) = find(on, user, id).await?;
    let root = match asked.parent_id {
        Some(root) => find(on, user, root).await?.1,
        None => asked,
    };
    let mut messages = replies(on, root.id, side, limit).await?;
    reactions::mark_own(on, user, &mut messages).await?;
    messages.insert(0, root);
    Ok(messages)
}

/// A page of the replies to a message, ascending. The caller has checked that the message may be read.
pub async fn replies(on: &mut impl Read, root: MessageId, side: Replies, limit: u32) -> Result<Vec<Message>> {
    let (place, seq) = match side {
        Replies::After(seq) => (REPLIES, seq),
        Replies::Before(seq) => (REPLIES_BEFORE, seq),
    };
    let text = format!("{COLUMNS} {place}");
    let mut rows: Vec<MessageRow> = run!(
        on,
        sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(root.0).bind(seq).bind(i64::from(limit)),
        fetch_all
    )?;
    if matches!(side, Replies::Before(_)) {
        rows.reverse();
    }
    of_rows(on, rows).await
}

/// A message and its neighbours: those of its thread, or else at most `around` on each side in the channel. The caller
/// has checked that the message may be read.
pub async fn conversation(on: &mut impl Read, of: &Message, around: i64) -> Result<Vec<Message>> {
    if !(0..=20).contains(&around) {
        return Err(Fault::Internal("a conversation window of more than 20".into()));
    }
    let rows: Vec<MessageRow> = if of.parent_id.is_some() || of.reply_count > 0 {
        let root = of.parent_id.unwrap_or(of.id);
        let text = format!(
            "{COLUMNS} where (m.parent_id = $1 or m.id = $1) and m.deleted_at is null order by m.seq limit $2"
        );
        run!(on, sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(root.0).bind(around * 2 + 1), fetch_all)?
    } else {
        // Numbers of other events lie between: a window twice as wide still finds the neighbours.
        let text = format!("{COLUMNS} {ALL_AFTER}");
        let (from, to) = (of.seq - around * 2 - 1, of.seq + around * 2 + 1);
        run!(
            on,
            sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(of.channel_id.0).bind(from).bind(to),
            fetch_all
        )?
    };
    let found = of_rows(on, rows).await?;
    let at = found.iter().position(|message| message.id == of.id).unwrap_or(0) as i64;
    Ok((0_i64..)
        .zip(found)
        .filter(|(place, message)| (place - at).abs() <= around && message.deleted_at.is_none())
        .map(|(_, message)| message)
        .collect())
}
