//! Mail of what was not read: gathered when it is due, from the record as it is then.
//!
//! A server holds a person's mail while it sends; another goes on when it is killed. Only after the mail server took it
//! is it noted: rather twice after a kill than never.

use std::time::Duration;

use confab_protocol::{Timestamp, UserId};
use uuid::Uuid;

use crate::attention::{self, Digest};
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::notifications::{self, Brief, Waiting};

/// Lines of one mail.
const LINES: usize = 50;
/// Notifications that are looked at for one mail.
const LOOKED_AT: i64 = 500;
/// For so long a mail belongs to the server that claimed it.
const HOLD: Duration = Duration::from_mins(2);
/// Who is not to be disturbed, or whose mail was not taken, is tried again after this.
const AGAIN: Duration = Duration::from_mins(15);

const HAS_DUE: &str = "select 1 from attention where digest_due_at is not null and digest_due_at <= $1
    and (digest_held_until is null or digest_held_until < $1) limit 1";
const CLAIM: &str = "update attention set digest_held_until = $2 where user_id =
    (select user_id from attention where digest_due_at is not null and digest_due_at <= $1
    and (digest_held_until is null or digest_held_until < $1) order by digest_due_at limit 1)
    and digest_due_at <= $1 and (digest_held_until is null or digest_held_until < $1)
    returning user_id, email_digest, digest_due_at, digest_done_id";
const ADDRESS: &str = "select email, username from users where id = $1 and is_active = true and email is not null and email_verified_at is not null";
const UNREAD: &str =
    "select n.id, n.user_id, n.kind, n.channel_id, n.message_id, n.text, n.read_at from notifications n
    where n.user_id = $1 and n.read_at is null and n.id > $2 and n.created_at <= $3 and (n.kind = 'reminder'
    or exists (select 1 from messages m join channels c on c.id = m.channel_id and c.deleted_at is null
    where m.id = n.message_id and m.deleted_at is null and (c.kind in ('public', 'voice') or exists (
    select 1 from memberships s where s.channel_id = c.id and s.user_id = $1 and s.to_seq is null))))
    order by n.id limit $4";
// Whoever asked for a mail while one was under way is not forgotten.
const SETTLE: &str = "update attention set digest_held_until = null,
    digest_due_at = case when digest_due_at = $4 then $2 else digest_due_at end,
    digest_done_id = coalesce($3, digest_done_id) where user_id = $1 and digest_due_at is not null";
const AT_ONCE: &str =
    "update attention set digest_due_at = $2 where user_id = $1 and digest_due_at is not null";

/// Whose mail is due, held by who claimed it.
#[derive(Clone, Debug)]
pub struct Due {
    /// Whose.
    pub user_id: UserId,
    digest: Digest,
    since: i64,
    done: Option<Uuid>,
}

/// A mail to be sent.
#[derive(Clone, Debug)]
pub struct Mail {
    /// To where.
    pub address: String,
    /// To whom.
    pub username: String,
    /// Its lines, the oldest first, at most 50. None: what was looked at may not be read any more. Nothing is sent
    /// then, and the next time is for what came after.
    pub briefs: Vec<Brief>,
    /// How many more there are, as far as they were looked at.
    pub more: usize,
    newest: Uuid,
}

/// Whether a mail is due: asked often, and without a write.
pub async fn has_due(on: &mut impl Read) -> Result<bool> {
    let found: Option<i32> = run!(on, sqlx::query_scalar(HAS_DUE).bind(Timestamp::now().0), fetch_optional)?;
    Ok(found.is_some())
}

/// Takes one that is due.
pub async fn claim(tx: &mut Tx) -> Result<Option<Due>> {
    let now = Timestamp::now();
    let row: Option<(Uuid, String, i64, Option<Uuid>)> =
        run!(tx, sqlx::query_as(CLAIM).bind(now.0).bind(now.plus(HOLD).0), fetch_optional)?;
    Ok(row.map(|(user, word, due_at, done)| Due {
        user_id: UserId(user),
        digest: Digest::from_word(&word).unwrap_or(Digest::Off),
        since: due_at,
        done,
    }))
}

/// What is to be mailed now: unread for at least `age`, not mailed before, still readable.
///
/// `Ok(None)`: nothing. Somebody who is not to be disturbed has nothing now, and all of it later.
pub async fn mail(on: &mut impl Read, due: &Due, age: Duration) -> Result<Option<Mail>> {
    let address: Option<(String, String)> =
        run!(on, sqlx::query_as(ADDRESS).bind(due.user_id.0), fetch_optional)?;
    let Some((address, username)) = address else { return Ok(None) };
    if attention::quiet(on, due.user_id).await?.is_now() {
        return Ok(None);
    }
    let until = Timestamp::now().0 - age.as_millis() as i64;
    let unread: Vec<Waiting> = run!(
        on,
        sqlx::query_as(UNREAD)
            .bind(due.user_id.0)
            .bind(due.done.unwrap_or_default())
            .bind(until)
            .bind(LOOKED_AT),
        fetch_all
    )?;
    let Some(newest) = unread.last().map(|it| it.id) else { return Ok(None) };
    let mut briefs = Vec::new();
    let mut more = 0;
    for waiting in &unread {
        if briefs.len() < LINES {
            briefs.extend(notifications::brief(on, waiting).await?);
        } else {
            more += 1;
        }
    }
    Ok(Some(Mail { address, username, briefs, more, newest }))
}

/// It was sent, or there was nothing to send.
pub async fn done(tx: &mut Tx, due: &Due, mail: Option<&Mail>) -> Result<()> {
    let now = Timestamp::now();
    // Quiet hours are waited for in small steps, or what came in the night would be mailed the next night.
    let is_quiet = mail.is_none() && attention::quiet(tx, due.user_id).await?.is_now();
    let wait = if is_quiet { AGAIN } else { due.digest.every().unwrap_or(AGAIN) };
    settle(tx, due, now.plus(wait), mail.map(|it| it.newest)).await
}

/// The mail server did not take it.
pub async fn failed(tx: &mut Tx, due: &Due) -> Result<()> {
    settle(tx, due, Timestamp::now().plus(AGAIN), None).await
}

async fn settle(tx: &mut Tx, due: &Due, next: Timestamp, done: Option<Uuid>) -> Result<()> {
    run!(tx, sqlx::query(SETTLE).bind(due.user_id.0).bind(next.0).bind(done).bind(due.since), execute)?;
    Ok(())
}

/// Makes a user's mail due at once.
///
/// # Errors
/// [`Fault::Conflict`] with code `digest_off`.
pub async fn ask(tx: &mut Tx, user: UserId) -> Result<()> {
    if run!(tx, sqlx::query(AT_ONCE).bind(user.0).bind(Timestamp::now().0), execute)? == 0 {
        return Err(Fault::conflict("digest_off", "choose hourly or daily mail first"));
    }
    Ok(())
}
