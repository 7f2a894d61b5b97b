//! Table `sessions`: one row is one sign-in on one device.

use super::any::{AnyConnection, MultiBackend};
use super::schema::{sessions, users};
use super::types::{At, SqlSessionId};
use super::users::{UserRow, owner_columns};
use crate::clock::SharedTime;
use auth_types::{SessionId, UserId};
use chrono::{DateTime, Duration, Utc};
use diesel::dsl::{case_when, exists};
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
    /// The same of the rotation before it.
    pub previous_rotation_origin: Option<Vec<u8>>,
    pub created_at: DateTime<Utc>,
    /// When the live generation was made: at sign-in or by the latest rotation.
    pub rotated_at: DateTime<Utc>,
    /// The same of the generation before it.
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
    /// The session's state at `now`; an end by someone counts before an end by time.
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

/// The addresses that were seen with the newest sessions, at most `count` of those that began after `since`.
pub(super) fn newest_addresses(
    connection: &mut AnyConnection,
    since: DateTime<Utc>,
    count: i64,
) -> QueryResult<Vec<String>> {
    let known = sessions::ip_address.is_not_null().and(sessions::created_at.gt(At(since)));
    let newest = sessions::table.filter(known).order(sessions::id.desc()).limit(count);
    newest.select(sessions::ip_address.assume_not_null()).load(connection)
}

/// Why a session was ended by someone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum RevokeReason {
    /// Its owner signed out.
    Logout,
    /// Its owner signed out everywhere.
    LogoutAll,
    /// Its owner signed this device out from another one.
    OtherDevice,
    /// The password was changed by its owner, signed in.
    PasswordChange,
    /// The password was reset by a mailed link.
    PasswordReset,
    /// An older generation of its refresh token came back.
    Reuse,
    /// A generation came that the row has not reached: the database is an older copy.
    Ahead,
    /// The account has too many, and this one was not used for longest.
    TooMany,
    /// The account was deleted.
    AccountDeletion,
    /// The database is an older copy, and what has happened to the session since is not known.
    Restored,
}

impl RevokeReason {
    /// The word in the table.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Inserts a session.
pub fn insert(connection: &mut AnyConnection, session: NewSession) -> QueryResult<SessionRow> {
    diesel::insert_into(sessions::table).values(session).returning(columns()).get_result(connection)
}

/// What a refresh token says of its session.
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
    pub key_hash: Option<Vec<u8>>,
    /// Network and user agent, hashed; `None` with a key or when the client is unknown.
    pub origin: Option<Vec<u8>>,
    pub now: DateTime<Utc>,
    /// Now by the clock of the database: other processes compare it with theirs.
    pub rotated_at: DateTime<Utc>,
    /// The idle lifetime.
    pub lifetime: Duration,
}

/// Moves a live session on by one generation, or answers `None` if `presented` is not its live one.
///
/// One conditional `UPDATE`: of two racing calls with one token, one gets `None`. The user's row comes back with it, so
/// that the happy path is one statement.
pub fn rotate(
    connection: &mut AnyConnection,
    presented: &PresentedRefreshToken,
    next: &Rotation,
) -> QueryResult<Option<(SessionRow, UserRow)>> {
    let owner = users::table.filter(users::id.eq(sessions::user_id));
    let live = sessions::table
        .filter(sessions::id.eq(SqlSessionId(presented.session)))
        .filter(sessions::user_id.eq(presented.user.0))
        .filter(sessions::jti.eq(&presented.jti))
        .filter(sessions::generation.eq(presented.generation))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(At(next.now)))
        .filter(sessions::absolute_expires_at.gt(At(next.now)))
        .filter(exists(owner.filter(users::is_active)));
    let idle_end = At(next.now + next.lifetime);
    let past_the_end = sessions::absolute_expires_at.lt(idle_end);
    diesel::update(live)
        .set((
            sessions::generation.eq(sessions::generation + 1),
            sessions::jti.eq(&next.jti),
            sessions::rotation_key_hash.eq(next.key_hash.as_deref()),
            sessions::previous_rotation_origin.eq(sessions::rotation_origin),
            sessions::rotation_origin.eq(next.origin.as_deref()),
            sessions::previous_rotated_at.eq(sessions::rotated_at.nullable()),
            sessions::rotated_at.eq(At(next.rotated_at)),
            sessions::expires_at.eq(case_when(past_the_end, sessions::absolute_expires_at).otherwise(idle_end)),
        ))
        .returning((columns(), owner_columns!(owner, sessions::user_id)))
        .get_result(connection)
        .optional()
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

