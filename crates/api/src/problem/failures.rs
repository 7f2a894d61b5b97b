//! The failures that any use case may return.

use super::Problem;
use crate::files::FileError;
use crate::gate::Busy;
use crate::service::limits::Throttled;
use crate::service::sessions::refusal::AuthorizationRefusal;
use crate::service::{CommonFailure, Error};
use crate::store::StoreError;
use std::convert::Infallible;

impl<R: Into<Problem>> From<Error<R>> for Problem {
    fn from(error: Error<R>) -> Self {
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::Fields(errors) => Self::fields_invalid(errors),
            Error::NotAuthorized(refusal) => refusal.into(),
            Error::Failed(failure) => failure.into(),
        }
    }
}

/// For use cases whose rules refuse nothing.
impl From<Infallible> for Problem {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<CommonFailure> for Problem {
    fn from(failure: CommonFailure) -> Self {
        match failure {
            CommonFailure::Throttled(throttled) => throttled.into(),
            CommonFailure::Busy(busy) => busy.into(),
            CommonFailure::Clock(_) => Self::unavailable(),
            CommonFailure::Store(error) => error.into(),
            CommonFailure::Files(error) => error.into(),
            CommonFailure::Defect(cause) => Self::internal(cause),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy(busy) => busy.into(),
            StoreError::Unavailable(cause) => {
                log::error!("store.unavailable: {cause}");
                Self::unavailable()
            }
            StoreError::Taken(_) | StoreError::Defect(_) => Self::internal(error),
        }
    }
}

impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        log::error!("files.unavailable: {error}");
        Self::unavailable()
    }
}

impl From<Busy> for Problem {
    fn from(_: Busy) -> Self {
        Self::unavailable().caused_by_load()
    }
}

impl From<Throttled> for Problem {
    fn from(throttled: Throttled) -> Self {
        Self::throttled(throttled.retry_after_seconds)
    }
}

impl From<AuthorizationRefusal> for Problem {
    fn from(refusal: AuthorizationRefusal) -> Self {
        match refusal {
            AuthorizationRefusal::ClockMismatch => Self::unavailable(),
            AuthorizationRefusal::NotAdministrator => Self::permission_denied(),
            AuthorizationRefusal::Revoked | AuthorizationRefusal::Expired | AuthorizationRefusal::UserInactive => {
                Self::token_not_valid(refusal.reason())
            }
        }
    }
}
