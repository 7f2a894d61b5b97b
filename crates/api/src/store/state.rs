//! The state of the database, read without changing anything.

use super::any::AnyConnection;
use super::applied_migrations;
use super::connection::{database_time, open};
use super::file::DatabaseFile;
use super::migration_files::Migrations;
use super::sessions;
use super::texts::texts;
use crate::config::DatabaseUrl;
use chrono::{DateTime, Duration, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use std::path::Path;

/// The state of a database.
#[derive(Debug)]
pub struct DatabaseState {
    /// The time by its own clock; `None` if there is no database yet.
    pub now: Option<DateTime<Utc>>,
    /// The encoding of a PostgreSQL database if it is another than UTF8.
    pub other_encoding: Option<String>,
    /// Whether the API could write to it.
    pub accepts_writes: bool,
    /// The names of the migrations that this program has and the database lacks, oldest first.
    pub missing_migrations: Vec<String>,
    /// The IP addresses of the newest sessions of the last day, newest first.
    pub newest_addresses: Vec<String>,
}

/// How many sessions are read for their addresses.
const NEWEST: i64 = 50;

/// Why the state could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("cannot connect to the database: {0}")]
    Connect(#[from] diesel::ConnectionError),
    #[error("a query failed: {0}")]
    Query(#[from] diesel::result::Error),
}

/// Opens a connection, reads the state and closes it. A SQLite file that does not exist is not created.
pub fn read(url: &DatabaseUrl, migrations: &Migrations) -> Result<DatabaseState, StateError> {
    let Some(mut connection) = open_to_read(url)? else {
        return Ok(DatabaseState {
            now: None,
            other_encoding: None,
            accepts_writes: true,
            missing_migrations: migrations.names(),
            newest_addresses: Vec::new(),
        });
    };
    let missing_migrations = applied_migrations::missing(&mut connection, migrations)?;
    let (_, now) = database_time(&mut connection)?;
    let other_encoding = other_encoding(&mut connection)?;
    let accepts_writes = accepts_writes(&mut connection, url)?;
    let newest_addresses = match missing_migrations.as_slice() {
        [] => sessions::newest_addresses(&mut connection, now - Duration::days(1), NEWEST)?,
        _ => Vec::new(),
    };
    Ok(DatabaseState { now: Some(now), other_encoding, accepts_writes, missing_migrations, newest_addresses })
}

/// A connection on which the database itself refuses writes; `None` if there is no SQLite file.
pub fn open_to_read(url: &DatabaseUrl) -> Result<Option<AnyConnection>, StateError> {
    let path = match url {
        DatabaseUrl::Sqlite(path) if !path.exists() => return Ok(None),
        DatabaseUrl::Sqlite(path) => path,
        DatabaseUrl::Postgres(_) => {
            let mut connection = open(url)?;
            if let AnyConnection::Postgres(postgres) = &mut connection {
                postgres.batch_execute("SET default_transaction_read_only = on")?;
            }
            return Ok(Some(connection));
        }
    };
    let mut sqlite = SqliteConnection::establish(&existing(path))?;
    sqlite.batch_execute("PRAGMA busy_timeout = 2000; PRAGMA query_only = ON")?;
    Ok(Some(AnyConnection::Sqlite(sqlite)))
}

/// The encoding of a PostgreSQL database if it is another than UTF8: it has no form for some characters, or, as `SQL_ASCII`, takes
/// bytes from other programs that no one can read as text. SQLite stores every character.
pub(super) fn other_encoding(connection: &mut AnyConnection) -> QueryResult<Option<String>> {
    let encoding = match connection {
        AnyConnection::Postgres(_) => texts(connection, "SELECT current_setting('server_encoding') AS text")?,
        AnyConnection::Sqlite(_) => Vec::new(),
    };
    Ok(encoding.into_iter().find(|encoding| encoding != "UTF8"))
}

/// Whether the database accepts writes from connections that, unlike this one, are not read-only themselves.
fn accepts_writes(connection: &mut AnyConnection, url: &DatabaseUrl) -> QueryResult<bool> {
    const ONLY_READS: &str = "SELECT CAST(pg_is_in_recovery() OR reset_val = 'on' AS text) AS text
        FROM pg_settings WHERE name = 'default_transaction_read_only'";
    Ok(match connection {
        AnyConnection::Postgres(_) => !texts(connection, ONLY_READS)?.iter().any(|only_reads| only_reads == "true"),
        AnyConnection::Sqlite(_) => DatabaseFile::of(url).accepts_writes(),
    })
}

/// The URI of a file that SQLite must not create (<https://www.sqlite.org/uri.html>).
fn existing(path: &Path) -> String {
    let path = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{path}?mode=rw")
}
