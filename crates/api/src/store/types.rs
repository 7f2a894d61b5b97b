//! SQL types of both databases: what `schema.rs` imports.
//!
//! `uuid` and `timestamptz` are PostgreSQL's own there and text on SQLite; diesel's `MultiConnection` needs one SQL type
//! that stands for both.

use super::any::MultiBackend;
use auth_types::{Role, SessionId, UserId};
use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromStaticSqlRow, Queryable};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
pub use diesel::sql_types::{Bool, Bytea, Int8, Nullable, Text};
use diesel::sql_types::{HasSqlType, SqlType};
use diesel::sqlite::{Sqlite, SqliteValue};

/// `timestamptz`; on SQLite a text whose order is that of time.
#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185))]
#[diesel(sqlite_type(name = "Text"))]
pub struct Timestamptz;

/// diesel's `table!` requires these for every column of a type with this name; no statement here uses them.
impl diesel::sql_types::ops::Add for Timestamptz {
    type Rhs = diesel::sql_types::Interval;
    type Output = Self;
}

impl diesel::sql_types::ops::Sub for Timestamptz {
    type Rhs = diesel::sql_types::Interval;
    type Output = Self;
}

/// `uuid`; on SQLite its text.
#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951))]
#[diesel(sqlite_type(name = "Text"))]
pub struct Uuid;

/// How SQLite stores an instant: UTC in a fixed width, so that the order of the texts is that of time.
const SQLITE_INSTANT: &str = "%Y-%m-%d %H:%M:%S%.6f";

/// An instant as a value in a statement. A row that is read has a plain `DateTime`.
#[derive(Debug, Clone, Copy, AsExpression)]
#[diesel(sql_type = Timestamptz)]
pub struct At(pub DateTime<Utc>);

/// A UUID as a value in a statement. A row that is read has a plain [`uuid::Uuid`], or a [`SessionId`].
#[derive(Debug, Clone, Copy, AsExpression)]
#[diesel(sql_type = Uuid)]
pub struct SqlUuid(pub uuid::Uuid);

impl From<SessionId> for SqlUuid {
    fn from(session: SessionId) -> Self {
        Self(session.0)
    }
}

impl ToSql<Timestamptz, Pg> for At {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<diesel::sql_types::Timestamptz, Pg>::to_sql(&self.0, out)
    }
}

impl FromSql<Timestamptz, Pg> for DateTime<Utc> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        FromSql::<diesel::sql_types::Timestamptz, Pg>::from_sql(value)
    }
}

impl ToSql<Timestamptz, Sqlite> for At {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.format(SQLITE_INSTANT).to_string());
        Ok(IsNull::No)
    }
}

impl FromSql<Timestamptz, Sqlite> for DateTime<Utc> {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(NaiveDateTime::parse_from_str(&text, SQLITE_INSTANT)?.and_utc())
    }
}

impl ToSql<Uuid, Pg> for SqlUuid {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<diesel::sql_types::Uuid, Pg>::to_sql(&self.0, out)
    }
}

impl FromSql<Uuid, Pg> for uuid::Uuid {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        FromSql::<diesel::sql_types::Uuid, Pg>::from_sql(value)
    }
}

impl ToSql<Uuid, Sqlite> for SqlUuid {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.hyphenated().to_string());
        Ok(IsNull::No)
    }
}

impl FromSql<Uuid, Sqlite> for uuid::Uuid {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self::parse_str(&text)?)
    }
}

impl<DB: Backend> FromSql<Uuid, DB> for SessionId
where
    uuid::Uuid: FromSql<Uuid, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        FromSql::<Uuid, DB>::from_sql(value).map(Self)
    }
}

/// Implements conversions for [`MultiBackend`] through those of both databases.
macro_rules! either_database {
    ($($sql:ident: $into:ty => $out_of:ty),+) => {$(
        impl HasSqlType<$sql> for MultiBackend {
            fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
                Self::lookup_sql_type::<$sql>(lookup)
            }
        }
        impl FromSql<$sql, MultiBackend> for $out_of {
            fn from_sql(value: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                value.from_sql::<$out_of, $sql>()
            }
        }
        impl ToSql<$sql, MultiBackend> for $into {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
                out.set_value(($sql, self));
                Ok(IsNull::No)
            }
        }
    )+};
}
either_database!(Timestamptz: At => DateTime<Utc>, Uuid: SqlUuid => uuid::Uuid);

impl<DB: Backend> Queryable<Uuid, DB> for SessionId
where
    Self: FromSql<Uuid, DB>,
{
    type Row = Self;
    fn build(row: Self) -> deserialize::Result<Self> {
        Ok(row)
    }
}

/// What a column of each backend is read as, for a type of `auth-types`: Rust allows the implementation for the type itself
/// with a backend of this crate only.
#[derive(Debug)]
pub struct Stored<T>(T);

impl From<Stored<Self>> for UserId {
    fn from(Stored(id): Stored<Self>) -> Self {
        id
    }
}

impl From<Stored<Self>> for Role {
    fn from(Stored(role): Stored<Self>) -> Self {
        role
    }
}

impl<DB: Backend> Queryable<Int8, DB> for Stored<UserId>
where
    i64: FromStaticSqlRow<Int8, DB>,
{
    type Row = i64;
    fn build(row: i64) -> deserialize::Result<Self> {
        Ok(Self(UserId(row)))
    }
}

impl<DB: Backend> Queryable<Text, DB> for Stored<Role>
where
    String: FromStaticSqlRow<Text, DB>,
{
    type Row = String;
    fn build(row: String) -> deserialize::Result<Self> {
        let known = [Role::User, Role::Admin].into_iter().find(|role| role.as_str() == row);
        known.map(Self).ok_or_else(|| format!("users.role holds an unknown role: {row}").into())
    }
}

impl Queryable<Int8, MultiBackend> for UserId {
    type Row = i64;
    fn build(row: i64) -> deserialize::Result<Self> {
        Ok(Self(row))
    }
}
