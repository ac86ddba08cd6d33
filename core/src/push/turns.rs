//! Browsers take turns: each turn sends one push, so none fills a server's places with what waits for it alone. A browser
//! whose service fails is left alone for a while, longer each time, and is dropped when it fails for a week.

use std::collections::HashSet;
use std::time::Duration;

use confab_protocol::Timestamp;
use uuid::Uuid;

use super::{ATTEMPTS, DUE_NOW};
use crate::db::{Read, Tx, run, run_in};
use crate::fault::Result;
use crate::notifications;

/// Rows that one look answers at most.
pub const LOOKED_AT: i64 = 128;
/// For so long a browser belongs to the server that took it; whoever is killed meanwhile leaves it to others.
pub(super) const HOLD: Duration = Duration::from_secs(30);
/// What waited longer is news no more.
const STALE: Duration = Duration::from_hours(24);
/// After the first failure a browser is left alone for about this; after each further one, four times as long.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The longest pause; a service may ask for as much.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// A browser that fails for so long, and [`ATTEMPTS`] times at least, is dropped.
const GIVEN_UP: Duration = Duration::from_hours(7 * 24);
/// Users and hosts that [`LOOK`] has places for: no more can be full at once.
const USERS: usize = super::AT_ONCE / super::AT_ONCE_A_USER;
const HOSTS: usize = super::AT_ONCE / super::AT_ONCE_A_HOST;

const LOOK: &str =
    "select s.id, s.user_id, s.host, s.endpoint, s.next_at from pushes p join push_subscriptions s on s.id = p.subscription_id
    where p.due_at <= $1 and s.user_id not in
    ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
    and (s.host is null or s.host not in ($18, $19, $20, $21)) order by p.due_at limit $22";
const NAME_HOST: &str = "update push_subscriptions set host = $2 where id = $1 and host is null";
// Changes nothing, but whoever frees the browser waits until what waits for it is put off, and finds it.
const STILL_HELD: &str =
    "update push_subscriptions set next_at = next_at where id = $1 and next_at > $2 returning next_at";
const TAKE: &str =
    "update push_subscriptions set next_at = $3 where id = $1 and (next_at is null or next_at <= $2)";
const WAITING: &str = "select p.id, p.notification_id, p.attempts, n.kind, n.channel_id from pushes p
    join notifications n on n.id = p.notification_id where p.subscription_id = $1 and p.due_at <= $2
    order by p.id desc limit 500";
const DROP: &str = "delete from pushes where id in";
const TRY: &str = "update pushes set attempts = attempts + 1 where id = $1";
const DUE_THEN: &str = "update pushes set due_at = $2 where subscription_id = $1 and due_at <> $2";
const DONE: &str = "delete from pushes where id = $1";
const FREE: &str = "update push_subscriptions set next_at = null where id = $1 and next_at = $2";
const USED: &str =
    "update push_subscriptions set used_at = $2, failures = null, failing_since = null where id = $1";
const FAILING: &str = "select failures, failing_since from push_subscriptions where id = $1 and next_at = $2";
const LEAVE: &str =
    "update push_subscriptions set next_at = $2, failures = $3, failing_since = $4 where id = $1";
const GONE: &str = "delete from push_subscriptions where id = $1";

/// Whose places are all taken: they are passed by.
#[derive(Clone, Debug, Default)]
pub struct Full {
    /// Users.
    pub users: Vec<Uuid>,
    /// Hosts.
    pub hosts: Vec<String>,
}

impl Full {
    /// Whether nobody is passed by.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.hosts.is_empty()
    }

    /// Whether all of these are among `others`.
    #[must_use]
    pub fn is_within(&self, others: &Self) -> bool {
        self.users.iter().all(|it| others.users.contains(it))
            && self.hosts.iter().all(|it| others.hosts.contains(it))
    }
}

/// A browser for which something is due.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Browser {
    /// Which.
    pub id: Uuid,
    /// Whose.
    pub user_id: Uuid,
    /// See [`super::NewSubscription::host`]. `None`: an older version noted it; see [`name_hosts`].
    pub host: Option<String>,
    /// Its address.
    pub endpoint: String,
    next_at: Option<i64>,
}

impl Browser {
    /// Whether a server is sending for it, or it is left alone: what came for it since is to be put off ([`put_off`]).
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.next_at.is_some_and(|at| at > Timestamp::now().0)
    }
}

