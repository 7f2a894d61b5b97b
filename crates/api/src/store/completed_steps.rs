//! Table `completed_steps`: what was done with which `Idempotency-Key`, by a keyed hash of the whole request.

use super::any::AnyConnection;
use super::schema::completed_steps;
use super::types::{At, SqlSessionId};
use auth_types::SessionId;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// What a request has done.
#[derive(Debug, Clone, Queryable)]
pub struct CompletedStep {
    /// The session that began with it.
    pub session: Option<SessionId>,
    /// What the response had to say besides.
    pub notice: Option<String>,
    pub at: DateTime<Utc>,
}

/// What the request that has one of these hashes has done, and the hash that it was noted with.
pub fn find<'a>(
    connection: &mut AnyConnection,
    hashes: impl Iterator<Item = &'a [u8]>,
) -> QueryResult<Option<(Vec<u8>, CompletedStep)>> {
    completed_steps::table
        .filter(completed_steps::hash.eq_any(hashes))
        .select((completed_steps::hash, (completed_steps::session_id, completed_steps::notice, completed_steps::at)))
        .first(connection)
        .optional()
}

/// Notes what a request has done. Of two at once that are the same, the second fails with what it has written: its response
/// is the first one's.
///
/// # Errors
/// When the database does not answer, and a unique violation.
pub fn insert(connection: &mut AnyConnection, hash: &[u8], step: &CompletedStep) -> QueryResult<()> {
    diesel::insert_into(completed_steps::table)
        .values((
            completed_steps::hash.eq(hash),
            completed_steps::session_id.eq(step.session.map(SqlSessionId)),
            completed_steps::notice.eq(&step.notice),
            completed_steps::at.eq(At(step.at)),
        ))
        .execute(connection)
        .map(|_| ())
}

/// Deletes what the request with this hash did at `at`, and nothing that was done since.
pub fn delete(connection: &mut AnyConnection, hash: &[u8], at: DateTime<Utc>) -> QueryResult<()> {
    let step = completed_steps::table.find(hash).filter(completed_steps::at.eq(At(at)));
    diesel::delete(step).execute(connection).map(|_| ())
}

/// Deletes at most `batch` of what was done at `until` or before, and returns how many there were.
pub fn delete_old(connection: &mut AnyConnection, until: DateTime<Utc>, batch: i64) -> QueryResult<usize> {
    let old = diesel::alias!(completed_steps as old);
    let over =
        old.filter(old.field(completed_steps::at).le(At(until))).select(old.field(completed_steps::hash)).limit(batch);
    diesel::delete(completed_steps::table.filter(completed_steps::hash.eq_any(over))).execute(connection)
}
