//! Signed-in devices, and everything else that a session stands for: external tokens, personal and bot tokens.
//!
//! Every way in has a row here, so that listing, revoking and closing sockets is one thing for all of them.

mod list;
mod live;
mod refresh;

use std::time::Duration;

use confab_protocol::{EventKind, SessionId, Timestamp, UserId};
use serde_json::json;
use uuid::Uuid;

pub use list::{Session, list};
pub(crate) use live::asks_second_factor;
pub use live::{Live, last_used, live, of_external, touch};
pub use refresh::{Refreshed, refresh};

use crate::audit::{self, Action, Actor, Target};
use crate::db::write::Emission;
use crate::db::{Tx, run};
use crate::fault::{Fault, Result};
use crate::roles::Granted;
use crate::users;

/// A session that is not refreshed ends after this.
pub const SLIDING: Duration = Duration::from_hours(7 * 24);
/// However often it is refreshed, it ends after this (ASVS 10.4.8).
pub const ABSOLUTE: Duration = Duration::from_hours(30 * 24);
/// Signed-in devices of one user; one more ends the one that was used least recently (docs/limits.md).
const MOST: i64 = 50;
/// Sessions are kept so long after their end: for lists, and so that a revoked external token stays dead.
const KEPT: Duration = Duration::from_hours(30 * 24);

const START: &str = "insert into sessions (id, user_id, device_info, ip_address, created_at, last_used_at, expires_at, ended_at, method, external_key)
    values ($1, $2, $3, $4, $5, $9, $6, null, $7, $8)";
const OLDEST: &str = "select id from sessions where user_id = $1 and ended_at is null and expires_at > $3
    and (method is null or method <> 'token') order by last_used_at desc limit 100 offset $2";
const END: &str = "update sessions set ended_at = $2 where id = $1 and ended_at is null";
const OWNER: &str = "select user_id, method from sessions where id = $1 and ended_at is null";
const OPEN_OF_USER: &str = "select id, method from sessions where user_id = $1 and ended_at is null";
const MADE_BY: &str =
    "select t.session_id, t.user_id from api_tokens t join sessions s on s.id = t.session_id
    where t.created_by_id = $1 and t.user_id <> $1 and s.ended_at is null";
const SWEEP: &str = "delete from sessions where expires_at < $1";
const SWEEP_ENDED: &str = "delete from sessions where ended_at < $1";

/// How a session began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// With a password, and a code where one is set up.
    Password,
    /// By making the account.
    Registration,
    /// At an outside issuer, whose tokens are used.
    External,
    /// A personal or bot token.
    Token,
}

impl Method {
    /// The word in SQL and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Registration => "registration",
            Self::External => "external",
            Self::Token => "token",
        }
    }

    pub(crate) fn from_word(word: Option<&str>) -> Self {
        match word {
            Some("registration") => Self::Registration,
            Some("external") => Self::External,
            Some("token") => Self::Token,
            // Also those from before this was kept.
            _ => Self::Password,
        }
    }
}

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
    /// How it began.
    pub method: Method,
    /// To be shown once.
    pub refresh_token: String,
}

/// Signs a user in on a device.
pub async fn start(tx: &mut Tx, user_id: UserId, device: Device, method: Method) -> Result<Started> {
    let now = Timestamp::now();
    let address = device.ip_address.clone();
    let session_id = open(tx, user_id, device, method, now.plus(SLIDING), None).await?;
    let refresh_token = refresh::add_token(tx, session_id, now, now.plus(ABSOLUTE)).await?;
    let actor = Actor::user(user_id, Some(session_id), address);
    let detail = json!({ "method": method.as_str() });
    audit::note(tx, &actor, Action::SignedIn, Some(Target::user(user_id)), detail).await?;
    Ok(Started { session_id, user_id, method, refresh_token })
}

