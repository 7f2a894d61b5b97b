//! What does not stay in `sessions`: ended sessions, and the personal data of erased users.

use crate::store::any::AnyConnection;
use crate::store::schema::{sessions, users};
use crate::store::types::At;
use auth_types::UserId;
use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;

/// Clears the data that shows where a user was from at most `batch` of their sessions, and returns how many were changed.
/// The ids stay, because other processes must still learn that the sessions were revoked.
pub fn erase(connection: &mut AnyConnection, user: UserId, batch: i64) -> QueryResult<usize> {
    let traced = diesel::alias!(sessions as traced);
    let ids = traced
        .filter(traced.field(sessions::user_id).eq(user.0))
        .filter(
            traced
                .field(sessions::ip_address)
                .is_not_null()
                .or(traced.field(sessions::user_agent).is_not_null())
                .or(traced.field(sessions::rotation_key_hash).is_not_null())
                .or(traced.field(sessions::rotation_origin).is_not_null())
                .or(traced.field(sessions::previous_rotation_origin).is_not_null()),
        )
        .order(traced.field(sessions::id))
        .select(traced.field(sessions::id))
        .limit(batch);
    diesel::update(sessions::table.filter(sessions::id.eq_any(ids)))
        .set((
            sessions::ip_address.eq(None::<String>),
            sessions::user_agent.eq(None::<String>),
            sessions::rotation_key_hash.eq(None::<Vec<u8>>),
            sessions::rotation_origin.eq(None::<Vec<u8>>),
            sessions::previous_rotation_origin.eq(None::<Vec<u8>>),
        ))
        .execute(connection)
}

/// At most `batch` users who were erased at or after `since` and whose sessions still show where they were.
pub fn erased_users(connection: &mut AnyConnection, since: DateTime<Utc>, batch: i64) -> QueryResult<Vec<UserId>> {
    let traced = sessions::table.filter(sessions::user_id.eq(users::id)).filter(
        sessions::ip_address
            .is_not_null()
            .or(sessions::user_agent.is_not_null())
            .or(sessions::rotation_key_hash.is_not_null())
            .or(sessions::rotation_origin.is_not_null())
            .or(sessions::previous_rotation_origin.is_not_null()),
    );
    let erased = users::table.filter(users::deleted_at.is_not_null()).filter(users::deleted_at.ge(At(since)));
    erased.filter(exists(traced)).select(users::id).limit(batch).load(connection)
}

/// Deletes at most `batch` sessions that ended before `before`, and returns how many were deleted.
pub fn delete_ended(connection: &mut AnyConnection, before: DateTime<Utc>, batch: i64) -> QueryResult<usize> {
    let ended = diesel::alias!(sessions as ended);
    let ids = ended
        .filter(
            ended
                .field(sessions::expires_at)
                .lt(At(before))
                .or(ended.field(sessions::revoked_at).assume_not_null().lt(At(before))),
        )
        .select(ended.field(sessions::id))
        .limit(batch);
    diesel::delete(sessions::table.filter(sessions::id.eq_any(ids))).execute(connection)
}
