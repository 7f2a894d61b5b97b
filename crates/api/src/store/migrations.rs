//! The schema's changes, embedded in the program.
//!
//! diesel's own queries about migrations create its table first. They run only under the lock, where no other process creates
//! it; all other code reads through [`state`].

use super::any::AnyConnection;
use super::connection::open;
pub use super::feature_migrations::{FeatureMigrations, SchemaChange, Script, tables_of};
pub use super::migration_files::{Migrations, builtin_names, newest_version};
use super::{applied_migrations, names, state};
use crate::config::DatabaseUrl;
use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel_migrations::MigrationHarness;

/// The number of the lock that all programs on one PostgreSQL database share, so that one of them migrates at a time.
const ADVISORY_LOCK: i64 = 0x006c_6174_6368_6b65;

/// The migration that brings the names of all rows into their current canonical form, which SQL cannot do. An earlier one did
/// the same for the form of its release, and has nothing left to do.
pub const NAME_MIGRATION: &str = "00000000000013";

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database cannot be reached or refuses the connection.
    #[error("cannot connect to the database: {0}")]
    Connect(#[from] diesel::ConnectionError),
    /// The database cannot store every character.
    #[error(
        "the database has the encoding {0} and needs UTF8, which can store every name: create another with CREATE DATABASE … \
         TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C', and move existing data by a backup"
    )]
    Encoding(String),
    /// The connection was lost in a migration, which is rolled back.
    #[error("the connection to the database was lost in a migration: {0}")]
    ConnectionLost(AnyError),
    /// A migration failed and is rolled back.
    #[error("a migration failed: {0}")]
    Failed(AnyError),
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// Messages of PostgreSQL, its poolers, libpq and SQLite about errors that only a change of the configuration, the database or the
/// disk can fix. No error code is available here. If the messages are not in English, the program keeps retrying.
const PERMANENT_MESSAGES: [&str; 63] = [
    // Messages of the server about the role, the database and the options.
    "password authentication failed",
    "Peer authentication failed",
    "Ident authentication failed",
    "GSSAPI authentication failed",
    "trust authentication failed",
    "pg_hba.conf",
    "does not exist", // a role, a database, a file
    "is not permitted to log in",
    "ermission denied", // for a database, to set a parameter; the folder of a socket
    "is not currently accepting connections",
    "cannot connect to invalid database",
    "invalid value for parameter",
    "unrecognized configuration parameter",
    "invalid command-line argument",
    "cannot be changed",             // a parameter
    "cannot be set after",           // another
    "unsupported startup parameter", // PgBouncer
    "no such user",
    "no such database",
    "extended query protocol not supported", // a connection for replication
    "in WAL sender",
    // Encryption or authentication that the server and libpq do not agree on.
    " certificate", // every message that has this word; a host's name has no blank
    "private key file",
    "private SSL key",
    "SSL engine",
    "server does not support SSL",
    "unsupported protocol",
    "no protocols available",
    "alert unknown ca",
    "protocol version",
    "unsupported frontend protocol",
    "ALPN",
    "GSSAPI encryption",
    "no password supplied",
    "authentication method",
    "SASL authentication mechanisms",
    "authentication not supported",
    "channel binding",
    "incorrect server signature",
    "OAuth",
    "requirepeer",
    // Errors that libpq finds in the options before it connects to a server.
    "invalid URI",
    "key/value separator",
    "percent-encoded",
    "IPv6 host address",
    "unexpected character",
    "host name must be specified",
    "socket path",
    " value: \"", // of an option with a fixed set of values
    "for connection option",
    "invalid port number",
    "could not match",                 // hosts, their addresses and ports
    "could not parse network address", // of `hostaddr`
    "require_auth method",
    "weak sslmode",
    "definition of service",
    "service file",
    "not compiled in",
    // SQLite.
    "unable to open database file",
    "file is not a database",
    "readonly database",
    "malformed database schema",
    "image is malformed",
];

