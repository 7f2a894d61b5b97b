//! Table `last_backup`: when a backup last succeeded. Backups are made by a process of their own; this is how the API
//! hears of them.

use super::any::AnyConnection;
use super::schema::last_backup;
use super::types::At;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct LastBackup {
    /// What it is called in the storage.
    pub name: String,
    /// The moment that it shows.
    pub made_at: DateTime<Utc>,
    pub size_bytes: i64,
}

/// The last one, if there was any.
pub fn find(connection: &mut AnyConnection) -> QueryResult<Option<LastBackup>> {
    last_backup::table.first(connection).optional()
}

/// Puts this one in the place of the one before, within a transaction.
pub fn replace(connection: &mut AnyConnection, made: &LastBackup) -> QueryResult<()> {
    delete(connection)?;
    diesel::insert_into(last_backup::table)
        .values((
            last_backup::name.eq(&made.name),
            last_backup::made_at.eq(At(made.made_at)),
            last_backup::size_bytes.eq(made.size_bytes),
        ))
        .execute(connection)
        .map(|_| ())
}

/// Forgets it: the database is another one now.
pub fn delete(connection: &mut AnyConnection) -> QueryResult<()> {
    diesel::delete(last_backup::table).execute(connection).map(|_| ())
}
