//! The names of a database's tables, from its catalog.

use super::any::AnyConnection;
use super::texts::texts;
use diesel::result::QueryResult;

/// The table in which diesel records the applied migrations.
pub(super) const MIGRATIONS: &str = "__diesel_schema_migrations";

/// The names of all tables that hold data, also of those that another program has created.
pub(super) fn list(connection: &mut AnyConnection) -> QueryResult<Vec<String>> {
    Ok(list_all(connection)?.into_iter().filter(|table| table != MIGRATIONS).collect())
}

pub(super) fn list_all(connection: &mut AnyConnection) -> QueryResult<Vec<String>> {
    texts(
        connection,
        match connection {
            AnyConnection::Postgres(_) => {
                "SELECT CAST(tablename AS text) AS text FROM pg_tables WHERE schemaname = ANY (current_schemas(false))"
            }
            AnyConnection::Sqlite(_) => {
                "SELECT name AS text FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
            }
        },
    )
}
