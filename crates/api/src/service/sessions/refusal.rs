//! Why a user may not act.

use crate::clock::WrongClock;
use auth_types::Reason;

/// What is wrong with the session or its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationRefusal {
    /// Also when the session is another user's than the token says: an older copy of the database gives numbers twice.
    #[error("the session was revoked or does not exist")]
    Revoked,
    #[error("the session is expired")]
    Expired,
    /// By a clock that is wrong, so that nobody knows.
    #[error("whether the session is expired cannot be judged")]
    Untimely,
    #[error("the user is inactive or deleted")]
    UserInactive,
    #[error("the user is no administrator")]
    NotAdministrator,
}

impl AuthorizationRefusal {
    /// The reason in the response.
    pub const fn reason(self) -> Reason {
        match self {
            Self::Revoked => Reason::SessionRevoked,
            Self::Expired => Reason::SessionExpired,
            Self::Untimely => Reason::Unavailable,
            Self::UserInactive => Reason::UserInactive,
            Self::NotAdministrator => Reason::PermissionDenied,
        }
    }
}

impl From<WrongClock> for AuthorizationRefusal {
    fn from(_: WrongClock) -> Self {
        Self::Untimely
    }
}
