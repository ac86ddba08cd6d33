//! A sign-in at an outside issuer, from the moment a browser is sent there until it comes back.

use std::time::Duration;

use confab_protocol::{SessionId, Timestamp, UserId};
use uuid::Uuid;

use crate::db::{Tx, run};
use crate::fault::{Fault, Result};
use crate::text;

/// How long a person may take at the issuer.
const LASTS: Duration = Duration::from_mins(15);

const BEGIN: &str = "insert into sign_in_attempts (state_hash, binding_hash, nonce, verifier, return_to, invitation, user_id, session_id, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
// Gone with its first use: a second one with the same state is somebody else's.
const TAKE: &str =
    "delete from sign_in_attempts where state_hash = $1 and binding_hash = $2 and expires_at > $3
    returning nonce, verifier, return_to, invitation, user_id, session_id";
const SWEEP: &str = "delete from sign_in_attempts where expires_at < $1";

/// What must be known when the browser comes back.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Comes back in the identity token.
    pub nonce: String,
    /// Of PKCE (RFC 7636).
    pub verifier: String,
    /// The page to show then.
    pub return_to: String,
    /// An invitation, where registration asks for one.
    pub invitation: Option<String>,
    /// Set: the identity is to be linked to this signed-in user.
    pub user_id: Option<UserId>,
    /// Their session, which must still live then: a thief's begun link must not outlast it.
    pub session_id: Option<SessionId>,
}

/// Keeps an attempt. `state` comes back in the address. `binding` stays in the browser, in a cookie: without it a link
/// with somebody else's code would sign the victim in as the attacker (Mattermost's CVE-2025-12419 and -12421).
pub async fn begin(tx: &mut Tx, state: &str, binding: &str, attempt: Attempt) -> Result<()> {
    run!(
        tx,
        sqlx::query(BEGIN)
            .bind(text::hash(state))
            .bind(text::hash(binding))
            .bind(attempt.nonce.clone())
            .bind(attempt.verifier.clone())
            .bind(attempt.return_to.clone())
            .bind(attempt.invitation.clone())
            .bind(attempt.user_id.map(|id| id.0))
            .bind(attempt.session_id.map(|id| id.0))
            .bind(Timestamp::now().plus(LASTS).0),
        execute
    )?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct AttemptRow {
    nonce: String,
    verifier: String,
    return_to: String,
    invitation: Option<String>,
    user_id: Option<Uuid>,
    session_id: Option<Uuid>,
}

/// Takes an attempt up again, once, in the browser that began it.
///
/// # Errors
/// [`Fault::NotFound`].
pub async fn take(tx: &mut Tx, state: &str, binding: &str) -> Result<Attempt> {
    let row: Option<AttemptRow> = run!(
        tx,
        sqlx::query_as(TAKE).bind(text::hash(state)).bind(text::hash(binding)).bind(Timestamp::now().0),
        fetch_optional
    )?;
    let row = row.ok_or(Fault::NotFound("sign-in attempt"))?;
    Ok(Attempt {
        nonce: row.nonce,
        verifier: row.verifier,
        return_to: row.return_to,
        invitation: row.invitation,
        user_id: row.user_id.map(UserId),
        session_id: row.session_id.map(SessionId),
    })
}

/// Drops attempts that nobody came back from.
pub async fn sweep(tx: &mut Tx) -> Result<()> {
    run!(tx, sqlx::query(SWEEP).bind(Timestamp::now().0), execute)?;
    Ok(())
}
