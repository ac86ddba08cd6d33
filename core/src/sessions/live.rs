//! What a session is worth at this moment.

use confab_protocol::{SessionId, Timestamp, UserId};
use uuid::Uuid;

use super::{Method, ended};
use crate::api_tokens::Scopes;
use crate::db::{Read, Tx, run};
use crate::fault::Result;
use crate::policies;
use crate::roles::{self, Standing};

const LIVE: &str = "select s.user_id, s.method, s.last_used_at, s.expires_at, u.is_superuser, u.is_bot, t.scopes, f.confirmed_at
    from sessions s join users u on u.id = s.user_id
    left join api_tokens t on t.session_id = s.id left join two_factors f on f.user_id = s.user_id
    where s.id = $1 and s.ended_at is null and s.expires_at > $2 and u.is_active = true";
const OF_EXTERNAL: &str = "select id from sessions where external_key = $1";
const LAST_USED: &str = "select last_used_at from sessions where id = $1";
const TOUCH: &str = "update sessions set last_used_at = $2 where id = $1 and last_used_at < $2";

/// Whom a live session belongs to, and what it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Live {
    /// Which.
    pub session_id: SessionId,
    /// Whose.
    pub user_id: UserId,
    /// How it began.
    pub method: Method,
    /// What its user may.
    pub standing: Standing,
    /// Not a person.
    pub is_bot: bool,
    /// Of a token, what it may do of that.
    pub scopes: Option<Scopes>,
    /// The server asks for a second factor, and the user has none yet: nothing else may be done.
    pub must_set_up_two_factor: bool,
    /// When it was last noted to be used.
    pub last_used_at: Timestamp,
    /// When it ends unless it is refreshed.
    pub expires_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct LiveRow {
    user_id: Uuid,
    method: Option<String>,
    last_used_at: i64,
    expires_at: i64,
    is_superuser: bool,
    is_bot: bool,
    scopes: Option<String>,
    confirmed_at: Option<i64>,
}

/// Whom a session belongs to, if it is live and its user may sign in.
pub async fn live(on: &mut impl Read, session: SessionId) -> Result<Live> {
    let row: Option<LiveRow> =
        run!(on, sqlx::query_as(LIVE).bind(session.0).bind(Timestamp::now().0), fetch_optional)?;
    let row = row.ok_or_else(ended)?;
    let user_id = UserId(row.user_id);
    let permissions = roles::permissions_of(on, user_id).await?;
    let method = Method::from_word(row.method.as_deref());
    let is_asked = row.confirmed_at.is_none() && asks_second_factor(method, row.is_bot);
    Ok(Live {
        session_id: session,
        user_id,
        method,
        standing: Standing { is_superuser: row.is_superuser, permissions },
        is_bot: row.is_bot,
        scopes: row.scopes.as_deref().map(Scopes::from_words),
        must_set_up_two_factor: is_asked && policies::accounts(on).await?.require_two_factor,
        last_used_at: Timestamp(row.last_used_at),
        expires_at: Timestamp(row.expires_at),
    })
}

/// Whether a policy that asks for a second factor concerns such a session: an outside issuer has its own, and a bot has
/// no telephone.
pub(crate) fn asks_second_factor(method: Method, is_bot: bool) -> bool {
    !is_bot && method != Method::External
}

/// The session that an external token stands for, ended or not. `key` is the token's hash.
pub async fn of_external(on: &mut impl Read, key: &str) -> Result<Option<SessionId>> {
    let id: Option<Uuid> = run!(on, sqlx::query_scalar(OF_EXTERNAL).bind(key.to_owned()), fetch_optional)?;
    Ok(id.map(SessionId))
}

/// When a session was last noted to be used: at most a minute before it was.
pub async fn last_used(on: &mut impl Read, session: SessionId) -> Result<Timestamp> {
    let at: Option<i64> = run!(on, sqlx::query_scalar(LAST_USED).bind(session.0), fetch_optional)?;
    Ok(Timestamp(at.unwrap_or_default()))
}

/// Notes that a session is in use.
pub async fn touch(tx: &mut Tx, session: SessionId) -> Result<()> {
    run!(tx, sqlx::query(TOUCH).bind(session.0).bind(Timestamp::now().0), execute)?;
    Ok(())
}
