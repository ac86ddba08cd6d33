//! What the language model may use and has used: tokens, by person and day (of UTC).

use confab_protocol::{Timestamp, UserId};
use uuid::Uuid;

use super::switches;
use crate::db::{Read, Tx, run};
use crate::fault::Result;

/// For how many days the figures are kept.
const KEPT_DAYS: i64 = 90;
const DAY_MS: i64 = 24 * 3_600 * 1_000;

const ADD: &str = "insert into ai_usage (day, user_id, questions, tokens) values ($1, $2, $3, $4)
    on conflict (day, user_id) do update set questions = ai_usage.questions + excluded.questions,
    tokens = case when ai_usage.tokens + excluded.tokens > 0 then ai_usage.tokens + excluded.tokens else 0 end";
const OF_PERSON: &str = "select tokens from ai_usage where day = $1 and user_id = $2";
const OF_DAY: &str =
    "select cast(coalesce(sum(tokens), 0) as bigint), cast(coalesce(sum(questions), 0) as bigint)
    from ai_usage where day = $1";
const MOST: &str =
    "select a.user_id, u.username, a.questions, a.tokens from ai_usage a join users u on u.id = a.user_id
    where a.day = $1 order by a.tokens desc, a.user_id limit $2";
const DAYS: &str = "select day, cast(sum(questions) as bigint), cast(sum(tokens) as bigint) from ai_usage
    where day > $1 group by day order by day desc";
const SWEEP: &str = "delete from ai_usage where day < $1";

/// How many tokens a day may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// One person.
    pub of_person: i64,
    /// The whole server.
    pub of_server: i64,
}

/// Whose budget is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    /// The asker's.
    Person,
    /// The server's.
    Server,
}

/// What was used on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// Its beginning.
    pub at: Timestamp,
    /// Questions that a model answered.
    pub questions: i64,
    /// Tokens of prompts and answers.
    pub tokens: i64,
}

/// What one person used today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfPerson {
    /// Who.
    pub user_id: UserId,
    /// Their name.
    pub username: String,
    /// Questions that a model answered.
    pub questions: i64,
    /// Tokens of prompts and answers.
    pub tokens: i64,
}

fn today() -> i64 {
    Timestamp::now().0.div_euclid(DAY_MS)
}

/// Takes `tokens` out of today's budgets before they are used, or says whose is too small; nothing is taken then. Exact
/// over all servers: what one takes, another no longer has.
pub async fn take(tx: &mut Tx, user: UserId, tokens: i64, budget: Budget) -> Result<Option<Exhausted>> {
    switches::lock(tx).await?;
    let day = today();
    let own: Option<i64> = run!(tx, sqlx::query_scalar(OF_PERSON).bind(day).bind(user.0), fetch_optional)?;
    if own.unwrap_or(0).saturating_add(tokens) > budget.of_person {
        return Ok(Some(Exhausted::Person));
    }
    let (all, _): (i64, i64) = run!(tx, sqlx::query_as(OF_DAY).bind(day), fetch_one)?;
    if all.saturating_add(tokens) > budget.of_server {
        return Ok(Some(Exhausted::Server));
    }
    add(tx, user, 1, tokens).await?;
    Ok(None)
}

/// Corrects what was taken by what was used: `difference` is positive when more was used.
pub async fn correct(tx: &mut Tx, user: UserId, difference: i64) -> Result<()> {
    switches::lock(tx).await?;
    add(tx, user, 0, difference).await
}

async fn add(tx: &mut Tx, user: UserId, questions: i64, tokens: i64) -> Result<()> {
    run!(tx, sqlx::query(ADD).bind(today()).bind(user.0).bind(questions).bind(tokens), execute)?;
    Ok(())
}

/// Today and the days before it that are known, the newest first.
pub async fn days(on: &mut impl Read, count: u32) -> Result<Vec<Day>> {
    let after = today() - i64::from(count);
    let rows: Vec<(i64, i64, i64)> = run!(on, sqlx::query_as(DAYS).bind(after), fetch_all)?;
    Ok(rows
        .into_iter()
        .map(|(day, questions, tokens)| Day { at: Timestamp(day * DAY_MS), questions, tokens })
        .collect())
}

/// Who used most today.
pub async fn most(on: &mut impl Read, limit: u32) -> Result<Vec<OfPerson>> {
    let rows: Vec<(Uuid, String, i64, i64)> =
        run!(on, sqlx::query_as(MOST).bind(today()).bind(i64::from(limit)), fetch_all)?;
    Ok(rows
        .into_iter()
        .map(|(id, username, questions, tokens)| OfPerson {
            user_id: UserId(id),
            username,
            questions,
            tokens,
        })
        .collect())
}

/// Forgets figures of long ago.
pub async fn sweep(tx: &mut Tx) -> Result<()> {
    run!(tx, sqlx::query(SWEEP).bind(today() - KEPT_DAYS), execute)?;
    Ok(())
}
