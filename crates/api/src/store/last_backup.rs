//! Table `last_backup`: when a backup last succeeded. A separate process makes backups; the API learns of them through this
//! table.

use super::any::AnyConnection;
use super::schema::last_backup;
use super::types::At;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// The most recent backup.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct LastBackup {
    /// Its name in the storage.
    pub name: String,
    /// The point in time of its data.
    pub made_at: DateTime<Utc>,
    pub size_bytes: i64,
}

pub fn find(connection: &mut AnyConnection) -> QueryResult<Option<LastBackup>> {
    last_backup::table.first(connection).optional()
}

/// Replaces the row. Must run inside a transaction.
pub fn replace(connection: &mut AnyConnection, backup: &LastBackup) -> QueryResult<()> {
    delete(connection)?;
    diesel::insert_into(last_backup::table)
        .values((
            last_backup::name.eq(&backup.name),
            last_backup::made_at.eq(At(backup.made_at)),
            last_backup::size_bytes.eq(backup.size_bytes),
        ))
        .execute(connection)
        .map(|_| ())
}

/// Deletes the row, after a restore: it is about another database.
pub fn delete(connection: &mut AnyConnection) -> QueryResult<()> {
    diesel::delete(last_backup::table).execute(connection).map(|_| ())
}
