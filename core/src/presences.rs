//! What people's dots show: their devices together, what they chose, and the hours in which they are not to be disturbed.
//!
//! What a person's devices at one server say is a row of `connections` for each word, which belongs to the server that
//! holds their sockets. That server renews one row of its own; when it stops doing so, any other takes its devices away, so people of a
//! killed server go offline. Live changes are signals between servers; the record keeps the last state for who comes later.

mod nodes;
mod shown;

use confab_protocol::gateway::{Presence, PresenceStatus};
use confab_protocol::{Timestamp, UserId, UserStatus};
use uuid::Uuid;

pub use nodes::{LEASE, Seen, clear, nodes, renew, retire, take_over};
use shown::shown;

use crate::attention;
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::text;

/// Longest words of a state.
const TEXT_CHARACTERS: usize = 100;
/// Devices of one user that are looked at; the gateway admits fewer.
const DEVICES: i64 = 100;
/// Of all who show, so many are read at once.
const SHOWN_PAGE: i64 = 1_000;
/// Texts that run out at once are told so many at a time.
const EXPIRED: i64 = 100;

// The row is also the lock: two servers that hear of one person's devices at once take turns, or each would miss the
// other's device.
const LOCK: &str = "insert into presences (user_id, status, last_seen) values ($1, 'offline', $2)
    on conflict (user_id) do update set status = presences.status
    returning status, chosen, text, text_expires_at, last_seen";
const SET: &str = "update presences set status = $2, last_seen = $3, chosen = $4 where user_id = $1";
const ARRIVE: &str = "insert into connections (id, node_id, user_id, status) values ($1, $2, $3, $4)";
const LEAVE_HERE: &str = "delete from connections where user_id = $1 and node_id = $2";
const LEAVE: &str = "delete from connections where id = $1";
const OF_USER: &str = "select status from connections where user_id = $1 limit $2";
const AROUND: &str =
    "select p.user_id, p.status, p.text, p.text_expires_at from presences p where p.status <> 'offline' and exists (
    select 1 from memberships theirs join memberships mine on mine.channel_id = theirs.channel_id
    join channels c on c.id = theirs.channel_id and c.deleted_at is null
    where theirs.user_id = p.user_id and theirs.to_seq is null and mine.user_id = $1 and mine.to_seq is null)
    order by p.user_id limit $2";
const SHOWN: &str = "select user_id, status, text, text_expires_at from presences
    where user_id > $1 and status <> 'offline' order by user_id limit $2";
const STATUS: &str =
    "select status, chosen, text, text_expires_at, last_seen from presences where user_id = $1";
const SET_TEXT: &str = "update presences set text = $2, text_expires_at = $3 where user_id = $1";
const EXPIRED_TEXTS: &str =
    "select user_id from presences where text_expires_at is not null and text_expires_at <= $1
    order by text_expires_at limit $2";
const EXPIRE_TEXT: &str = "update presences set text = null, text_expires_at = null
    where user_id = $1 and text_expires_at <= $2 returning status, chosen, text, text_expires_at, last_seen";
const QUIET_HERE: &str = "select distinct c.user_id, p.status, a.quiet_from, a.quiet_to, a.quiet_days, a.time_zone, a.quiet_until,
    p.chosen from connections c
    join attention a on a.user_id = c.user_id join presences p on p.user_id = c.user_id
    where c.node_id = $1 and p.chosen is null and (a.quiet_from is not null or a.quiet_until is not null) limit 5000";

/// Somebody with a device here, and their hours.
#[derive(sqlx::FromRow)]
struct HereRow {
    user_id: Uuid,
    status: String,
    #[sqlx(flatten)]
    quiet: attention::QuietRow,
}

#[derive(sqlx::FromRow)]
struct PresenceRow {
    status: String,
    chosen: Option<String>,
    text: Option<String>,
    text_expires_at: Option<i64>,
    last_seen: i64,
}

impl PresenceRow {
    fn status(&self) -> PresenceStatus {
        PresenceStatus::from_word(&self.status).unwrap_or(PresenceStatus::Offline)
    }

    fn chosen(&self) -> Option<PresenceStatus> {
        self.chosen.as_deref().and_then(PresenceStatus::from_word)
    }

    /// As others see it. Words whose time is over are gone.
    fn seen(self, user: UserId) -> Presence {
        let status = self.status();
        let (text, expires_at) = live_text(self.text, self.text_expires_at);
        Presence { user_id: user, status, text, expires_at }
    }
}

