//! The schema's changes, embedded in the program.
//!
//! diesel's own queries about migrations create its table first. They run only under the lock, where no other process creates
//! it; all other code reads through [`state`].

use super::any::AnyConnection;
use super::connection::open;
pub use super::feature_migrations::{FeatureMigrations, SchemaChange, Script, tables_of};
pub use super::migration_files::{Migrations, newest_version, own_names};
use super::{names, state};
use crate::config::DatabaseUrl;
use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel_migrations::MigrationHarness;

/// The number of the lock that all programs on one PostgreSQL database share, so that one of them migrates at a time.
const ADVISORY_LOCK: i64 = 0x006c_6174_6368_6b65;

/// The migration that brings the names of all rows into their current canonical form, which SQL cannot do. An earlier one did
/// the same for the form of its release, and has nothing left to do.
pub const NAME_FOLDING_MIGRATION: &str = "00000000000013";

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database cannot be reached or refuses the connection.
    #[error("cannot connect to the database: {0}")]
    Connect(#[from] diesel::ConnectionError),
    /// The connection was lost in a migration, which is rolled back.
    #[error("the connection to the database was lost in a migration: {0}")]
    ConnectionLost(AnyError),
    /// A migration failed and is rolled back.
    #[error("a migration failed: {0}")]
    Failed(AnyError),
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// Messages of PostgreSQL, libpq and SQLite about errors that only a change of the configuration, the database or the disk can
/// fix. No error code is available here. If the messages are not in English, the program keeps retrying.
const PERMANENT_MESSAGES: [&str; 23] = [
    "password authentication failed",
    "no password supplied",
    "pg_hba.conf",
    "does not exist", // a role, a database
    "certificate verify failed",
    "server does not support SSL",
    "invalid URI", // an option that libpq does not know
    // Errors that libpq finds in the options before it connects to a server.
    " value: \"", // of an option with a fixed set of values
    "for connection option",
    "invalid port number",
    "could not match",                 // hosts, their addresses and ports
    "could not parse network address", // of `hostaddr`
    "require_auth method",
    "weak sslmode",
    "SSL protocol version range",
    "definition of service",
    "service file",
    "not compiled in",
    "certificate file",
    "invalid value for parameter",
    "unable to open database file",
    "file is not a database",
    "readonly database",
];

/// Messages of PostgreSQL and SQLite about conflicts of a migration with other connections, or about the server's state:
/// processes of the previous release go on while this one starts.
const TRANSIENT_MESSAGES: [&str; 8] = [
    "database is locked",
    "database or disk is full",
    "deadlock detected",
    "could not serialize access",
    "due to lock timeout",
    "read-only transaction", // a standby that is about to take over, or a disk that is nearly full
    // A user has signed up with a name that a row was about to get.
    "users_email_canonical_key",
    "users_username_canonical_key",
];

impl MigrateError {
    /// Whether the same attempt may succeed later without intervention: the database is unreachable, starting, full or locked.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connect(error) => !PERMANENT_MESSAGES.iter().any(|text| error.to_string().contains(text)),
            Self::ConnectionLost(_) => true,
            Self::Failed(error) => TRANSIENT_MESSAGES.iter().any(|text| error.to_string().contains(text)),
        }
    }
}

/// Runs the pending migrations and returns their versions. Several processes may call it at the same time.
///
/// A database with more migrations than this program belongs to a newer release, or to one with another feature. It is used, with
/// a warning, so that a release can be rolled back: a migration must only add what the previous release does not notice.
///
/// # Errors
/// [`MigrateError`]; the schema is then as it was before the failed migration.
pub fn migrate(url: &DatabaseUrl, migrations: &Migrations) -> Result<Vec<String>, MigrateError> {
    let mut connection = open(url)?;
    match run(&mut connection, migrations) {
        Ok(done) => {
            warn_of_unknown(&mut connection, migrations);
            Ok(done)
        }
        // The migration is not at fault if the database became unreachable in between, even if it is back by now.
        Err(error) => Err(match open(url) {
            Err(unreachable) => MigrateError::Connect(unreachable),
            Ok(_) if is_lost(&mut connection) => MigrateError::ConnectionLost(error),
            Ok(_) => MigrateError::Failed(error),
        }),
    }
}