/// Ends one session and returns whether it was live until now.
pub fn revoke(
    connection: &mut AnyConnection,
    id: SessionId,
    reason: RevokeReason,
    at: SharedTime,
) -> QueryResult<bool> {
    diesel::update(sessions::table.find(SqlSessionId(id)).filter(sessions::revoked_at.is_null()))
        .set((sessions::revoked_at.eq(Some(At(at.0))), sessions::revoke_reason.eq(Some(reason.as_str()))))
        .execute(connection)
        .map(|rows| rows == 1)
}

/// Sessions that were ended together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub all: Vec<SessionId>,
    /// How many of them were live.
    pub live: usize,
}

/// Ends every session of a user that nobody has ended, also those that are over at `at`: a clock that is ahead takes live
/// ones for expired, and they would come back when it is right again.
pub fn revoke_all(
    connection: &mut AnyConnection,
    user: UserId,
    reason: RevokeReason,
    at: SharedTime,
) -> QueryResult<Ended> {
    let rows: Vec<(SessionId, DateTime<Utc>)> =
        diesel::update(sessions::table.filter(sessions::user_id.eq(user.0)).filter(sessions::revoked_at.is_null()))
            .set((sessions::revoked_at.eq(Some(At(at.0))), sessions::revoke_reason.eq(Some(reason.as_str()))))
            .returning((sessions::id, sessions::expires_at))
            .get_results(connection)?;
    let live = rows.iter().filter(|(_, expires_at)| *expires_at > at.0).count();
    Ok(Ended { all: rows.into_iter().map(|(id, _)| id).collect(), live })
}

/// Ends the live sessions of a user beyond the `keep` latest used, at most `batch` of them, and returns which.
pub fn revoke_surplus(
    connection: &mut AnyConnection,
    user: UserId,
    (keep, batch): (i64, i64),
    at: SharedTime,
) -> QueryResult<Vec<SessionId>> {
    let surplus: Vec<SessionId> = sessions::table
        .filter(sessions::user_id.eq(user.0))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(At(at.0)))
        .order((sessions::rotated_at.desc(), sessions::id.desc()))
        .select(sessions::id)
        .limit(batch)
        .offset(keep)
        .load(connection)?;
    for id in &surplus {
        revoke(connection, *id, RevokeReason::TooMany, at)?;
    }
    Ok(surplus)
}

/// Takes what says where somebody was out of a user's sessions, at most `batch` of them, and returns how many there were.
/// The ids stay: other processes must hear of their end.
pub fn erase(connection: &mut AnyConnection, user: UserId, batch: i64) -> QueryResult<usize> {
    let ours = diesel::alias!(sessions as ours);
    let telling = ours
        .filter(ours.field(sessions::user_id).eq(user.0))
        .filter(
            ours.field(sessions::ip_address)
                .is_not_null()
                .or(ours.field(sessions::user_agent).is_not_null())
                .or(ours.field(sessions::rotation_key_hash).is_not_null())
                .or(ours.field(sessions::rotation_origin).is_not_null())
                .or(ours.field(sessions::previous_rotation_origin).is_not_null()),
        )
        .order(ours.field(sessions::id))
        .select(ours.field(sessions::id))
        .limit(batch);
    diesel::update(sessions::table.filter(sessions::id.eq_any(telling)))
        .set((
            sessions::ip_address.eq(None::<String>),
            sessions::user_agent.eq(None::<String>),
            sessions::rotation_key_hash.eq(None::<Vec<u8>>),
            sessions::rotation_origin.eq(None::<Vec<u8>>),
            sessions::previous_rotation_origin.eq(None::<Vec<u8>>),
        ))
        .execute(connection)
}

