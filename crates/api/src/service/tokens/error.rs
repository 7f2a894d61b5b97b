//! Why a text is not a token to go by.

use auth_types::Reason;

/// Why a text is not a token to go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Form, signature, type or claims do not hold.
    #[error("not a token of ours")]
    Malformed,
    /// It was one until its `exp`.
    #[error("token is expired")]
    Expired,
    /// It is one that this clock takes for made in the future: the clock that made it, or this one, is wrong.
    #[error("token is from the future")]
    Early,
    /// Its header names a key that is not configured here. The key may be on its way to this process, as may a forgery.
    #[error("the key of the token is not known here")]
    KeyUnknown,
}

impl TokenError {
    /// What a client is told.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::Malformed => Reason::TokenMalformed,
            Self::Expired => Reason::TokenExpired,
            Self::Early => Reason::Unavailable,
            Self::KeyUnknown => Reason::KeyUnknown,
        }
    }
}
