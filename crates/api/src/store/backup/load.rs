//! Fills an empty database in one transaction.

use super::coverage::Coverage;
use super::rollback::Rollback;
use crate::config::DatabaseUrl;
use crate::store::StoreError;
use crate::store::any::AnyConnection;
use crate::store::connection::open;
use crate::store::layouts::{Column, ColumnKind, Layout};
use crate::store::state::{self, StateError};
use crate::store::table_names;
use crate::store::texts::texts;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

/// Rows arrive as fast as the storage delivers them, so the pauses may be longer than a request's.
const SETUP_POSTGRES: &str = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = '15min'";

/// The names of the tables that have rows, also of those that another program has created, without the ones whose rows are not
/// content. A database that does not exist yet has none.
pub fn occupied_tables(url: &DatabaseUrl, coverage: &Coverage) -> Result<Vec<String>, StateError> {
    match state::open_to_read(url)? {
        Some(mut connection) => Ok(occupied(&mut connection, coverage)?),
        None => Ok(Vec::new()),
    }
}

fn occupied(connection: &mut AnyConnection, coverage: &Coverage) -> QueryResult<Vec<String>> {
    let mut occupied = Vec::new();
    for table in table_names::list(connection)? {
        let sql = format!("SELECT 'a row' AS text FROM \"{}\" LIMIT 1", table.replace('"', "\"\""));
        if !coverage.not_content.contains(&table.as_str()) && !texts(connection, &sql)?.is_empty() {
            occupied.push(table);
        }
    }
    occupied.sort_unstable();
    Ok(occupied)
}

/// A database that is being filled from a backup.
#[derive(Debug)]
pub struct Loading<'a> {
    connection: &'a mut AnyConnection,
    coverage: &'a Coverage,
}

/// Fills a database whose schema is up to date. No other connection can write in the meantime, and nothing is stored unless
/// all of `work` succeeds, even if this process ends.
///
/// # Errors
/// If the database fails, and those of `work`.
pub fn load<T, E>(
    url: &DatabaseUrl,
    coverage: &Coverage,
    work: impl FnOnce(&mut Loading<'_>) -> Result<T, E>,
) -> Result<T, E>
where
    E: From<StoreError>,
{
    let all = connect(url)?.write(|connection| {
        if let AnyConnection::Postgres(postgres) = connection {
            let names: Vec<_> = coverage.tables.iter().map(|table| table.name).collect();
            postgres.batch_execute(&format!("{SETUP_POSTGRES}; LOCK TABLE {} IN EXCLUSIVE MODE", names.join(", ")))?;
        }
        work(&mut Loading { connection, coverage }).map_err(Rollback::Work)
    });
    all.map_err(Rollback::into_error)
}

fn connect(url: &DatabaseUrl) -> Result<AnyConnection, StoreError> {
    open(url).map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// Runs one transaction on a new connection, for a program without a pool.
pub fn write_once<T>(
    url: &DatabaseUrl,
    work: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
) -> Result<T, StoreError> {
    connect(url)?.write(work).map_err(StoreError::from_query)
}

impl Loading<'_> {
    /// The names of the tables that have rows.
    pub fn occupied_tables(&mut self) -> Result<Vec<String>, StoreError> {
        let coverage = self.coverage;
        self.write(|connection| occupied(connection, coverage))
    }

    /// Inserts rows: a JSON array of arrays with a value for each of `columns`.
    ///
    /// # Errors
    /// If the database fails or refuses a row.
    pub fn insert(&mut self, table: &str, columns: &[Column], rows: &str) -> Result<usize, StoreError> {
        self.write(|connection| {
            let sql = insert(table, columns, matches!(connection, AnyConnection::Postgres(_)));
            let query = diesel::sql_query(sql).bind::<Text, _>(rows);
            match connection {
                AnyConnection::Postgres(postgres) => query.execute(postgres),
                AnyConnection::Sqlite(sqlite) => query.execute(sqlite),
            }
        })
    }

    /// Continues a table's sequence of ids after `last_id` and after every id that was inserted.
    pub fn number_after(&mut self, table: &Layout, last_id: i64) -> Result<(), StoreError> {
        let name = table.name;
        let highest = format!("(SELECT coalesce(max(id), 0) FROM {name})");
        self.write(|connection| {
            match connection {
                AnyConnection::Postgres(postgres) => {
                    let sequence = format!("pg_get_serial_sequence('{name}', 'id')");
                    let sql = format!("SELECT setval({sequence}, n) FROM greatest($1, {highest}) AS n WHERE n > 0");
                    diesel::sql_query(sql).bind::<BigInt, _>(last_id).execute(postgres)?;
                }
                AnyConnection::Sqlite(sqlite) => {
                    sqlite.batch_execute(&format!("DELETE FROM sqlite_sequence WHERE name = '{name}'"))?;
                    let sql = format!("INSERT INTO sqlite_sequence (name, seq) SELECT '{name}', max($1, {highest})");
                    diesel::sql_query(sql).bind::<BigInt, _>(last_id).execute(sqlite)?;
                }
            }
            Ok(())
        })
    }

    /// Runs other statements in the same transaction.
    pub fn write<T>(&mut self, work: impl FnOnce(&mut AnyConnection) -> QueryResult<T>) -> Result<T, StoreError> {
        work(self.connection).map_err(StoreError::from_query)
    }
}

/// The statement that inserts rows from JSON.
fn insert(table: &str, columns: &[Column], on_postgres: bool) -> String {
    let values = columns.iter().enumerate().map(|(index, column)| {
        let value = if on_postgres { format!("(row ->> {index})") } else { format!("value ->> {index}") };
        match (column.kind, on_postgres) {
            (ColumnKind::Integer, true) => format!("{value}::bigint"),
            (ColumnKind::Boolean, true) => format!("{value}::boolean"),
            (ColumnKind::Instant, true) => format!("{value}::timestamptz"),
            (ColumnKind::Uuid, true) => format!("{value}::uuid"),
            (ColumnKind::Bytes, true) => format!("decode({value}, 'hex')"),
            (ColumnKind::Bytes, false) => format!("unhex({value})"),
            (ColumnKind::Instant, false) => format!("replace(replace({value}, 'T', ' '), 'Z', '')"),
            _ => value,
        }
    });
    let values = values.collect::<Vec<_>>().join(", ");
    let names = columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
    let rows = if on_postgres { "jsonb_array_elements($1::jsonb) AS rows (row)" } else { "json_each($1)" };
    format!("INSERT INTO {table} ({names}) SELECT {values} FROM {rows}")
}
