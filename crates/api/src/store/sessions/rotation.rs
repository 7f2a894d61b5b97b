//! Rotation: exchanging a refresh token for its successor.

use super::row::{SessionRow, columns};
use crate::clock::CheckedTime;
use crate::store::any::AnyConnection;
use crate::store::prepared::update;
use crate::store::schema::{sessions, users};
use crate::store::types::{At, SqlUuid};
use crate::store::users::UserRow;
use auth_types::{SessionId, UserId};
use chrono::{DateTime, Duration, Utc};
use diesel::dsl::{case_when, exists};
use diesel::prelude::*;

/// The claims of a refresh token about its session.
#[derive(Debug, Clone)]
pub struct PresentedRefreshToken {
    pub session: SessionId,
    pub user: UserId,
    pub generation: i64,
    pub jti: String,
}

/// The next generation, for [`rotate`].
#[derive(Debug, Clone)]
pub struct Rotation {
    /// The successor's `jti`.
    pub jti: String,
    /// The idempotency key, hashed.
    pub key_hash: Option<Vec<u8>>,
    /// A hash of the client's neighbourhood and user agent; `None` with a key or when the client is unknown.
    pub client_hash: Option<Vec<u8>>,
    pub now: CheckedTime,
    /// The current time by the database's clock, because other processes compare it with their own times.
    pub rotated_at: DateTime<Utc>,
    /// The idle lifetime.
    pub lifetime: Duration,
}

/// Moves a live session on by one generation. Returns `None` if `presented` is not its live refresh token.
///
/// One conditional `UPDATE`: of two concurrent calls with one token, one gets `None`. On PostgreSQL it returns the user's row
/// too, so the happy path takes a single statement. SQLite returns columns of the updated table only.
pub fn rotate(
    connection: &mut AnyConnection,
    presented: &PresentedRefreshToken,
    next: &Rotation,
) -> QueryResult<Option<(SessionRow, UserRow)>> {
    let now = next.now.get();
    let live = sessions::table
        .filter(sessions::id.eq(SqlUuid(presented.session.0)))
        .filter(sessions::user_id.eq(presented.user.0))
        .filter(sessions::jti.eq(&presented.jti))
        .filter(sessions::generation.eq(presented.generation))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(At(now)))
        .filter(sessions::absolute_expires_at.gt(At(now)));
    let idle_end = At(now + next.lifetime);
    let past_the_end = sessions::absolute_expires_at.lt(idle_end);
    let changes = (
        sessions::generation.eq(sessions::generation + 1),
        sessions::jti.eq(&next.jti),
        sessions::rotation_key_hash.eq(next.key_hash.as_deref()),
        sessions::previous_rotation_origin.eq(sessions::rotation_origin),
        sessions::rotation_origin.eq(next.client_hash.as_deref()),
        sessions::previous_rotated_at.eq(sessions::rotated_at.nullable()),
        sessions::rotated_at.eq(At(next.rotated_at)),
        sessions::expires_at.eq(case_when(past_the_end, sessions::absolute_expires_at).otherwise(idle_end)),
    );
    let is_owner = users::id.eq(sessions::user_id);
    match connection {
        AnyConnection::Postgres(postgres) => update(live, changes)
            .from(&users::table, is_owner.and(users::is_active))
            .returning((columns(), UserRow::as_select()))
            .get_result(postgres),
        AnyConnection::Sqlite(sqlite) => {
            let owner = users::table.filter(is_owner);
            let rotated: QueryResult<SessionRow> = update(live.filter(exists(owner.filter(users::is_active))), changes)
                .returning(columns())
                .get_result(sqlite);
            rotated.and_then(|session| {
                let owner = users::table.find(session.user_id.0).select(UserRow::as_select()).first(sqlite)?;
                Ok((session, owner))
            })
        }
    }
    .optional()
}
