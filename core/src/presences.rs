//! What people's dots show. Live states are signals between servers; the record keeps the last one for later.

use confab_protocol::gateway::{Presence, PresenceStatus};
use confab_protocol::{Timestamp, UserId, UserStatus};
use uuid::Uuid;

use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::text;

/// Longest words of a state.
const TEXT_CHARACTERS: usize = 100;

const SET: &str = "insert into presences (user_id, status, last_seen) values ($1, $2, $3)
    on conflict (user_id) do update set status = excluded.status, last_seen = excluded.last_seen";
const CHOSEN: &str = "select chosen from presences where user_id = $1";
const CHOOSE: &str = "insert into presences (user_id, status, last_seen, chosen) values ($1, $2, $3, $4)
    on conflict (user_id) do update set status = excluded.status, last_seen = excluded.last_seen, chosen = excluded.chosen";
const AROUND: &str = "select p.user_id, p.status from presences p where p.status <> 'offline' and exists (
    select 1 from memberships theirs join memberships mine on mine.channel_id = theirs.channel_id
    where theirs.user_id = p.user_id and theirs.to_seq is null and mine.user_id = $1 and mine.to_seq is null)
    order by p.user_id limit $2";
const STATUS: &str = "select status, text, text_expires_at, last_seen from presences where user_id = $1";
const SET_TEXT: &str = "insert into presences (user_id, status, last_seen, text, text_expires_at)
    values ($1, 'offline', $4, $2, $3)
    on conflict (user_id) do update set text = excluded.text, text_expires_at = excluded.text_expires_at";
const CLEAR: &str = "update presences set status = 'offline' where status <> 'offline'";

/// Notes what a user's devices do. Answers what shows: someone who is here and chose another state keeps it.
pub async fn set(tx: &mut Tx, user: UserId, status: PresenceStatus) -> Result<PresenceStatus> {
    let chosen: Option<Option<String>> = run!(tx, sqlx::query_scalar(CHOSEN).bind(user.0), fetch_optional)?;
    let chosen = chosen.flatten().as_deref().and_then(PresenceStatus::from_word);
    let shown = if status == PresenceStatus::Offline { status } else { chosen.unwrap_or(status) };
    run!(tx, sqlx::query(SET).bind(user.0).bind(shown.as_str()).bind(Timestamp::now().0), execute)?;
    Ok(shown)
}

/// Chooses what shows whatever the devices do; `online` lets them show again.
pub async fn choose(tx: &mut Tx, user: UserId, status: PresenceStatus) -> Result<()> {
    let chosen = (status != PresenceStatus::Online).then(|| status.as_str());
    run!(
        tx,
        sqlx::query(CHOOSE).bind(user.0).bind(status.as_str()).bind(Timestamp::now().0).bind(chosen),
        execute
    )?;
    Ok(())
}

/// Somebody's state. Words whose time is over are gone.
pub async fn status(on: &mut impl Read, user: UserId) -> Result<UserStatus> {
    let row: Option<(String, Option<String>, Option<i64>, i64)> =
        run!(on, sqlx::query_as(STATUS).bind(user.0), fetch_optional)?;
    let Some((word, text, expires, seen)) = row else {
        let status = PresenceStatus::Offline;
        return Ok(UserStatus { user_id: user, status, text: None, expires_at: None, last_seen: None });
    };
    let is_over = expires.is_some_and(|at| at <= Timestamp::now().0);
    Ok(UserStatus {
        user_id: user,
        status: PresenceStatus::from_word(&word).unwrap_or(PresenceStatus::Offline),
        text: text.filter(|_| !is_over),
        expires_at: expires.filter(|_| !is_over).map(Timestamp),
        last_seen: Some(Timestamp(seen)),
    })
}

/// Says something of one's state, until a time or for good; an empty text takes it back.
///
/// # Errors
/// [`Fault::Invalid`] in `text` or `expires_at`.
pub async fn say(tx: &mut Tx, user: UserId, text: Option<&str>, until: Option<Timestamp>) -> Result<()> {
    let said = text::optional_line("text", text, TEXT_CHARACTERS)?;
    let until = until.filter(|_| said.is_some());
    let now = Timestamp::now();
    if until.is_some_and(|at| at <= now) {
        return Err(Fault::invalid("expires_at", "must be in the future"));
    }
    run!(
        tx,
        sqlx::query(SET_TEXT).bind(user.0).bind(said.clone()).bind(until.map(|at| at.0)).bind(now.0),
        execute
    )?;
    Ok(())
}

/// Who is not offline among those who share a channel with `user`, at most `limit`.
pub async fn around(on: &mut impl Read, user: UserId, limit: u32) -> Result<Vec<Presence>> {
    let rows: Vec<(Uuid, String)> =
        run!(on, sqlx::query_as(AROUND).bind(user.0).bind(i64::from(limit)), fetch_all)?;
    Ok(rows
        .into_iter()
        .filter_map(|(user, status)| {
            Some(Presence { user_id: UserId(user), status: PresenceStatus::from_word(&status)? })
        })
        .collect())
}

/// Nobody is here: said by a server that starts alone, since a killed one could not say it.
pub async fn clear(tx: &mut Tx) -> Result<()> {
    run!(tx, sqlx::query(CLEAR), execute)?;
    Ok(())
}
