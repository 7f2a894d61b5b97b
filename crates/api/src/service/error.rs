//! How use cases fail: what each refuses by its own rules, and what may fail in any of them.

use super::limits::Throttled;
use super::opaque_token::NoRandomBytes;
use super::sessions::refusal::AuthorizationRefusal;
use super::sessions::token_pair::SignError;
use crate::clock::WrongClock;
use crate::files::FileError;
use crate::gate::Busy;
use crate::store::StoreError;
use auth_types::FieldErrors;

/// Why a use case failed; `R` is what its own rules refuse.
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
    /// Not refused by a rule: rejected for load, or failed.
    #[error(transparent)]
    Failed(CommonFailure),
}

/// What may happen in any use case: a request is rejected for load (`Throttled`, `Busy`), or fails.
#[derive(Debug, thiserror::Error)]
pub enum CommonFailure {
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
            Self::Failed(CommonFailure::Store(StoreError::Taken(_))) => Self::Refused(refusal),
            other => other,
        }
    }

    /// Converts to the error of a use case that this one is a part of.
    pub(super) fn map<S>(self, refusal: impl FnOnce(R) -> Error<S>) -> Error<S> {
        match self {
            Self::Refused(refused) => refusal(refused),
            Self::Fields(errors) => Error::Fields(errors),
            Self::NotAuthorized(refusal) => Error::NotAuthorized(refusal),
            Self::Failed(failure) => Error::Failed(failure),
        }
    }
}

impl<R> From<AuthorizationRefusal> for Error<R> {
    fn from(refusal: AuthorizationRefusal) -> Self {
        Self::NotAuthorized(refusal)
    }
}

macro_rules! failures {
    ($($failure:ty),+) => {$(
        impl<R> From<$failure> for Error<R> {
            fn from(failure: $failure) -> Self {
                Self::Failed(failure.into())
            }
        }
    )+};
}

macro_rules! defects {
    ($($defect:ty),+) => {$(
        impl From<$defect> for CommonFailure {
            fn from(defect: $defect) -> Self {
                Self::Defect(Box::new(defect))
            }
        }
        failures!($defect);
    )+};
}

failures!(CommonFailure, Throttled, Busy, WrongClock, StoreError, FileError);
defects!(bcrypt::BcryptError, SignError, NoRandomBytes, serde_json::Error);
