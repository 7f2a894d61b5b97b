//! The failures of what asks for the password again, and of mailed links.

use super::Problem;
use crate::service::accounts::deletion::AccountDeletionError;
use crate::service::accounts::email_change::EmailChangeError;
use crate::service::accounts::email_verification::EmailVerificationError;
use crate::service::passwords::change::PasswordChangeError;
use crate::service::passwords::reauthentication::{ReauthenticationError, WRONG_PASSWORD};
use crate::service::passwords::reset::PasswordResetError;
use crate::store::users::TakenName;
use auth_types::FieldErrors;

impl From<ReauthenticationError> for Problem {
    fn from(error: ReauthenticationError) -> Self {
        match error {
            ReauthenticationError::Refused(refusal) => refusal.into(),
            ReauthenticationError::TokenNotValid(reason) => Self::token_not_valid(reason),
            ReauthenticationError::WrongPassword => {
                Self::fields_invalid(FieldErrors::from([("password".to_owned(), vec![WRONG_PASSWORD.to_owned()])]))
            }
            ReauthenticationError::Contended => Self::unavailable(),
            ReauthenticationError::Throttled(throttled) => throttled.into(),
            ReauthenticationError::Busy(busy) => busy.into(),
            ReauthenticationError::Store(error) => error.into(),
        }
    }
}

impl From<AccountDeletionError> for Problem {
    fn from(error: AccountDeletionError) -> Self {
        match error {
            AccountDeletionError::Fields(errors) => Self::fields_invalid(errors),
            AccountDeletionError::NotProven(error) => error.into(),
            AccountDeletionError::Throttled(throttled) => throttled.into(),
            AccountDeletionError::Store(error) => error.into(),
        }
    }
}

impl From<PasswordChangeError> for Problem {
    fn from(error: PasswordChangeError) -> Self {
        match error {
            PasswordChangeError::Fields(errors) => Self::fields_invalid(errors),
            PasswordChangeError::TooWeak(message) => {
                Self::fields_invalid(FieldErrors::from([("new_password".to_owned(), vec![message])]))
            }
            PasswordChangeError::NotProven(error) => error.into(),
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
            EmailVerificationError::Sign(cause) => Self::internal(cause),
            EmailVerificationError::Store(error) => error.into(),
        }
    }
}

impl From<EmailChangeError> for Problem {
    fn from(error: EmailChangeError) -> Self {
        match error {
            EmailChangeError::Fields(errors) => Self::fields_invalid(errors),
            EmailChangeError::NotProven(error) => error.into(),
            EmailChangeError::Throttled(throttled) => throttled.into(),
            EmailChangeError::Store(error) => error.into(),
        }
    }
}