/// Messages of PostgreSQL and SQLite about conflicts of a migration with other connections, or about the server's state:
/// processes of the previous release go on while this one starts.
const TRANSIENT_MESSAGES: [&str; 14] = [
    "database is locked",
    // A full disk, a quota that is used up, a lack of memory or of files.
    "database or disk is full",
    "disk I/O error", // of SQLite, also for a quota
    "No space left on device",
    "Disk quota exceeded",
    "could not extend file",
    "out of memory",
    "Too many open files",
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
            Self::Encoding(_) => false,
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
    let migrated = match encoding_of_new(&mut connection) {
        Ok(Some(encoding)) => return Err(MigrateError::Encoding(encoding)),
        Ok(None) => run(&mut connection, migrations),
        Err(error) => Err(error.into()),
    };
    match migrated {
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

/// The encoding of a database that has no tables yet and cannot store every character. One that is in use is brought up to date, so
/// that a backup can move it; [`check_encoding`] refuses it at the start.
fn encoding_of_new(connection: &mut AnyConnection) -> QueryResult<Option<String>> {
    Ok(if applied_migrations::applied(connection)?.is_empty() { state::other_encoding(connection)? } else { None })
}

/// Checks that the database can store every character.
///
/// # Errors
/// [`MigrateError::Encoding`].
pub fn check_encoding(connection: &mut AnyConnection) -> QueryResult<Result<(), MigrateError>> {
    Ok(state::other_encoding(connection)?.map_or(Ok(()), |encoding| Err(MigrateError::Encoding(encoding))))
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
    for version in applied_migrations::unknown(connection, migrations).unwrap_or_default() {
        log::warn!(
            "migrations.unknown: the database was migrated by a newer release, or by one with another feature: {version}"
        );
    }
}

fn run(connection: &mut AnyConnection, migrations: &Migrations) -> Result<Vec<String>, AnyError> {
    // diesel writes before it reads, and a database may refuse writes for a while.
    if applied_migrations::missing(connection, migrations)?.is_empty() {
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

/// Runs the oldest pending migration, and migrates the names if it is the one that requires it.
fn run_next(connection: &mut AnyConnection, migrations: &Migrations) -> Result<Option<String>, AnyError> {
    let version = match connection {
        AnyConnection::Postgres(postgres) => run_next_of(postgres, migrations)?,
        AnyConnection::Sqlite(sqlite) => run_next_of(sqlite, migrations)?,
    };
    if version.as_deref() == Some(NAME_MIGRATION) {
        names::migrate_all(connection)?;
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

#[cfg(test)]
mod tests {
    use super::MigrateError;
    use diesel::ConnectionError;

    fn is_transient(message: &str) -> bool {
        MigrateError::Connect(ConnectionError::BadConnection(message.to_owned())).is_transient()
    }

    /// Messages of PostgreSQL and SQLite in the middle of a migration.
    #[test]
    fn a_migration_that_lacked_room_is_repeated_and_one_that_does_not_fit_is_not() {
        let is_transient = |message: &str| MigrateError::Failed(message.into()).is_transient();
        for message in [
            "database or disk is full",
            "disk I/O error",
            "could not extend file \"base/16384/16385\": No space left on device",
            "could not extend file \"base/16384/16385\": Disk quota exceeded",
            "could not extend file \"base/16384/16385\": wrote only 4096 of 8192 bytes at block 1",
            "could not write to file \"base/pgsql_tmp/pgsql_tmp12.0\": No space left on device",
            "could not resize shared memory segment \"/PostgreSQL.12\" to 8388608 bytes: No space left on device",
            "could not open file \"base/16384/16385\": Too many open files in system",
            "out of memory",
        ] {
            assert!(is_transient(message), "{message}");
        }
        for message in [
            "relation \"sessions\" already exists",
            "table sessions already exists",
            "permission denied for schema public",
            "attempt to write a readonly database",
            "database disk image is malformed",
        ] {
            assert!(!is_transient(message), "{message}");
        }
    }

    /// Messages of PostgreSQL 16 to 18, its poolers, libpq and SQLite.
    #[test]
    fn an_error_that_no_retry_fixes_is_permanent() {
        for message in [
            "FATAL:  role \"guest\" is not permitted to log in",
            "FATAL:  permission denied for database \"closed\"",
            "FATAL:  database \"closed\" is not currently accepting connections",
            "FATAL:  Peer authentication failed for user \"ada\"",
            "FATAL:  connection requires a valid client certificate",
            "FATAL:  unrecognized configuration parameter \"serach_path\"",
            "FATAL:  permission denied to set parameter \"log_statement\"",
            "FATAL:  parameter \"shared_buffers\" cannot be changed without restarting the server",
            "FATAL:  unsupported startup parameter: options",
            "FATAL:  no such database: d1",
            "ERROR:  extended query protocol not supported in a replication connection",
            "ERROR:  cannot execute SQL commands in WAL sender for physical replication",
            "server certificate for \"db.example\" (and 1 other name) does not match host name \"10.0.0.1\"",
            "connection to server at \"db\", port 5432 failed: certificate present, but not private key file \"/etc/latchkey/client.key\"",
            "private key file \"/k\" has group or world access; file must have permissions u=rw (0600) or less",
            "could not load private key file \"/k\": bad decrypt",
            "SSL error: tlsv1 alert unknown ca",
            "SSL error: tlsv13 alert certificate required",
            "SSL error: tlsv1 alert protocol version",
            "SSL error: unsupported protocol",
            "server did not request an SSL certificate",
            "server accepted connection without a valid SSL certificate",
            "authentication method requirement \"none\" failed: server requested SCRAM-SHA-256 authentication",
            "authentication method 13 not supported",
            "channel binding required, but SSL not in use",
            "channel binding required but not supported by server's authentication request",
            "channel binding is required, but client does not support it",
            "none of the server's SASL authentication mechanisms are supported",
            "server only supports protocol version 3.0, but \"min_protocol_version\" was set to 3.2",
            "GSSAPI encryption required but was impossible (possibly no credential cache)",
            "missing key/value separator \"=\" in URI query parameter: \"a\"",
            "extra key/value separator \"=\" in URI query parameter: \"a\"",
            "forbidden value %00 in percent-encoded value: \"%00\"",
            "host name must be specified for a verified SSL connection",
            "Unix-domain socket path \"/a\" is too long (maximum 107 bytes)",
            "definition of service \"x\" not found",
            "connection to server on socket \"/run/postgresql/.s.PGSQL.5432\" failed: Permission denied",
            "database disk image is malformed",
        ] {
            assert!(!is_transient(message), "{message}");
        }
    }

    #[test]
    fn an_unreachable_or_busy_server_is_transient() {
        for message in [
            "connection to server at \"db\" (10.0.0.1), port 5432 failed: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?",
            "connection to server on socket \"/run/postgresql/.s.PGSQL.5432\" failed: No such file or directory\n\tIs the server running locally and accepting connections on that socket?",
            "could not translate host name \"db\" to address: Temporary failure in name resolution",
            "could not translate host name \"db\" to address: Name or service not known",
            "connection to server at \"db\", port 5432 failed: timeout expired",
            "server closed the connection unexpectedly",
            "SSL SYSCALL error: EOF detected",
            "could not receive data from server: Connection reset by peer",
            "session is read-only",
            "server is in hot standby mode",
            "FATAL:  the database system is starting up",
            "FATAL:  the database system is not yet accepting connections",
            "FATAL:  the database system is not accepting connections",
            "FATAL:  the database system is shutting down",
            "FATAL:  the database system is in recovery mode",
            "FATAL:  terminating connection due to administrator command",
            "FATAL:  sorry, too many clients already",
            "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
            "FATAL:  too many connections for role \"latchkey\"",
            "FATAL:  too many connections for database \"latchkey\"",
            "FATAL:  LDAP authentication failed for user \"ada\"",
            "FATAL:  server login has been failing, try again later (server_login_retry)",
            "FATAL:  could not open file \"global/pg_filenode.map\": Too many open files in system",
            "database is locked",
            "disk I/O error",
        ] {
            assert!(is_transient(message), "{message}");
        }
    }
}
