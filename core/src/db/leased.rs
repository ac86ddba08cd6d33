//! A connection of PostgreSQL's pool that comes back to it as it was, or not at all.
//!
//! sqlx alone would give back one whose transaction was begun by a statement that nobody waited for any more: a client that goes away
//! drops its request wherever it stands, and the next who reads over that connection would see the record of that moment for ever
//! (sqlx 0.9.0, issue 4393). And its pool asks each whether it lives before it takes it back, without a bound: over a machine that is
//! gone without a word the place would never be free again.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Executor, PgConnection, PgPool, Postgres};

use super::silence::{bounded, bounded_commit};

/// A connection that is asked for nothing more answers by then, or is closed.
const BACK_WITHIN: Duration = Duration::from_secs(2);

/// One place of the pool.
pub struct Leased {
    /// Absent when it was given back.
    connection: Option<PoolConnection<Postgres>>,
    /// Whether a transaction is open, or may be.
    in_transaction: bool,
}

impl Leased {
    /// Waits for a place.
    pub(super) async fn of(pool: &PgPool) -> sqlx::Result<Self> {
        Ok(Self { connection: Some(bounded(pool.acquire()).await?), in_transaction: false })
    }

    /// Waits for a place, and begins a transaction with `statement`.
    pub(super) async fn begin(pool: &PgPool, statement: &'static str) -> sqlx::Result<Self> {
        let mut leased = Self::of(pool).await?;
        // Before it is sent: whoever gives up from here on leaves one behind.
        leased.in_transaction = true;
        bounded(leased.execute(statement)).await?;
        Ok(leased)
    }

    /// Ends the transaction. Whatever happens to it otherwise takes it back.
    ///
    /// # Errors
    /// After one of input and output nobody knows whether it held.
    pub(super) async fn commit(mut self) -> sqlx::Result<()> {
        bounded_commit(self.execute("commit")).await?;
        self.in_transaction = false;
        Ok(())
    }
}

impl Deref for Leased {
    type Target = PgConnection;
    #[allow(clippy::expect_used)] // proven: only `drop` takes it
    fn deref(&self) -> &PgConnection {
        self.connection.as_ref().expect("a lease has its connection until it ends")
    }
}

impl DerefMut for Leased {
    #[allow(clippy::expect_used)] // proven: only `drop` takes it
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect("a lease has its connection until it ends")
    }
}

impl Drop for Leased {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let in_transaction = self.in_transaction;
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            // The process ends, and nobody could wait for the answer.
            drop(connection.detach());
            return;
        };
        runtime.spawn(async move {
            if in_transaction {
                let taken_back = tokio::time::timeout(BACK_WITHIN, connection.execute("rollback")).await;
                if !matches!(taken_back, Ok(Ok(_))) {
                    drop(connection.detach());
                    return;
                }
            }
            // Given up, it is closed and its place is free; its own end would ask again, without a bound.
            let _ = tokio::time::timeout(BACK_WITHIN, connection.return_to_pool()).await;
        });
    }
}
