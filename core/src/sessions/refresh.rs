//! Refresh tokens.
//!
//! One works once. Its second use means that it was stolen, by whichever of the two users: the whole session ends and
//! its sockets close (RFC 9700 §4.14).

use std::time::Duration;

use confab_protocol::{SessionId, Timestamp, UserId};
use serde_json::json;
use uuid::Uuid;

use super::{ABSOLUTE, Method, SLIDING, Started, end};
use crate::audit::{self, Action, Actor, Target};
use crate::db::{Tx, run};
use crate::fault::Result;
use crate::rate_limits::{self, Quota};
use crate::text;

const ADD_TOKEN: &str = "insert into refresh_tokens (token_hash, session_id, created_at, expires_at, used_at)
    values ($1, $2, $3, $4, null)";
const FIND_TOKEN: &str = "select t.session_id, t.used_at, t.expires_at, s.user_id, s.method, s.created_at, s.ended_at, u.is_active
    from refresh_tokens t join sessions s on s.id = t.session_id join users u on u.id = s.user_id where t.token_hash = $1";
const USE_TOKEN: &str = "update refresh_tokens set used_at = $2 where token_hash = $1 and used_at is null";
const TOUCH: &str = "update sessions set last_used_at = $2, expires_at = $3 where id = $1";

/// All devices of one account together.
const OF_ACCOUNT: Quota = Quota { count: 30, per: Duration::from_mins(1) };

#[derive(sqlx::FromRow)]
struct TokenRow {
    session_id: Uuid,
    used_at: Option<i64>,
    expires_at: i64,
    user_id: Uuid,
    method: Option<String>,
    created_at: i64,
    ended_at: Option<i64>,
    is_active: bool,
}

/// What became of a refresh token.
pub enum Refreshed {
    /// It was good: here is its successor.
    Done(Started),
    /// It was used before: the session has ended. The change must be committed, so this is no error.
    Reused,
    /// It never was, has expired, or its session or user is no more.
    Refused,
}

pub(super) async fn add_token(
    tx: &mut Tx,
    session: SessionId,
    now: Timestamp,
    latest: Timestamp,
) -> Result<String> {
    let token = text::secret();
    let expires = now.plus(SLIDING).min(latest);
    run!(
        tx,
        sqlx::query(ADD_TOKEN).bind(text::hash(&token)).bind(session.0).bind(now.0).bind(expires.0),
        execute
    )?;
    Ok(token)
}

/// Uses a refresh token, once. `address` is where the call came from.
///
/// # Errors
/// [`crate::Fault::RateLimited`] for an account that does so too often, unless limits are off.
pub async fn refresh(
    tx: &mut Tx,
    token: &str,
    address: Option<String>,
    is_limited: bool,
) -> Result<Refreshed> {
    let hash = text::hash(token);
    let now = Timestamp::now();
    let row: Option<TokenRow> = run!(tx, sqlx::query_as(FIND_TOKEN).bind(hash.clone()), fetch_optional)?;
    let Some(row) = row else { return Ok(Refreshed::Refused) };
    let (session_id, user_id) = (SessionId(row.session_id), UserId(row.user_id));
    if row.ended_at.is_some() || !row.is_active {
        return Ok(Refreshed::Refused);
    }
    if is_limited {
        rate_limits::take(tx, &format!("refresh:{user_id}"), OF_ACCOUNT).await?;
    }
    // The update decides, not the select: two racing uses both read "unused", one of them writes first.
    if row.used_at.is_some() || run!(tx, sqlx::query(USE_TOKEN).bind(hash.clone()).bind(now.0), execute)? == 0
    {
        if end(tx, session_id, user_id).await? {
            let target = Target::new("session", session_id);
            let detail = json!({ "user_id": user_id });
            audit::note(tx, &Actor::stranger(address), Action::RefreshReused, Some(target), detail).await?;
        }
        return Ok(Refreshed::Reused);
    }
    if row.expires_at <= now.0 {
        return Ok(Refreshed::Refused);
    }
    let method = Method::from_word(row.method.as_deref());
    let latest = Timestamp(row.created_at).plus(ABSOLUTE);
    let refresh_token = add_token(tx, session_id, now, latest).await?;
    let expires = now.plus(SLIDING).min(latest);
    run!(tx, sqlx::query(TOUCH).bind(session_id.0).bind(now.0).bind(expires.0), execute)?;
    Ok(Refreshed::Done(Started { session_id, user_id, method, refresh_token }))
}
