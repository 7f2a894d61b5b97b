//! Keeps `auth_events` bounded. Every function finds its rows through an index, deletes at most one batch and returns how many
//! were deleted, so that no lock is held for long in a table of any size.

use crate::store::any::AnyConnection;
use crate::store::schema::{auth_events, users};
use crate::store::types::At;
use auth_types::UserId;
use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use std::collections::BTreeSet;

/// Deletes events of a user that are older than the newest `keep`, the oldest first.
pub fn delete_surplus(connection: &mut AnyConnection, user: UserId, keep: i64, batch: i64) -> QueryResult<usize> {
    let own = auth_events::table.filter(auth_events::user_id.assume_not_null().eq(user.0));
    let last_kept: Option<(DateTime<Utc>, i64)> = own
        .order((auth_events::at.desc(), auth_events::id.desc()))
        .select((auth_events::at, auth_events::id))
        .offset(keep - 1)
        .first(connection)
        .optional()?;
    let Some((at, id)) = last_kept else { return Ok(0) };
    let same_time = auth_events::at.eq(At(at)).and(auth_events::id.lt(id));
    // The first condition bounds the index scan, the second one follows the order of the rows.
    let surplus = own.filter(auth_events::at.le(At(at))).filter(auth_events::at.lt(At(at)).or(same_time));
    let oldest = surplus.order((auth_events::at, auth_events::id)).select(auth_events::id).limit(batch);
    let oldest = oldest.load(connection)?;
    delete(connection, &oldest)
}

/// Deletes events that belong to no account and are older than the newest `keep` of them.
pub fn delete_anonymous_surplus(connection: &mut AnyConnection, keep: i64, batch: i64) -> QueryResult<usize> {
    let anonymous = auth_events::table.filter(auth_events::user_id.is_null()).select(auth_events::id);
    let last_kept = anonymous.order(auth_events::id.desc()).offset(keep - 1).first::<i64>(connection).optional()?;
    let Some(last_kept) = last_kept else { return Ok(0) };
    let surplus = anonymous.filter(auth_events::id.lt(last_kept)).order(auth_events::id).limit(batch);
    let surplus = surplus.load(connection)?;
    delete(connection, &surplus)
}

/// Deletes events that happened before `before`.
pub fn delete_older(connection: &mut AnyConnection, before: DateTime<Utc>, batch: i64) -> QueryResult<usize> {
    let older = auth_events::table.filter(auth_events::at.lt(At(before))).order(auth_events::at);
    let older = older.select(auth_events::id).limit(batch).load(connection)?;
    delete(connection, &older)
}

/// Deletes events of a user.
pub fn delete_of_user(connection: &mut AnyConnection, user: UserId, batch: i64) -> QueryResult<usize> {
    let own = auth_events::table.filter(auth_events::user_id.assume_not_null().eq(user.0));
    let oldest = own.order((auth_events::at, auth_events::id)).select(auth_events::id).limit(batch);
    let oldest = oldest.load(connection)?;
    delete(connection, &oldest)
}

/// Deletes by id, so that two processes that delete the same rows lock them in the same order.
fn delete(connection: &mut AnyConnection, ids: &[i64]) -> QueryResult<usize> {
    if ids.is_empty() {
        return Ok(0);
    }
    diesel::delete(auth_events::table.filter(auth_events::id.eq_any(ids))).execute(connection)
}

/// The id of the newest event, 0 when there is none.
pub fn newest_id(connection: &mut AnyConnection) -> QueryResult<i64> {
    let newest = auth_events::table.order(auth_events::id.desc()).select(auth_events::id).first(connection);
    Ok(newest.optional()?.unwrap_or_default())
}

/// Reads at most `batch` events after the id `after`. Returns which of their users have more than `keep` events, and the id of
/// the last event.
pub fn recent_users_with_surplus(
    connection: &mut AnyConnection,
    after: i64,
    keep: i64,
    batch: i64,
) -> QueryResult<(Vec<UserId>, Option<i64>)> {
    let rows: Vec<(i64, Option<i64>)> = auth_events::table
        .filter(auth_events::id.gt(after))
        .order(auth_events::id)
        .select((auth_events::id, auth_events::user_id))
        .limit(batch)
        .load(connection)?;
    let last = rows.last().map(|(id, _)| *id);
    let owners: BTreeSet<i64> = rows.into_iter().filter_map(|(_, owner)| owner).collect();
    Ok((with_surplus(connection, owners, keep)?, last))
}

/// Reads at most `batch` users after the id `after`. Returns which of them have more than `keep` events, and the id of the last
/// user.
pub fn users_with_surplus(
    connection: &mut AnyConnection,
    after: i64,
    keep: i64,
    batch: i64,
) -> QueryResult<(Vec<UserId>, Option<i64>)> {
    let next = users::table.filter(users::id.gt(after)).order(users::id).select(users::id).limit(batch);
    let next: Vec<i64> = next.load(connection)?;
    let last = next.last().copied();
    Ok((with_surplus(connection, next, keep)?, last))
}

fn with_surplus(
    connection: &mut AnyConnection,
    users: impl IntoIterator<Item = i64>,
    keep: i64,
) -> QueryResult<Vec<UserId>> {
    let mut found = Vec::new();
    for user in users {
        let own = auth_events::table.filter(auth_events::user_id.assume_not_null().eq(user));
        let newest = own.order((auth_events::at.desc(), auth_events::id.desc())).select(auth_events::id);
        found.extend(newest.offset(keep).first::<i64>(connection).optional()?.map(|_| UserId(user)));
    }
    Ok(found)
}

/// At most `batch` users who were erased at or after `since` and still have events.
pub fn erased_users(connection: &mut AnyConnection, since: DateTime<Utc>, batch: i64) -> QueryResult<Vec<UserId>> {
    let own = auth_events::table.filter(auth_events::user_id.eq(users::id.nullable()));
    let erased = users::table.filter(users::deleted_at.is_not_null()).filter(users::deleted_at.ge(At(since)));
    let erased: Vec<i64> = erased.filter(exists(own)).select(users::id).limit(batch).load(connection)?;
    Ok(erased.into_iter().map(UserId).collect())
}
