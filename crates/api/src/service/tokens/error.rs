//! Why a token is not accepted.

use crate::clock::WrongClock;
use auth_types::Reason;

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Form, signature, type or claims are not valid.
    #[error("not one of our tokens")]
    Malformed,
    /// It was valid until its `exp`.
    #[error("token is expired")]
    Expired,
    /// The token is genuine, but a clock is wrong: the issuer's, so that it is in the future, or this process's, by which it has expired.
    #[error("the validity period of the token cannot be checked")]
    ClockMismatch,
    /// Its header names a key that is not configured here. The key may be on its way to this process, as may a forgery.
    #[error("the key of the token is not known here")]
    KeyUnknown,
}

impl TokenError {
    /// The reason in the response.
    pub const fn reason(self) -> Reason {
        match self {
            Self::Malformed => Reason::TokenMalformed,
            Self::Expired => Reason::TokenExpired,
            Self::ClockMismatch => Reason::Unavailable,
            Self::KeyUnknown => Reason::KeyUnknown,
        }
    }
}

impl From<WrongClock> for TokenError {
    fn from(_: WrongClock) -> Self {
        Self::ClockMismatch
    }
}
