//! The refusals of the session and token use cases.

use super::Problem;
use crate::service::sessions::csrf::CsrfError;
use crate::service::sessions::login::LoginRefusal;
use crate::service::sessions::own_sessions::NoSuchSession;
use crate::service::sessions::refresh::RefreshRefusal;
use crate::service::tokens::TokenError;
use auth_types::Reason;

impl From<CsrfError> for Problem {
    fn from(error: CsrfError) -> Self {
        match error {
            CsrfError::NoRefreshToken => Self::credentials_missing(),
            CsrfError::DoubleSubmitFailed | CsrfError::OfAnotherSession => Self::csrf_failed(),
        }
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        match error {
            // A clock is wrong, not the token: a client that sees a 401 deletes its tokens.
            TokenError::ClockMismatch => Self::unavailable(),
            TokenError::Malformed | TokenError::Expired | TokenError::KeyUnknown => {
                Self::token_not_valid(error.reason())
            }
        }
    }
}

impl From<RefreshRefusal> for Problem {
    fn from(refusal: RefreshRefusal) -> Self {
        match refusal {
            // An expired refresh token means that the session's idle time is over, which is final for a client.
            RefreshRefusal::NotValid(TokenError::Expired) => Self::token_not_valid(Reason::SessionExpired),
            RefreshRefusal::NotValid(cause) => cause.into(),
            RefreshRefusal::Reused { .. } => Self::token_not_valid(Reason::RefreshReused),
            RefreshRefusal::Ahead { .. } => Self::token_not_valid(Reason::SessionRevoked),
            RefreshRefusal::Contended { .. } => Self::unavailable(),
        }
    }
}

impl From<LoginRefusal> for Problem {
    fn from(refusal: LoginRefusal) -> Self {
        match refusal {
            LoginRefusal::NoActiveAccount => Self::no_active_account(),
            LoginRefusal::EmailNotVerified => Self::email_not_verified(),
        }
    }
}

impl From<NoSuchSession> for Problem {
    fn from(_: NoSuchSession) -> Self {
        Self::not_found()
    }
}
