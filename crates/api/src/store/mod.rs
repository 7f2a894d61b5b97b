//! The database: queries of one table a file, one pool, one error. The only place that names diesel.

mod any;
pub mod backup;
pub mod completed_steps;
pub mod connection;
pub mod events;
mod feature_migrations;
mod file;
pub mod known_networks;
pub mod last_backup;
pub mod layouts;
pub mod mail_outbox;
mod migration_files;
mod migration_version;
pub mod migrations;
pub mod names;
pub mod one_time_tokens;
pub mod owned;
pub mod pending_registrations;
mod recovery;
#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "generated so; clippy does not look for them in tests")
)]
mod schema;
pub mod sent_mails;
pub mod sessions;
pub mod state;
mod statements;
pub mod stray_files;
mod texts;
mod transaction;
pub mod types;
pub mod users;
mod write_gate;

use crate::config::{DatabaseSettings, DatabaseUrl, Timeouts};
use crate::gate::{self, Busy, Capacity, Gate, GateMetrics, Permit, Resource};
use crate::metrics::Metrics;
use crate::telemetry::Paced;
pub use any::{AnyConnection, MultiBackend};
use connection::{Manager, Pooled};
use diesel::r2d2::{Pool, PooledConnection};
pub use diesel::result::QueryResult;
use diesel::result::{DatabaseErrorKind, Error};
use events::EventMetrics;
use file::DatabaseFile;
use tokio::task::JoinError;
use write_gate::WriteGate;

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection, no answer, no room, no lock: the same request may succeed later.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// Too many requests wait for a connection.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// Another row has this value of a unique column.
    #[error("a unique value is taken: {0}")]
    Taken(String),
    /// A defect: ours, or of the data.
    #[error("the database refused: {0}")]
    Defect(#[source] Error),
}

impl StoreError {
    /// diesel calls what it has no name for `Unknown`: there the server speaks of itself (time-out, shutdown, full disk,
    /// locked file), not of the statement.
    fn from_query(error: Error) -> Self {
        match error {
            Error::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => Self::Taken(info.message().to_owned()),
            Error::DatabaseError(
                DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::UnableToSendCommand
                | DatabaseErrorKind::SerializationFailure
                | DatabaseErrorKind::ReadOnlyTransaction
                | DatabaseErrorKind::Unknown,
                info,
            ) => Self::Unavailable(info.message().to_owned()),
            Error::BrokenTransactionManager => Self::Unavailable("a transaction was cut".to_owned()),
            Error::RollbackErrorOnCommit { commit_error, .. } => Self::from_query(*commit_error),
            other => Self::Defect(other),
        }
    }
}

/// How many may wait for each connection: half a second of work, when a statement takes a few milliseconds.
const WAITING_PER_CONNECTION: usize = 64;

/// The database, shared by all requests.
#[derive(Debug, Clone)]
pub struct Store {
    pool: Pool<Manager>,
    file: DatabaseFile,
    gate: Gate,
    /// For those who write.
    write_gate: WriteGate,
    timeouts: Timeouts,
    events: EventMetrics,
}

impl Store {
    /// Makes the pool; connections are opened as they are needed, so this never waits and never fails.
    pub fn new(settings: &DatabaseSettings, timeouts: Timeouts, metrics: &Metrics) -> Self {
        let file = DatabaseFile::of(&settings.url);
        let pool = Pool::builder()
            .max_size(settings.pool_size)
            .min_idle(Some(1))
            .connection_timeout(timeouts.checkout)
            .error_handler(Box::new(LogPoolErrors(Paced::every(POOL_LOG_PAUSE))))
            .build_unchecked(Manager::new(settings.url.clone(), file.clone()));
        let connections = settings.pool_size as usize;
        // Each piece of work holds a thread. Without a bound, requests to a database that does not answer would take
        // hundreds of threads and any amount of memory.
        let capacity = Capacity::of(connections, connections * WAITING_PER_CONNECTION);
        let write_gate = WriteGate::for_connections(connections);
        let gate = Gate::new(Resource::Database, capacity, GateMetrics::registered(metrics, Resource::Database));
        Self { pool, file, gate, write_gate, timeouts, events: EventMetrics::registered(metrics) }
    }

