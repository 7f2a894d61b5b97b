//! The database: one file per table, one pool, one error type. No other module names diesel.

pub mod access_lifetimes;
mod any;
pub mod applied_migrations;
pub mod backup;
pub mod completed_steps;
pub mod connection;
pub mod database_identity;
mod error;
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
mod prepared;
mod recovery;
#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "generated code; clippy does not check for them in tests")
)]
mod schema;
pub mod sent_mails;
pub mod sessions;
pub mod state;
mod statements;
pub mod stray_files;
mod table_names;
mod texts;
mod transaction;
pub mod types;
pub mod users;
mod writer;

use crate::config::{DatabaseSettings, DatabaseUrl, Timeouts};
use crate::gate::{self, Busy, Gate, GateCapacity, GateMetrics, Permit, Resource};
use crate::metrics::Metrics;
use crate::telemetry::Paced;
pub use any::{AnyConnection, MultiBackend};
use connection::{Manager, Pooled};
use diesel::r2d2::{Pool, PooledConnection};
pub use diesel::result::QueryResult;
pub use error::StoreError;
pub(crate) use error::defect;
use events::EventMetrics;
use file::DatabaseFile;
use tokio::task::JoinError;
use writer::{WriteTarget, Writer};

/// How many requests may wait for each connection: half a second of work if a statement takes a few milliseconds.
const WAITING_PER_CONNECTION: usize = 64;

/// The database, shared by all requests.
#[derive(Debug, Clone)]
pub struct Store {
    pool: Pool<Manager>,
    file: DatabaseFile,
    gate: Gate,
    /// Writes to a SQLite file; `None` if the database is on a server, where each connection of the pool writes.
    writer: Option<Writer>,
    timeouts: Timeouts,
    events: EventMetrics,
}

impl Store {
    /// Creates the pool. It opens connections as they are needed, so this never waits and never fails.
    pub fn new(settings: &DatabaseSettings, timeouts: Timeouts, metrics: &Metrics) -> Self {
        let file = DatabaseFile::of(&settings.url);
        let pool = Pool::builder()
            .max_size(settings.pool_size)
            .min_idle(Some(1))
            .connection_timeout(timeouts.checkout)
            .error_handler(Box::new(LogPoolErrors(Paced::every(POOL_LOG_PAUSE))))
            .build_unchecked(Manager::new(settings.url.clone(), file.clone()));
        let connections = settings.pool_size as usize;
        // Each piece of work occupies a thread. Without a bound, requests to a database that does not respond would take
        // hundreds of threads and any amount of memory.
        let capacity = GateCapacity::of(connections, connections * WAITING_PER_CONNECTION);
        let gate = Gate::new(Resource::Database, capacity, GateMetrics::registered(metrics, Resource::Database));
        let events = EventMetrics::registered(metrics);
        let writer = match &settings.url {
            DatabaseUrl::Postgres(_) => None,
            url @ DatabaseUrl::Sqlite(_) => {
                Some(Writer::of(WriteTarget { url: url.clone(), file: file.clone(), events: events.clone() }))
            }
        };
        Self { pool, file, gate, writer, timeouts, events }
    }

    /// Whether SQLite's file, or its log or index, was deleted, replaced or truncated while it was open. Nothing more is done in it,
    /// because data written there is lost at the next start.
    pub fn has_lost_file(&self) -> bool {
        self.file.is_lost()
    }

    /// Whether the operating system allows writes to SQLite's file; `AnyConnection::accepts_writes` asks a server.
    pub fn accepts_writes(&self) -> bool {
        self.file.accepts_writes()
    }

    /// How many connections are idle, and how many in use.
    pub fn connections(&self) -> (u32, u32) {
        let state = self.pool.state();
        (state.idle_connections, state.connections.saturating_sub(state.idle_connections))
    }

    /// How many operations wait for a connection, and how many have one.
    pub fn load(&self) -> (usize, usize) {
        self.gate.load()
    }