/// Users who were erased at or after `since` and have sessions that say where they were still, at most `batch` of them.
pub fn erased_users(connection: &mut AnyConnection, since: DateTime<Utc>, batch: i64) -> QueryResult<Vec<UserId>> {
    let telling = sessions::table.filter(sessions::user_id.eq(users::id)).filter(
        sessions::ip_address
            .is_not_null()
            .or(sessions::user_agent.is_not_null())
            .or(sessions::rotation_key_hash.is_not_null())
            .or(sessions::rotation_origin.is_not_null())
            .or(sessions::previous_rotation_origin.is_not_null()),
    );
    let erased = users::table.filter(users::deleted_at.is_not_null()).filter(users::deleted_at.ge(At(since)));
    erased.filter(exists(telling)).select(users::id).limit(batch).load(connection)
}

/// Whose session this is, if it exists.
pub fn find_owner(connection: &mut AnyConnection, id: SessionId) -> QueryResult<Option<UserId>> {
    sessions::table.find(SqlSessionId(id)).select(sessions::user_id).first(connection).optional()
}

/// The owner of a session that nobody has ended.
pub fn find_owner_of_unrevoked(connection: &mut AnyConnection, id: SessionId) -> QueryResult<Option<UserId>> {
    let unrevoked = sessions::table.find(SqlSessionId(id)).filter(sessions::revoked_at.is_null());
    unrevoked.select(sessions::user_id).first(connection).optional()
}

/// A user's live sessions, latest used first, at most `most` of them.
pub fn list_live(
    connection: &mut AnyConnection,
    user: UserId,
    now: DateTime<Utc>,
    most: i64,
) -> QueryResult<Vec<SessionRow>> {
    sessions::table
        .filter(sessions::user_id.eq(user.0))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(At(now)))
        .order((sessions::rotated_at.desc(), sessions::id))
        .select(SessionRow::as_select())
        .limit(most)
        .load(connection)
}

/// The next `most` of a user's sessions after the id `after`, ended ones included, with why each was ended.
pub fn export(
    connection: &mut AnyConnection,
    user: UserId,
    after: SessionId,
    most: i64,
) -> QueryResult<Vec<(SessionRow, Option<String>)>> {
    sessions::table
        .filter(sessions::user_id.eq(user.0))
        .filter(sessions::id.gt(SqlSessionId(after)))
        .order(sessions::id)
        .select((SessionRow::as_select(), sessions::revoke_reason))
        .limit(most)
        .load(connection)
}

/// Sessions that were revoked at or after `since`, with the times.
pub fn list_revoked(connection: &mut AnyConnection, since: DateTime<Utc>) -> QueryResult<Vec<(SessionId, SharedTime)>> {
    let revoked: Vec<(SessionId, DateTime<Utc>)> = sessions::table
        .filter(sessions::revoked_at.is_not_null())
        .filter(sessions::revoked_at.ge(At(since)))
        .select((sessions::id, sessions::revoked_at.assume_not_null()))
        .load(connection)?;
    Ok(revoked.into_iter().map(|(id, at)| (id, SharedTime(at))).collect())
}

/// Deletes at most `batch` sessions that ended before `before`, and answers how many there were.
pub fn delete_ended(connection: &mut AnyConnection, before: DateTime<Utc>, batch: i64) -> QueryResult<usize> {
    let ended = diesel::alias!(sessions as ended);
    let over = ended
        .filter(
            ended
                .field(sessions::expires_at)
                .lt(At(before))
                .or(ended.field(sessions::revoked_at).assume_not_null().lt(At(before))),
        )
        .select(ended.field(sessions::id))
        .limit(batch);
    diesel::delete(sessions::table.filter(sessions::id.eq_any(over))).execute(connection)
}