/// Lets an external token in: a session without refresh tokens, which ends with the token. `key` is the token's hash.
///
/// # Errors
/// [`Fault::Unauthenticated`] when the token stood for a session before: that one was revoked.
pub async fn start_external(
    tx: &mut Tx,
    user_id: UserId,
    device: Device,
    key: &str,
    expires: Timestamp,
) -> Result<SessionId> {
    let address = device.ip_address.clone();
    let key = Some(key.to_owned());
    // Or its row would be swept while the token is still good, and a revoked one come back.
    if expires > Timestamp::now().plus(KEPT) {
        return Err(Fault::Unauthenticated {
            code: "invalid_token",
            message: "a token that lasts longer than 30 days is not accepted",
        });
    }
    let id = open(tx, user_id, device, Method::External, expires, key).await?;
    let actor = Actor::user(user_id, Some(id), address);
    let detail = json!({ "method": Method::External.as_str() });
    audit::note(tx, &actor, Action::SignedIn, Some(Target::user(user_id)), detail).await?;
    Ok(id)
}

pub(crate) async fn open(
    tx: &mut Tx,
    user_id: UserId,
    device: Device,
    method: Method,
    expires: Timestamp,
    external_key: Option<String>,
) -> Result<SessionId> {
    let id = SessionId::new();
    let info =
        device.info.map(|text| text.chars().filter(|it| !it.is_control()).take(255).collect::<String>());
    // A device is in use as it signs in, a token once a program used it.
    let used_at = if method == Method::Token { 0 } else { Timestamp::now().0 };
    let started = run!(
        tx,
        sqlx::query(START)
            .bind(id.0)
            .bind(user_id.0)
            .bind(info.clone())
            .bind(device.ip_address.clone())
            .bind(Timestamp::now().0)
            .bind(expires.0)
            .bind(method.as_str())
            .bind(external_key.clone())
            .bind(used_at),
        execute
    );
    match started {
        Err(error) if Fault::is_duplicate(&error) => return Err(ended()),
        other => other?,
    };
    if method != Method::Token {
        let oldest: Vec<Uuid> = run!(
            tx,
            sqlx::query_scalar(OLDEST).bind(user_id.0).bind(MOST).bind(Timestamp::now().0),
            fetch_all
        )?;
        for session in oldest {
            end(tx, SessionId(session), user_id).await?;
        }
    }
    Ok(id)
}

fn ended() -> Fault {
    Fault::Unauthenticated { code: "session_ended", message: "this session has ended, sign in again" }
}

/// Ends a session; its sockets close. Ending an ended one does nothing. Answers whether it was live.
pub async fn end(tx: &mut Tx, session: SessionId, user: UserId) -> Result<bool> {
    let was_live = run!(tx, sqlx::query(END).bind(session.0).bind(Timestamp::now().0), execute)? > 0;
    if was_live {
        tx.emit(Emission::new(EventKind::SessionEnded, session).only_for(user).by(user));
    }
    Ok(was_live)
}

/// Signs out on this device.
pub async fn sign_out(tx: &mut Tx, by: &Actor, session: SessionId, user: UserId) -> Result<()> {
    if end(tx, session, user).await? {
        audit::note(tx, by, Action::SignedOut, Some(Target::new("session", session)), json!(null)).await?;
    }
    Ok(())
}

/// Ends one of the user's own sessions from the list; not a token, which has a list of its own.
///
/// # Errors
/// [`Fault::NotFound`] for another's, alike for one that never was.
pub async fn end_listed(tx: &mut Tx, by: &Actor, session: SessionId, user: UserId) -> Result<()> {
    let found: Option<(Uuid, Option<String>)> =
        run!(tx, sqlx::query_as(OWNER).bind(session.0), fetch_optional)?;
    let is_theirs = found.is_some_and(|(owner, method)| {
        owner == user.0 && Method::from_word(method.as_deref()) != Method::Token
    });
    if !is_theirs {
        return Err(Fault::NotFound("session"));
    }
    end(tx, session, user).await?;
    audit::note(tx, by, Action::SessionEnded, Some(Target::new("session", session)), json!(null)).await
}

