//! Sending what is due: once, however many servers try and whenever one of them dies. Claiming it, posting it and noting
//! that are one transaction; the message's nonce is made from its id, should anything ever post it again.

use std::time::Duration;

use confab_protocol::{ChannelId, MessageId, Timestamp, UserId};
use uuid::Uuid;

use super::{State, already_sent, find, tell};
use crate::db::{Db, Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::messages::{self, Draft, Posted};
use crate::{FutureExt, held_files, users};

/// Sent and failed ones are dropped after this time (docs/limits.md).
const KEPT: Duration = Duration::from_hours(30 * 24);

const DUE: &str = "select id from scheduled_messages where state = 'waiting' and send_at <= $1
    order by send_at, id limit $2";
const NEXT: &str =
    "select send_at from scheduled_messages where state = 'waiting' order by send_at, id limit 1";
// The row's lock decides between two servers: the second one finds it sent.
const CLAIM: &str =
    "update scheduled_messages set state = 'sent', reason = null, reason_text = null, updated_at = $2
    where id = $1 and state = 'waiting' and send_at <= $2 returning user_id, channel_id, parent_id, content";
const CLAIM_NOW: &str =
    "update scheduled_messages set state = 'sent', reason = null, reason_text = null, updated_at = $2
    where id = $1 and user_id = $3 and state <> 'sent' returning user_id, channel_id, parent_id, content";
const EMPTY: &str = "update scheduled_messages set content = '', message_id = $2 where id = $1";
const FAIL: &str =
    "update scheduled_messages set state = 'failed', reason = $2, reason_text = $3, updated_at = $4
    where id = $1 and state = 'waiting' and send_at <= $4 returning user_id";
const SWEEP_FILES: &str = "delete from held_files where holder_id in
    (select id from scheduled_messages where state <> 'waiting' and updated_at < $1)";
const SWEEP: &str = "delete from scheduled_messages where state <> 'waiting' and updated_at < $1";

#[derive(sqlx::FromRow)]
struct Claimed {
    user_id: Uuid,
    channel_id: Uuid,
    parent_id: Option<Uuid>,
    content: String,
}

/// The next ones whose time has come, at most `limit`, in order of their times.
pub async fn due(on: &mut impl Read, limit: u32) -> Result<Vec<Uuid>> {
    let now = Timestamp::now().0;
    Ok(run!(on, sqlx::query_scalar(DUE).bind(now).bind(i64::from(limit)), fetch_all)?)
}

/// When the next one is due. `None`: none waits.
pub async fn next_at(on: &mut impl Read) -> Result<Option<Timestamp>> {
    let at: Option<i64> = run!(on, sqlx::query_scalar(NEXT), fetch_optional)?;
    Ok(at.map(Timestamp))
}

/// Sends one that is due, with the rights that its author has now. What cannot be posted is marked as failed with its
/// reason, which tells its author no more than posting it by hand would. Answers whether this call sent it.
///
/// # Errors
/// Those of the record that may pass: it waits on.
pub async fn send_due(db: &Db, id: Uuid) -> Result<bool> {
    let sent = db
        .write(move |tx| {
            async move {
                let now = Timestamp::now().0;
                let claimed: Option<Claimed> =
                    run!(tx, sqlx::query_as(CLAIM).bind(id).bind(now), fetch_optional)?;
                match claimed {
                    Some(claimed) => send(tx, id, claimed).await.map(|posted| posted.is_new),
                    None => Ok(false),
                }
            }
            .boxed()
        })
        .await;
    match sent {
        Err(fault) if !fault.is_retryable() => {
            tracing::info!(%id, %fault, "a scheduled message cannot be sent");
            db.write(move |tx| async move { fail(tx, id, &fault).await }.boxed()).await?;
            Ok(false)
        }
        other => other,
    }
}

/// Sends one's own at once, or a failed one again.
///
/// # Errors
/// [`Fault::NotFound`]; [`Fault::Conflict`] with code `already_sent`; those of posting, after which it waits or has failed
/// as before.
pub async fn send_now(tx: &mut Tx, user: UserId, id: Uuid) -> Result<Posted> {
    let now = Timestamp::now().0;
    let claimed: Option<Claimed> =
        run!(tx, sqlx::query_as(CLAIM_NOW).bind(id).bind(now).bind(user.0), fetch_optional)?;
    let Some(claimed) = claimed else {
        find(tx, user, id).await?;
        return Err(already_sent());
    };
    send(tx, id, claimed).await
}

async fn send(tx: &mut Tx, id: Uuid, claimed: Claimed) -> Result<Posted> {
    let user = UserId(claimed.user_id);
    // Nobody signed in just now, as whoever posts by hand did: the account is asked for here.
    if !users::find(tx, user).await?.is_active {
        return Err(Fault::forbidden("account_disabled", "the account may not sign in"));
    }
    let draft = Draft {
        content: claimed.content,
        nonce: Some(format!("scheduled:{id}")),
        parent_id: claimed.parent_id.map(MessageId),
        file_ids: held_files::all_of(tx, id).await?,
        ..Draft::default()
    };
    let posted = messages::post_beside_draft(tx, user, ChannelId(claimed.channel_id), draft).await?;
    run!(tx, sqlx::query(EMPTY).bind(id).bind(posted.message.id.0), execute)?;
    held_files::release(tx, id).await?;
    tell(tx, user, id, State::Sent.as_str());
    Ok(posted)
}

async fn fail(tx: &mut Tx, id: Uuid, fault: &Fault) -> Result<()> {
    // What went wrong inside is for the log alone.
    let words = match fault {
        Fault::Internal(_) => "something went wrong on the server".to_owned(),
        other => other.to_string(),
    };
    let user: Option<Uuid> = run!(
        tx,
        sqlx::query_scalar(FAIL).bind(id).bind(fault.code().to_owned()).bind(words).bind(Timestamp::now().0),
        fetch_optional
    )?;
    if let Some(user) = user {
        tell(tx, UserId(user), id, State::Failed.as_str());
    }
    Ok(())
}

/// Drops those that were sent or failed long ago.
pub async fn sweep(tx: &mut Tx) -> Result<()> {
    let kept = Timestamp::now().0 - KEPT.as_millis() as i64;
    run!(tx, sqlx::query(SWEEP_FILES).bind(kept), execute)?;
    run!(tx, sqlx::query(SWEEP).bind(kept), execute)?;
    Ok(())
}
