//! Writing: nothing counts as done before its commit has succeeded.
//!
//! The pool's connections to SQLite are read-only, except inside [`AnyConnection::write`] and
//! [`AnyConnection::write_statement`], which end with an explicit `COMMIT`. A statement with `RETURNING` that commits by itself
//! returns its row first and commits when it is reset, and diesel drops the result of that: on a full disk it would return a
//! row that was never stored.

use super::any::AnyConnection;
use super::write_gate;
use diesel::SqliteConnection;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::result::{Error, QueryResult};

/// In an aborted transaction PostgreSQL treats `COMMIT` as `ROLLBACK` and reports success. Any other statement fails there.
const COMMIT_POSTGRES: &str = "SELECT 1; COMMIT";

impl AnyConnection {
    /// Runs `work` as one transaction.
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
        match self {
            Self::Postgres(_) => self.transact(work),
            Self::Sqlite(_) => write_gate::with_permit(|| self.transact(work)),
        }
    }

    fn transact<T, E>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E>
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

    /// Runs one statement that writes. On PostgreSQL it commits by itself, in one round trip.
    pub fn write_statement<T>(&mut self, statement: impl FnOnce(&mut Self) -> QueryResult<T>) -> QueryResult<T> {
        match self {
            Self::Postgres(_) => statement(self),
            Self::Sqlite(_) => self.write(statement),
        }
    }

    /// Makes SQLite refuse writes outside a transaction of [`AnyConnection::write`].
    pub(super) fn refuse_writes(&mut self) -> QueryResult<()> {
        match self {
            Self::Postgres(_) => Ok(()),
            Self::Sqlite(sqlite) => allow_writes(sqlite, false),
        }
    }

    fn begin(&mut self) -> QueryResult<()> {
        match self {
            Self::Postgres(postgres) => AnsiTransactionManager::begin_transaction_sql(postgres, "BEGIN"),
            Self::Sqlite(sqlite) => {
                allow_writes(sqlite, true)?;
                let begun = AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN IMMEDIATE");
                if begun.is_err() {
                    allow_writes(sqlite, false)?;
                }
                begun
            }
        }
    }

    fn commit(&mut self) -> QueryResult<()> {
        match self {
            Self::Postgres(postgres) => {
                let committed = postgres.batch_execute(COMMIT_POSTGRES);
                if committed.is_err() {
                    self.roll_back();
                }
                committed
            }
            Self::Sqlite(sqlite) => {
                // Rolls back if the commit fails.
                let committed = AnsiTransactionManager::commit_transaction(sqlite);
                allow_writes(sqlite, false)?;
                committed
            }
        }
    }

    /// Ignores a failure of the rollback: either the database has rolled back by itself, or the connection is still in the
    /// transaction and the pool drops it.
    fn roll_back(&mut self) {
        let _ = match self {
            Self::Postgres(postgres) => AnsiTransactionManager::rollback_transaction(postgres),
            Self::Sqlite(sqlite) => {
                let _ = AnsiTransactionManager::rollback_transaction(sqlite);
                allow_writes(sqlite, false)
            }
        };
    }
}

fn allow_writes(sqlite: &mut SqliteConnection, allowed: bool) -> QueryResult<()> {
    sqlite.batch_execute(if allowed { "PRAGMA query_only = OFF" } else { "PRAGMA query_only = ON" })
}
