//! Mentions of a whole channel: `@channel`, `@all` and `@here`.
//!
//! One row for a message, whatever the number of people: a channel's list counts these rows beside everyone's own
//! mentions. Telling the people is done from behind, some hundred a transaction: ten thousand rows in the transaction of
//! a post would hold every other writer up. How far it has come is in the row that the same transaction locks, so a
//! killed server loses nobody and several servers tell nobody twice.

use confab_protocol::{ChannelId, ChannelRole, MessageId, Timestamp, UserId};
use uuid::Uuid;

use crate::access::Place;
use crate::db::{Read, Tx, insert_rows, run};
use crate::fault::{Fault, Result};
use crate::notifications::{self, Kind, News};
use crate::roles::{self, Permission};

/// Above so many members only a channel's admins and owners mention all of it (docs/limits.md).
pub const MEMBERS_FOR_ANYONE: i64 = 500;
/// People who are told in one transaction.
const TOGETHER: i64 = 500;

const MEMBER_COUNT: &str = "select member_count from channels where id = $1";
const MARK: &str =
    "insert into broadcasts (channel_id, seq, message_id, sender_id, word, told_to, created_at)
    values ($1, $2, $3, $4, $5, $6, $7)";
const SHOW: &str = "update messages set mentions = case when mentions is null then $2 else mentions || ' ' || $2 end where id = $1";
const WORD_OF: &str = "select word from broadcasts where message_id = $1";
const REWORD: &str = "update broadcasts set word = $2 where message_id = $1";
const UNMARK: &str = "delete from broadcasts where message_id = $1";
const UNMENTION: &str = "delete from mentions where message_id = $1 and by_here = true";
const MENTION: &str = "insert into mentions (user_id, channel_id, seq, message_id, by_here) ";
const NEXT: &str = "select message_id, channel_id, seq, sender_id, word, told_to, created_at from broadcasts
    where told_to is not null order by message_id limit 1";
const IS_WAITING: &str = "select 1 from broadcasts where told_to is not null limit 1";
// Only one of those who read the same place goes on from it.
const GO_ON: &str = "update broadcasts set told_to = $3 where message_id = $1 and told_to = $2";
const MEMBERS: &str = "select m.user_id, exists (select 1 from notifications n where n.message_id = $3 and n.user_id = m.user_id)
    from memberships m where m.channel_id = $1 and m.to_seq is null and m.user_id > $2 and m.from_seq <= $4
    order by m.user_id limit $5";
const ONLINE: &str = "select m.user_id, exists (select 1 from notifications n where n.message_id = $3 and n.user_id = m.user_id)
    from memberships m join presences p on p.user_id = m.user_id and p.status = 'online'
    where m.channel_id = $1 and m.to_seq is null and m.user_id > $2 and m.from_seq <= $4 order by m.user_id limit $5";

/// Whom of a channel a message mentions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Everybody: `@channel`, `@all` or `@everyone`.
    Channel,
    /// Who is online: `@here`.
    Here,
}

impl Word {
    /// The word for a whole channel that a name behind an `@` is, if it is one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name.to_lowercase().as_str() {
            "channel" | "all" | "everyone" => Some(Self::Channel),
            "here" => Some(Self::Here),
            _ => None,
        }
    }

    /// The word in SQL and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Here => "here",
        }
    }

    /// How it stands among the ids of `messages.mentions`.
    pub(crate) fn mark(self) -> &'static str {
        match self {
            Self::Channel => "@channel",
            Self::Here => "@here",
        }
    }
}

/// What the mentions of a message's row say of its whole channel.
pub(crate) fn in_mentions(mentions: &str) -> Option<String> {
    let has = |word: Word| mentions.split(' ').any(|it| it == word.mark());
    [Word::Channel, Word::Here].into_iter().find(|word| has(*word)).map(|word| word.as_str().to_owned())
}

/// Whether `user` may mention all of a channel. If not, the word is text like any other and nobody is told.
pub(crate) async fn may(tx: &mut Tx, user: UserId, role: ChannelRole, channel: ChannelId) -> Result<bool> {
    // Guests were let in to be heard in one channel, not to call everybody there.
    if role < ChannelRole::Member {
        return Ok(false);
    }
    match roles::ask_as(tx, user, Permission::MessagesMentionAll).await {
        Ok(_) => {}
        Err(Fault::Forbidden { .. }) => return Ok(false),
        Err(fault) => return Err(fault),
    }
    if role >= ChannelRole::Admin {
        return Ok(true);
    }
    let members: i64 = run!(tx, sqlx::query_scalar(MEMBER_COUNT).bind(channel.0), fetch_one)?;
    Ok(members <= MEMBERS_FOR_ANYONE)
}