    /// Runs `work` on a connection, off the async workers. It runs to its end even if the caller stops waiting. It must not write:
    /// SQLite refuses that.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Unavailable`] also if no connection becomes free in time, or no result arrives in time.
    /// In the latter case the work may still have been done.
    ///
    /// # Panics
    /// If `work` panics: the request fails, its transaction is rolled back and its connection is dropped.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = self.enter().await?;
        let pool = self.pool.clone();
        let requester = gate::current_requester();
        let metrics = self.events.clone();
        let file = self.file.clone();
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            statements::set_cause(!requester.is_process());
            events::count_for(metrics);
            let pooled = pool.get().map_err(|error| StoreError::Unavailable(error.to_string()))?;
            if file.is_lost() {
                return Err(StoreError::Unavailable(file::LOST.to_owned()));
            }
            run_on(pooled, work)
        });
        self.in_time(async { task.await.unwrap_or_else(|error| Err(propagate_panic(error))) }).await
    }

    /// Waits for the permit to use a connection.
    async fn enter(&self) -> Result<Permit, StoreError> {
        let entered = tokio::time::timeout(self.timeouts.checkout, self.gate.enter()).await;
        Ok(entered.map_err(|_| {
            self.gate.record_rejection();
            Busy
        })??)
    }

    async fn in_time<T>(&self, result: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let result = tokio::time::timeout(self.timeouts.checkout + self.timeouts.database, result).await;
        result.unwrap_or_else(|_| Err(StoreError::Unavailable("no response in time".to_owned())))
    }

    /// Runs `work` in one transaction. On SQLite it may share that with other callers' work, which it sees; all of them get their
    /// results after the commit.
    ///
    /// # Errors
    /// As [`Store::run`]; nothing that `work` has changed is stored.
    ///
    /// # Panics
    /// As [`Store::run`].
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let Some(writer) = &self.writer else { return self.run(move |connection| connection.write(work)).await };
        let permit = self.enter().await?;
        self.in_time(writer.write(gate::current_requester(), permit, work)).await
    }

    /// Runs one statement that writes. On PostgreSQL it commits by itself, in one round trip.
    ///
    /// # Errors
    /// As [`Store::run`]; the statement is rolled back.
    pub async fn write_statement<T: Send + 'static>(
        &self,
        statement: impl FnOnce(&mut AnyConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        if self.writer.is_some() { self.write(statement).await } else { self.run(statement).await }
    }

    /// Does `work`, which uses a store several times, to its end even if the caller stops waiting.
    ///
    /// # Errors
    /// Those of `work`.
    ///
    /// # Panics
    /// If `work` panics.
    pub async fn run_to_end<T: Send + 'static>(
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let task = tokio::task::spawn(gate::on_behalf_of(gate::current_requester(), work));
        task.await.unwrap_or_else(|error| Err(propagate_panic(error)))
    }
}

/// Resumes a panic of the work in its caller. Without one the runtime is shutting down.
fn propagate_panic(error: JoinError) -> StoreError {
    match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(error) => StoreError::Unavailable(format!("the task was cancelled: {error}")),
    }
}

fn run_on<T>(
    mut pooled: PooledConnection<Manager>,
    work: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
) -> Result<T, StoreError> {
    let Pooled { connection, condition, .. } = &mut *pooled;
    work(connection).map_err(|error| {
        *condition = recovery::reset_after(connection, &error);
        StoreError::from_query(error)
    })
}

/// Logs why no connection can be opened, at a limited rate: the pool retries many times a second.
#[derive(Debug)]
struct LogPoolErrors(Paced);

/// The minimum time between two lines.
const POOL_LOG_PAUSE: std::time::Duration = std::time::Duration::from_secs(10);

impl<E: std::error::Error> diesel::r2d2::HandleError<E> for LogPoolErrors {
    fn handle_error(&self, error: E) {
        if self.0.count().is_some() {
            log::warn!("store.pool: cannot open a connection: {error}");
        }
    }
}

/// The kind of database that a URL names, for logs.
pub fn dialect(url: &DatabaseUrl) -> &'static str {
    match url {
        DatabaseUrl::Postgres(_) => "PostgreSQL",
        DatabaseUrl::Sqlite(_) => "SQLite",
    }
}
