//! The failures of changing a password or an address.

use super::Problem;
use crate::service::email_change::EmailChangeError;
use crate::service::email_verification::EmailVerificationError;
use crate::service::password_change::PasswordChangeError;
use crate::service::password_reset::PasswordResetError;
use crate::store::users::TakenName;

impl From<PasswordChangeError> for Problem {
    fn from(error: PasswordChangeError) -> Self {
        match error {
            PasswordChangeError::Refused(refusal) => refusal.into(),
            PasswordChangeError::Fields(errors) => Self::fields_invalid(errors),
            PasswordChangeError::Contended => Self::unavailable(),
            PasswordChangeError::Throttled(throttled) => throttled.into(),
            PasswordChangeError::Busy(busy) => busy.into(),
            PasswordChangeError::Hash(cause) => Self::internal(cause),
            PasswordChangeError::Sign(cause) => Self::internal(cause),
            PasswordChangeError::Store(error) => error.into(),
        }
    }
}

impl From<PasswordResetError> for Problem {
    fn from(error: PasswordResetError) -> Self {
        match error {
            PasswordResetError::Fields(errors) => Self::fields_invalid(errors),
            PasswordResetError::LinkNotValid => Self::link_not_valid(),
            PasswordResetError::Throttled(throttled) => throttled.into(),
            PasswordResetError::Busy(busy) => busy.into(),
            PasswordResetError::Hash(cause) => Self::internal(cause),
            PasswordResetError::Store(error) => error.into(),
        }
    }
}

impl From<EmailVerificationError> for Problem {
    fn from(error: EmailVerificationError) -> Self {
        match error {
            EmailVerificationError::Fields(errors) => Self::fields_invalid(errors),
            EmailVerificationError::LinkNotValid => Self::link_not_valid(),
            EmailVerificationError::Taken => Self::taken(TakenName::Email),
            EmailVerificationError::Throttled(throttled) => throttled.into(),
            EmailVerificationError::Store(error) => error.into(),
        }
    }
}

impl From<EmailChangeError> for Problem {
    fn from(error: EmailChangeError) -> Self {
        match error {
            EmailChangeError::Refused(refusal) => refusal.into(),
            EmailChangeError::Fields(errors) => Self::fields_invalid(errors),
            EmailChangeError::Contended => Self::unavailable(),
            EmailChangeError::Throttled(throttled) => throttled.into(),
            EmailChangeError::Busy(busy) => busy.into(),
            EmailChangeError::Store(error) => error.into(),
        }
    }
}
