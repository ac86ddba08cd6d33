//! What is to be brought to somebody's attention: a mention, a direct message, an answer in a thread of theirs, a word
//! that they wish to hear of, or every message of a channel.
//!
//! Made with the message, in its transaction, and shown only as long as the message may be read. Who is mentioned with
//! their whole channel is told a moment later ([`crate::broadcasts`]).

mod brief;
mod read;
mod remind;
mod store;
mod withdraw;

use std::time::Duration;

use confab_protocol::{ChannelId, ChannelKind, Message, MessageId, Timestamp, UserId};
use uuid::Uuid;

pub use brief::Brief;
pub(crate) use brief::{Waiting, brief};
pub use read::{mark_channel_read, mark_read, unread_count};
pub(crate) use remind::remind;
pub(crate) use store::{News, store};
pub(crate) use withdraw::withdraw;

use crate::access;
use crate::access::Place;
use crate::attention::keywords;
use crate::broadcasts::Word;
use crate::db::{Read, Tx, run};
use crate::fault::Result;
use crate::messages::{self, NewMessage};
use crate::threads;

/// People of one thread or conversation who are told of a message (docs/limits.md).
const MOST: i64 = 100;
/// In a channel of more members, `all` is the same as `mentions` (docs/limits.md): a row for each of thousands of people
/// with every message would cost more than the messages.
const ALL_UP_TO: i64 = 500;

/// Older ones are dropped (docs/limits.md).
const KEPT: Duration = Duration::from_hours(90 * 24);

const SWEEP: &str = "delete from notifications where created_at < $1";
const MEMBERS: &str =
    "select user_id from memberships where channel_id = $1 and to_seq is null order by user_id limit $2";
// What is worth asking about a channel, in one statement: most servers and channels have none of it.
const WANTED: &str = "select exists (select 1 from keywords), exists (select 1 from attention where notification_level = 'all'),
    exists (select 1 from memberships where channel_id = $1 and to_seq is null and notification_level = 'all')";
const ALL_HERE: &str =
    "select m.user_id from memberships m join channels c on c.id = m.channel_id and c.member_count <= $2
    where m.channel_id = $1 and m.to_seq is null and m.notification_level = 'all'";
const ALL_BY_DEFAULT: &str =
    "select m.user_id from memberships m join channels c on c.id = m.channel_id and c.member_count <= $2
    join attention a on a.user_id = m.user_id and a.notification_level = 'all'
    where m.channel_id = $1 and m.to_seq is null and m.notification_level is null";
const LIST: &str =
    "select id, kind, channel_id, message_id, text, created_at, read_at, is_quiet from notifications
    where user_id = $1 and id < $2 order by id desc limit $3";
const LIST_UNREAD: &str =
    "select id, kind, channel_id, message_id, text, created_at, read_at, is_quiet from notifications
    where user_id = $1 and id < $2 and read_at is null order by id desc limit $3";

/// Why somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Their name stands in it.
    Mention,
    /// It is for them and few others.
    DirectMessage,
    /// It answers in a thread that they follow.
    ThreadReply,
    /// A word that they wish to hear of stands in it.
    Keyword,
    /// They wish to hear of every message there.
    ChannelMessage,
    /// They asked to be told now.
    Reminder,
}

impl Kind {
    /// The word in SQL and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mention => "mention",
            Self::DirectMessage => "direct_message",
            Self::ThreadReply => "thread_reply",
            Self::Keyword => "keyword",
            Self::ChannelMessage => "channel_message",
            Self::Reminder => "reminder",
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
    /// Where, as long as that may be read.
    pub channel_id: Option<ChannelId>,
    /// As it is now. Only a reminder may come without.
    pub message: Option<Message>,
    /// Of a reminder: its owner's words.
    pub text: Option<String>,
    /// When it came.
    pub created_at: Timestamp,
    /// When it was read.
    pub read_at: Option<Timestamp>,
    /// It came while its person wished not to be disturbed.
    pub is_quiet: bool,
}

