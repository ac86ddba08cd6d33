//! What one person asked the assistant and what it answered. Nobody else sees it.
//!
//! An answer repeats words of messages. It is remembered with them, forgotten when one of them is deleted, and comes back
//! only while all of them stand as they were and its asker may read them.

pub mod confirmations;
pub mod ratings;

use std::collections::{HashMap, HashSet};

use confab_protocol::{ChannelId, Message, MessageId, Timestamp, UserId};
use uuid::Uuid;

use crate::db::{Read, Tx, insert_rows, run};
use crate::fault::{Fault, Result};
use crate::messages;

/// Most turns kept of one conversation; the oldest give way.
const TURNS: i64 = 200;
/// Most conversations of one person; the oldest give way.
const CONVERSATIONS: i64 = 200;

const START: &str = "insert into conversations (id, user_id, created_at, updated_at) values ($1, $2, $3, $3)";
const TOUCH: &str = "update conversations set updated_at = $3 where id = $1 and user_id = $2";
const IS_OWN: &str = "select 1 from conversations where id = $1 and user_id = $2";
const NEXT: &str = "select coalesce(max(number), 0) + 1 from conversation_turns where conversation_id = $1";
const ADD: &str = "insert into conversation_turns (conversation_id, number, question, answer, created_at) values ($1, $2, $3, $4, $5)";
const ADD_SOURCES: &str = "insert into conversation_sources (conversation_id, number, message_id, version) ";
const TRIM: &str = "delete from conversation_turns where conversation_id = $1 and number <= $2";
const TRIM_SOURCES: &str = "delete from conversation_sources where conversation_id = $1 and number <= $2";
const TRIM_RATINGS: &str = "delete from answer_ratings where conversation_id = $1 and number <= $2";
const BEYOND: &str =
    "select id from conversations where user_id = $1 order by updated_at desc limit 20 offset $2";
const LIST: &str =
    "select id, updated_at from conversations where user_id = $1 order by updated_at desc limit $2";
const DELETE: &str = "delete from conversations where id = $1 and user_id = $2";
const DELETE_ALL: &str = "delete from conversations where user_id = $1";
const LAST_TURNS: &str = "select number, question, answer, created_at from conversation_turns
    where conversation_id = $1 order by number desc limit $2";
const SOURCES: &str = "select number, message_id, version from conversation_sources
    where conversation_id = $1 and number >= $2";
const FORGET_ANSWERS: &str = "update conversation_turns set answer = '' where conversation_id in
    (select conversation_id from conversation_sources where message_id = $1) and exists
    (select 1 from conversation_sources s where s.conversation_id = conversation_turns.conversation_id
    and s.number = conversation_turns.number and s.message_id = $1)";
const FORGET_RATINGS: &str = "delete from answer_ratings where conversation_id in
    (select conversation_id from conversation_sources where message_id = $1) and exists
    (select 1 from conversation_sources s where s.conversation_id = answer_ratings.conversation_id
    and s.number = answer_ratings.number and s.message_id = $1)";

/// A question and what was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Its place in the conversation, from 1.
    pub number: i64,
    /// As it was asked.
    pub question: String,
    /// `None`: it rested on something that is gone, was changed, or may not be read any more.
    pub answer: Option<String>,
    /// Whether the answer helped, if its asker said so.
    pub is_helpful: Option<bool>,
    /// When.
    pub created_at: Timestamp,
}

/// A message that an answer rests on, as it was then.
pub type Source = (MessageId, i64);

/// Adds a question and its answer to `conversation`, or to a new one. Answers which, and the turn's number in it.
///
/// # Errors
/// [`Fault::NotFound`] for a conversation of someone else.
pub async fn add(
    tx: &mut Tx,
    user: UserId,
    conversation: Option<Uuid>,
    question: &str,
    answer: &str,
    sources: &[Source],
) -> Result<(Uuid, i64)> {
    let now = Timestamp::now().0;
    let id = if let Some(id) = conversation {
        if run!(tx, sqlx::query(TOUCH).bind(id).bind(user.0).bind(now), execute)? == 0 {
            return Err(Fault::NotFound("conversation"));
        }
        id
    } else {
        let id = confab_protocol::fresh_id();
        run!(tx, sqlx::query(START).bind(id).bind(user.0).bind(now), execute)?;
        let beyond: Vec<Uuid> =
            run!(tx, sqlx::query_scalar(BEYOND).bind(user.0).bind(CONVERSATIONS), fetch_all)?;
        for old in beyond {
            run!(tx, sqlx::query(DELETE).bind(old).bind(user.0), execute)?;
        }
        id
    };
    let number: i64 = run!(tx, sqlx::query_scalar(NEXT).bind(id), fetch_one)?;
    run!(
        tx,
        sqlx::query(ADD).bind(id).bind(number).bind(question.to_owned()).bind(answer.to_owned()).bind(now),
        execute
    )?;
    let mut seen = HashSet::new();
    let sources: Vec<Source> = sources.iter().copied().filter(|source| seen.insert(source.0)).collect();
    insert_rows!(
        tx,
        ADD_SOURCES,
        sources,
        |values, source| values.push_bind(id).push_bind(number).push_bind(source.0.0).push_bind(source.1),
        ""
    );
    if number > TURNS {
        run!(tx, sqlx::query(TRIM).bind(id).bind(number - TURNS), execute)?;
        run!(tx, sqlx::query(TRIM_SOURCES).bind(id).bind(number - TURNS), execute)?;
        run!(tx, sqlx::query(TRIM_RATINGS).bind(id).bind(number - TURNS), execute)?;
    }
    Ok((id, number))
}

