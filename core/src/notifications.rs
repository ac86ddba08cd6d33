//! What is to be brought to somebody's attention: a mention, a direct message, an answer in a thread of theirs.
//!
//! Made with the message, in its transaction, and shown only as long as the message may be read.

use std::time::Duration;

use confab_protocol::{ChannelId, ChannelKind, EventKind, Message, MessageId, Timestamp, UserId};
use uuid::Uuid;

use crate::access;
use crate::access::Place;
use crate::db::write::Emission;
use crate::db::{Read, Tx, insert_rows, run, run_in};
use crate::fault::Result;
use crate::messages::{self, NewMessage};

/// People of one thread or conversation who are told of a message (docs/limits.md).
const MOST: i64 = 100;

/// People outside of a channel who are told that a message of it is gone.
const MOST_TOLD_OUTSIDE: i64 = 1_000;

/// Older ones are dropped (docs/limits.md).
const KEPT: Duration = Duration::from_hours(90 * 24);

const SWEEP: &str = "delete from notifications where created_at < $1";
const MEMBERS: &str =
    "select user_id from memberships where channel_id = $1 and to_seq is null order by user_id limit $2";
// The root's author and whoever answered, as far as they are still members.
const THREAD: &str = "select distinct m.sender_id from messages m
    join memberships s on s.channel_id = m.channel_id and s.user_id = m.sender_id and s.to_seq is null
    where m.id = $1 union select distinct m.sender_id from messages m
    join memberships s on s.channel_id = m.channel_id and s.user_id = m.sender_id and s.to_seq is null
    where m.parent_id = $1 limit $2";
const LIST: &str = "select id, kind, message_id, created_at, read_at from notifications
    where user_id = $1 and id < $2 order by id desc limit $3";
const LIST_UNREAD: &str = "select id, kind, message_id, created_at, read_at from notifications
    where user_id = $1 and id < $2 and read_at is null order by id desc limit $3";
// Only what may be read: whoever left a private channel would see a badge for ever that no list explains.
const UNREAD: &str = "select count(*) from (select 1 from notifications n
    join messages m on m.id = n.message_id and m.deleted_at is null
    join channels c on c.id = n.channel_id and c.deleted_at is null
    left join memberships s on s.channel_id = n.channel_id and s.user_id = $1 and s.to_seq is null
    where n.user_id = $1 and n.read_at is null and (s.role is not null or c.kind in ('public', 'voice'))
    limit 1000) as found";
// Mentioned in an open channel that they are no member of.
const TOLD_OUTSIDE: &str = "select n.user_id from notifications n
    join channels c on c.id = n.channel_id and c.kind in ('public', 'voice')
    left join memberships s on s.channel_id = n.channel_id and s.user_id = n.user_id and s.to_seq is null
    where n.message_id = $1 and s.user_id is null limit $2";
const READ_ALL: &str = "update notifications set read_at = $2 where user_id = $1 and read_at is null";
const OF_IDS: &str = "select id from notifications where user_id = $1 and read_at is null and id in";
const READ_ONE: &str = "update notifications set read_at = $2 where id = $1";

/// Why somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Their name stands in it.
    Mention,
    /// It is for them and few others.
    DirectMessage,
    /// It answers in a thread that they began or answered in.
    ThreadReply,
}

impl Kind {
    /// The word in SQL and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mention => "mention",
            Self::DirectMessage => "direct_message",
            Self::ThreadReply => "thread_reply",
        }
    }
}

/// A notification with its message.
#[derive(Clone, Debug)]
pub struct Notification {
    /// Which.
    pub id: Uuid,
    /// Why.
    pub kind: String,
    /// As it is now.
    pub message: Message,
    /// When it came.
    pub created_at: Timestamp,
    /// When it was read.
    pub read_at: Option<Timestamp>,
}

