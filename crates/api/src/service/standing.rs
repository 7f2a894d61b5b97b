//! The one predicate: may a user act through a session? Access and refresh ask the same question, so that one
//! cannot say yes while the other says no.

use crate::store::sessions::{SessionRow, SessionState};
use crate::store::users::UserRow;
use auth_types::Reason;
use chrono::{DateTime, Utc};

/// Why a user may not act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the session was revoked or does not exist")]
    Revoked,
    #[error("the session is expired")]
    Expired,
    #[error("the user is inactive or deleted")]
    UserInactive,
}

impl Refusal {
    /// What a client is told.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::Revoked => Reason::SessionRevoked,
            Self::Expired => Reason::SessionExpired,
            Self::UserInactive => Reason::UserInactive,
        }
    }
}

/// Gives the session and the user back if the user may act through it at `now`.
///
/// # Errors
/// [`Refusal`], in the order of the contract's table.
pub fn check(found: Option<&(SessionRow, UserRow)>, now: DateTime<Utc>) -> Result<&(SessionRow, UserRow), Refusal> {
    let found = found.ok_or(Refusal::Revoked)?;
    let (session, user) = found;
    match session.state(now) {
        SessionState::Revoked => Err(Refusal::Revoked),
        SessionState::Expired => Err(Refusal::Expired),
        SessionState::Live if !user.is_active => Err(Refusal::UserInactive),
        SessionState::Live => Ok(found),
    }
}
