//! Who repeats.

use crate::service::passwords::reauthentication::{ReauthenticationError, ReauthenticationRefusal};
use crate::service::{CurrentUser, Error};
use auth_types::Reason;

/// Who asks for a step that ends the session or replaces it: a repetition comes with an access token that is not valid any more.
#[derive(Debug, Clone, Copy)]
pub struct RepeatingUser {
    pub user: CurrentUser,
    /// Why the access token is good for a repetition only, if that is so.
    pub refused: Option<Reason>,
}

impl RepeatingUser {
    /// The caller, for anything but a repetition.
    pub(in crate::service) fn proven(self) -> Result<CurrentUser, ReauthenticationError> {
        self.refused.map_or(Ok(self.user), |reason| Err(Error::Refused(ReauthenticationRefusal::TokenNotValid(reason))))
    }
}
