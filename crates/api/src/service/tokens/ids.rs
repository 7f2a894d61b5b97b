//! The ids in tokens: of users, sessions and the tokens themselves.

use super::error::TokenError;
use auth_types::{RefreshClaims, SessionId, UserId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Parses a decimal string as the issuer writes it: no sign, no leading zero, within the column's range.
pub fn parse_user_id(text: &str) -> Option<UserId> {
    let id: i64 = text.parse().ok()?;
    (id > 0 && id.to_string() == text).then_some(UserId(id))
}

/// The user that a refresh token names.
///
/// # Errors
/// [`TokenError::Malformed`]; never for verified claims.
pub fn user_of(claims: &RefreshClaims) -> Result<UserId, TokenError> {
    parse_user_id(&claims.user_id).ok_or(TokenError::Malformed)
}

/// A new token id: 122 random bits, written as simplejwt writes them.
pub fn new_jti() -> String {
    Uuid::new_v4().simple().to_string()
}

/// A new session id. Ids are ordered by time, so that new rows are neighbours in the index.
pub fn new_session_id(now: DateTime<Utc>) -> SessionId {
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
    SessionId(Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, now.timestamp_subsec_nanos())))
}

/// Whether one session began after another.
pub fn began_later(one: SessionId, other: SessionId) -> bool {
    let began = |session: SessionId| session.0.get_timestamp().map(|at| at.to_unix());
    began(one) > began(other)
}
