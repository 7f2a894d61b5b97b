//! How use cases fail: what each refuses by its own rules, and what any of them may meet.

use super::limits::Throttled;
use super::mail::links::NoRandomBytes;
use super::sessions::refusal::AuthorizationRefusal;
use super::sessions::token_pair::SignError;
use crate::clock::WrongClock;
use crate::files::FileError;
use crate::gate::Busy;
use crate::store::StoreError;
use auth_types::FieldErrors;

/// Why a use case did not do what it was asked; `R` is what its own rules refuse.
#[derive(Debug, thiserror::Error)]
pub enum Error<R> {
    /// Its own rules.
    #[error("{0}")]
    Refused(R),
    /// The form of the request.
    #[error("fields are not acceptable")]
    Fields(FieldErrors),
    /// Who calls may not act any more.
    #[error(transparent)]
    NotAuthorized(AuthorizationRefusal),
    /// Nobody's decision.
    #[error(transparent)]
    Failed(CommonFailure),
}

/// What stands in the way of any use case.
#[derive(Debug, thiserror::Error)]
pub enum CommonFailure {
    #[error(transparent)]
    Throttled(#[from] Throttled),
    #[error(transparent)]
    Busy(#[from] Busy),
    /// Nobody knows what the time says about it.
    #[error("the clock {0}")]
    Clock(#[from] WrongClock),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Files(#[from] FileError),
    /// Of ours, or of the system.
    #[error("{0}")]
    Defect(Box<dyn std::error::Error + Send + Sync>),
}

impl<R> Error<R> {
    /// One field is not acceptable.
    pub fn field(name: &str, message: impl Into<String>) -> Self {
        Self::Fields(FieldErrors::from([(name.to_owned(), vec![message.into()])]))
    }

    /// The same where it is a refusal that another row has a value which is unique.
    #[must_use]
    pub fn if_taken(self, refusal: R) -> Self {
        match self {
            Self::Failed(CommonFailure::Store(StoreError::Taken(_))) => Self::Refused(refusal),
            other => other,
        }
    }

    /// The same as the error of another use case, which this one is a part of.
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
