//! An action that ends its own session, and whose response has not arrived.

use super::response::FetchResult;
use auth_types::SessionId;
use serde::{Deserialize, Serialize};

/// An action that ends the session that requests it. It is stored until the response arrives, because the page may be
/// reloaded before: the session is then found to have ended, and the message should say that the user ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnconfirmedAction {
    /// The session that requested it.
    pub session: SessionId,
    /// The action.
    #[serde(rename = "act")]
    pub action: EndingAction,
}

/// The actions that end the session that requests them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndingAction {
    /// Replaces the session with a new one.
    PasswordChange,
    /// Deletes the account with all its sessions.
    AccountDeletion,
    /// Ends every session of the user.
    SignOutEverywhere,
}

impl EndingAction {
    /// The message for a user whose session has ended, possibly by this action.
    pub const fn message(self) -> &'static str {
        match self {
            Self::PasswordChange => concat!(
                "The connection was lost while your password was being changed. ",
                "Sign in with the new password; if it is not accepted, with the old one."
            ),
            Self::AccountDeletion => concat!(
                "The connection was lost while your account was being deleted. ",
                "If you cannot sign in any more, it is deleted."
            ),
            Self::SignOutEverywhere => "Every device is signed out.",
        }
    }
}

/// Whether the API itself reported the outcome of the request.
pub fn is_conclusive(result: &FetchResult) -> bool {
    result.as_ref().is_ok_and(|response| response.transient_error().is_none() && response.is_from_api())
}
