//! What waits to be pushed. Whoever posts only adds rows here and waits for nobody: rows are changed and dropped by who
//! sends, and by the sweep.

use std::time::Duration;

use confab_protocol::{Timestamp, UserId};
use uuid::Uuid;

use super::DUE_NOW;
use super::turns::HOLD;
use crate::db::{Tx, insert_rows, run, run_in};
use crate::fault::Result;

/// Pushes that wait for one browser (docs/limits.md): beyond it the sweep drops the oldest.
const WAITING: i64 = 32;
/// The sessions that [`sweep`] looks at ended within this.
const ENDED_WITHIN: Duration = Duration::from_hours(1);

const OF_PEOPLE: &str = "select id, user_id from push_subscriptions where user_id in";
const OVERFULL: &str = "select subscription_id from pushes where subscription_id in";
// So much may come before the next sweep; then a browser is told no more of what is new. Read and not locked: posts of the
// same moment may add a few more.
const OVERFULL_FROM: &str = "group by subscription_id having count(*) >= 256";
const QUEUE: &str = "insert into pushes (id, subscription_id, notification_id, attempts, due_at) ";
const HELD: &str = "select distinct subscription_id from pushes where due_at > $1 and due_at <= $2";
const FREE: &str = "update push_subscriptions set next_at = null where id = $1 and next_at <= $2";
// Of ended sessions, so that nothing is queued for them.
const SWEEP: &str = "delete from push_subscriptions where session_id in
    (select id from sessions where ended_at is not null and ended_at > $1)";
const TRIM: &str = "delete from pushes where subscription_id in
    (select subscription_id from pushes group by subscription_id having count(*) > $1)
    and id <= (select kept.id from pushes kept where kept.subscription_id = pushes.subscription_id
    order by kept.id desc limit 1 offset $1)";

/// Queues notifications for the browsers of their people, due at once. That a browser is held or left alone is not asked
/// here: by the commit that could be over, and nobody would know of what waits. Who looks puts it off ([`super::put_off`]).
pub(crate) async fn queue(tx: &mut Tx, told: &[(UserId, Uuid)]) -> Result<()> {
    let now = Timestamp::now().0;
    for part in told.chunks(500) {
        let people: Vec<Uuid> = part.iter().map(|it| it.0.0).collect();
        let browsers: Vec<(Uuid, Uuid)> = run_in!(tx, (Uuid, Uuid), OF_PEOPLE, &people, "")?;
        let ids: Vec<Uuid> = browsers.iter().map(|it| it.0).collect();
        let mut overfull: Vec<(Uuid,)> = Vec::new();
        for some in ids.chunks(500) {
            overfull.extend(run_in!(tx, (Uuid,), OVERFULL, some, OVERFULL_FROM)?);
        }
        let rows: Vec<(Uuid, Uuid)> = browsers
            .into_iter()
            .filter(|(browser, _)| !overfull.contains(&(*browser,)))
            .filter_map(|(browser, user)| {
                let (_, notification) = part.iter().find(|it| it.0.0 == user)?;
                Some((browser, *notification))
            })
            .collect();
        insert_rows!(
            tx,
            QUEUE,
            rows,
            |values, row| values
                .push_bind(confab_protocol::fresh_id())
                .push_bind(row.0)
                .push_bind(row.1)
                .push_bind(0_i64)
                .push_bind(now),
            ""
        );
    }
    Ok(())
}

/// What a killed process held is due again: said by a server that starts alone.
pub async fn release(tx: &mut Tx) -> Result<()> {
    let now = Timestamp::now();
    let until = now.plus(HOLD).0;
    let held: Vec<Uuid> = run!(tx, sqlx::query_scalar(HELD).bind(now.0).bind(until), fetch_all)?;
    for browser in held {
        run!(tx, sqlx::query(FREE).bind(browser).bind(until), execute)?;
        run!(tx, sqlx::query(DUE_NOW).bind(browser).bind(now.0), execute)?;
    }
    Ok(())
}

/// Forgets browsers whose session ended, and what is too much for one browser.
pub async fn sweep(tx: &mut Tx) -> Result<()> {
    let since = Timestamp::now().0 - ENDED_WITHIN.as_millis() as i64;
    run!(tx, sqlx::query(SWEEP).bind(since), execute)?;
    run!(tx, sqlx::query(TRIM).bind(WAITING), execute)?;
    Ok(())
}
