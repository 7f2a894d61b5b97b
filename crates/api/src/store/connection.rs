//! How connections are opened, and the pool that hands them out.

use super::any::AnyConnection;
use super::file::{DatabaseFile, OpenConnection, companions_of};
use super::recovery::Condition;
use super::statements::LogStatements;
use super::texts::texts;
use crate::clock::DatabaseClock;
use crate::config::DatabaseUrl;
use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{ManageConnection, R2D2Connection};
use diesel::sql_types::Text;
use diesel::{PgConnection, SqliteConnection};
use secrecy::ExposeSecret;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long PostgreSQL may take for one statement before it cancels it, milliseconds.
const STATEMENT_TIMEOUT_MS: u32 = 5_000;
/// How long SQLite waits for another writer, milliseconds.
const BUSY_TIMEOUT_MS: u32 = 5_000;
/// If two processes switch a new file to WAL at the same time, SQLite reports "locked" to one without waiting for the other.
const SETUP_ATTEMPTS: u32 = 50;
const SETUP_PAUSE: Duration = Duration::from_millis(20);
/// How long PostgreSQL keeps a transaction and its locks while its client sends nothing, milliseconds.
const IDLE_IN_TRANSACTION_TIMEOUT_MS: u32 = 10_000;
/// Parameters for libpq unless the URL sets them. Without these it waits for ever to connect, and takes hours to notice that
/// the machine at the other end is unreachable.
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
/// If the database cannot be reached or refuses the connection.
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
            refuse_leftovers(path)?;
            let mut sqlite = SqliteConnection::establish(&path.to_string_lossy())?;
            // The time-out comes first, because switching to WAL takes a lock, too. In a new file only the first read creates
            // the log.
            let setup = format!(
                "PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                 PRAGMA foreign_keys = ON; SELECT count(*) FROM sqlite_schema"
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
    let (before, given) = url.split_once('?').unwrap_or((url, ""));
    let defaults = CONNECTION_DEFAULTS.map(|(name, value)| format!("{name}={value}")).join("&");
    // Of an option that is given twice libpq takes the last value. It allows a `&` at the end, but not two in a row.
    let separator = if given.is_empty() { "" } else { "&" };
    format!("{before}?{defaults}{separator}{given}")
}

/// A connection of the pool, and when it was opened.
#[derive(Debug)]
pub struct Pooled {
    /// Dropped before the connection closes, which may delete the log.
    _open: OpenConnection,
    pub(super) connection: AnyConnection,
    /// The condition in which the last operation left it.
    pub(super) condition: Condition,
    /// The database's, when it was opened.
    incarnation: u64,
}

/// Opens connections for the pool and decides which may be used again.
///
/// That takes no statement: a lost connection is dropped, together with all that were opened before it, because a restarted
/// database has closed those, too.
#[derive(Debug)]
pub struct Manager {
    url: DatabaseUrl,
    file: DatabaseFile,
    /// Of the database: one more each time that it was lost.
    incarnation: AtomicU64,
}

impl Manager {
    pub(super) fn new(url: DatabaseUrl, file: DatabaseFile) -> Self {
        Self { url, file, incarnation: AtomicU64::new(0) }
    }
}

impl ManageConnection for Manager {
    type Connection = Pooled;
    type Error = ConnectionError;

    fn connect(&self) -> Result<Pooled, ConnectionError> {
        let incarnation = self.incarnation.load(Ordering::SeqCst);
        let mut connection = open(&self.url)?;
        connection.refuse_writes().map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(Pooled { _open: self.file.connected(), connection, condition: Condition::Sound, incarnation })
    }

    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), ConnectionError> {
        if pooled.incarnation == self.incarnation.load(Ordering::SeqCst) {
            Ok(())
        } else {
            Err(ConnectionError::BadConnection("opened before the database failed".to_owned()))
        }
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        if pooled.condition == Condition::Lost {
            self.incarnation.fetch_max(pooled.incarnation + 1, Ordering::SeqCst);
        }
        // Broken: still inside a transaction.
        pooled.condition != Condition::Sound || pooled.connection.is_broken() || std::thread::panicking()
    }
}

/// A log without its file belongs to a file that was deleted or moved away, and that another process may still have open. A new
/// file at the same path would share that log, and its content would be lost when the other process ends.
fn refuse_leftovers(path: &Path) -> ConnectionResult<()> {
    let Some(left) = companions_of(path).into_iter().find(|left| !path.exists() && left.exists()) else {
        return Ok(());
    };
    Err(ConnectionError::BadConnection(format!(
        "{} does not exist, but {} does: end the process that has the former file open, put that file back, or remove what is left of it",
        path.display(),
        left.display()
    )))
}

impl AnyConnection {
    /// Whether the server accepts writes. A standby does not, nor a server that its host has restricted because the disk is nearly
    /// full. For a file see [`Store::accepts_writes`](super::Store::accepts_writes).
    pub(crate) fn accepts_writes(&mut self) -> QueryResult<bool> {
        match self {
            Self::Postgres(_) => {
                let is_read_only = texts(self, "SELECT current_setting('transaction_read_only') AS text")?;
                Ok(!is_read_only.iter().any(|setting| setting == "on"))
            }
            Self::Sqlite(_) => Ok(true),
        }
    }
}

/// The database's own clock, in UTC.
pub fn database_time(connection: &mut AnyConnection) -> QueryResult<(DatabaseClock, DateTime<Utc>)> {
    #[derive(QueryableByName)]
    struct TimeRow {
        #[diesel(sql_type = Text)]
        now: String,
    }
    const POSTGRES: &str = "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') AS now";
    const SQLITE: &str = "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now') AS now";
    let (clock, row): (_, TimeRow) = match connection {
        AnyConnection::Postgres(postgres) => (DatabaseClock::Server, diesel::sql_query(POSTGRES).get_result(postgres)?),
        AnyConnection::Sqlite(sqlite) => (DatabaseClock::ThisMachine, diesel::sql_query(SQLITE).get_result(sqlite)?),
    };
    NaiveDateTime::parse_from_str(&row.now, "%Y-%m-%d %H:%M:%S%.f")
        .map(|now| (clock, now.and_utc()))
        .map_err(|error| diesel::result::Error::DeserializationError(Box::new(error)))
}

#[cfg(test)]
mod tests {
    use super::with_defaults;

    #[test]
    fn what_the_url_says_comes_after_the_defaults() {
        let defaults = "connect_timeout=3&keepalives_idle=10&keepalives_interval=5&keepalives_count=3&tcp_user_timeout=10000&application_name=latchkey";
        for (given, expected) in [
            ("", ""),
            ("?", ""),
            ("?sslmode=require", "&sslmode=require"),
            ("?sslmode=require&", "&sslmode=require&"),
            ("?connect%5Ftimeout=9", "&connect%5Ftimeout=9"),
        ] {
            let url = with_defaults(&format!("postgres://ada:connect_timeout=@host/db{given}"));
            assert_eq!(url, format!("postgres://ada:connect_timeout=@host/db?{defaults}{expected}"));
        }
    }
}