/// Whether PostgreSQL no longer responds on this connection. `ROLLBACK` succeeds even in an aborted transaction, where every
/// other statement fails.
fn is_lost(connection: &mut AnyConnection) -> bool {
    match connection {
        AnyConnection::Postgres(postgres) => postgres.batch_execute("ROLLBACK").is_err(),
        AnyConnection::Sqlite(_) => false,
    }
}

fn warn_of_unknown(connection: &mut AnyConnection, migrations: &Migrations) {
    for version in state::unknown(connection, migrations).unwrap_or_default() {
        log::warn!(
            "migrations.unknown: the database was migrated by a newer release, or by one with another feature: {version}"
        );
    }
}

fn run(connection: &mut AnyConnection, migrations: &Migrations) -> Result<Vec<String>, AnyError> {
    // diesel writes before it reads, and a database may refuse writes for a while.
    if state::missing(connection, migrations)?.is_empty() {
        return Ok(Vec::new());
    }
    match connection {
        AnyConnection::Postgres(postgres) => {
            // Waiting for the lock and a long migration may both take more than a request's statement may.
            postgres.batch_execute(&format!("SET statement_timeout = 0; SELECT pg_advisory_lock({ADVISORY_LOCK})"))?;
        }
        AnyConnection::Sqlite(_) => return transact(connection, |connection| run_pending(connection, migrations)),
    }
    let mut done = Vec::new();
    while let Some(version) = transact(connection, |connection| run_next(connection, migrations))? {
        done.push(version);
    }
    if let AnyConnection::Postgres(postgres) = connection {
        postgres.batch_execute(&format!("SELECT pg_advisory_unlock({ADVISORY_LOCK})"))?;
    }
    Ok(done)
}

fn transact<T>(
    connection: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, AnyError>,
) -> Result<T, AnyError> {
    connection.write(|connection| work(connection).map_err(Wrapped)).map_err(|Wrapped(error)| error)
}

fn run_pending(connection: &mut AnyConnection, migrations: &Migrations) -> Result<Vec<String>, AnyError> {
    let mut done = Vec::new();
    while let Some(version) = run_next(connection, migrations)? {
        done.push(version);
    }
    Ok(done)
}

/// Runs the oldest pending migration, and folds the names if it is the one that requires it.
fn run_next(connection: &mut AnyConnection, migrations: &Migrations) -> Result<Option<String>, AnyError> {
    let version = match connection {
        AnyConnection::Postgres(postgres) => run_next_of(postgres, migrations)?,
        AnyConnection::Sqlite(sqlite) => run_next_of(sqlite, migrations)?,
    };
    if version.as_deref() == Some(NAME_FOLDING_MIGRATION) {
        names::fold_all(connection)?;
    }
    Ok(version)
}

fn run_next_of<DB: diesel::backend::Backend>(
    connection: &mut impl MigrationHarness<DB>,
    source: impl MigrationSource<DB>,
) -> Result<Option<String>, AnyError> {
    let pending = connection.pending_migrations(source)?;
    let Some(next) = pending.first() else { return Ok(None) };
    Ok(Some(connection.run_migration(next)?.to_string()))
}

/// A boxed error that a diesel transaction can return.
struct Wrapped(AnyError);

impl From<diesel::result::Error> for Wrapped {
    fn from(error: diesel::result::Error) -> Self {
        Self(Box::new(error))
    }
}

/// Reverts every migration, newest first, for the tests that go up, down and up again.
pub fn revert_all(url: &DatabaseUrl, migrations: &Migrations) -> Result<(), MigrateError> {
    let done = match &mut open(url)? {
        AnyConnection::Postgres(postgres) => postgres.revert_all_migrations(migrations).map(|_| ()),
        AnyConnection::Sqlite(sqlite) => sqlite.revert_all_migrations(migrations).map(|_| ()),
    };
    done.map_err(MigrateError::Failed)
}
