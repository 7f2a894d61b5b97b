//! Why a user may not act.

use crate::clock::WrongClock;
use auth_types::Reason;

/// Why a session or its user is not authorized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationRefusal {
    /// Also if the session belongs to another user than the token names: after a restore, the database assigns ids again.
    #[error("the session was revoked or does not exist")]
    Revoked,
    #[error("the session is expired")]
    Expired,
    /// The clock is wrong, so the expiry cannot be determined.
    #[error("whether the session is expired cannot be determined: the clock {0}")]
    WrongClock(#[from] WrongClock),
    #[error("the user is inactive or deleted")]
    UserInactive,
    #[error("the user is not an administrator")]
    NotAdministrator,
}

impl AuthorizationRefusal {
    /// The reason in the response.
    pub const fn reason(self) -> Reason {
        match self {
            Self::Revoked => Reason::SessionRevoked,
            Self::Expired => Reason::SessionExpired,
            Self::WrongClock(_) => Reason::Unavailable,
            Self::UserInactive => Reason::UserInactive,
            Self::NotAdministrator => Reason::PermissionDenied,
        }
    }
}