    /// Whether the database is a file that was deleted, replaced or cut short while it was open, or what SQLite keeps next to it was.
    /// Nothing is done in it any more: what is written there is gone at the next start.
    pub fn has_lost_file(&self) -> bool {
        self.file.is_lost()
    }

    /// Whether the system lets SQLite's file be written; a server is asked by `AnyConnection::takes_writes`.
    pub fn takes_writes(&self) -> bool {
        self.file.takes_writes()
    }

    /// How many connections are idle, and how many are in use.
    pub fn connections(&self) -> (u32, u32) {
        let state = self.pool.state();
        (state.idle_connections, state.connections.saturating_sub(state.idle_connections))
    }

    /// How many pieces of work wait for a connection, and how many have one.
    pub fn load(&self) -> (usize, usize) {
        self.gate.load()
    }

    /// Runs `work` on a connection, off the async workers. It is done whether or not somebody still waits for it. What it
    /// writes it writes by [`AnyConnection::write`] or [`AnyConnection::write_statement`]; SQLite refuses anything else.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Unavailable`] also when no connection is free in time, or no answer comes in time:
    /// what was asked may have been done, then.
    ///
    /// # Panics
    /// When `work` does: the request fails, its transaction is rolled back, its connection is dropped.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = self.enter().await?;
        let (pool, write_gate, share) = (self.pool.clone(), self.write_gate.clone(), gate::current());
        let (metrics, file) = (self.events.clone(), self.file.clone());
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            statements::note_cause(!share.is_own());
            write_gate.begin(share);
            events::count_for(metrics);
            let pooled = pool.get().map_err(|error| StoreError::Unavailable(error.to_string()))?;
            if file.is_lost() {
                return Err(StoreError::Unavailable("its file was deleted, replaced or cut short".to_owned()));
            }
            run_on(pooled, work)
        });
        match tokio::time::timeout(self.timeouts.checkout + self.timeouts.database, task).await {
            Ok(Ok(result)) => result,
            Ok(Err(cut)) => Err(after_a_cut(cut)),
            Err(_) => Err(StoreError::Unavailable("no answer came in time".to_owned())),
        }
    }

    /// Waits for the right to use a connection.
    async fn enter(&self) -> Result<Permit, StoreError> {
        let entered = tokio::time::timeout(self.timeouts.checkout, self.gate.enter()).await;
        Ok(entered.map_err(|_| {
            self.gate.refuse();
            Busy
        })??)
    }

    /// The same as one transaction.
    ///
    /// # Errors
    /// As [`Store::run`]; nothing of `work` is kept then.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run(move |connection| connection.write(work)).await
    }

    /// The same for one statement that writes: on PostgreSQL it commits by itself, in one round trip.
    ///
    /// # Errors
    /// As [`Store::run`]; nothing of `statement` is kept then.
    pub async fn write_statement<T: Send + 'static>(
        &self,
        statement: impl FnOnce(&mut AnyConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run(move |connection| connection.write_statement(statement)).await
    }
}

/// The runtime ends, or the work has panicked, and then so does its caller.
fn after_a_cut(cut: JoinError) -> StoreError {
    match cut.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(cut) => StoreError::Unavailable(format!("the task was cut: {cut}")),
    }
}

fn run_on<T>(
    mut pooled: PooledConnection<Manager>,
    work: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
) -> Result<T, StoreError> {
    let Pooled { connection, condition, .. } = &mut *pooled;
    work(connection).map_err(|error| {
        *condition = recovery::condition_after(connection, &error);
        StoreError::from_query(error)
    })
}

/// Logs why no connection can be opened: the pool tries again many times a second.
#[derive(Debug)]
struct LogPoolErrors(Paced);

/// Between two lines.
const POOL_LOG_PAUSE: std::time::Duration = std::time::Duration::from_secs(10);

impl<E: std::error::Error> diesel::r2d2::HandleError<E> for LogPoolErrors {
    fn handle_error(&self, error: E) {
        if self.0.count().is_some() {
            log::warn!("store.pool: cannot open a connection: {error}");
        }
    }
}

/// The kind of database behind a URL, for logs.
pub fn dialect(url: &DatabaseUrl) -> &'static str {
    match url {
        DatabaseUrl::Postgres(_) => "PostgreSQL",
        DatabaseUrl::Sqlite(_) => "SQLite",
    }
}
