//! The record, on either engine. This file and those beside it are the only ones that know there are two.
//!
//! One SQL text serves both: `$1` placeholders, `uuid`, `text`, `bigint` and `boolean` columns, times as `bigint`
//! milliseconds. Reads take `&mut impl Read` (a [`Reader`] or the [`Tx`] itself); writes take `&mut Tx`, and a `Tx`
//! exists only inside [`Db::write`], which also stores the events that the work emitted. So neither a change without
//! its event nor an event without its change can be written.

mod clock;
pub(crate) mod columns;
mod leased;
mod line;
mod lock;
mod memory;
pub mod migrate;
mod open;
mod readers;
mod recent;
pub(crate) mod relay;
mod silence;
pub(crate) mod sqlite;
mod stored;
pub(crate) mod write;
mod writer;

use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use sqlx::{Database, PgConnection, PgPool, Postgres};
use tokio::sync::watch;
use uuid::Uuid;

use leased::Leased;
pub use open::{Opened, open, open_to_read};
use readers::{Moment, Readers, Reading};
pub(crate) use silence::bounded;
use sqlite::{Connection, Sqlite};
pub use stored::whether_stored;
pub use write::Tx;

use crate::fault::Result;

/// PostgreSQL would show each query what was committed before that query.
const SNAPSHOT: &str = "begin isolation level repeatable read read only";

/// One of the two engines.
#[derive(Clone, Debug)]
pub enum Engine<S, P> {
    /// Embedded.
    Sqlite(S),
    /// Scaled.
    Postgres(P),
}

/// The record. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    pub(crate) pools: Engine<Arc<Readers>, PgPool>,
    pub(crate) writer: Option<writer::Writer>,
    pub(crate) head: Arc<watch::Sender<i64>>,
    pub(crate) epoch: Uuid,
    /// SQLite only: what this process committed last.
    pub(crate) recent: Arc<recent::Recent>,
    /// PostgreSQL only: posts that wait for one transaction.
    lines: Arc<line::Lines>,
    /// Pieces of work that this process wrote, or tried to.
    write_count: Arc<AtomicU64>,
    /// Held as long as anyone holds the database: a second process must not open the same folder.
    _lock: Option<Arc<lock::DirectoryLock>>,
}

/// A place to read from, outside any transaction.
pub struct Reader(Engine<Arc<Readers>, PgPool>);

/// A place to read from, where everything is as it was at one moment: whoever was let in by the first query of it reads
/// nothing that was written after they were put out.
pub struct Snapshot(Engine<Moment, Leased>);

/// The same for what is read at once: on SQLite whoever reads does it beside the file, and waits for nothing else.
pub struct Look<'c>(Engine<&'c mut Connection, &'c mut PgConnection>);

/// A connection, owned or lent.
pub enum Lease<'c, D: Database, P> {
    /// From the pool, back when dropped.
    Pooled(P),
    /// The transaction's own.
    Lent(&'c mut D::Connection),
}

impl<D: Database, P: Deref<Target = D::Connection>> Deref for Lease<'_, D, P> {
    type Target = D::Connection;
    fn deref(&self) -> &D::Connection {
        match self {
            Self::Pooled(it) => it,
            Self::Lent(it) => it,
        }
    }
}

impl<D: Database, P: DerefMut<Target = D::Connection>> DerefMut for Lease<'_, D, P> {
    fn deref_mut(&mut self) -> &mut D::Connection {
        match self {
            Self::Pooled(it) => it,
            Self::Lent(it) => it,
        }
    }
}

/// Whatever can be read from.
pub trait Read: Send {
    /// A connection for one query.
    fn lease(
        &mut self,
    ) -> impl Future<Output = Result<Engine<Lease<'_, Sqlite, Reading>, Lease<'_, Postgres, Leased>>>> + Send;
}

impl Read for Reader {
    async fn lease(&mut self) -> Result<Engine<Lease<'_, Sqlite, Reading>, Lease<'_, Postgres, Leased>>> {
        Ok(match &self.0 {
            Engine::Sqlite(readers) => Engine::Sqlite(Lease::Pooled(readers.take().await?)),
            Engine::Postgres(pool) => Engine::Postgres(Lease::Pooled(Leased::of(pool).await?)),
        })
    }
}

