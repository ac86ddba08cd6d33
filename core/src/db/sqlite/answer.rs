//! What a statement answers: all rows at once, in one piece of memory that its rows share.

use std::sync::Arc;

use rusqlite::Statement;
use rusqlite::types::ValueRef;
use sqlx::{ColumnIndex, Either, SqlStr};

use super::refusal::refused;
use super::values::{Held, Lent, TypeInfo};
use super::{Done, Sqlite};

/// A statement and what is bound to it.
pub struct Asked {
    pub sql: SqlStr,
    pub values: Vec<Held>,
    /// Whether its plan stays.
    pub is_kept: bool,
}

/// Rows of one statement, one behind the other.
#[derive(Debug)]
pub struct Answer {
    columns: Box<[Column]>,
    cells: Vec<Cell>,
    /// Texts and blobs.
    bytes: Vec<u8>,
    done: Done,
}

/// A value; of a text or blob where it begins among the bytes, and how long it is.
#[derive(Clone, Copy, Debug)]
enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(u32, u32),
    Blob(u32, u32),
}

/// Has SQLite do it to the end, on this thread.
///
/// # Errors
/// The engine's; that of an answer of more than 4 GiB.
pub fn answer(on: &rusqlite::Connection, asked: &Asked) -> sqlx::Result<Answer> {
    let sql = asked.sql.as_str();
    if asked.is_kept {
        let mut kept = on.prepare_cached(sql).map_err(refused)?;
        run(on, &mut kept, &asked.values)
    } else {
        let mut fresh = on.prepare(sql).map_err(refused)?;
        run(on, &mut fresh, &asked.values)
    }
}

fn run(on: &rusqlite::Connection, statement: &mut Statement<'_>, values: &[Held]) -> sqlx::Result<Answer> {
    bind(statement, values)?;
    let columns: Box<[Column]> = statement
        .column_names()
        .into_iter()
        .enumerate()
        .map(|(ordinal, name)| Column { ordinal, name: name.into() })
        .collect();
    let width = columns.len();
    let mut answer = Answer { columns, cells: Vec::new(), bytes: Vec::new(), done: Done::default() };
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(refused)? {
        answer.cells.reserve(width);
        for place in 0..width {
            let cell = match row.get_ref(place).map_err(refused)? {
                ValueRef::Null => Cell::Null,
                ValueRef::Integer(value) => Cell::Integer(value),
                ValueRef::Real(value) => Cell::Real(value),
                ValueRef::Text(text) => {
                    let (start, length) = put(&mut answer.bytes, text)?;
                    Cell::Text(start, length)
                }
                ValueRef::Blob(blob) => {
                    let (start, length) = put(&mut answer.bytes, blob)?;
                    Cell::Blob(start, length)
                }
            };
            answer.cells.push(cell);
        }
    }
    drop(rows);
    // SQLite goes on answering what an earlier statement wrote.
    answer.done = Done { changes: if statement.readonly() { 0 } else { on.changes() } };
    Ok(answer)
}

fn put(bytes: &mut Vec<u8>, value: &[u8]) -> sqlx::Result<(u32, u32)> {
    let too_long = |_| sqlx::Error::Protocol("an answer of more than 4 GiB".into());
    let start = u32::try_from(bytes.len()).map_err(too_long)?;
    let length = u32::try_from(value.len()).map_err(too_long)?;
    bytes.extend_from_slice(value);
    Ok((start, length))
}

/// `$2` is the second value wherever it stands; a bare `?` the one behind that of the `?` before it.
fn bind(statement: &mut Statement<'_>, values: &[Held]) -> sqlx::Result<()> {
    let (mut passed, mut highest) = (0, 0);
    for place in 1..=statement.parameter_count() {
        let number = if let Some(name) = statement.parameter_name(place) {
            name[1..]
                .parse()
                .map_err(|_| sqlx::Error::Protocol(format!("a parameter has the name {name}")))?
        } else {
            passed += 1;
            passed
        };
        let value = usize::checked_sub(number, 1)
            .and_then(|before| values.get(before))
            .ok_or_else(|| sqlx::Error::Protocol(format!("nothing is bound as parameter {number}")))?;
        statement.raw_bind_parameter(place, value).map_err(refused)?;
        highest = highest.max(number);
    }
    // PostgreSQL refuses it too.
    if values.len() > highest {
        return Err(sqlx::Error::Protocol(format!("{} values for {highest} parameters", values.len())));
    }
    Ok(())
}

impl Answer {
    /// What the statement did.
    pub fn done(&self) -> Done {
        self.done
    }

    /// Its rows, and behind them what it did.
    pub fn steps(self) -> impl Iterator<Item = Either<Done, Row>> + Send {
        let done = self.done;
        self.rows().map(Either::Right).chain(std::iter::once(Either::Left(done)))
    }

    /// Its rows.
    pub fn rows(self) -> impl Iterator<Item = Row> + Send {
        let width = self.columns.len();
        let count = self.cells.len().checked_div(width).unwrap_or(0);
        let answer = Arc::new(self);
        (0..count).map(move |row| Row { answer: answer.clone(), first: row * width })
    }
}

/// A row of an answer.
#[derive(Debug)]
pub struct Row {
    answer: Arc<Answer>,
    first: usize,
}

impl sqlx::Row for Row {
    type Database = Sqlite;

    fn columns(&self) -> &[Column] {
        &self.answer.columns
    }

    fn try_get_raw<I: ColumnIndex<Self>>(&self, index: I) -> sqlx::Result<Lent<'_>> {
        let place = index.index(self)?;
        let len = self.answer.columns.len();
        let bytes = |start: u32, length: u32| {
            let start = start as usize;
            self.answer.bytes.get(start..start + length as usize).unwrap_or_default()
        };
        match self.answer.cells.get(self.first + place).filter(|_| place < len) {
            None => Err(sqlx::Error::ColumnIndexOutOfBounds { index: place, len }),
            Some(Cell::Null) => Ok(Lent::Null),
            Some(Cell::Integer(value)) => Ok(Lent::Integer(*value)),
            Some(Cell::Real(value)) => Ok(Lent::Real(*value)),
            Some(Cell::Text(start, length)) => Ok(Lent::Text(bytes(*start, *length))),
            Some(Cell::Blob(start, length)) => Ok(Lent::Blob(bytes(*start, *length))),
        }
    }
}

impl ColumnIndex<Row> for usize {
    fn index(&self, row: &Row) -> sqlx::Result<usize> {
        let len = row.answer.columns.len();
        if *self < len { Ok(*self) } else { Err(sqlx::Error::ColumnIndexOutOfBounds { index: *self, len }) }
    }
}

impl ColumnIndex<Row> for str {
    fn index(&self, row: &Row) -> sqlx::Result<usize> {
        let place = row.answer.columns.iter().position(|column| &*column.name == self);
        place.ok_or_else(|| sqlx::Error::ColumnNotFound(self.to_owned()))
    }
}

/// A column of an answer.
#[derive(Debug)]
pub struct Column {
    ordinal: usize,
    name: Box<str>,
}

impl sqlx::Column for Column {
    type Database = Sqlite;

    fn ordinal(&self) -> usize {
        self.ordinal
    }

    fn name(&self) -> &str {
        &self.name
    }

    /// Values have types in SQLite, columns have none.
    fn type_info(&self) -> &TypeInfo {
        &TypeInfo::Null
    }
}
