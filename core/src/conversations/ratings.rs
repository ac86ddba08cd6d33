//! Whether an answer helped, as its asker says. Administrators are told how many did and did not, never whose and which.

use confab_protocol::{Timestamp, UserId};
use uuid::Uuid;

use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};

const IS_OWN: &str = "select 1 from conversation_turns t join conversations c on c.id = t.conversation_id
    where t.conversation_id = $1 and t.number = $2 and c.user_id = $3";
const RATE: &str = "insert into answer_ratings (conversation_id, number, is_helpful, rated_at)
    values ($1, $2, $3, $4) on conflict (conversation_id, number)
    do update set is_helpful = excluded.is_helpful, rated_at = excluded.rated_at";
const TAKE_BACK: &str = "delete from answer_ratings where conversation_id = $1 and number = $2";
const OF_CONVERSATION: &str =
    "select number, is_helpful from answer_ratings where conversation_id = $1 and number >= $2";
const FIGURES: &str =
    "select is_helpful, count(*) from answer_ratings where rated_at >= $1 group by is_helpful";

/// How many answers of some time were rated. Those that are forgotten do not count any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// They helped.
    pub helpful: i64,
    /// They did not.
    pub unhelpful: i64,
}

/// Says whether the answer with this number helped; `None` takes back what was said.
///
/// # Errors
/// [`Fault::NotFound`] for an answer of someone else's conversation, or one that is not kept any more.
pub async fn rate(
    tx: &mut Tx,
    user: UserId,
    conversation: Uuid,
    number: i64,
    is_helpful: Option<bool>,
) -> Result<()> {
    let own: Option<i32> =
        run!(tx, sqlx::query_scalar(IS_OWN).bind(conversation).bind(number).bind(user.0), fetch_optional)?;
    own.ok_or(Fault::NotFound("answer"))?;
    let said = match is_helpful {
        Some(is_helpful) => run!(
            tx,
            sqlx::query(RATE).bind(conversation).bind(number).bind(is_helpful).bind(Timestamp::now().0),
            execute
        ),
        None => run!(tx, sqlx::query(TAKE_BACK).bind(conversation).bind(number), execute),
    };
    match said {
        // On PostgreSQL the conversation may be deleted after it was seen here.
        Err(error) if is_orphan(&error) => Err(Fault::NotFound("answer")),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(()),
    }
}

/// Whether the database refused a row because what it belongs to is not there.
fn is_orphan(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_foreign_key_violation)
}

/// What was said of the answers of a conversation from `first` on, by their numbers. The caller was shown that it is theirs.
pub(super) async fn of(on: &mut impl Read, conversation: Uuid, first: i64) -> Result<Vec<(i64, bool)>> {
    Ok(run!(on, sqlx::query_as(OF_CONVERSATION).bind(conversation).bind(first), fetch_all)?)
}

/// What was said since then.
pub async fn figures(on: &mut impl Read, since: Timestamp) -> Result<Figures> {
    let rows: Vec<(bool, i64)> = run!(on, sqlx::query_as(FIGURES).bind(since.0), fetch_all)?;
    let of = |which| rows.iter().find(|(is_helpful, _)| *is_helpful == which).map_or(0, |(_, count)| *count);
    Ok(Figures { helpful: of(true), unhelpful: of(false) })
}
