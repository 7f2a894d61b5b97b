//! The caller of a step that may be repeated.

use crate::service::CurrentUser;
use auth_types::Reason;

/// The caller of a step that ends or replaces the session: when it is repeated, its access token is no longer valid.
#[derive(Debug, Clone, Copy)]
pub struct StepCaller {
    pub user: CurrentUser,
    /// Why the access token is no longer valid. Then the request may only be a repetition of one that was done.
    pub token_refusal: Option<Reason>,
}

/// The access token is valid for a repetition only, and there is nothing to repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the access token is no longer valid")]
pub struct StepTokenNotValid(pub Reason);

impl StepCaller {
    /// The caller of a request that is not a repetition.
    pub(in crate::service) fn require_valid_token(self) -> Result<CurrentUser, StepTokenNotValid> {
        self.token_refusal.map_or(Ok(self.user), |reason| Err(StepTokenNotValid(reason)))
    }
}
