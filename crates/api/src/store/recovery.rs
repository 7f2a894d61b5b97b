//! Whether a connection can be used again after work on it has failed.
//!
//! A cancelled statement, a deadlock or a full disk says nothing about the connection. diesel does not pass PostgreSQL's
//! code on, and messages come in the server's language; so the connection itself is asked.

use super::any::AnyConnection;
use diesel::connection::{CacheSize, Connection, SimpleConnection};
use diesel::result::{DatabaseErrorKind, Error, QueryResult};
use diesel::{PgConnection, SqliteConnection};

/// What a failure has left of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    Sound,
    /// A new one may do better; it says nothing about the others.
    Unsound,
    /// Closed, or the server is gone: so are those that were opened before it.
    Lost,
}

/// What SQLite says when others hold the file or the disk is full. It has no other language than English.
const PASSING_ON_SQLITE: [&str; 2] = ["database is locked", "database or disk is full"];

/// The condition after `error`. Whether the connection is still inside a transaction is not part of it: the pool looks.
pub(super) fn condition_after(connection: &mut AnyConnection, error: &Error) -> Condition {
    match (connection, error) {
        // The row was refused: nothing is wrong with the connection.
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
        // The server became a standby, or its setting has changed: only a new connection finds out that it is over.
        (AnyConnection::Postgres(_), Error::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _)) => {
            Condition::Unsound
        }
        (AnyConnection::Postgres(postgres), Error::DatabaseError(..) | Error::BrokenTransactionManager) => {
            if reset(postgres).is_ok() { Condition::Sound } else { Condition::Lost }
        }
        (AnyConnection::Sqlite(sqlite), Error::DatabaseError(_, information)) => {
            let passes = PASSING_ON_SQLITE.iter().any(|words| information.message().contains(words));
            if passes && reads(sqlite) { Condition::Sound } else { Condition::Unsound }
        }
        _ => Condition::Sound,
    }
}

/// Gives up all prepared statements, on both sides: an answer shows that the connection is alive and in no aborted
/// transaction, and a statement that has become unusable, as after a change of a column's type, is prepared again.
fn reset(postgres: &mut PgConnection) -> QueryResult<()> {
    postgres.set_prepared_statement_cache_size(CacheSize::Disabled);
    postgres.set_prepared_statement_cache_size(CacheSize::Unbounded);
    postgres.batch_execute("DEALLOCATE ALL")
}

/// Whether the file can still be read.
fn reads(sqlite: &mut SqliteConnection) -> bool {
    sqlite.batch_execute("SELECT count(*) FROM sqlite_schema").is_ok()
}
