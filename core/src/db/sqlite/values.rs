//! Values, as they are bound and as they stand in rows.

use std::borrow::Cow;
use std::fmt;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef as Raw};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::{Decode, Encode, Type};
use uuid::Uuid;

use super::Sqlite;

/// What a value can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeInfo {
    /// None.
    Null,
    /// A whole number, or yes and no.
    Integer,
    /// A number.
    Real,
    /// Words.
    Text,
    /// Bytes: ids among them.
    Blob,
}

impl fmt::Display for TypeInfo {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(sqlx::TypeInfo::name(self))
    }
}

impl sqlx::TypeInfo for TypeInfo {
    fn is_null(&self) -> bool {
        *self == Self::Null
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Integer => "INTEGER",
            Self::Real => "REAL",
            Self::Text => "TEXT",
            Self::Blob => "BLOB",
        }
    }
}

/// A value of a row.
#[derive(Clone, Copy, Debug)]
pub enum Lent<'r> {
    /// None.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number.
    Real(f64),
    /// Words, as SQLite has them: whether they are UTF-8 is looked at when they are read.
    Text(&'r [u8]),
    /// Bytes.
    Blob(&'r [u8]),
}

/// A value of its own, and what is bound to a statement.
#[derive(Clone, Debug)]
pub enum Held {
    /// None.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number.
    Real(f64),
    /// Words.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
    /// An id: sixteen bytes.
    Id(Uuid),
}

impl<'r> sqlx::ValueRef<'r> for Lent<'r> {
    type Database = Sqlite;

    fn to_owned(&self) -> Held {
        match *self {
            Self::Null => Held::Null,
            Self::Integer(value) => Held::Integer(value),
            Self::Real(value) => Held::Real(value),
            Self::Text(text) => Held::Text(String::from_utf8_lossy(text).into_owned()),
            Self::Blob(blob) => Held::Blob(blob.to_vec()),
        }
    }

    fn type_info(&self) -> Cow<'_, TypeInfo> {
        Cow::Owned(match self {
            Self::Null => TypeInfo::Null,
            Self::Integer(_) => TypeInfo::Integer,
            Self::Real(_) => TypeInfo::Real,
            Self::Text(_) => TypeInfo::Text,
            Self::Blob(_) => TypeInfo::Blob,
        })
    }

    fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl sqlx::Value for Held {
    type Database = Sqlite;

    fn as_ref(&self) -> Lent<'_> {
        match self {
            Self::Null => Lent::Null,
            Self::Integer(value) => Lent::Integer(*value),
            Self::Real(value) => Lent::Real(*value),
            Self::Text(text) => Lent::Text(text.as_bytes()),
            Self::Blob(blob) => Lent::Blob(blob),
            Self::Id(id) => Lent::Blob(id.as_bytes()),
        }
    }

    fn type_info(&self) -> Cow<'_, TypeInfo> {
        Cow::Owned(sqlx::ValueRef::type_info(&sqlx::Value::as_ref(self)).into_owned())
    }

    fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl ToSql for Held {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => Raw::Null,
            Self::Integer(value) => Raw::Integer(*value),
            Self::Real(value) => Raw::Real(*value),
            Self::Text(text) => Raw::Text(text.as_bytes()),
            Self::Blob(blob) => Raw::Blob(blob),
            Self::Id(id) => Raw::Blob(id.as_bytes()),
        }))
    }
}

/// What is bound to a statement, in order.
#[derive(Default)]
pub struct Arguments(pub(super) Vec<Held>);

impl sqlx::Arguments for Arguments {
    type Database = Sqlite;

    fn reserve(&mut self, additional: usize, _: usize) {
        self.0.reserve(additional);
    }

