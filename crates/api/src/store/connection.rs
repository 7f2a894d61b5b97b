//! One connection type for both databases, and the pool that hands it out.

use super::statements::LogStatements;
use crate::config::DatabaseUrl;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::ManageConnection;
use diesel::sql_types::Text;
use diesel::{PgConnection, SqliteConnection};
use secrecy::ExposeSecret;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A connection to PostgreSQL or to SQLite.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

impl std::fmt::Debug for AnyConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Postgres(_) => "AnyConnection::Postgres",
            Self::Sqlite(_) => "AnyConnection::Sqlite",
        })
    }
}

impl AnyConnection {
    /// Runs `work` as one transaction.
    ///
    /// SQLite takes the write lock at the start: a transaction that reads first and writes later fails there at once,
    /// whatever the busy time-out, when another has written in between.
    ///
    /// # Errors
    /// What `work` answers, after a roll-back: a verdict that writes must be an `Ok`.
    pub fn write<T, E>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E>
    where
        E: From<diesel::result::Error>,
    {
        if let Self::Sqlite(sqlite) = self {
            sqlite.batch_execute("BEGIN IMMEDIATE")?;
            let result = work(self);
            let Self::Sqlite(sqlite) = self else { return result };
            // When the end fails, its error counts: the pool drops a connection that may still be inside a transaction.
            sqlite.batch_execute(if result.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
            return result;
        }
        self.transaction(work)
    }
}

/// What PostgreSQL may take for one statement before it gives up, milliseconds.
const STATEMENT_TIMEOUT_MS: u32 = 5_000;
/// How long SQLite waits for another writer, milliseconds.
const BUSY_TIMEOUT_MS: u32 = 5_000;
/// Of two processes that switch a new file to WAL at once, SQLite tells one "locked" without waiting for the other.
const SETUP_ATTEMPTS: u32 = 50;
const SETUP_PAUSE: Duration = Duration::from_millis(20);
/// How long PostgreSQL keeps a transaction, and its locks, of a process that has fallen silent, milliseconds.
const IDLE_IN_TRANSACTION_TIMEOUT_MS: u32 = 10_000;
/// What libpq is told unless the URL says otherwise: else it waits for ever to connect, and notices hours later that the
/// machine at the other end is gone.
const CONNECTION_DEFAULTS: [(&str, &str); 6] = [
    ("connect_timeout", "3"),      // seconds
    ("keepalives_idle", "10"),     // seconds
    ("keepalives_interval", "5"),  // seconds
    ("keepalives_count", "3"),     //
    ("tcp_user_timeout", "10000"), // milliseconds
    ("application_name", "latchkey"),
];

/// Opens a connection and sets it up.
///
/// # Errors
/// When the database cannot be reached or refuses.
pub fn open(url: &DatabaseUrl) -> ConnectionResult<AnyConnection> {
    let mut connection = establish(url)?;
    connection.set_instrumentation(LogStatements);
    Ok(connection)
}

fn establish(url: &DatabaseUrl) -> ConnectionResult<AnyConnection> {
    match url {
        DatabaseUrl::Postgres(url) => {
            let mut postgres = PgConnection::establish(&with_defaults(url.expose_secret()))?;
            let setup = format!(
                "SET statement_timeout = {STATEMENT_TIMEOUT_MS}; SET timezone = 'UTC'; \
                 SET idle_in_transaction_session_timeout = {IDLE_IN_TRANSACTION_TIMEOUT_MS}"
            );
            postgres.batch_execute(&setup).map_err(ConnectionError::CouldntSetupConfiguration)?;
            Ok(AnyConnection::Postgres(postgres))
        }
        DatabaseUrl::Sqlite(path) => {
            let mut sqlite = SqliteConnection::establish(&path.to_string_lossy())?;
            // The time-out first: switching to WAL takes a lock, too.
            let setup = format!(
                "PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON"
            );
            let mut attempts = 1;
            while let Err(error) = sqlite.batch_execute(&setup) {
                if attempts == SETUP_ATTEMPTS {
                    return Err(ConnectionError::CouldntSetupConfiguration(error));
                }
                attempts += 1;
                std::thread::sleep(SETUP_PAUSE);
            }
            Ok(AnyConnection::Sqlite(sqlite))
        }
    }
}

fn with_defaults(url: &str) -> String {
    let missing = CONNECTION_DEFAULTS.iter().filter(|(name, _)| !url.contains(&format!("{name}=")));
    missing.fold(url.to_owned(), |url, (name, value)| {
        let separator = if url.contains('?') { '&' } else { '?' };
        format!("{url}{separator}{name}={value}")
    })
}

/// A connection of the pool, and when it was opened.
#[derive(Debug)]
pub struct Pooled {
    pub(super) connection: AnyConnection,
    /// Whether the last statement failed in a way that may have harmed the connection.
    pub(super) suspect: bool,
    epoch: u64,
}

/// Opens connections for the pool and judges which may be used again.
///
/// No statement is spent on that: a connection that failed is dropped, and with it all those that were opened before,
/// because a restarted database has closed them, too.
#[derive(Debug)]
pub struct Manager {
    url: DatabaseUrl,
    epoch: AtomicU64,
}

impl Manager {
    pub(super) fn new(url: DatabaseUrl) -> Self {
        Self { url, epoch: AtomicU64::new(0) }
    }
}

impl ManageConnection for Manager {
    type Connection = Pooled;
    type Error = ConnectionError;

    fn connect(&self) -> Result<Pooled, ConnectionError> {
        let epoch = self.epoch.load(Ordering::SeqCst);
        Ok(Pooled { connection: open(&self.url)?, suspect: false, epoch })
    }

    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), ConnectionError> {
        if pooled.epoch == self.epoch.load(Ordering::SeqCst) {
            Ok(())
        } else {
            Err(ConnectionError::BadConnection("opened before the database failed".to_owned()))
        }
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        if pooled.suspect {
            self.epoch.fetch_max(pooled.epoch + 1, Ordering::SeqCst);
        }
        pooled.suspect || std::thread::panicking()
    }
}

/// The database's own clock, in UTC.
///
/// # Errors
/// When the database does not answer.
pub fn database_time(connection: &mut AnyConnection) -> QueryResult<chrono::DateTime<chrono::Utc>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        now: String,
    }
    const POSTGRES: &str = "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') AS now";
    const SQLITE: &str = "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now') AS now";
    let row: Row = match connection {
        AnyConnection::Postgres(postgres) => diesel::sql_query(POSTGRES).get_result(postgres)?,
        AnyConnection::Sqlite(sqlite) => diesel::sql_query(SQLITE).get_result(sqlite)?,
    };
    chrono::NaiveDateTime::parse_from_str(&row.now, "%Y-%m-%d %H:%M:%S%.f")
        .map(|now| now.and_utc())
        .map_err(|error| diesel::result::Error::DeserializationError(Box::new(error)))
}