/// Browsers for which something is due, who waits longest first, at most [`LOOKED_AT`]. One may come several times. Asked
/// often, and without a write.
pub async fn look(on: &mut impl Read, full: &Full) -> Result<Vec<Browser>> {
    let now = Timestamp::now().0;
    let mut users: Vec<Uuid> = full.users.clone();
    let mut hosts = full.hosts.clone();
    // No user and no host is called so.
    users.resize(USERS, Uuid::nil());
    hosts.resize(HOSTS, String::new());
    let browsers = run!(
        on,
        hosts
            .iter()
            .fold(
                users.iter().fold(sqlx::query_as(LOOK).bind(now), |query, user| query.bind(*user)),
                |query, host| query.bind(host.clone())
            )
            .bind(LOOKED_AT),
        fetch_all
    )?;
    Ok(browsers)
}

/// Notes the hosts of browsers that an older version noted.
pub async fn name_hosts(tx: &mut Tx, named: &[(Uuid, String)]) -> Result<()> {
    for (browser, host) in named {
        run!(tx, sqlx::query(NAME_HOST).bind(*browser).bind(host.clone()), execute)?;
    }
    Ok(())
}

/// Has what waits for browsers that are held wait with them: no look comes past it again and again.
pub async fn put_off(tx: &mut Tx, browsers: &[Uuid]) -> Result<()> {
    for browser in in_order(browsers) {
        let now = Timestamp::now().0;
        let held: Option<i64> =
            run!(tx, sqlx::query_scalar(STILL_HELD).bind(browser).bind(now), fetch_optional)?;
        if let Some(until) = held {
            run!(tx, sqlx::query(DUE_THEN).bind(browser).bind(until), execute)?;
        }
    }
    Ok(())
}

/// Each once, and in the order in which all servers lock them.
fn in_order(browsers: &[Uuid]) -> Vec<Uuid> {
    let mut browsers = browsers.to_vec();
    browsers.sort_unstable();
    browsers.dedup();
    browsers
}

/// Something to be pushed, held by who claimed it.
#[derive(Clone, Debug)]
pub struct Due {
    /// Which.
    pub id: Uuid,
    /// To which browser.
    pub subscription_id: Uuid,
    /// This one included.
    pub attempts: i64,
    pub(super) notification_id: Uuid,
    /// Until when the browser is held; another time there means that it is held no more.
    held_until: i64,
}

/// Takes browsers, and the push that has waited longest for each. Those that another server took, or for which nothing is
/// left to say, are not answered.
pub async fn claim(tx: &mut Tx, browsers: &[Uuid]) -> Result<Vec<Due>> {
    let mut claimed = Vec::with_capacity(browsers.len());
    for browser in in_order(browsers) {
        claimed.extend(take(tx, browser).await?);
    }
    Ok(claimed)
}

#[derive(sqlx::FromRow)]
struct WaitingRow {
    id: Uuid,
    notification_id: Uuid,
    attempts: i64,
    kind: String,
    channel_id: Option<Uuid>,
}

async fn take(tx: &mut Tx, browser: Uuid) -> Result<Option<Due>> {
    let now = Timestamp::now();
    let held_until = now.plus(HOLD).0;
    if run!(tx, sqlx::query(TAKE).bind(browser).bind(now.0).bind(held_until), execute)? == 0 {
        return Ok(None);
    }
    let rows: Vec<WaitingRow> = run!(tx, sqlx::query_as(WAITING).bind(browser).bind(now.0), fetch_all)?;
    let (mut kept, dropped) = still_news(rows, now);
    let _: Vec<(Uuid,)> = run_in!(tx, (Uuid,), DROP, &dropped, "returning id")?;
    let Some(first) = kept.pop() else {
        run!(tx, sqlx::query(FREE).bind(browser).bind(held_until), execute)?;
        return Ok(None);
    };
    run!(tx, sqlx::query(TRY).bind(first.id), execute)?;
    // With the browser waits all that is for it, as in [`put_off`].
    run!(tx, sqlx::query(DUE_THEN).bind(browser).bind(held_until), execute)?;
    Ok(Some(Due {
        id: first.id,
        subscription_id: browser,
        attempts: first.attempts + 1,
        notification_id: first.notification_id,
        held_until,
    }))
}

/// Of what waits for one browser, the newest first: what is to be sent, and what is not. Of one channel only the newest is:
/// it says how much is unread. A reminder was asked for by itself.
fn still_news(rows: Vec<WaitingRow>, now: Timestamp) -> (Vec<WaitingRow>, Vec<Uuid>) {
    let mut channels = HashSet::new();
    let oldest = now.0 - STALE.as_millis() as i64;
    let (kept, dropped): (Vec<WaitingRow>, Vec<WaitingRow>) = rows.into_iter().partition(|row| {
        let is_reminder = row.kind == notifications::Kind::Reminder.as_str();
        let is_newest = match row.channel_id {
            Some(channel) if !is_reminder => channels.insert(channel),
            _ => true,
        };
        let since = row.id.get_timestamp().map_or(0, |it| it.to_unix().0 as i64 * 1_000);
        is_newest && since >= oldest && row.attempts < ATTEMPTS
    });
    (kept, dropped.into_iter().map(|row| row.id).collect())
}

