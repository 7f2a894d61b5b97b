//! Transactions: nothing counts as done before its commit has succeeded.
//!
//! The pool's connections to SQLite are read-only; its [`Writer`](super::writer::Writer) has one of its own, and each of its
//! transactions ends with an explicit `COMMIT`. A statement with `RETURNING` that commits by itself returns its row first and
//! commits when it is reset, and diesel drops the result of that: on a full disk it would return a row that was never stored.

use super::any::AnyConnection;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::result::{Error, QueryResult};

/// In an aborted transaction PostgreSQL treats `COMMIT` as `ROLLBACK` and reports success. Any other statement fails there.
const COMMIT_POSTGRES: &str = "SELECT 1; COMMIT";

impl AnyConnection {
    /// Runs `work` as one transaction. On SQLite this needs a connection that [`open`](super::connection::open) returned: those
    /// of [`Store::run`](super::Store::run) are read-only, and [`Store::write`](super::Store::write) has begun a transaction.
    ///
    /// On SQLite it takes the write lock at the start. A transaction that reads first and writes later would fail there at once,
    /// regardless of the busy time-out, if another one has written in between.
    ///
    /// # Errors
    /// Those of `work`, which is then rolled back, so a decision that writes must be an `Ok`. And that of the commit: on SQLite
    /// nothing is stored then, unless the process ends before its next write; on PostgreSQL the outcome is unknown if the
    /// connection was lost.
    pub fn write<T, E>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E>
    where
        E: From<Error>,
    {
        self.begin()?;
        match work(self) {
            Ok(done) => {
                self.commit()?;
                Ok(done)
            }
            Err(error) => {
                self.roll_back();
                Err(error)
            }
        }
    }

    /// Makes SQLite refuse all writes.
    pub(super) fn refuse_writes(&mut self) -> QueryResult<()> {
        match self {
            Self::Postgres(_) => Ok(()),
            Self::Sqlite(sqlite) => sqlite.batch_execute("PRAGMA query_only = ON"),
        }
    }

    pub(super) fn begin(&mut self) -> QueryResult<()> {
        match self {
            Self::Postgres(postgres) => AnsiTransactionManager::begin_transaction_sql(postgres, "BEGIN"),
            Self::Sqlite(sqlite) => AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN IMMEDIATE"),
        }
    }

    pub(super) fn commit(&mut self) -> QueryResult<()> {
        match self {
            Self::Postgres(postgres) => {
                let committed = postgres.batch_execute(COMMIT_POSTGRES);
                if committed.is_err() {
                    self.roll_back();
                }
                committed
            }
            // Rolls back if the commit fails.
            Self::Sqlite(sqlite) => AnsiTransactionManager::commit_transaction(sqlite),
        }
    }

    /// Ignores a failure of the rollback: either the database has rolled back by itself, or the connection is still in the
    /// transaction and is dropped.
    pub(super) fn roll_back(&mut self) {
        let _ = <Self as TransactionManager<Self>>::rollback_transaction(self);
    }
}
