//! Threads: who follows which, and how far they have read it.
//!
//! Whoever begins, answers or is mentioned in a thread follows it, until they say otherwise.

use std::collections::HashMap;

use confab_protocol::{ChannelId, EventKind, Message, MessageId, Timestamp, UserId};
use serde_json::json;
use uuid::Uuid;

use crate::access::{self, Admitted};
use crate::db::write::Emission;
use crate::db::{Read, Tx, insert_rows, run, run_in};
use crate::fault::{Fault, Result};
use crate::messages::{self, NewMessage};

/// People of one thread who follow it because they took part before follows were kept (docs/limits.md).
const EARLIER: i64 = 100;

const IS_FOLLOWED: &str = "select 1 from thread_follows where root_id = $1 and is_following = true limit 1";
const FOLLOW_EARLIER: &str =
    "insert into thread_follows (user_id, root_id, channel_id, is_following, read_seq, updated_at)
    select found.sender_id, $1, found.channel_id, true, $2, $3 from
    (select sender_id, channel_id from messages where id = $1 union select sender_id, channel_id from messages
     where parent_id = $1 and seq <= $2 and deleted_at is null) as found where true limit $4 on conflict do nothing";
const FOLLOWERS_NOW: &str =
    "select user_id, read_seq from thread_follows where root_id = $1 and is_following = true
    order by user_id limit $2";
const ANSWERED: &str =
    "insert into thread_follows (user_id, root_id, channel_id, is_following, read_seq, updated_at)
    values ($1, $2, $3, true, $4, $5) on conflict (user_id, root_id) do update
    set is_following = true, read_seq = excluded.read_seq, updated_at = excluded.updated_at";
const MENTIONED: &str =
    "insert into thread_follows (user_id, root_id, channel_id, is_following, read_seq, updated_at) ";
const FOLLOW: &str =
    "insert into thread_follows (user_id, root_id, channel_id, is_following, read_seq, updated_at)
    values ($1, $2, $3, $4, $5, $6) on conflict (user_id, root_id) do update
    set is_following = excluded.is_following, updated_at = excluded.updated_at
    where thread_follows.is_following <> excluded.is_following";
const READ: &str = "insert into thread_follows (user_id, root_id, channel_id, is_following, read_seq, updated_at)
    values ($1, $2, $3, false, $4, $5) on conflict (user_id, root_id) do update
    set read_seq = excluded.read_seq, updated_at = excluded.updated_at where thread_follows.read_seq < excluded.read_seq";
const OWN: &str = "select is_following, read_seq from thread_follows where user_id = $1 and root_id = $2";
const OF_PEOPLE: &str = "select user_id, read_seq from thread_follows where root_id = $1 and user_id in";
// Those who may not read there any more are not told, but follow again when they come back.
const FOLLOWERS: &str = "select f.user_id from thread_follows f
    join memberships s on s.channel_id = f.channel_id and s.user_id = f.user_id and s.to_seq is null
    where f.root_id = $1 and f.is_following = true order by f.user_id limit $2";
// The thousand threads that somebody took part in last; counting begins there, whatever they followed in ten years.
const FOLLOWED: &str = "select found.root_id, coalesce(r.last_reply_at, r.created_at) as active_at from
    (select root_id, channel_id from thread_follows where user_id = $1 and is_following = true
     order by updated_at desc limit 1000) found
    join messages r on r.id = found.root_id join channels c on c.id = found.channel_id and c.deleted_at is null
    left join memberships s on s.channel_id = found.channel_id and s.user_id = $1 and s.to_seq is null
    where (s.role is not null or c.kind in ('public', 'voice'))
    and (coalesce(r.last_reply_at, r.created_at), found.root_id) < ($2, $3)
    order by active_at desc, found.root_id desc limit $4";
// Counts stop at a thousand: beyond it nobody reads the number.
const STATES: &str = "select f.root_id, f.is_following, f.read_seq,
    (select count(*) from (select 1 from messages m where m.parent_id = f.root_id and m.seq > f.read_seq
     and m.deleted_at is null limit 1000) as found) as unread_count,
    (select count(*) from mentions n join messages m on m.id = n.message_id where n.user_id = f.user_id
     and n.channel_id = f.channel_id and n.seq > f.read_seq and m.parent_id = f.root_id)
    + (select count(*) from broadcasts b join messages m on m.id = b.message_id and m.parent_id = f.root_id
     where b.channel_id = f.channel_id and b.seq > f.read_seq and b.word = 'channel' and b.sender_id <> f.user_id
     and not exists (select 1 from mentions n where n.user_id = f.user_id and n.channel_id = f.channel_id
     and n.seq = b.seq)) as mention_count
    from thread_follows f where f.user_id = $1 and f.root_id in";
