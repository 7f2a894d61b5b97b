//! Why a text is not a token to go by.

use crate::clock::WrongClock;
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
    /// It is one, and a clock is wrong: that which made it, in the future by ours, or ours, by which it is expired.
    #[error("the time of the token cannot be judged")]
    Untimely,
    /// Its header names a key that is not configured here. The key may be on its way to this process, as may a forgery.
    #[error("the key of the token is not known here")]
    KeyUnknown,
}

impl TokenError {
    /// What a client is told.
    pub const fn reason(self) -> Reason {
        match self {
            Self::Malformed => Reason::TokenMalformed,
            Self::Expired => Reason::TokenExpired,
            Self::Untimely => Reason::Unavailable,
            Self::KeyUnknown => Reason::KeyUnknown,
        }
    }
}

impl From<WrongClock> for TokenError {
    fn from(_: WrongClock) -> Self {
        Self::Untimely
    }
}