impl Read for Snapshot {
    async fn lease(&mut self) -> Result<Engine<Lease<'_, Sqlite, Reading>, Lease<'_, Postgres, Leased>>> {
        Ok(match &mut self.0 {
            Engine::Sqlite(it) => Engine::Sqlite(Lease::Lent(it.connection())),
            Engine::Postgres(it) => Engine::Postgres(Lease::Lent(&mut **it)),
        })
    }
}

impl Read for Look<'_> {
    async fn lease(&mut self) -> Result<Engine<Lease<'_, Sqlite, Reading>, Lease<'_, Postgres, Leased>>> {
        Ok(match &mut self.0 {
            Engine::Sqlite(it) => Engine::Sqlite(Lease::Lent(&mut **it)),
            Engine::Postgres(it) => Engine::Postgres(Lease::Lent(&mut **it)),
        })
    }
}

impl Db {
    /// A place to read from.
    #[must_use]
    pub fn read(&self) -> Reader {
        Reader(self.pools.clone())
    }

    /// A place to read what stands in a channel from, together with the right to it: on two connections the second
    /// query may wait for its own while the right is taken away.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        Ok(Snapshot(match &self.pools {
            Engine::Sqlite(readers) => Engine::Sqlite(Moment::begin(readers.take().await?).await?),
            Engine::Postgres(pool) => Engine::Postgres(Leased::begin(pool, SNAPSHOT).await?),
        }))
    }

    /// The same for what is asked often: `work` runs beside the file on SQLite, on one way there and back however much it asks.
    /// `work` must wait for nothing but what it reads: on SQLite it fails otherwise ([`crate::Fault::Internal`]), on PostgreSQL it
    /// would not.
    ///
    /// # Errors
    /// What `work` answers, and those of the record.
    pub async fn look<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Look<'t>) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        match &self.pools {
            Engine::Sqlite(readers) => readers.look(work).await,
            Engine::Postgres(pool) => {
                let mut moment = Leased::begin(pool, SNAPSHOT).await?;
                let mut look = Look(Engine::Postgres(&mut *moment));
                work(&mut look).await
            }
        }
    }

    /// How many statements SQLite's readers were asked since the record was opened; zero on PostgreSQL.
    #[must_use]
    pub fn statement_count(&self) -> u64 {
        match &self.pools {
            Engine::Sqlite(readers) => readers.statement_count(),
            Engine::Postgres(_) => 0,
        }
    }

    /// How many pieces of work were handed to the record to be written since it was opened.
    #[must_use]
    pub fn write_count(&self) -> u64 {
        self.write_count.load(Ordering::Relaxed)
    }

    fn count_write(&self) {
        self.write_count.fetch_add(1, Ordering::Relaxed);
    }

    /// `sqlite` or `postgres`.
    #[must_use]
    pub fn engine_name(&self) -> &'static str {
        match self.pools {
            Engine::Sqlite(_) => "sqlite",
            Engine::Postgres(_) => "postgres",
        }
    }

    /// Whether this process holds the record in its own folder.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        matches!(self.pools, Engine::Sqlite(_))
    }

    /// The log's epoch: positions of another epoch mean nothing.
    #[must_use]
    pub fn epoch(&self) -> Uuid {
        self.epoch
    }

    /// Wakes when this process has committed new events. In embedded mode the value is the newest `pos`; in scaled
    /// mode it only counts commits, since the relay gives positions later.
    #[must_use]
    pub fn commits(&self) -> watch::Receiver<i64> {
        self.head.subscribe()
    }

    /// Waits for running writes and closes the files.
    pub async fn close(&self) {
        match &self.pools {
            Engine::Sqlite(readers) => {
                // Readers first: only the last connection to close can fold the write-ahead log into the file.
                readers.close().await;
                if let Some(writer) = &self.writer {
                    writer.close().await;
                }
            }
            Engine::Postgres(pool) => pool.close().await,
        }
    }
}

