//! Breaking the glass: a superuser reads a channel that they are no member of, explicitly, for a reason, for some
//! hours, and on record. Being a superuser alone opens no private channel.

use std::time::Duration;

use confab_protocol::{ChannelId, Timestamp, UserId};
use serde_json::json;
use uuid::Uuid;

use crate::audit::{self, Action, Target};
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::roles::Granted;
use crate::text;

/// Hours that one access may last.
pub const HOURS: std::ops::RangeInclusive<i64> = 1..=24;
/// Shortest and longest reason, in characters: a word is none.
const REASON_CHARACTERS: std::ops::RangeInclusive<usize> = 10..=500;

const OPEN: &str =
    "insert into break_glass (id, user_id, channel_id, reason, created_at, expires_at, ended_at)
    values ($1, $2, $3, $4, $5, $6, null)";
const EXISTS: &str = "select count(*) from channels where id = $1 and deleted_at is null";
const END: &str =
    "update break_glass set ended_at = $2 where id = $1 and ended_at is null and expires_at > $2";
const END_OF_USER: &str =
    "update break_glass set ended_at = $2 where user_id = $1 and ended_at is null and expires_at > $2";
const LIST: &str = "select id, user_id, channel_id, reason, created_at, expires_at, ended_at from break_glass
    where id < $1 order by id desc limit $2";

/// One access.
#[derive(Clone, Debug)]
pub struct BreakGlass {
    /// Which.
    pub id: Uuid,
    /// Whose.
    pub user_id: UserId,
    /// To what.
    pub channel_id: ChannelId,
    /// Why.
    pub reason: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// Given up before.
    pub ended_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct BreakGlassRow {
    id: Uuid,
    user_id: Uuid,
    channel_id: Uuid,
    reason: String,
    created_at: i64,
    expires_at: i64,
    ended_at: Option<i64>,
}

/// Opens a channel to oneself.
///
/// # Errors
/// [`Fault::Invalid`] in `reason` or `hours`; [`Fault::NotFound`]; [`Fault::Forbidden`] for who is no superuser.
pub async fn open(
    tx: &mut Tx,
    by: &Granted,
    channel: ChannelId,
    reason: &str,
    hours: i64,
) -> Result<BreakGlass> {
    by.superuser()?;
    let user_id = by.actor().user_id.ok_or(Fault::NotFound("user"))?;
    let reason = text::line("reason", reason, *REASON_CHARACTERS.end())?;
    if reason.chars().count() < *REASON_CHARACTERS.start() {
        return Err(Fault::invalid("reason", "must say why, in at least 10 characters"));
    }
    if !HOURS.contains(&hours) {
        return Err(Fault::invalid("hours", "must be between 1 and 24"));
    }
    let exists: i64 = run!(tx, sqlx::query_scalar(EXISTS).bind(channel.0), fetch_one)?;
    if exists == 0 {
        return Err(Fault::NotFound("channel"));
    }
    let now = Timestamp::now();
    let lasts = Duration::from_secs(hours.unsigned_abs() * 3_600);
    let opened = BreakGlass {
        id: confab_protocol::fresh_id(),
        user_id,
        channel_id: channel,
        reason,
        created_at: now,
        expires_at: now.plus(lasts),
        ended_at: None,
    };
    run!(
        tx,
        sqlx::query(OPEN)
            .bind(opened.id)
            .bind(user_id.0)
            .bind(channel.0)
            .bind(opened.reason.clone())
            .bind(opened.created_at.0)
            .bind(opened.expires_at.0),
        execute
    )?;
    let detail = json!({ "reason": opened.reason, "hours": hours });
    audit::note(tx, by.actor(), Action::BreakGlassOpened, Some(Target::new("channel", channel)), detail)
        .await?;
    Ok(opened)
}

/// Gives an access up before its time.
///
/// # Errors
/// [`Fault::NotFound`] for one that has ended.
pub async fn end(tx: &mut Tx, by: &Granted, id: Uuid) -> Result<()> {
    by.superuser()?;
    if run!(tx, sqlx::query(END).bind(id).bind(Timestamp::now().0), execute)? == 0 {
        return Err(Fault::NotFound("access"));
    }
    audit::note(tx, by.actor(), Action::BreakGlassEnded, Some(Target::new("break_glass", id)), json!(null))
        .await
}

/// Gives up all accesses of somebody.
pub(crate) async fn end_all(tx: &mut Tx, user: UserId) -> Result<()> {
    run!(tx, sqlx::query(END_OF_USER).bind(user.0).bind(Timestamp::now().0), execute)?;
    Ok(())
}

/// A page of all accesses, the newest first: those before `before`.
pub async fn list(on: &mut impl Read, before: Option<Uuid>, limit: u32) -> Result<Vec<BreakGlass>> {
    let before = before.unwrap_or(Uuid::max());
    let rows: Vec<BreakGlassRow> =
        run!(on, sqlx::query_as(LIST).bind(before).bind(i64::from(limit)), fetch_all)?;
    Ok(rows
        .into_iter()
        .map(|row| BreakGlass {
            id: row.id,
            user_id: UserId(row.user_id),
            channel_id: ChannelId(row.channel_id),
            reason: row.reason,
            created_at: Timestamp(row.created_at),
            expires_at: Timestamp(row.expires_at),
            ended_at: row.ended_at.map(Timestamp),
        })
        .collect())
}
