//! Making a connection usable again after work on it has failed, and finding out whether it is.
//!
//! A cancelled statement, a deadlock or a full disk says nothing about the connection. diesel does not expose PostgreSQL's
//! error code, and messages are in the server's language, so the connection itself is tested.

use super::any::AnyConnection;
use diesel::connection::{CacheSize, Connection, SimpleConnection};
use diesel::result::{DatabaseErrorKind, Error, QueryResult};
use diesel::{PgConnection, SqliteConnection};

/// The condition of a connection after a failure, from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Condition {
    Sound,
    /// A new connection may work; this says nothing about the other ones.
    Unsound,
    /// Closed, or the server is unreachable: the connections that were opened earlier are lost, too.
    Lost,
}

/// SQLite's messages when another connection has locked the file, or the disk is full. They are always in English.
const TRANSIENT_ON_SQLITE: [&str; 2] = ["database is locked", "database or disk is full"];

/// Resets a connection after `error`, and returns its condition. On PostgreSQL this drops all prepared statements. The pool itself
/// checks whether the connection is still inside a transaction.
pub(super) fn reset_after(connection: &mut AnyConnection, error: &Error) -> Condition {
    match (connection, error) {
        // A constraint refused the row: nothing is wrong with the connection.
        (
            _,
            Error::DatabaseError(
                DatabaseErrorKind::UniqueViolation
                | DatabaseErrorKind::ForeignKeyViolation
                | DatabaseErrorKind::NotNullViolation
                | DatabaseErrorKind::CheckViolation,
                _,
            ),
        ) => Condition::Sound,
        // The server became a standby, or its setting was changed: only a new connection notices when that is over.
        (AnyConnection::Postgres(_), Error::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _)) => {
            Condition::Unsound
        }
        (AnyConnection::Postgres(postgres), Error::DatabaseError(..) | Error::BrokenTransactionManager) => {
            if drop_statements(postgres).is_ok() {
                Condition::Sound
            } else {
                Condition::Lost
            }
        }
        (AnyConnection::Sqlite(sqlite), Error::DatabaseError(_, information)) => {
            let is_transient = TRANSIENT_ON_SQLITE.iter().any(|text| information.message().contains(text));
            if is_transient && can_read(sqlite) { Condition::Sound } else { Condition::Unsound }
        }
        _ => Condition::Sound,
    }
}

/// Drops all prepared statements, on both sides. Success shows that the connection is alive and not in an aborted transaction;
/// a statement that has become unusable, for example after a change of a column's type, is prepared again.
fn drop_statements(postgres: &mut PgConnection) -> QueryResult<()> {
    postgres.set_prepared_statement_cache_size(CacheSize::Disabled);
    postgres.set_prepared_statement_cache_size(CacheSize::Unbounded);
    postgres.batch_execute("DEALLOCATE ALL")
}

/// Whether the file can still be read.
fn can_read(sqlite: &mut SqliteConnection) -> bool {
    sqlite.batch_execute("SELECT count(*) FROM sqlite_schema").is_ok()
}
