//! Web push: the browsers that asked to be told, and what is still to be told to them.
//!
//! What is to be pushed is queued in the transaction that makes the notification, so a kill loses none ([`queue`]). Browsers
//! take turns ([`turns`]): a server that sends takes a browser for a while, which of several does is decided by the
//! update, and sending ends with deleting the row.

mod queue;
mod turns;

use confab_protocol::{SessionId, Timestamp, UserId};
use uuid::Uuid;

pub(crate) use queue::queue;
pub use queue::{release, sweep};
pub use turns::{Browser, Due, Full, LOOKED_AT, Outcome, claim, look, name_hosts, put_off, settle};

use crate::attention;
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::notifications::{self, Brief, Waiting};
use crate::users;

/// Most browsers of one user.
pub const MOST: usize = 20;
/// Longest address of a push service.
pub const ENDPOINT_BYTES: usize = 1_024;
/// Sending is tried so often (docs/limits.md).
pub const ATTEMPTS: i64 = 8;
/// Pushes that one server sends at once.
pub const AT_ONCE: usize = 32;
/// Of these, for browsers of one user: whoever names slow services waits for their own.
pub const AT_ONCE_A_USER: usize = 2;
/// And to one host, whoever's browsers they are.
pub const AT_ONCE_A_HOST: usize = 8;

const INSERT: &str = "insert into push_subscriptions (id, user_id, session_id, endpoint, p256dh, auth, created_at, used_at, host)
    values ($1, $2, $3, $4, $5, $6, $7, null, $8) on conflict (endpoint) do update set user_id = excluded.user_id,
    session_id = excluded.session_id, p256dh = excluded.p256dh, auth = excluded.auth, created_at = excluded.created_at,
    host = excluded.host, next_at = null, failures = null, failing_since = null returning id";
const DUE_NOW: &str = "update pushes set due_at = $2 where subscription_id = $1 and due_at > $2";
const FORGET: &str = "delete from push_subscriptions where user_id = $1";
const OF_USER: &str =
    "select p.id, p.endpoint, p.session_id, p.created_at, p.used_at, s.device_info from push_subscriptions p
    join sessions s on s.id = p.session_id where p.user_id = $1 order by p.id limit 100";
const KNOWN: &str = "select count(*) from push_subscriptions where user_id = $1 and endpoint <> $2";
const OTHERS: &str = "delete from pushes where subscription_id in
    (select id from push_subscriptions where endpoint = $1 and user_id <> $2)";
const DELETE: &str = "delete from push_subscriptions where id = $1 and user_id = $2";
// Whoever signed out, or may not sign in any more, is told nothing more.
const ADDRESS: &str = "select p.user_id, p.endpoint, p.p256dh, p.auth from push_subscriptions p
    join sessions s on s.id = p.session_id and s.user_id = p.user_id and s.ended_at is null and s.expires_at > $2
    join users u on u.id = p.user_id and u.is_active = true where p.id = $1";
const NOTIFICATION: &str = "select id, user_id, kind, channel_id, message_id, text, read_at from notifications where id = $1 and user_id = $2";

/// A browser that asks to be told, already checked.
#[derive(Clone, Debug)]
pub struct NewSubscription {
    /// Where its maker's push service takes messages for it.
    pub endpoint: String,
    /// The host of that address, as it is written when all spellings of it are one.
    pub host: String,
    /// Its public key, in URL-safe letters.
    pub p256dh: String,
    /// Its secret, in URL-safe letters.
    pub auth: String,
}

/// A browser that is told.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Subscription {
    /// Which.
    pub id: Uuid,
    /// Where.
    pub endpoint: String,
    /// The session that it ends with.
    pub session_id: Uuid,
    /// Since when, in milliseconds.
    pub created_at: i64,
    /// When something was last taken for it, in milliseconds.
    pub used_at: Option<i64>,
    /// What the session's device says of itself.
    pub device_info: Option<String>,
}