fn live_text(text: Option<String>, expires: Option<i64>) -> (Option<String>, Option<Timestamp>) {
    let is_over = expires.is_some_and(|at| at <= Timestamp::now().0);
    (text.filter(|_| !is_over), expires.filter(|_| !is_over).map(Timestamp))
}

/// What the devices of some people at one server say of themselves, each word once and nothing for who has none there.
/// Answers whether the server was known, as [`renew`] does, and what is to be signalled: what shows, where that changed.
pub async fn note(
    tx: &mut Tx,
    node: Uuid,
    mut people: Vec<(UserId, Vec<PresenceStatus>)>,
) -> Result<(bool, Vec<Presence>)> {
    let is_known = renew(tx, node).await?;
    // In order: two servers that lock the same people in two orders would wait for each other for ever.
    people.sort_unstable_by_key(|person| person.0);
    let mut news = Vec::new();
    for (user, devices) in people {
        let row = lock(tx, user).await?;
        run!(tx, sqlx::query(LEAVE_HERE).bind(user.0).bind(node), execute)?;
        for status in devices {
            let id = confab_protocol::fresh_id();
            run!(tx, sqlx::query(ARRIVE).bind(id).bind(node).bind(user.0).bind(status.as_str()), execute)?;
        }
        news.extend(settle(tx, user, row).await?);
    }
    Ok((is_known, news))
}

/// The device of a server that is gone went with it.
async fn leave(tx: &mut Tx, device: Uuid, user: UserId) -> Result<Option<Presence>> {
    let row = lock(tx, user).await?;
    run!(tx, sqlx::query(LEAVE).bind(device), execute)?;
    settle(tx, user, row).await
}

/// What showed when nobody kept it: of people who were made up.
pub async fn leave_as(tx: &mut Tx, user: UserId, status: PresenceStatus) -> Result<()> {
    let row = lock(tx, user).await?;
    show(tx, user, row, status).await?;
    Ok(())
}

/// What shows may have changed by the hour, or by what the user prefers.
pub async fn refresh(tx: &mut Tx, user: UserId) -> Result<Option<Presence>> {
    let row = lock(tx, user).await?;
    settle(tx, user, row).await
}

/// People with a device at `node` whose hours of quiet have begun or ended since they were last shown.
pub async fn stale(on: &mut impl Read, node: Uuid) -> Result<Vec<UserId>> {
    let rows: Vec<HereRow> = run!(on, sqlx::query_as(QUIET_HERE).bind(node), fetch_all)?;
    let is_stale =
        |row: &HereRow| row.quiet.quiet().is_now() != (row.status == PresenceStatus::Busy.as_str());
    Ok(rows.into_iter().filter(is_stale).map(|row| UserId(row.user_id)).collect())
}

async fn lock(tx: &mut Tx, user: UserId) -> Result<PresenceRow> {
    Ok(run!(tx, sqlx::query_as(LOCK).bind(user.0).bind(Timestamp::now().0), fetch_one)?)
}

/// Works out what shows, under the lock.
async fn settle(tx: &mut Tx, user: UserId, row: PresenceRow) -> Result<Option<Presence>> {
    let words: Vec<String> = run!(tx, sqlx::query_scalar(OF_USER).bind(user.0).bind(DEVICES), fetch_all)?;
    let devices: Vec<PresenceStatus> =
        words.iter().filter_map(|word| PresenceStatus::from_word(word)).collect();
    let is_quiet = !devices.is_empty() && attention::quiet(tx, user).await?.is_now();
    let status = shown(&devices, row.chosen(), is_quiet);
    show(tx, user, row, status).await
}

async fn show(
    tx: &mut Tx,
    user: UserId,
    mut row: PresenceRow,
    status: PresenceStatus,
) -> Result<Option<Presence>> {
    let is_news = row.status() != status;
    // Whoever wishes to seem offline was not seen either.
    if row.chosen() != Some(PresenceStatus::Offline) {
        row.last_seen = Timestamp::now().0;
    }
    status.as_str().clone_into(&mut row.status);
    run!(
        tx,
        sqlx::query(SET).bind(user.0).bind(status.as_str()).bind(row.last_seen).bind(row.chosen.clone()),
        execute
    )?;
    Ok(is_news.then(|| row.seen(user)))
}

/// Chooses what shows whatever the devices do; `online` lets them show again. Answers what shows now.
pub async fn choose(tx: &mut Tx, user: UserId, status: PresenceStatus) -> Result<Presence> {
    let mut row = lock(tx, user).await?;
    let before = row.status();
    row.chosen = (status != PresenceStatus::Online).then(|| status.as_str().to_owned());
    let news = if row.chosen.is_some() {
        show(tx, user, row, status).await?
    } else {
        run!(
            tx,
            sqlx::query(SET).bind(user.0).bind(before.as_str()).bind(row.last_seen).bind(None::<String>),
            execute
        )?;
        settle(tx, user, row).await?
    };
    match news {
        Some(presence) => Ok(presence),
        None => Ok(lock(tx, user).await?.seen(user)),
    }
}