/// Tells everyone whom a new message concerns, for the strongest reason only. With a whole channel mentioned that is the
/// mention, which is told from behind.
pub(crate) async fn tell(
    tx: &mut Tx,
    place: &Place,
    message: &NewMessage,
    broadcast: Option<Word>,
) -> Result<()> {
    let mut told: Vec<(UserId, Kind)> = message.mentions.iter().map(|user| (*user, Kind::Mention)).collect();
    let is_conversation = matches!(place.kind, ChannelKind::Direct | ChannelKind::Group);
    if is_conversation {
        let members: Vec<Uuid> =
            run!(tx, sqlx::query_scalar(MEMBERS).bind(place.channel_id.0).bind(MOST), fetch_all)?;
        told.extend(members.into_iter().map(|user| (UserId(user), Kind::DirectMessage)));
    }
    if broadcast != Some(Word::Channel) {
        if let Some(root) = message.parent_id {
            let people = threads::followers(tx, root, MOST).await?;
            told.extend(people.into_iter().map(|user| (user, Kind::ThreadReply)));
        }
        if !is_conversation {
            told.extend(wished(tx, place.channel_id, &message.content).await?);
        }
    }
    let mut people: Vec<(UserId, Kind)> = Vec::with_capacity(told.len());
    let mut known = std::collections::HashSet::with_capacity(told.len());
    for (user, kind) in told {
        if user != message.sender_id && known.insert(user) {
            people.push((user, kind));
        }
    }
    let news = News {
        channel_id: place.channel_id,
        message_id: message.id,
        actor_id: message.sender_id,
        created_at: message.created_at,
        is_conversation,
    };
    store(tx, &news, people).await
}

/// Who wishes to hear of a word in it, or of everything there.
async fn wished(tx: &mut Tx, channel: ChannelId, content: &str) -> Result<Vec<(UserId, Kind)>> {
    let (words, all, all_here): (bool, bool, bool) =
        run!(tx, sqlx::query_as(WANTED).bind(channel.0), fetch_one)?;
    let mut wished = Vec::new();
    if words {
        let people = keywords::wished_by(tx, channel, content).await?;
        wished.extend(people.into_iter().map(|user| (user, Kind::Keyword)));
    }
    for (is_wanted, text) in [(all_here, ALL_HERE), (all, ALL_BY_DEFAULT)] {
        if is_wanted {
            let people: Vec<Uuid> =
                run!(tx, sqlx::query_scalar(text).bind(channel.0).bind(ALL_UP_TO), fetch_all)?;
            wished.extend(people.into_iter().map(|user| (UserId(user), Kind::ChannelMessage)));
        }
    }
    Ok(wished)
}

#[derive(sqlx::FromRow)]
struct NotificationRow {
    id: Uuid,
    kind: String,
    channel_id: Option<Uuid>,
    message_id: Option<Uuid>,
    text: Option<String>,
    created_at: i64,
    read_at: Option<i64>,
    is_quiet: Option<bool>,
}

impl NotificationRow {
    fn into_notification(self, visible: &[ChannelId], known: &[Message]) -> Option<Notification> {
        let message = known.iter().find(|it| Some(it.id.0) == self.message_id).cloned();
        if message.is_none() && self.kind != Kind::Reminder.as_str() {
            return None;
        }
        Some(Notification {
            id: self.id,
            kind: self.kind,
            channel_id: self.channel_id.map(ChannelId).filter(|channel| visible.contains(channel)),
            message,
            text: self.text,
            created_at: Timestamp(self.created_at),
            read_at: self.read_at.map(Timestamp),
            is_quiet: self.is_quiet.unwrap_or(false),
        })
    }
}

/// A page, the newest first: those before `before`. Whatever may not be read any more is left out, but for a reminder,
/// which keeps its owner's words; the second value is where the next page begins.
pub async fn list(
    on: &mut impl Read,
    user: UserId,
    only_unread: bool,
    before: Option<Uuid>,
    limit: u32,
) -> Result<(Vec<Notification>, Option<Uuid>)> {
    let before = before.unwrap_or(Uuid::max());
    let limit = i64::from(limit);
    let rows: Vec<NotificationRow> = if only_unread {
        run!(on, sqlx::query_as(LIST_UNREAD).bind(user.0).bind(before).bind(limit), fetch_all)?
    } else {
        run!(on, sqlx::query_as(LIST).bind(user.0).bind(before).bind(limit), fetch_all)?
    };
    let next = rows.last().filter(|_| rows.len() as i64 == limit).map(|row| row.id);
    let visible: Vec<ChannelId> = access::visible_channels(on, user).await?;
    let ids: Vec<MessageId> = rows.iter().filter_map(|row| row.message_id.map(MessageId)).collect();
    let known = messages::readable(on, &visible, &ids).await?;
    Ok((rows.into_iter().filter_map(|row| row.into_notification(&visible, &known)).collect(), next))
}

/// Drops those of long ago.
pub async fn sweep(tx: &mut Tx) -> Result<()> {
    let kept = Timestamp::now().0 - KEPT.as_millis() as i64;
    run!(tx, sqlx::query(SWEEP).bind(kept), execute)?;
    Ok(())
}