    fn add<'t, T: Encode<'t, Sqlite> + Type<Sqlite>>(&mut self, value: T) -> Result<(), BoxDynError> {
        let before = self.0.len();
        match value.encode(&mut self.0) {
            Ok(IsNull::No) => Ok(()),
            Ok(IsNull::Yes) => {
                self.0.push(Held::Null);
                Ok(())
            }
            Err(error) => {
                self.0.truncate(before);
                Err(error)
            }
        }
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

impl sqlx::IntoArguments<Sqlite> for Arguments {
    fn into_arguments(self) -> Self {
        self
    }
}

impl<'q, T: Encode<'q, Sqlite> + Type<Sqlite> + 'q> Encode<'q, Sqlite> for Option<T> {
    fn encode(self, values: &mut Vec<Held>) -> Result<IsNull, BoxDynError> {
        self.map_or(Ok(IsNull::Yes), |it| it.encode(values))
    }

    fn encode_by_ref(&self, values: &mut Vec<Held>) -> Result<IsNull, BoxDynError> {
        self.as_ref().map_or(Ok(IsNull::Yes), |it| it.encode_by_ref(values))
    }

    fn produces(&self) -> Option<TypeInfo> {
        self.as_ref().map_or_else(|| Some(T::type_info()), sqlx::Encode::produces)
    }
}

/// A type that is bound as one of [`Held`] and read from some of [`Lent`].
macro_rules! stored {
    ($type:ty as $info:ident from $($also:ident)|+, |$value:ident| $held:expr, |$lent:ident| $decoded:expr) => {
        stored!(only $type as $info from $($also)|+);

        impl Encode<'_, Sqlite> for $type {
            fn encode_by_ref(&self, values: &mut Vec<Held>) -> Result<IsNull, BoxDynError> {
                let $value = self;
                values.push($held);
                Ok(IsNull::No)
            }
        }

        impl<'r> Decode<'r, Sqlite> for $type {
            fn decode($lent: Lent<'r>) -> Result<Self, BoxDynError> {
                $decoded
            }
        }
    };
    (only $type:ty as $info:ident from $($also:ident)|+) => {
        impl Type<Sqlite> for $type {
            fn type_info() -> TypeInfo {
                TypeInfo::$info
            }

            fn compatible(info: &TypeInfo) -> bool {
                matches!(info, $(TypeInfo::$also)|+)
            }
        }
    };
}

stored!(bool as Integer from Integer, |it| Held::Integer((*it).into()), |it| Ok(integer(it)? != 0));
stored!(i32 as Integer from Integer, |it| Held::Integer((*it).into()), |it| Ok(integer(it)?.try_into()?));
stored!(i64 as Integer from Integer, |it| Held::Integer(*it), |it| integer(it));
stored!(f64 as Real from Real, |it| Held::Real(*it), |it| real(it));
stored!(Uuid as Blob from Blob | Text, |it| Held::Id(*it), |it| Ok(Self::from_slice(bytes(it)?)?));
stored!(only str as Text from Text);
stored!(only [u8] as Blob from Blob | Text);
stored!(only String as Text from Text);
stored!(only Vec<u8> as Blob from Blob | Text);

impl Encode<'_, Sqlite> for &'_ str {
    fn encode_by_ref(&self, values: &mut Vec<Held>) -> Result<IsNull, BoxDynError> {
        values.push(Held::Text((*self).to_owned()));
        Ok(IsNull::No)
    }
}

impl<'r> Decode<'r, Sqlite> for &'r str {
    fn decode(value: Lent<'r>) -> Result<Self, BoxDynError> {
        Ok(std::str::from_utf8(bytes(value)?)?)
    }
}

impl Encode<'_, Sqlite> for String {
    fn encode(self, values: &mut Vec<Held>) -> Result<IsNull, BoxDynError> {
        values.push(Held::Text(self));
        Ok(IsNull::No)
    }

    fn encode_by_ref(&self, values: &mut Vec<Held>) -> Result<IsNull, BoxDynError> {
        values.push(Held::Text(self.clone()));
        Ok(IsNull::No)
    }
}

impl<'r> Decode<'r, Sqlite> for String {
    fn decode(value: Lent<'r>) -> Result<Self, BoxDynError> {
        <&str as Decode<Sqlite>>::decode(value).map(str::to_owned)
    }
}

impl Encode<'_, Sqlite> for &'_ [u8] {
    fn encode_by_ref(&self, values: &mut Vec<Held>) -> Result<IsNull, BoxDynError> {
        values.push(Held::Blob(self.to_vec()));
        Ok(IsNull::No)
    }
}

impl Encode<'_, Sqlite> for Vec<u8> {
    fn encode(self, values: &mut Vec<Held>) -> Result<IsNull, BoxDynError> {
        values.push(Held::Blob(self));
        Ok(IsNull::No)
    }

    fn encode_by_ref(&self, values: &mut Vec<Held>) -> Result<IsNull, BoxDynError> {
        values.push(Held::Blob(self.clone()));
        Ok(IsNull::No)
    }
}

impl<'r> Decode<'r, Sqlite> for Vec<u8> {
    fn decode(value: Lent<'r>) -> Result<Self, BoxDynError> {
        Ok(bytes(value)?.to_vec())
    }
}

fn integer(value: Lent<'_>) -> Result<i64, BoxDynError> {
    match value {
        Lent::Integer(value) => Ok(value),
        other => Err(unlike("a whole number", other)),
    }
}

fn real(value: Lent<'_>) -> Result<f64, BoxDynError> {
    match value {
        Lent::Real(value) => Ok(value),
        Lent::Integer(value) => Ok(value as f64),
        other => Err(unlike("a number", other)),
    }
}

fn bytes(value: Lent<'_>) -> Result<&[u8], BoxDynError> {
    match value {
        Lent::Text(bytes) | Lent::Blob(bytes) => Ok(bytes),
        other => Err(unlike("a text or bytes", other)),
    }
}

fn unlike(wanted: &str, found: Lent<'_>) -> BoxDynError {
    format!("{} where {wanted} was expected", sqlx::ValueRef::type_info(&found)).into()
}
