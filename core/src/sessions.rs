//! Signed-in devices and their refresh tokens.
//!
//! A refresh token works once. Its second use means that it was stolen, by whichever of the two users: the whole
//! session ends and its sockets close (RFC 9700 §4.14).

use std::time::Duration;

use confab_protocol::{EventKind, SessionId, Timestamp, UserId};
use uuid::Uuid;

use crate::db::write::Emission;
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::text;

/// A session that is not refreshed ends after this.
pub const SLIDING: Duration = Duration::from_hours(7 * 24);
/// However often it is refreshed, it ends after this (ASVS 10.4.8).
pub const ABSOLUTE: Duration = Duration::from_hours(30 * 24);

const START: &str = "insert into sessions (id, user_id, device_info, ip_address, created_at, last_used_at, expires_at, ended_at)
    values ($1, $2, $3, $4, $5, $5, $6, null)";
const ADD_TOKEN: &str = "insert into refresh_tokens (token_hash, session_id, created_at, expires_at, used_at)
    values ($1, $2, $3, $4, null)";
const FIND_TOKEN: &str = "select t.session_id, t.used_at, t.expires_at, s.user_id, s.created_at, s.ended_at, u.is_active
    from refresh_tokens t join sessions s on s.id = t.session_id join users u on u.id = s.user_id where t.token_hash = $1";
const USE_TOKEN: &str = "update refresh_tokens set used_at = $2 where token_hash = $1 and used_at is null";
const TOUCH: &str = "update sessions set last_used_at = $2, expires_at = $3 where id = $1";
const END: &str = "update sessions set ended_at = $2 where id = $1 and ended_at is null";
const LIVE: &str =
    "select s.user_id, u.is_superuser, u.is_bot from sessions s join users u on u.id = s.user_id
    where s.id = $1 and s.ended_at is null and s.expires_at > $2 and u.is_active = true";

/// Where a session was started from, as shown to its owner.
#[derive(Clone, Debug, Default)]
pub struct Device {
    /// The client's own words, cut to 255 characters.
    pub info: Option<String>,
    /// The client's address.
    pub ip_address: Option<String>,
}

/// A started or refreshed session.
#[derive(Clone, Debug)]
pub struct Started {
    /// Which.
    pub session_id: SessionId,
    /// Whose.
    pub user_id: UserId,
    /// To be shown once.
    pub refresh_token: String,
}

/// Whom a live session belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Live {
    /// Whose.
    pub user_id: UserId,
    /// May administer.
    pub is_superuser: bool,
    /// Not a person.
    pub is_bot: bool,
}

/// Signs a user in on a device.
pub async fn start(tx: &mut Tx, user_id: UserId, device: Device) -> Result<Started> {
    let session_id = SessionId::new();
    let now = Timestamp::now();
    let info =
        device.info.map(|text| text.chars().filter(|it| !it.is_control()).take(255).collect::<String>());
    run!(
        tx,
        sqlx::query(START)
            .bind(session_id.0)
            .bind(user_id.0)
            .bind(info.clone())
            .bind(device.ip_address.clone())
            .bind(now.0)
            .bind(now.plus(SLIDING).0),
        execute
    )?;
    let refresh_token = add_token(tx, session_id, now, now.plus(ABSOLUTE)).await?;
    Ok(Started { session_id, user_id, refresh_token })
}

async fn add_token(tx: &mut Tx, session: SessionId, now: Timestamp, latest: Timestamp) -> Result<String> {
    let token = text::secret();
    let expires = now.plus(SLIDING).min(latest);
    run!(
        tx,
        sqlx::query(ADD_TOKEN).bind(text::hash(&token)).bind(session.0).bind(now.0).bind(expires.0),
        execute
    )?;
    Ok(token)
}

#[derive(sqlx::FromRow)]
struct TokenRow {
    session_id: Uuid,
    used_at: Option<i64>,
    expires_at: i64,
    user_id: Uuid,
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

/// Uses a refresh token, once.
pub async fn refresh(tx: &mut Tx, token: &str) -> Result<Refreshed> {
    let hash = text::hash(token);
    let now = Timestamp::now();
    let row: Option<TokenRow> = run!(tx, sqlx::query_as(FIND_TOKEN).bind(hash.clone()), fetch_optional)?;
    let Some(row) = row else { return Ok(Refreshed::Refused) };
    let (session_id, user_id) = (SessionId(row.session_id), UserId(row.user_id));
    if row.ended_at.is_some() || !row.is_active {
        return Ok(Refreshed::Refused);
    }
    // The update decides, not the select: two racing uses both read "unused", one of them writes first.
    if row.used_at.is_some() || run!(tx, sqlx::query(USE_TOKEN).bind(hash.clone()).bind(now.0), execute)? == 0
    {
        end(tx, session_id, user_id).await?;
        return Ok(Refreshed::Reused);
    }
    if row.expires_at <= now.0 {
        return Ok(Refreshed::Refused);
    }
    let latest = Timestamp(row.created_at).plus(ABSOLUTE);
    let refresh_token = add_token(tx, session_id, now, latest).await?;
    let expires = now.plus(SLIDING).min(latest);
    run!(tx, sqlx::query(TOUCH).bind(session_id.0).bind(now.0).bind(expires.0), execute)?;
    Ok(Refreshed::Done(Started { session_id, user_id, refresh_token }))
}

/// Ends a session; its sockets close. Ending an ended one does nothing.
pub async fn end(tx: &mut Tx, session: SessionId, user: UserId) -> Result<()> {
    if run!(tx, sqlx::query(END).bind(session.0).bind(Timestamp::now().0), execute)? > 0 {
        tx.emit(Emission::new(EventKind::SessionEnded, session).only_for(user).by(user));
    }
    Ok(())
}

/// Whom a session belongs to, if it is live and its user may sign in.
pub async fn live(on: &mut impl Read, session: SessionId) -> Result<Live> {
    let row: Option<(Uuid, bool, bool)> =
        run!(on, sqlx::query_as(LIVE).bind(session.0).bind(Timestamp::now().0), fetch_optional)?;
    let (user, is_superuser, is_bot) = row.ok_or(Fault::Unauthenticated {
        code: "session_ended",
        message: "this session has ended, sign in again",
    })?;
    Ok(Live { user_id: UserId(user), is_superuser, is_bot })
}
