//! Why a user may not act.

use auth_types::Reason;

/// What is wrong with the session or its user.
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
