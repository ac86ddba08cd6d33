//! Short secrets that work once or a few times: the set-up link, invitations, gateway tickets. Only hashes are kept.

use std::time::Duration;

use confab_protocol::{SessionId, Timestamp, UserId};
use uuid::Uuid;

use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::text;

const ISSUE: &str =
    "insert into tickets (token_hash, purpose, user_id, session_id, uses_left, created_at, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7)";
// One statement reads and counts down: two who race for the last use cannot both win.
const USE: &str = "update tickets set uses_left = uses_left - 1
    where token_hash = $1 and purpose = $2 and uses_left > 0 and expires_at > $3 returning user_id, session_id";
const LIVE: &str = "select count(*) from tickets where token_hash = $1 and purpose = $2 and uses_left > 0 and expires_at > $3";
const DROP_EXPIRED: &str = "delete from tickets where purpose = $1 and expires_at <= $2";
const WITHDRAW: &str = "delete from tickets where purpose = $1";

/// What a ticket is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Making the first administrator.
    SetUp,
    /// Making an account.
    Invitation,
    /// Opening one socket.
    Gateway,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::SetUp => "set_up",
            Self::Invitation => "invitation",
            Self::Gateway => "gateway",
        }
    }
}

/// Whom a used ticket names.
#[derive(Clone, Copy, Debug, Default)]
pub struct Holder {
    /// Whose it is, or who issued it.
    pub user_id: Option<UserId>,
    /// For which session.
    pub session_id: Option<SessionId>,
}

/// Issues a ticket; the answer is shown once and stored nowhere.
pub async fn issue(
    tx: &mut Tx,
    purpose: Purpose,
    holder: Holder,
    uses: u32,
    lasts: Duration,
) -> Result<String> {
    let now = Timestamp::now();
    run!(tx, sqlx::query(DROP_EXPIRED).bind(purpose.as_str()).bind(now.0), execute)?;
    let secret = text::secret();
    run!(
        tx,
        sqlx::query(ISSUE)
            .bind(text::hash(&secret))
            .bind(purpose.as_str())
            .bind(holder.user_id.map(|id| id.0))
            .bind(holder.session_id.map(|id| id.0))
            .bind(i64::from(uses))
            .bind(now.0)
            .bind(now.plus(lasts).0),
        execute
    )?;
    Ok(secret)
}

/// Uses a ticket once.
///
/// # Errors
/// [`Fault::NotFound`] alike for one that never was, is used up or has expired.
pub async fn redeem(tx: &mut Tx, purpose: Purpose, secret: &str) -> Result<Holder> {
    let row: Option<(Option<Uuid>, Option<Uuid>)> = run!(
        tx,
        sqlx::query_as(USE).bind(text::hash(secret)).bind(purpose.as_str()).bind(Timestamp::now().0),
        fetch_optional
    )?;
    let (user, session) = row.ok_or(Fault::NotFound("ticket"))?;
    Ok(Holder { user_id: user.map(UserId), session_id: session.map(SessionId) })
}

/// Whether a ticket would work now.
pub async fn is_live(on: &mut impl Read, purpose: Purpose, secret: &str) -> Result<bool> {
    let found: i64 = run!(
        on,
        sqlx::query_scalar(LIVE).bind(text::hash(secret)).bind(purpose.as_str()).bind(Timestamp::now().0),
        fetch_one
    )?;
    Ok(found > 0)
}

/// Makes all tickets of a purpose void.
pub async fn withdraw(tx: &mut Tx, purpose: Purpose) -> Result<()> {
    run!(tx, sqlx::query(WITHDRAW).bind(purpose.as_str()), execute)?;
    Ok(())
}
