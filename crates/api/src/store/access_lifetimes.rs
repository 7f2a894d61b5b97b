//! Table `access_lifetimes`: the lifetimes with which processes issue access tokens, and until when. A token keeps the lifetime that it was
//! issued with when the setting changes. There are only as many rows as the setting has had values.

use super::any::AnyConnection;
use super::prepared::upsert;
use super::schema::access_lifetimes;
use super::types::At;
use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;

/// A lifetime of access tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessLifetime {
    pub lifetime: Duration,
    /// No process has issued tokens with it after this time.
    pub used_until: DateTime<Utc>,
}

/// All lifetimes.
pub fn list(connection: &mut AnyConnection) -> QueryResult<Vec<AccessLifetime>> {
    let rows: Vec<(i64, DateTime<Utc>)> = access_lifetimes::table.load(connection)?;
    let of = |(seconds, used_until)| AccessLifetime { lifetime: Duration::seconds(seconds), used_until };
    Ok(rows.into_iter().map(of).collect())
}

/// Records that tokens are issued with this lifetime. A later time that another process has recorded stays.
pub fn record(connection: &mut AnyConnection, used: AccessLifetime) -> QueryResult<()> {
    let seconds = access_lifetimes::seconds.eq(used.lifetime.num_seconds());
    let insert = diesel::insert_into(access_lifetimes::table)
        .values((seconds, access_lifetimes::used_until.eq(At(used.used_until))));
    let later = "ON CONFLICT (seconds) DO UPDATE SET used_until = excluded.used_until
        WHERE access_lifetimes.used_until < excluded.used_until";
    upsert(insert, later).execute(connection).map(|_| ())
}

/// Sets the time of every lifetime that was last used earlier, after a restore: the source may have been in use until then.
pub fn extend_all(connection: &mut AnyConnection, used_until: DateTime<Utc>) -> QueryResult<()> {
    diesel::update(access_lifetimes::table.filter(access_lifetimes::used_until.lt(At(used_until))))
        .set(access_lifetimes::used_until.eq(At(used_until)))
        .execute(connection)
        .map(|_| ())
}

/// Deletes all lifetimes, before a restore inserts those of the source.
pub fn delete_all(connection: &mut AnyConnection) -> QueryResult<()> {
    diesel::delete(access_lifetimes::table).execute(connection).map(|_| ())
}