/// Somebody's state.
pub async fn status(on: &mut impl Read, user: UserId) -> Result<UserStatus> {
    let row: Option<PresenceRow> = run!(on, sqlx::query_as(STATUS).bind(user.0), fetch_optional)?;
    let Some(row) = row else {
        let status = PresenceStatus::Offline;
        return Ok(UserStatus { user_id: user, status, text: None, expires_at: None, last_seen: None });
    };
    let last_seen = Some(Timestamp(row.last_seen));
    let Presence { user_id, status, text, expires_at } = row.seen(user);
    Ok(UserStatus { user_id, status, text, expires_at, last_seen })
}

/// Says something of one's state, until a time or for good; an empty text takes it back. Answers what shows now.
///
/// # Errors
/// [`Fault::Invalid`] in `text` or `expires_at`.
pub async fn say(
    tx: &mut Tx,
    user: UserId,
    text: Option<&str>,
    until: Option<Timestamp>,
) -> Result<Presence> {
    let said = text::optional_line("text", text, TEXT_CHARACTERS)?;
    let until = until.filter(|_| said.is_some());
    if until.is_some_and(|at| at <= Timestamp::now()) {
        return Err(Fault::invalid("expires_at", "must be in the future"));
    }
    let mut row = lock(tx, user).await?;
    let expires = until.map(|at| at.0);
    run!(tx, sqlx::query(SET_TEXT).bind(user.0).bind(said.clone()).bind(expires), execute)?;
    (row.text, row.text_expires_at) = (said, expires);
    Ok(row.seen(user))
}

/// Takes away words whose time is over. Answers what is to be signalled, each by one server only.
pub async fn expire(tx: &mut Tx) -> Result<Vec<Presence>> {
    let now = Timestamp::now().0;
    let mut people: Vec<Uuid> =
        run!(tx, sqlx::query_scalar(EXPIRED_TEXTS).bind(now).bind(EXPIRED), fetch_all)?;
    // In order, as whoever notes several.
    people.sort_unstable();
    let mut expired = Vec::with_capacity(people.len());
    for user in people {
        let row: Option<PresenceRow> =
            run!(tx, sqlx::query_as(EXPIRE_TEXT).bind(user).bind(now), fetch_optional)?;
        // Nobody: another server was faster, or new words were said.
        expired.extend(row.map(|row| row.seen(UserId(user))));
    }
    Ok(expired)
}

/// Whether any words have run out: asked often, and without a write.
pub async fn has_expired(on: &mut impl Read) -> Result<bool> {
    let first: Option<Uuid> =
        run!(on, sqlx::query_scalar(EXPIRED_TEXTS).bind(Timestamp::now().0).bind(1_i64), fetch_optional)?;
    Ok(first.is_some())
}

/// Who is not offline among those who share a channel with `user`, at most `limit`.
pub async fn around(on: &mut impl Read, user: UserId, limit: u32) -> Result<Vec<Presence>> {
    let rows: Vec<ShownRow> =
        run!(on, sqlx::query_as(AROUND).bind(user.0).bind(i64::from(limit)), fetch_all)?;
    Ok(rows.into_iter().filter_map(of_row).collect())
}

/// Everybody who is not offline. `None`: more than `most`.
pub async fn all_shown(on: &mut impl Read, most: usize) -> Result<Option<Vec<Presence>>> {
    let (mut all, mut after) = (Vec::new(), Uuid::nil());
    loop {
        let rows: Vec<ShownRow> = run!(on, sqlx::query_as(SHOWN).bind(after).bind(SHOWN_PAGE), fetch_all)?;
        let is_last = (rows.len() as i64) < SHOWN_PAGE;
        after = rows.last().map_or(after, |row| row.0);
        all.extend(rows.into_iter().filter_map(of_row));
        match () {
            () if all.len() > most => return Ok(None),
            () if is_last => return Ok(Some(all)),
            () => {}
        }
    }
}

type ShownRow = (Uuid, String, Option<String>, Option<i64>);

fn of_row((user, status, text, expires): ShownRow) -> Option<Presence> {
    let (text, expires_at) = live_text(text, expires);
    let status = PresenceStatus::from_word(&status)?;
    Some(Presence { user_id: UserId(user), status, text, expires_at })
}