/// `($first, $first+1, …)` for `count` values.
pub(crate) fn placeholders(first: usize, count: usize) -> String {
    let mut text = String::with_capacity(count * 5 + 2);
    text.push('(');
    for place in first..first + count {
        if place > first {
            text.push(',');
        }
        text.push('$');
        text.push_str(&place.to_string());
    }
    text.push(')');
    text
}

/// Runs one query, type-checked once per engine.
macro_rules! run {
    ($on:expr, $query:expr, execute) => {
        match $crate::db::Read::lease($on).await? {
            $crate::db::Engine::Sqlite(mut it) => {
                $query.execute(&mut *it).await.map(|done| done.rows_affected())
            }
            $crate::db::Engine::Postgres(mut it) => {
                $crate::db::bounded($query.execute(&mut *it)).await.map(|done| done.rows_affected())
            }
        }
    };
    ($on:expr, $query:expr, $verb:ident) => {
        match $crate::db::Read::lease($on).await? {
            $crate::db::Engine::Sqlite(mut it) => $query.$verb(&mut *it).await,
            $crate::db::Engine::Postgres(mut it) => $crate::db::bounded($query.$verb(&mut *it)).await,
        }
    };
}

/// Makes a type of a statement's columns in the order in which both name them: by name, as the derived code does, each
/// value of each row is looked up in a table first, 1,600 times for a page of messages.
macro_rules! from_columns {
    ($type:ident { $($field:ident),+ $(,)? }) => {
        $crate::db::from_columns!($crate::db::sqlite::Row => $type { $($field),+ });
        $crate::db::from_columns!(sqlx::postgres::PgRow => $type { $($field),+ });
    };
    ($row:ty => $type:ident { $($field:ident),+ }) => {
        impl sqlx::FromRow<'_, $row> for $type {
            fn from_row(row: &$row) -> sqlx::Result<Self> {
                let mut places = 0_usize..;
                let mut place = || places.next().unwrap_or_default();
                Ok(Self { $($field: sqlx::Row::try_get(row, place())?),+ })
            }
        }
    };
}

/// Rows of one statement whose text is kept prepared.
const TOGETHER: usize = 64;

/// Rows in parts whose lengths are powers of two: so there are seven texts of each statement, each prepared once, where
/// every number of rows would have its own.
pub(crate) fn parts<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let most = rows.len().min(TOGETHER);
        let (part, rest) = rows.split_at_checked(1 << most.checked_ilog2()?)?;
        rows = rest;
        Some(part)
    })
}

/// Ids in a list that is as long as a power of two, the last of them repeated: few texts, as with [`parts`]. A long list
/// stays as it is, and its text is not kept.
pub(crate) fn padded<T: Copy>(ids: &[T]) -> (Vec<T>, bool) {
    let mut ids = ids.to_vec();
    let is_kept = ids.len() <= TOGETHER;
    if let Some(last) = ids.last().copied().filter(|_| is_kept) {
        ids.resize(ids.len().next_power_of_two(), last);
    }
    (ids, is_kept)
}

/// `run_in!(on, Row, "select … where id in", ids, "order by …")`: fetches all rows for a list of ids, or none for an
/// empty list. `binds` come before the list.
macro_rules! run_in {
    ($on:expr, $row:ty, $head:expr, $ids:expr, $tail:expr $(, bind $bind:expr)*) => {{
        let ids = $ids;
        if ids.is_empty() {
            Ok(Vec::<$row>::new())
        } else {
            let before = [$(stringify!($bind)),*] as [&str; { 0 $(+ { let _ = stringify!($bind); 1 })* }];
            let (ids, is_kept) = $crate::db::padded(&ids[..]);
            let list = $crate::db::placeholders(before.len() + 1, ids.len());
            let text = format!("{} {} {}", $head, list, $tail);
            match $crate::db::Read::lease($on).await? {
                $crate::db::Engine::Sqlite(mut it) => {
                    let mut query = sqlx::query_as::<_, $row>(sqlx::AssertSqlSafe(text)).persistent(is_kept)$(.bind($bind))*;
                    for id in ids { query = query.bind(id); }
                    query.fetch_all(&mut *it).await
                }
                $crate::db::Engine::Postgres(mut it) => {
                    let mut query = sqlx::query_as::<_, $row>(sqlx::AssertSqlSafe(text)).persistent(is_kept)$(.bind($bind))*;
                    for id in ids { query = query.bind(id); }
                    $crate::db::bounded(query.fetch_all(&mut *it)).await
                }
            }
        }
    }};
}