const UNREAD_THREADS: &str = "select count(*) from (select root_id, channel_id, read_seq from thread_follows
    where user_id = $1 and is_following = true order by updated_at desc limit 1000) found
    join channels c on c.id = found.channel_id and c.deleted_at is null
    left join memberships s on s.channel_id = found.channel_id and s.user_id = $1 and s.to_seq is null
    where (s.role is not null or c.kind in ('public', 'voice')) and exists
    (select 1 from messages m where m.parent_id = found.root_id and m.seq > found.read_seq and m.deleted_at is null)";

/// What a thread is to one reader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThreadState {
    /// Whether they are told of what is new.
    pub is_following: bool,
    /// How far they have read it.
    pub read_seq: i64,
    /// Answers after that, at most 1,000.
    pub unread_count: i64,
    /// Those among them that mention the reader.
    pub mention_count: i64,
}

/// A followed thread.
#[derive(Clone, Debug)]
pub struct Followed {
    /// Its root, as it is now.
    pub root: Message,
    /// What it is to the reader.
    pub state: ThreadState,
    /// When something was last said in it.
    pub active_at: Timestamp,
}

/// Where a page of threads ends.
pub type After = (i64, MessageId);

/// Who is told of a new answer: those who follow the thread and are members of its channel, at most `limit`.
pub async fn followers(on: &mut impl Read, root: MessageId, limit: i64) -> Result<Vec<UserId>> {
    let rows: Vec<Uuid> = run!(on, sqlx::query_scalar(FOLLOWERS).bind(root.0).bind(limit), fetch_all)?;
    Ok(rows.into_iter().map(UserId).collect())
}

/// Lets those follow whom a new answer makes take part: who wrote it, who is mentioned in it, and with the first answer
/// those who wrote before. `seq` is the answer's own.
pub(crate) async fn take_part(
    tx: &mut Tx,
    channel: ChannelId,
    root: MessageId,
    answer: &NewMessage,
    seq: i64,
) -> Result<()> {
    let author = answer.sender_id;
    let mut changed: Vec<(UserId, i64)> = follow_earlier(tx, root, seq - 1).await?;
    changed.retain(|(user, _)| *user != author);
    let now = Timestamp::now().0;
    run!(tx, sqlx::query(ANSWERED).bind(author.0).bind(root.0).bind(channel.0).bind(seq).bind(now), execute)?;
    changed.push((author, seq));
    let mentioned: Vec<UserId> = answer.mentions.iter().copied().filter(|user| *user != author).collect();
    if !mentioned.is_empty() {
        insert_rows!(
            tx,
            MENTIONED,
            mentioned,
            |values, user| values
                .push_bind(user.0)
                .push_bind(root.0)
                .push_bind(channel.0)
                .push_bind(true)
                .push_bind(seq - 1)
                .push_bind(now),
            "on conflict (user_id, root_id) do update set is_following = true, updated_at = excluded.updated_at"
        );
        let ids: Vec<Uuid> = mentioned.iter().map(|user| user.0).collect();
        let rows: Vec<(Uuid, i64)> = run_in!(tx, (Uuid, i64), OF_PEOPLE, &ids, "", bind root.0)?;
        changed.retain(|(user, _)| !mentioned.contains(user));
        changed.extend(rows.into_iter().map(|(user, read_seq)| (UserId(user), read_seq)));
    }
    for (user, read_seq) in changed {
        tell(tx, user, channel, root, true, read_seq);
    }
    Ok(())
}

/// Lets everybody who took part up to `read_seq` follow where nobody follows yet, and answers who does now if that was so:
/// with the first answer, and with the first one since an import, which makes no followers.
async fn follow_earlier(tx: &mut Tx, root: MessageId, read_seq: i64) -> Result<Vec<(UserId, i64)>> {
    let is_followed: Option<i32> = run!(tx, sqlx::query_scalar(IS_FOLLOWED).bind(root.0), fetch_optional)?;
    if is_followed.is_some() {
        return Ok(Vec::new());
    }
    let now = Timestamp::now().0;
    if run!(tx, sqlx::query(FOLLOW_EARLIER).bind(root.0).bind(read_seq).bind(now).bind(EARLIER), execute)?
        == 0
    {
        return Ok(Vec::new());
    }
    let rows: Vec<(Uuid, i64)> =
        run!(tx, sqlx::query_as(FOLLOWERS_NOW).bind(root.0).bind(EARLIER), fetch_all)?;
    Ok(rows.into_iter().map(|(user, seq)| (UserId(user), seq)).collect())
}

fn tell(tx: &mut Tx, user: UserId, channel: ChannelId, root: MessageId, following: bool, read_seq: i64) {
    let detail =
        json!({ "message_id": root, "channel_id": channel, "following": following, "read_seq": read_seq });
    let mut emission =
        Emission::new(EventKind::ThreadUpdated, root).only_for(user).by(user).detail(detail.to_string());
    emission.place = Some((channel, 0));
    tx.emit(emission);
}

