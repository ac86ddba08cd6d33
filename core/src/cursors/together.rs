//! The cursors of several consumers that one process runs: held, moved on and released together, however many they are.

use std::time::Duration;

use confab_protocol::Timestamp;
use uuid::Uuid;

use crate::db::{Tx, fetch_rows, insert_rows};
use crate::fault::Result;

const BEGIN: &str = "insert into cursors (name, pos, held_by, held_until, updated_at) ";
const HELD: &str = "with asked (consumer, reached, holder, lease_end, moment) as (";
// Whoever took one over begins where the row says; only for those that were held all the time is more known.
const HOLD: &str = ") update cursors set held_by = holder, held_until = lease_end, updated_at = moment,
    pos = case when held_by = holder and pos < reached then reached else pos end from asked
    where name = consumer and (held_by is null or held_by = holder or held_until < moment) returning name, pos";
const REACHED: &str = "with asked (consumer, reached, holder, moment) as (";
const ADVANCE: &str = ") update cursors set pos = reached, updated_at = moment from asked
    where name = consumer and held_by = holder and pos <= reached returning name";
const LEFT: &str = "with asked (consumer, holder) as (";
const RELEASE: &str = ") update cursors set held_until = 0, held_by = null from asked
    where name = consumer and held_by = holder returning name";

/// Takes or renews cursors for `lease`, each with the position up to which everything is done as far as the holder knows
/// (0: nothing is known). Answers those that are its own now, and where they stand; the others are held by other processes.
///
/// A consumer that is new begins at `from`.
pub async fn hold_all(
    tx: &mut Tx,
    asked: &[(String, i64)],
    holder: Uuid,
    from: i64,
    lease: Duration,
) -> Result<Vec<(String, i64)>> {
    let mut held = hold(tx, asked, holder, lease).await?;
    if held.len() == asked.len() {
        return Ok(held);
    }
    let missing: Vec<(String, i64)> =
        asked.iter().filter(|(name, _)| !held.iter().any(|(it, _)| it == name)).cloned().collect();
    let now = Timestamp::now().0;
    let begun = insert_rows!(
        tx,
        BEGIN,
        missing,
        |values, row| values
            .push_bind(row.0.clone())
            .push_bind(from)
            .push_bind(None::<Uuid>)
            .push_bind(0_i64)
            .push_bind(now),
        "on conflict do nothing"
    );
    if begun > 0 {
        held.extend(hold(tx, &missing, holder, lease).await?);
    }
    Ok(held)
}

async fn hold(
    tx: &mut Tx,
    asked: &[(String, i64)],
    holder: Uuid,
    lease: Duration,
) -> Result<Vec<(String, i64)>> {
    let now = Timestamp::now();
    Ok(fetch_rows!(
        tx,
        (String, i64),
        HELD,
        asked,
        |values, row| values
            .push_bind(row.0.clone())
            .push_bind(row.1)
            .push_bind(holder)
            .push_bind(now.plus(lease).0)
            .push_bind(now.0),
        HOLD
    ))
}

/// Notes how far several have come. Answers those for which it did: the others are held by other processes now.
pub async fn advance_all(tx: &mut Tx, holder: Uuid, reached: &[(String, i64)]) -> Result<Vec<String>> {
    let now = Timestamp::now().0;
    let moved = fetch_rows!(
        tx,
        (String,),
        REACHED,
        reached,
        |values, row| values.push_bind(row.0.clone()).push_bind(row.1).push_bind(holder).push_bind(now),
        ADVANCE
    );
    Ok(moved.into_iter().map(|(name,)| name).collect())
}

/// Lets other processes take them over at once.
pub async fn release_all(tx: &mut Tx, holder: Uuid, names: &[String]) -> Result<()> {
    fetch_rows!(
        tx,
        (String,),
        LEFT,
        names,
        |values, name| values.push_bind(name.clone()).push_bind(holder),
        RELEASE
    );
    Ok(())
}
