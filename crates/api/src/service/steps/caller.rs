//! The caller of a repeated request.

use crate::service::passwords::reauthentication::{ReauthenticationError, ReauthenticationRefusal};
use crate::service::{CurrentUser, Error};
use auth_types::Reason;

/// The caller of a step that ends or replaces the session: when it is repeated, its access token is no longer valid.
#[derive(Debug, Clone, Copy)]
pub struct RepeatingUser {
    pub user: CurrentUser,
    /// Why the access token is valid for a repeated request only, if it is.
    pub refused: Option<Reason>,
}

impl RepeatingUser {
    /// The caller, for anything but a repeated request.
    pub(in crate::service) fn unless_repeated(self) -> Result<CurrentUser, ReauthenticationError> {
        self.refused.map_or(Ok(self.user), |reason| Err(Error::Refused(ReauthenticationRefusal::TokenNotValid(reason))))
    }
}