/// Notes a browser. One that is known becomes this session's: a browser is told what concerns who is signed in there.
/// What failed before is forgotten, since the browser is there.
///
/// # Errors
/// [`Fault::Conflict`] with code `too_many_subscriptions`.
pub async fn subscribe(
    tx: &mut Tx,
    user: UserId,
    session: SessionId,
    new: NewSubscription,
) -> Result<Subscription> {
    users::lock(tx, user).await?;
    let known: i64 = run!(tx, sqlx::query_scalar(KNOWN).bind(user.0).bind(new.endpoint.clone()), fetch_one)?;
    if known >= MOST as i64 {
        return Err(Fault::conflict(
            "too_many_subscriptions",
            format!("at most {MOST} browsers of one account are told; remove one first"),
        ));
    }
    run!(tx, sqlx::query(OTHERS).bind(new.endpoint.clone()).bind(user.0), execute)?;
    let id: Uuid = run!(
        tx,
        sqlx::query_scalar(INSERT)
            .bind(confab_protocol::fresh_id())
            .bind(user.0)
            .bind(session.0)
            .bind(new.endpoint.clone())
            .bind(new.p256dh.clone())
            .bind(new.auth.clone())
            .bind(Timestamp::now().0)
            .bind(new.host.clone()),
        fetch_one
    )?;
    run!(tx, sqlx::query(DUE_NOW).bind(id).bind(Timestamp::now().0), execute)?;
    list(tx, user).await?.into_iter().find(|it| it.id == id).ok_or(Fault::NotFound("subscription"))
}

/// A user's browsers.
pub async fn list(on: &mut impl Read, user: UserId) -> Result<Vec<Subscription>> {
    Ok(run!(on, sqlx::query_as(OF_USER).bind(user.0), fetch_all)?)
}

/// Tells a browser nothing more.
///
/// # Errors
/// [`Fault::NotFound`], for those of others too.
pub async fn unsubscribe(tx: &mut Tx, user: UserId, id: Uuid) -> Result<()> {
    if run!(tx, sqlx::query(DELETE).bind(id).bind(user.0), execute)? == 0 {
        return Err(Fault::NotFound("subscription"));
    }
    Ok(())
}

/// Drops all browsers of a user, and what waits for them.
pub(crate) async fn forget(tx: &mut Tx, user: UserId) -> Result<()> {
    run!(tx, sqlx::query(FORGET).bind(user.0), execute)?;
    Ok(())
}

/// What goes where.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The push service's address.
    pub endpoint: String,
    /// The browser's public key.
    pub p256dh: String,
    /// The browser's secret.
    pub auth: String,
    /// What it says.
    pub brief: Brief,
    /// How much is unread, at most a thousand.
    pub unread_count: i64,
}

/// What is to be sent, read now. `None`: nothing any more.
pub async fn letter(on: &mut impl Read, due: &Due) -> Result<Option<Letter>> {
    let address: Option<(Uuid, String, String, String)> =
        run!(on, sqlx::query_as(ADDRESS).bind(due.subscription_id).bind(Timestamp::now().0), fetch_optional)?;
    let Some((user, endpoint, p256dh, auth)) = address else { return Ok(None) };
    let waiting: Option<Waiting> =
        run!(on, sqlx::query_as(NOTIFICATION).bind(due.notification_id).bind(user), fetch_optional)?;
    let Some(waiting) = waiting else { return Ok(None) };
    // It may have become quiet, or unwished, since. A reminder's hour was chosen.
    let is_chosen = waiting.kind == notifications::Kind::Reminder.as_str();
    let is_quiet = !is_chosen && attention::quiet(on, UserId(user)).await?.is_now();
    if is_quiet || !attention::get(on, UserId(user)).await?.web_push {
        return Ok(None);
    }
    let Some(brief) = notifications::brief(on, &waiting).await? else { return Ok(None) };
    let unread_count = notifications::unread_count(on, UserId(user)).await?;
    Ok(Some(Letter { endpoint, p256dh, auth, brief, unread_count }))
}