/// Tells everyone whom a new message concerns, for the strongest reason only.
pub(crate) async fn tell(tx: &mut Tx, place: &Place, message: &NewMessage) -> Result<()> {
    let mut told: Vec<(UserId, Kind)> = message.mentions.iter().map(|user| (*user, Kind::Mention)).collect();
    if matches!(place.kind, ChannelKind::Direct | ChannelKind::Group) {
        let members: Vec<Uuid> =
            run!(tx, sqlx::query_scalar(MEMBERS).bind(place.channel_id.0).bind(MOST), fetch_all)?;
        told.extend(members.into_iter().map(|user| (UserId(user), Kind::DirectMessage)));
    }
    if let Some(root) = message.parent_id {
        let people: Vec<Uuid> = run!(tx, sqlx::query_scalar(THREAD).bind(root.0).bind(MOST), fetch_all)?;
        told.extend(people.into_iter().map(|user| (UserId(user), Kind::ThreadReply)));
    }
    let mut rows: Vec<(Uuid, UserId, Kind)> = Vec::with_capacity(told.len());
    for (user, kind) in told {
        if user != message.sender_id && !rows.iter().any(|(_, known, _)| *known == user) {
            rows.push((Uuid::now_v7(), user, kind));
        }
    }
    insert_rows!(
        tx,
        "insert into notifications (id, user_id, kind, channel_id, message_id, actor_id, created_at, read_at) ",
        rows,
        |values, row| values
            .push_bind(row.0)
            .push_bind(row.1.0)
            .push_bind(row.2.as_str())
            .push_bind(place.channel_id.0)
            .push_bind(message.id.0)
            .push_bind(message.sender_id.0)
            .push_bind(message.created_at.0)
            .push_bind(None::<i64>),
        ""
    );
    for (id, user, kind) in rows {
        let detail = format!("{} {}", kind.as_str(), message.id);
        let mut emission = Emission::new(EventKind::Notification, id).only_for(user).by(message.sender_id);
        emission.place = Some((place.channel_id, 0));
        tx.emit(emission.detail(detail));
    }
    Ok(())
}

/// Tells those who were told of a message and do not hear its channel that it is gone: they would keep a badge for it.
/// Whoever was removed from a private channel hears nothing more of it, not even this.
pub(crate) async fn withdraw(tx: &mut Tx, channel: ChannelId, message: MessageId) -> Result<()> {
    let outside: Vec<Uuid> =
        run!(tx, sqlx::query_scalar(TOLD_OUTSIDE).bind(message.0).bind(MOST_TOLD_OUTSIDE), fetch_all)?;
    for user in outside {
        let mut emission = Emission::new(EventKind::MessageDelete, message).only_for(UserId(user));
        emission.place = Some((channel, 0));
        tx.emit(emission);
    }
    Ok(())
}

/// A page, the newest first: those before `before`. Whatever may not be read any more is left out; the second value is
/// where the next page begins.
pub async fn list(
    on: &mut impl Read,
    user: UserId,
    only_unread: bool,
    before: Option<Uuid>,
    limit: u32,
) -> Result<(Vec<Notification>, Option<Uuid>)> {
    let before = before.unwrap_or(Uuid::max());
    let limit = i64::from(limit);
    let rows: Vec<(Uuid, String, Uuid, i64, Option<i64>)> = if only_unread {
        run!(on, sqlx::query_as(LIST_UNREAD).bind(user.0).bind(before).bind(limit), fetch_all)?
    } else {
        run!(on, sqlx::query_as(LIST).bind(user.0).bind(before).bind(limit), fetch_all)?
    };
    let next = rows.last().filter(|_| rows.len() as i64 == limit).map(|row| row.0);
    let visible: Vec<ChannelId> = access::visible_channels(on, user).await?;
    let ids: Vec<MessageId> = rows.iter().map(|row| MessageId(row.2)).collect();
    let known = messages::readable(on, &visible, &ids).await?;
    let shown = rows.into_iter().filter_map(|(id, kind, message, created_at, read_at)| {
        let message = known.iter().find(|it| it.id.0 == message)?.clone();
        let (created_at, read_at) = (Timestamp(created_at), read_at.map(Timestamp));
        Some(Notification { id, kind, message, created_at, read_at })
    });
    Ok((shown.collect(), next))
}

/// How many are unread, at most a thousand.
pub async fn unread_count(on: &mut impl Read, user: UserId) -> Result<i64> {
    Ok(run!(on, sqlx::query_scalar(UNREAD).bind(user.0), fetch_one)?)
}

/// Drops those of long ago.
pub async fn sweep(tx: &mut Tx) -> Result<()> {
    let kept = Timestamp::now().0 - KEPT.as_millis() as i64;
    run!(tx, sqlx::query(SWEEP).bind(kept), execute)?;
    Ok(())
}

/// Marks some as read, or all. Ids of others' are passed over.
pub async fn mark_read(tx: &mut Tx, user: UserId, ids: Option<&[Uuid]>) -> Result<()> {
    let now = Timestamp::now().0;
    let Some(ids) = ids else {
        run!(tx, sqlx::query(READ_ALL).bind(user.0).bind(now), execute)?;
        return Ok(());
    };
    let own: Vec<(Uuid,)> = run_in!(tx, (Uuid,), OF_IDS, ids, "", bind user.0)?;
    for (id,) in own {
        run!(tx, sqlx::query(READ_ONE).bind(id).bind(now), execute)?;
    }
    Ok(())
}