/// Follows the thread of a message, or does so no more.
///
/// # Errors
/// [`Fault::NotFound`]; [`Fault::Forbidden`] with code `not_a_member` for who only looks at a private channel.
pub async fn follow(tx: &mut Tx, user: UserId, id: MessageId, following: bool) -> Result<()> {
    let (admitted, root) = root_of(tx, user, id).await?;
    for (other, read_seq) in follow_earlier(tx, root.id, admitted.last_seq()).await? {
        if other != user {
            tell(tx, other, root.channel_id, root.id, true, read_seq);
        }
    }
    if run!(
        tx,
        sqlx::query(FOLLOW)
            .bind(user.0)
            .bind(root.id.0)
            .bind(root.channel_id.0)
            .bind(following)
            .bind(admitted.last_seq())
            .bind(Timestamp::now().0),
        execute
    )? > 0
    {
        tell_own(tx, user, &root).await?;
    }
    Ok(())
}

/// Notes how far the user has read the thread of a message; never backwards.
///
/// # Errors
/// Those of [`follow`]; [`Fault::Invalid`] in `seq`.
pub async fn mark_read(tx: &mut Tx, user: UserId, id: MessageId, seq: i64) -> Result<()> {
    let (admitted, root) = root_of(tx, user, id).await?;
    if seq < 0 || seq > admitted.last_seq() {
        return Err(Fault::invalid("seq", format!("must be between 0 and {}", admitted.last_seq())));
    }
    if run!(
        tx,
        sqlx::query(READ)
            .bind(user.0)
            .bind(root.id.0)
            .bind(root.channel_id.0)
            .bind(seq)
            .bind(Timestamp::now().0),
        execute
    )? > 0
    {
        tell_own(tx, user, &root).await?;
    }
    Ok(())
}

async fn tell_own(tx: &mut Tx, user: UserId, root: &Message) -> Result<()> {
    let (following, read_seq): (bool, i64) =
        run!(tx, sqlx::query_as(OWN).bind(user.0).bind(root.id.0), fetch_one)?;
    tell(tx, user, root.channel_id, root.id, following, read_seq);
    Ok(())
}

/// The root of the thread that a message begins or stands in, for whoever may keep a state of it.
async fn root_of(tx: &mut Tx, user: UserId, id: MessageId) -> Result<(Admitted, Message)> {
    let door = messages::door(tx, user, id).await?;
    if !door.admitted.kind().is_open() {
        // A superuser who broke the glass reads, and leaves no state.
        door.admitted.member()?;
    }
    messages::find(tx, user, door.parent_id.unwrap_or(id)).await
}

/// What threads are to a reader, by their roots; who has none of a thread neither follows nor has read it.
pub async fn states(
    on: &mut impl Read,
    user: UserId,
    roots: &[MessageId],
) -> Result<HashMap<MessageId, ThreadState>> {
    let ids: Vec<Uuid> = roots.iter().map(|id| id.0).collect();
    let rows: Vec<(Uuid, bool, i64, i64, i64)> =
        run_in!(on, (Uuid, bool, i64, i64, i64), STATES, &ids, "", bind user.0)?;
    Ok(rows
        .into_iter()
        .map(|(root, is_following, read_seq, unread_count, mention_count)| {
            (MessageId(root), ThreadState { is_following, read_seq, unread_count, mention_count })
        })
        .collect())
}

/// A page of the threads that a user follows and may read, the most active first, and where the next one begins. Of
/// those they took part in last, at most a thousand.
pub async fn list(
    on: &mut impl Read,
    user: UserId,
    after: Option<After>,
    limit: u32,
) -> Result<(Vec<Followed>, Option<After>)> {
    let (at, id) = after.unwrap_or((i64::MAX, MessageId(Uuid::max())));
    let rows: Vec<(Uuid, i64)> = run!(
        on,
        sqlx::query_as(FOLLOWED).bind(user.0).bind(at).bind(id.0).bind(i64::from(limit)),
        fetch_all
    )?;
    let next = rows.last().filter(|_| rows.len() == limit as usize).map(|row| (row.1, MessageId(row.0)));
    let ids: Vec<MessageId> = rows.iter().map(|row| MessageId(row.0)).collect();
    let states = states(on, user, &ids).await?;
    let visible = access::visible_channels(on, user).await?;
    let mut at = rows.into_iter();
    let roots = messages::views(on, &ids).await?;
    let shown = roots.into_iter().filter(|root| visible.contains(&root.channel_id)).filter_map(|root| {
        let (_, active_at) = at.find(|row| row.0 == root.id.0)?;
        let state = states.get(&root.id).copied()?;
        Some(Followed { root, state, active_at: Timestamp(active_at) })
    });
    Ok((shown.collect(), next))
}

/// Of the threads that a user follows, how many hold something unread; at most a thousand.
pub async fn unread_threads(on: &mut impl Read, user: UserId) -> Result<i64> {
    Ok(run!(on, sqlx::query_scalar(UNREAD_THREADS).bind(user.0), fetch_one)?)
}
