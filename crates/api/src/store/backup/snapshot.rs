//! Reads a consistent snapshot of the whole database while other connections go on writing.

use super::coverage::Coverage;
use super::rollback::Rollback;
use crate::config::DatabaseUrl;
use crate::store::StoreError;
use crate::store::any::AnyConnection;
use crate::store::applied_migrations::{self, SchemaComparison};
use crate::store::database_identity::{self, DatabaseId};
use crate::store::layouts::Layout;
use crate::store::state::{self, StateError};
use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

/// All reads see the same snapshot. Rows are read as fast as the storage takes them, so a statement has no time limit, and the
/// pauses between statements may be longer than a request's.
const SETUP_POSTGRES: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
    SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = '15min'";

/// Why the database could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("{0}")]
    State(#[from] StateError),
    #[error("there is no database yet")]
    Nothing,
    #[error(
        "the database lacks migrations of this program; run `api migrate` first, or use the program that it belongs to"
    )]
    Behind,
    #[error(
        "the database was migrated by a newer release, or by one with another feature; use that, or what it has added would be missing"
    )]
    Ahead,
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// The database at one point in time.
#[derive(Debug)]
pub struct DatabaseSnapshot<'a> {
    connection: &'a mut AnyConnection,
}

/// Runs `work` on a snapshot of the database. PostgreSQL provides it by the transaction's isolation level, SQLite by its
/// write-ahead log; writers do not wait.
///
/// # Errors
/// If the database fails, or its schema is not that of this program, and those of `work`.
pub fn snapshot<T, E>(
    url: &DatabaseUrl,
    coverage: &Coverage,
    work: impl FnOnce(&mut DatabaseSnapshot<'_>) -> Result<T, E>,
) -> Result<T, E>
where
    E: From<SnapshotError> + From<StoreError>,
{
    let opened = state::open_to_read(url).map_err(SnapshotError::State)?;
    let mut connection = opened.ok_or(SnapshotError::Nothing)?;
    let all = connection.transaction(|connection| {
        if let AnyConnection::Postgres(postgres) = connection {
            postgres.batch_execute(SETUP_POSTGRES)?;
        }
        match applied_migrations::compare(connection, &coverage.migrations)? {
            SchemaComparison::Missing => return Err(Rollback::Work(SnapshotError::Behind.into())),
            SchemaComparison::Unknown => return Err(Rollback::Work(SnapshotError::Ahead.into())),
            SchemaComparison::Same => {}
        }
        work(&mut DatabaseSnapshot { connection }).map_err(Rollback::Work)
    });
    all.map_err(Rollback::into_error)
}

/// The identity of the database, which must have the schema of this program.
pub fn database_id(url: &DatabaseUrl, coverage: &Coverage) -> Result<DatabaseId, SnapshotError> {
    snapshot(url, coverage, |snapshot| {
        database_identity::get(snapshot.connection).map_err(|error| StoreError::from_query(error).into())
    })
}

impl DatabaseSnapshot<'_> {
    /// The last id that the database has assigned in a [numbered](Layout::is_numbered) table, 0 if none. The row may be deleted:
    /// an id is never assigned twice.
    pub fn last_id(&mut self, table: &Layout) -> Result<i64, StoreError> {
        #[derive(QueryableByName)]
        struct LastIdRow {
            #[diesel(sql_type = BigInt)]
            last: i64,
        }
        let name = table.name;
        let row: QueryResult<LastIdRow> = match self.connection {
            AnyConnection::Postgres(postgres) => {
                let sequence = format!("pg_get_serial_sequence('{name}', 'id')");
                let sql = format!("SELECT coalesce(pg_sequence_last_value({sequence}::regclass), 0) AS last");
                diesel::sql_query(sql).get_result(postgres)
            }
            AnyConnection::Sqlite(sqlite) => {
                let sql = format!("SELECT coalesce(max(seq), 0) AS last FROM sqlite_sequence WHERE name = '{name}'");
                diesel::sql_query(sql).get_result(sqlite)
            }
        };
        Ok(row.map_err(StoreError::from_query)?.last)
    }

    /// Calls `visit` with each row of a table as a JSON array, one at a time: memory does not grow with the table.
    ///
    /// # Errors
    /// If the database fails, and those of `visit`.
    pub fn each_row<E: From<StoreError>>(
        &mut self,
        table: &Layout,
        mut visit: impl FnMut(&str) -> Result<(), E>,
    ) -> Result<(), E> {
        #[derive(QueryableByName)]
        struct JsonRow {
            #[diesel(sql_type = Text)]
            json: String,
        }
        let query = diesel::sql_query(select(table, matches!(self.connection, AnyConnection::Postgres(_))));
        let refused = |error| E::from(StoreError::from_query(error));
        let mut show = |row: QueryResult<JsonRow>| visit(&row.map_err(refused)?.json);
        match self.connection {
            AnyConnection::Postgres(postgres) => {
                query.load_iter::<JsonRow, PgRowByRowLoadingMode>(postgres).map_err(refused)?.try_for_each(&mut show)
            }
            AnyConnection::Sqlite(sqlite) => {
                query.load_iter::<JsonRow, DefaultLoadingMode>(sqlite).map_err(refused)?.try_for_each(&mut show)
            }
        }
    }
}

/// The statement that selects a table's rows as JSON.
fn select(table: &Layout, on_postgres: bool) -> String {
    let (array, cast) = if on_postgres { ("json_build_array", "::text") } else { ("json_array", "") };
    let values = table.columns.iter().map(|column| column.as_json(on_postgres));
    let values = values.collect::<Vec<_>>().join(", ");
    format!("SELECT {array}({values}){cast} AS json FROM {}", table.name)
}
