//! Rows as PostgreSQL takes them: an array for each column. Lists of any length share one text, which is prepared once, and
//! go in one round trip; a list of values would have a text for each length, or several round trips.

use std::any::Any;

use sqlx::encode::Encode;
use sqlx::postgres::{PgArguments, PgHasArrayType};
use sqlx::{Arguments, Postgres, Type};

use crate::fault::{Fault, Result};

/// Rows of one statement: arrays of more would only need more memory at once.
pub(crate) const AT_ONCE: usize = 1_000;

/// What stands between a statement's head and its tail for these rows, and what is bound to it: `push` pushes the values of a row,
/// each of the same type in every row.
///
/// # Errors
/// [`Fault::Internal`] for an array longer than the protocol counts.
pub(crate) fn of_rows<T>(
    rows: &[T],
    mut push: impl FnMut(&mut Columns, &T),
) -> Result<(String, PgArguments)> {
    let mut columns = Columns::default();
    for row in rows {
        columns.next = 0;
        push(&mut columns, row);
    }
    let places: Vec<String> = (1..=columns.columns.len()).map(|place| format!("${place}")).collect();
    let mut arguments = PgArguments::default();
    for column in columns.columns {
        column.add_to(&mut arguments).map_err(Fault::internal)?;
    }
    Ok((format!("select * from unnest({})", places.join(", ")), arguments))
}

/// The values of rows, by column.
#[derive(Default)]
pub(crate) struct Columns {
    columns: Vec<Box<dyn Column>>,
    /// Where the next value of the row goes.
    next: usize,
}

impl Columns {
    /// Adds the row's next value.
    pub fn push_bind<T>(&mut self, value: T) -> &mut Self
    where
        T: Send + 'static + PgHasArrayType,
        Vec<T>: for<'t> Encode<'t, Postgres> + Type<Postgres>,
    {
        match self.columns.get_mut(self.next).and_then(|column| column.as_any().downcast_mut::<Vec<T>>()) {
            Some(column) => column.push(value),
            // The first row. A value of another type in a later one would begin a column that the statement does not have.
            None => self.columns.push(Box::new(vec![value])),
        }
        self.next += 1;
        self
    }
}

type Added = std::result::Result<(), sqlx::error::BoxDynError>;

trait Column: Send {
    fn as_any(&mut self) -> &mut dyn Any;
    fn add_to(self: Box<Self>, arguments: &mut PgArguments) -> Added;
}

impl<T> Column for Vec<T>
where
    T: Send + 'static + PgHasArrayType,
    Self: for<'t> Encode<'t, Postgres> + Type<Postgres>,
{
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }

    fn add_to(self: Box<Self>, arguments: &mut PgArguments) -> Added {
        arguments.add(*self)
    }
}
