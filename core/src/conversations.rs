//! What one person asked the assistant and what it answered. Nobody else sees it.

use confab_protocol::{Timestamp, UserId};
use uuid::Uuid;

use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};

/// Most turns kept of one conversation; the oldest give way.
const TURNS: i64 = 200;

const START: &str = "insert into conversations (id, user_id, created_at, updated_at) values ($1, $2, $3, $3)";
const TOUCH: &str = "update conversations set updated_at = $3 where id = $1 and user_id = $2";
const NEXT: &str = "select coalesce(max(number), 0) + 1 from conversation_turns where conversation_id = $1";
const ADD: &str = "insert into conversation_turns (conversation_id, number, question, answer, created_at) values ($1, $2, $3, $4, $5)";
const TRIM: &str = "delete from conversation_turns where conversation_id = $1 and number <= $2";
const LIST: &str =
    "select id, updated_at from conversations where user_id = $1 order by updated_at desc limit $2";
const DELETE: &str = "delete from conversations where id = $1 and user_id = $2";

/// Adds a question and its answer to `conversation`, or to a new one. Answers which.
///
/// # Errors
/// [`Fault::NotFound`] for a conversation of someone else.
pub async fn add(
    tx: &mut Tx,
    user: UserId,
    conversation: Option<Uuid>,
    question: &str,
    answer: &str,
) -> Result<Uuid> {
    let now = Timestamp::now().0;
    let id = if let Some(id) = conversation {
        if run!(tx, sqlx::query(TOUCH).bind(id).bind(user.0).bind(now), execute)? == 0 {
            return Err(Fault::NotFound("conversation"));
        }
        id
    } else {
        let id = Uuid::now_v7();
        run!(tx, sqlx::query(START).bind(id).bind(user.0).bind(now), execute)?;
        id
    };
    let number: i64 = run!(tx, sqlx::query_scalar(NEXT).bind(id), fetch_one)?;
    run!(
        tx,
        sqlx::query(ADD).bind(id).bind(number).bind(question.to_owned()).bind(answer.to_owned()).bind(now),
        execute
    )?;
    if number > TURNS {
        run!(tx, sqlx::query(TRIM).bind(id).bind(number - TURNS), execute)?;
    }
    Ok(id)
}

/// A user's conversations, the newest first, with the time of their last turn in milliseconds.
pub async fn list(on: &mut impl Read, user: UserId, limit: u32) -> Result<Vec<(Uuid, i64)>> {
    Ok(run!(on, sqlx::query_as(LIST).bind(user.0).bind(i64::from(limit)), fetch_all)?)
}

/// Forgets a conversation.
pub async fn delete(tx: &mut Tx, user: UserId, id: Uuid) -> Result<()> {
    if run!(tx, sqlx::query(DELETE).bind(id).bind(user.0), execute)? == 0 {
        return Err(Fault::NotFound("conversation"));
    }
    Ok(())
}
