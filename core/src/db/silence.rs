//! A PostgreSQL that says nothing.
//!
//! Its machine may go without a word. Then nobody closes the connections to it, and where it had taken a question there is nothing
//! left to send that could fail: neither the driver nor TCP would ever give up the wait for the answer.

use std::future::Future;
use std::io;
use std::time::Duration;

use futures_util::FutureExt as _;
use sqlx::{Connection as _, PgConnection};

/// Longer than any statement takes (docs/limits.md): who waits for a lock gives up after 5 s.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// A disk that stands still holds commits up, and when one is given up nobody knows whether it held.
const COMMITTED_WITHIN: Duration = Duration::from_secs(30);
/// Whoever needs a connection that was idle waits no longer for one that may be dead: of the wait for a place
/// ([`super::open::ACQUIRE`]) enough is left to make another one.
const AWAKE_WITHIN: Duration = Duration::from_secs(2);

/// What PostgreSQL answers. (No `async`: each level of it would hold the question a second time, and requests grow by kilobytes.)
///
/// # Errors
/// Its own, and one of input and output when it says nothing for 10 s.
pub(crate) fn bounded<T>(
    asked: impl Future<Output = sqlx::Result<T>>,
) -> impl Future<Output = sqlx::Result<T>> {
    within(ANSWERED_WITHIN, asked)
}

/// The same for a commit.
pub(super) fn bounded_commit<T>(
    asked: impl Future<Output = sqlx::Result<T>>,
) -> impl Future<Output = sqlx::Result<T>> {
    within(COMMITTED_WITHIN, asked)
}

/// Whether a connection that was idle may be used. An error means that it is closed, and another one made.
pub(super) async fn is_awake(connection: &mut PgConnection) -> sqlx::Result<bool> {
    within(AWAKE_WITHIN, connection.ping()).await.map(|()| true)
}

fn within<T>(
    time: Duration,
    asked: impl Future<Output = sqlx::Result<T>>,
) -> impl Future<Output = sqlx::Result<T>> {
    tokio::time::timeout(time, asked)
        .map(|answer| answer.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into())))
}