/// Marks a message that was just stored; its people are told from behind.
pub(crate) async fn mark(
    tx: &mut Tx,
    place: &Place,
    message: MessageId,
    sender: UserId,
    word: Word,
) -> Result<()> {
    insert(tx, place.channel_id, place.first_seq, message, sender, word, Some(Uuid::nil())).await
}

async fn insert(
    tx: &mut Tx,
    channel: ChannelId,
    seq: i64,
    message: MessageId,
    sender: UserId,
    word: Word,
    told_to: Option<Uuid>,
) -> Result<()> {
    run!(
        tx,
        sqlx::query(MARK)
            .bind(channel.0)
            .bind(seq)
            .bind(message.0)
            .bind(sender.0)
            .bind(word.as_str())
            .bind(told_to)
            .bind(Timestamp::now().0),
        execute
    )?;
    run!(tx, sqlx::query(SHOW).bind(message.0).bind(word.mark()), execute)?;
    Ok(())
}

/// What an edit makes of it: the mark follows the words, and nobody is told of them a second time. Comes after the
/// message's own mentions were written anew.
pub(crate) async fn edited(
    tx: &mut Tx,
    channel: ChannelId,
    seq: i64,
    message: MessageId,
    sender: UserId,
    word: Option<Word>,
) -> Result<()> {
    let before: Option<String> = run!(tx, sqlx::query_scalar(WORD_OF).bind(message.0), fetch_optional)?;
    let Some(word) = word else {
        return if before.is_some() { forget(tx, message).await } else { Ok(()) };
    };
    if before.is_none() {
        return insert(tx, channel, seq, message, sender, word, None).await;
    }
    if word != Word::Here {
        run!(tx, sqlx::query(UNMENTION).bind(message.0), execute)?;
    }
    run!(tx, sqlx::query(REWORD).bind(message.0).bind(word.as_str()), execute)?;
    run!(tx, sqlx::query(SHOW).bind(message.0).bind(word.mark()), execute)?;
    Ok(())
}

/// The message is deleted, or mentions its channel no more.
pub(crate) async fn forget(tx: &mut Tx, message: MessageId) -> Result<()> {
    run!(tx, sqlx::query(UNMARK).bind(message.0), execute)?;
    run!(tx, sqlx::query(UNMENTION).bind(message.0), execute)?;
    Ok(())
}

/// Whether somebody is still to be told: asked often, and without a write.
pub async fn is_waiting(on: &mut impl Read) -> Result<bool> {
    let found: Option<i32> = run!(on, sqlx::query_scalar(IS_WAITING), fetch_optional)?;
    Ok(found.is_some())
}

#[derive(sqlx::FromRow)]
struct BroadcastRow {
    message_id: Uuid,
    channel_id: Uuid,
    seq: i64,
    sender_id: Uuid,
    word: String,
    told_to: Uuid,
    created_at: i64,
}

/// Tells the next few hundred people. `false`: nobody is left to tell.
pub async fn step(tx: &mut Tx) -> Result<bool> {
    let row: Option<BroadcastRow> = run!(tx, sqlx::query_as(NEXT), fetch_optional)?;
    let Some(row) = row else { return Ok(false) };
    let is_here = row.word == Word::Here.as_str();
    let text = if is_here { ONLINE } else { MEMBERS };
    let people: Vec<(Uuid, bool)> = run!(
        tx,
        sqlx::query_as(text)
            .bind(row.channel_id)
            .bind(row.told_to)
            .bind(row.message_id)
            .bind(row.seq)
            .bind(TOGETHER),
        fetch_all
    )?;
    let told_to = people.last().filter(|_| people.len() as i64 == TOGETHER).map(|it| it.0);
    let went_on = run!(tx, sqlx::query(GO_ON).bind(row.message_id).bind(row.told_to).bind(told_to), execute)?;
    if went_on == 0 {
        return Ok(true);
    }
    let people: Vec<(Uuid, bool)> = people.into_iter().filter(|it| it.0 != row.sender_id).collect();
    if is_here {
        mention(tx, &row, &people).await?;
    }
    let news = News {
        channel_id: ChannelId(row.channel_id),
        message_id: MessageId(row.message_id),
        actor_id: UserId(row.sender_id),
        created_at: Timestamp(row.created_at),
        is_conversation: false,
    };
    let told = people.into_iter().filter(|it| !it.1).map(|it| (UserId(it.0), Kind::Mention)).collect();
    notifications::store(tx, &news, told).await?;
    Ok(true)
}

/// Who is mentioned by `@here` is known only now, and counts by a row of their own.
async fn mention(tx: &mut Tx, row: &BroadcastRow, people: &[(Uuid, bool)]) -> Result<()> {
    insert_rows!(
        tx,
        MENTION,
        people,
        |values, it| values
            .push_bind(it.0)
            .push_bind(row.channel_id)
            .push_bind(row.seq)
            .push_bind(row.message_id)
            .push_bind(true),
        "on conflict do nothing"
    );
    Ok(())
}
