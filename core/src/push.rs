//! Web push: the browsers that asked to be told, and what is still to be told to them.
//!
//! What is to be pushed is queued in the transaction that makes the notification, so a kill loses none. A server that
//! sends takes rows for a while; which of several does is decided by the update. Sending ends with deleting the row.

use std::time::Duration;

use confab_protocol::{SessionId, Timestamp, UserId};
use uuid::Uuid;

use crate::attention;
use crate::db::{Read, Tx, insert_rows, run, run_in};
use crate::fault::{Fault, Result};
use crate::notifications::{self, Brief, Waiting};
use crate::users;

/// Most browsers of one user.
pub const MOST: usize = 20;
/// Longest address of a push service.
pub const ENDPOINT_BYTES: usize = 1_024;
/// Sending is tried so often (docs/limits.md).
pub const ATTEMPTS: i64 = 8;
/// Rows that one server takes at once.
const TOGETHER: i64 = 16;
/// For so long they are its own; whoever is killed meanwhile leaves them to others.
const HOLD: Duration = Duration::from_secs(30);

const INSERT: &str = "insert into push_subscriptions (id, user_id, session_id, endpoint, p256dh, auth, created_at, used_at)
    values ($1, $2, $3, $4, $5, $6, $7, null) on conflict (endpoint) do update set user_id = excluded.user_id,
    session_id = excluded.session_id, p256dh = excluded.p256dh, auth = excluded.auth, created_at = excluded.created_at
    returning id";
const OF_USER: &str =
    "select p.id, p.endpoint, p.session_id, p.created_at, p.used_at, s.device_info from push_subscriptions p
    join sessions s on s.id = p.session_id where p.user_id = $1 order by p.id limit 100";
const KNOWN: &str = "select count(*) from push_subscriptions where user_id = $1 and endpoint <> $2";
const OTHERS: &str = "delete from pushes where subscription_id in
    (select id from push_subscriptions where endpoint = $1 and user_id <> $2)";
const DELETE: &str = "delete from push_subscriptions where id = $1 and user_id = $2";
const OF_PEOPLE: &str = "select id, user_id from push_subscriptions where user_id in";
const QUEUE: &str = "insert into pushes (id, subscription_id, notification_id, attempts, due_at) ";
const CLAIM: &str = "update pushes set due_at = $2, attempts = attempts + 1 where due_at <= $1 and id in
    (select id from pushes where due_at <= $1 order by due_at limit $3)
    returning id, subscription_id, notification_id, attempts";
const HAS_DUE: &str = "select 1 from pushes where due_at <= $1 limit 1";
// Whoever signed out, or may not sign in any more, is told nothing more.
const ADDRESS: &str = "select p.user_id, p.endpoint, p.p256dh, p.auth from push_subscriptions p
    join sessions s on s.id = p.session_id and s.user_id = p.user_id and s.ended_at is null and s.expires_at > $2
    join users u on u.id = p.user_id and u.is_active = true where p.id = $1";
const NOTIFICATION: &str = "select id, user_id, kind, channel_id, message_id, text, read_at from notifications where id = $1 and user_id = $2";
const DONE: &str = "delete from pushes where id = $1";
const USED: &str = "update push_subscriptions set used_at = $2 where id = $1";
const LATER: &str = "update pushes set due_at = $2 where id = $1";
const GONE: &str = "delete from push_subscriptions where id = $1";
const RELEASE: &str = "update pushes set due_at = $1 where due_at > $1 and due_at <= $2";
// Of ended sessions, so that nothing is queued for them.
const SWEEP: &str = "delete from push_subscriptions where session_id in
    (select id from sessions where ended_at is not null and ended_at > $1)";

/// A browser that asks to be told, already checked.
#[derive(Clone, Debug)]
pub struct NewSubscription {
    /// Where its maker's push service takes messages for it.
    pub endpoint: String,
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
            .bind(Uuid::now_v7())
            .bind(user.0)
            .bind(session.0)
            .bind(new.endpoint.clone())
            .bind(new.p256dh.clone())
            .bind(new.auth.clone())
            .bind(Timestamp::now().0),
        fetch_one
    )?;
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

/// Queues notifications for the browsers of their people.
pub(crate) async fn queue(tx: &mut Tx, told: &[(UserId, Uuid)]) -> Result<()> {
    let now = Timestamp::now().0;
    for part in told.chunks(500) {
        let people: Vec<Uuid> = part.iter().map(|it| it.0.0).collect();
        let browsers: Vec<(Uuid, Uuid)> = run_in!(tx, (Uuid, Uuid), OF_PEOPLE, &people, "")?;
        let rows: Vec<(Uuid, Uuid)> = browsers
            .into_iter()
            .filter_map(|(browser, user)| {
                part.iter().find(|it| it.0.0 == user).map(|(_, notification)| (browser, *notification))
            })
            .collect();
        insert_rows!(
            tx,
            QUEUE,
            rows,
            |values, row| values
                .push_bind(Uuid::now_v7())
                .push_bind(row.0)
                .push_bind(row.1)
                .push_bind(0_i64)
                .push_bind(now),
            ""
        );
    }
    Ok(())
}

/// Something to be pushed, held by who claimed it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Due {
    /// Which.
    pub id: Uuid,
    /// To which browser.
    pub subscription_id: Uuid,
    notification_id: Uuid,
    /// This one included.
    pub attempts: i64,
}

/// Whether anything is due: asked often, and without a write.
pub async fn has_due(on: &mut impl Read) -> Result<bool> {
    let found: Option<i32> = run!(on, sqlx::query_scalar(HAS_DUE).bind(Timestamp::now().0), fetch_optional)?;
    Ok(found.is_some())
}

/// Takes some of what is due.
pub async fn claim(tx: &mut Tx) -> Result<Vec<Due>> {
    let now = Timestamp::now();
    Ok(run!(tx, sqlx::query_as(CLAIM).bind(now.0).bind(now.plus(HOLD).0).bind(TOGETHER), fetch_all)?)
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

/// It was sent, or is not to be sent any more.
pub async fn done(tx: &mut Tx, due: &Due, was_sent: bool) -> Result<()> {
    run!(tx, sqlx::query(DONE).bind(due.id), execute)?;
    if was_sent {
        run!(tx, sqlx::query(USED).bind(due.subscription_id).bind(Timestamp::now().0), execute)?;
    }
    Ok(())
}

/// It is to be tried again after `wait`.
pub async fn later(tx: &mut Tx, due: &Due, wait: Duration) -> Result<()> {
    run!(tx, sqlx::query(LATER).bind(due.id).bind(Timestamp::now().plus(wait).0), execute)?;
    Ok(())
}

/// The push service knows the browser no more: with it goes what waits for it.
pub async fn gone(tx: &mut Tx, subscription: Uuid) -> Result<()> {
    run!(tx, sqlx::query(GONE).bind(subscription), execute)?;
    Ok(())
}

/// What a killed process held is due again: said by a server that starts alone.
pub async fn release(tx: &mut Tx) -> Result<()> {
    let now = Timestamp::now();
    run!(tx, sqlx::query(RELEASE).bind(now.0).bind(now.plus(HOLD).0), execute)?;
    Ok(())
}

/// Forgets browsers whose session ended.
pub async fn sweep(tx: &mut Tx) -> Result<()> {
    let since = Timestamp::now().0 - 3_600_000;
    run!(tx, sqlx::query(SWEEP).bind(since), execute)?;
    Ok(())
}
