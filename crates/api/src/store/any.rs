//! One connection type for both databases.

use diesel::{PgConnection, SqliteConnection};

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

/// Runs a statement on the connection to either database. Through [`AnyConnection`] itself diesel writes the text of a statement
/// two or three times for each execution, even if the statement stays prepared: for the ones of nearly every request that is a tenth of
/// the processor time.
macro_rules! on_either {
    ($connection:expr, |$either:ident| $run:expr) => {
        match $connection {
            $crate::store::AnyConnection::Postgres($either) => $run,
            $crate::store::AnyConnection::Sqlite($either) => $run,
        }
    };
}
pub(super) use on_either;
