//! Tables of features, of which only the declaration is known and whose rows each belong to a user. The same few statements read
//! and delete what is stored about a user in any of them.

use super::any::AnyConnection;
use super::layouts::{Column, ColumnKind, DeclaredTable, HasKind};
use super::types::{At, Int8, Text, Timestamptz, Uuid};
use auth_types::UserId;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

/// A table whose rows each have one owner.
#[derive(Debug, Clone)]
pub struct OwnedTable {
    table: &'static str,
    /// The primary key, which also orders the rows.
    key: Column,
    owner: &'static str,
}

/// A column type that orders rows in the same way on both databases.
pub trait IsKey: HasKind {}
impl IsKey for Int8 {}
impl IsKey for Uuid {}
impl IsKey for Text {}

/// A table with such a column as its primary key.
pub trait Keyed: DeclaredTable + Table<PrimaryKey: diesel::Column<SqlType: IsKey>> {}
impl<T: DeclaredTable + Table<PrimaryKey: diesel::Column<SqlType: IsKey>>> Keyed for T {}

/// A column of the table `T` that holds users' ids.
pub trait OwnerOf<T>: diesel::Column<Table = T, SqlType = Int8> {}
impl<T, C: diesel::Column<Table = T, SqlType = Int8>> OwnerOf<T> for C {}

/// Which rows of a list to read, in the order of their keys.
#[derive(Debug, Clone, Copy)]
pub struct KeyRange<K> {
    /// Only rows after this key; from the first one if there is none.
    pub after: Option<K>,
    pub limit: i64,
}

/// A row as JSON, with its key as text.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct KeyedRow {
    #[diesel(sql_type = Text)]
    pub key: String,
    #[diesel(sql_type = Text)]
    pub json: String,
}

#[derive(QueryableByName)]
struct Owner {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

impl OwnedTable {
    /// The table of this name; the column `O` holds the owner of a row.
    pub(crate) fn by<T: Keyed, O: OwnerOf<T>>(table: &'static str) -> Self {
        Self { table, key: Column::of::<T::PrimaryKey>(), owner: O::NAME }
    }

    /// Reads the given columns of a user's rows.
    pub fn page(
        &self,
        connection: &mut AnyConnection,
        columns: &[Column],
        user: UserId,
        KeyRange { after, limit }: KeyRange<&str>,
    ) -> QueryResult<Vec<KeyedRow>> {
        let sql = self.select(columns, after.is_some(), matches!(connection, AnyConnection::Postgres(_)));
        let first = diesel::sql_query(sql).bind::<BigInt, _>(user.0).bind::<BigInt, _>(limit);
        match (connection, after) {
            (AnyConnection::Postgres(postgres), None) => first.load(postgres),
            (AnyConnection::Postgres(postgres), Some(after)) => first.bind::<Text, _>(after).load(postgres),
            (AnyConnection::Sqlite(sqlite), None) => first.load(sqlite),
            (AnyConnection::Sqlite(sqlite), Some(after)) => first.bind::<Text, _>(after).load(sqlite),
        }
    }

    fn select(&self, columns: &[Column], is_continued: bool, on_postgres: bool) -> String {
        let Self { table, key: Column { name: key, kind }, owner } = self;
        let [user, limit, after] = placeholders(on_postgres);
        let object = if on_postgres { "json_build_object" } else { "json_object" };
        let members = columns.iter().map(|column| format!("'{}', {}", column.name, column.as_json(on_postgres)));
        let members = members.collect::<Vec<_>>().join(", ");
        let text = if on_postgres { "text" } else { "TEXT" };
        let bound = match kind {
            ColumnKind::Integer => format!("CAST({after} AS bigint)"),
            ColumnKind::Uuid if on_postgres => format!("CAST({after} AS uuid)"),
            _ => after.to_owned(),
        };
        let rest = if is_continued { format!(" AND {key} > {bound}") } else { String::new() };
        format!(
            "SELECT CAST({key} AS {text}) AS key, CAST({object}({members}) AS {text}) AS json FROM {table} \
             WHERE {owner} = {user}{rest} ORDER BY {key} LIMIT {limit}"
        )
    }

    /// Deletes at most `batch` rows of a user, and returns how many were deleted.
    pub fn delete(&self, connection: &mut AnyConnection, user: UserId, batch: i64) -> QueryResult<usize> {
        let Self { table, key: Column { name: key, .. }, owner } = self;
        let [user_id, limit, _] = placeholders(matches!(connection, AnyConnection::Postgres(_)));
        let sql = format!(
            "DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE {owner} = {user_id} ORDER BY {key} LIMIT {limit})"
        );
        let query = diesel::sql_query(sql).bind::<BigInt, _>(user.0).bind::<BigInt, _>(batch);
        match connection {
            AnyConnection::Postgres(postgres) => query.execute(postgres),
            AnyConnection::Sqlite(sqlite) => query.execute(sqlite),
        }
    }

    /// At most `batch` users who were erased at or after `since` and still have rows.
    pub fn erased_users(
        &self,
        connection: &mut AnyConnection,
        since: DateTime<Utc>,
        batch: i64,
    ) -> QueryResult<Vec<UserId>> {
        let Self { table, owner, .. } = self;
        let [erased_since, limit, _] = placeholders(matches!(connection, AnyConnection::Postgres(_)));
        let sql = format!(
            "SELECT id FROM users WHERE deleted_at IS NOT NULL AND deleted_at >= {erased_since} \
             AND EXISTS (SELECT 1 FROM {table} AS owned WHERE owned.{owner} = users.id) LIMIT {limit}"
        );
        let query = diesel::sql_query(sql).bind::<Timestamptz, _>(At(since)).bind::<BigInt, _>(batch);
        let owners: Vec<Owner> = match connection {
            AnyConnection::Postgres(postgres) => query.load(postgres)?,
            AnyConnection::Sqlite(sqlite) => query.load(sqlite)?,
        };
        Ok(owners.into_iter().map(|Owner { id }| UserId(id)).collect())
    }
}

/// The placeholders of three bound values, as each database writes them.
const fn placeholders(on_postgres: bool) -> [&'static str; 3] {
    if on_postgres { ["$1", "$2", "$3"] } else { ["?1", "?2", "?3"] }
}
