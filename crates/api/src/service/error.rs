//! Why a use case has no result: what each refuses by its own rules, and what any of them may end with.

use super::limits::Throttled;
use super::opaque_token::NoRandomBytes;
use super::sessions::refusal::AuthorizationRefusal;
use super::sessions::token_pair::SignError;
use crate::clock::WrongClock;
use crate::files::FileError;
use crate::gate::Busy;
use crate::store::StoreError;
use auth_types::FieldErrors;

/// Why a use case has no result; `R` is what its own rules refuse.
#[derive(Debug, thiserror::Error)]
pub enum Error<R> {
    /// Refused by its own rules.
    #[error("{0}")]
    Refused(R),
    /// The fields of the request are not valid.
    #[error("fields are not acceptable")]
    Fields(FieldErrors),
    /// The caller may no longer act.
    #[error(transparent)]
    NotAuthorized(AuthorizationRefusal),
    /// No decision was made: the request was rejected for load, or failed.
    #[error(transparent)]
    Common(CommonError),
}

/// What any use case may end with before its decision: the request is rejected for load (`Throttled`, `Busy`), or fails.
#[derive(Debug, thiserror::Error)]
pub enum CommonError {
    #[error(transparent)]
    Throttled(#[from] Throttled),
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The clock is wrong, so expiry cannot be determined.
    #[error("the clock {0}")]
    Clock(#[from] WrongClock),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Files(#[from] FileError),
    /// A defect of the program or of the system.
    #[error("{0}")]
    Defect(Box<dyn std::error::Error + Send + Sync>),
}

impl<R> Error<R> {
    /// One field is not valid.
    pub fn field(name: &str, message: impl Into<String>) -> Self {
        Self::Fields(FieldErrors::from([(name.to_owned(), vec![message.into()])]))
    }

    /// Turns the violation of a unique constraint into a refusal.
    #[must_use]
    pub fn if_taken(self, refusal: R) -> Self {
        match self {
            Self::Common(CommonError::Store(StoreError::Taken(_))) => Self::Refused(refusal),
            other => other,
        }
    }

    /// Converts to the error of a use case that this one is a part of.
    pub(super) fn map<S>(self, refusal: impl FnOnce(R) -> Error<S>) -> Error<S> {
        match self {
            Self::Refused(refused) => refusal(refused),
            Self::Fields(errors) => Error::Fields(errors),
            Self::NotAuthorized(refusal) => Error::NotAuthorized(refusal),
            Self::Common(error) => Error::Common(error),
        }
    }
}

impl<R> From<AuthorizationRefusal> for Error<R> {
    fn from(refusal: AuthorizationRefusal) -> Self {
        Self::NotAuthorized(refusal)
    }
}

macro_rules! common_errors {
    ($($error:ty),+) => {$(
        impl<R> From<$error> for Error<R> {
            fn from(error: $error) -> Self {
                Self::Common(error.into())
            }
        }
    )+};
}

macro_rules! defects {
    ($($defect:ty),+) => {$(
        impl From<$defect> for CommonError {
            fn from(defect: $defect) -> Self {
                Self::Defect(Box::new(defect))
            }
        }
        common_errors!($defect);
    )+};
}

common_errors!(CommonError, Throttled, Busy, WrongClock, StoreError, FileError);
defects!(bcrypt::BcryptError, SignError, NoRandomBytes, serde_json::Error);
