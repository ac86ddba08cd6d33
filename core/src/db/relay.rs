//! The relay: gives every committed event of PostgreSQL its position. One leader at a time, and even two could not
//! disturb the order.
//!
//! Events are found by state (`pos is null`), never by `id > last`: a transaction that began early and committed late
//! would be skipped for ever (in a trial with 16 writers 51 % of the rows were never seen that way). Inside a batch they are
//! ordered by `seq`: the channel's row lock makes seq n visible whenever n+1 is, so a channel's events get their
//! positions in order whatever the clocks of the servers that made the ids. Those of one person have no `seq`; they are
//! ordered by when PostgreSQL took them, behind the locks of their transaction.

use confab_protocol::Event;
use sqlx::{Connection, Executor, PgConnection};

use super::open::{DURABLE, TELL_THE_DEAD};
use super::{Db, Engine, Look, bounded};
use crate::fault::{Fault, Result};
use crate::log::{self, EventRow};

/// The number of the session lock that the leader holds ("confab" in a telephone's letters).
pub(super) const LEADER: i64 = 266_322;

/// A leader that stands still, or whose machine is gone, leads no longer (docs/limits.md): it asks ten times a second, so
/// silence means that. What it does when it wakes fails, and it offers itself anew.
const LET_GO: &str = "set lock_timeout = '5s'; set idle_session_timeout = '10s'; set idle_in_transaction_session_timeout = '10s'";
const FENCE: &str = "select last_pos from log_meta where id = 1 for update";
const STAMP: &str = "with waiting as (
        select id, coalesce(seq, 0) as turn, coalesce(stored_at, created_at * 1000) as taken_at from events
        where pos is null order by turn, taken_at, id limit 500
    ), numbered as (
        select id, row_number() over (order by turn, taken_at, id) as number from waiting
    ), stamped as (
        update events set pos = $1 + numbered.number from numbered where events.id = numbered.id
        returning events.id, pos, kind, channel_id, events.seq, user_id, ref_id, actor_id, detail, created_at
    ), advanced as (
        update log_meta set last_pos = $1 + (select count(*) from stamped)
        where id = 1 and exists (select 1 from stamped)
    )
    select id, pos, kind, channel_id, seq, user_id, ref_id, actor_id, detail, created_at from stamped order by pos";
/// Not waiting for the disk: a mark that a crash takes back means that the same events are published again, under the same
/// positions, which readers pass over.
const PUBLISHED: &str = "update log_meta set published_pos = greatest(published_pos, $1)
    from (select set_config('synchronous_commit', 'off', true)) as unhurried where id = 1";

/// The leader's own connection: the lock goes when it does.
pub struct Relay {
    connection: PgConnection,
    /// Up to where this leader knows that the bus has everything.
    published: i64,
}

impl Relay {
    /// Becomes the leader, or answers `None` when another process is.
    pub async fn lead(db: &Db) -> Result<Option<Self>> {
        let Engine::Postgres(pool) = &db.pools else {
            return Err(Fault::Internal("only PostgreSQL needs a relay".into()));
        };
        // Not from the pool: a pooled connection would carry the lock back to strangers.
        let mut connection = bounded(PgConnection::connect_with(&pool.connect_options())).await?;
        bounded(connection.execute(LET_GO)).await?;
        bounded(connection.execute(TELL_THE_DEAD)).await?;
        bounded(connection.execute(DURABLE)).await?;
        let lock = sqlx::query_scalar("select pg_try_advisory_lock($1)").bind(LEADER);
        let led: bool = bounded(lock.fetch_one(&mut connection)).await?;
        Ok(led.then_some(Self { connection, published: 0 }))
    }

    /// Stamps what waits, at most 500. Answers them in order of position; fewer than 500 means that none waits.
    pub async fn stamp(&mut self) -> Result<Vec<Event>> {
        let mut transaction = bounded(self.connection.begin()).await?;
        let last: i64 = bounded(sqlx::query_scalar(FENCE).fetch_one(&mut *transaction)).await?;
        let rows: Vec<EventRow> =
            bounded(sqlx::query_as(STAMP).bind(last).fetch_all(&mut *transaction)).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        bounded(transaction.commit()).await?;
        Ok(rows.into_iter().filter_map(EventRow::into_event).collect())
    }

    /// Up to where the bus has everything, and up to where there is anything.
    pub async fn published(&mut self) -> Result<(i64, i64)> {
        let query = sqlx::query_as("select published_pos, last_pos from log_meta where id = 1");
        let (published, last) = bounded(query.fetch_one(&mut self.connection)).await?;
        self.published = published;
        Ok((published, last))
    }

    /// The log after `pos`, over its own connection: the pool's may be the ones that say nothing.
    pub async fn after(&mut self, pos: i64) -> Result<log::Page> {
        log::after(&mut Look(Engine::Postgres(&mut self.connection)), pos, log::BATCH).await
    }

    /// Whether the bus lacks nothing before `pos`, without asking: another leader's events would lie between.
    pub fn is_next(&self, pos: i64) -> bool {
        self.published + 1 == pos
    }

    /// Notes that the bus has everything up to `pos`.
    pub async fn mark_published(&mut self, pos: i64) -> Result<()> {
        bounded(sqlx::query(PUBLISHED).bind(pos).execute(&mut self.connection)).await?;
        self.published = pos;
        Ok(())
    }
}
