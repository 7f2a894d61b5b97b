//! Table `sessions`: one row is one sign-in on one device.

mod retention;
mod revocation;
mod rotation;
mod row;

pub use retention::{delete_ended, erase, erased_users};
pub use revocation::{RevokeReason, RevokedSessions, SessionBound, list_revoked, revoke, revoke_all, revoke_surplus};
pub use rotation::{PresentedRefreshToken, Rotation, rotate};
pub use row::{SessionRow, SessionState};

use super::any::{AnyConnection, on_either};
use super::schema::{sessions, users};
use super::types::{At, SqlUuid};
use super::users::UserRow;
use auth_types::{SessionId, UserId};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use row::columns;

/// A session to insert.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
pub struct NewSession {
    pub id: SqlUuid,
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
    let session = sessions::table.inner_join(users::table).filter(sessions::id.eq(SqlUuid(id.0)));
    on_either!(connection, |connection| {
        session.select((SessionRow::as_select(), UserRow::as_select())).first(connection).optional()
    })
}

/// The owner of a session.
pub fn find_owner(connection: &mut AnyConnection, id: SessionId) -> QueryResult<Option<UserId>> {
    sessions::table.find(SqlUuid(id.0)).select(sessions::user_id).first(connection).optional()
}

/// The owner of a session that is not revoked.
pub fn find_owner_of_unrevoked(connection: &mut AnyConnection, id: SessionId) -> QueryResult<Option<UserId>> {
    let unrevoked = sessions::table.find(SqlUuid(id.0)).filter(sessions::revoked_at.is_null());
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
        .filter(sessions::id.gt(SqlUuid(after.0)))
        .order(sessions::id)
        .select((SessionRow::as_select(), sessions::revoke_reason))
        .limit(limit)
        .load(connection)
}
