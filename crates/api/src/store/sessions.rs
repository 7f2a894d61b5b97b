//! Table `sessions`: one row is one sign-in on one device.

mod retention;
mod revocation;
mod rotation;

pub use retention::{delete_ended, erase, erased_users};
pub use revocation::{RevokeReason, RevokedSessions, list_revoked, revoke, revoke_all, revoke_surplus};
pub use rotation::{PresentedRefreshToken, Rotation, rotate};

use super::any::{AnyConnection, MultiBackend};
use super::schema::{sessions, users};
use super::types::{At, SqlSessionId};
use super::users::UserRow;
use auth_types::{SessionId, UserId};
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// A row of `sessions`.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub struct SessionRow {
    pub id: SessionId,
    pub user_id: UserId,
    /// How many refresh tokens the session has had; only the newest is live.
    pub generation: i64,
    /// The live refresh token's `jti`.
    pub jti: String,
    /// SHA-256 of the `Idempotency-Key` that the latest rotation came with.
    pub rotation_key_hash: Option<Vec<u8>>,
    /// Network and user agent of the latest rotation, hashed; `None` when it had a key or its client was unknown.
    pub rotation_origin: Option<Vec<u8>>,
    /// `rotation_origin` of the rotation before that.
    pub previous_rotation_origin: Option<Vec<u8>>,
    pub created_at: DateTime<Utc>,
    /// When the live generation was created: at sign-in or by the latest rotation.
    pub rotated_at: DateTime<Utc>,
    /// `rotated_at` of the generation before that.
    pub previous_rotated_at: Option<DateTime<Utc>>,
    /// End of the idle lifetime, never past `absolute_expires_at`.
    pub expires_at: DateTime<Utc>,
    pub absolute_expires_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
}

impl std::fmt::Debug for SessionRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut fields = f.debug_struct("SessionRow");
        fields.field("id", &self.id).field("generation", &self.generation).finish_non_exhaustive()
    }
}

/// The columns of a [`SessionRow`], for a statement that returns it.
fn columns() -> <SessionRow as Selectable<MultiBackend>>::SelectExpression {
    <SessionRow as Selectable<MultiBackend>>::construct_selection()
}

/// Whether a session can still be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    Live,
    /// Time ran out.
    Expired,
    /// Someone ended it.
    Revoked,
}

impl SessionRow {
    /// The session's state at `now`. A session that was revoked and has expired counts as revoked.
    pub fn state(&self, now: DateTime<Utc>) -> SessionState {
        if self.revoked_at.is_some() {
            SessionState::Revoked
        } else if self.expires_at <= now || self.absolute_expires_at <= now {
            SessionState::Expired
        } else {
            SessionState::Live
        }
    }
}

/// A session to insert.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = sessions)]
pub struct NewSession {
    pub id: SqlSessionId,
    pub user_id: i64,
    pub generation: i64,
    pub jti: String,
    pub created_at: At,
    pub rotated_at: At,
    pub expires_at: At,
    pub absolute_expires_at: At,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
}

/// The IP addresses of the newest sessions, at most `count` of those created after `since`.
pub(super) fn newest_addresses(
    connection: &mut AnyConnection,
    since: DateTime<Utc>,
    count: i64,
) -> QueryResult<Vec<String>> {
    let known = sessions::ip_address.is_not_null().and(sessions::created_at.gt(At(since)));
    let newest = sessions::table.filter(known).order(sessions::id.desc()).limit(count);
    newest.select(sessions::ip_address.assume_not_null()).load(connection)
}

pub fn insert(connection: &mut AnyConnection, session: NewSession) -> QueryResult<SessionRow> {
    diesel::insert_into(sessions::table).values(session).returning(columns()).get_result(connection)
}

/// A session and its user.
pub fn find_with_user(connection: &mut AnyConnection, id: SessionId) -> QueryResult<Option<(SessionRow, UserRow)>> {
    sessions::table
        .inner_join(users::table)
        .filter(sessions::id.eq(SqlSessionId(id)))
        .select((SessionRow::as_select(), UserRow::as_select()))
        .first(connection)
        .optional()
}

/// The owner of a session.
pub fn find_owner(connection: &mut AnyConnection, id: SessionId) -> QueryResult<Option<UserId>> {
    sessions::table.find(SqlSessionId(id)).select(sessions::user_id).first(connection).optional()
}

/// The owner of a session that is not revoked.
pub fn find_owner_of_unrevoked(connection: &mut AnyConnection, id: SessionId) -> QueryResult<Option<UserId>> {
    let unrevoked = sessions::table.find(SqlSessionId(id)).filter(sessions::revoked_at.is_null());
    unrevoked.select(sessions::user_id).first(connection).optional()
}

/// At most `limit` of a user's live sessions, the most recently used first.
pub fn list_live(
    connection: &mut AnyConnection,
    user: UserId,
    now: DateTime<Utc>,
    limit: i64,
) -> QueryResult<Vec<SessionRow>> {
    sessions::table
        .filter(sessions::user_id.eq(user.0))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(At(now)))
        .order((sessions::rotated_at.desc(), sessions::id))
        .select(SessionRow::as_select())
        .limit(limit)
        .load(connection)
}

/// The next `limit` of a user's sessions after the id `after`, including ended ones, each with its reason for revocation.
pub fn export(
    connection: &mut AnyConnection,
    user: UserId,
    after: SessionId,
    limit: i64,
) -> QueryResult<Vec<(SessionRow, Option<String>)>> {
    sessions::table
        .filter(sessions::user_id.eq(user.0))
        .filter(sessions::id.gt(SqlSessionId(after)))
        .order(sessions::id)
        .select((SessionRow::as_select(), sessions::revoke_reason))
        .limit(limit)
        .load(connection)
}
