//! The one authorization: may a user act through a session? Every protected use case asks it in the transaction that does
//! its work, and refresh and verify ask the same predicate. So no route accepts a token that another one refuses.

use crate::service::CurrentUser;
use crate::store::sessions::{SessionRow, SessionState};
use crate::store::users::UserRow;
use crate::store::{AnyConnection, QueryResult, sessions, users};
use auth_types::{Reason, UserId};
use chrono::{DateTime, Utc};

/// Why a user may not act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Also when the session is another user's than the token says: an older copy of the database gives numbers twice.
    #[error("the session was revoked or does not exist")]
    Revoked,
    #[error("the session is expired")]
    Expired,
    #[error("the user is inactive or deleted")]
    UserInactive,
}

impl Refusal {
    /// The reason in the response.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::Revoked => Reason::SessionRevoked,
            Self::Expired => Reason::SessionExpired,
            Self::UserInactive => Reason::UserInactive,
        }
    }
}

/// Returns the caller's row if they may act at `now`. One statement.
///
/// # Errors
/// When the database does not respond. The inner error is the [`Refusal`].
pub fn authorize(
    connection: &mut AnyConnection,
    caller: CurrentUser,
    now: DateTime<Utc>,
) -> QueryResult<Result<UserRow, Refusal>> {
    let found = sessions::find_with_user(connection, caller.session)?;
    Ok(check(found.as_ref(), caller.id, now).map(|(_, user)| user.clone()))
}

/// The same inside a transaction that changes something. The user's row is locked first, as by everything that ends all of
/// a user's sessions (a new password, a deletion): what was found holds until the transaction's end.
///
/// # Errors
/// As [`authorize`].
pub fn authorize_change(
    connection: &mut AnyConnection,
    caller: CurrentUser,
    now: DateTime<Utc>,
) -> QueryResult<Result<UserRow, Refusal>> {
    users::lock_credentials(connection, caller.id)?;
    authorize(connection, caller, now)
}

/// The predicate: `found` is the session that a token names, `user` whom it names.
///
/// # Errors
/// [`Refusal`], in the order of the contract's table.
pub fn check(
    found: Option<&(SessionRow, UserRow)>,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<&(SessionRow, UserRow), Refusal> {
    let found = found.filter(|(session, _)| session.user_id == user).ok_or(Refusal::Revoked)?;
    let (session, user) = found;
    match session.state(now) {
        SessionState::Revoked => Err(Refusal::Revoked),
        SessionState::Expired => Err(Refusal::Expired),
        SessionState::Live if !user.is_active => Err(Refusal::UserInactive),
        SessionState::Live => Ok(found),
    }
}
