//! The failures that any use case may return.

use super::Problem;
use crate::files::FileError;
use crate::gate::Busy;
use crate::service::limits::Throttled;
use crate::service::sessions::refusal::AuthorizationRefusal;
use crate::service::{CommonError, Error};
use crate::store::StoreError;
use std::convert::Infallible;

impl<R: Into<Problem>> From<Error<R>> for Problem {
    fn from(error: Error<R>) -> Self {
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::Fields(errors) => Self::fields_invalid(errors),
            Error::NotAuthorized(refusal) => refusal.into(),
            Error::Common(error) => error.into(),
        }
    }
}

/// For use cases whose rules refuse nothing.
impl From<Infallible> for Problem {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<CommonError> for Problem {
    fn from(error: CommonError) -> Self {
        match error {
            CommonError::Throttled(throttled) => throttled.into(),
            CommonError::Busy(busy) => busy.into(),
            CommonError::Clock(_) => Self::unavailable(),
            CommonError::Store(error) => error.into(),
            CommonError::Files(error) => error.into(),
            CommonError::Defect(cause) => Self::internal(cause),
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
            AuthorizationRefusal::WrongClock(_) => Self::unavailable(),
            AuthorizationRefusal::NotAdministrator => Self::permission_denied(),
            AuthorizationRefusal::Revoked | AuthorizationRefusal::Expired | AuthorizationRefusal::UserInactive => {
                Self::token_not_valid(refusal.reason())
            }
        }
    }
}
