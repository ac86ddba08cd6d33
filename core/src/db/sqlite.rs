//! SQLite behind sqlx's interface, so that one text of a statement and one way of asking serve both engines.
//!
//! The crate's own driver copies each value of each row into an allocation of SQLite's, hands rows to the asker one by one, and
//! keeps a thread for every connection: a page of fifty messages is 1,500 allocations and a dozen ways from thread to thread.
//! Here a connection runs on the thread that holds it, and all rows of an answer lie in one piece of memory ([`answer`]). Whoever
//! must not be held up by a disk gives the connection a thread of its own ([`thread`]), and asks there as much as belongs
//! together at once.
//!
//! Opening a file for the first time and its migrations are still the crate's.

pub(super) mod answer;
mod connection;
mod refusal;
mod thread;
mod values;

use sqlx::SqlStr;
use sqlx::database::HasStatementCache;
use sqlx_core::transaction::TransactionManager;

pub use answer::{Column, Row};
pub use connection::{Connection, Options, STATEMENTS};
pub use values::{Arguments, Held, Lent, TypeInfo};

/// The engine, as sqlx names engines.
#[derive(Debug)]
pub struct Sqlite;

impl sqlx::Database for Sqlite {
    type Connection = Connection;
    type TransactionManager = Transactions;
    type Row = Row;
    type QueryResult = Done;
    type Column = Column;
    type TypeInfo = TypeInfo;
    type Value = Held;
    type ValueRef<'r> = Lent<'r>;
    type Arguments = Arguments;
    type ArgumentBuffer = Vec<Held>;
    type Statement = connection::Prepared;

    const NAME: &'static str = "SQLite";
    const URL_SCHEMES: &'static [&'static str] = &["sqlite"];
}

impl HasStatementCache for Sqlite {}

/// What a statement did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    changes: u64,
}

impl Done {
    /// Rows that it wrote or deleted.
    pub fn rows_affected(self) -> u64 {
        self.changes
    }
}

impl Extend<Self> for Done {
    fn extend<T: IntoIterator<Item = Self>>(&mut self, others: T) {
        self.changes += others.into_iter().map(|it| it.changes).sum::<u64>();
    }
}

/// The interface asks for it. Nobody here begins so: the writer and [`super::readers::Moment`] say what they need.
pub struct Transactions;

impl TransactionManager for Transactions {
    type Database = Sqlite;

    async fn begin(on: &mut Connection, statement: Option<SqlStr>) -> sqlx::Result<()> {
        on.say(statement.unwrap_or(SqlStr::from_static("begin"))).await
    }

    async fn commit(on: &mut Connection) -> sqlx::Result<()> {
        on.say(SqlStr::from_static("commit")).await
    }

    async fn rollback(on: &mut Connection) -> sqlx::Result<()> {
        on.say(SqlStr::from_static("rollback")).await
    }

    fn start_rollback(on: &mut Connection) {
        on.let_go();
    }

    fn get_transaction_depth(_: &Connection) -> usize {
        0
    }
}
