//! The schema's changes, embedded in the program.
//!
//! diesel's own questions about migrations create its table first. They are asked under the lock only, where nobody else
//! creates it; everybody else reads with [`state`].

use super::any::AnyConnection;
use super::connection::open;
pub use super::feature_migrations::{FeatureMigrations, SchemaChange, Script, tables_of};
pub use super::migration_files::{Migrations, newest_version, own_names};
use super::{names, state};
use crate::config::DatabaseUrl;
use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel_migrations::MigrationHarness;

/// Of all programs that use one PostgreSQL database, one migrates at a time: the number of the lock they share.
const ADVISORY_LOCK: i64 = 0x006c_6174_6368_6b65;

/// The migration that brings the names of all rows into today's form; SQL cannot. An earlier one did the same for the form
/// of its release, and has nothing left to do.
pub const FOLDS_NAMES: &str = "00000000000013";

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database cannot be reached or refuses.
    #[error("cannot connect to the database: {0}")]
    Connect(#[from] diesel::ConnectionError),
    /// The connection was lost in a migration; what it had done is rolled back.
    #[error("the connection to the database was lost in a migration: {0}")]
    Cut(AnyError),
    /// A migration failed; what it had done is rolled back.
    #[error("a migration failed: {0}")]
    Run(AnyError),
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// How PostgreSQL, libpq and SQLite say that somebody has to change the configuration, the database or the disk first.
/// They have no code for it that reaches us; in another language than English the program just goes on trying.
const FINAL_WORDS: [&str; 23] = [
    "password authentication failed",
    "no password supplied",
    "pg_hba.conf",
    "does not exist", // a role, a database
    "certificate verify failed",
    "server does not support SSL",
    "invalid URI", // an option that libpq does not know
    // What libpq finds in the options before it asks any server.
    " value: \"", // of one of a few words
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

/// How PostgreSQL and SQLite say that others were in the way of a migration, or the server's state: processes of the release
/// before go on while this one starts.
const PASSING_WORDS: [&str; 8] = [
    "database is locked",
    "database or disk is full",
    "deadlock detected",
    "could not serialize access",
    "due to lock timeout",
    "read-only transaction", // a standby that is about to take over, or a disk that is nearly full
    // Somebody has signed up with a name that a row was about to be given.
    "users_email_canonical_key",
    "users_username_canonical_key",
];

impl MigrateError {
    /// Whether the same attempt may succeed later without anybody's help: the database is away, starting, full or locked.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Connect(error) => !FINAL_WORDS.iter().any(|words| error.to_string().contains(words)),
            Self::Cut(_) => true,
            Self::Run(error) => PASSING_WORDS.iter().any(|words| error.to_string().contains(words)),
        }
    }
}

/// Runs what is pending and answers its names. Safe to call from several processes at once.
///
/// A database that knows more migrations than this program is that of a newer release, or of one with another feature. It is
/// used, with a warning, so that a release can be taken back: a migration may only add what the release before it does not notice.
///
/// # Errors
/// [`MigrateError`]; the schema is then as it was before the migration that failed.
pub fn migrate(url: &DatabaseUrl, migrations: &Migrations) -> Result<Vec<String>, MigrateError> {
    let mut connection = open(url)?;
    match run(&mut connection, migrations) {
        Ok(done) => {
            warn_of_unknown(&mut connection, migrations);
            Ok(done)
        }
        // Not the migration's fault when the database has gone meanwhile, or has gone and is back.
        Err(error) => Err(match open(url) {
            Err(gone) => MigrateError::Connect(gone),
            Ok(_) if is_lost(&mut connection) => MigrateError::Cut(error),
            Ok(_) => MigrateError::Run(error),
        }),
    }
}

/// Whether PostgreSQL does not respond on this connection any more. It may be in an aborted transaction, where every other
/// statement fails, too.
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
    // diesel writes before it looks, and a database may take no writes for a while.
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

/// Runs the oldest migration that is pending, and what it asks of the rows.
fn run_next(connection: &mut AnyConnection, migrations: &Migrations) -> Result<Option<String>, AnyError> {
    let version = match connection {
        AnyConnection::Postgres(postgres) => run_next_of(postgres, migrations)?,
        AnyConnection::Sqlite(sqlite) => run_next_of(sqlite, migrations)?,
    };
    if version.as_deref() == Some(FOLDS_NAMES) {
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

/// Lets a boxed error travel through a diesel transaction.
struct Wrapped(AnyError);

impl From<diesel::result::Error> for Wrapped {
    fn from(error: diesel::result::Error) -> Self {
        Self(Box::new(error))
    }
}

/// Takes every migration back, newest first: for the tests that go up, down and up again.
pub fn revert_all(url: &DatabaseUrl, migrations: &Migrations) -> Result<(), MigrateError> {
    let done = match &mut open(url)? {
        AnyConnection::Postgres(postgres) => postgres.revert_all_migrations(migrations).map(|_| ()),
        AnyConnection::Sqlite(sqlite) => sqlite.revert_all_migrations(migrations).map(|_| ()),
    };
    done.map_err(MigrateError::Run)
}
