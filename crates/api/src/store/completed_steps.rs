//! Table `completed_steps`: the results of requests with an `Idempotency-Key`, by a keyed hash of the whole request.

use super::any::AnyConnection;
use super::schema::completed_steps;
use super::types::{At, SqlUuid};
use auth_types::SessionId;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// The result of a completed request.
#[derive(Debug, Clone, Queryable)]
pub struct CompletedStep {
    /// The session that it created.
    pub session: Option<SessionId>,
    /// The notice in its response.
    pub notice: Option<String>,
    pub at: DateTime<Utc>,
}

/// The result of the request with one of these hashes, and the hash that it is stored with.
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

/// Stores the result of a request. Of two equal requests at the same time, the second one's transaction fails here, and it
/// returns the first one's result.
///
/// # Errors
/// A unique violation if there is a result already.
pub fn insert(connection: &mut AnyConnection, hash: &[u8], step: &CompletedStep) -> QueryResult<()> {
    diesel::insert_into(completed_steps::table)
        .values((
            completed_steps::hash.eq(hash),
            completed_steps::session_id.eq(step.session.map(SqlUuid::from)),
            completed_steps::notice.eq(&step.notice),
            completed_steps::at.eq(At(step.at)),
        ))
        .execute(connection)
        .map(|_| ())
}

/// Deletes the result that the request with this hash had at `at`, but not a later one.
pub fn delete(connection: &mut AnyConnection, hash: &[u8], at: DateTime<Utc>) -> QueryResult<()> {
    let step = completed_steps::table.find(hash).filter(completed_steps::at.eq(At(at)));
    diesel::delete(step).execute(connection).map(|_| ())
}

/// Deletes at most `batch` results from `until` or before, and returns how many were deleted.
pub fn delete_old(connection: &mut AnyConnection, until: DateTime<Utc>, batch: i64) -> QueryResult<usize> {
    let old = diesel::alias!(completed_steps as old);
    let ids =
        old.filter(old.field(completed_steps::at).le(At(until))).select(old.field(completed_steps::hash)).limit(batch);
    diesel::delete(completed_steps::table.filter(completed_steps::hash.eq_any(ids))).execute(connection)
}
