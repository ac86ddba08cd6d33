//! Whether anything of a call stands in the record, for who must know when the call itself failed.

use std::cell::Cell;
use std::future::Future;

use crate::fault::{Fault, Result};

tokio::task_local! {
    static STORED: Cell<bool>;
}

/// Does `work`, and answers beside its answer whether it stored something, or may have: a commit whose end nobody saw counts.
/// What it leaves to tasks of its own does not.
pub async fn whether_stored<T>(work: impl Future<Output = T>) -> (T, bool) {
    let watched = async { (work.await, STORED.with(Cell::get)) };
    STORED.scope(Cell::new(false), watched).await
}

/// Tells whoever watches how a transaction ended. On SQLite the next commit overwrites what one that failed has left, so whoever
/// can still write knows that nothing of it stands.
pub(super) fn ended<T>(outcome: Result<T>, is_sqlite: bool) -> Result<T> {
    if outcome.is_ok() || (!is_sqlite && matches!(outcome, Err(Fault::Unconfirmed))) {
        // Outside of [`whether_stored`] nobody asks.
        let _ = STORED.try_with(|stored| stored.set(true));
    }
    outcome
}
