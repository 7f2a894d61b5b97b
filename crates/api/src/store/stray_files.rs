//! Table `stray_files`: orphaned files, which no row refers to yet, or not any more. Deployed databases have it by
//! this name.

use super::any::AnyConnection;
use super::schema::stray_files;
use super::types::At;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

pub fn insert(connection: &mut AnyConnection, name: &str, at: DateTime<Utc>) -> QueryResult<()> {
    let values = (stray_files::name.eq(name), stray_files::noted_at.eq(At(at)));
    diesel::insert_into(stray_files::table).values(values).execute(connection).map(|_| ())
}

/// Removes a file from the table. Returns `false` if it was not there.
pub fn delete(connection: &mut AnyConnection, name: &str) -> QueryResult<bool> {
    diesel::delete(stray_files::table.find(name)).execute(connection).map(|rows| rows == 1)
}

/// At most `batch` files that were inserted before `before`, oldest first.
pub fn list(connection: &mut AnyConnection, before: DateTime<Utc>, batch: i64) -> QueryResult<Vec<String>> {
    let old = stray_files::table.filter(stray_files::noted_at.lt(At(before)));
    old.order(stray_files::noted_at).limit(batch).select(stray_files::name).load(connection)
}