/// A user's conversations, the newest first, with the time of their last turn in milliseconds.
pub async fn list(on: &mut impl Read, user: UserId, limit: u32) -> Result<Vec<(Uuid, i64)>> {
    Ok(run!(on, sqlx::query_as(LIST).bind(user.0).bind(i64::from(limit)), fetch_all)?)
}

/// The last `limit` turns of a conversation, the oldest first. Answers are told as far as they rest on `channels`, which
/// the asker has been shown by [`crate::access`], and on messages that `may_use` takes.
///
/// # Errors
/// [`Fault::NotFound`] for a conversation of someone else.
pub async fn turns(
    on: &mut impl Read,
    user: UserId,
    id: Uuid,
    channels: &[ChannelId],
    limit: u32,
    may_use: &(dyn Fn(&Message) -> bool + Sync),
) -> Result<Vec<Turn>> {
    let own: Option<i32> = run!(on, sqlx::query_scalar(IS_OWN).bind(id).bind(user.0), fetch_optional)?;
    own.ok_or(Fault::NotFound("conversation"))?;
    let mut rows: Vec<(i64, String, String, i64)> =
        run!(on, sqlx::query_as(LAST_TURNS).bind(id).bind(i64::from(limit)), fetch_all)?;
    rows.reverse();
    let first = rows.first().map_or(0, |row| row.0);
    let sources: Vec<(i64, Uuid, i64)> = run!(on, sqlx::query_as(SOURCES).bind(id).bind(first), fetch_all)?;
    let mut ids: Vec<MessageId> = sources.iter().map(|row| MessageId(row.1)).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut versions: HashMap<MessageId, i64> = HashMap::new();
    for part in ids.chunks(200) {
        let there = messages::readable(on, channels, part).await?;
        let allowed = there.into_iter().filter(|message| may_use(message));
        versions.extend(allowed.map(|message| (message.id, message.version)));
    }
    let broken: HashSet<i64> = sources
        .into_iter()
        .filter(|(_, message, version)| versions.get(&MessageId(*message)) != Some(version))
        .map(|row| row.0)
        .collect();
    let rated: HashMap<i64, bool> = ratings::of(on, id, first).await?.into_iter().collect();
    let turns = rows.into_iter().map(|(number, question, answer, at)| {
        let answer = Some(answer).filter(|text| !text.is_empty() && !broken.contains(&number));
        let is_helpful = rated.get(&number).copied();
        Turn { number, question, answer, is_helpful, created_at: Timestamp(at) }
    });
    Ok(turns.collect())
}

/// Forgets a conversation.
pub async fn delete(tx: &mut Tx, user: UserId, id: Uuid) -> Result<()> {
    if run!(tx, sqlx::query(DELETE).bind(id).bind(user.0), execute)? == 0 {
        return Err(Fault::NotFound("conversation"));
    }
    Ok(())
}

/// Forgets all conversations of somebody.
pub(crate) async fn forget_of(tx: &mut Tx, user: UserId) -> Result<()> {
    run!(tx, sqlx::query(DELETE_ALL).bind(user.0), execute)?;
    Ok(())
}

/// Forgets the answers that rest on a message that is deleted, and what was said of them.
pub(crate) async fn forget(tx: &mut Tx, message: MessageId) -> Result<()> {
    run!(tx, sqlx::query(FORGET_ANSWERS).bind(message.0), execute)?;
    run!(tx, sqlx::query(FORGET_RATINGS).bind(message.0), execute)?;
    Ok(())
}
