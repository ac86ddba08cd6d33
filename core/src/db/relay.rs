//! The relay: gives every committed event of PostgreSQL its position. One leader at a time, and even two could not
//! disturb the order.
//!
//! Events are found by state (`pos is null`), never by `id > last`: a transaction that began early and committed late
//! would be skipped for ever (in a trial with 16 writers 51 % of the rows were never seen that way). Inside a batch they are
//! ordered by `seq`: the channel's row lock makes seq n visible whenever n+1 is, so a channel's events get their
//! positions in order whatever the clocks of the servers that made the ids.

use confab_protocol::Event;
use sqlx::{Connection, Executor, PgConnection};

use super::{Db, Engine};
use crate::fault::{Fault, Result};
use crate::log::EventRow;

/// The number of the session lock that the leader holds ("confab" in a telephone's letters).
const LEADER: i64 = 266_322;

/// A leader that stands still, or whose machine is gone, leads no longer (docs/limits.md): it asks ten times a second, so
/// silence means that. What it does when it wakes fails, and it offers itself anew.
const LET_GO: &str = "set lock_timeout = '5s'; set idle_session_timeout = '10s'; set idle_in_transaction_session_timeout = '10s'";
const FENCE: &str = "select last_pos from log_meta where id = 1 for update";
const STAMP: &str = "with waiting as (
        select id, seq from events where pos is null order by seq nulls first, id limit 500
    ), numbered as (
        select id, row_number() over (order by seq nulls first, id) as number from waiting
    )
    update events set pos = $1 + numbered.number from numbered where events.id = numbered.id
    returning events.id, pos, kind, channel_id, events.seq, user_id, ref_id, actor_id, detail, created_at";
const ADVANCE: &str = "update log_meta set last_pos = $1 where id = 1";
const PUBLISHED: &str = "update log_meta set published_pos = greatest(published_pos, $1) where id = 1";

/// The leader's own connection: the lock goes when it does.
pub struct Relay {
    connection: PgConnection,
}

impl Relay {
    /// Becomes the leader, or answers `None` when another process is.
    pub async fn lead(db: &Db) -> Result<Option<Self>> {
        let Engine::Postgres(pool) = &db.pools else {
            return Err(Fault::Internal("only PostgreSQL needs a relay".into()));
        };
        // Not from the pool: a pooled connection would carry the lock back to strangers.
        let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
        connection.execute(LET_GO).await?;
        let led: bool = sqlx::query_scalar("select pg_try_advisory_lock($1)")
            .bind(LEADER)
            .fetch_one(&mut connection)
            .await?;
        Ok(led.then_some(Self { connection }))
    }

    /// Stamps what waits, at most 500. Answers them in order of position; fewer than 500 means that none waits.
    pub async fn stamp(&mut self) -> Result<Vec<Event>> {
        let mut transaction = self.connection.begin().await?;
        let last: i64 = sqlx::query_scalar(FENCE).fetch_one(&mut *transaction).await?;
        let rows: Vec<EventRow> = sqlx::query_as(STAMP).bind(last).fetch_all(&mut *transaction).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        sqlx::query(ADVANCE).bind(last + rows.len() as i64).execute(&mut *transaction).await?;
        transaction.commit().await?;
        let mut events: Vec<Event> = rows.into_iter().filter_map(EventRow::into_event).collect();
        events.sort_unstable_by_key(|event| event.pos);
        Ok(events)
    }

    /// Up to where the bus has everything.
    pub async fn published(&mut self) -> Result<(i64, i64)> {
        Ok(sqlx::query_as("select published_pos, last_pos from log_meta where id = 1")
            .fetch_one(&mut self.connection)
            .await?)
    }

    /// Notes that the bus has everything up to `pos`.
    pub async fn mark_published(&mut self, pos: i64) -> Result<()> {
        sqlx::query(PUBLISHED).bind(pos).execute(&mut self.connection).await?;
        Ok(())
    }
}
