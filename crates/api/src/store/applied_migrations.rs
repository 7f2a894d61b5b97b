//! The migrations that a database records as applied, compared with those of this program.

use super::any::AnyConnection;
use super::migration_files::Migrations;
use super::migration_version::version;
use super::table_names::{self, MIGRATIONS};
use super::texts::texts;
use diesel::result::QueryResult;

/// The names of the migrations that this program has and the database lacks, oldest first.
pub fn missing(connection: &mut AnyConnection, migrations: &Migrations) -> QueryResult<Vec<String>> {
    let applied = applied(connection)?;
    Ok(migrations.names().into_iter().filter(|name| !applied.iter().any(|one| one == version(name))).collect())
}

/// How the database's schema compares with this program.
pub(super) enum SchemaComparison {
    Same,
    /// The program has migrations that the database lacks.
    Missing,
    /// The database has migrations that the program lacks.
    Unknown,
}

pub(super) fn compare(connection: &mut AnyConnection, migrations: &Migrations) -> QueryResult<SchemaComparison> {
    if !missing(connection, migrations)?.is_empty() {
        return Ok(SchemaComparison::Missing);
    }
    Ok(if unknown(connection, migrations)?.is_empty() { SchemaComparison::Same } else { SchemaComparison::Unknown })
}

/// The versions of the applied migrations that this program lacks.
pub(super) fn unknown(connection: &mut AnyConnection, migrations: &Migrations) -> QueryResult<Vec<String>> {
    let known = migrations.names();
    let is_known = |one: &String| known.iter().any(|name| one == version(name));
    Ok(applied(connection)?.into_iter().filter(|one| !is_known(one)).collect())
}

/// The versions of the applied migrations. diesel's own query would create its table first.
pub(super) fn applied(connection: &mut AnyConnection) -> QueryResult<Vec<String>> {
    if !table_names::list_all(connection)?.iter().any(|table| table == MIGRATIONS) {
        return Ok(Vec::new());
    }
    texts(connection, &format!("SELECT CAST(version AS text) AS text FROM {MIGRATIONS}"))
}