/// What became of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The service took it.
    Sent,
    /// There was nothing to say any more.
    Needless,
    /// It is tried again, not before what the service asked for, if it was not tried too often.
    Failed(Option<Duration>),
    /// This one will never be taken.
    Refused,
    /// The browser is known no more: with it goes what waits for it.
    Gone,
}

/// Ends a turn. Whoever has lost the browser meanwhile, because it took too long, changes nothing of its next turn. Answers
/// whether more waits for this browser, which is due now.
pub async fn settle(tx: &mut Tx, due: &Due, outcome: Outcome) -> Result<bool> {
    let browser = due.subscription_id;
    match outcome {
        Outcome::Sent => {
            run!(tx, sqlx::query(USED).bind(browser).bind(Timestamp::now().0), execute)?;
            free(tx, due).await
        }
        Outcome::Needless => free(tx, due).await,
        Outcome::Failed(asked) => leave(tx, due, asked, due.attempts >= ATTEMPTS).await,
        Outcome::Refused => leave(tx, due, None, true).await,
        Outcome::Gone => {
            run!(tx, sqlx::query(GONE).bind(browser), execute)?;
            Ok(false)
        }
    }
}

async fn free(tx: &mut Tx, due: &Due) -> Result<bool> {
    let freed = run!(tx, sqlx::query(FREE).bind(due.subscription_id).bind(due.held_until), execute)?;
    run!(tx, sqlx::query(DONE).bind(due.id), execute)?;
    if freed == 0 {
        return Ok(false);
    }
    let now = Timestamp::now().0;
    Ok(run!(tx, sqlx::query(DUE_NOW).bind(due.subscription_id).bind(now), execute)? > 0)
}

/// Leaves a browser that failed alone for a while, or for ever.
async fn leave(tx: &mut Tx, due: &Due, asked: Option<Duration>, is_over: bool) -> Result<bool> {
    let now = Timestamp::now();
    let browser = due.subscription_id;
    let failing: Option<(Option<i64>, Option<i64>)> =
        run!(tx, sqlx::query_as(FAILING).bind(browser).bind(due.held_until), fetch_optional)?;
    if let Some((failures, since)) = failing {
        let failures = failures.unwrap_or(0) + 1;
        let since = since.unwrap_or(now.0);
        if failures >= ATTEMPTS && now.0 - since >= GIVEN_UP.as_millis() as i64 {
            tracing::info!(failures, "a browser whose push service failed for a week is told no more");
            run!(tx, sqlx::query(GONE).bind(browser), execute)?;
            return Ok(false);
        }
        let next_at = now.plus(pause(failures).max(asked.unwrap_or_default().min(LONGEST_PAUSE))).0;
        run!(tx, sqlx::query(LEAVE).bind(browser).bind(next_at).bind(failures).bind(since), execute)?;
        run!(tx, sqlx::query(DUE_THEN).bind(browser).bind(next_at), execute)?;
    }
    if is_over {
        run!(tx, sqlx::query(DONE).bind(due.id), execute)?;
    }
    Ok(false)
}

/// How long a browser is left alone after so many failures in a row: between half of it and all, so that those which failed
/// together do not come back together.
fn pause(failures: i64) -> Duration {
    let doublings = u32::try_from(2 * (failures - 1)).unwrap_or(0).min(16);
    let longest = (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE);
    longest.mul_f64(rand::random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        for (failures, seconds) in
            [(1, 2), (2, 8), (3, 32), (4, 128), (7, 3_600), (8, 3_600), (1_000_000, 3_600)]
        {
            let longest = Duration::from_secs(seconds);
            for _ in 0..50 {
                let it = pause(failures);
                assert!(it >= longest / 2 && it <= longest, "{failures}: {it:?}");
            }
        }
    }

    #[test]
    fn as_many_are_passed_by_as_can_be_full() {
        let places = |from: usize, count: usize| crate::db::placeholders(from, count).replace(',', ", ");
        for list in [places(2, USERS), places(2 + USERS, HOSTS)] {
            assert!(LOOK.contains(&list), "{list}");
        }
        assert!(LOOK.ends_with(&format!("${}", 2 + USERS + HOSTS)));
    }
}
