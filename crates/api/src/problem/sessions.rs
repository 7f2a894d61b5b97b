//! The failures of sessions and their tokens.

use super::Problem;
use crate::service::sessions::csrf::CsrfError;
use crate::service::sessions::devices::SessionsError;
use crate::service::sessions::logout::{LogoutAllError, LogoutError};
use crate::service::sessions::refresh::RefreshError;
use crate::service::sessions::verify::VerifyError;
use crate::service::tokens::TokenError;
use auth_types::Reason;

impl From<CsrfError> for Problem {
    fn from(error: CsrfError) -> Self {
        match error {
            CsrfError::NoRefreshToken => Self::credentials_missing(),
            CsrfError::NotSubmittedTwice | CsrfError::OfAnotherSession => Self::csrf_failed(),
        }
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        match error {
            // A clock is wrong, and not the client: whoever is refused throws the tokens away.
            TokenError::Early => Self::unavailable(),
            TokenError::Malformed | TokenError::Expired | TokenError::KeyUnknown => {
                Self::token_not_valid(error.reason())
            }
        }
    }
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        match error {
            // A refresh token that ran out is the session's idle end, and final for a client.
            RefreshError::NotValid(TokenError::Expired) => Self::token_not_valid(Reason::SessionExpired),
            RefreshError::NotValid(cause) => cause.into(),
            RefreshError::Refused(refusal) => refusal.into(),
            RefreshError::Reused { .. } => Self::token_not_valid(Reason::RefreshReused),
            RefreshError::Ahead { .. } => Self::token_not_valid(Reason::SessionRevoked),
            RefreshError::Contended { .. } => Self::unavailable(),
            RefreshError::Throttled(throttled) => throttled.into(),
            RefreshError::Sign(cause) => Self::internal(cause),
            RefreshError::Store(error) => error.into(),
        }
    }
}

impl From<LogoutError> for Problem {
    fn from(error: LogoutError) -> Self {
        match error {
            LogoutError::NotValid(cause) => cause.into(),
            LogoutError::Throttled(throttled) => throttled.into(),
            LogoutError::Store(error) => error.into(),
        }
    }
}

impl From<LogoutAllError> for Problem {
    fn from(error: LogoutAllError) -> Self {
        match error {
            LogoutAllError::Refused(refusal) => refusal.into(),
            LogoutAllError::Store(error) => error.into(),
        }
    }
}

impl From<VerifyError> for Problem {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::NotValid(cause) => cause.into(),
            VerifyError::Refused(refusal) => refusal.into(),
            VerifyError::Throttled(throttled) => throttled.into(),
            VerifyError::Store(error) => error.into(),
        }
    }
}

impl From<SessionsError> for Problem {
    fn from(error: SessionsError) -> Self {
        match error {
            SessionsError::NotFound => Self::not_found(),
            SessionsError::Refused(refusal) => refusal.into(),
            SessionsError::Store(error) => error.into(),
        }
    }
}