/// What [`end_all`] spares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spare {
    /// This session.
    pub session: Option<SessionId>,
    /// Personal and bot tokens.
    pub tokens: bool,
}

/// Ends all sessions of a user but the spared ones. Answers how many.
pub async fn end_all(tx: &mut Tx, user: UserId, spare: Spare) -> Result<usize> {
    let open: Vec<(Uuid, Option<String>)> = run!(tx, sqlx::query_as(OPEN_OF_USER).bind(user.0), fetch_all)?;
    let mut count = 0;
    for (id, method) in open {
        let is_token = Method::from_word(method.as_deref()) == Method::Token;
        if spare.session == Some(SessionId(id)) || (spare.tokens && is_token) {
            continue;
        }
        count += usize::from(end(tx, SessionId(id), user).await?);
    }
    Ok(count)
}

/// The user's own wish to be signed out everywhere. Tokens stay: they have a list of their own.
pub async fn sign_out_everywhere(
    tx: &mut Tx,
    by: &Actor,
    user: UserId,
    kept: Option<SessionId>,
) -> Result<()> {
    let count = end_all(tx, user, Spare { session: kept, tokens: true }).await?;
    audit::note(tx, by, Action::SessionsEnded, Some(Target::user(user)), json!({ "count": count })).await
}

/// Ends all sessions and tokens of somebody: an administrator's doing.
pub async fn end_all_by(tx: &mut Tx, by: &Granted, user: UserId) -> Result<()> {
    users::covered(tx, by, user).await?;
    let count = end_all(tx, user, Spare::default()).await?;
    let target = Some(Target::user(user));
    audit::note(tx, by.actor(), Action::SessionsEnded, target, json!({ "count": count })).await
}

/// Closes all sockets of a user and makes servers look again, without ending anything: for an account that is disabled
/// and may come back with its tokens.
pub(crate) async fn interrupt(tx: &mut Tx, user: UserId) -> Result<()> {
    let open: Vec<(Uuid, Option<String>)> = run!(tx, sqlx::query_as(OPEN_OF_USER).bind(user.0), fetch_all)?;
    for (id, _) in open {
        tx.emit(Emission::new(EventKind::SessionEnded, id).only_for(user).by(user));
    }
    Ok(())
}

/// Ends the tokens that somebody made for bots: who was shown out must not keep a hand in.
pub(crate) async fn end_made_by(tx: &mut Tx, maker: UserId) -> Result<()> {
    let made: Vec<(Uuid, Uuid)> = run!(tx, sqlx::query_as(MADE_BY).bind(maker.0), fetch_all)?;
    for (session, user) in made {
        end(tx, SessionId(session), UserId(user)).await?;
    }
    Ok(())
}

/// Ends what an outside identity opened, but this session.
pub(crate) async fn end_external(tx: &mut Tx, user: UserId, kept: Option<SessionId>) -> Result<()> {
    let open: Vec<(Uuid, Option<String>)> = run!(tx, sqlx::query_as(OPEN_OF_USER).bind(user.0), fetch_all)?;
    for (id, method) in open {
        let is_external = Method::from_word(method.as_deref()) == Method::External;
        if is_external && kept != Some(SessionId(id)) {
            end(tx, SessionId(id), user).await?;
        }
    }
    Ok(())
}

/// Drops sessions that ended long ago.
pub async fn sweep(tx: &mut Tx) -> Result<()> {
    let kept = Timestamp::now().0 - KEPT.as_millis() as i64;
    run!(tx, sqlx::query(SWEEP).bind(kept), execute)?;
    // A token without an end would stay for ever once revoked. An outside token that lasts longer than this is refused
    // by its own end first: `start_external` bounds it.
    run!(tx, sqlx::query(SWEEP_ENDED).bind(kept), execute)?;
    Ok(())
}