/// `insert_rows!(on, "insert into t (a, b)", rows, |place, row| place.push_bind(row.a).push_bind(row.b), "on conflict …")`:
/// one statement for up to 64 rows on SQLite, for up to a thousand on PostgreSQL. Any statement does that has a list of rows
/// between its head and its tail.
macro_rules! insert_rows {
    ($on:expr, $head:expr, $rows:expr, |$place:ident, $row:ident| $bind:expr, $tail:expr) => {{
        let mut written = 0_u64;
        match $crate::db::Read::lease($on).await? {
            $crate::db::Engine::Sqlite(mut it) => {
                for part in $crate::db::parts(&$rows[..]) {
                    let mut query = sqlx::QueryBuilder::<$crate::db::sqlite::Sqlite>::new($head);
                    query.push_values(part, |mut $place, $row| {
                        $bind;
                    });
                    query.push(" ").push($tail);
                    written += query.build().execute(&mut *it).await?.rows_affected();
                }
            }
            $crate::db::Engine::Postgres(mut it) => {
                for part in $rows.chunks($crate::db::columns::AT_ONCE) {
                    let (list, values) = $crate::db::columns::of_rows(part, |$place, $row| {
                        $bind;
                    })?;
                    let text = format!("{}{list} {}", $head, $tail);
                    let query = sqlx::query_with(sqlx::AssertSqlSafe(text), values);
                    written += $crate::db::bounded(query.execute(&mut *it)).await?.rows_affected();
                }
            }
        }
        written
    }};
}

/// `fetch_rows!(on, Row, "with asked (a) as (", rows, |place, row| place.push_bind(row.a), ") select … from asked …")`:
/// the same for statements that answer rows.
macro_rules! fetch_rows {
    ($on:expr, $as:ty, $head:expr, $rows:expr, |$place:ident, $row:ident| $bind:expr, $tail:expr) => {{
        let mut found: Vec<$as> = Vec::new();
        match $crate::db::Read::lease($on).await? {
            $crate::db::Engine::Sqlite(mut it) => {
                for part in $crate::db::parts(&$rows[..]) {
                    let mut query = sqlx::QueryBuilder::<$crate::db::sqlite::Sqlite>::new($head);
                    query.push_values(part, |mut $place, $row| {
                        $bind;
                    });
                    query.push($tail);
                    found.extend(query.build_query_as::<$as>().fetch_all(&mut *it).await?);
                }
            }
            $crate::db::Engine::Postgres(mut it) => {
                for part in $rows.chunks($crate::db::columns::AT_ONCE) {
                    let (list, values) = $crate::db::columns::of_rows(part, |$place, $row| {
                        $bind;
                    })?;
                    let text = format!("{}{list}{}", $head, $tail);
                    let query = sqlx::query_as_with::<_, $as, _>(sqlx::AssertSqlSafe(text), values);
                    found.extend($crate::db::bounded(query.fetch_all(&mut *it)).await?);
                }
            }
        }
        found
    }};
}

pub(crate) use {fetch_rows, from_columns, insert_rows, run, run_in};

#[cfg(test)]
mod tests {
    use super::{padded, parts};

    #[test]
    fn rows_come_in_parts_of_few_lengths() {
        let lengths = |count: usize| parts(&vec![0; count]).map(<[i32]>::len).collect::<Vec<_>>();
        assert_eq!(lengths(0), [0; 0]);
        assert_eq!(lengths(1), [1]);
        assert_eq!(lengths(45), [32, 8, 4, 1]);
        assert_eq!(lengths(200), [64, 64, 64, 8]);
        assert_eq!(padded(&[1, 2, 3]), (vec![1, 2, 3, 3], true));
        assert!(!padded(&[0; 65]).1);
    }
}
