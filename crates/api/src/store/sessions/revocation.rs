//! Revocation: sessions that someone ended before they expired.

use crate::clock::SharedTime;
use crate::store::any::AnyConnection;
use crate::store::prepared::update;
use crate::store::schema::sessions;
use crate::store::types::{At, SqlUuid};
use auth_types::{SessionId, UserId};
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// Why a session was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum RevokeReason {
    /// Its owner signed out.
    Logout,
    /// Its owner signed out everywhere.
    LogoutAll,
    /// Its owner signed this device out from another one.
    OtherDevice,
    /// The owner changed the password while signed in.
    PasswordChange,
    /// The password was reset through a mailed link.
    PasswordReset,
    /// An older generation of its refresh token was presented.
    Reuse,
    /// A generation was presented that the row has not reached: the database was restored from an older copy.
    Ahead,
    /// The account had too many sessions, and this one was the least recently used.
    TooMany,
    /// The account was deleted.
    AccountDeletion,
    /// The database was restored from an older copy, so what happened to the session since then is unknown.
    Restored,
}

impl RevokeReason {
    /// The value stored in the table.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Revokes one session. Returns `false` if it was revoked already.
pub fn revoke(
    connection: &mut AnyConnection,
    id: SessionId,
    reason: RevokeReason,
    at: SharedTime,
) -> QueryResult<bool> {
    let unrevoked = sessions::table.find(SqlUuid(id.0)).filter(sessions::revoked_at.is_null());
    let revoked = (sessions::revoked_at.eq(Some(At(at.get()))), sessions::revoke_reason.eq(Some(reason.as_str())));
    update(unrevoked, revoked).execute(connection).map(|rows| rows == 1)
}

/// Sessions that were revoked together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedSessions {
    pub all: Vec<SessionId>,
    /// How many of them were live.
    pub live: usize,
}

/// Revokes every session of a user, also those that have expired at `at`: a clock that runs ahead takes live sessions for
/// expired ones, and they would be valid again once it is corrected.
pub fn revoke_all(
    connection: &mut AnyConnection,
    user: UserId,
    reason: RevokeReason,
    at: SharedTime,
) -> QueryResult<RevokedSessions> {
    let rows: Vec<(SessionId, DateTime<Utc>)> =
        diesel::update(sessions::table.filter(sessions::user_id.eq(user.0)).filter(sessions::revoked_at.is_null()))
            .set((sessions::revoked_at.eq(Some(At(at.get()))), sessions::revoke_reason.eq(Some(reason.as_str()))))
            .returning((sessions::id, sessions::expires_at))
            .get_results(connection)?;
    let live = rows.iter().filter(|(_, expires_at)| *expires_at > at.get()).count();
    Ok(RevokedSessions { all: rows.into_iter().map(|(id, _)| id).collect(), live })
}

/// How many sessions a user may have, and how many are revoked at once.
#[derive(Debug, Clone, Copy)]
pub struct SessionBound {
    pub max: i64,
    pub batch: i64,
}

/// Revokes the live sessions of a user beyond the `max` that were used last, at most `batch` of them, and returns their ids.
pub fn revoke_surplus(
    connection: &mut AnyConnection,
    user: UserId,
    bound: SessionBound,
    at: SharedTime,
) -> QueryResult<Vec<SessionId>> {
    let surplus: Vec<SessionId> = sessions::table
        .filter(sessions::user_id.eq(user.0))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(At(at.get())))
        .order((sessions::rotated_at.desc(), sessions::id.desc()))
        .select(sessions::id)
        .limit(bound.batch)
        .offset(bound.max)
        .load(connection)?;
    for id in &surplus {
        revoke(connection, *id, RevokeReason::TooMany, at)?;
    }
    Ok(surplus)
}

/// The sessions that were revoked at or after `since`, and when.
pub fn list_revoked(connection: &mut AnyConnection, since: DateTime<Utc>) -> QueryResult<Vec<(SessionId, SharedTime)>> {
    let revoked: Vec<(SessionId, DateTime<Utc>)> = sessions::table
        .filter(sessions::revoked_at.is_not_null())
        .filter(sessions::revoked_at.ge(At(since)))
        .select((sessions::id, sessions::revoked_at.assume_not_null()))
        .load(connection)?;
    Ok(revoked.into_iter().map(|(id, at)| (id, SharedTime::of(at))).collect())
}
